//! What stands in a warehouse, read by DuckDB itself and not by the product.

use std::collections::BTreeMap;
use std::path::Path;

use duckdb::{AccessMode, Config, Connection};

/// A row: each column's value as exact text, instants as microseconds since 1970.
pub(crate) type Row = BTreeMap<String, Option<String>>;

/// A warehouse that nobody else has open.
pub(crate) struct Tables(Connection);

impl Tables {
    /// Opens a file for reading.
    pub(crate) fn open(file: &Path) -> Self {
        let config = Config::default().access_mode(AccessMode::ReadOnly).unwrap();
        let connection = Connection::open_with_flags(file, config).unwrap();
        connection.execute_batch("USE sales").unwrap();
        Self(connection)
    }

    /// Returns the columns of a table or view with their types.
    pub(crate) fn columns(&self, table: &str) -> BTreeMap<String, String> {
        let sql = format!(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'sales' AND table_name = '{table}'"
        );
        let rows = self.query(&sql);
        rows.into_iter()
            .map(|mut row| (row.remove(0).unwrap(), row.remove(0).unwrap()))
            .collect()
    }

    /// Returns all rows of a raw table by key; a key that is there twice fails the test. Where the key has a
    /// mailbox, that and a space stand before the id.
    pub(crate) fn rows(&self, table: &str) -> BTreeMap<String, Row> {
        let columns = self.columns(table);
        let list: Vec<String> = columns
            .iter()
            .map(|(name, data_type)| match data_type.as_str() {
                "TIMESTAMP WITH TIME ZONE" => format!("epoch_us(\"{name}\")::VARCHAR"),
                _ => format!("\"{name}\"::VARCHAR"),
            })
            .collect();
        let mut found = BTreeMap::new();
        for values in self.query(&format!("SELECT {} FROM \"{table}\"", list.join(", "))) {
            let row: Row = columns.keys().cloned().zip(values).collect();
            let mailbox = row.get("mailbox").cloned().flatten();
            let prefix = mailbox.map_or(String::new(), |mailbox| format!("{mailbox} "));
            let key = format!("{prefix}{}", row["id"].clone().unwrap());
            assert!(
                found.insert(key.clone(), row).is_none(),
                "{table} holds {key} twice"
            );
        }
        found
    }

    /// Returns the rows of a query as text.
    pub(crate) fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let mut statement = self
            .0
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut rows = statement.query([]).unwrap();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let count = row.as_ref().column_count();
            found.push(
                (0..count)
                    .map(|at| row.get(at).unwrap_or_else(|error| panic!("{sql}: {error}")))
                    .collect(),
            );
        }
        found
    }

    /// Returns the first column of a query; nulls are empty.
    pub(crate) fn list(&self, sql: &str) -> Vec<String> {
        self.query(sql)
            .into_iter()
            .map(|mut row| row.swap_remove(0).unwrap_or_default())
            .collect()
    }

    /// Returns one number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let sql = format!("SELECT ({sql})::BIGINT::VARCHAR");
        self.list(&sql)[0].parse().unwrap()
    }

    /// Returns every raw table with its rows, without what differs from run to run.
    pub(crate) fn content(&self) -> BTreeMap<String, BTreeMap<String, Row>> {
        let sql = "SELECT DISTINCT table_name FROM duckdb_columns() \
                   WHERE schema_name = 'sales' AND column_name = '_version' ORDER BY 1";
        let mut content = BTreeMap::new();
        for table in self.list(sql) {
            let mut rows = self.rows(&table);
            for row in rows.values_mut() {
                row.remove("_run_id");
                row.remove("_synced_at");
                // When a record was found to be absent is the time of the run that looked.
                if row["_deleted_reason"].as_deref() == Some("absent") {
                    row.remove("_deleted_at");
                    row.remove("_version");
                }
            }
            content.insert(table, rows);
        }
        content
    }
}

/// Fails unless two warehouses hold the same rows, and shows where they differ.
pub(crate) fn assert_same(left: &Tables, right: &Tables) {
    let (left, right) = (left.content(), right.content());
    let mut wrong = Vec::new();
    for table in left.keys().chain(right.keys()) {
        let none = BTreeMap::new();
        let (left, right) = (
            left.get(table).unwrap_or(&none),
            right.get(table).unwrap_or(&none),
        );
        for id in left.keys().chain(right.keys()) {
            let (left, right) = (left.get(id), right.get(id));
            let fields = |row: Option<&Row>| row.cloned().unwrap_or_default();
            let (left, right) = (fields(left), fields(right));
            let names = left
                .keys()
                .filter(|name| left.get(*name) != right.get(*name));
            let differing: Vec<String> = names
                .map(|name| format!("{name}: {:?} and {:?}", left.get(name), right.get(name)))
                .collect();
            if left != right {
                wrong.push(format!("{table} {id}: {}", differing.join(", ")));
            }
        }
    }
    let shown: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} rows differ, among them:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}
