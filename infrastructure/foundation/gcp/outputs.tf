output "state_bucket" {
  description = "The bucket for Terraform's state: `terraform init -backend-config=bucket=...`."
  value       = google_storage_bucket.state.name
}

output "image_registry" {
  description = "Where the containers are pushed to, and the variable `image_registry` of a deployment."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}
