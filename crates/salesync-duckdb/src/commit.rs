//! A commit: rows, marks, seen keys, logs and cursor in one transaction.

use std::sync::Arc;

use arrow::array::StringArray;
use duckdb::Connection;
use salesync_core::batch::{Batch, Committed, Seen};
use salesync_core::error::Result;
use salesync_core::warehouse::SYNC_STATE;

use crate::database::Database;
use crate::failure::failure;
use crate::layout::SEEN_KEYS;
use crate::logs::{append, prepared};
use crate::marks::{follow_merges, mark, names_a_survivor};
use crate::merge::merge;
use crate::stage::{Staged, rows_of};
use crate::state::rows_from;

const OPERATION: &str = "commit a batch";

impl Database {
    /// Makes a batch durable, all of it or nothing.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<Committed> {
        let name = batch.table.name().as_str();
        let table = match batch.touches_table() {
            true => Some(prepared(self.table(name)?, name)?),
            false => None,
        };
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
        let mut committed = Committed::default();
        if let Some(table) = &table {
            committed = merge(&transaction, (name, table), &batch.rows)?;
            committed.marked = mark(&transaction, name, &batch.tombstones)?;
            if names_a_survivor(&batch.rows, &batch.tombstones) {
                follow_merges(&transaction, name)?;
            }
            note_seen(&transaction, batch)?;
        }
        append(&transaction, &SYNC_STATE, &log, &rows_from(&batch.states)?)?;
        for (plain, found, rows) in appends {
            append(&transaction, plain, &found, rows)?;
        }
        transaction.commit().map_err(failure(OPERATION))?;
        Ok(committed)
    }
}

/// Notes which keys a full sync has met.
fn note_seen(connection: &Connection, batch: &Batch) -> Result<()> {
    let name = batch.table.name().as_str();
    let failed = failure("note the keys that a full sync has seen");
    if matches!(batch.seen, Seen::Begin | Seen::Forget) {
        connection
            .execute("DELETE FROM _seen_keys WHERE table_name = ?", [name])
            .map_err(&failed)?;
    }
    if matches!(batch.seen, Seen::Ignore | Seen::Forget) {
        return Ok(());
    }
    let rejected: StringArray = batch
        .seen_rejected
        .iter()
        .map(|key| Some(key.as_str()))
        .collect();
    let fetched = batch.rows.column_by_name("id").map(Arc::clone);
    let keys = [fetched, Some(Arc::new(rejected) as _)];
    for keys in keys.into_iter().flatten().filter(|keys| !keys.is_empty()) {
        let staged = Staged::put(connection, "_seen", &rows_of(vec![("id", keys)])?)?;
        let sql = format!(
            "INSERT INTO {} (table_name, id) SELECT ?, s.id FROM temp._seen AS s",
            SEEN_KEYS.name
        );
        connection.execute(&sql, [name]).map_err(&failed)?;
        staged.drop_from(connection)?;
    }
    Ok(())
}
