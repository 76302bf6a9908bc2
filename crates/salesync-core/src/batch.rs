//! What becomes durable together: rows, marks of deletion, dead letters, ledger and cursor.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::plain::PlainTable;
use crate::record::{Change, Deletion, DeletionReason, Value};
use crate::rows::ColumnBuilder;
use crate::run::RunId;
use crate::schema::{SYSTEM_COLUMNS, Table};
use crate::time::Timestamp;

/// Which cursor of a stream is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The cursor of the scheduled syncs.
    Incremental,
    /// The cursor of a full sync, forgotten when it has caught up.
    Full,
}

impl Slot {
    /// Returns the slot as it stands in `sync_state`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incremental => "incremental",
            Self::Full => "full",
        }
    }
}

/// A stream of a source, or one part of it, as the state log names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The source's name.
    pub source: String,
    /// The stream's name.
    pub stream: String,
    /// The part, of a stream that is read in parts.
    pub part: Option<String>,
}

/// One row of the state log: true by itself, never updated.
///
/// The current state is the row with the largest (generation, epoch, seq, run id).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The stream.
    pub id: StreamId,
    /// Which of its cursors.
    pub slot: Slot,
    /// Rises only when an operator resets the stream.
    pub generation: u64,
    /// The number of the run since the reset.
    pub epoch: u64,
    /// The number of the commit in the run.
    pub seq: u64,
    /// The run.
    pub run_id: RunId,
    /// Everything below it is durable; `None` where nothing is (or the slot was forgotten).
    pub cursor: Option<Cursor>,
    /// The source's clock when the run began.
    pub source_clock: Timestamp,
    /// When the row was written.
    pub committed_at: Timestamp,
}

impl State {
    /// Returns what the log is ordered by.
    #[must_use]
    pub fn order(&self) -> (u64, u64, u64, &str) {
        (self.generation, self.epoch, self.seq, self.run_id.as_str())
    }
}

/// What a row of a raw table is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The part that the row is of, where the table's key has one.
    pub part: Option<String>,
    /// The record's id.
    pub id: String,
}

impl From<&str> for RowKey {
    /// Returns the key of a row of a table without parts.
    fn from(id: &str) -> Self {
        Self {
            part: None,
            id: id.to_owned(),
        }
    }
}

/// A mark of deletion for a row whose record the source no longer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The row's key.
    pub key: RowKey,
    /// The version in which the record was gone; a row in a newer one stays as it is.
    pub version: Timestamp,
    /// When and why it went.
    pub deletion: Deletion,
}

/// What is noted about the keys that a reading of everything has seen, so that its end can tell which rows
/// are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The reading begins: earlier notes are forgotten, the keys are noted.
    Begin,
    /// The reading goes on: the keys are noted.
    Add,
    /// The reading has ended: all notes are forgotten.
    Forget,
}

/// What is noted about the keys of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The part; `None` in a table without parts.
    pub part: Option<String>,
    /// What is noted.
    pub seen: Seen,
}

/// What a commit does to one raw table.
#[derive(Debug, Clone)]
pub struct TableWrite {
    /// The table.
    pub table: Arc<Table>,
    /// Rows under [`Table::arrow`]; no key occurs twice.
    pub rows: RecordBatch,
    /// Marks for rows that the source no longer shows; no key occurs twice.
    pub tombstones: Vec<Tombstone>,
    /// What is noted about the keys in `rows` and `rejected`, for each part of which something is.
    pub notes: Vec<Note>,
    /// Keys of rejected records, which a reading of everything has seen too.
    pub rejected: Vec<RowKey>,
}

impl TableWrite {
    /// Returns a write that does nothing to `table`.
    #[must_use]
    pub fn nothing(table: &Arc<Table>) -> Self {
        Self {
            rows: RecordBatch::new_empty(Arc::clone(table.arrow())),
            table: Arc::clone(table),
            tombstones: Vec::new(),
            notes: Vec::new(),
            rejected: Vec::new(),
        }
    }

    /// Returns whether the write does anything; one that does nothing does not need the table to exist.
    #[must_use]
    pub fn is_something(&self) -> bool {
        self.rows.num_rows() > 0 || !self.tombstones.is_empty() || !self.notes.is_empty()
    }
}

/// What [`crate::warehouse::Warehouse::commit`] makes durable together.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// What is done to raw tables, each named once; the table of details comes after its owner's.
    pub writes: Vec<TableWrite>,
    /// Rows of the state log: one for each part that was read, and of both slots when a full sync ends.
    pub states: Vec<State>,
    /// Rows of the shared logs: dead letters, ledger, runs, schema changes.
    pub appends: Vec<(&'static PlainTable, RecordBatch)>,
}

impl From<TableWrite> for Batch {
    fn from(write: TableWrite) -> Self {
        Self {
            writes: vec![write],
            ..Self::default()
        }
    }
}

/// What a commit did with the rows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Committed {
    /// Rows that were not there before.
    pub new: u64,
    /// Rows that are now in a newer state.
    pub changed: u64,
    /// Rows that said the same already.
    pub unchanged: u64,
    /// Rows that were older than what is there.
    pub older_ignored: u64,
    /// Rows that are now marked as gone.
    pub tombstoned: u64,
    /// Rows marked as gone that no fetched record stands for: by a [`Tombstone`], or as details that their
    /// owner no longer has.
    pub marked: u64,
    /// Bytes that the warehouse bills for the whole commit, stated with its first write; a file bills none.
    pub bytes_billed: u64,
}

impl Committed {
    /// Adds what another commit did.
    pub fn add(&mut self, other: &Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.older_ignored += other.older_ignored;
        self.tombstoned += other.tombstoned;
        self.marked += other.marked;
        self.bytes_billed += other.bytes_billed;
    }
}

/// Gathers changes of one table into Arrow columns; of a key that comes twice the newer state stays: by
/// version, then by when it was read, then by its place in the page.
#[derive(Debug)]
pub struct RowBuffer {
    table: Arc<Table>,
    run_id: RunId,
    key: ColumnBuilder,
    own: Vec<ColumnBuilder>,
    system: Vec<ColumnBuilder>,
    by_key: HashMap<Box<str>, Place>,
    dropped: Vec<usize>,
    tombstones: HashMap<RowKey, Deletion>,
    size_bytes: usize,
}

/// Where a key's row stands in the buffer, and what decides against another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    version: Timestamp,
    read_at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    row: usize,
    rank: Rank,
}

impl RowBuffer {
    /// Returns an empty buffer for `table`; its rows will name `run_id`.
    ///
    /// # Errors
    /// [`Code::Internal`] where a column's type can't be built.
    pub fn new(table: &Arc<Table>, run_id: &RunId) -> Result<Self> {
        let own = table
            .columns()
            .iter()
            .map(|c| ColumnBuilder::new(c.column_type))
            .collect::<Result<_>>()?;
        let system = SYSTEM_COLUMNS
            .iter()
            .map(|(_, t, _)| ColumnBuilder::new(*t))
            .collect::<Result<_>>()?;
        Ok(Self {
            table: Arc::clone(table),
            run_id: run_id.clone(),
            key: ColumnBuilder::new(crate::schema::ColumnType::Text)?,
            own,
            system,
            by_key: HashMap::new(),
            dropped: Vec::new(),
            tombstones: HashMap::new(),
            size_bytes: 0,
        })
    }

    /// Adds a change that was read at `read_at`; `size_bytes` is what it weighs.
    /// Returns whether the key was there already (one of the two states is dropped then).
    ///
    /// # Errors
    /// [`Code::Internal`] where the change does not fit the table.
    pub fn push(
        &mut self,
        change: &Change<'_>,
        read_at: Timestamp,
        size_bytes: usize,
    ) -> Result<bool> {
        if change.values.len() != self.own.len() {
            return Err(Error::new(Code::Internal, "append a row").with("table", self.table.name()));
        }
        let part = part_of(&self.table, change);
        for key in change.replaces.iter().filter(|key| **key != change.key) {
            let deletion = Deletion {
                at: change.version,
                reason: DeletionReason::MergedInto,
                merged_into: Some(change.key.to_string()),
            };
            let key = RowKey {
                part: part.map(str::to_owned),
                id: key.clone(),
            };
            self.tombstones.insert(key, deletion);
        }
        let row = self.key.len();
        let rank = Rank {
            version: change.version,
            read_at,
        };
        let key: Cow<'_, str> = match part {
            None => Cow::Borrowed(change.key.as_ref()),
            Some(part) => Cow::Owned(format!("{part}\0{}", change.key)),
        };
        let known = self.by_key.get(key.as_ref()).copied();
        if let Some(known) = known {
            if known.rank > rank {
                return Ok(true);
            }
            self.dropped.push(known.row);
        }
        self.by_key.insert(key.as_ref().into(), Place { row, rank });
        self.size_bytes += size_bytes;
        self.append(change, read_at)?;
        Ok(known.is_some())
    }

    fn append(&mut self, change: &Change<'_>, read_at: Timestamp) -> Result<()> {
        self.key.push(&Value::Text(change.key.as_ref().into()))?;
        for (builder, value) in self.own.iter_mut().zip(&change.values) {
            builder.push(value)?;
        }
        let deletion = change.deletion.as_ref();
        let merged_into = deletion.and_then(|deletion| deletion.merged_into.as_deref());
        let system = [
            extra_json(&change.extra).map_or(Value::Null, |json| Value::Text(json.into())),
            Value::Timestamp(change.version),
            Value::Timestamp(read_at),
            Value::Text(self.run_id.as_str().into()),
            deletion.map_or(Value::Null, |deletion| Value::Timestamp(deletion.at)),
            deletion.map_or(Value::Null, |deletion| {
                Value::Text(deletion.reason.as_str().into())
            }),
            merged_into.map_or(Value::Null, |id| Value::Text(id.into())),
        ];
        self.system
            .iter_mut()
            .zip(&system)
            .try_for_each(|(builder, value)| builder.push(value))
    }

    /// Returns how much the buffer weighs.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Returns how many rows the buffer holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Returns whether the buffer holds neither rows nor marks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty() && self.tombstones.is_empty()
    }

    /// Returns the write of the rows, each key once, and of the marks that merges left; the buffer is empty
    /// again.
    ///
    /// # Errors
    /// [`Code::Internal`] where the columns differ in length.
    pub fn finish(&mut self) -> Result<TableWrite> {
        let internal = |error| Error::new(Code::Internal, "build a batch").because(error);
        let columns = std::iter::once(&mut self.key)
            .chain(self.own.iter_mut())
            .chain(self.system.iter_mut())
            .map(ColumnBuilder::finish)
            .collect();
        let mut rows =
            RecordBatch::try_new(Arc::clone(self.table.arrow()), columns).map_err(internal)?;
        if !self.dropped.is_empty() {
            let mut keep = vec![true; rows.num_rows()];
            for row in &self.dropped {
                if let Some(flag) = keep.get_mut(*row) {
                    *flag = false;
                }
            }
            rows = filter_record_batch(&rows, &BooleanArray::from(keep)).map_err(internal)?;
        }
        self.by_key.clear();
        self.dropped.clear();
        self.size_bytes = 0;
        let mut tombstones: Vec<Tombstone> = self
            .tombstones
            .drain()
            .map(|(key, deletion)| Tombstone {
                key,
                version: deletion.at,
                deletion,
            })
            .collect();
        tombstones.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(TableWrite {
            rows,
            tombstones,
            ..TableWrite::nothing(&self.table)
        })
    }
}

/// Returns the part that a change is of, where the table's key has one.
fn part_of<'a>(table: &Table, change: &'a Change<'_>) -> Option<&'a str> {
    match change.values.get(table.part_position()?)? {
        Value::Text(part) => Some(part.as_ref()),
        _ => None,
    }
}

fn extra_json(extra: &[(Cow<'_, str>, Cow<'_, str>)]) -> Option<String> {
    if extra.is_empty() {
        return None;
    }
    let mut sorted: Vec<_> = extra.iter().collect();
    sorted.sort();
    let fields: Vec<String> = sorted
        .iter()
        .map(|(name, json)| {
            format!(
                "{}:{}",
                serde_json::Value::from(name.as_ref()),
                json.replace("\\u0000", "\\ufffd")
            )
        })
        .collect();
    Some(format!("{{{}}}", fields.join(",")))
}

#[cfg(test)]
mod tests {
    use arrow::array::cast::AsArray;

    use super::*;
    use crate::schema::{Column, ColumnType};

    fn change(key: &'static str, version: i64, text: &'static str) -> Change<'static> {
        Change {
            key: key.into(),
            version: Timestamp::from_millis(version),
            values: vec![Value::Text(text.into())],
            extra: Vec::new(),
            deletion: None,
            replaces: Vec::new(),
        }
    }

    fn buffer() -> RowBuffer {
        let columns = vec![Column::new("name", ColumnType::Text, "").unwrap()];
        let table = Arc::new(Table::new("t", "", columns).unwrap());
        RowBuffer::new(&table, &RunId::new(Timestamp::EPOCH)).unwrap()
    }

    #[test]
    fn of_a_key_that_comes_twice_the_newer_version_stays_whatever_the_order() {
        let histories = [("a", 1, "old", 9), ("a", 2, "new", 9), ("b", 1, "only", 9)];
        for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
            let mut buffer = buffer();
            let mut twice = 0;
            for index in order {
                let (key, version, text, read_at) = histories[index];
                let read_at = Timestamp::from_millis(read_at);
                twice += usize::from(
                    buffer
                        .push(&change(key, version, text), read_at, 1)
                        .unwrap(),
                );
            }
            let rows = buffer.finish().unwrap().rows;
            let mut names: Vec<_> = rows
                .column(1)
                .as_string::<i32>()
                .iter()
                .map(Option::unwrap)
                .collect();
            names.sort_unstable();
            assert_eq!((names, twice), (vec!["new", "only"], 1));
        }
    }

    #[test]
    fn of_one_version_the_state_that_was_read_later_stays() {
        let mut buffer = buffer();
        buffer
            .push(&change("a", 1, "later"), Timestamp::from_millis(8), 1)
            .unwrap();
        buffer
            .push(&change("a", 1, "earlier"), Timestamp::from_millis(7), 1)
            .unwrap();
        let rows = buffer.finish().unwrap().rows;
        assert_eq!(rows.column(1).as_string::<i32>().value(0), "later");
    }

    #[test]
    fn a_record_that_replaces_others_marks_them_as_merged_into_it() {
        let mut buffer = buffer();
        let merged = Change {
            replaces: vec!["a".into(), "b".into()],
            ..change("c", 3, "x")
        };
        buffer.push(&merged, Timestamp::EPOCH, 1).unwrap();
        let tombstones = buffer.finish().unwrap().tombstones;
        assert_eq!(tombstones.len(), 2);
        assert!(
            tombstones
                .iter()
                .all(|t| t.deletion.merged_into.as_deref() == Some("c"))
        );
    }
}
