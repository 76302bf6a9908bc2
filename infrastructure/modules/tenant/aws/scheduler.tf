# The tenant's schedules, and the role by which they start its functions.

resource "aws_scheduler_schedule_group" "tenant" {
  name = "salesync-${replace(var.tenant, "_", "-")}"
}

resource "aws_iam_role" "scheduler" {
  name        = "salesync-${var.prefix}scheduler"
  description = "salesync ${var.tenant}: starts the functions"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.place.account } }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "scheduler"
  role = aws_iam_role.scheduler.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "lambda:InvokeFunction", Resource = [for function in module.function : function.arn] },
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.undelivered.arn },
    ]
  })
}
