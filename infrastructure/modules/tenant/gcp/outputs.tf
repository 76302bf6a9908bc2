output "functions" {
  description = "For each function its address, identity, schedules and subscription of continuations."
  value       = module.function
}

output "datasets" {
  description = "The datasets: tables, staging and analysts."
  value       = module.warehouse.datasets
}

output "views" {
  description = "The scheduled query that makes the analysts' views."
  value       = module.warehouse.views
}

output "publisher" {
  description = "The identity that makes the analysts' views."
  value       = module.warehouse.publisher
}

output "secrets" {
  description = "The secrets to which versions are added by hand, by the login's name."
  value       = { for name, secret in google_secret_manager_secret.login : name => secret.secret_id }
}

output "topics" {
  description = "The topics, each with a subscription TOPIC-pull."
  value       = [for topic in google_pubsub_topic.topic : topic.name]
}

output "trigger" {
  description = "The identity that calls the functions."
  value       = google_service_account.trigger.email
}

output "dashboard" {
  description = "The dashboard."
  value       = module.alerts.dashboard
}

output "alerts" {
  description = "The names of its alert policies."
  value       = module.alerts.policies
}

output "metrics" {
  description = "The names of the metrics that count log lines."
  value       = module.alerts.metrics
}

output "uptime_check" {
  description = "The check that asks for the resolver's health."
  value       = module.alerts.uptime_check
}
