output "alarms" {
  description = "The names of the alarms."
  value = sort([for alarm in concat(
    values(aws_cloudwatch_metric_alarm.logged), values(aws_cloudwatch_metric_alarm.function), values(aws_cloudwatch_metric_alarm.error_rate),
    values(aws_cloudwatch_metric_alarm.queue), values(aws_cloudwatch_metric_alarm.freshness),
  ) : alarm.alarm_name])
}

output "dashboard" {
  description = "The dashboard."
  value       = aws_cloudwatch_dashboard.tenant.dashboard_name
}
