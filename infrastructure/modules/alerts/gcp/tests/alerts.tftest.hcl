# What the alerts on Google Cloud look at.

mock_provider "google" {}

variables {
  project        = "p"
  tenant         = "north"
  uptime_of      = { service = "north-salesync", host = "north-salesync-42.europe-west3.run.app" }
  project_number = "42"
  region         = "europe-west3"
  waiting        = { dead-letters = "north-dead-letters", undelivered = "north-undelivered" }
  channels       = ["channel"]
  labels         = {}
  functions = {
    north-hubspot-sync = { source = "hubspot", time_limit_secs = 540, fresh_within_hours = 6 }
    north-salesync     = { time_limit_secs = 840 }
  }
}

run "lines_are_counted_by_code_and_by_number" {
  assert {
    condition     = google_logging_metric.logged["bigquery-failures"].filter == "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^(north-hubspot-sync|north-salesync)$\" AND (jsonPayload.code=~\"^ERR_STORE_.*$\")"
    error_message = "failures of the warehouse are not counted"
  }
  assert {
    condition     = endswith(google_logging_metric.logged["ledger-gap"].filter, " AND (jsonPayload.gap_records>0)")
    error_message = "gaps are not counted"
  }
}

run "every_alert_is_there_and_tells_somebody" {
  assert {
    condition = output.policies == tolist(sort(concat(keys(yamldecode(file("../../../alerts.yaml"))), [
      "dead-letter-age", "error-rate", "executions-failed", "health", "hubspot-freshness", "north-hubspot-sync-near-time-limit", "north-salesync-near-time-limit", "undelivered",
    ])))
    error_message = "an alert is missing"
  }
  assert {
    condition     = alltrue([for policy in concat(values(google_monitoring_alert_policy.logged), values(google_monitoring_alert_policy.measured), [google_monitoring_alert_policy.health]) : policy.notification_channels == tolist(["channel"])])
    error_message = "an alert tells nobody"
  }
  assert {
    condition     = google_monitoring_alert_policy.measured["hubspot-freshness"].conditions[0].condition_threshold[0].comparison == "COMPARISON_LT" && google_monitoring_alert_policy.measured["hubspot-freshness"].conditions[0].condition_threshold[0].aggregations[0].alignment_period == "21600s"
    error_message = "freshness is not told after six hours without a run that succeeded"
  }
  assert {
    condition     = google_monitoring_alert_policy.measured["north-salesync-near-time-limit"].conditions[0].condition_threshold[0].threshold_value == 798000
    error_message = "95 % of 840 seconds are 798,000 milliseconds"
  }
}

run "the_dashboard_is_a_document" {
  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.tenant.dashboard_json).mosaicLayout.tiles) == 7
    error_message = "a chart is missing"
  }
}
