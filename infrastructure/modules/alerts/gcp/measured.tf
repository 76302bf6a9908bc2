# Alerts on what Google Cloud measures by itself, which no failure inside a function can silence.

locals {
  closes_after = "86400s"

  of_services = "resource.type=\"cloud_run_revision\" AND resource.label.service_name=monitoring.regex.full_match(\"${join("|", keys(var.functions))}\")"
  requests    = "metric.type=\"run.googleapis.com/request_count\" AND ${local.of_services}"
  failures    = "${local.requests} AND metric.label.response_code_class=\"5xx\""
  queued      = "resource.type=\"pubsub_subscription\" AND resource.label.subscription_id"

  sources = { for name, function in var.functions : name => function if function.source != null }

  # Each is a threshold on one filter: `above` or `below` the number, over so many seconds. `share_of` makes it a ratio,
  # `by` one for each function.
  measured = merge(
    {
      executions-failed = {
        summary  = "An execution failed. Its log lines carry the code: docs/errors.md says what to do."
        severity = "ERROR", filter = local.failures, share_of = null, above = 0, over_secs = 600
        align    = "ALIGN_DELTA", by = ["resource.label.service_name"], missing = "EVALUATION_MISSING_DATA_INACTIVE"
      }
      error-rate = {
        summary  = "More than 5 % of an hour's executions of a function failed."
        severity = "CRITICAL", filter = local.failures, share_of = local.requests, above = 0.05, over_secs = 3600
        align    = "ALIGN_DELTA", by = ["resource.label.service_name"], missing = "EVALUATION_MISSING_DATA_INACTIVE"
      }
      dead-letter-age = {
        summary  = "A dead letter waits for more than a day. Look at it, mend the cause and redrive it: docs/runbooks/redrive.md."
        severity = "WARNING", share_of = null, above = 86400, over_secs = 600
        filter   = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND ${local.queued}=\"${var.waiting["dead-letters"]}\""
        align    = "ALIGN_MAX", by = [], missing = "EVALUATION_MISSING_DATA_INACTIVE"
      }
      undelivered = {
        summary  = "A continuation could not be delivered in ten attempts, or a dead letter was received a hundred times and never settled, and waits in the topic for undelivered messages: docs/runbooks/redrive.md."
        severity = "ERROR", share_of = null, above = 0, over_secs = 600
        filter   = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND ${local.queued}=\"${var.waiting["undelivered"]}\""
        align    = "ALIGN_MAX", by = [], missing = "EVALUATION_MISSING_DATA_INACTIVE"
      }
    },
    {
      for name, function in var.functions : "${name}-near-time-limit" => {
        summary  = "A run of ${name} took more than 95 % of its ${function.time_limit_secs} seconds: it did not stop at its own deadline. Raise the limit, or report it with the run's id."
        severity = "WARNING", share_of = null, above = function.time_limit_secs * 950, over_secs = 600
        filter   = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.label.service_name=\"${name}\""
        align    = "ALIGN_PERCENTILE_99", by = [], missing = "EVALUATION_MISSING_DATA_INACTIVE"
      }
    },
    {
      for name, function in local.sources : "${function.source}-freshness" => {
        summary  = "No sync of ${function.source} has succeeded for ${function.fresh_within_hours} hours. See the last runs and their codes in etl_runs."
        severity = "CRITICAL", share_of = null, below = 1, over_secs = function.fresh_within_hours * 3600
        filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.succeeded.name}\" AND resource.type=\"cloud_run_revision\" AND metric.label.source=\"${function.source}\""
        align    = "ALIGN_DELTA", by = [], missing = "EVALUATION_MISSING_DATA_ACTIVE"
      }
    },
  )
}

resource "google_monitoring_alert_policy" "measured" {
  for_each              = local.measured
  project               = var.project
  display_name          = "salesync ${var.tenant}: ${each.key}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.channels
  user_labels           = var.labels

  conditions {
    display_name = each.key
    condition_threshold {
      filter                  = each.value.filter
      denominator_filter      = each.value.share_of
      comparison              = can(each.value.below) ? "COMPARISON_LT" : "COMPARISON_GT"
      threshold_value         = try(each.value.below, each.value.above)
      duration                = "60s"
      evaluation_missing_data = each.value.missing
      aggregations {
        alignment_period     = "${each.value.over_secs}s"
        per_series_aligner   = each.value.align
        cross_series_reducer = each.value.align == "ALIGN_DELTA" ? "REDUCE_SUM" : "REDUCE_MAX"
        group_by_fields      = each.value.by
      }
      dynamic "denominator_aggregations" {
        for_each = each.value.share_of == null ? [] : [each.value.over_secs]
        content {
          alignment_period     = "${denominator_aggregations.value}s"
          per_series_aligner   = "ALIGN_DELTA"
          cross_series_reducer = "REDUCE_SUM"
          group_by_fields      = each.value.by
        }
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
