//! Reads rows, and puts new rows in the place of all rows of a table.

use arrow::array::RecordBatch;
use duckdb::params_from_iter;
use duckdb::types::Value;
use salesync_core::error::Result;
use salesync_core::plain::NewRows;
use salesync_core::warehouse::{Filter, Scan};

use crate::database::Database;
use crate::failure::failure;
use crate::logs::{append, prepared};
use crate::sql::quoted;

impl Database {
    /// Reads rows; a table that does not exist has none.
    pub(crate) fn scan(&mut self, scan: &Scan) -> Result<Vec<RecordBatch>> {
        if self.table(scan.table.as_str())?.is_none() {
            return Ok(Vec::new());
        }
        let (sql, values) = select(scan);
        let failed = failure("read rows");
        let mut statement = self.connection().prepare(&sql).map_err(&failed)?;
        drop(
            statement
                .stream_arrow(params_from_iter(values))
                .map_err(&failed)?,
        );
        let mut batches = Vec::new();
        while let Some(rows) = statement.step().map_err(&failed)? {
            if !arrow::array::Array::is_empty(&rows) {
                batches.push(RecordBatch::from(&rows));
            }
        }
        Ok(batches)
    }

    /// Puts new rows in the place of all rows of these tables, all of them or nothing.
    pub(crate) fn replace(&mut self, tables: Vec<NewRows>) -> Result<()> {
        const OPERATION: &str = "replace tables";
        let mut stored = Vec::with_capacity(tables.len());
        for rows in &tables {
            self.prepare_plain(rows.table)?;
        }
        for rows in tables {
            stored.push((
                prepared(self.table(rows.table.name)?, rows.table.name)?,
                rows,
            ));
        }
        let transaction = self.begin(OPERATION)?;
        for (stored, NewRows { table, batches }) in stored {
            transaction
                .execute(&format!("DELETE FROM {}", quoted(table.name)), [])
                .map_err(failure(OPERATION))?;
            for batch in batches {
                append(&transaction, table, &stored, &batch?)?;
            }
        }
        transaction.commit().map_err(failure(OPERATION))
    }
}

/// Returns the statement and the values that are bound to it.
fn select(scan: &Scan) -> (String, Vec<Value>) {
    let columns: Vec<String> = scan
        .columns
        .iter()
        .map(|column| quoted(column.as_str()))
        .collect();
    let columns = if columns.is_empty() {
        "*".to_owned()
    } else {
        columns.join(", ")
    };
    let mut sql = format!("SELECT {columns} FROM {} AS t", quoted(scan.table.as_str()));
    let mut values = Vec::new();
    match &scan.filter {
        Filter::All => {}
        Filter::Live => sql.push_str(" WHERE _deleted_at IS NULL"),
        Filter::Equal(wanted) => {
            for (index, (column, text)) in wanted.iter().enumerate() {
                let lead = if index == 0 { "WHERE" } else { "AND" };
                let column = quoted(column.as_str());
                sql.push_str(&format!(" {lead} CAST({column} AS VARCHAR) = ?"));
                values.push(Value::Text(text.clone()));
            }
        }
        Filter::LiveIn(of) => {
            let column = quoted(of.column.as_str());
            sql.push_str(&format!(" WHERE _deleted_at IS NULL AND {column} = ?"));
            values.push(Value::Text(of.part.clone()));
        }
        Filter::Unseen { before, part } => {
            sql.push_str(" WHERE _deleted_at IS NULL");
            let mut same = "k.part IS NULL".to_owned();
            if let Some(of) = part {
                let column = quoted(of.column.as_str());
                sql.push_str(&format!(" AND {column} = ?"));
                values.push(Value::Text(of.part.clone()));
                same = format!("k.part = t.{column}");
            }
            sql.push_str(&format!(
                " AND epoch_us(_synced_at) < ? AND NOT EXISTS \
                 (SELECT 1 FROM _seen_keys AS k WHERE k.table_name = ? AND k.id = t.id AND {same})"
            ));
            values.push(Value::BigInt(before.micros()));
            values.push(Value::Text(scan.table.as_str().to_owned()));
        }
        Filter::Due { column, by } => {
            let column = quoted(column.as_str());
            sql.push_str(&format!(
                " WHERE _deleted_at IS NULL AND epoch_us({column}) <= ?"
            ));
            values.push(Value::BigInt(by.micros()));
        }
    }
    if let Some(column) = &scan.newest_by {
        sql.push_str(&format!(
            " ORDER BY {} DESC NULLS LAST",
            quoted(column.as_str())
        ));
    }
    if let Some(limit) = scan.limit {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    (sql, values)
}
