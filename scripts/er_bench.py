#!/usr/bin/env python3
"""Resolves sets of records with known answers and prints how well, how fast and in how much memory.

usage: er_bench.py SALESYNC FOLDER [FOLDER ...]

A folder holds NAME.csv.gz with records and NAME.truth.csv.gz with the columns record_id, entity_id and perhaps kind.
A record that the answer lacks counts as an entity of its own. CPU seconds, seconds and peak memory are those of
`salesync match`, from the start of the program to its end.
"""

import collections
import csv
import gzip
import os
import pathlib
import sys
import tempfile
import time


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


def run(salesync, file, out):
    """Runs `salesync match` and returns seconds, CPU seconds and peak memory in MB."""
    started = time.monotonic()
    words = [salesync, "match", str(file), "--out", str(out), "--json"]
    nothing = os.open(os.devnull, os.O_WRONLY)
    streams = [(os.POSIX_SPAWN_DUP2, nothing, 1), (os.POSIX_SPAWN_DUP2, nothing, 2)]
    pid = os.posix_spawn(salesync, words, os.environ, file_actions=streams)
    _, status, used = os.wait4(pid, 0)
    os.close(nothing)
    if status:
        sys.exit(f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    salesync, folders = sys.argv[1], sys.argv[2:]
    print(f"{'':<28}{'':>9}  pairwise             B-cubed              most people", flush=True)
    print(f"{'set and kind':<28}{'records':>9}  P     R     F1       P     R     F1       in one")
    sets = [truth for folder in folders for truth in sorted(pathlib.Path(folder).glob("*.truth.csv.gz"))]
    for truth_file in sets:
        name = truth_file.name.removesuffix(".truth.csv.gz")
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "answer.csv"
            secs, cpu_secs, peak_mb = run(salesync, truth_file.with_name(f"{name}.csv.gz"), out)
            answered = {row["record_id"]: row["entity_id"] for row in rows(out)}
        truth, kinds = {}, collections.defaultdict(list)
        for row in rows(truth_file):
            truth[row["record_id"]] = row["entity_id"]
            kinds[row.get("kind") or "all"].append(row["record_id"])
        answer = {record: answered.get(record, f"missing {record}") for record in truth}
        per_second = len(answered) / cpu_secs
        print(f"{name}: {secs:.2f} s, {cpu_secs:.2f} CPU s ({per_second:,.0f} records each), {peak_mb:.0f} MB")
        for kind, records in sorted(kinds.items()):
            figures, glued = score(records, answer, truth)
            cells = [f"{figure:.3f}" for figure in figures]
            pairwise, b_cubed = " ".join(cells[:3]), " ".join(cells[3:])
            print(f"  {kind:<26}{len(records):>9}  {pairwise}    {b_cubed}    {glued:>5}", flush=True)


main()
