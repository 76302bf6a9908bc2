"""Prints the figures of pacing.sh: the limits as the server saw them, and the requests of each source."""

import json
import sys

limits = json.loads(open(sys.argv[1]).read().strip().splitlines()[-1])["limits"]
runs = json.load(open(sys.argv[2]))["runs"]
sources = {}
for run in runs:
    source = sources.setdefault(run["source"], {"requests": 0, "records": 0})
    source["requests"] += run["requests"]
    source["records"] += run["fetched"]

line = "{:<12}{:<14}{:>12}{:>12}{:>10}{:>9}{:>11}{:>12}{:>12}{:>11}"
print(line.format("source", "limit", "permitted", "busiest", "waits", "share", "admitted", "over limit", "told wait",
                  "too early"))
for used in limits:
    # What is limited by the day or the hour says nothing of a minute.
    permitted = f"{used['permitted']}/min" if used["permitted"] else "-"
    share = f"{used['share']:.1%}" if used["share"] is not None else "-"
    print(line.format(
        used["source"], used["limit"], permitted, f"{used['busiest']}/min", f"{used['held_secs']:.1f} s", share,
        used["admitted"], used["over_limit"], used["told_to_wait"], used["early"],
    ))
print()
for name, source in sorted(sources.items()):
    over = sum(used["over_limit"] for used in limits if used["source"] == name)
    share = over / source["requests"] if source["requests"] else 0
    print(f"{name}: {source['requests']} requests, {source['records']} records, over the limit {share:.2%} of the requests")
