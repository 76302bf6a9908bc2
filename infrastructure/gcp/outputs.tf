output "tenants" {
  description = "For each tenant its functions with their addresses, identities and schedules, its datasets, secrets, topics, metrics, alerts and dashboard."
  value       = module.tenant
}

output "schedules" {
  description = "The names of all schedules: each can be started at once by its name."
  value       = flatten([for tenant in module.tenant : [for function in tenant.functions : function.schedules]])
}

output "secrets" {
  description = "The secrets to which the operator adds versions, each a JSON document as the source's README says."
  value       = flatten([for tenant in module.tenant : values(tenant.secrets)])
}

output "channels" {
  description = "The notification channels of all alerts, by who is told."
  value       = { for address, channel in google_monitoring_notification_channel.email : address => channel.id }
}
