output "identity" {
  description = "The address of the function's service account."
  value       = google_service_account.function.email
}

output "url" {
  description = "Where the function answers."
  value       = local.url
}

output "schedules" {
  description = "The names of its schedules."
  value       = keys(google_cloud_scheduler_job.schedule)
}

output "continuations" {
  description = "The subscription that delivers its continuations; null where it has none."
  value       = one(google_pubsub_subscription.continuations[*].name)
}
