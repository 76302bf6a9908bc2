mock_provider "aws" {
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com" }
  }
}

variables {
  account = "111111111111"
  region  = "eu-central-1"
}

run "without_a_repository_nobody_deploys_from_github" {
  command = plan

  assert {
    condition     = length(aws_iam_role.deployer) + length(aws_iam_openid_connect_provider.github) == 0
    error_message = "No repository is named, and something is made for one."
  }
}

run "only_the_environment_of_the_repository_deploys" {
  command = apply

  variables {
    repository  = "example/sales"
    environment = "production"
  }

  assert {
    condition = jsondecode(aws_iam_role.deployer["github"].assume_role_policy).Statement[0].Condition.StringEquals == {
      "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:sub" = "repo:example/sales:environment:production"
    }
    error_message = "Others than the workflow of that environment may take the role."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.deployer["github"].policy).Statement[1].Effect == "Deny"
    error_message = "Who deploys may change the deployer's own role."
  }
}
