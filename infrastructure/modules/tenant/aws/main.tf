# All that one tenant has on AWS, and its datasets in BigQuery. A function is handed the datasets, secrets and queues of its
# own tenant and knows of no others, so one tenant's run can't read another's.

locals {
  secrets  = toset(flatten([for function in values(var.functions) : keys(function.secrets)]))
  resolver = "${var.prefix}salesync"

  settings = {
    SALESYNC_TENANT            = var.tenant
    SALESYNC_WAREHOUSE         = "bigquery:${var.federation.project}/${var.tenant}"
    SALESYNC_BIGQUERY_LOCATION = var.place.location
    SALESYNC_DEAD_LETTERS      = "sqs:${aws_sqs_queue.dead_letters.url}"
    SALESYNC_NOTIFY            = "sqs:${aws_sqs_queue.notifications.url}"
    SALESYNC_SECRETS           = "aws:${var.place.region}"
    SALESYNC_LOG               = "info"
    SALESYNC_LOG_FORMAT        = "json"
  }
}

resource "aws_cloudwatch_log_group" "tenant" {
  name              = "/salesync/${var.tenant}"
  retention_in_days = var.log_retention_days
}

module "function" {
  source   = "../../sync-function/aws"
  for_each = var.functions

  name              = each.key
  tenant            = var.tenant
  function          = each.value
  account           = var.place.account
  package           = var.package
  settings          = local.settings
  federation        = var.federation
  scheduler         = { group = aws_scheduler_schedule_group.tenant.name, role = aws_iam_role.scheduler.arn }
  log_group         = { name = aws_cloudwatch_log_group.tenant.name, arn = aws_cloudwatch_log_group.tenant.arn }
  secrets           = { for name in keys(each.value.secrets) : name => aws_secretsmanager_secret.login[name].arn }
  sends_to          = merge({ dead-letters = aws_sqs_queue.dead_letters.arn, notifications = aws_sqs_queue.notifications.arn }, each.key == local.resolver ? { parked = aws_sqs_queue.parked.arn } : {})
  receives_from     = each.key == local.resolver ? { dead-letters = aws_sqs_queue.dead_letters.arn, parked = aws_sqs_queue.parked.arn } : {}
  undelivered_queue = aws_sqs_queue.undelivered.arn
}

module "warehouse" {
  source = "../../warehouse"

  project  = var.federation.project
  location = var.place.location
  tenant   = var.tenant
  prefix   = var.prefix
  writers  = { for name, function in module.function : name => function.identity }
  analysts = var.analysts
  labels   = var.labels
}

module "alerts" {
  source = "../../alerts/aws"

  tenant    = var.tenant
  prefix    = var.prefix
  region    = var.place.region
  functions = { for name, function in var.functions : name => { source = function.source, time_limit_secs = function.time_limit_secs, fresh_within_hours = function.fresh_within_hours } }
  log_group = aws_cloudwatch_log_group.tenant.name
  waiting   = { dead-letters = aws_sqs_queue.dead_letters.name, parked = aws_sqs_queue.parked.name, undelivered = aws_sqs_queue.undelivered.name }
  topic     = var.alert_topic
}
