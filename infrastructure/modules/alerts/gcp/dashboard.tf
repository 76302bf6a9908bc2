locals {
  charts = {
    "Executions"                         = { filters = [local.requests], align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["resource.label.service_name", "metric.label.response_code_class"] }
    "Longest run (ms)"                   = { filters = ["metric.type=\"run.googleapis.com/request_latencies\" AND ${local.of_services}"], align = "ALIGN_PERCENTILE_99", reduce = "REDUCE_MAX", by = ["resource.label.service_name"] }
    "Runs that succeeded"                = { filters = ["metric.type=\"logging.googleapis.com/user/${google_logging_metric.succeeded.name}\" AND resource.type=\"cloud_run_revision\""], align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["metric.label.source"] }
    "Memory used (share)"                = { filters = ["metric.type=\"run.googleapis.com/container/memory/utilizations\" AND ${local.of_services}"], align = "ALIGN_PERCENTILE_99", reduce = "REDUCE_MAX", by = ["resource.label.service_name"] }
    "Age of the oldest message (s)"      = { filters = ["metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND ${local.queued}=monitoring.regex.full_match(\"${join("|", values(var.waiting))}\")"], align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = ["resource.label.subscription_id"] }
    "Bytes billed by BigQuery (project)" = { filters = ["metric.type=\"bigquery.googleapis.com/query/scanned_bytes_billed\" AND resource.type=\"global\""], align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = [] }
    "Log lines that alert" = {
      filters = [for metric in google_logging_metric.logged : "metric.type=\"logging.googleapis.com/user/${metric.name}\" AND resource.type=\"cloud_run_revision\""]
      align   = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["metric.label.source"]
    }
  }
  titles = keys(local.charts)
}

resource "google_monitoring_dashboard" "tenant" {
  project = var.project
  dashboard_json = jsonencode({
    displayName = "salesync ${var.tenant}"
    mosaicLayout = {
      columns = 48
      tiles = [for at, title in local.titles : {
        xPos   = at % 2 * 24
        yPos   = floor(at / 2) * 16
        width  = 24
        height = 16
        widget = {
          title = title
          xyChart = { dataSets = [for filter in local.charts[title].filters : {
            plotType = "LINE"
            timeSeriesQuery = { timeSeriesFilter = {
              filter = filter
              aggregation = {
                alignmentPeriod    = "900s"
                perSeriesAligner   = local.charts[title].align
                crossSeriesReducer = local.charts[title].reduce
                groupByFields      = local.charts[title].by
              }
            } }
          }] }
        }
      }]
    }
  })
}
