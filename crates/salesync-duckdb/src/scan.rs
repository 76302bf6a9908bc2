//! Reads rows, and puts new rows in the place of outdated ones.

use std::sync::mpsc;
use std::thread;

use arrow::array::RecordBatch;
use duckdb::params_from_iter;
use duckdb::types::Value;
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::{NewRows, Outdated, PlainTable};
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Among, Filter, Scan, Values};

use crate::database::{Database, StoredTable};
use crate::failure::{appender_failure, failure};
use crate::logs::prepared;
use crate::sql::quoted;

impl Database {
    /// Returns the names of a table's columns; none where it does not exist.
    pub(crate) fn columns(&mut self, table: &SqlIdentifier) -> Result<Vec<String>> {
        let table = self.table(table.as_str())?;
        let columns = table.iter().flat_map(|table| &table.columns);
        Ok(columns.map(|column| column.name.clone()).collect())
    }

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

    /// Puts new rows in the place of the outdated ones of these tables, all of them or nothing.
    pub(crate) fn replace(&mut self, tables: Vec<NewRows>) -> Result<()> {
        const OPERATION: &str = "replace tables";
        let mut stored = Vec::with_capacity(tables.len());
        for rows in &tables {
            self.prepare_plain(rows.table)?;
            stored.push(prepared(self.table(rows.table.name)?, rows.table.name)?);
        }
        let transaction = self.begin(OPERATION)?;
        for (rows, stored) in tables.into_iter().zip(stored) {
            let NewRows {
                table,
                outdated,
                batches,
            } = rows;
            let (sql, values) = delete(table.name, &outdated);
            transaction
                .execute(&sql, params_from_iter(values))
                .map_err(failure(OPERATION))?;
            self.insert((table, &stored), batches)?;
        }
        transaction.commit().map_err(failure(OPERATION))
    }

    /// Puts rows into a table in which none of theirs are, inside of the caller's transaction. They take no way through a
    /// temporary table: the memory of one is not free before its transaction ends. The next are made while some are
    /// written.
    fn insert(
        &self,
        (table, stored): (&PlainTable, &StoredTable),
        mut batches: impl Iterator<Item = Result<RecordBatch>> + Send,
    ) -> Result<()> {
        const OPERATION: &str = "insert rows";
        let failed = appender_failure(OPERATION);
        let place = "SELECT current_database(), current_schema()";
        let (catalog, schema): (String, String) = self
            .connection()
            .query_row(place, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(failure(OPERATION))?;
        let names = || table.columns.iter().map(|(name, ..)| *name);
        let spelt = |name| stored.column(name).map_or(name, |column| &column.name);
        let columns: Vec<&str> = names().map(spelt).collect();
        let mut appender = self
            .connection()
            .appender_with_columns_to_catalog_and_db(table.name, &catalog, &schema, &columns)
            .map_err(&failed)?;
        thread::scope(|scope| {
            let (made, taken) = mpsc::sync_channel(1);
            scope.spawn(move || batches.try_for_each(|batch| made.send(batch)));
            for batch in taken {
                let batch = batch?;
                let schema = batch.schema();
                if !schema.fields().iter().map(|it| it.name()).eq(names()) {
                    return Err(Error::new(Code::Internal, OPERATION).with("table", table.name));
                }
                appender.append_record_batch(batch).map_err(&failed)?;
                appender.flush().map_err(&failed)?;
            }
            Ok(())
        })
    }
}

/// Returns the statement that takes outdated rows out, and the values that are bound to it.
fn delete(table: &str, outdated: &Outdated) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let which = match outdated {
        Outdated::All => String::new(),
        Outdated::Any(all) => {
            let any = all.iter().map(|among| among_sql(among, &mut values));
            format!(" WHERE {}", either(any.collect()))
        }
    };
    (format!("DELETE FROM {}{which}", quoted(table)), values)
}

/// Returns the condition that one of some holds. One alone stays as it is: DuckDB finds rows faster by it.
fn either(conditions: Vec<String>) -> String {
    match conditions.as_slice() {
        [] => "false".to_owned(),
        [one] => one.clone(),
        all => format!("({})", all.join(" OR ")),
    }
}

/// Stands between texts that are bound as one.
const BETWEEN: char = '\u{1f}';

/// Returns the condition that a column holds one of some values, which are bound.
fn among_sql(among: &Among, values: &mut Vec<Value>) -> String {
    let column = quoted(among.column.as_str());
    match &among.values {
        Values::Numbers(numbers) => {
            let list: Vec<String> = numbers.iter().map(i64::to_string).collect();
            values.push(Value::Text(list.join(",")));
            format!(
                "{column} IN (SELECT TRY_CAST(v AS BIGINT) FROM (SELECT unnest(string_split(?, ',')) AS v) \
                 WHERE v <> '')"
            )
        }
        Values::Texts(texts) => {
            let (odd, plain): (Vec<&String>, Vec<&String>) =
                texts.iter().partition(|text| text.contains(BETWEEN));
            let mut all = Vec::new();
            if !plain.is_empty() {
                let plain: Vec<&str> = plain.into_iter().map(String::as_str).collect();
                values.push(Value::Text(plain.join(&BETWEEN.to_string())));
                all.push(format!(
                    "{column} IN (SELECT unnest(string_split(?, chr(31))))"
                ));
            }
            for text in odd {
                values.push(Value::Text(text.clone()));
                all.push(format!("{column} = ?"));
            }
            either(all)
        }
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
        Filter::Among(among) => {
            sql.push_str(&format!(" WHERE {}", among_sql(among, &mut values)));
        }
        Filter::ChangedSince(since) => {
            sql.push_str(" WHERE (epoch_us(_synced_at) >= ? OR epoch_us(_deleted_at) >= ?)");
            values.extend([Value::BigInt(since.micros()), Value::BigInt(since.micros())]);
        }
        Filter::LiveShare {
            column,
            share: (at, of),
        } => {
            let column = quoted(column.as_str());
            sql.push_str(&format!(
                " WHERE _deleted_at IS NULL AND hash(trim(coalesce(CAST({column} AS VARCHAR), ''))) % ? = ?"
            ));
            values.extend([Value::UBigInt((*of).max(1)), Value::UBigInt(*at)]);
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
