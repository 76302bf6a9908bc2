variable "tenants" {
  description = "The tenants by name, with what they say otherwise than sources.yaml and resolver.yaml; no sources means all of them."
  type = map(object({
    analysts = optional(list(string), [])
    settings = optional(map(string), {})
    resolver = optional(object({
      schedule        = optional(string)
      time_limit_secs = optional(number)
      memory_mb       = optional(number)
      settings        = optional(map(string), {})
    }), {})
    sources = optional(map(object({
      incremental        = optional(string)
      full               = optional(string)
      time_limit_secs    = optional(number)
      memory_mb          = optional(number)
      fresh_within_hours = optional(number)
      secrets            = optional(map(string))
      settings           = optional(map(string))
    })))
  }))

  validation {
    condition     = alltrue([for tenant in keys(var.tenants) : can(regex("^[a-z][a-z0-9_]{1,12}$", tenant))])
    error_message = "A tenant is 2 to 13 lower-case letters, digits and _, beginning with a letter: it is part of names that may be 30 long."
  }
  validation {
    condition     = alltrue([for tenant in keys(var.tenants) : !can(regex("_(staging|analysts)$", tenant))])
    error_message = "A tenant does not end in _staging or _analysts: so end the datasets that stand beside another tenant's."
  }
}
