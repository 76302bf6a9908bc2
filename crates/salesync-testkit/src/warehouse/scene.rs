//! A table with a few columns, and short ways to write to it and to look at it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use salesync_core::batch::{Batch, Committed, RowBuffer, TableWrite, Tombstone};
use salesync_core::record::{Change, Deletion, DeletionReason, Value};
use salesync_core::run::RunId;
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::time::Timestamp;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Filter, Scan, Warehouse};

/// A row as it was read: the text of each value by column; nulls are left out, times are microseconds.
pub type Row = BTreeMap<String, String>;

/// A warehouse with a prepared table.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The warehouse under test.
    pub warehouse: Arc<dyn Warehouse>,
    /// The table that the promises are tried on.
    pub table: Arc<Table>,
    pub(super) run_id: RunId,
}

/// Returns the instant so many seconds after the scene's beginning.
pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + secs * 1_000)
}

/// Returns a table of that name with these columns.
pub(super) fn table(name: &str, columns: &[(&str, ColumnType)]) -> Arc<Table> {
    let columns = columns
        .iter()
        .map(|(name, column_type)| Column::new(name, *column_type, format!("It's {name}")).unwrap())
        .collect();
    Arc::new(Table::new(name, "What the contract suite writes", columns).unwrap())
}

/// Returns the state of a record with one text.
pub(super) fn said<'a>(key: &'a str, version: i64, text: &'a str) -> Change<'a> {
    Change {
        key: key.into(),
        version: at(version),
        values: vec![Value::Text(text.into())],
        extra: Vec::new(),
        deletion: None,
        replaces: Vec::new(),
    }
}

/// Returns the state of a record that is gone.
pub(super) fn gone<'a>(key: &'a str, version: i64, text: &'a str) -> Change<'a> {
    Change {
        deletion: Some(deleted(version)),
        ..said(key, version, text)
    }
}

/// Returns the mark of a plain deletion.
pub(super) fn deleted(version: i64) -> Deletion {
    Deletion {
        at: at(version),
        reason: DeletionReason::Deleted,
        merged_into: None,
    }
}

/// Returns the mark for a record that the source no longer has.
pub(super) fn absent(key: &str, version: i64) -> Tombstone {
    let deletion = Deletion {
        at: at(version),
        reason: DeletionReason::Absent,
        merged_into: None,
    };
    Tombstone {
        key: key.into(),
        version: at(version),
        deletion,
    }
}

/// Returns the mark for a record that lives on in another.
pub(super) fn merged(key: &str, into: &str, version: i64) -> Tombstone {
    let deletion = Deletion {
        at: at(version),
        reason: DeletionReason::MergedInto,
        merged_into: Some(into.to_owned()),
    };
    Tombstone {
        key: key.into(),
        version: at(version),
        deletion,
    }
}

impl Scene {
    /// Prepares a table with one text column, `name`.
    pub async fn new(warehouse: Arc<dyn Warehouse>) -> Self {
        Self::with_columns(warehouse, &[("name", ColumnType::Text)]).await
    }

    pub(super) async fn with_columns(
        warehouse: Arc<dyn Warehouse>,
        columns: &[(&str, ColumnType)],
    ) -> Self {
        let table = table("testkit_things", columns);
        warehouse.prepare(&table).await.unwrap();
        Self {
            warehouse,
            table,
            run_id: RunId::new(at(0)),
        }
    }

    /// The same scene after the table was prepared with other columns.
    pub(super) async fn reshaped(&self, columns: &[(&str, ColumnType)]) -> Self {
        Self::with_columns(Arc::clone(&self.warehouse), columns).await
    }

    /// Returns a write of these records, read at second `read_at`.
    pub(super) fn write(&self, read_at: i64, changes: &[Change<'_>]) -> TableWrite {
        write(&self.table, &self.run_id, read_at, changes)
    }

    /// Returns a batch of these records, read at second `read_at`.
    pub(super) fn batch(&self, read_at: i64, changes: &[Change<'_>]) -> Batch {
        self.write(read_at, changes).into()
    }

    pub(super) async fn commit(&self, read_at: i64, changes: &[Change<'_>]) -> Committed {
        self.commit_write(self.write(read_at, changes)).await
    }

    pub(super) async fn commit_write(&self, write: TableWrite) -> Committed {
        let committed = self.warehouse.commit(write.into()).await.unwrap();
        committed[0]
    }

    pub(super) async fn mark(&self, tombstones: Vec<Tombstone>) -> Committed {
        let write = TableWrite {
            tombstones,
            ..self.write(0, &[])
        };
        self.commit_write(write).await
    }

    /// Returns all rows by key; a key that is there twice fails the test.
    pub(super) async fn rows(&self) -> BTreeMap<String, Row> {
        read_by_key(&*self.warehouse, &self.scan(Filter::All)).await
    }

    pub(super) async fn row(&self, key: &str) -> Row {
        self.rows().await.remove(key).expect("the row is there")
    }

    pub(super) fn scan(&self, filter: Filter) -> Scan {
        Scan {
            filter,
            ..Scan::of(self.table.name().clone())
        }
    }

    pub(super) async fn keys(&self, filter: Filter) -> Vec<String> {
        let rows = read(&*self.warehouse, &self.scan(filter)).await;
        let mut keys: Vec<String> = rows.into_iter().map(|row| row["id"].clone()).collect();
        keys.sort();
        keys
    }
}

/// Returns a write of these records to a table, read at second `read_at`.
pub(super) fn write(
    table: &Arc<Table>,
    run_id: &RunId,
    read_at: i64,
    changes: &[Change<'_>],
) -> TableWrite {
    let mut buffer = RowBuffer::new(table, run_id).unwrap();
    for change in changes {
        buffer.push(change, at(read_at), 1).unwrap();
    }
    buffer.finish().unwrap()
}

/// Reads rows in the order of the scan.
pub async fn read(warehouse: &dyn Warehouse, scan: &Scan) -> Vec<Row> {
    let batches = warehouse.scan(scan).await.unwrap();
    batches.iter().flat_map(rows_of).collect()
}

/// Reads rows by key; a key that is there twice fails the test.
pub async fn read_by_key(warehouse: &dyn Warehouse, scan: &Scan) -> BTreeMap<String, Row> {
    let rows = read(warehouse, scan).await;
    let count = rows.len();
    let rows: BTreeMap<String, Row> = rows
        .into_iter()
        .map(|row| (row["id"].clone(), row))
        .collect();
    assert_eq!(rows.len(), count, "a key is there more than once");
    rows
}

fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let schema = batch.schema();
    (0..batch.num_rows())
        .map(|row| {
            let named = schema.fields().iter().zip(batch.columns());
            named
                .filter(|(_, column)| column.is_valid(row))
                .map(|(field, column)| (field.name().to_lowercase(), value_text(column, row)))
                .collect()
        })
        .collect()
}

fn value_text(column: &dyn Array, row: usize) -> String {
    if *column.data_type() == DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())) {
        return column
            .as_primitive::<TimestampMicrosecondType>()
            .value(row)
            .to_string();
    }
    array_value_to_string(column, row).unwrap()
}

/// Returns a checked name.
pub(super) fn name(text: &str) -> SqlIdentifier {
    SqlIdentifier::parse(text).unwrap()
}

/// Returns the microseconds of a second of the scene, as text.
pub(super) fn micros(secs: i64) -> String {
    at(secs).micros().to_string()
}
