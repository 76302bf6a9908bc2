# Who deploys from GitHub: one identity, which only the workflow of one repository in one of its environments may act as. GitHub
# signs who is asking, so there is no key. Without `repository` nothing of this is made.

locals {
  workflow = var.repository == null ? {} : { github = "repo:${var.repository}:environment:${var.environment}" }
  # What applying infrastructure/ needs: README.md.
  deployer_roles = toset(["roles/editor", "roles/iam.securityAdmin", "roles/iam.workloadIdentityPoolAdmin"])
}

resource "google_project_service" "federation" {
  for_each           = var.repository == null ? toset([]) : toset(["iam.googleapis.com", "iamcredentials.googleapis.com", "sts.googleapis.com"])
  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

resource "google_iam_workload_identity_pool" "github" {
  for_each                  = local.workflow
  project                   = var.project
  workload_identity_pool_id = "salesync-github"
  display_name              = "salesync on GitHub"

  depends_on = [google_project_service.federation]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  for_each                           = local.workflow
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.github[each.key].workload_identity_pool_id
  workload_identity_pool_provider_id = "workflow"
  display_name                       = "the deploying workflow"
  attribute_condition                = "assertion.sub == '${each.value}'"
  attribute_mapping                  = { "google.subject" = "assertion.sub" }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "deployer" {
  for_each     = local.workflow
  project      = var.project
  account_id   = "salesync-deployer"
  display_name = "salesync: deploys from GitHub"
}

resource "google_service_account_iam_member" "deployer" {
  for_each           = local.workflow
  service_account_id = google_service_account.deployer[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.github[each.key].name}/subject/${each.value}"
}

resource "google_project_iam_member" "deployer" {
  for_each = var.repository == null ? toset([]) : local.deployer_roles
  project  = var.project
  role     = each.value
  member   = "serviceAccount:${google_service_account.deployer["github"].email}"
}

resource "google_storage_bucket_iam_member" "deployer" {
  for_each = local.workflow
  bucket   = google_storage_bucket.state.name
  role     = "roles/storage.objectAdmin"
  member   = "serviceAccount:${google_service_account.deployer[each.key].email}"
}
