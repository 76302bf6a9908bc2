variable "name" {
  description = "The function's name."
  type        = string
}

variable "tenant" {
  description = "Whose function it is."
  type        = string
}

variable "function" {
  description = "What the catalogue says of it."
  type = object({
    program            = string
    source             = optional(string)
    time_limit_secs    = number
    memory_mb          = number
    fresh_within_hours = optional(number)
    secrets            = map(string)
    settings           = map(string)
    schedules = map(object({
      cron  = string
      path  = string
      body  = string
      event = string
    }))
  })
}

variable "project" {
  description = "The project's id."
  type        = string
}

variable "project_number" {
  description = "The project's number."
  type        = string
}

variable "region" {
  description = "Where it runs."
  type        = string
}

variable "image" {
  description = "The container that it runs."
  type        = string
}

variable "settings" {
  description = "The settings that all functions of the tenant have."
  type        = map(string)
}

variable "trigger" {
  description = "The address of the service account that schedules and continuations call as."
  type        = string
}

variable "secrets" {
  description = "The ids of the tenant's secrets, by the login's name."
  type        = map(string)
}

variable "topics" {
  description = "The topics that it may publish to, by what they are for."
  type        = map(string)
}

variable "undelivered_topic" {
  description = "The topic for continuations that could not be delivered."
  type        = string
}

variable "otlp_headers_secret" {
  description = "The secret with OTEL_EXPORTER_OTLP_HEADERS, which is there and has a version; null where the collector asks for none."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of its resources."
  type        = map(string)
}
