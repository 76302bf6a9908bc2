"""Starts local-bigquery, an emulator of BigQuery, on plain DuckDB files.

As it comes it keeps its tables in DuckLake, an extension of DuckDB that has to be downloaded from elsewhere; what is
changed here lets it do without. Words are those of `local-bigquery`.
"""

import duckdb
import sqlglot
from local_bigquery.engine import database, types
from local_bigquery.sql.dialect import BigQueryDialect
from local_bigquery.sql.rules import ddl
from sqlglot import exp


class Connection:
    """A connection of DuckDB that passes over what only DuckLake knows, and says itself whether a transaction runs:
    DuckDB ends one in which a second is begun, where the emulator only wants to know."""

    def __init__(self, connection):
        self._connection = connection
        self._in_transaction = False

    def cursor(self):
        return Connection(self._connection.cursor())

    def execute(self, sql, *words):
        word = sql.split(maxsplit=1)[0].upper().rstrip(";") if sql.strip() else ""
        if word == "SET" and "ducklake" in sql:
            return self._connection
        if word == "BEGIN":
            if self._in_transaction:
                raise duckdb.TransactionException("a transaction runs already")
            self._in_transaction = True
        if word in ("COMMIT", "ROLLBACK"):
            self._in_transaction = False
        try:
            return self._connection.execute(sql.replace("type = 'ducklake'", "type = 'duckdb'"), *words)
        except duckdb.Error:
            # Functions on places need another extension; nobody here asks for them.
            if "CREATE MACRO" in sql:
                return self._connection
            raise

    def __getattr__(self, name):
        return getattr(self._connection, name)


class Library:
    """DuckDB, whose connections take the time zone once they stand."""

    def connect(self, *words, config=None, **others):
        connection = duckdb.connect(*words, **others)
        connection.execute("SET TimeZone = 'UTC'")
        return Connection(connection)

    def __getattr__(self, name):
        return getattr(duckdb, name)


def attach(connection, project):
    """Keeps a project's tables in one file of DuckDB."""
    path = database.settings.data_dir / f"{project}.duckdb"
    connection.execute(f"ATTACH IF NOT EXISTS '{path}' AS {database.quote(project)}")
    database._attached.add(project)


def scalar(kind):
    """Leaves decimals of more digits than a NUMERIC has what they are."""
    if kind.id == "decimal":
        precision, scale = (value for _, value in kind.children)
        if precision - scale > 29 or scale > 9:
            return "BIGNUMERIC", str(kind)
    return plain_scalar(kind)


def split(tree):
    """Keeps the rows of a table that is replaced by a query of itself until the query has run."""
    parts = plain_split(tree)
    if not (isinstance(tree, exp.Create) and tree.args.get("replace") and len(parts) == 2):
        return parts
    create, _ = parts
    query, table = (part.sql(dialect=BigQueryDialect) for part in (tree.expression, tree.this.this))
    kept = f"CREATE OR REPLACE TEMP TABLE _replaced AS {query}"
    back = f"INSERT INTO {table} SELECT * FROM _replaced"
    kept, back = (sqlglot.parse_one(text, dialect=BigQueryDialect) for text in (kept, back))
    return [kept, create, back]


plain_scalar = types._scalar
plain_split = ddl.split
ddl.split = split
types._scalar = scalar
database.duckdb = Library()
database._attach = attach

if __name__ == "__main__":
    from local_bigquery.cli import main

    main()
