output "functions" {
  description = "For each function its ARN, role, Google identity, schedules and queue of continuations."
  value       = module.function
}

output "datasets" {
  description = "The datasets: tables, staging and analysts."
  value       = module.warehouse.datasets
}

output "views" {
  description = "The scheduled query that makes the analysts' views."
  value       = module.warehouse.views
}

output "publisher" {
  description = "The identity that makes the analysts' views."
  value       = module.warehouse.publisher
}

output "secrets" {
  description = "The secrets to which values are put by hand, by the login's name."
  value       = { for name, secret in aws_secretsmanager_secret.login : name => secret.name }
}

output "queues" {
  description = "The queues' addresses."
  value       = [for queue in [aws_sqs_queue.dead_letters, aws_sqs_queue.parked, aws_sqs_queue.notifications, aws_sqs_queue.undelivered] : queue.url]
}

output "log_group" {
  description = "The log group of all its functions."
  value       = aws_cloudwatch_log_group.tenant.name
}

output "schedule_group" {
  description = "The group of its schedules."
  value       = aws_scheduler_schedule_group.tenant.name
}

output "scheduler" {
  description = "The role by which its schedules start its functions."
  value       = aws_iam_role.scheduler.name
}

output "dashboard" {
  description = "The dashboard."
  value       = module.alerts.dashboard
}

output "alerts" {
  description = "The names of its alarms."
  value       = module.alerts.alarms
}
