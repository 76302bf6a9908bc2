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
  description = "The AWS account's number and region, and BigQuery's location."
  type = object({
    account  = string
    region   = string
    location = string
  })
}

variable "package" {
  description = "The bucket with the packages, and the release: RELEASE/PROGRAM.zip."
  type = object({
    bucket  = string
    release = string
  })
}

variable "federation" {
  description = "The Google Cloud project with the warehouse, and the whole names of the pool and the provider that trust AWS."
  type = object({
    project  = string
    pool     = string
    provider = string
  })
}

variable "log_retention_days" {
  description = "How long log lines are kept."
  type        = number
}

variable "alert_topic" {
  description = "The SNS topic for alarms."
  type        = string
}

variable "labels" {
  description = "Labels of the datasets."
  type        = map(string)
}
