"""Holds a resolve in an emulator of BigQuery against one in this program.

usage: in_warehouse.py PROGRAM FOLDER RECORDS
"""

import collections
import contextlib
import itertools
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

program, folder, records = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
PROJECT, DATASET = "p", "sales"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def started(words, **others):
    process = subprocess.Popen(words, **others)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def wait_for(port):
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    sys.exit(f"nothing listens on port {port}")


def run(settings, *words):
    """Runs a command; returns what it printed, with seconds, CPU seconds and the most memory in MB."""
    began = time.monotonic()
    # Nothing of the user's own settings.
    keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    process = subprocess.Popen(
        [program, *words, "--json"], env=keep | settings, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(words)} failed: {printed.decode()[-2000:]}")
    return json.loads(printed), time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def rows(origin, table, columns):
    """Reads a table."""
    path = f"{origin}/bigquery/v2/projects/{PROJECT}/datasets/{DATASET}/tables/{table}/data"
    token = None
    while True:
        words = {"maxResults": 50000, "selectedFields": ",".join(columns)} | ({"pageToken": token} if token else {})
        with urllib.request.urlopen(f"{path}?{urllib.parse.urlencode(words)}") as answer:
            page = json.load(answer)
        for row in page.get("rows", []):
            yield tuple(cell["v"] for cell in row["f"])
        token = page.get("pageToken")
        if not token:
            return


def pairs(origin):
    """Returns the pairs of records that are one entity."""
    columns = ["entity_id", "kind", "source", "stream", "record_id"]
    members = collections.defaultdict(list)
    for entity, *record in rows(origin, "entity_records", columns):
        members[entity].append(tuple(record))
    return {pair for all_of_one in members.values() for pair in itertools.combinations(sorted(all_of_one), 2)}


def main():
    port, vendors_port = free_port(), free_port()
    emulator = pathlib.Path(__file__).with_name("bigquery_emulator.py")
    words = [sys.executable, emulator, "--port", str(port), "--grpc-port", str(free_port())]
    words += ["--project", PROJECT, "--dataset", "d", "--data-dir", folder / "data", "serve"]
    sandbox = [program, "sandbox", "--port", str(vendors_port), "--records", records, "--json"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with started(words, **quiet), started(sandbox, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as vendors:
        settings = json.loads(vendors.stdout.readline())["settings"]
        wait_for(port)
        origin = f"http://127.0.0.1:{port}"
        settings |= {"SALESYNC_WAREHOUSE": f"bigquery:{PROJECT}/{DATASET}", "BIGQUERY_EMULATOR_HOST": origin}
        run(settings, "sync", "all")
        print(f"{'resolved':<20}{'records':>9}{'pairs':>11}{'people':>9}{'companies':>11}{'seconds':>9}{'CPU s here':>12}{'MB here':>9}")
        found = []
        for name, word in (("in the warehouse", "--in-warehouse"), ("here", "--full")):
            resolved, seconds, cpu, memory = run(settings, "resolve", word)
            counts = [resolved[it] for it in ("records", "pairs_compared", "people", "companies")]
            print(
                f"{name:<20}{counts[0]:>9,}{counts[1]:>11,}{counts[2]:>9,}{counts[3]:>11,}{seconds:>9.1f}{cpu:>12.1f}{memory:>9.0f}",
                flush=True,
            )
            found.append(pairs(origin))
        there, here = found
        differ = sorted(there ^ here)
        print(f"pairs of one entity: {len(here):,} here, {len(there):,} there, {len(differ):,} in one answer alone")
        for pair in differ[:20]:
            print("  ", "there alone" if pair in there else "here alone", *pair)
        sys.exit(bool(differ))


main()
