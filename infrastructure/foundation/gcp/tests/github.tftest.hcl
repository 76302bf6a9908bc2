mock_provider "google" {}

variables {
  project = "example"
  region  = "europe-west3"
}

run "without_a_repository_nobody_deploys_from_github" {
  command = plan

  assert {
    condition     = length(google_iam_workload_identity_pool.github) + length(google_service_account.deployer) + length(google_project_iam_member.deployer) == 0
    error_message = "No repository is named, and something is made for one."
  }
}

run "only_the_environment_of_the_repository_deploys" {
  command = plan

  variables {
    repository  = "example/sales"
    environment = "production"
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.github["github"].attribute_condition == "assertion.sub == 'repo:example/sales:environment:production'"
    error_message = "Others than the workflow of that environment are let in."
  }
  assert {
    condition     = google_storage_bucket_iam_member.deployer["github"].role == "roles/storage.objectAdmin"
    error_message = "Who deploys can't write Terraform's state."
  }
}
