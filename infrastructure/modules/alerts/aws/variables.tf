variable "tenant" {
  description = "The tenant that the alarms are about."
  type        = string
}

variable "prefix" {
  description = "What the tenant's names begin with."
  type        = string
}

variable "region" {
  description = "Where the metrics are."
  type        = string
}

variable "functions" {
  description = "The tenant's functions by name: source, time limit, and how fresh its rows should be, at most 24 hours."
  type = map(object({
    source             = optional(string)
    time_limit_secs    = number
    fresh_within_hours = optional(number)
  }))
}

variable "log_group" {
  description = "The log group of the tenant's functions."
  type        = string
}

variable "waiting" {
  description = "The queues in which messages wait for a person: dead-letters, parked and undelivered."
  type        = map(string)
}

variable "topic" {
  description = "The SNS topic that is told."
  type        = string
}
