# Alarms on what AWS measures by itself, which no failure inside a function can silence.

locals {
  sources = { for function in values(var.functions) : function.source => function if function.source != null }

  of_functions = merge([for name, function in var.functions : {
    "${name}-failed" = {
      summary = "ERROR: an execution of ${name} failed. Its log lines carry the code: docs/errors.md says what to do."
      of      = name, metric = "Errors", statistic = "Sum", above = 0
    }
    "${name}-near-time-limit" = {
      summary = "WARNING: a run of ${name} took more than 95 % of its ${function.time_limit_secs} seconds: it did not stop at its own deadline. Raise the limit, or report it with the run's id."
      of      = name, metric = "Duration", statistic = "Maximum", above = function.time_limit_secs * 950
    }
    "${name}-throttled" = {
      summary = "ERROR: ${name} was not started because the account runs too many functions at once."
      of      = name, metric = "Throttles", statistic = "Sum", above = 0
    }
  }]...)

  of_queues = {
    dead-letter-age = {
      summary = "WARNING: a dead letter waits for more than a day. Look at it, mend the cause and redrive it: docs/runbooks/redrive.md."
      of      = var.waiting["dead-letters"], metric = "ApproximateAgeOfOldestMessage", above = 86400
    }
    dead-letters-parked = {
      summary = "WARNING: a dead letter was received a hundred times and never settled, and waits for a person: docs/runbooks/redrive.md."
      of      = var.waiting["parked"], metric = "ApproximateNumberOfMessagesVisible", above = 0
    }
    undelivered = {
      summary = "ERROR: a trigger, a continuation or a notification could not be delivered and waits in the queue for undelivered messages: docs/runbooks/redrive.md."
      of      = var.waiting["undelivered"], metric = "ApproximateNumberOfMessagesVisible", above = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each            = local.of_functions
  alarm_name          = "salesync-${each.key}"
  alarm_description   = each.value.summary
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = each.value.of }
  statistic           = each.value.statistic
  period              = 600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic]
  ok_actions          = [var.topic]
}

resource "aws_cloudwatch_metric_alarm" "error_rate" {
  for_each            = var.functions
  alarm_name          = "salesync-${each.key}-error-rate"
  alarm_description   = "CRITICAL: more than 5 % of an hour's executions of ${each.key} failed."
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic]
  ok_actions          = [var.topic]

  metric_query {
    id          = "share"
    expression  = "IF(executions > 0, 100 * failures / executions, 0)"
    label       = "failed, in percent"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { failures = "Errors", executions = "Invocations" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/Lambda"
        metric_name = metric_query.value
        dimensions  = { FunctionName = each.key }
        stat        = "Sum"
        period      = 3600
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each            = local.of_queues
  alarm_name          = "salesync-${var.prefix}${each.key}"
  alarm_description   = each.value.summary
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.of }
  statistic           = "Maximum"
  period              = 600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic]
  ok_actions          = [var.topic]
}

resource "aws_cloudwatch_metric_alarm" "freshness" {
  for_each            = local.sources
  alarm_name          = "salesync-${var.prefix}${each.key}-freshness"
  alarm_description   = "CRITICAL: no sync of ${each.key} has succeeded for ${each.value.fresh_within_hours} hours. See the last runs and their codes in etl_runs."
  namespace           = local.namespace
  metric_name         = aws_cloudwatch_log_metric_filter.succeeded[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = each.value.fresh_within_hours
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [var.topic]
  ok_actions          = [var.topic]
}
