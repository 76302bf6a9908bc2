output "tenants" {
  description = "For each tenant its functions with their roles, identities and schedules, its datasets, secrets, queues, alarms and dashboard."
  value       = module.tenant
}

output "schedules" {
  description = "The names of all schedules."
  value       = flatten([for tenant in module.tenant : [for function in tenant.functions : function.schedules]])
}

output "secrets" {
  description = "The secrets to which the operator puts values, each a JSON document as the source's README says."
  value       = flatten([for tenant in module.tenant : values(tenant.secrets)])
}

output "federation" {
  description = "The provider by which Google Cloud trusts the AWS account."
  value       = google_iam_workload_identity_pool_provider.aws.name
}

output "alert_topic" {
  description = "The topic of all alarms."
  value       = aws_sns_topic.alerts.arn
}
