variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the state and the containers are kept."
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
