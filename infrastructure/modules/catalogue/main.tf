# What every tenant's functions are: sources.yaml and resolver.yaml, with what each tenant says otherwise. There are no
# resources here, so both clouds are sure to make the same.

locals {
  sources  = yamldecode(file("${path.module}/../../sources.yaml"))
  resolver = yamldecode(file("${path.module}/../../resolver.yaml"))

  # The first tenant's names are plain, those of the others begin with the tenant.
  prefixes = {
    for tenant in keys(var.tenants) : tenant => tenant == "sales" ? "" : "${replace(tenant, "_", "-")}-"
  }

  # What a tenant does not say is null, and stays as sources.yaml has it; one that names no sources has all of them.
  of_sources = {
    for tenant, its in var.tenants : tenant => {
      for name in its.sources == null ? keys(local.sources) : keys(its.sources) : name => merge(
        local.sources[name],
        { for key, value in try(its.sources[name], {}) : key => value if value != null },
        { settings = merge(local.sources[name].settings, its.settings, try(its.sources[name].settings, null)) },
      )
    }
  }

  sync_functions = {
    for tenant, sources in local.of_sources : tenant => {
      for name, source in sources : "${local.prefixes[tenant]}${name}-sync" => {
        program            = "${name}-sync"
        source             = name
        time_limit_secs    = source.time_limit_secs
        memory_mb          = source.memory_mb
        fresh_within_hours = source.fresh_within_hours
        secrets            = source.secrets
        settings           = source.settings
        schedules = {
          for mode in ["incremental", "full"] : "${local.prefixes[tenant]}${name}-${mode}-sync" => {
            cron  = source[mode]
            path  = "/v1/syncs"
            body  = jsonencode({ source = name, mode = mode })
            event = jsonencode({ sync = { source = name, mode = mode } })
          }
        }
      }
    }
  }

  # The resolver opens sources too, so it is told what they are told; what is said to it alone counts most.
  resolvers = {
    for tenant, sources in local.of_sources : tenant => {
      "${local.prefixes[tenant]}salesync" = {
        program            = "salesync"
        source             = null
        time_limit_secs    = coalesce(var.tenants[tenant].resolver.time_limit_secs, local.resolver.time_limit_secs)
        memory_mb          = coalesce(var.tenants[tenant].resolver.memory_mb, local.resolver.memory_mb)
        fresh_within_hours = null
        secrets            = merge([for source in values(sources) : source.secrets]...)
        settings = merge(concat(
          [for name in keys(sources) : local.sources[name].settings],
          [var.tenants[tenant].settings],
          [for name in keys(sources) : try(var.tenants[tenant].sources[name].settings, null)],
          [local.resolver.settings, var.tenants[tenant].resolver.settings],
        )...)
        schedules = {
          for name, schedule in local.resolver.schedules : "${local.prefixes[tenant]}${name}" => {
            cron  = coalesce(var.tenants[tenant].resolver.schedule, schedule.cron)
            path  = "/v1/${schedule.command}"
            body  = jsonencode({})
            event = jsonencode({ (schedule.command) = {} })
          }
        }
      }
    }
  }

  functions = { for tenant in keys(var.tenants) : tenant => merge(local.sync_functions[tenant], local.resolvers[tenant]) }

  all   = merge(values(local.functions)...)
  crons = [for schedule in merge([for function in values(local.all) : function.schedules]...) : schedule.cron]

  # What is a secret, and would lie open in Terraform's state and in the function's description.
  secret_settings = "^(SALESYNC_SECRET_.*|SALESYNC_TRIGGER_SECRET|OTEL_EXPORTER_OTLP_HEADERS)$"

  # A list of numbers, ranges or names with an optional step, for each of the five fields.
  number = { minute = "[0-5]?[0-9]", hour = "([01]?[0-9]|2[0-3])", day = "([12]?[0-9]|3[01])", month = "(1[0-2]|[1-9])", weekday = "(SUN|MON|TUE|WED|THU|FRI|SAT)" }
  field  = { for name, one in local.number : name => "(\\*(/[0-9]+)?|${one}(-${one})?(,${one}(-${one})?)*)" }
  cron   = "^${local.field.minute} ${local.field.hour} ${local.field.day} ${local.field.month} ${local.field.weekday}$"
}
