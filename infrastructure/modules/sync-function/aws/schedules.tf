locals {
  # EventBridge has six fields: `?` stands for the one of day and weekday that is left open, and a year follows.
  fields = { for name, schedule in var.function.schedules : name => split(" ", replace(schedule.cron, "*/", "0/")) }
  crons = {
    for name, field in local.fields : name => join(" ", [
      field[0], field[1], field[4] == "*" ? field[2] : "?", field[3], field[4] == "*" ? "?" : field[4], "*",
    ])
  }
}

resource "aws_scheduler_schedule" "schedule" {
  for_each                     = var.function.schedules
  name                         = each.key
  group_name                   = var.scheduler.group
  description                  = "salesync ${var.tenant}: ${each.value.event} to ${var.name}"
  schedule_expression          = "cron(${local.crons[each.key]})"
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = aws_lambda_function.function.arn
    role_arn = var.scheduler.role
    input    = each.value.event

    retry_policy {
      maximum_event_age_in_seconds = 600
      maximum_retry_attempts       = 2
    }
    dead_letter_config {
      arn = var.undelivered_queue
    }
  }
}
