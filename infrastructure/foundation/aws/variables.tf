variable "account" {
  description = "The AWS account's number."
  type        = string
}

variable "region" {
  description = "Where the state and the packages are kept."
  type        = string
}

variable "repository" {
  description = "The GitHub repository whose workflow deploys, OWNER/NAME; null where none does."
  type        = string
  default     = null
}

variable "environment" {
  description = "The environment of that repository which deploys here."
  type        = string
  default     = "staging"
}
