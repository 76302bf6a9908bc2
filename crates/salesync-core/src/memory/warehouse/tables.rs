//! Rows in memory: one Arrow value per column.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{Field, Int64Type, Schema, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;

use crate::error::{Code, Error, Result};
use crate::plain::PlainTable;
use crate::schema::ColumnType;
use crate::warehouse::{Among, Values};

/// A row: its columns in order, each an array of one value.
pub(super) type Row = Vec<(String, ArrayRef)>;

/// Cuts a batch into rows.
pub(super) fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let schema = batch.schema();
    let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    (0..batch.num_rows())
        .map(|row| {
            let values = batch.columns().iter().map(|column| column.slice(row, 1));
            names
                .iter()
                .map(|name| (*name).clone())
                .zip(values)
                .collect()
        })
        .collect()
}

/// Returns a row's value in a column, if the row has it and it is not null.
pub(super) fn value<'a>(row: &'a Row, column: &str) -> Option<&'a ArrayRef> {
    row.iter()
        .find(|(name, _)| name == column)
        .map(|(_, value)| value)
        .filter(|value| value.is_valid(0))
}

/// Returns a row's value as text that can be compared: numbers and times sort as text of equal width.
pub(super) fn key_text(row: &Row, column: &str) -> Option<String> {
    let value = value(row, column)?;
    if let Some(times) = value.as_primitive_opt::<TimestampMicrosecondType>() {
        return Some(format!("{:020}", times.value(0)));
    }
    array_value_to_string(value, 0).ok()
}

/// Puts rows together to one batch; no columns named means all columns of the first row.
pub(super) fn to_batch(rows: &[&Row], columns: &[&str]) -> Result<Option<RecordBatch>> {
    let internal = |error| Error::new(Code::Internal, "build a batch").because(error);
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let names: Vec<&str> = if columns.is_empty() {
        first.iter().map(|(name, _)| name.as_str()).collect()
    } else {
        columns.to_vec()
    };
    let mut fields = Vec::with_capacity(names.len());
    let mut arrays = Vec::with_capacity(names.len());
    for name in names {
        let typed = rows.iter().find_map(|row| {
            row.iter()
                .find(|(own, _)| own == name)
                .map(|(_, v)| v.data_type())
        });
        let Some(data_type) = typed else {
            return Err(
                Error::new(Code::StoreSchema, "scan a column that is not there")
                    .with("column", name),
            );
        };
        let values: Vec<ArrayRef> = rows
            .iter()
            .map(|row| {
                value(row, name)
                    .cloned()
                    .unwrap_or_else(|| new_null_array(data_type, 1))
            })
            .collect();
        let borrowed: Vec<_> = values.iter().map(AsRef::as_ref).collect();
        arrays.push(concat(&borrowed).map_err(internal)?);
        fields.push(Field::new(name, data_type.clone(), true));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map(Some)
        .map_err(internal)
}

/// A table without versions: rows in the order in which they were appended, each key once.
#[derive(Debug, Default, Clone)]
pub(super) struct PlainStore {
    columns: &'static [(&'static str, ColumnType, &'static str)],
    rows: BTreeMap<usize, Row>,
    keys: BTreeSet<Vec<Option<String>>>,
}

impl PlainStore {
    /// Makes the table.
    pub(super) fn prepare(&mut self, table: &PlainTable) {
        self.columns = table.columns;
    }

    pub(super) fn append(&mut self, table: &PlainTable, batch: &RecordBatch) {
        self.prepare(table);
        for row in rows_of(batch) {
            if table.key.is_empty() || self.keys.insert(key_of(table, &row)) {
                let last = self.rows.last_key_value().map(|(place, _)| *place);
                self.rows.insert(last.map_or(0, |last| last + 1), row);
            }
        }
    }

    /// Takes rows out.
    pub(super) fn remove(&mut self, table: &PlainTable, outdated: impl Fn(&Row) -> bool) {
        self.rows.retain(|_, row| !outdated(row));
        self.keys = self.rows.values().map(|row| key_of(table, row)).collect();
    }

    /// Returns the names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        let names = self.columns.iter().map(|(name, _, _)| (*name).to_owned());
        names.collect()
    }

    pub(super) fn rows(&self) -> Vec<&Row> {
        self.rows.values().collect()
    }
}

fn key_of(table: &PlainTable, row: &Row) -> Vec<Option<String>> {
    let columns = table.key.iter();
    columns.map(|column| key_text(row, column)).collect()
}

/// Says whether a row holds one of some values.
pub(super) fn is_among(row: &Row, among: &Among) -> bool {
    let Some(value) = value(row, among.column.as_str()) else {
        return false;
    };
    match &among.values {
        Values::Texts(texts) => {
            let text = array_value_to_string(value, 0).unwrap_or_default();
            texts.contains(&text)
        }
        Values::Numbers(numbers) => {
            let number = value.as_primitive_opt::<Int64Type>();
            number.is_some_and(|number| numbers.contains(&number.value(0)))
        }
    }
}
