//! The merge: the newer version of a record stays, whoever brings it and whenever.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::TimestampMicrosecondType;

use super::tables::{Row, key_text, rows_of, value};
use crate::batch::{Committed, Tombstone};
use crate::error::{Code, Error, Result};
use crate::record::DeletionReason;
use crate::schema::{ColumnType, SchemaChange, Table};
use crate::warehouse::Filter;

/// Columns that say how a row came here, not what the record says.
const NOT_CONTENT: [&str; 3] = ["_version", "_synced_at", "_run_id"];

/// A raw table.
#[derive(Debug, Default, Clone)]
pub(super) struct RawTable {
    columns: Vec<(String, ColumnType)>,
    rows: BTreeMap<String, Row>,
    pub(super) seen: HashSet<String>,
}

impl RawTable {
    pub(super) fn prepare(&mut self, table: &Table) -> Result<Vec<SchemaChange>> {
        let name = || table.name().as_str().to_owned();
        let mut changes = Vec::new();
        if self.columns.is_empty() {
            changes.push(SchemaChange::Created { table: name() });
            self.columns = table
                .all_columns()
                .map(|(name, t, _)| (name.to_owned(), t))
                .collect();
        }
        for (column, column_type, _) in table.all_columns() {
            match self
                .columns
                .iter_mut()
                .find(|(known, _)| known.eq_ignore_ascii_case(column))
            {
                None => {
                    self.columns.push((column.to_owned(), column_type));
                    changes.push(SchemaChange::Added {
                        table: name(),
                        column: column.to_owned(),
                    });
                }
                Some((_, known)) if known.widened(column_type) != *known => {
                    *known = known.widened(column_type);
                    changes.push(SchemaChange::Widened {
                        table: name(),
                        column: column.to_owned(),
                    });
                }
                Some(_) => {}
            }
        }
        let keys: Vec<String> = self.rows.keys().cloned().collect();
        for key in keys {
            if let Some(row) = self.rows.remove(&key) {
                self.rows.insert(key, self.conform(&row)?);
            }
        }
        Ok(changes)
    }

    /// Brings a row under the table's columns and types.
    fn conform(&self, row: &Row) -> Result<Row> {
        let conformed = self.columns.iter().map(|(name, column_type)| {
            let wanted = column_type.arrow();
            let held = row
                .iter()
                .find(|(own, _)| own.eq_ignore_ascii_case(name))
                .map(|(_, value)| value);
            let value = match held {
                None => new_null_array(&wanted, 1),
                Some(value) => cast(value, &wanted).map_err(|error| {
                    Error::new(Code::StoreSchema, "fit a row into its table").because(error)
                })?,
            };
            Ok((name.clone(), value))
        });
        conformed.collect()
    }

    pub(super) fn merge(&mut self, batch: &RecordBatch) -> Result<Committed> {
        let mut committed = Committed::default();
        for row in rows_of(batch) {
            let row = self.conform(&row)?;
            let Some(key) = key_text(&row, "id") else {
                return Err(Error::new(Code::Internal, "merge a row without a key"));
            };
            let gone = value(&row, "_deleted_at").is_some();
            let old = self.rows.get(&key);
            let was_gone = old.is_some_and(|old| value(old, "_deleted_at").is_some());
            match old.map(|old| compare(old, &row)) {
                Some(Verdict::Older) => committed.older_ignored += 1,
                Some(Verdict::Same) => committed.unchanged += 1,
                _ if gone && !was_gone => committed.tombstoned += 1,
                None => committed.new += 1,
                Some(Verdict::Newer) => committed.changed += 1,
            }
            if !matches!(
                old.map(|old| compare(old, &row)),
                Some(Verdict::Older | Verdict::Same)
            ) {
                self.rows.insert(key, row);
            }
        }
        Ok(committed)
    }

    /// Marks rows as gone; the end of every chain of merges is the survivor.
    pub(super) fn mark(&mut self, tombstones: &[Tombstone]) -> u64 {
        let mut marked = 0;
        for tombstone in tombstones {
            let deletion = &tombstone.deletion;
            let at = timestamp(deletion.at.micros());
            let row = match self.rows.get(&tombstone.key) {
                Some(row) if micros(row, "_version") > deletion.at.micros() => continue,
                Some(row)
                    if key_text(row, "_deleted_reason").as_deref()
                        == Some(deletion.reason.as_str())
                        && (deletion.reason != DeletionReason::MergedInto
                            || value(row, "_merged_into").is_some()) =>
                {
                    continue;
                }
                Some(row) => row.clone(),
                None => self
                    .columns
                    .iter()
                    .map(|(name, column_type)| match name.as_str() {
                        "id" => (name.clone(), text(&tombstone.key)),
                        "_synced_at" => (name.clone(), Arc::clone(&at)),
                        "_run_id" => (name.clone(), text("")),
                        _ => (name.clone(), new_null_array(&column_type.arrow(), 1)),
                    })
                    .collect(),
            };
            let marks: [(&str, ArrayRef); 4] = [
                ("_version", Arc::clone(&at)),
                ("_deleted_at", at),
                ("_deleted_reason", text(deletion.reason.as_str())),
                (
                    "_merged_into",
                    Arc::new(StringArray::from(vec![deletion.merged_into.clone()])),
                ),
            ];
            self.rows.insert(tombstone.key.clone(), with(row, &marks));
            marked += 1;
        }
        self.follow_merges();
        marked
    }

    fn follow_merges(&mut self) {
        let into: BTreeMap<String, String> = self
            .rows
            .iter()
            .filter_map(|(key, row)| Some((key.clone(), key_text(row, "_merged_into")?)))
            .collect();
        for (key, first) in &into {
            let mut end = first;
            let mut steps = 0;
            while let Some(next) = into.get(end).filter(|_| steps < into.len()) {
                end = next;
                steps += 1;
            }
            if end != first
                && end != key
                && let Some(row) = self.rows.remove(key)
            {
                self.rows
                    .insert(key.clone(), with(row, &[("_merged_into", text(end))]));
            }
        }
    }

    pub(super) fn rows_for(&self, filter: &Filter) -> Vec<&Row> {
        let live = |row: &Row| value(row, "_deleted_at").is_none();
        self.rows
            .iter()
            .filter(|(key, row)| match filter {
                Filter::All | Filter::Equal(_) => true,
                Filter::Live => live(row),
                Filter::Unseen { before } => {
                    live(row)
                        && micros(row, "_synced_at") < before.micros()
                        && !self.seen.contains(*key)
                }
            })
            .map(|(_, row)| row)
            .collect()
    }
}

enum Verdict {
    Older,
    Same,
    Newer,
}

/// Says what a new state is to the old one: by version, then by content, then by when it was read.
fn compare(old: &Row, new: &Row) -> Verdict {
    match micros(new, "_version").cmp(&micros(old, "_version")) {
        std::cmp::Ordering::Less => Verdict::Older,
        std::cmp::Ordering::Greater => Verdict::Newer,
        std::cmp::Ordering::Equal if same_content(old, new) => Verdict::Same,
        std::cmp::Ordering::Equal if micros(new, "_synced_at") > micros(old, "_synced_at") => {
            Verdict::Newer
        }
        std::cmp::Ordering::Equal => Verdict::Older,
    }
}

fn same_content(old: &Row, new: &Row) -> bool {
    old.iter()
        .filter(|(name, _)| !NOT_CONTENT.contains(&name.as_str()))
        .all(|(name, _)| value(old, name) == value(new, name))
}

fn micros(row: &Row, column: &str) -> i64 {
    value(row, column)
        .and_then(|value| value.as_primitive_opt::<TimestampMicrosecondType>())
        .map_or(i64::MIN, |value| value.value(0))
}

fn text(value: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

fn timestamp(micros: i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
}

fn with(mut row: Row, marks: &[(&str, ArrayRef)]) -> Row {
    for (name, value) in &mut row {
        if let Some((_, mark)) = marks.iter().find(|(own, _)| own == name) {
            *value = Arc::clone(mark);
        }
    }
    row
}
