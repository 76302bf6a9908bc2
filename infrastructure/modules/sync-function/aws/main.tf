# One function on Lambda with a role of its own. It has no address: the tenant's scheduler and its own queue of
# continuations start it, and nothing else can.

locals {
  settings = merge(var.settings, var.function.settings, {
    SALESYNC_DEADLINE_SECS  = var.function.time_limit_secs - 60
    SALESYNC_BIGQUERY_LOGIN = local.google_login
    }, local.continues ? {
    SALESYNC_CONTINUATION = "sqs:${aws_sqs_queue.continuations[0].url}"
  } : {})
}

resource "aws_lambda_function" "function" {
  function_name = var.name
  description   = "salesync ${var.tenant}: ${var.function.program}"
  role          = aws_iam_role.function.arn
  s3_bucket     = var.package.bucket
  s3_key        = "${var.package.release}/${var.function.program}.zip"
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = ["arm64"]
  timeout       = var.function.time_limit_secs
  memory_size   = var.function.memory_mb

  environment {
    variables = local.settings
  }
  logging_config {
    log_format = "Text"
    log_group  = var.log_group.name
  }
  dead_letter_config {
    target_arn = var.undelivered_queue
  }

  depends_on = [aws_iam_role_policy.function]
}

# A run that failed is not started again: the next schedule heals it.
resource "aws_lambda_function_event_invoke_config" "function" {
  function_name                = aws_lambda_function.function.function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 3600
}
