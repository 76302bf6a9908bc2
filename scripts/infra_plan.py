"""Reads plans of whole deployments and says what no single module can see.

- One tenant's resources name no dataset, secret, queue or log of another tenant, and none holds a right on all that there is.
- Nothing carries a secret's value into the state: there are containers of secrets, and no versions.
- Every source has a function in every tenant that names it, with an incremental and a full schedule.

usage: infra_plan.py SOURCES.yaml PLAN.json ...    (plans as `terraform show -json` prints them)
"""

import json
import re
import sys
from pathlib import Path

# What holds records, logins or messages, and the attribute that names it.
HOLDERS = {
    "google_bigquery_dataset": "dataset_id",
    "google_pubsub_subscription": "name",
    "google_pubsub_topic": "name",
    "google_secret_manager_secret": "secret_id",
    "aws_cloudwatch_log_group": "name",
    "aws_secretsmanager_secret": "name",
    "aws_sqs_queue": "name",
}
# Resources by which a secret's value would come into the state.
CARRIERS = {
    "google_secret_manager_secret_version",
    "google_service_account_key",
    "aws_iam_access_key",
    "aws_secretsmanager_secret_version",
}
# Rights in a whole project that open nothing that a tenant holds.
HARMLESS = {"roles/bigquery.jobUser"}
WIDE = re.compile(r"^google_(project|folder|organization)_iam_(member|binding|policy)$")
SCHEDULES = {"google_cloud_scheduler_job", "aws_scheduler_schedule"}
# What only people read.
REMARKS = {"description", "display_name", "alarm_description", "documentation", "labels", "user_labels"}
TENANT = re.compile(r'^module\.tenant\["([^"]+)"\]')


def resources(module):
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from resources(child)


def texts(value):
    """Yields every text in a value but the remarks."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in REMARKS:
                yield from texts(each)


def tenant_of(resource):
    found = TENANT.match(resource["address"])
    return found and found[1]


def foreign_names(planned):
    """Yields each resource that names what another tenant holds."""
    held = {}
    for resource in planned:
        attribute = HOLDERS.get(resource["type"])
        if attribute and tenant_of(resource):
            held.setdefault(tenant_of(resource), set()).add(resource["values"][attribute])
    for resource in planned:
        own = tenant_of(resource)
        for tenant, names in held.items():
            if own in (None, tenant):
                continue
            pattern = "|".join(re.escape(name) for name in sorted(names))
            whole = re.compile(rf"(?<![\w-])({pattern})(?![\w-])")
            for text in texts(resource["values"]):
                found = whole.search(text)
                if found:
                    yield f"{resource['address']} names {found[1]} of the tenant {tenant}"


def wide_rights(planned):
    """Yields each resource of a tenant that gives a right on what is another tenant's too, though it names none of it. What a
    policy of AWS says is known only once it is made: the test of its module holds it to a list."""
    for resource in planned:
        values = resource["values"]
        if not tenant_of(resource):
            continue
        if WIDE.match(resource["type"]) and values.get("role") not in HARMLESS:
            yield f"{resource['address']} gives {values.get('role')} in the whole project"
        if resource["type"] == "aws_iam_role_policy_attachment":
            yield f"{resource['address']} gives what somebody else wrote down"


def secrets_in_state(planned):
    for resource in planned:
        if resource["type"] in CARRIERS:
            yield f"{resource['address']} would carry a secret into the state"
        if any("SALESYNC_SECRET_" in text for text in texts(resource["values"])):
            yield f"{resource['address']} is given a secret as a setting"


def missing_schedules(planned, tenants, sources):
    names = {r["values"]["name"] for r in planned if r["type"] in SCHEDULES}
    for tenant, its in tenants.items():
        prefix = "" if tenant == "sales" else f"{tenant.replace('_', '-')}-"
        wanted = [f"{name}-{mode}-sync" for name in its.get("sources") or sources for mode in ("incremental", "full")]
        for name in [*wanted, "entity-resolution"]:
            if prefix + name not in names:
                yield f"the tenant {tenant} has no schedule {prefix}{name}"


def read(plan):
    """Returns the resources that a plan makes, and its tenants."""
    planned = resources(plan["planned_values"]["root_module"])
    return [r for r in planned if r["mode"] == "managed"], plan["variables"]["tenants"]["value"]


def findings(plan, sources):
    planned, tenants = read(plan)
    return [
        *foreign_names(planned),
        *wide_rights(planned),
        *secrets_in_state(planned),
        *missing_schedules(planned, tenants, sources),
    ]


def source_names(path):
    return re.findall(r"^(\w+):", Path(path).read_text(), re.M)


def main(sources_path, plan_paths):
    sources = source_names(sources_path)
    failed = False
    for path in plan_paths:
        plan = json.loads(Path(path).read_text())
        planned, tenants = read(plan)
        wrong = findings(plan, sources)
        for line in wrong:
            print(f"{Path(path).stem}: {line}", file=sys.stderr)
        failed = failed or bool(wrong)
        print(f"{Path(path).stem}: {len(planned)} resources of {len(tenants)} tenants, {len(wrong)} findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
