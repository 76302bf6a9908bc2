//! All records of one object: by id, and by time for search and queries.
//!
//! | reader | sees |
//! | --- | --- |
//! | list, get, batch | `current`, at once |
//! | search, query | `indexed`, from `index_lag` after the change |

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::{Field, Version};

/// Where a record is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Present.
    Live,
    /// Archived (HubSpot) or in the recycle bin (Salesforce) since an instant.
    Binned(i64),
    /// Merged into another record (HubSpot).
    MergedInto(u64),
    /// Removed for good at an instant; answers no longer show it.
    Erased(i64),
}

/// One record.
#[derive(Debug)]
pub(crate) struct Record {
    /// The number behind the id; shelves are ordered by it.
    pub(crate) id: u64,
    /// When it was made, in milliseconds since 1970.
    pub(crate) created_ms: i64,
    /// Its values now.
    pub(crate) current: Arc<Version>,
    /// Its values as search sees them; none until the index has caught up, or when binned.
    pub(crate) indexed: Option<Arc<Version>>,
    /// Where it is in its life.
    pub(crate) state: State,
    /// Served instead of the values, as it is.
    pub(crate) raw: Option<Arc<str>>,
    /// The true entity behind it; 0 when unknown.
    pub(crate) entity: u32,
}

/// One line of the time index. Slots follow ids, so the order is time, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// The indexed version's time.
    pub(crate) time_ms: i64,
    /// The record's place on the shelf.
    pub(crate) slot: u32,
}

/// All records of one object.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// The object's name in the API, in the vendor's case.
    pub(crate) name: String,
    /// The fields, in column order.
    pub(crate) fields: Vec<Field>,
    columns: HashMap<String, usize>,
    records: Vec<Record>,
    index: Vec<Entry>,
    pending: VecDeque<(i64, u32, Arc<Version>)>,
    binned: BTreeSet<u32>,
}

impl Shelf {
    /// Makes an empty shelf.
    pub(crate) fn new(name: &str, fields: Vec<Field>) -> Self {
        let mut shelf = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        for field in fields {
            shelf.add_field(field);
        }
        shelf
    }

    /// Adds a field at the end, or replaces the one of that name; gives its column.
    pub(crate) fn add_field(&mut self, field: Field) -> usize {
        let name = field.name.to_lowercase();
        if let Some(&column) = self.columns.get(&name) {
            if let Some(place) = self.fields.get_mut(column) {
                *place = field;
            }
            return column;
        }
        self.columns.insert(name, self.fields.len());
        self.fields.push(field);
        self.fields.len().saturating_sub(1)
    }

    /// Finds a field's column by its name in any case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns
            .get(name)
            .or_else(|| self.columns.get(&name.to_lowercase()))
            .copied()
            .filter(|&column| {
                self.fields
                    .get(column)
                    .is_some_and(|field| !field.traits.removed)
            })
    }

    /// Finds several columns at once; an unknown one is a column that no record has.
    pub(crate) fn columns<const N: usize>(&self, names: [&str; N]) -> [usize; N] {
        names.map(|name| self.column(name).unwrap_or(usize::MAX))
    }

    /// All records, by id.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The record at a slot.
    pub(crate) fn at(&self, slot: u32) -> Option<&Record> {
        self.records.get(slot as usize)
    }

    /// The record at a slot, to be changed in what the index does not hold.
    pub(crate) fn at_mut(&mut self, slot: u32) -> Option<&mut Record> {
        self.records.get_mut(slot as usize)
    }

    /// Finds a record's slot by its number.
    pub(crate) fn slot(&self, id: u64) -> Option<u32> {
        let place = self
            .records
            .binary_search_by_key(&id, |record| record.id)
            .ok()?;
        u32::try_from(place).ok()
    }

    /// The slot of the first record whose number is above `id`.
    pub(crate) fn slot_after(&self, id: u64) -> usize {
        self.records.partition_point(|record| record.id <= id)
    }

    /// The highest number in use.
    pub(crate) fn last_id(&self) -> Option<u64> {
        self.records.last().map(|record| record.id)
    }

    /// Adds a record at the end without indexing it; its number must be the highest.
    pub(crate) fn push(&mut self, record: Record) -> u32 {
        let slot = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        let state = record.state;
        self.records.push(record);
        self.set_state(slot, state);
        slot
    }

    /// Moves a record to another part of its life.
    pub(crate) fn set_state(&mut self, slot: u32, state: State) {
        if matches!(state, State::Binned(_)) {
            self.binned.insert(slot);
        } else {
            self.binned.remove(&slot);
        }
        if let Some(record) = self.at_mut(slot) {
            record.state = state;
        }
    }

    /// The slots of all binned records, ascending.
    pub(crate) fn binned(&self) -> impl Iterator<Item = u32> + '_ {
        self.binned.iter().copied()
    }

    /// Builds the whole index anew from what `indexed` holds.
    pub(crate) fn rebuild_index(&mut self) {
        self.index.clear();
        self.index.extend(
            self.records
                .iter()
                .zip(0_u32..)
                .filter_map(|(record, slot)| {
                    record.indexed.as_ref().map(|version| Entry {
                        time_ms: version.time_ms,
                        slot,
                    })
                }),
        );
        self.index.sort();
    }

    /// Gives a record new values and lets the index see them at `due_ms` or, if that is not later
    /// than `now_ms`, at once.
    pub(crate) fn replace(&mut self, slot: u32, version: Version, due_ms: i64, now_ms: i64) {
        if let Some(record) = self.at_mut(slot) {
            record.current = Arc::new(version);
        }
        self.show(slot, due_ms, now_ms);
    }

    /// Lets the index see a record's current values at `due_ms` or, if that is not later than
    /// `now_ms`, at once.
    pub(crate) fn show(&mut self, slot: u32, due_ms: i64, now_ms: i64) {
        let Some(version) = self.at(slot).map(|record| Arc::clone(&record.current)) else {
            return;
        };
        if due_ms <= now_ms {
            self.set_indexed(slot, Some(version));
        } else {
            self.pending.push_back((due_ms, slot, version));
        }
    }

    /// Takes a record out of the index, also what was about to enter it.
    pub(crate) fn unindex(&mut self, slot: u32) {
        self.pending.retain(|(_, pending, _)| *pending != slot);
        self.set_indexed(slot, None);
    }

    /// Says whether [`Shelf::settle`] has something to do.
    pub(crate) fn is_settled(&self, now_ms: i64) -> bool {
        self.pending
            .front()
            .is_none_or(|(due_ms, _, _)| *due_ms > now_ms)
    }

    /// Lets the index see every change that is due.
    pub(crate) fn settle(&mut self, now_ms: i64) {
        while !self.is_settled(now_ms) {
            if let Some((_, slot, version)) = self.pending.pop_front() {
                self.set_indexed(slot, Some(version));
            }
        }
    }

    /// The index lines with `low_ms <= time <= high_ms`, by time and id.
    pub(crate) fn between(&self, low_ms: i64, high_ms: i64) -> &[Entry] {
        let start = self.index.partition_point(|entry| entry.time_ms < low_ms);
        let end = self.index.partition_point(|entry| entry.time_ms <= high_ms);
        self.index.get(start..end).unwrap_or_default()
    }

    fn set_indexed(&mut self, slot: u32, version: Option<Arc<Version>>) {
        let new = version.as_ref().map(|version| Entry {
            time_ms: version.time_ms,
            slot,
        });
        let Some(record) = self.records.get_mut(slot as usize) else {
            return;
        };
        let old = record.indexed.take().map(|old| Entry {
            time_ms: old.time_ms,
            slot,
        });
        record.indexed = version;
        if old == new {
            return;
        }
        if let Some(place) = old.and_then(|old| self.index.binary_search(&old).ok()) {
            self.index.remove(place);
        }
        if let Some(new) = new {
            let place = self.index.partition_point(|entry| *entry < new);
            self.index.insert(place, new);
        }
    }
}
