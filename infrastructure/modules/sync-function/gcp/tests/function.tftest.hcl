# What one function on Cloud Run may do, and how it is told to run.

mock_provider "google" {}

variables {
  name           = "north-hubspot-sync"
  tenant         = "north"
  project        = "p"
  project_number = "42"
  region         = "europe-west3"
  image          = "registry/hubspot-sync:1"
  settings       = { SALESYNC_TENANT = "north" }
  trigger        = "trigger@p"
  secrets        = { hubspot = "salesync-north-hubspot" }
  topics         = { dead-letters = "north-dead-letters" }
  labels         = {}
  function = {
    program = "hubspot-sync", source = "hubspot", time_limit_secs = 540, memory_mb = 512, fresh_within_hours = 3
    secrets = { hubspot = "read" }, settings = { SALESYNC_LOG = "debug" }
    schedules = {
      north-hubspot-full-sync = { cron = "0 5 * * SUN", path = "/v1/syncs", body = "{\"source\":\"hubspot\"}", event = "" }
    }
  }
  undelivered_topic = "projects/p/topics/north-undelivered"
}

run "a_function_reads_its_login_and_adds_no_version" {
  assert {
    condition     = toset([for grant in google_secret_manager_secret_iam_member.login : "${grant.secret_id} ${grant.role}"]) == toset(["salesync-north-hubspot roles/secretmanager.secretAccessor", "salesync-north-hubspot roles/secretmanager.viewer"])
    error_message = "a login that is only read can be changed"
  }
  assert {
    condition     = google_project_iam_member.queries.role == "roles/bigquery.jobUser"
    error_message = "a function may do more in the project than run queries"
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.trigger.role == "roles/run.invoker" && google_cloud_run_v2_service_iam_member.trigger.member == "serviceAccount:trigger@p"
    error_message = "somebody else may call the function"
  }
}

run "a_login_that_the_vendor_renews_gets_new_versions" {
  variables {
    function = {
      program = "hubspot-sync", source = "hubspot", time_limit_secs = 540, memory_mb = 512
      secrets = { hubspot = "renew" }, settings = {}, schedules = {}
    }
  }
  assert {
    condition     = contains([for grant in google_secret_manager_secret_iam_member.login : grant.role], "roles/secretmanager.secretVersionManager")
    error_message = "a renewed refresh token can't be stored"
  }
}

run "a_run_stops_before_the_cloud_ends_it_and_checks_who_calls" {
  assert {
    condition = { for setting in google_cloud_run_v2_service.function.template[0].containers[0].env : setting.name => setting.value } == {
      SALESYNC_TENANT            = "north"
      SALESYNC_LOG               = "debug"
      SALESYNC_DEADLINE_SECS     = "480"
      SALESYNC_TRIGGER_AUDIENCE  = "https://north-hubspot-sync-42.europe-west3.run.app"
      SALESYNC_TRIGGER_IDENTITY  = "trigger@p"
      SALESYNC_TRIGGER_SIGNATURE = "platform"
      SALESYNC_CONTINUATION      = "pubsub:p/north-hubspot-sync-continuations"
    }
    error_message = "a setting is missing or wrong"
  }
  assert {
    condition     = google_cloud_run_v2_service.function.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY" && google_cloud_run_v2_service.function.template[0].timeout == "540s"
    error_message = "the function is open to the internet, or has another time limit"
  }
}

run "schedules_and_continuations_carry_the_triggers_identity" {
  assert {
    condition = alltrue([
      for schedule in google_cloud_scheduler_job.schedule : schedule.http_target[0].oidc_token[0].service_account_email == "trigger@p"
      && schedule.http_target[0].uri == "https://north-hubspot-sync-42.europe-west3.run.app/v1/syncs"
    ])
    error_message = "a schedule calls without an identity, or elsewhere"
  }
  assert {
    condition = alltrue([
      for subscription in google_pubsub_subscription.continuations : subscription.push_config[0].oidc_token[0].audience == "https://north-hubspot-sync-42.europe-west3.run.app"
      && subscription.dead_letter_policy[0].dead_letter_topic == "projects/p/topics/north-undelivered"
    ])
    error_message = "a continuation is delivered without an identity, or is lost when it can't be delivered"
  }
}

run "headers_for_a_collector_are_named_and_not_said" {
  variables {
    otlp_headers_secret = "otlp-headers"
  }
  assert {
    condition = [for setting in google_cloud_run_v2_service.function.template[0].containers[0].env : [setting.value, setting.value_source[0].secret_key_ref[0].secret]
    if setting.name == "OTEL_EXPORTER_OTLP_HEADERS"][0][1] == "otlp-headers"
    error_message = "the function is not given the headers, or not out of the secret"
  }
  assert {
    condition     = [for grant in google_secret_manager_secret_iam_member.otlp_headers : "${grant.secret_id} ${grant.role}"] == ["otlp-headers roles/secretmanager.secretAccessor"]
    error_message = "the function may not read the headers, or may do more"
  }
}
