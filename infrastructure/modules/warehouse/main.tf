# A tenant's datasets in BigQuery, and who may do what in them. Each dataset states its whole access list, so what the
# project's viewers and editors would get by default is not there.
#
#   TENANT            all tables; its functions write
#   TENANT_staging    rows on their way, for a day at most; its functions write
#   TENANT_analysts   views of what analysts read; it may look into TENANT, so they need no access there

locals {
  staging_hours = 24

  analysts = [for member in var.analysts : {
    group = startswith(member, "group:") ? trimprefix(member, "group:") : null
    user  = startswith(member, "user:") ? trimprefix(member, "user:") : null
  }]
}

resource "google_bigquery_dataset" "tables" {
  project     = var.project
  dataset_id  = var.tenant
  location    = var.location
  description = "Sales data of the tenant ${var.tenant}: what the sources say, what is made of it, and the log of runs"
  labels      = var.labels

  access {
    role          = "OWNER"
    special_group = "projectOwners"
  }
  access {
    role          = "READER"
    user_by_email = google_service_account.publisher.email
  }
  access {
    dataset {
      target_types = ["VIEWS"]
      dataset {
        project_id = var.project
        dataset_id = google_bigquery_dataset.analysts.dataset_id
      }
    }
  }
  dynamic "access" {
    for_each = var.writers
    content {
      role          = "WRITER"
      user_by_email = access.value
    }
  }
}

resource "google_bigquery_dataset" "staging" {
  project                     = var.project
  dataset_id                  = "${var.tenant}_staging"
  location                    = var.location
  description                 = "Rows of the tenant ${var.tenant} on their way into its tables"
  default_table_expiration_ms = local.staging_hours * 60 * 60 * 1000
  labels                      = var.labels

  access {
    role          = "OWNER"
    special_group = "projectOwners"
  }
  dynamic "access" {
    for_each = var.writers
    content {
      role          = "WRITER"
      user_by_email = access.value
    }
  }
}

resource "google_bigquery_dataset" "analysts" {
  project     = var.project
  dataset_id  = "${var.tenant}_analysts"
  location    = var.location
  description = "What analysts of the tenant ${var.tenant} read: people, companies, interactions and deals, without the sources' own tables"
  labels      = var.labels

  access {
    role          = "OWNER"
    special_group = "projectOwners"
  }
  access {
    role          = "WRITER"
    user_by_email = google_service_account.publisher.email
  }
  dynamic "access" {
    for_each = local.analysts
    content {
      role           = "READER"
      group_by_email = access.value.group
      user_by_email  = access.value.user
    }
  }
}
