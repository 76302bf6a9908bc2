variable "tenant" {
  description = "The tenant's name, which is its dataset's too."
  type        = string
}

variable "prefix" {
  description = "What the tenant's names begin with."
  type        = string
}

variable "functions" {
  description = "The tenant's functions, as the catalogue has them."
  type = map(object({
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
  }))
}

variable "analysts" {
  description = "Who reads the resolved tables: `group:ADDRESS` or `user:ADDRESS`."
  type        = list(string)
}

variable "place" {
  description = "The project, its number, the region of the functions and the location of the datasets."
  type = object({
    project        = string
    project_number = string
    region         = string
    location       = string
  })
}

variable "image_registry" {
  description = "The registry and repository of the containers, without a slash at the end."
  type        = string
}

variable "release" {
  description = "The tag of the containers."
  type        = string
}

variable "channels" {
  description = "The notification channels of its alerts."
  type        = list(string)
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
