//! A warehouse in memory: what the [`Warehouse`] port means, without a file.

mod merge;
mod tables;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use async_trait::async_trait;

use super::lock;
use crate::batch::{Batch, Committed, Slot, State, StreamId, TableWrite};
use crate::error::{Code, Error, Result};
use crate::plain::{NewRows, Outdated};
use crate::schema::{SchemaChange, Table, Tie};
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Scan, Warehouse};
use merge::{Came, RawTable};
use tables::{PlainStore, Row, is_among, key_text, to_batch};

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

impl Stored {
    /// Writes to one table; `writes` are all of the batch.
    fn write(&mut self, write: &TableWrite, writes: &[TableWrite]) -> Result<Committed> {
        let name = write.table.name().as_str();
        if write.is_something() && !self.raw.contains_key(name) {
            let code = Code::StoreSchema;
            return Err(Error::new(code, "commit to a table that was not prepared"));
        }
        let named = |table: &SqlIdentifier| {
            let other = writes.iter().find(|it| it.table.name() == table);
            let rows = self.raw.get(table.as_str());
            let named = rows.zip(other).map(|(rows, other)| rows.named_by(other));
            named.unwrap_or_default()
        };
        let came = |table: &SqlIdentifier| {
            let other = writes.iter().find(|it| it.table.name() == table);
            let rows = self.raw.get(table.as_str());
            let came = rows.zip(other).map(|(rows, it)| rows.came_with(&it.rows));
            came.unwrap_or_default()
        };
        let standings = |table: &SqlIdentifier| {
            let rows = self.raw.get(table.as_str());
            rows.map(RawTable::standings).unwrap_or_default()
        };
        let Some(mut table) = self.raw.get(name).cloned() else {
            return Ok(Committed::default());
        };
        let committed = match write.table.tie() {
            None => table.apply(write, &write.rows)?,
            Some(Tie::DetailsOf {
                table: owner,
                column,
            }) => {
                let owners = standings(owner);
                let tie = (column.as_str(), &owners);
                let (kept, ignored) = table.of_present_owners(&write.rows, tie)?;
                let mut committed = table.apply(write, &kept)?;
                committed.older_ignored += ignored;
                let came = Came {
                    named: named(owner),
                    owners: came(owner),
                    details: table.came_with(&write.rows),
                };
                committed.marked += table.mark(&table.left_behind(tie, &came));
                committed
            }
            Some(Tie::GroupsOf {
                table: members,
                column,
            }) => {
                let mut committed = table.apply(write, &write.rows)?;
                let groups = self.raw.get(members.as_str());
                let groups = groups.map(|rows| rows.naming(column.as_str()));
                let tie = (&groups.unwrap_or_default(), &standings(members));
                committed.marked += table.mark(&table.without_members(tie, &named(members)));
                committed
            }
        };
        self.raw.insert(name.to_owned(), table);
        Ok(committed)
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

    async fn commit(&self, batch: Batch) -> Result<Vec<Committed>> {
        let mut stored = lock(&self.stored);
        let mut next = stored.clone();
        let mut committed = Vec::with_capacity(batch.writes.len());
        for write in &batch.writes {
            committed.push(next.write(write, &batch.writes)?);
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

    async fn columns(&self, table: &SqlIdentifier) -> Result<Vec<String>> {
        let stored = lock(&self.stored);
        if let Some(raw) = stored.raw.get(table.as_str()) {
            return Ok(raw.columns());
        }
        let plain = stored.plain.get(table.as_str());
        Ok(plain.map(PlainStore::columns).unwrap_or_default())
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
        match &scan.filter {
            Filter::Equal(wanted) => rows.retain(|row| {
                wanted
                    .iter()
                    .all(|(column, text)| key_text(row, column.as_str()).as_ref() == Some(text))
            }),
            Filter::Among(among) => rows.retain(|row| is_among(row, among)),
            _ => {}
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

    async fn replace(&self, tables: Vec<NewRows>) -> Result<()> {
        let mut new = Vec::with_capacity(tables.len());
        for rows in tables {
            let NewRows {
                table,
                outdated,
                batches,
            } = rows;
            let mut store = match outdated {
                Outdated::All => PlainStore::default(),
                Outdated::Any(among) => {
                    let mut store = lock(&self.stored).plain.get(table.name).cloned();
                    let store = store.get_or_insert_default();
                    store.remove(table, |row| among.iter().any(|among| is_among(row, among)));
                    std::mem::take(store)
                }
            };
            store.prepare(table);
            for batch in batches {
                store.append(table, &batch?);
            }
            new.push((table.name.to_owned(), store));
        }
        lock(&self.stored).plain.extend(new);
        Ok(())
    }
}
