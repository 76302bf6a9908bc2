variable "tenants" {
  description = "The tenants by name, with what they say otherwise than sources.yaml; no sources means all of them."
  type = map(object({
    analysts = optional(list(string), [])
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
}
