# A deployment on AWS with its warehouse in BigQuery: every tenant with all of its sources, as sources.yaml and the variable
# file say.

locals {
  labels = { application = "salesync", environment = var.environment }
}

module "catalogue" {
  source  = "../modules/catalogue"
  tenants = var.tenants
}

resource "aws_sns_topic" "alerts" {
  name = "salesync-alerts"
}

resource "aws_sns_topic_subscription" "email" {
  for_each  = toset(var.alert_emails)
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.value
}

module "tenant" {
  source   = "../modules/tenant/aws"
  for_each = var.tenants

  tenant    = each.key
  prefix    = module.catalogue.prefixes[each.key]
  functions = module.catalogue.functions[each.key]
  analysts  = each.value.analysts
  place     = { account = var.account, region = var.region, location = var.location }
  package   = { bucket = var.package_bucket, release = var.release }
  federation = {
    project  = var.project
    pool     = google_iam_workload_identity_pool.aws.name
    provider = google_iam_workload_identity_pool_provider.aws.name
  }
  log_retention_days = var.log_retention_days
  alert_topic        = aws_sns_topic.alerts.arn
  labels             = merge(local.labels, { tenant = each.key })

  depends_on = [google_project_service.needed]
}

# Analysts run queries in the project; one of several tenants is granted this once.
resource "google_project_iam_member" "analysts" {
  for_each = toset(flatten([for tenant in values(var.tenants) : tenant.analysts]))
  project  = var.project
  role     = "roles/bigquery.jobUser"
  member   = each.value
}
