# Asks the resolver every quarter of an hour whether it is there. The others are asked by their schedules; freshness tells when one is not.

resource "google_monitoring_uptime_check_config" "health" {
  project          = var.project
  display_name     = "salesync ${var.tenant}: health"
  period           = "900s"
  timeout          = "30s"
  selected_regions = ["EUROPE", "USA_OREGON", "USA_VIRGINIA"]

  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = var.project, host = var.uptime_of.host }
  }
  http_check {
    path         = "/health"
    port         = 443
    use_ssl      = true
    validate_ssl = true
    service_agent_authentication {
      type = "OIDC_TOKEN"
    }
  }
}

# Cloud Monitoring's own identity, which is there once there is a check that uses it.
resource "google_cloud_run_v2_service_iam_member" "uptime" {
  project    = var.project
  location   = var.region
  name       = var.uptime_of.service
  role       = "roles/run.invoker"
  member     = "serviceAccount:service-${var.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
  depends_on = [google_monitoring_uptime_check_config.health]
}

resource "google_monitoring_alert_policy" "health" {
  project               = var.project
  display_name          = "salesync ${var.tenant}: health"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.channels
  user_labels           = var.labels

  conditions {
    display_name = "the health check fails"
    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type=\"uptime_url\" AND metric.label.check_id=\"${google_monitoring_uptime_check_config.health.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "1800s"
      aggregations {
        alignment_period     = "1200s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }
  documentation {
    content = "GET /health of ${var.uptime_of.host} fails from two regions: see the function's log."
  }
}
