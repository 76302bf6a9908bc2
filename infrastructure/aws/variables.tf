variable "account" {
  description = "The AWS account's number; nothing is made in another."
  type        = string
}

variable "region" {
  description = "Where the functions run, such as eu-central-1."
  type        = string
}

variable "project" {
  description = "The Google Cloud project with the warehouse."
  type        = string
}

variable "location" {
  description = "Where BigQuery keeps the datasets, such as EU or europe-west3; it can't be changed later."
  type        = string
}

variable "environment" {
  description = "What the deployment is for, such as staging or production: a tag of everything in it."
  type        = string
}

variable "package_bucket" {
  description = "The bucket with the packages: output `package_bucket` of foundation/aws."
  type        = string
}

variable "release" {
  description = "The folder in that bucket with the packages that run: RELEASE/gmail-sync.zip and so on."
  type        = string
}

variable "log_retention_days" {
  description = "How long log lines are kept; they hold no record content."
  type        = number
  default     = 90
}

variable "alert_emails" {
  description = "Who is told of alarms; each address has to confirm once."
  type        = list(string)
  default     = []
}

variable "tenants" {
  description = "The tenants by name: who analyses, settings of all their functions, and what they want otherwise than sources.yaml and resolver.yaml. Without `sources` a tenant has them all."
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
}
