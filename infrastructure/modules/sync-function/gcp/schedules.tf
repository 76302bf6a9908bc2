resource "google_cloud_scheduler_job" "schedule" {
  for_each         = var.function.schedules
  project          = var.project
  region           = var.region
  name             = each.key
  description      = "salesync ${var.tenant}: POST ${each.value.path} of ${var.name}"
  schedule         = each.value.cron
  time_zone        = "Etc/UTC"
  attempt_deadline = "${var.function.time_limit_secs + 30}s"

  retry_config {
    retry_count          = 1
    min_backoff_duration = "60s"
  }

  http_target {
    http_method = "POST"
    uri         = "${local.url}${each.value.path}"
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(each.value.body)

    oidc_token {
      service_account_email = var.trigger
      audience              = local.url
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.trigger]
}
