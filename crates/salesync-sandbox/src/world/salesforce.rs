//! Salesforce's side of the world: shelves and open query locators.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::TruthRow;
use crate::salesforce::{Cursor, id_number, id_text, schema};
use crate::store::{Record, Shelf, State};

/// How many locators stay open; the oldest dies first. The vendor's older guide says 10.
const LOCATORS_MAX: usize = 10;

/// Salesforce's side of the world.
#[derive(Debug)]
pub(crate) struct SalesforceSide {
    /// By lower-case name.
    shelves: BTreeMap<String, Shelf>,
    cursors: BTreeMap<u64, Arc<Cursor>>,
    cursors_made: u64,
    rows_max: usize,
    wide_fields: usize,
}

impl Default for SalesforceSide {
    fn default() -> Self {
        Self {
            shelves: BTreeMap::new(),
            cursors: BTreeMap::new(),
            cursors_made: 0,
            rows_max: 2_000,
            wide_fields: 60,
        }
    }
}

impl SalesforceSide {
    /// Finds an object's shelf by its name in any case.
    pub(crate) fn shelf(&self, object: &str) -> Option<&Shelf> {
        self.shelves.get(&object.to_lowercase())
    }

    /// Finds an object's shelf to change it.
    pub(crate) fn shelf_mut(&mut self, object: &str) -> Option<&mut Shelf> {
        self.shelves.get_mut(&object.to_lowercase())
    }

    /// Finds an object's shelf, or makes it.
    pub(crate) fn shelf_or_new(&mut self, object: &str) -> &mut Shelf {
        self.shelves
            .entry(object.to_lowercase())
            .or_insert_with(|| schema::shelf(object))
    }

    /// Puts a filled shelf in its place.
    pub(crate) fn put_shelf(&mut self, shelf: Shelf) {
        self.shelves.insert(shelf.name.to_lowercase(), shelf);
    }

    /// All shelves, by name.
    pub(crate) fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        self.shelves.values()
    }

    /// All shelves, to change them.
    pub(super) fn shelves_mut(&mut self) -> impl Iterator<Item = &mut Shelf> {
        self.shelves.values_mut()
    }

    /// Finds a record's slot by its 15- or 18-character id.
    pub(crate) fn slot(shelf: &Shelf, id: &str) -> Option<u32> {
        shelf.slot(id_number(schema::key_prefix(&shelf.name), id)?)
    }

    /// Remembers the rest of an answer and gives the number of its locator.
    pub(crate) fn open(&mut self, cursor: Cursor) -> u64 {
        self.cursors_made = self.cursors_made.saturating_add(1);
        self.cursors.insert(self.cursors_made, Arc::new(cursor));
        while self.cursors.len() > LOCATORS_MAX {
            self.cursors.pop_first();
        }
        self.cursors_made
    }

    /// Finds the rest of an answer.
    pub(crate) fn cursor(&self, number: u64) -> Option<Arc<Cursor>> {
        self.cursors.get(&number).cloned()
    }

    /// How many rows go on a page of so many fields.
    pub(crate) fn page_rows(&self, fields: usize) -> usize {
        if fields <= self.wide_fields {
            return self.rows_max;
        }
        (self.rows_max.saturating_mul(self.wide_fields) / fields).max(1)
    }

    pub(super) fn kill_locators(&mut self) {
        self.cursors.clear();
    }

    pub(super) fn set_pages(&mut self, rows_max: usize, wide_fields: usize) {
        self.rows_max = rows_max.max(1);
        self.wide_fields = wide_fields.max(1);
    }

    /// Serves a record as raw text, or no longer.
    pub(super) fn set_raw(&mut self, object: &str, id: &str, raw: Option<Arc<str>>) -> bool {
        let Some(shelf) = self.shelf_mut(object) else {
            return false;
        };
        let slot = Self::slot(shelf, id);
        match slot.and_then(|slot| shelf.at_mut(slot)) {
            Some(record) => {
                record.raw = raw;
                true
            }
            None => false,
        }
    }

    /// The truth about an object's records.
    pub(super) fn records(&self, object: &str) -> Vec<Value> {
        let Some(shelf) = self.shelf(object) else {
            return Vec::new();
        };
        shelf
            .records()
            .iter()
            .map(|record| plain(shelf, record))
            .collect()
    }

    /// The true entities of live records.
    pub(super) fn truth(&self) -> Vec<TruthRow> {
        let mut rows = Vec::new();
        let streams = [
            ("accounts", "Account", "company"),
            ("contacts", "Contact", "person"),
            ("leads", "Lead", "person"),
        ];
        for (stream, object, kind) in streams {
            let records = self.shelf(object).map(Shelf::records).unwrap_or_default();
            rows.extend(
                records
                    .iter()
                    .filter(|record| record.entity != 0 && record.state == State::Live)
                    .map(|record| {
                        let id = id_text(schema::key_prefix(object), record.id);
                        (
                            "salesforce",
                            stream,
                            id,
                            format!("{kind}-{}", record.entity),
                        )
                    }),
            );
        }
        rows
    }
}

fn plain(shelf: &Shelf, record: &Record) -> Value {
    if let State::Erased(_) = record.state {
        let id = id_text(schema::key_prefix(&shelf.name), record.id);
        return json!({"Id": id, "erased": true});
    }
    shelf
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| !field.traits.removed)
        .map(|(column, field)| {
            let fragment = field.fragment(column, &record.current);
            let value = serde_json::from_str(fragment.as_str()).unwrap_or(Value::Null);
            (field.name.clone(), value)
        })
        .collect()
}
