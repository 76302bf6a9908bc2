output "datasets" {
  description = "The datasets: tables, staging and analysts."
  value = {
    tables   = google_bigquery_dataset.tables.dataset_id
    staging  = google_bigquery_dataset.staging.dataset_id
    analysts = google_bigquery_dataset.analysts.dataset_id
  }
}

output "publisher" {
  description = "The identity that makes the analysts' views."
  value       = google_service_account.publisher.email
}

output "views" {
  description = "The scheduled query that makes the analysts' views."
  value       = google_bigquery_data_transfer_config.publisher.name
}
