//! What a warehouse stages of a batch beside its rows, as Arrow columns: states, marks and keys.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};

use crate::batch::{RowKey, State, Tombstone};
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::plain::{PlainRows, count, text};
use crate::record::Value;
use crate::run::RunId;
use crate::time::Timestamp;
use crate::warehouse::SYNC_STATE;

/// Returns states as rows of [`SYNC_STATE`].
///
/// # Errors
/// [`Code::Internal`] where the rows do not fit the table.
pub fn states(states: &[State]) -> Result<RecordBatch> {
    let mut rows = PlainRows::new(&SYNC_STATE)?;
    for state in states {
        let cursor = state.cursor.as_ref().map(Cursor::to_json);
        rows.push(&[
            text(Some(&state.id.source)),
            text(Some(&state.id.stream)),
            text(state.id.part.as_deref()),
            text(Some(state.slot.as_str())),
            count(state.generation),
            count(state.epoch),
            count(state.seq),
            text(Some(state.run_id.as_str())),
            cursor.map_or(Value::Null, |cursor| Value::Text(cursor.into())),
            Value::Timestamp(state.source_clock),
            Value::Timestamp(state.committed_at),
            text(Some(env!("CARGO_PKG_VERSION"))),
        ])?;
    }
    rows.finish().map(|(_, rows)| rows)
}

/// Returns the id of a run that is stored as text.
///
/// # Errors
/// [`Code::StoreCorrupt`] where it is none.
pub fn run_id(text: String) -> Result<RunId> {
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|error| Error::new(Code::StoreCorrupt, "read a run's id").because(error))
}

/// Returns marks as columns `id`, `version`, `at`, `reason` and `merged_into`, and the key's first column where it
/// has two.
///
/// # Errors
/// [`Code::Internal`] where the columns differ in length.
pub fn marks(part: Option<&str>, tombstones: &[Tombstone]) -> Result<RecordBatch> {
    let texts = |text: fn(&Tombstone) -> Option<&str>| -> ArrayRef {
        Arc::new(tombstones.iter().map(text).collect::<StringArray>())
    };
    let times = |time: fn(&Tombstone) -> Timestamp| -> ArrayRef {
        let times = tombstones.iter().map(|it| Some(time(it).micros()));
        let times: TimestampMicrosecondArray = times.collect();
        Arc::new(times.with_timezone("UTC"))
    };
    let mut columns = vec![
        ("id", texts(|it| Some(&it.key.id))),
        ("version", times(|it| it.version)),
        ("at", times(|it| it.deletion.at)),
        ("reason", texts(|it| Some(it.deletion.reason.as_str()))),
        (
            "merged_into",
            texts(|it| it.deletion.merged_into.as_deref()),
        ),
    ];
    if let Some(part) = part {
        columns.push((part, texts(|it| it.key.part.as_deref())));
    }
    columns_of(columns)
}

/// Returns keys as columns `part` and `id`.
///
/// # Errors
/// [`Code::Internal`] where the columns differ in length.
pub fn keys(keys: &[RowKey]) -> Result<RecordBatch> {
    let texts = |text: fn(&RowKey) -> Option<&str>| -> ArrayRef {
        Arc::new(keys.iter().map(text).collect::<StringArray>())
    };
    columns_of(vec![
        ("part", texts(|key| key.part.as_deref())),
        ("id", texts(|key| Some(&key.id))),
    ])
}

/// Returns whether a batch says of some record that it lives on in another one.
#[must_use]
pub fn names_a_survivor(rows: &RecordBatch, tombstones: &[Tombstone]) -> bool {
    rows.column_by_name("_merged_into")
        .is_some_and(|column| column.null_count() < column.len())
        || tombstones
            .iter()
            .any(|tombstone| tombstone.deletion.merged_into.is_some())
}

/// Returns named columns as a batch; every one may hold nulls.
///
/// # Errors
/// [`Code::Internal`] where the columns differ in length.
pub fn columns_of(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let columns = columns
        .into_iter()
        .map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|error| Error::new(Code::Internal, "put columns together").because(error))
}
