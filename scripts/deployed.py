#!/usr/bin/env python3
"""Reads what Terraform and the clouds print in JSON, on stdin, for scripts/verify_deployment.sh.

usage: deployed.py functions        of Terraform's tenants: `TENANT FUNCTION PROGRAM`, one a line
       deployed.py source SOURCE    of the same: the function and the incremental schedule of a source, of the first tenant
       deployed.py groups           of the same: the log groups
       deployed.py service IMAGE    fails where a Cloud Run service is not ready, or runs another image
       deployed.py function SHA256  fails where a Lambda function is not active, or runs other code
       deployed.py count            how many entries a log has
       deployed.py runs             prints how runs ended; fails where one failed
       deployed.py report FILE      of `lambda invoke`, whose answer is in FILE: the same
       deployed.py errors           prints the messages of a log's entries with their codes
       deployed.py millis TIME      a time as AWS takes it; reads nothing
"""

import json
import sys
from datetime import datetime


def program_of(tenant, function):
    """The names of other tenants than the first begin with theirs."""
    prefix = "" if tenant == "sales" else tenant.replace("_", "-") + "-"
    return function.removeprefix(prefix)


def functions(tenants):
    for tenant, its in sorted(tenants.items()):
        for function in sorted(its["functions"]):
            print(tenant, function, program_of(tenant, function))


def source(tenants, wanted):
    for tenant, its in sorted(tenants.items(), key=lambda each: (each[0] != "sales", each[0])):
        for function, about in its["functions"].items():
            if program_of(tenant, function) == f"{wanted}-sync":
                print(function, next(each for each in about["schedules"] if each.endswith("-incremental-sync")))
                return
    sys.exit(1)


def service(about, image):
    ready = {each["type"]: each for each in about["status"]["conditions"]}["Ready"]
    if ready["status"] != "True":
        sys.exit(f"it is not ready: {ready.get('message', 'no reason is given')}")
    runs = about["spec"]["template"]["spec"]["containers"][0]["image"]
    if runs != image:
        sys.exit(f"it runs {runs}, not {image}")
    if about["status"]["latestReadyRevisionName"] != about["status"]["latestCreatedRevisionName"]:
        sys.exit("its newest revision is not the one that answers")


def function(about, sha256):
    if about["State"] != "Active" or about["LastUpdateStatus"] != "Successful":
        sys.exit(f"it is {about['State']}, its last update {about['LastUpdateStatus']}: {about.get('LastUpdateStatusReason', '')}")
    if about["CodeSha256"] != sha256:
        sys.exit("it runs other code than the package of the release")


def show(runs):
    for run in runs:
        print(*(run[key] for key in ("source", "stream", "status", "code") if run.get(key)))
    if any(run.get("status") in ("failed", "abandoned") for run in runs):
        sys.exit(1)


def report(invoked, file):
    answer = json.loads(open(file).read())
    if "FunctionError" in invoked:
        sys.exit(f"the function failed: {answer.get('errorMessage', answer) if isinstance(answer, dict) else answer}")
    runs = answer.get("runs") or []
    if not runs:
        sys.exit("the report names no run")
    show(runs)


def errors(answer):
    for entry in answer["events"] if isinstance(answer, dict) else answer:
        line = entry.get("jsonPayload") or entry.get("message") or entry.get("textPayload") or ""
        if isinstance(line, str):
            try:
                line = json.loads(line)
            except ValueError:
                line = {"message": line}
        print(*(line[key] for key in ("code", "source", "message") if line.get(key)) or ("an entry without a message",))


def main():
    match sys.argv[1:]:
        case ["functions"]:
            functions(json.load(sys.stdin))
        case ["source", wanted]:
            source(json.load(sys.stdin), wanted)
        case ["groups"]:
            print(*sorted(its["log_group"] for its in json.load(sys.stdin).values()), sep="\n")
        case ["service", image]:
            service(json.load(sys.stdin), image)
        case ["function", sha256]:
            function(json.load(sys.stdin), sha256)
        case ["count"]:
            print(len(json.load(sys.stdin)))
        case ["runs"]:
            show([entry["jsonPayload"] for entry in json.load(sys.stdin)])
        case ["report", file]:
            report(json.load(sys.stdin), file)
        case ["errors"]:
            errors(json.load(sys.stdin))
        case ["millis", time]:
            print(int(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000))
        case _:
            sys.exit(__doc__)


main()
