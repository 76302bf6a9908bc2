# The alerts of alerts.yaml: for each a metric that counts log lines, and a policy that fires on the first one.

locals {
  logged = yamldecode(file("${path.module}/../../../alerts.yaml"))

  services = "^(${join("|", keys(var.functions))})$"
  lines    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"${local.services}\""

  # Each condition is one comparison of the Logging query language; a code that ends in `*` becomes a regular expression.
  conditions = {
    for name, alert in local.logged : name => join(" OR ", concat(
      [for code in lookup(alert, "codes", []) : "jsonPayload.code=~\"^${replace(code, "*", ".*")}$\""],
      [for field, limit in lookup(alert, "above", {}) : "jsonPayload.${field}>${limit}"],
    ))
  }
}

resource "google_logging_metric" "logged" {
  for_each    = local.logged
  project     = var.project
  name        = "salesync/${var.tenant}/${each.key}"
  description = each.value.summary
  filter      = "${local.lines} AND (${local.conditions[each.key]})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key         = "source"
      value_type  = "STRING"
      description = "The source that the line is about"
    }
  }
  label_extractors = { source = "EXTRACT(jsonPayload.source)" }
}

resource "google_monitoring_alert_policy" "logged" {
  for_each              = local.logged
  project               = var.project
  display_name          = "salesync ${var.tenant}: ${each.key}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.channels
  user_labels           = var.labels

  conditions {
    display_name = each.key
    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.logged[each.key].name}\" AND resource.type=\"cloud_run_revision\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name", "metric.label.source"]
      }
    }
  }
  alert_strategy {
    auto_close = local.closes_after
  }
  documentation {
    content = each.value.summary
  }
}

# One count for each run that succeeded: when it stays away, a source is no longer fresh.
resource "google_logging_metric" "succeeded" {
  project     = var.project
  name        = "salesync/${var.tenant}/runs-succeeded"
  description = "Runs that succeeded, by source"
  filter      = "${local.lines} AND jsonPayload.event=\"run_ended\" AND jsonPayload.status=\"succeeded\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    labels {
      key         = "source"
      value_type  = "STRING"
      description = "The source that was read"
    }
  }
  label_extractors = { source = "EXTRACT(jsonPayload.source)" }
}
