# Production on AWS: two tenants. Replace the example names by your own.
account            = "222222222222"
region             = "eu-central-1"
project            = "example-salesync"
location           = "EU"
environment        = "production"
package_bucket     = "salesync-packages-222222222222"
release            = "0.1.0"
log_retention_days = 365
alert_emails       = ["data-team@example.com", "on-call@example.com"]

tenants = {
  sales = {
    analysts = ["group:analysts@example.com"]
    # Settings of all its functions; metrics and traces of each run go to a collector with
    # settings = { OTEL_EXPORTER_OTLP_ENDPOINT = "https://otlp.example.com" }
    resolver = { settings = { SALESYNC_SOURCE_RANK = "salesforce,hubspot" } }
    sources = {
      gmail = {
        settings = { SALESYNC_GMAIL_MAILBOXES = "ada@example.com,bo@example.com" }
      }
      salesforce = {
        settings = { SALESYNC_SALESFORCE_BASE_URL = "https://example.my.salesforce.com" }
      }
      dialpad = {}
      hubspot = {}
    }
  }

  # A second company: its own dataset, secrets, schedules and limits, and only the sources that it has.
  north = {
    analysts = ["user:nora@north.example.com"]
    settings = { SALESYNC_BIGQUERY_MAX_GB_BILLED = "20" }
    resolver = { schedule = "40 * * * *", memory_mb = 2048 }
    sources = {
      hubspot = {
        incremental        = "20 * * * *"
        full               = "0 1 * * SAT"
        memory_mb          = 2048
        fresh_within_hours = 6
        secrets            = { hubspot = "read" }
      }
    }
  }
}
