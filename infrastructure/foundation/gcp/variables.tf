variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the state and the containers are kept."
  type        = string
}
