# How the function writes to BigQuery without a key: AWS says which role is asking, the federation's pool takes that as
# proof, and only this role may act as this service account.

locals {
  google_login = jsonencode({
    type                              = "external_account"
    audience                          = "//iam.googleapis.com/${var.federation.provider}"
    subject_token_type                = "urn:ietf:params:aws:token-type:aws4_request"
    token_url                         = "https://sts.googleapis.com/v1/token"
    service_account_impersonation_url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${google_service_account.function.email}:generateAccessToken"
    credential_source = {
      environment_id                 = "aws1"
      regional_cred_verification_url = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
    }
  })
}

resource "google_service_account" "function" {
  project      = var.federation.project
  account_id   = var.name
  display_name = "salesync ${var.tenant}: ${var.function.program}, on AWS"
}

resource "google_service_account_iam_member" "role" {
  service_account_id = google_service_account.function.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${var.federation.pool}/attribute.aws_role/arn:aws:sts::${var.account}:assumed-role/${aws_iam_role.function.name}"
}

resource "google_project_iam_member" "queries" {
  project = var.federation.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.function.member
}
