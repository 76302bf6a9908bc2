# All that one tenant has on Google Cloud. A function is handed the datasets, secrets and topics of its own tenant and
# knows of no others, so one tenant's run can't read another's.

locals {
  secrets = toset(flatten([for function in values(var.functions) : keys(function.secrets)]))

  resolver = "${var.prefix}salesync"

  settings = {
    SALESYNC_TENANT            = var.tenant
    SALESYNC_WAREHOUSE         = "bigquery:${var.place.project}/${var.tenant}"
    SALESYNC_BIGQUERY_LOCATION = var.place.location
    SALESYNC_DEAD_LETTERS      = "pubsub:${var.place.project}/${google_pubsub_topic.topic["dead-letters"].name}"
    SALESYNC_NOTIFY            = "pubsub:${var.place.project}/${google_pubsub_topic.topic["notifications"].name}"
    SALESYNC_SECRETS           = "gcp:${var.place.project}/salesync-${var.tenant}-"
    SALESYNC_LOG               = "info"
    SALESYNC_LOG_FORMAT        = "json"
  }
}

resource "google_service_account" "trigger" {
  project      = var.place.project
  account_id   = "${var.prefix}trigger"
  display_name = "salesync ${var.tenant}: calls the functions"
}

module "function" {
  source   = "../../sync-function/gcp"
  for_each = var.functions

  name              = each.key
  tenant            = var.tenant
  function          = each.value
  project           = var.place.project
  project_number    = var.place.project_number
  region            = var.place.region
  image             = "${var.image_registry}/${each.value.program}:${var.release}"
  settings          = local.settings
  trigger           = google_service_account.trigger.email
  secrets           = { for name in keys(each.value.secrets) : name => google_secret_manager_secret.login[name].secret_id }
  topics            = { for name in ["dead-letters", "notifications"] : name => google_pubsub_topic.topic[name].name }
  undelivered_topic = google_pubsub_topic.topic["undelivered"].id
  labels            = var.labels

  otlp_headers_secret = var.otlp_headers_secret
}

module "warehouse" {
  source = "../../warehouse"

  project  = var.place.project
  location = var.place.location
  tenant   = var.tenant
  prefix   = var.prefix
  writers  = { for name, function in module.function : name => function.identity }
  analysts = var.analysts
  labels   = var.labels
}

module "alerts" {
  source = "../../alerts/gcp"

  project        = var.place.project
  project_number = var.place.project_number
  region         = var.place.region
  tenant         = var.tenant
  functions      = { for name, function in var.functions : name => { source = function.source, time_limit_secs = function.time_limit_secs, fresh_within_hours = function.fresh_within_hours } }
  uptime_of      = { service = local.resolver, host = trimprefix(module.function[local.resolver].url, "https://") }
  waiting        = { for name in ["dead-letters", "undelivered"] : name => google_pubsub_subscription.subscription[name].name }
  channels       = var.channels
  labels         = var.labels
}
