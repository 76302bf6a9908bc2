#!/usr/bin/env python3
"""Runs a sync and prints what it cost, in one line.

usage: measure.py NAME salesync sync ... --json
"""

import json
import resource
import subprocess
import sys
import time


def main():
    name, command = sys.argv[1], sys.argv[2:]
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    secs = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    runs = json.loads(done.stdout)["runs"]
    records = sum(run["fetched"] for run in runs)
    cpu_secs = used.ru_utime + used.ru_stime
    peak_mb = used.ru_maxrss / 1024
    per_million = f"{cpu_secs / records * 1e6:.1f}" if records >= 1000 else f"({cpu_secs:.2f} s)"
    print(f"{name:<40} {records:>10} {secs:>9.2f} {records / secs:>10.0f} {per_million:>12} {peak_mb:>8.0f}", flush=True)


main()
