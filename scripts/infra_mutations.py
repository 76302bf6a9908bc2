"""Checks the checks: breaks infrastructure/ in many ways, one at a time, and fails where nothing notices. Terraform is asked
first, and where it plans, infra_plan.py reads the plan.

usage: infra_mutations.py FOLDER
FOLDER is a copy of infrastructure/ whose deployments are initialised, and TF_REATTACH_PROVIDERS names the stand-in for
the providers. Every file is put back as it was.
"""

import json
import subprocess
import sys
from pathlib import Path

import infra_plan

RUN = "modules/sync-function/gcp"
LAMBDA = "modules/sync-function/aws"

# What is broken; where; what is replaced by what; the deployment that is planned; what has to be said.
MUTATIONS = [
    ("an attribute is misspelt", f"{RUN}/main.tf", "deletion_protection =", "deletion_protektion =", "gcp", "Unsupported argument"),
    ("one deep inside is misspelt", f"{RUN}/main.tf", "startup_cpu_boost =", "startup_cpu_bost =", "gcp", "Unsupported argument"),
    ("a block is unknown", f"{RUN}/main.tf", "liveness_probe {", "livelyness_probe {", "gcp", "Unsupported block type"),
    ("a required attribute is missing", f"{RUN}/main.tf", "      image = var.image\n", "", "gcp", "Missing required argument"),
    ("a required block is missing", f"{LAMBDA}/schedules.tf", '  flexible_time_window {\n    mode = "OFF"\n  }\n', "", "aws", "Insufficient flexible_time_window blocks"),
    ("a block is there twice", f"{LAMBDA}/main.tf", "  environment {", '  environment {\n    variables = {}\n  }\n  environment {', "aws", "Too many environment blocks"),
    ("a block is written as an attribute", f"{LAMBDA}/continuations.tf", "  scaling_config {", "  scaling_config = {", "aws", "Unsupported argument"),
    ("a number is a text", f"{LAMBDA}/continuations.tf", "batch_size              = 1", 'batch_size = "one"', "aws", "a number is required"),
    ("a list is a text", f"{LAMBDA}/main.tf", '["arm64"]', '"arm64"', "aws", "list of string required"),
    ("a value is not among the documented ones", f"{RUN}/main.tf", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INTERNAL", "gcp", "documented are"),
    ("what only the provider sets is set", f"{RUN}/main.tf", "  deletion_protection = false", '  uri = "https://x"', "gcp", "Can't configure a value for|unconfigurable|set by the provider alone"),
    ("a reference leads nowhere", f"{RUN}/outputs.tf", "google_service_account.function.email", "google_service_account.function.mail", "gcp", "Unsupported attribute"),
    ("a resource type does not exist", "gcp/main.tf", '"google_project_service" "needed"', '"google_project_servis" "needed"', "gcp", "Invalid resource type"),
    ("a schedule is nonsense", "sources.yaml", '"0 2 * * SUN"', '"at two on sundays"', "gcp", "A schedule is not"),
    ("a secret is a setting", "sources.yaml", 'SALESYNC_GMAIL_BODIES: "off"', 'SALESYNC_TRIGGER_SECRET: "x"', "aws", "A setting is a secret"),
    ("a source has no schedule", "sources.yaml", '  incremental: "0,15,30,45 * * * *"\n', "", "aws", "does not have an attribute|does not identify an element"),
    ("tenants share a dataset", "modules/tenant/gcp/main.tf", "/${var.tenant}\"", "/sales\"", "gcp", "names sales of the tenant sales"),
    ("tenants share a secret", "modules/tenant/gcp/main.tf", "google_secret_manager_secret.login[name].secret_id", '"salesync-north-hubspot"', "gcp", "names salesync-north-hubspot of the tenant north"),
    ("tenants share a log", "modules/tenant/aws/main.tf", "log_group = aws_cloudwatch_log_group.tenant.name", 'log_group = "/salesync/sales"', "aws", "names /salesync/sales of the tenant sales"),
    ("a function reads every dataset", f"{RUN}/access.tf", "roles/bigquery.jobUser", "roles/bigquery.dataViewer", "gcp", "gives roles/bigquery.dataViewer in the whole project"),
    ("a schedule is not called as it should be", "modules/catalogue/main.tf", "${name}-${mode}-sync", "${name}-sync-${mode}", "aws", "has no schedule"),
    ("a secret would be in the state", "gcp/main.tf", "module \"catalogue\"", 'resource "google_service_account_key" "k" {\n  service_account_id = "x"\n}\nmodule "catalogue"', "gcp", "would carry a secret"),
]


def said(folder, deployment):
    """Plans a deployment and returns what Terraform or else infra_plan.py finds wrong, on one line."""
    terraform = ["terraform", f"-chdir={folder / deployment}"]
    variables = f"-var-file=../environments/production.{deployment}.tfvars"
    plan = [*terraform, "plan", "-no-color", "-input=false", "-lock=false", "-out=mutated.plan", variables]
    done = subprocess.run(plan, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return " ".join(done.stderr.replace("│", " ").split())
    shown = subprocess.run([*terraform, "show", "-json", "mutated.plan"], capture_output=True, text=True, check=True)
    sources = infra_plan.source_names(folder / "sources.yaml")
    return " ".join(infra_plan.findings(json.loads(shown.stdout), sources))


def main(folder):
    folder = Path(folder)
    missed = 0
    for what, name, old, new, deployment, expected in MUTATIONS:
        path = folder / name
        before = path.read_text()
        if old not in before:
            print(f"{what}: {name} does not hold {old!r} any more", file=sys.stderr)
            missed += 1
            continue
        path.write_text(before.replace(old, new))
        answer = said(folder, deployment)
        path.write_text(before)
        if not any(each in answer for each in expected.split("|")):
            missed += 1
            print(f"{what}: nothing said {expected!r}, but: {answer[:600]!r}", file=sys.stderr)
    print(f"{len(MUTATIONS) - missed} of {len(MUTATIONS)} broken variants were noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
