variable "project" {
  description = "The project's id."
  type        = string
}

variable "project_number" {
  description = "The project's number."
  type        = string
}

variable "region" {
  description = "Where the functions run."
  type        = string
}

variable "tenant" {
  description = "The tenant that the alerts are about."
  type        = string
}

variable "functions" {
  description = "The tenant's functions by name: source, time limit, and how fresh its rows should be."
  type = map(object({
    source             = optional(string)
    time_limit_secs    = number
    fresh_within_hours = optional(number)
  }))
}

variable "uptime_of" {
  description = "The function whose health is asked for: the service's name and its host."
  type = object({
    service = string
    host    = string
  })
}

variable "waiting" {
  description = "The subscriptions in which messages wait for a person: dead-letters and undelivered."
  type        = map(string)
}

variable "channels" {
  description = "The notification channels."
  type        = list(string)
}

variable "labels" {
  description = "Labels of the policies."
  type        = map(string)
}
