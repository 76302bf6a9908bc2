# The views for analysts. The functions make their tables when they first need them, so at the time of `terraform apply`
# there may be none: a query makes the views of those that are there by now, once a day and whenever it is started.

locals {
  for_analysts = [
    "account_overview", "companies", "data_freshness", "deals", "entity_history", "entity_records", "interaction_parties",
    "interactions", "match_evidence", "match_overrides", "match_rates", "match_review", "people", "person_timeline",
  ]
}

resource "google_service_account" "publisher" {
  project      = var.project
  account_id   = "${var.prefix}publisher"
  display_name = "salesync ${var.tenant}: makes the analysts' views"
}

resource "google_project_iam_member" "publisher" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.publisher.member
}

resource "google_bigquery_data_transfer_config" "publisher" {
  project              = var.project
  location             = var.location
  display_name         = "${var.prefix}analysts-views"
  data_source_id       = "scheduled_query"
  schedule             = "every day 06:00"
  service_account_name = google_service_account.publisher.email
  params = {
    query = templatefile("${path.module}/views.sql", {
      tables   = "${var.project}.${google_bigquery_dataset.tables.dataset_id}"
      analysts = "${var.project}.${google_bigquery_dataset.analysts.dataset_id}"
      names    = join(", ", [for name in local.for_analysts : "'${name}'"])
    })
  }
  depends_on = [google_project_iam_member.publisher]
}
