variable "account" {
  description = "The AWS account's number."
  type        = string
}

variable "region" {
  description = "Where the state and the packages are kept."
  type        = string
}
