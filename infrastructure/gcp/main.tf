# A deployment on Google Cloud: every tenant with all of its sources, as sources.yaml and the variable file say.

locals {
  labels = { application = "salesync", environment = var.environment }

  services = toset([
    "artifactregistry.googleapis.com", "bigquery.googleapis.com", "bigquerydatatransfer.googleapis.com", "bigquerystorage.googleapis.com",
    "cloudresourcemanager.googleapis.com", "cloudscheduler.googleapis.com", "iam.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com",
    "pubsub.googleapis.com", "run.googleapis.com", "secretmanager.googleapis.com",
  ])
}

data "google_project" "here" {
  project_id = var.project
}

resource "google_project_service" "needed" {
  for_each           = local.services
  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

module "catalogue" {
  source  = "../modules/catalogue"
  tenants = var.tenants
}

resource "google_monitoring_notification_channel" "email" {
  for_each     = toset(var.alert_emails)
  project      = var.project
  display_name = "salesync: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }
}

module "tenant" {
  source   = "../modules/tenant/gcp"
  for_each = var.tenants

  tenant    = each.key
  prefix    = module.catalogue.prefixes[each.key]
  functions = module.catalogue.functions[each.key]
  analysts  = each.value.analysts

  otlp_headers_secret = each.value.otlp_headers_secret

  place = {
    project        = var.project
    project_number = data.google_project.here.number
    region         = var.region
    location       = var.location
  }
  image_registry = var.image_registry
  release        = var.release
  channels       = [for channel in google_monitoring_notification_channel.email : channel.id]
  labels         = merge(local.labels, { tenant = each.key })

  depends_on = [google_project_service.needed]
}

# Analysts run queries in the project; one of several tenants is granted this once.
resource "google_project_iam_member" "analysts" {
  for_each = toset(flatten([for tenant in values(var.tenants) : tenant.analysts]))
  project  = var.project
  role     = "roles/bigquery.jobUser"
  member   = each.value
}
