# Who may read and write a tenant's datasets.

mock_provider "google" {}

variables {
  project  = "p"
  location = "EU"
  tenant   = "sales"
  prefix   = ""
  writers  = { gmail-sync = "gmail@p", hubspot-sync = "hubspot@p" }
  analysts = ["group:analysts@example.com", "user:ada@example.com"]
  labels   = {}
}

run "analysts_read_the_views_and_nothing_else" {
  assert {
    condition     = length([for access in google_bigquery_dataset.tables.access : access if access.group_by_email != null || access.user_by_email == "ada@example.com"]) == 0
    error_message = "an analyst is on the list of the tables' dataset"
  }
  assert {
    condition     = length([for access in google_bigquery_dataset.staging.access : access if access.role == "READER"]) == 0
    error_message = "somebody reads the staging tables"
  }
  assert {
    condition     = sort([for access in google_bigquery_dataset.analysts.access : coalesce(access.group_by_email, access.user_by_email) if access.role == "READER"]) == tolist(["ada@example.com", "analysts@example.com"])
    error_message = "the readers of the views are not the analysts"
  }
}

run "only_the_functions_write_and_nobody_has_a_default" {
  assert {
    condition     = sort([for access in google_bigquery_dataset.tables.access : access.user_by_email if access.role == "WRITER"]) == tolist(["gmail@p", "hubspot@p"])
    error_message = "the writers are not the tenant's functions"
  }
  assert {
    condition = alltrue([
      for access in concat(tolist(google_bigquery_dataset.tables.access), tolist(google_bigquery_dataset.staging.access), tolist(google_bigquery_dataset.analysts.access)) :
      access.special_group == null || (access.special_group == "projectOwners" && access.role == "OWNER")
    ])
    error_message = "the project's readers or writers reach a dataset"
  }
}

run "staging_tables_end_after_a_day" {
  assert {
    condition     = google_bigquery_dataset.staging.default_table_expiration_ms == 86400000 && google_bigquery_dataset.tables.default_table_expiration_ms == null
    error_message = "staging tables stay, or tables end"
  }
}

run "everybody_is_not_an_analyst" {
  command = plan
  variables {
    analysts = ["allAuthenticatedUsers"]
  }
  expect_failures = [var.analysts]
}
