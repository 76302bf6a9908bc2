output "policies" {
  description = "The names of the alert policies."
  value       = sort(concat(keys(google_monitoring_alert_policy.logged), keys(google_monitoring_alert_policy.measured), ["health"]))
}

output "dashboard" {
  description = "The dashboard."
  value       = google_monitoring_dashboard.tenant.id
}
