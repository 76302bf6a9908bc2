# What the function may do on AWS. Its secrets and queues are named one by one, and all of them are its tenant's.

locals {
  log_statement = {
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = "${var.log_group.arn}:*"
  }
  secret_statements = [for name, access in var.function.secrets : {
    Effect   = "Allow"
    Action   = concat(["secretsmanager:GetSecretValue"], access == "renew" ? ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"] : [])
    Resource = var.secrets[name]
  }]
  send_statement = {
    Effect   = "Allow"
    Action   = ["sqs:GetQueueAttributes", "sqs:SendMessage"]
    Resource = concat(values(var.sends_to), [var.undelivered_queue], aws_sqs_queue.continuations[*].arn)
  }
  receive_statements = [for queue in concat(values(var.receives_from), aws_sqs_queue.continuations[*].arn) : {
    Effect   = "Allow"
    Action   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
    Resource = queue
  }]
}

resource "aws_iam_role" "function" {
  name        = "salesync-${var.name}"
  description = "salesync ${var.tenant}: ${var.function.program}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "function"
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.log_statement, local.send_statement], local.secret_statements, local.receive_statements)
  })
}
