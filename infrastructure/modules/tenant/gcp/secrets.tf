# The containers of logins. What is in them is added by hand and never comes near Terraform, its variables or its state.

resource "google_secret_manager_secret" "login" {
  for_each  = local.secrets
  project   = var.place.project
  secret_id = "salesync-${var.tenant}-${each.value}"
  labels    = var.labels

  replication {
    user_managed {
      replicas {
        location = var.place.region
      }
    }
  }
}
