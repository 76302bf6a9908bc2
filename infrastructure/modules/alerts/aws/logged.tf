# The alerts of alerts.yaml: for each a metric that counts log lines, and an alarm that goes off on the first one.

locals {
  logged    = yamldecode(file("${path.module}/../../../alerts.yaml"))
  namespace = "salesync/${var.tenant}"

  # Each condition is one comparison of CloudWatch's filter patterns, which know a `*` at the end of a text.
  conditions = {
    for name, alert in local.logged : name => join(" || ", concat(
      [for code in lookup(alert, "codes", []) : "($.code = \"${code}\")"],
      [for field, limit in lookup(alert, "above", {}) : "($.${field} > ${limit})"],
    ))
  }
}

resource "aws_cloudwatch_log_metric_filter" "logged" {
  for_each       = local.logged
  name           = "${var.tenant}-${each.key}"
  log_group_name = var.log_group
  pattern        = "{ ${local.conditions[each.key]} }"

  metric_transformation {
    namespace     = local.namespace
    name          = each.key
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "logged" {
  for_each            = local.logged
  alarm_name          = "salesync-${var.prefix}${each.key}"
  alarm_description   = "${each.value.severity}: ${each.value.summary}"
  namespace           = local.namespace
  metric_name         = aws_cloudwatch_log_metric_filter.logged[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 600
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic]
  ok_actions          = [var.topic]
}

# One count for each run that succeeded: when it stays away, a source is no longer fresh.
resource "aws_cloudwatch_log_metric_filter" "succeeded" {
  for_each       = local.sources
  name           = "${var.tenant}-${each.key}-succeeded"
  log_group_name = var.log_group
  pattern        = "{ ($.event = \"run_ended\") && ($.status = \"succeeded\") && ($.source = \"${each.key}\") }"

  metric_transformation {
    namespace     = local.namespace
    name          = "${each.key}-succeeded"
    value         = "1"
    default_value = "0"
  }
}
