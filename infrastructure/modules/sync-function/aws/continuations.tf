# A sync that its time limit ends sends a message to its own queue, and the message starts the next run. The function answers
# which messages of a batch failed; one that failed ten times goes to the tenant's queue for undelivered messages.

locals {
  continues = var.function.source != null
}

resource "aws_sqs_queue" "continuations" {
  count                   = local.continues ? 1 : 0
  name                    = "${var.name}-continuations"
  sqs_managed_sse_enabled = true
  # A message is hidden for longer than its run can take: six times the limit, as Lambda's own retries need it.
  visibility_timeout_seconds = var.function.time_limit_secs * 6
  message_retention_seconds  = 345600
  redrive_policy             = jsonencode({ deadLetterTargetArn = var.undelivered_queue, maxReceiveCount = 10 })
}

# AWS ends what it takes for a loop after some sixteen runs; the program itself ends at fifty.
resource "aws_lambda_function_recursion_config" "function" {
  count          = local.continues ? 1 : 0
  function_name  = aws_lambda_function.function.function_name
  recursive_loop = "Allow"
}

resource "aws_lambda_event_source_mapping" "continuations" {
  count                   = local.continues ? 1 : 0
  event_source_arn        = aws_sqs_queue.continuations[0].arn
  function_name           = aws_lambda_function.function.arn
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }
}
