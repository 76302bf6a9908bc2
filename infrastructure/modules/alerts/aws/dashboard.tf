locals {
  names = keys(var.functions)

  charts = {
    "Executions"                    = { stat = "Sum", metrics = [for name in local.names : ["AWS/Lambda", "Invocations", "FunctionName", name]] }
    "Failed executions"             = { stat = "Sum", metrics = [for name in local.names : ["AWS/Lambda", "Errors", "FunctionName", name]] }
    "Longest run (ms)"              = { stat = "Maximum", metrics = [for name in local.names : ["AWS/Lambda", "Duration", "FunctionName", name]] }
    "Runs that succeeded"           = { stat = "Sum", metrics = [for name in keys(local.sources) : [local.namespace, "${name}-succeeded"]] }
    "Log lines that alert"          = { stat = "Sum", metrics = [for name in keys(local.logged) : [local.namespace, name]] }
    "Age of the oldest message (s)" = { stat = "Maximum", metrics = [for queue in values(var.waiting) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue]] }
  }
  titles = keys(local.charts)
}

resource "aws_cloudwatch_dashboard" "tenant" {
  dashboard_name = "salesync-${replace(var.tenant, "_", "-")}"
  dashboard_body = jsonencode({
    widgets = [for at, title in local.titles : {
      type   = "metric"
      x      = at % 2 * 12
      y      = floor(at / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = title
        region  = var.region
        period  = 900
        stat    = local.charts[title].stat
        metrics = local.charts[title].metrics
      }
    }]
  })
}
