output "state_bucket" {
  description = "The bucket for Terraform's state: `terraform init -backend-config=bucket=...`."
  value       = aws_s3_bucket.bucket["state"].bucket
}

output "package_bucket" {
  description = "Where packages are copied to, and the variable `package_bucket` of a deployment."
  value       = aws_s3_bucket.bucket["packages"].bucket
}

output "deployer" {
  description = "The variable AWS_ROLE of the environment on GitHub."
  value       = one([for role in aws_iam_role.deployer : role.arn])
}
