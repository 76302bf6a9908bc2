# Four queues:
#
#   dead-letters.fifo   records that were set aside, on their way to a redrive; one that is sent twice is there once
#   parked.fifo         letters that were looked at a hundred times and never settled; the warehouse counts failures
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
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.parked.arn, maxReceiveCount = 100 })
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
