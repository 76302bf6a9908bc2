# Staging on Google Cloud: one tenant, every source as in sources.yaml. Replace the example names by your own.
project        = "example-salesync-staging"
region         = "europe-west3"
location       = "EU"
environment    = "staging"
image_registry = "europe-west3-docker.pkg.dev/example-salesync-staging/salesync"
release        = "0.1.0"
alert_emails   = ["data-team@example.com"]

tenants = {
  sales = {
    analysts = ["group:analysts@example.com"]
  }
}
