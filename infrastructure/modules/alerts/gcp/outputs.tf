output "policies" {
  description = "The names of the alert policies."
  value       = sort(concat(keys(google_monitoring_alert_policy.logged), keys(google_monitoring_alert_policy.measured), ["health"]))
}

output "metrics" {
  description = "The names of the metrics that count log lines."
  value       = sort([for metric in concat(values(google_logging_metric.logged), [google_logging_metric.succeeded]) : metric.name])
}

output "uptime_check" {
  description = "The check that asks for the resolver's health."
  value       = google_monitoring_uptime_check_config.health.uptime_check_id
}

output "dashboard" {
  description = "The dashboard."
  value       = google_monitoring_dashboard.tenant.id
}
