variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the functions run, such as europe-west3."
  type        = string
}

variable "location" {
  description = "Where BigQuery keeps the datasets, such as EU or europe-west3; it can't be changed later."
  type        = string
}

variable "environment" {
  description = "What the deployment is for, such as staging or production: a label of everything in it."
  type        = string
}

variable "image_registry" {
  description = "The registry and repository of the containers: output `image_registry` of foundation/gcp."
  type        = string
}

variable "release" {
  description = "The tag of the containers that run."
  type        = string
}

variable "alert_emails" {
  description = "Who is told of alerts."
  type        = list(string)
  default     = []
}

variable "tenants" {
  description = "The tenants by name: who analyses, settings of all their functions, the secret with the headers for a collector, and what they want otherwise than sources.yaml and resolver.yaml. Without `sources` a tenant has them all."
  type = map(object({
    analysts            = optional(list(string), [])
    settings            = optional(map(string), {})
    otlp_headers_secret = optional(string)
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
}
