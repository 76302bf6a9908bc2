output "arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.function.arn
}

output "role" {
  description = "The function's role."
  value       = aws_iam_role.function.name
}

output "identity" {
  description = "The address of the Google service account that the function acts as."
  value       = google_service_account.function.email
}

output "schedules" {
  description = "The names of its schedules."
  value       = keys(aws_scheduler_schedule.schedule)
}

output "continuations" {
  description = "Its queue of continuations; null where it has none."
  value       = one(aws_sqs_queue.continuations[*].url)
}
