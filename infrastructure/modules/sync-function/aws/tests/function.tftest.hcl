# What one function on Lambda may do, and when it runs.

mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:eu-central-1:111111111111:own-continuations"
      url = "https://sqs.eu-central-1.amazonaws.com/111111111111/own-continuations"
    }
  }
}
mock_provider "google" {}

variables {
  name              = "north-hubspot-sync"
  tenant            = "north"
  account           = "111111111111"
  package           = { bucket = "packages", release = "1.0.0" }
  settings          = { SALESYNC_TENANT = "north" }
  federation        = { project = "p", pool = "projects/42/locations/global/workloadIdentityPools/salesync-aws", provider = "projects/42/locations/global/workloadIdentityPools/salesync-aws/providers/lambda" }
  scheduler         = { group = "salesync-north", role = "arn:aws:iam::111111111111:role/salesync-north-scheduler" }
  log_group         = { name = "/salesync/north", arn = "arn:aws:logs:eu-central-1:111111111111:log-group:/salesync/north" }
  secrets           = { hubspot = "arn:aws:secretsmanager:eu-central-1:111111111111:secret:salesync/north/hubspot-AbCdEf" }
  sends_to          = { dead-letters = "arn:aws:sqs:eu-central-1:111111111111:north-dead-letters" }
  receives_from     = {}
  undelivered_queue = "arn:aws:sqs:eu-central-1:111111111111:north-undelivered"
  function = {
    program = "hubspot-sync", source = "hubspot", time_limit_secs = 540, memory_mb = 512, fresh_within_hours = 3
    secrets = { hubspot = "read" }, settings = {}
    schedules = {
      north-hubspot-full-sync        = { cron = "0 5 * * SUN", path = "", body = "", event = "{\"sync\":{\"source\":\"hubspot\",\"mode\":\"full\"}}" }
      north-hubspot-incremental-sync = { cron = "12,27 */2 * * *", path = "", body = "", event = "{}" }
    }
  }
}

run "a_function_reads_its_own_secret_and_its_own_queue" {
  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : [
        for action in flatten([statement.Action]) : [for resource in flatten([statement.Resource]) : "${action} ${resource}"]
      ]
      ])) == toset([
      "logs:CreateLogStream arn:aws:logs:eu-central-1:111111111111:log-group:/salesync/north:*",
      "logs:PutLogEvents arn:aws:logs:eu-central-1:111111111111:log-group:/salesync/north:*",
      "secretsmanager:GetSecretValue arn:aws:secretsmanager:eu-central-1:111111111111:secret:salesync/north/hubspot-AbCdEf",
      "sqs:ChangeMessageVisibility arn:aws:sqs:eu-central-1:111111111111:own-continuations",
      "sqs:DeleteMessage arn:aws:sqs:eu-central-1:111111111111:own-continuations",
      "sqs:GetQueueAttributes arn:aws:sqs:eu-central-1:111111111111:own-continuations",
      "sqs:GetQueueAttributes arn:aws:sqs:eu-central-1:111111111111:north-dead-letters",
      "sqs:GetQueueAttributes arn:aws:sqs:eu-central-1:111111111111:north-undelivered",
      "sqs:GetQueueUrl arn:aws:sqs:eu-central-1:111111111111:own-continuations",
      "sqs:ReceiveMessage arn:aws:sqs:eu-central-1:111111111111:own-continuations",
      "sqs:SendMessage arn:aws:sqs:eu-central-1:111111111111:north-dead-letters",
      "sqs:SendMessage arn:aws:sqs:eu-central-1:111111111111:north-undelivered",
      "sqs:SendMessage arn:aws:sqs:eu-central-1:111111111111:own-continuations",
    ])
    error_message = "the function may do something that is not on the list, or lacks something"
  }
}

run "only_its_own_role_acts_as_its_google_identity" {
  assert {
    condition     = google_service_account_iam_member.role.member == "principalSet://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/salesync-aws/attribute.aws_role/arn:aws:sts::111111111111:assumed-role/salesync-north-hubspot-sync"
    error_message = "another role may act as the function's Google identity"
  }
  assert {
    condition     = !can(regex("private_key|secret", aws_lambda_function.function.environment[0].variables["SALESYNC_BIGQUERY_LOGIN"]))
    error_message = "the login to BigQuery holds a key"
  }
}

run "schedules_are_eventbridges_and_carry_commands" {
  assert {
    condition = { for name, schedule in aws_scheduler_schedule.schedule : name => schedule.schedule_expression } == {
      north-hubspot-full-sync        = "cron(0 5 ? * SUN *)"
      north-hubspot-incremental-sync = "cron(12,27 0/2 * * ? *)"
    }
    error_message = "a schedule was not translated"
  }
  assert {
    condition     = jsondecode(aws_scheduler_schedule.schedule["north-hubspot-full-sync"].target[0].input) == { sync = { source = "hubspot", mode = "full" } }
    error_message = "the event is not the command"
  }
}

run "a_failed_continuation_comes_again_and_is_never_lost" {
  assert {
    condition     = aws_lambda_event_source_mapping.continuations[0].function_response_types == toset(["ReportBatchItemFailures"]) && jsondecode(aws_sqs_queue.continuations[0].redrive_policy).deadLetterTargetArn == "arn:aws:sqs:eu-central-1:111111111111:north-undelivered"
    error_message = "a message that failed is lost"
  }
  assert {
    condition     = aws_sqs_queue.continuations[0].visibility_timeout_seconds >= 6 * aws_lambda_function.function.timeout
    error_message = "a message can be seen again while its run is still at work"
  }
}

run "the_package_is_for_arm_and_stops_in_time" {
  assert {
    condition     = aws_lambda_function.function.architectures == tolist(["arm64"]) && aws_lambda_function.function.runtime == "provided.al2023" && aws_lambda_function.function.s3_key == "1.0.0/hubspot-sync.zip" && aws_lambda_function.function.environment[0].variables["SALESYNC_DEADLINE_SECS"] == "480"
    error_message = "another package, runtime or deadline"
  }
}
