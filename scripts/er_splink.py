#!/usr/bin/env python3
"""Clusters one set of records with Splink, at several thresholds: the peer that scripts/er_bench.sh compares with.

usage: er_splink.py RECORDS.csv.gz ANSWERS.csv [THRESHOLD]

Columns are recognised by their names, and texts are trimmed, lower-cased and cut to digits or domains, as Splink's own
guides advise. People and companies are clustered apart where a column tells them apart. Each row of the answer has
threshold, record_id, entity_id. With a threshold there is only that.
"""

import contextlib
import csv
import logging
import sys

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.exceptions import EMTrainingException

THRESHOLDS = [0.01, 0.05, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999]
# What a column says, and the names that sets give to it.
COLUMNS = {
    "first_name": ["first_name", "given_name", "primary_name_first"],
    "last_name": ["last_name", "surname", "primary_name_last"],
    "whole_name": ["name", "primary_name_full"],
    "born": ["dob", "date_of_birth"],
    "email": ["email", "email_address"],
    "phone": ["phone", "phone_number"],
    "company": ["company", "primary_name_org"],
    "website": ["website"],
    "street": ["address_1", "addr_line1", "addr_full"],
    "house_number": ["street_number"],
    "city": ["city", "suburb", "addr_city"],
    "postcode": ["postcode", "addr_postal_code"],
    "region": ["state", "addr_state"],
}
KINDS = ["kind", "record_type"]
DIGITS = "nullif(right(regexp_replace({0}, '[^0-9]', '', 'g'), 9), '')"
DOMAIN = "nullif(regexp_extract(lower(trim({0})), '^(?:https?://)?(?:www\\.)?([^/]+)', 1), '')"
PREPARED = {"phone": DIGITS, "website": DOMAIN}
PLAIN = "nullif(trim(lower({0})), '')"


def comparison(column):
    if column in ("first_name", "last_name", "company", "street", "city"):
        return cl.JaroWinklerAtThresholds(column, [0.92, 0.8]).configure(term_frequency_adjustments=True)
    if column == "email":
        return cl.EmailComparison(column)
    return cl.DamerauLevenshteinAtThresholds(column, [1, 2] if column == "born" else [1])


RULES = [
    ["email"], ["phone"], ["website"], ["company"], ["first_name", "last_name"], ["first_name", "born"],
    ["last_name", "born"], ["last_name", "company"], ["first_name", "company"], ["postcode", "last_name"],
    ["postcode", "first_name"], ["street", "house_number"], ["born", "postcode"],
]  # fmt: skip
# Alone these meet too many records of a large set.
LOOSE_RULES, LOOSE_UP_TO = [["first_name"], ["last_name"], ["born"], ["postcode"]], 20_000


def prepared(tables, path):
    """Makes the table `records`; returns its kinds."""
    tables.execute("CREATE TABLE raw AS SELECT * FROM read_csv(?, all_varchar = true, header = true)", [path])
    names = tables.table("raw").columns
    found = {role: [name for name in named if name in names] for role, named in COLUMNS.items()}
    cells = {}
    for role, held in found.items():
        if held:
            value = f"coalesce({', '.join(held)})"
            cells[role] = PREPARED.get(role, PLAIN).format(value)
    if whole := cells.pop("whole_name", None):
        for role, part in {"first_name": "[1]", "last_name": "[-1]"}.items():
            of_whole = f"string_split({whole}, ' '){part}"
            cells[role] = f"coalesce({cells[role]}, {of_whole})" if role in cells else of_whole
    kind = next((name for name in KINDS if name in names), None)
    columns = ", ".join(f"{value} AS {role}" for role, value in cells.items())
    tables.sql(f"CREATE TABLE records AS SELECT record_id AS unique_id, {kind or 'NULL'} AS kind, {columns} FROM raw")
    return [row[0] for row in tables.sql("SELECT DISTINCT kind FROM records").fetchall()]


def weighed(tables, kind, table, least):
    """Weighs the records of one kind, which it puts into a table; returns the linker and its pairs."""
    records = f"CREATE TABLE {table} AS SELECT * EXCLUDE kind FROM records WHERE kind IS NOT DISTINCT FROM ?"
    tables.execute(records, [kind])
    filled = tables.table(table)
    count = filled.aggregate("count(*)").fetchall()[0][0]
    used = [name for name in filled.columns[1:] if filled.aggregate(f"count({name})").fetchall()[0][0] > count / 20]
    rules = [rule for rule in RULES + (LOOSE_RULES if count <= LOOSE_UP_TO else []) if set(rule) <= set(used)]
    if not rules:
        sys.exit(f"no column of {kind or 'these records'} is known to bring records together")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[comparison(name) for name in used],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
        retain_matching_columns=False,
    )
    api = DuckDBAPI(connection=tables)
    linker = Linker(api.register(table), settings)
    train(linker, rules, kind)
    return linker, linker.inference.predict(threshold_match_probability=least)


def train(linker, rules, kind):
    training = linker.training
    certain = [block_on(*rule) for rule in rules if rule in (["email"], ["first_name", "last_name"], ["website"])]
    training.estimate_probability_two_random_records_match(certain or [block_on(*rules[0])], recall=0.7)
    training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    trained = 0
    for rule in rules[:5]:
        # A rule that too few pairs meet teaches nothing; the others do.
        with contextlib.suppress(EMTrainingException, ValueError):
            training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
            trained += 1
    if not trained:
        sys.exit(f"nothing could be learnt of {kind or 'these records'}")


def answers(tables, kinds, thresholds):
    """Clusters the records; yields threshold, record and entity, one threshold after another."""
    least = thresholds[0]
    pairs = [(kind, *weighed(tables, kind, f"of_kind_{at}", least)) for at, kind in enumerate(kinds)]
    for threshold in thresholds:
        for kind, linker, weighed_pairs in pairs:
            found = linker.clustering.cluster_pairwise_predictions_at_threshold(weighed_pairs, threshold)
            for entity, record in tables.sql(f"SELECT cluster_id, unique_id FROM {found.physical_name}").fetchall():
                yield threshold, record, f"{kind} {entity}"


def main():
    path, out, *asked = sys.argv[1:]
    thresholds = [float(threshold) for threshold in asked] or THRESHOLDS
    logging.getLogger("splink").setLevel(logging.ERROR)
    tables = duckdb.connect()
    with open(out, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["threshold", "record_id", "entity_id"])
        rows.writerows(answers(tables, prepared(tables, path), thresholds))


main()
