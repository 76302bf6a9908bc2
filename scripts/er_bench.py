#!/usr/bin/env python3
"""Resolves sets of records with known answers and prints how well, how fast and in how much memory.

usage: er_bench.py [--splink PYTHON] SALESYNC FOLDER [FOLDER ...]

A folder holds NAME.csv.gz with records and NAME.truth.csv.gz with the columns record_id, entity_id and perhaps kind.
A record that the answer lacks counts as an entity of its own. Of sets with e-mail, phone, name or company the match rates
are printed too: how many of the pairs of one entity are resolved together that have the same address, the same last nine
digits of a number, or the same name at the same company; values that several entities have do not count. CPU seconds,
seconds and peak memory are those of `salesync match`, from the start of the program to its end. After the first folder
come the invented vendors: there they are those of `salesync resolve` over a DuckDB file that a sync has filled.

With a Python that has Splink, each set is resolved by that too, and below what we do stands what it does at the threshold
at which its pairwise F1 is best, each kind at its own; its figures of cost are those of a run at that of most records.
"""

import argparse
import collections
import csv
import gzip
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import duckdb

# About so many records the invented vendors hold.
SANDBOX_RECORDS = 20_000


def rows(path):
    opened = gzip.open(path, "rt", newline="") if path.suffix == ".gz" else open(path, newline="")
    with opened as lines:
        yield from csv.DictReader(lines)


def pairs(count):
    return count * (count - 1) // 2


def f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def score(records, answer, truth):
    """Pairwise and B-cubed precision, recall and F1, and the most true entities in one answered entity."""
    both = collections.Counter((answer[record], truth[record]) for record in records)
    answered = collections.Counter(answer[record] for record in records)
    true = collections.Counter(truth[record] for record in records)
    joined = sum(pairs(count) for count in both.values())
    claimed = sum(pairs(count) for count in answered.values())
    wanted = sum(pairs(count) for count in true.values())
    precision = joined / claimed if claimed else 1.0
    recall = joined / wanted if wanted else 1.0
    total = len(records)
    b_precision = sum(count * count / answered[a] for (a, _), count in both.items()) / total
    b_recall = sum(count * count / true[t] for (_, t), count in both.items()) / total
    glued = max(collections.Counter(a for a, _ in both).values())
    figures = precision, recall, f1(precision, recall), b_precision, b_recall, f1(b_precision, b_recall)
    return figures, glued


def name_of(row):
    return row.get("name") or f"{row.get('first_name') or ''} {row.get('last_name') or ''}".strip()


def mailbox(row):
    address = (row.get("email") or "").strip().lower()
    return address if "@" in address else None


def number(row):
    digits = "".join(filter(str.isdigit, row.get("phone") or ""))
    return digits[-9:] if len(digits) >= 9 else None


def name_at_company(row):
    name, company = name_of(row).lower(), (row.get("company") or "").strip().lower()
    return (name, company) if name and company else None


SHARED = {"e-mail": mailbox, "phone": number, "name at company": name_at_company}


def match_rates(records, sharing, answer, truth):
    """The share of the pairs of one entity with the same value that are resolved together, by what they share."""
    records, rates = set(records), {}
    for what, holders in sharing.items():
        wanted = together = 0
        for held in holders.values():
            held = [record for record in held if record in records]
            if len(held) > 1 and len({truth[record] for record in held}) == 1:
                wanted += pairs(len(held))
                together += sum(map(pairs, collections.Counter(answer[record] for record in held).values()))
        if wanted:
            rates[what] = together / wanted, wanted
    return rates


def run(words, env=os.environ):
    """Runs a command and returns seconds, CPU seconds and peak memory in MB."""
    started = time.monotonic()
    nothing = os.open(os.devnull, os.O_WRONLY)
    streams = [(os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)]
    pid = os.posix_spawn(words[0], words, env, file_actions=streams)
    _, status, used = os.wait4(pid, 0)
    os.close(nothing)
    if status:
        sys.exit(f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def truth_of(truth_file):
    """Reads the entity of each record, and the records of each kind."""
    truth, kinds = {}, collections.defaultdict(list)
    for row in rows(truth_file):
        truth[row["record_id"]] = row["entity_id"]
        kinds[row.get("kind") or "all"].append(row["record_id"])
    return truth, kinds


def records_of(truth_file):
    return truth_file.with_name(f"{truth_file.name.removesuffix('.truth.csv.gz')}.csv.gz")


def matched(salesync, truth_file):
    """Matches a set; returns what it cost, the answer, the truth, the records of each kind, and those that share values."""
    records = records_of(truth_file)
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "answer.csv"
        cost = run([salesync, "match", str(records), "--out", str(out), "--json"])
        answered = {row["record_id"]: row["entity_id"] for row in rows(out)}
    truth, kinds = truth_of(truth_file)
    sharing = {what: collections.defaultdict(list) for what in SHARED}
    for row in rows(records):
        for what, value_of in SHARED.items():
            value = value_of(row)
            if value and row["record_id"] in truth:
                sharing[what][value].append(row["record_id"])
    return cost, answered, truth, kinds, sharing


def splinked(python, truth_file):
    """Resolves a set with Splink; returns what that costs at one threshold, and the best answer for each kind."""
    script = [python, str(pathlib.Path(__file__).with_name("er_splink.py")), str(records_of(truth_file))]
    truth, kinds = truth_of(truth_file)
    best = {}
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "answers.csv"
        run([*script, str(out)])
        for threshold, answered in itertools.groupby(rows(out), key=lambda row: row["threshold"]):
            answer = whole({row["record_id"]: row["entity_id"] for row in answered}, truth)
            for kind, records in kinds.items():
                figures, glued = score(records, answer, truth)
                if kind not in best or figures[2] > best[kind][0][2]:
                    best[kind] = figures, glued, threshold
        _, _, of_most = best[max(kinds, key=lambda kind: len(kinds[kind]))]
        return run([*script, str(out), of_most]), best


def resolved(salesync):
    """Syncs the invented vendors and resolves what has come; returns the same, without values that records share."""
    with tempfile.TemporaryDirectory() as folder:
        whose, file = pathlib.Path(folder) / "truth.ndjson", pathlib.Path(folder) / "warehouse.duckdb"
        words = [salesync, "sandbox", "--port", "0", "--records", str(SANDBOX_RECORDS), "--truth", str(whose), "--json"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as vendors:
            settings = json.loads(vendors.stdout.readline())["settings"]
            env = {**os.environ, **settings, "SALESYNC_WAREHOUSE": f"duckdb:{file}"}
            run([salesync, "sync", "all"], env)
            vendors.terminate()
        cost = run([salesync, "resolve"], env)
        with duckdb.connect(str(file), read_only=True) as tables:
            sql = "SELECT kind, source, stream, record_id, entity_id FROM sales.entity_records"
            found = tables.sql(sql).fetchall()
        answered = {tuple(row[:4]): row[4] for row in found}
        truth, kinds = {}, collections.defaultdict(list)
        for line in whose.read_text().splitlines():
            row = json.loads(line)
            kind = row["entity_id"].split("-")[0]
            record = kind, row["source"], row["stream"], row["record_id"]
            truth[record] = row["entity_id"]
            kinds[kind].append(record)
    return cost, answered, truth, kinds, {}


def whole(answered, truth):
    """Makes a record that the answer lacks an entity of its own."""
    return {record: answered.get(record, f"missing {record}") for record in truth}


def tell_cost(name, cost, count):
    secs, cpu_secs, peak_mb = cost
    print(f"{name}: {secs:.2f} s, {cpu_secs:.2f} CPU s ({count / cpu_secs:,.0f} records each), {peak_mb:.0f} MB")


def tell_score(kind, records, figures, glued):
    cells = [f"{figure:.3f}" for figure in figures]
    pairwise, b_cubed = " ".join(cells[:3]), " ".join(cells[3:])
    print(f"  {kind:<26}{len(records):>9}  {pairwise}    {b_cubed}    {glued:>5}", flush=True)


def tell(name, cost, answered, truth, kinds, sharing):
    answer = whole(answered, truth)
    tell_cost(name, cost, len(answered))
    for kind, records in sorted(kinds.items()):
        tell_score(kind, records, *score(records, answer, truth))
        rates = match_rates(records, sharing, answer, truth).items()
        for what, (rate, wanted) in rates:
            print(f"    same {what}: {rate:.3f} of {wanted:,} pairs", flush=True)


def tell_peer(ours, cost, best, kinds):
    tell_cost("  Splink", cost, sum(map(len, kinds.values())))
    for kind, records in sorted(kinds.items()):
        figures, glued, threshold = best[kind]
        tell_score(f"{kind} from {threshold}", records, figures, glued)
    print(f"    so many times our CPU s: {cost[1] / ours[1]:.1f}, our memory: {cost[2] / ours[2]:.1f}", flush=True)


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--splink", metavar="PYTHON")
    words.add_argument("salesync")
    words.add_argument("folders", nargs="+", type=pathlib.Path)
    asked = words.parse_args()
    print(f"{'':<28}{'':>9}  pairwise             B-cubed              most people", flush=True)
    print(f"{'set and kind':<28}{'records':>9}  P     R     F1       P     R     F1       in one")
    for at, folder in enumerate(asked.folders):
        for truth_file in sorted(folder.glob("*.truth.csv.gz")):
            found = matched(asked.salesync, truth_file)
            tell(truth_file.name.removesuffix(".truth.csv.gz"), *found)
            if asked.splink:
                tell_peer(found[0], *splinked(asked.splink, truth_file), found[3])
        if at == 0:
            tell("invented vendors", *resolved(asked.salesync))


main()
