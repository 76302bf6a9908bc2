# Three topics, each with a subscription TOPIC-pull from which messages are read:
#
#   dead-letters    records that were set aside, on their way to a redrive; one that was delivered a hundred times and
#                   never settled goes to undelivered: the warehouse counts failures
#   notifications   what a person should know; read by whatever the operator connects
#   undelivered     messages that nobody could take, kept for a month

locals {
  topics      = toset(["dead-letters", "notifications", "undelivered"])
  pubsub_self = "serviceAccount:service-${var.place.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "topic" {
  for_each = local.topics
  project  = var.place.project
  name     = "${var.prefix}${each.value}"
  labels   = var.labels

  message_storage_policy {
    allowed_persistence_regions = [var.place.region]
  }
}

resource "google_pubsub_subscription" "subscription" {
  for_each                   = local.topics
  project                    = var.place.project
  name                       = "${var.prefix}${each.value}-pull"
  topic                      = google_pubsub_topic.topic[each.value].id
  ack_deadline_seconds       = 600
  message_retention_duration = "2678400s"
  labels                     = var.labels

  dynamic "dead_letter_policy" {
    for_each = each.value == "dead-letters" ? [google_pubsub_topic.topic["undelivered"].id] : []
    content {
      dead_letter_topic     = dead_letter_policy.value
      max_delivery_attempts = 100
    }
  }
  expiration_policy {
    ttl = ""
  }
}

# The resolver reads dead letters when it is told to redrive them.
resource "google_pubsub_subscription_iam_member" "redrives" {
  project      = var.place.project
  subscription = google_pubsub_subscription.subscription["dead-letters"].name
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:${module.function[local.resolver].identity}"
}

# Pub/Sub itself moves a message: it publishes to the one topic and takes it off the other's subscription.
resource "google_pubsub_topic_iam_member" "moves" {
  project = var.place.project
  topic   = google_pubsub_topic.topic["undelivered"].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_self
}

resource "google_pubsub_subscription_iam_member" "moves" {
  project      = var.place.project
  subscription = google_pubsub_subscription.subscription["dead-letters"].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_self
}
