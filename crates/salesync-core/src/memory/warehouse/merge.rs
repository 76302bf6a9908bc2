//! The merge: the newer version of a record stays, whoever brings it and whenever.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::TimestampMicrosecondType;
use twox_hash::XxHash3_64;

use super::tables::{Row, key_text, rows_of, value};
use crate::batch::{Committed, RowKey, Seen, TableWrite, Tombstone};
use crate::error::{Code, Error, Result};
use crate::record::{Deletion, DeletionReason};
use crate::schema::{ColumnType, SchemaChange, Table, is_content};
use crate::time::Timestamp;
use crate::warehouse::Filter;

/// A raw table.
#[derive(Debug, Default, Clone)]
pub(super) struct RawTable {
    columns: Vec<(String, ColumnType)>,
    part: Option<String>,
    rows: BTreeMap<RowKey, Row>,
    seen: HashSet<RowKey>,
}

/// What came in one batch of owners and their details.
#[derive(Debug)]
pub(super) struct Came {
    /// The owners that it names, also those that it only marks.
    pub(super) named: BTreeSet<RowKey>,
    /// The owners that came, with their versions.
    pub(super) owners: BTreeMap<RowKey, i64>,
    /// The details that came, with theirs.
    pub(super) details: BTreeMap<RowKey, i64>,
}

impl RawTable {
    /// Returns the names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn prepare(&mut self, table: &Table) -> Result<Vec<SchemaChange>> {
        let name = || table.name().as_str().to_owned();
        let mut changes = Vec::new();
        self.part = table.part().map(|part| part.name.as_str().to_owned());
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
        let keys: Vec<RowKey> = self.rows.keys().cloned().collect();
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

    /// Merges `rows` and sets the marks and notes of a write.
    pub(super) fn apply(&mut self, write: &TableWrite, rows: &RecordBatch) -> Result<Committed> {
        let mut committed = self.merge(rows)?;
        committed.marked = self.mark(&write.tombstones);
        self.note(write);
        Ok(committed)
    }

    /// Returns the key of a row.
    fn key_of(&self, row: &Row) -> Option<RowKey> {
        let part = self.part.as_ref().and_then(|column| key_text(row, column));
        let id = key_text(row, "id")?;
        Some(RowKey { part, id })
    }

    /// Returns how each row stands.
    pub(super) fn standings(&self) -> BTreeMap<RowKey, Standing> {
        let standing = |row: &Row| {
            let live = value(row, "_deleted_at").is_none();
            let at = if live { "_synced_at" } else { "_deleted_at" };
            Standing {
                version: micros(row, "_version"),
                at: micros(row, at),
                live,
            }
        };
        let rows = self.rows.iter();
        rows.map(|(key, row)| (key.clone(), standing(row)))
            .collect()
    }

    /// Returns the keys that a write to the table names: those of its rows and of its marks.
    pub(super) fn named_by(&self, write: &TableWrite) -> BTreeSet<RowKey> {
        let rows = rows_of(&write.rows);
        let of_rows = rows.iter().filter_map(|row| self.key_of(row));
        let of_marks = write.tombstones.iter().map(|mark| mark.key.clone());
        of_rows.chain(of_marks).collect()
    }

    /// Returns the version in which each row of a batch came.
    pub(super) fn came_with(&self, rows: &RecordBatch) -> BTreeMap<RowKey, i64> {
        let rows = rows_of(rows).into_iter();
        rows.filter_map(|row| Some((self.key_of(&row)?, micros(&row, "_version"))))
            .collect()
    }

    /// Returns which row of another table each row names in `column`.
    pub(super) fn naming(&self, column: &str) -> BTreeMap<RowKey, RowKey> {
        let rows = self.rows.iter();
        rows.filter_map(|(key, row)| Some((key.clone(), self.named_in(row, column)?)))
            .collect()
    }

    fn named_in(&self, row: &Row, column: &str) -> Option<RowKey> {
        let part = self.part.as_ref().and_then(|part| key_text(row, part));
        let id = key_text(row, column)?;
        Some(RowKey { part, id })
    }

    /// Returns the rows of a batch whose owner is there in no newer state, and how many others there are.
    pub(super) fn of_present_owners(
        &self,
        batch: &RecordBatch,
        (column, owners): (&str, &BTreeMap<RowKey, Standing>),
    ) -> Result<(RecordBatch, u64)> {
        let keep: BooleanArray = rows_of(batch)
            .iter()
            .map(|row| {
                let owner = self.named_in(row, column);
                let standing = owner.and_then(|owner| owners.get(&owner));
                Some(standing.is_some_and(|owner| owner.version <= micros(row, "_version")))
            })
            .collect();
        let internal = |error| Error::new(Code::Internal, "merge details").because(error);
        let kept = filter_record_batch(batch, &keep).map_err(internal)?;
        let ignored = batch.num_rows() - kept.num_rows();
        Ok((kept, u64::try_from(ignored).unwrap_or(u64::MAX)))
    }

    /// Returns marks for the live details that are older than an owner that came, or that did not come with an
    /// owner of their own version.
    pub(super) fn left_behind(
        &self,
        (column, owners): (&str, &BTreeMap<RowKey, Standing>),
        came: &Came,
    ) -> Vec<Tombstone> {
        let live = self.rows_for(&Filter::Live);
        live.into_iter()
            .filter_map(|row| {
                let owner = self.named_in(row, column)?;
                let standing = owners.get(&owner).filter(|_| came.named.contains(&owner))?;
                let (key, version) = (self.key_of(row)?, micros(row, "_version"));
                let is_level =
                    version == standing.version && came.owners.get(&owner) == Some(&version);
                let is_left =
                    version < standing.version || (is_level && !came.details.contains_key(&key));
                is_left.then(|| standing.mark(key))
            })
            .collect()
    }

    /// Returns marks for the live groups of the `named` members that no live member is in.
    pub(super) fn without_members(
        &self,
        (groups, members): (&BTreeMap<RowKey, RowKey>, &BTreeMap<RowKey, Standing>),
        named: &BTreeSet<RowKey>,
    ) -> Vec<Tombstone> {
        let is_live = |member: &RowKey| members.get(member).is_some_and(|it| it.live);
        let held: BTreeSet<&RowKey> = groups
            .iter()
            .filter(|(member, _)| is_live(member))
            .map(|(_, group)| group)
            .collect();
        let mut marks: BTreeMap<RowKey, Tombstone> = BTreeMap::new();
        for member in named {
            let (Some(group), Some(standing)) = (groups.get(member), members.get(member)) else {
                continue;
            };
            let live = self.rows.get(group);
            let Some(row) = live.filter(|row| value(row, "_deleted_at").is_none()) else {
                continue;
            };
            let mut standing = *standing;
            standing.version = standing.version.max(micros(row, "_version"));
            let is_newest = marks
                .get(group)
                .is_none_or(|known| known.version.micros() < standing.version);
            if is_newest && !held.contains(group) {
                marks.insert(group.clone(), standing.mark(group.clone()));
            }
        }
        marks.into_values().collect()
    }

    /// Notes which keys a reading of everything has seen.
    fn note(&mut self, write: &TableWrite) {
        let keys: Vec<RowKey> = rows_of(&write.rows)
            .iter()
            .filter_map(|row| self.key_of(row))
            .chain(write.rejected.iter().cloned())
            .collect();
        for note in &write.notes {
            if matches!(note.seen, Seen::Begin | Seen::Forget) {
                self.seen.retain(|key| key.part != note.part);
            }
            if note.seen != Seen::Forget {
                let own = keys.iter().filter(|key| key.part == note.part);
                self.seen.extend(own.cloned());
            }
        }
    }

    fn merge(&mut self, batch: &RecordBatch) -> Result<Committed> {
        let mut committed = Committed::default();
        for row in rows_of(batch) {
            let row = self.conform(&row)?;
            let Some(key) = self.key_of(&row) else {
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
            let version = timestamp(tombstone.version.micros());
            let row = match self.rows.get(&tombstone.key) {
                Some(row) if micros(row, "_version") > tombstone.version.micros() => continue,
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
                        "id" => (name.clone(), text(&tombstone.key.id)),
                        own if Some(own) == self.part.as_deref() => {
                            let part = tombstone.key.part.as_deref().unwrap_or_default();
                            (name.clone(), text(part))
                        }
                        "_synced_at" => (name.clone(), Arc::clone(&at)),
                        "_run_id" => (name.clone(), text("")),
                        _ => (name.clone(), new_null_array(&column_type.arrow(), 1)),
                    })
                    .collect(),
            };
            let marks: [(&str, ArrayRef); 4] = [
                ("_version", version),
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
        let into: BTreeMap<RowKey, RowKey> = self
            .rows
            .iter()
            .filter_map(|(key, row)| {
                let survivor = RowKey {
                    part: key.part.clone(),
                    id: key_text(row, "_merged_into")?,
                };
                Some((key.clone(), survivor))
            })
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
                let survivor = text(&end.id);
                self.rows
                    .insert(key.clone(), with(row, &[("_merged_into", survivor)]));
            }
        }
    }

    pub(super) fn rows_for(&self, filter: &Filter) -> Vec<&Row> {
        let live = |row: &Row| value(row, "_deleted_at").is_none();
        self.rows
            .iter()
            .filter(|(key, row)| match filter {
                Filter::All | Filter::Equal(_) | Filter::Among(_) => true,
                Filter::ChangedSince(since) => ["_synced_at", "_deleted_at"]
                    .iter()
                    .any(|column| micros(row, column) >= since.micros()),
                Filter::Live => live(row),
                Filter::LiveShare { column, share } => {
                    let (at, of) = *share;
                    let text = key_text(row, column.as_str()).unwrap_or_default();
                    live(row) && XxHash3_64::oneshot(text.trim().as_bytes()) % of.max(1) == at
                }
                Filter::LiveIn(of) => live(row) && key.part.as_ref() == Some(&of.part),
                Filter::Unseen { before, part } => {
                    live(row)
                        && key.part.as_ref() == part.as_ref().map(|of| &of.part)
                        && micros(row, "_synced_at") < before.micros()
                        && !self.seen.contains(*key)
                }
                Filter::Due { column, by } => {
                    let due = micros(row, column.as_str());
                    live(row) && due != i64::MIN && due <= by.micros()
                }
            })
            .map(|(_, row)| row)
            .collect()
    }
}

/// How a row stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    version: i64,
    /// When it went, or when it was read.
    at: i64,
    live: bool,
}

impl Standing {
    /// Returns the mark of another row that goes because of this one.
    fn mark(&self, key: RowKey) -> Tombstone {
        Tombstone {
            key,
            version: Timestamp::from_micros(self.version),
            deletion: Deletion {
                at: Timestamp::from_micros(self.at),
                reason: DeletionReason::Deleted,
                merged_into: None,
            },
        }
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
        .filter(|(name, _)| is_content(name))
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
