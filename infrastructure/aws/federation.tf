# Google Cloud trusts this AWS account to say which role is asking. There is no key: a function signs a request to AWS's
# own `GetCallerIdentity`, and Google takes AWS's answer as proof.

resource "google_project_service" "needed" {
  for_each = toset([
    "bigquery.googleapis.com", "bigquerydatatransfer.googleapis.com", "bigquerystorage.googleapis.com", "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com", "iamcredentials.googleapis.com", "sts.googleapis.com",
  ])
  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

resource "google_iam_workload_identity_pool" "aws" {
  project                   = var.project
  workload_identity_pool_id = "salesync-aws"
  display_name              = "salesync on AWS"
  description               = "Functions of salesync in the AWS account ${var.account}"

  depends_on = [google_project_service.needed]
}

resource "google_iam_workload_identity_pool_provider" "aws" {
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.aws.workload_identity_pool_id
  workload_identity_pool_provider_id = "lambda"
  display_name                       = "AWS account ${var.account}"
  attribute_condition                = "assertion.arn.startsWith('arn:aws:sts::${var.account}:assumed-role/salesync-')"
  attribute_mapping = {
    "google.subject"     = "assertion.arn.extract('assumed-role/{role}/')"
    "attribute.aws_role" = "assertion.arn.extract('{account}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{role}/')"
  }

  aws {
    account_id = var.account
  }
}
