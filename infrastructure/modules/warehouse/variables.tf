variable "project" {
  description = "The project that has the datasets."
  type        = string
}

variable "location" {
  description = "Where BigQuery keeps them, such as EU or europe-west3."
  type        = string
}

variable "tenant" {
  description = "The tenant: the name of its dataset."
  type        = string
}

variable "prefix" {
  description = "What the tenant's names begin with."
  type        = string
}

variable "writers" {
  description = "The addresses of the service accounts that write, by the function's name."
  type        = map(string)
}

variable "analysts" {
  description = "Who reads the resolved tables: `group:ADDRESS` or `user:ADDRESS`."
  type        = list(string)

  validation {
    condition     = alltrue([for member in var.analysts : can(regex("^(group|user):[^@ ]+@[^@ ]+$", member))])
    error_message = "An analyst is group:ADDRESS or user:ADDRESS."
  }
}

variable "labels" {
  description = "Labels of the datasets."
  type        = map(string)
}
