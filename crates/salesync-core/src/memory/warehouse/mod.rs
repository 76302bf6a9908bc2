//! A warehouse in memory: what the [`Warehouse`] port means, without a file.

mod merge;
mod tables;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use async_trait::async_trait;

use super::lock;
use crate::batch::{Batch, Committed, Seen, Slot, State, StreamId};
use crate::error::{Code, Error, Result};
use crate::plain::PlainTable;
use crate::schema::{SchemaChange, Table};
use crate::warehouse::{Filter, Scan, Warehouse};
use merge::RawTable;
use tables::{PlainStore, Row, key_text, rows_of, to_batch};

/// A warehouse that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryWarehouse {
    stored: Mutex<Stored>,
}

/// Everything that is durable; cloned before a commit and put in place after it, so that a commit
/// happens wholly or not at all.
#[derive(Debug, Default, Clone)]
struct Stored {
    raw: HashMap<String, RawTable>,
    plain: HashMap<String, PlainStore>,
    states: Vec<State>,
}

impl MemoryWarehouse {
    /// Returns an empty warehouse.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the whole log of cursors, in the order in which it was written.
    #[must_use]
    pub fn states(&self) -> Vec<State> {
        lock(&self.stored).states.clone()
    }
}

#[async_trait]
impl Warehouse for MemoryWarehouse {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn prepare(&self, table: &Arc<Table>) -> Result<Vec<SchemaChange>> {
        let mut stored = lock(&self.stored);
        let name = table.name().as_str().to_owned();
        stored.raw.entry(name).or_default().prepare(table)
    }

    async fn cursor(&self, id: &StreamId, slot: Slot) -> Result<Option<State>> {
        let stored = lock(&self.stored);
        let own = stored
            .states
            .iter()
            .filter(|state| state.id == *id && state.slot == slot);
        Ok(own.max_by(|a, b| a.order().cmp(&b.order())).cloned())
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        let mut stored = lock(&self.stored);
        let mut next = stored.clone();
        let name = batch.table.name().as_str();
        if batch.touches_table() && !next.raw.contains_key(name) {
            return Err(Error::new(
                Code::StoreSchema,
                "commit to a table that was not prepared",
            ));
        }
        let table = next.raw.entry(name.to_owned()).or_default();
        if batch.seen == Seen::Begin {
            table.seen.clear();
        }
        let mut committed = table.merge(&batch.rows)?;
        committed.marked = table.mark(&batch.tombstones);
        match batch.seen {
            Seen::Ignore => {}
            Seen::Begin | Seen::Add => {
                table.seen.extend(keys_of(&batch.rows));
                table.seen.extend(batch.seen_rejected);
            }
            Seen::Forget => table.seen.clear(),
        }
        for state in batch.states {
            if !next.states.iter().any(|known| {
                known.id == state.id && known.slot == state.slot && known.order() == state.order()
            }) {
                next.states.push(state);
            }
        }
        for (plain, rows) in &batch.appends {
            next.plain
                .entry(plain.name.to_owned())
                .or_default()
                .append(plain, rows);
        }
        *stored = next;
        Ok(committed)
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<RecordBatch>> {
        let stored = lock(&self.stored);
        let name = scan.table.as_str();
        let mut rows: Vec<&Row> = if let Some(raw) = stored.raw.get(name) {
            raw.rows_for(&scan.filter)
        } else if let Some(plain) = stored.plain.get(name) {
            plain.rows()
        } else {
            return Ok(Vec::new());
        };
        if let Filter::Equal(wanted) = &scan.filter {
            rows.retain(|row| {
                wanted
                    .iter()
                    .all(|(column, text)| key_text(row, column.as_str()).as_ref() == Some(text))
            });
        }
        if let Some(column) = &scan.newest_by {
            rows.sort_by_key(|row| std::cmp::Reverse(key_text(row, column.as_str())));
        }
        if let Some(limit) = scan.limit {
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        let columns: Vec<&str> = scan.columns.iter().map(|column| column.as_str()).collect();
        Ok(to_batch(&rows, &columns)?.into_iter().collect())
    }

    async fn replace(&self, tables: Vec<(&'static PlainTable, RecordBatch)>) -> Result<()> {
        let mut stored = lock(&self.stored);
        for (plain, rows) in tables {
            let mut store = PlainStore::default();
            store.append(plain, &rows);
            stored.plain.insert(plain.name.to_owned(), store);
        }
        Ok(())
    }
}

fn keys_of(rows: &RecordBatch) -> Vec<String> {
    rows_of(rows)
        .iter()
        .filter_map(|row| key_text(row, "id"))
        .collect()
}
