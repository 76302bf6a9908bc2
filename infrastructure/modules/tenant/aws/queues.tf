# Four queues:
#
#   dead-letters.fifo   copies of records that were set aside; a letter that is sent twice is there once
#   parked.fifo         those that failed three times and wait for a person
#   notifications       which runs did not succeed; read by whatever the operator connects
#   undelivered         triggers, continuations and notifications that nobody could take

locals {
  two_weeks_secs = 1209600
}

resource "aws_sqs_queue" "dead_letters" {
  name                       = "${var.prefix}dead-letters.fifo"
  fifo_queue                 = true
  sqs_managed_sse_enabled    = true
  message_retention_seconds  = local.two_weeks_secs
  visibility_timeout_seconds = 900
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.parked.arn, maxReceiveCount = 3 })
}

resource "aws_sqs_queue" "parked" {
  name                      = "${var.prefix}parked.fifo"
  fifo_queue                = true
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.two_weeks_secs
}

resource "aws_sqs_queue" "notifications" {
  name                      = "${var.prefix}notifications"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.two_weeks_secs
  redrive_policy            = jsonencode({ deadLetterTargetArn = aws_sqs_queue.undelivered.arn, maxReceiveCount = 10 })
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.prefix}undelivered"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.two_weeks_secs
}
