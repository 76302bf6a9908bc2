# One function on Cloud Run with an identity of its own. Only its tenant's trigger may call it, and only from inside the
# project: Cloud Scheduler and Pub/Sub.

locals {
  # Cloud Run's own address of a service, known before there is one, so that the service can be told its audience.
  url = "https://${var.name}-${var.project_number}.${var.region}.run.app"

  # Cloud Run gives no more than 4 GiB to one CPU, and 8 to two.
  cpu = var.function.memory_mb > 8192 ? 4 : var.function.memory_mb > 4096 ? 2 : 1

  settings = merge(var.settings, var.function.settings, {
    SALESYNC_DEADLINE_SECS    = var.function.time_limit_secs - 60
    SALESYNC_TRIGGER_AUDIENCE = local.url
    SALESYNC_TRIGGER_IDENTITY = var.trigger
    # Cloud Run lets only the trigger in, and takes the signature of its token away.
    SALESYNC_TRIGGER_SIGNATURE = "platform"
    }, local.continues ? {
    SALESYNC_CONTINUATION = "pubsub:${var.project}/${google_pubsub_topic.continuations[0].name}"
  } : {})
}

resource "google_service_account" "function" {
  project      = var.project
  account_id   = var.name
  display_name = "salesync ${var.tenant}: ${var.function.program}"
}

resource "google_cloud_run_v2_service" "function" {
  project             = var.project
  location            = var.region
  name                = var.name
  description         = "salesync ${var.tenant}: ${var.function.program}"
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  deletion_protection = false
  labels              = var.labels

  template {
    service_account = google_service_account.function.email
    timeout         = "${var.function.time_limit_secs}s"
    # One instance knows which triggers it has had and which source it is reading, and refuses them a second time.
    max_instance_request_concurrency = 8
    labels                           = var.labels

    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }

    containers {
      image = var.image

      resources {
        limits            = { cpu = tostring(local.cpu), memory = "${var.function.memory_mb}Mi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }
      dynamic "env" {
        for_each = local.settings
        content {
          name  = env.key
          value = env.value
        }
      }
      # A secret, so the service names it and the value is nowhere here.
      dynamic "env" {
        for_each = local.otlp_headers
        content {
          name = "OTEL_EXPORTER_OTLP_HEADERS"
          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
      startup_probe {
        period_seconds    = 1
        failure_threshold = 20
        http_get {
          path = "/live"
        }
      }
      liveness_probe {
        period_seconds = 30
        http_get {
          path = "/live"
        }
      }
    }
  }

  depends_on = [google_secret_manager_secret_iam_member.login, google_secret_manager_secret_iam_member.otlp_headers]
}

resource "google_cloud_run_v2_service_iam_member" "trigger" {
  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.function.name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${var.trigger}"
}
