#!/usr/bin/env python3
"""Compares entities with the truth and prints pairwise and B-cubed precision, recall and F1.

usage: accuracy.py ANSWER.csv TRUTH.csv[.gz]

Both files have the columns record_id and entity_id; a record that the answer lacks is an entity of its own.
"""

import collections
import csv
import gzip
import sys


def entities(path):
    opened = gzip.open(path, "rt", newline="") if path.endswith(".gz") else open(path, newline="")
    with opened as rows:
        return {row["record_id"]: row for row in csv.DictReader(rows)}


def pairs(count):
    return count * (count - 1) // 2


def score(records, answer, truth):
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
    return precision, recall, f1(precision, recall), b_precision, b_recall, f1(b_precision, b_recall)


def f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def main():
    answer_rows, truth_rows = entities(sys.argv[1]), entities(sys.argv[2])
    truth = {record: row["entity_id"] for record, row in truth_rows.items()}
    answer = {record: f"missing {record}" for record in truth}
    answer.update((record, row["entity_id"]) for record, row in answer_rows.items() if record in truth)
    kinds = collections.defaultdict(list)
    for record, row in truth_rows.items():
        kinds[row.get("kind") or "all"].append(record)
    for kind, records in sorted(kinds.items()):
        figures = "  ".join(f"{figure:.3f}" for figure in score(records, answer, truth))
        print(f"{kind:<10} {len(records):>8}  {figures}")


main()
