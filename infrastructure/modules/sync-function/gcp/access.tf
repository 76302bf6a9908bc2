# What the function may do beside writing to its tenant's datasets, which modules/warehouse grants.

locals {
  # To read a login also means to see how old it is; only where the vendor renews it may a version be added and an older one
  # be destroyed.
  roles = {
    read  = ["roles/secretmanager.secretAccessor", "roles/secretmanager.viewer"]
    renew = ["roles/secretmanager.secretAccessor", "roles/secretmanager.viewer", "roles/secretmanager.secretVersionManager"]
  }
  otlp_headers = var.otlp_headers_secret == null ? [] : [var.otlp_headers_secret]
  logins = merge([
    for name, access in var.function.secrets : { for role in local.roles[access] : "${name} ${role}" => { secret = var.secrets[name], role = role } }
  ]...)
}

resource "google_project_iam_member" "queries" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.function.member
}

resource "google_secret_manager_secret_iam_member" "login" {
  for_each  = local.logins
  project   = var.project
  secret_id = each.value.secret
  role      = each.value.role
  member    = google_service_account.function.member
}

# The cloud reads it for the function at each start.
resource "google_secret_manager_secret_iam_member" "otlp_headers" {
  for_each  = toset(local.otlp_headers)
  project   = var.project
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function.member
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = var.topics
  project  = var.project
  topic    = each.value
  role     = "roles/pubsub.publisher"
  member   = google_service_account.function.member
}
