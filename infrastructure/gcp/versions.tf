terraform {
  required_version = ">= 1.10"

  # The bucket is named when the folder is initialised: README.md.
  backend "gcs" {}

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}
