# A whole deployment on Google Cloud.

mock_provider "google" {}

variables {
  project        = "p"
  region         = "europe-west3"
  location       = "EU"
  environment    = "test"
  image_registry = "europe-west3-docker.pkg.dev/p/salesync"
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
    condition     = length(setintersection(output.tenants.sales.topics, output.tenants.north.topics)) == 0
    error_message = "tenants share a topic"
  }
  assert {
    condition     = length(distinct(flatten([for tenant in output.tenants : concat([tenant.trigger], [for function in tenant.functions : function.identity])]))) == 2 + sum([for tenant in output.tenants : length(tenant.functions)])
    error_message = "two functions, or a function and a trigger, have one identity"
  }
}
