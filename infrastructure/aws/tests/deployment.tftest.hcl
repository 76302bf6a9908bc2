# A whole deployment on AWS.

mock_provider "aws" {}
mock_provider "google" {}

variables {
  account        = "111111111111"
  region         = "eu-central-1"
  project        = "p"
  location       = "EU"
  environment    = "test"
  package_bucket = "packages"
  release        = "1.0.0"
  tenants = {
    sales = { analysts = ["group:analysts@example.com"] }
    north = { analysts = ["group:analysts@example.com"], sources = { hubspot = { full = "0 1 * * SAT" } } }
  }
}

run "sources_come_from_sources_yaml_alone" {
  assert {
    condition     = toset([for name in keys(output.tenants.sales.functions) : trimsuffix(name, "-sync") if name != "salesync"]) == toset(keys(yamldecode(file("../sources.yaml"))))
    error_message = "the functions are not those of sources.yaml"
  }
  assert {
    condition     = length(output.schedules) == 2 * length(yamldecode(file("../sources.yaml"))) + 1 + 3
    error_message = "a schedule is missing"
  }
}

run "one_tenant_has_nothing_of_another" {
  assert {
    condition     = length(setintersection(values(output.tenants.sales.secrets), values(output.tenants.north.secrets))) == 0
    error_message = "tenants share a secret"
  }
  assert {
    condition     = length(setintersection(values(output.tenants.sales.datasets), values(output.tenants.north.datasets))) == 0
    error_message = "tenants share a dataset"
  }
  assert {
    condition     = length(setintersection(output.tenants.sales.queues, output.tenants.north.queues)) == 0
    error_message = "tenants share a queue"
  }
  assert {
    condition     = length(distinct(flatten([for tenant in output.tenants : [for function in tenant.functions : [function.role, function.identity]]]))) == 2 * sum([for tenant in output.tenants : length(tenant.functions)])
    error_message = "two functions have one role or one identity"
  }
}

run "google_trusts_this_account_and_these_roles_alone" {
  assert {
    condition     = google_iam_workload_identity_pool_provider.aws.aws[0].account_id == "111111111111" && google_iam_workload_identity_pool_provider.aws.attribute_condition == "assertion.arn.startsWith('arn:aws:sts::111111111111:assumed-role/salesync-')"
    error_message = "the federation trusts more than the functions' roles"
  }
}
