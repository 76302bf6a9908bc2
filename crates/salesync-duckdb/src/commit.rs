//! A commit: rows, marks, seen keys, logs and cursor in one transaction.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use duckdb::{Connection, params};
use salesync_core::batch::{Batch, Committed, Seen, TableWrite};
use salesync_core::error::{Code, Error, Result};
use salesync_core::schema::Tie;
use salesync_core::staging;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::SYNC_STATE;

use crate::database::{Database, StoredTable};
use crate::failure::failure;
use crate::layout::SEEN_KEYS;
use crate::logs::{append, prepared};
use crate::marks::{follow_merges, mark};
use crate::merge::{Target, merge};
use crate::stage::Staged;
use crate::ties::Pair;

const OPERATION: &str = "commit a batch";

impl Database {
    /// Makes a batch durable, all of it or nothing; returns what became of each write.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<Vec<Committed>> {
        let mut tables = Vec::with_capacity(batch.writes.len());
        for write in &batch.writes {
            let name = write.table.name().as_str();
            let is_needed = batch.writes.iter().any(TableWrite::is_something);
            tables.push(match is_needed {
                true => Some(prepared(self.table(name)?, name)?),
                false => None,
            });
        }
        let log = prepared(self.table(SYNC_STATE.name)?, SYNC_STATE.name)?;
        let mut appends = Vec::with_capacity(batch.appends.len());
        for (plain, rows) in &batch.appends {
            let found = match self.table(plain.name)? {
                Some(found) => found,
                None => {
                    self.prepare_plain(plain)?;
                    prepared(self.table(plain.name)?, plain.name)?
                }
            };
            appends.push((*plain, found, rows));
        }

        let transaction = self.begin(OPERATION)?;
        let mut committed = Vec::with_capacity(batch.writes.len());
        for (write, stored) in batch.writes.iter().zip(&tables) {
            committed.push(match stored {
                None => Committed::default(),
                Some(stored) => apply(&transaction, write, stored, &batch.writes)?,
            });
        }
        append(
            &transaction,
            &SYNC_STATE,
            &log,
            &staging::states(&batch.states)?,
        )?;
        for (plain, found, rows) in appends {
            append(&transaction, plain, &found, rows)?;
        }
        transaction.commit().map_err(failure(OPERATION))?;
        Ok(committed)
    }
}

/// Writes to one table; `writes` are all of the batch.
fn apply(
    connection: &Connection,
    write: &TableWrite,
    stored: &StoredTable,
    writes: &[TableWrite],
) -> Result<Committed> {
    let name = write.table.name().as_str();
    let part = write.table.part().map(|part| part.name.as_str());
    let into = Target { name, stored, part };
    let of_other = |table: &SqlIdentifier| writes.iter().find(|it| it.table.name() == table);
    let mut committed = match write.table.tie() {
        None => merge(connection, into, &write.rows)?,
        Some(Tie::DetailsOf { table, column }) => {
            let pair = Pair {
                name,
                other: table.as_str(),
                column: column.as_str(),
                part,
            };
            let (rows, ignored) = pair.of_present_owners(connection, &write.rows)?;
            let mut committed = merge(connection, into, &rows)?;
            committed.older_ignored += ignored;
            if let Some(owner) = of_other(table) {
                committed.marked += pair.mark_left_behind(connection, owner, &write.rows)?;
            }
            committed
        }
        Some(Tie::GroupsOf { table, column }) => {
            let pair = Pair {
                name,
                other: table.as_str(),
                column: column.as_str(),
                part,
            };
            let mut committed = merge(connection, into, &write.rows)?;
            if let Some(members) = of_other(table) {
                committed.marked += pair.mark_without_members(connection, members)?;
            }
            committed
        }
    };
    committed.marked += mark(connection, (name, part), &write.tombstones)?;
    if part.is_none() && staging::names_a_survivor(&write.rows, &write.tombstones) {
        follow_merges(connection, name)?;
    }
    note_seen(connection, write)?;
    Ok(committed)
}

/// Notes which keys a reading of everything has met.
fn note_seen(connection: &Connection, write: &TableWrite) -> Result<()> {
    if write.notes.is_empty() {
        return Ok(());
    }
    let name = write.table.name().as_str();
    let failed = failure("note the keys that a reading of everything has seen");
    let begins = write.notes.iter().filter(|note| note.seen != Seen::Add);
    for note in begins {
        let sql = "DELETE FROM _seen_keys WHERE table_name = ? AND part IS NOT DISTINCT FROM ?";
        connection
            .execute(sql, params![name, note.part])
            .map_err(&failed)?;
    }
    let staged = Staged::put(connection, "_seen", &keys_of(write)?)?;
    for note in write.notes.iter().filter(|note| note.seen != Seen::Forget) {
        let sql = format!(
            "INSERT INTO {} (table_name, part, id) SELECT ?, s.part, s.id FROM temp._seen AS s \
             WHERE s.part IS NOT DISTINCT FROM ?",
            SEEN_KEYS.name
        );
        connection
            .execute(&sql, params![name, note.part])
            .map_err(&failed)?;
    }
    staged.drop_from(connection)
}

/// Returns the keys of a write's rows and of its rejected records: `part` and `id`.
fn keys_of(write: &TableWrite) -> Result<RecordBatch> {
    let rejected = staging::keys(&write.rejected)?;
    let count = write.rows.num_rows();
    let column = |name: Option<&str>| -> ArrayRef {
        let column = name.and_then(|name| write.rows.column_by_name(name));
        column.map_or_else(|| new_null_array(&DataType::Utf8, count), Arc::clone)
    };
    let part = write.table.part().map(|part| part.name.as_str());
    let own = staging::columns_of(vec![("part", column(part)), ("id", column(Some("id")))])?;
    concat_batches(&rejected.schema(), [&own, &rejected])
        .map_err(|error| Error::new(Code::Internal, OPERATION).because(error))
}
