# Three queues:
#
#   dead-letters    records that were set aside; ten failed deliveries move one to undelivered
#   notifications   what a person should know; read by whatever the operator connects
#   undelivered     messages that nobody could take, kept for two weeks

locals {
  two_weeks_secs = 1209600
}

resource "aws_sqs_queue" "queue" {
  for_each                   = toset(["dead-letters", "notifications"])
  name                       = "${var.prefix}${each.value}"
  sqs_managed_sse_enabled    = true
  message_retention_seconds  = local.two_weeks_secs
  visibility_timeout_seconds = 900
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.undelivered.arn, maxReceiveCount = 10 })
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.prefix}undelivered"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.two_weeks_secs
}
