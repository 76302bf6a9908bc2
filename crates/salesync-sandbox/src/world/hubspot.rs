//! HubSpot's side of the world: shelves, associations, owners.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::TruthRow;
use crate::hubspot::schema;
use crate::store::{Record, Shelf, State, push_hubspot_time};

/// One owner.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// The owner's id.
    pub(crate) id: u64,
    /// First and last name.
    pub(crate) name: [String; 2],
    /// The mail address.
    pub(crate) email: String,
    /// Whether the owner has left.
    pub(crate) archived: bool,
    /// When it was made.
    pub(crate) created_ms: i64,
}

/// HubSpot's side of the world.
#[derive(Debug, Default)]
pub(crate) struct HubSpotSide {
    shelves: BTreeMap<String, Shelf>,
    /// Per pair of objects the ids that belong together, ascending.
    links: BTreeMap<(String, String), Vec<(u64, u64)>>,
    /// The owners, by id.
    pub(crate) owners: Vec<Owner>,
    /// Whether a listing of archived records leaves their associations out.
    pub(crate) archived_are_bare: bool,
}

impl HubSpotSide {
    /// Writes an instant as HubSpot does.
    pub(crate) fn time_text(ms: i64) -> String {
        let mut text = String::new();
        push_hubspot_time(&mut text, ms);
        text
    }

    /// Finds an object's shelf by its name or type id.
    pub(crate) fn shelf(&self, object: &str) -> Option<&Shelf> {
        self.shelves.get(schema::object_name(object))
    }

    /// Finds an object's shelf to change it.
    pub(crate) fn shelf_mut(&mut self, object: &str) -> Option<&mut Shelf> {
        self.shelves.get_mut(schema::object_name(object))
    }

    /// Finds an object's shelf, or makes it.
    pub(crate) fn shelf_or_new(&mut self, object: &str) -> &mut Shelf {
        let name = schema::object_name(object);
        self.shelves
            .entry(name.to_owned())
            .or_insert_with(|| schema::shelf(name))
    }

    /// Puts a filled shelf in its place.
    pub(crate) fn put_shelf(&mut self, shelf: Shelf) {
        self.shelves.insert(shelf.name.clone(), shelf);
    }

    /// Follows merges from an id to the record that is read under it.
    pub(crate) fn follow<'a>(shelf: &'a Shelf, id: &str) -> Option<(u32, &'a Record)> {
        let mut number = id.parse().ok()?;
        loop {
            let slot = shelf.slot(number)?;
            let record = shelf.at(slot)?;
            match record.state {
                State::MergedInto(next) => number = next,
                State::Erased(_) => return None,
                _ => return Some((slot, record)),
            }
        }
    }

    /// The ids that belong to a record, ascending.
    pub(crate) fn linked(&self, from: &str, id: u64, to: &str) -> &[(u64, u64)] {
        let key = (
            schema::object_name(from).to_owned(),
            schema::object_name(to).to_owned(),
        );
        let Some(pairs) = self.links.get(&key) else {
            return &[];
        };
        let start = pairs.partition_point(|pair| pair.0 < id);
        let end = pairs.partition_point(|pair| pair.0 <= id);
        pairs.get(start..end).unwrap_or_default()
    }

    /// Lets two records belong together, seen from both sides.
    pub(crate) fn link(&mut self, from: (&str, u64), to: (&str, u64)) {
        for (near, far) in [(from, to), (to, from)] {
            let pairs = self
                .links
                .entry((near.0.to_owned(), far.0.to_owned()))
                .or_default();
            let pair = (near.1, far.1);
            if let Err(place) = pairs.binary_search(&pair) {
                pairs.insert(place, pair);
            }
        }
    }

    /// Takes over whole lists of pairs, seen from both sides.
    pub(crate) fn put_links(&mut self, from: &str, to: &str, mut pairs: Vec<(u64, u64)>) {
        let mut back: Vec<(u64, u64)> = pairs.iter().map(|&(near, far)| (far, near)).collect();
        back.sort_unstable();
        pairs.sort_unstable();
        self.links.insert((from.to_owned(), to.to_owned()), pairs);
        self.links.insert((to.to_owned(), from.to_owned()), back);
    }

    /// Moves all that belongs to one record over to another, or away if there is none.
    pub(crate) fn move_links(&mut self, object: &str, old: u64, new: Option<u64>) {
        let objects: Vec<String> = self
            .links
            .keys()
            .filter(|key| key.0 == object)
            .map(|key| key.1.clone())
            .collect();
        for other in objects {
            let far: Vec<u64> = self
                .linked(object, old, &other)
                .iter()
                .map(|pair| pair.1)
                .collect();
            for pairs in [(object, other.as_str()), (other.as_str(), object)] {
                let key = (pairs.0.to_owned(), pairs.1.to_owned());
                if let Some(pairs) = self.links.get_mut(&key) {
                    let forward = key.0 == object;
                    pairs.retain(|pair| (if forward { pair.0 } else { pair.1 }) != old);
                }
            }
            for far in far {
                if let Some(new) = new {
                    self.link((object, new), (&other, far));
                }
            }
        }
    }

    /// Serves a record as raw text, or no longer.
    pub(super) fn set_raw(&mut self, object: &str, id: &str, raw: Option<Arc<str>>) -> bool {
        let Some(shelf) = self.shelf_mut(object) else {
            return false;
        };
        let slot = id.parse().ok().and_then(|number| shelf.slot(number));
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
        for (stream, kind) in [("contacts", "person"), ("companies", "company")] {
            let records = self.shelf(stream).map(Shelf::records).unwrap_or_default();
            rows.extend(
                records
                    .iter()
                    .filter(|record| record.entity != 0 && record.state == State::Live)
                    .map(|record| {
                        let entity = format!("{kind}-{}", record.entity);
                        ("hubspot", stream, record.id.to_string(), entity)
                    }),
            );
        }
        rows
    }
}

fn plain(shelf: &Shelf, record: &Record) -> Value {
    if let State::Erased(_) = record.state {
        return json!({"id": record.id.to_string(), "erased": true});
    }
    let properties: serde_json::Map<String, Value> = shelf
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| !field.traits.removed)
        .map(|(column, field)| {
            let fragment = record.current.fragment(column);
            (
                field.name.clone(),
                serde_json::from_str(fragment).unwrap_or(Value::Null),
            )
        })
        .collect();
    let mut value = json!({
        "id": record.id.to_string(),
        "properties": properties,
        "createdAt": HubSpotSide::time_text(record.created_ms),
        "updatedAt": HubSpotSide::time_text(record.current.time_ms),
        "archived": matches!(record.state, State::Binned(_)),
    });
    match (record.state, value.as_object_mut()) {
        (State::Binned(at_ms), Some(map)) => {
            map.insert(
                "archivedAt".to_owned(),
                Value::from(HubSpotSide::time_text(at_ms)),
            );
        }
        (State::MergedInto(id), Some(map)) => {
            map.insert("mergedInto".to_owned(), Value::from(id.to_string()));
        }
        _ => {}
    }
    value
}
