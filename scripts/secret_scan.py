#!/usr/bin/env python3
"""Looks for secrets in the checkout, or in all that was ever committed. It prints where, and never what.

usage: secret_scan.py [--history]

Every line that git knows counts. What looks like a secret and is none is listed in KNOWN, with the reason.
"""

import re
import subprocess
import sys

# What a secret looks like.
KINDS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a key of AWS": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "a key of Google": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a refresh token of Google": r"\b1//0[0-9A-Za-z_-]{40,}",
    "a client secret of Google": r"\bGOCSPX-[0-9A-Za-z_-]{28}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})\b",
    "a token of HubSpot": r"\bpat-(?:na|eu)[0-9]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "a session of Salesforce": r"\b00D[0-9A-Za-z]{12,15}![0-9A-Za-z._]{60,}",
    "a token of Slack": r"\bxox[abprs]-[0-9A-Za-z-]{20,}",
    "a signed token": r"\beyJ[0-9A-Za-z_-]{20,}\.eyJ[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{40,}",
    "a password in an address": r"\b[a-z]+://[^\s/:@\"'{}$]+:[^\s/:@\"'{}$]{8,}@[a-z0-9.-]+",
}

# What looks like a secret and is none.
KNOWN = {
    # The first line of a key of the tests, put around the letters of test_only_key.txt, which opens nothing.
    "crates/salesync-host/src/fronts/http/tests/asking.rs": ["a private key"],
    "tests/it/cloud/service.rs": ["a private key"],
    # The logins of the invented vendors, which only they take.
    "crates/salesync-sandbox/src/credentials.rs": ["a private key", "a token of HubSpot"],
}


def lines_of_checkout():
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True).stdout
    for path in listed.decode().split("\0")[:-1]:
        try:
            text = open(path, encoding="utf-8").read()
        except (UnicodeDecodeError, IsADirectoryError, FileNotFoundError):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            yield path, f"{path}:{number}", line


def lines_of_history():
    command = ["git", "log", "--all", "--no-color", "--unified=0", "--format=commit %h", "--patch", "--no-ext-diff"]
    commit = path = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as log:
        for line in log.stdout:
            if line.startswith("commit "):
                commit = line.split()[1]
            elif line.startswith("+++ "):
                path = line[4:].strip().removeprefix("b/")
            elif line.startswith("+"):
                yield path, f"{commit} {path}", line[1:]
    if log.returncode != 0:
        sys.exit("git could not show what was committed")


def main():
    history = sys.argv[1:] == ["--history"]
    if sys.argv[1:] and not history:
        sys.exit(__doc__)
    # One look at a line suffices where it holds nothing.
    any_kind = re.compile("|".join(f"(?:{kind})" for kind in KINDS.values()))
    found = seen = 0
    for path, place, line in lines_of_history() if history else lines_of_checkout():
        seen += 1
        if not any_kind.search(line):
            continue
        for kind, looks in KINDS.items():
            if re.search(looks, line) and kind not in KNOWN.get(path, []):
                print(f"{place}: {kind}")
                found += 1
    print(f"{seen} lines, {found} secrets")
    sys.exit(1 if found else 0)


main()
