output "state_bucket" {
  description = "The bucket for Terraform's state: `terraform init -backend-config=bucket=...`."
  value       = google_storage_bucket.state.name
}

output "image_registry" {
  description = "Where the containers are pushed to, and the variable `image_registry` of a deployment."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "workload_identity_provider" {
  description = "The variable GCP_WORKLOAD_IDENTITY_PROVIDER of the environment on GitHub."
  value       = one([for provider in google_iam_workload_identity_pool_provider.github : provider.name])
}

output "deployer" {
  description = "The variable GCP_SERVICE_ACCOUNT of the environment on GitHub."
  value       = one([for account in google_service_account.deployer : account.email])
}
