output "functions" {
  description = "For each tenant its functions by name: program, limits, secrets, settings and schedules."
  value       = local.functions

  precondition {
    condition     = alltrue([for cron in local.crons : can(regex(local.cron, cron))])
    error_message = "A schedule is not `minute hour day month weekday`: ${join(" | ", [for cron in local.crons : cron if !can(regex(local.cron, cron))])}."
  }
  precondition {
    condition     = alltrue([for cron in local.crons : split(" ", "${cron} * * * *")[2] == "*" || split(" ", "${cron} * * * *")[4] == "*"])
    error_message = "A schedule names a day and a weekday; one cloud can't carry both."
  }
  precondition {
    condition     = alltrue([for function in values(local.all) : function.source == null || (function.time_limit_secs >= 120 && function.time_limit_secs <= 600)])
    error_message = "time_limit_secs of a source is 120 to 600: a continuation is acknowledged when its run has ended, and a message waits ten minutes at most."
  }
  precondition {
    condition     = alltrue([for function in values(local.all) : function.source != null || (function.time_limit_secs >= 120 && function.time_limit_secs <= 900)])
    error_message = "time_limit_secs of the resolver is 120 to 900: no run of Lambda is longer."
  }
  precondition {
    condition     = alltrue([for function in values(local.all) : function.memory_mb >= 512 && function.memory_mb <= 10240])
    error_message = "memory_mb is 512 to 10240: Cloud Run gives no less, and Lambda no more."
  }
  precondition {
    condition     = alltrue([for function in values(local.all) : function.fresh_within_hours >= 1 && function.fresh_within_hours <= 24 if function.source != null])
    error_message = "fresh_within_hours is 1 to 24: an alert looks back a day at most."
  }
  precondition {
    condition     = alltrue(flatten([for function in values(local.all) : [for name in keys(function.settings) : !can(regex(local.secret_settings, name))]]))
    error_message = "A setting is a secret and would be in Terraform's state: README.md says where it goes."
  }
  precondition {
    condition     = alltrue([for function in values(local.all) : function.source == null || !contains(keys(function.settings), "SALESYNC_SOURCE_RANK")])
    error_message = "SALESYNC_SOURCE_RANK is a setting of the resolver alone: a source's own program knows no other source to rank."
  }
  precondition {
    condition     = alltrue(flatten([for function in values(local.all) : [for access in values(function.secrets) : contains(["read", "renew"], access)]]))
    error_message = "The access to a secret is `read` or `renew`."
  }
}

output "prefixes" {
  description = "For each tenant what its names begin with."
  value       = local.prefixes
}
