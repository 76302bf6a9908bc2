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

variable "account" {
  description = "The AWS account's number."
  type        = string
}

variable "package" {
  description = "The bucket with the packages, and the release: RELEASE/PROGRAM.zip."
  type = object({
    bucket  = string
    release = string
  })
}

variable "settings" {
  description = "The settings that all functions of the tenant have."
  type        = map(string)
}

variable "federation" {
  description = "The Google Cloud project with the warehouse, and the whole names of the pool and the provider that trust AWS."
  type = object({
    project  = string
    pool     = string
    provider = string
  })
}

variable "scheduler" {
  description = "The tenant's group of schedules, and the role that starts functions."
  type = object({
    group = string
    role  = string
  })
}

variable "log_group" {
  description = "The tenant's log group."
  type = object({
    name = string
    arn  = string
  })
}

variable "secrets" {
  description = "The ARNs of the tenant's secrets, by the login's name."
  type        = map(string)
}

variable "sends_to" {
  description = "The ARNs of the queues that it sends to, by what they are for."
  type        = map(string)
}

variable "receives_from" {
  description = "The ARNs of the queues that it takes messages from, by what they are for."
  type        = map(string)
}

variable "undelivered_queue" {
  description = "The ARN of the queue for what could not be delivered."
  type        = string
}
