"""Checks every statement that an emulator of BigQuery was asked to run with Google's own analyzer of GoogleSQL, against
the tables as they stand in the emulator. The emulator translates statements for another engine, so that it takes some
which BigQuery would not.

usage: googlesql.py EMULATOR_URL
"""

import json
import re
import sys
import urllib.parse
import urllib.request

from zetasql.api import Analyzer, CatalogBuilder, TableBuilder
from zetasql.types import AnalyzerOptions, LanguageOptions, TypeKind, ZetaSQLBuiltinFunctionOptions

ORIGIN = sys.argv[1].rstrip("/") + "/bigquery/v2/projects/p"
KINDS = {
    "STRING": TypeKind.TYPE_STRING,
    "INTEGER": TypeKind.TYPE_INT64,
    "INT64": TypeKind.TYPE_INT64,
    "FLOAT": TypeKind.TYPE_DOUBLE,
    "FLOAT64": TypeKind.TYPE_DOUBLE,
    "BOOLEAN": TypeKind.TYPE_BOOL,
    "BOOL": TypeKind.TYPE_BOOL,
    "NUMERIC": TypeKind.TYPE_NUMERIC,
    "BIGNUMERIC": TypeKind.TYPE_BIGNUMERIC,
    "TIMESTAMP": TypeKind.TYPE_TIMESTAMP,
    "DATE": TypeKind.TYPE_DATE,
}
# What only runs a script: the analyzer reads one statement at a time and knows no variables.
SCRIPT_WORDS = re.compile(r"^\s*(DECLARE|SET|BEGIN TRANSACTION|COMMIT TRANSACTION|WHILE|END WHILE)\b", re.I)


def ask(path, **words):
    words = urllib.parse.urlencode(words)
    try:
        with urllib.request.urlopen(f"{ORIGIN}{path}?{words}") as answer:
            return json.load(answer)
    except urllib.error.HTTPError:
        return None


def jobs():
    token = None
    while True:
        words = {"projection": "full", "maxResults": 500} | ({"pageToken": token} if token else {})
        page = ask("/jobs", **words)
        yield from page.get("jobs", [])
        token = page.get("nextPageToken")
        if not token:
            return


def type_of(kind):
    """Writes a parameter's type as it stands in a statement."""
    if kind["type"] == "ARRAY":
        return f"ARRAY<{type_of(kind['arrayType'])}>"
    if kind["type"] == "STRUCT":
        fields = (f"`{field['name']}` {type_of(field['type'])}" for field in kind["structTypes"])
        return f"STRUCT<{', '.join(fields)}>"
    return kind["type"]


def statements(script):
    """Splits a script of ours: its statements end with a semicolon and the end of a line, those in a loop with one and
    a space."""
    for statement in re.split(r";\s*(?:\n|$)", script):
        loop = re.match(r"\s*WHILE .*? DO\s+(.*)\s+END WHILE\s*$", statement, re.S)
        yield from loop.group(1).split("; ") if loop else [statement]


class Checker:
    def __init__(self, replaced):
        self.language = LanguageOptions.maximum_features()
        self.builtins = ZetaSQLBuiltinFunctionOptions(language_options=self.language)
        self.tables = {}
        self.replaced = replaced
        self.done = set()
        self.checked, self.wrong = 0, []

    def table(self, name):
        """Finds a table or view of the emulator by its whole name."""
        if name not in self.tables:
            project, dataset, table = name.split(".")
            found = ask(f"/datasets/{dataset}/tables/{table}")
            fields = found["schema"]["fields"] if found else None
            self.tables[name] = fields and [(field["name"], field["type"]) for field in fields]
        return self.tables[name]

    def script(self, query):
        text = query["query"]
        for parameter in query.get("queryParameters", []):
            null = f"CAST(NULL AS {type_of(parameter['parameterType'])})"
            text = re.sub(rf"@{parameter['name']}\b", lambda _: null, text)
        # Scripts of the same words are the same but for the names of tables and columns.
        shape = tuple(sorted(set(re.findall(r"\b[A-Z_]+\b|\b_[a-z]\b", text)))), text.count(";\n")
        if shape in self.done:
            return
        self.done.add(shape)
        # Numbers of rows that a script keeps.
        text = re.sub(r"\b(rows|steps)_\d+\b", "0", text)
        # A name in pieces is the same name.
        text = re.sub(r"`([\w-]+)`\.`(\w+)`\.(\w+)", r"`\1.\2.\3`", text)
        temporary, functions = {}, []
        for statement in statements(text):
            function = re.match(r"\s*(?:--.*\n\s*)*CREATE TEMP FUNCTION (\w+)\(", statement)
            if function:
                functions.append(function.group(1))
                continue
            # Such a function makes a text of texts, as this one does.
            for name in functions:
                statement = re.sub(rf"\b{name}\(", "CONCAT(", statement)
            if not statement.strip() or SCRIPT_WORDS.match(statement):
                continue
            named = {}
            for name in set(re.findall(r"`([\w-]+\.\w+\.\w+)`", statement)):
                if name in self.replaced and not re.match(r"\s*CREATE (OR REPLACE )?(TABLE|VIEW)", statement):
                    return  # Its columns had other types then.
                fields = self.table(name)
                if fields is not None:
                    # The table has the columns by now that a statement added to it.
                    added = re.findall(r"ADD COLUMN `(\w+)`", statement)
                    named[name] = [field for field in fields if field[0] not in added]
                elif not re.match(r"\s*(CREATE|ALTER)", statement):
                    return  # It is gone since, with what it looked like.
            catalog = CatalogBuilder("salesync").with_builtin_functions(self.builtins)
            for name, fields in (named | temporary).items():
                table = TableBuilder(name)
                for column, kind in fields:
                    table.add_column(column, KINDS[kind] if isinstance(kind, str) else kind)
                catalog.add_table(table.build())
            options = AnalyzerOptions(language_options=self.language, default_timezone="UTC")
            self.checked += 1
            try:
                resolved = Analyzer(options, catalog.build()).analyze_statement(statement)
            except Exception as error:
                self.wrong.append((str(error).splitlines()[0], statement.strip()[:2_000]))
                return
            made = re.match(r"\s*CREATE TEMP TABLE (\w+) AS", statement)
            if made:
                columns = resolved.output_column_list
                temporary[made.group(1)] = [(it.name, it.column.type) for it in columns]


queries = []
for job in jobs():
    query = job.get("configuration", {}).get("query")
    failed = (job.get("status") or {}).get("errorResult")
    if query and not failed:
        queries.append(query)
replaced = set(re.findall(r"CREATE OR REPLACE TABLE `([^`]+)`", " ".join(query["query"] for query in queries)))
checker = Checker(replaced)
for query in queries:
    checker.script(query)
for error, statement in checker.wrong:
    print(f"{error}\n  in: {statement}\n")
print(f"GoogleSQL: {checker.checked} statements checked, {len(checker.wrong)} wrong")
sys.exit(bool(checker.wrong))
