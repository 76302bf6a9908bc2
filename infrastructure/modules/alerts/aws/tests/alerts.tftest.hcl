# What the alarms on AWS look at.

mock_provider "aws" {}

variables {
  tenant    = "north"
  prefix    = "north-"
  region    = "eu-central-1"
  log_group = "/salesync/north"
  waiting   = { dead-letters = "north-dead-letters.fifo", parked = "north-parked.fifo", undelivered = "north-undelivered" }
  topic     = "topic"
  functions = {
    north-hubspot-sync = { source = "hubspot", time_limit_secs = 540, fresh_within_hours = 6 }
    north-salesync     = { time_limit_secs = 840 }
  }
}

run "lines_are_counted_by_code_and_by_number" {
  assert {
    condition     = aws_cloudwatch_log_metric_filter.logged["bigquery-failures"].pattern == "{ ($.code = \"ERR_STORE_*\") }"
    error_message = "failures of the warehouse are not counted"
  }
  assert {
    condition     = aws_cloudwatch_log_metric_filter.logged["data-quality"].pattern == "{ ($.code = \"ERR_BATCH_DEAD_RATIO\") || ($.code = \"ERR_SOURCE_SCHEMA_CHANGED\") || ($.code = \"ERR_RECONCILE_TOO_MANY\") || ($.rejected_percent > 5) }"
    error_message = "bad records are not counted"
  }
}

run "every_alarm_is_there_and_tells_somebody" {
  assert {
    condition = output.alarms == tolist(sort(concat([for name in keys(yamldecode(file("../../../alerts.yaml"))) : "salesync-north-${name}"], flatten([
      for name in ["north-hubspot-sync", "north-salesync"] : [for alarm in ["error-rate", "failed", "near-time-limit", "throttled"] : "salesync-${name}-${alarm}"]
    ]), ["salesync-north-dead-letter-age", "salesync-north-dead-letters-parked", "salesync-north-hubspot-freshness", "salesync-north-undelivered"])))
    error_message = "an alarm is missing"
  }
  assert {
    condition = alltrue([for alarm in concat(
      values(aws_cloudwatch_metric_alarm.logged), values(aws_cloudwatch_metric_alarm.function), values(aws_cloudwatch_metric_alarm.error_rate),
      values(aws_cloudwatch_metric_alarm.queue), values(aws_cloudwatch_metric_alarm.freshness),
    ) : alarm.alarm_actions == toset(["topic"])])
    error_message = "an alarm tells nobody"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.freshness["hubspot"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.freshness["hubspot"].evaluation_periods == 6
    error_message = "silence is not told after six hours"
  }
}
