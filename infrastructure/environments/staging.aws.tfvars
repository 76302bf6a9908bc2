# Staging on AWS: one tenant, every source as in sources.yaml. Replace the example names by your own.
account        = "111111111111"
region         = "eu-central-1"
project        = "example-salesync-staging"
location       = "EU"
environment    = "staging"
package_bucket = "salesync-packages-111111111111"
release        = "0.1.0"
alert_emails   = ["data-team@example.com"]

tenants = {
  sales = {
    analysts = ["group:analysts@example.com"]
  }
}
