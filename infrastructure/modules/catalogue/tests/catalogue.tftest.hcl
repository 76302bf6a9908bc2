# What the catalogue makes of sources.yaml and of what tenants say.

run "sources_yaml_alone_gives_every_function_and_schedule" {
  command = plan
  variables {
    tenants = { sales = {} }
  }
  assert {
    condition     = toset(keys(output.functions.sales)) == toset(concat([for source in keys(yamldecode(file("../../sources.yaml"))) : "${source}-sync"], ["salesync"]))
    error_message = "a function is missing or not from sources.yaml"
  }
  assert {
    condition = toset(flatten([for function in output.functions.sales : keys(function.schedules)])) == toset(concat(
      ["entity-resolution"],
      flatten([for source in keys(yamldecode(file("../../sources.yaml"))) : ["${source}-full-sync", "${source}-incremental-sync"]]),
    ))
    error_message = "a schedule is missing, or is not called as the documentation says"
  }
  assert {
    condition     = jsondecode(output.functions.sales["hubspot-sync"].schedules["hubspot-full-sync"].event) == { sync = { source = "hubspot", mode = "full" } }
    error_message = "an event is a command"
  }
}

run "a_tenant_has_its_own_names_schedules_limits_and_settings" {
  command = plan
  variables {
    tenants = {
      sales = {}
      north = { sources = { hubspot = {
        incremental = "30 * * * *", memory_mb = 2048, settings = { SALESYNC_HUBSPOT_BASE_URL = "https://api.hubapi.example" }
      } } }
    }
  }
  assert {
    condition     = sort(keys(output.functions.north)) == tolist(["north-hubspot-sync", "north-salesync"])
    error_message = "a tenant has the functions of the sources that it names"
  }
  assert {
    condition     = output.functions.north["north-hubspot-sync"].schedules["north-hubspot-incremental-sync"].cron == "30 * * * *" && output.functions.sales["hubspot-sync"].schedules["hubspot-incremental-sync"].cron != "30 * * * *"
    error_message = "one tenant's schedule is nobody else's"
  }
  assert {
    condition     = output.functions.north["north-hubspot-sync"].memory_mb == 2048 && output.functions.north["north-hubspot-sync"].time_limit_secs == 540
    error_message = "what a tenant does not say is as in sources.yaml"
  }
  assert {
    condition     = keys(output.functions.north["north-salesync"].secrets) == ["hubspot"]
    error_message = "the resolver has the logins of its tenant's sources alone"
  }
}

run "a_nonsense_schedule_is_refused" {
  command = plan
  variables {
    tenants = { sales = { sources = { gmail = { incremental = "every now and then" } } } }
  }
  expect_failures = [output.functions]
}

run "a_day_with_a_weekday_is_refused" {
  command = plan
  variables {
    tenants = { sales = { sources = { gmail = { full = "0 3 1 * SUN" } } } }
  }
  expect_failures = [output.functions]
}

run "a_limit_that_a_message_can_not_wait_for_is_refused" {
  command = plan
  variables {
    tenants = { sales = { sources = { gmail = { time_limit_secs = 900 } } } }
  }
  expect_failures = [output.functions]
}

run "the_name_of_a_tenant_is_checked" {
  command = plan
  variables {
    tenants = { "North Pole" = {} }
  }
  expect_failures = [var.tenants]
}

run "settings_of_a_tenant_are_those_of_all_its_functions" {
  command = plan
  variables {
    tenants = {
      sales = {
        settings = { OTEL_EXPORTER_OTLP_ENDPOINT = "https://otlp.example.com", SALESYNC_BIGQUERY_LOAD = "jobs" }
        sources  = { gmail = { settings = { SALESYNC_BIGQUERY_LOAD = "stream" } }, hubspot = {} }
        resolver = { schedule = "45 * * * *", memory_mb = 2048, settings = { SALESYNC_SOURCE_RANK = "hubspot" } }
      }
      north = {}
    }
  }
  assert {
    condition     = toset([for function in output.functions.sales : function.settings["OTEL_EXPORTER_OTLP_ENDPOINT"]]) == toset(["https://otlp.example.com"])
    error_message = "a function is not told what all are told"
  }
  assert {
    condition     = output.functions.sales["gmail-sync"].settings["SALESYNC_BIGQUERY_LOAD"] == "stream" && output.functions.sales["hubspot-sync"].settings["SALESYNC_BIGQUERY_LOAD"] == "jobs"
    error_message = "what is said to one function does not count more than what is said to all"
  }
  assert {
    condition = (output.functions.sales["salesync"].settings["SALESYNC_SOURCE_RANK"] == "hubspot" && output.functions.sales["salesync"].memory_mb == 2048
    && output.functions.sales["salesync"].time_limit_secs == 840 && output.functions.sales["salesync"].schedules["entity-resolution"].cron == "45 * * * *")
    error_message = "the resolver has not what its tenant says, or not the rest of resolver.yaml"
  }
  assert {
    condition     = output.functions.north["north-salesync"].memory_mb == 4096 && !can(output.functions.north["north-gmail-sync"].settings["OTEL_EXPORTER_OTLP_ENDPOINT"])
    error_message = "one tenant's settings are another's"
  }
}

run "a_secret_is_no_setting" {
  command = plan
  variables {
    tenants = { sales = { settings = { OTEL_EXPORTER_OTLP_HEADERS = "authorization=x" } } }
  }
  expect_failures = [output.functions]
}

run "a_source_ranks_no_sources" {
  command = plan
  variables {
    tenants = { sales = { settings = { SALESYNC_SOURCE_RANK = "hubspot" } } }
  }
  expect_failures = [output.functions]
}

run "an_alert_looks_back_a_day_at_most" {
  command = plan
  variables {
    tenants = { sales = { sources = { gmail = { fresh_within_hours = 48 } } } }
  }
  expect_failures = [output.functions]
}

run "the_resolver_ends_before_lambda_does" {
  command = plan
  variables {
    tenants = { sales = { resolver = { time_limit_secs = 1200 } } }
  }
  expect_failures = [output.functions]
}

run "a_tenant_is_not_called_like_a_dataset_beside_another" {
  command = plan
  variables {
    tenants = { sales = {}, sales_staging = {} }
  }
  expect_failures = [var.tenants]
}

run "memory_that_no_cloud_gives_is_refused" {
  command = plan
  variables {
    tenants = { sales = { resolver = { memory_mb = 16384 } } }
  }
  expect_failures = [output.functions]
}
