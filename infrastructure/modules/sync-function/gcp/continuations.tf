# A sync that its time limit ends publishes a message, and the message starts the next run: POST /v1/continuations. What
# can't be delivered in ten attempts goes to the tenant's topic for undelivered messages.

locals {
  continues = var.function.source != null
}

resource "google_pubsub_topic" "continuations" {
  count   = local.continues ? 1 : 0
  project = var.project
  name    = "${var.name}-continuations"
  labels  = var.labels

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic_iam_member" "continues" {
  count   = local.continues ? 1 : 0
  project = var.project
  topic   = google_pubsub_topic.continuations[0].name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.function.member
}

resource "google_pubsub_subscription" "continuations" {
  count                = local.continues ? 1 : 0
  project              = var.project
  name                 = "${var.name}-continuations"
  topic                = google_pubsub_topic.continuations[0].id
  ack_deadline_seconds = var.function.time_limit_secs
  labels               = var.labels

  push_config {
    push_endpoint = "${local.url}/v1/continuations"

    oidc_token {
      service_account_email = var.trigger
      audience              = local.url
    }
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = var.undelivered_topic
    max_delivery_attempts = 10
  }
  expiration_policy {
    ttl = ""
  }

  depends_on = [google_cloud_run_v2_service_iam_member.trigger]
}

# Pub/Sub itself takes a message off the subscription when it moves it to the other topic.
resource "google_pubsub_subscription_iam_member" "undelivered" {
  count        = local.continues ? 1 : 0
  project      = var.project
  subscription = google_pubsub_subscription.continuations[0].name
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}
