//! Edits of HubSpot's records.

use chrono::{DateTime, Utc};
use serde_json::Value;
use std::sync::Arc;

use super::World;
use super::fields::apply;
use super::hubspot::HubSpotSide;
use crate::hubspot::schema;
use crate::store::{Draft, Record, Shelf, State, Version, push_hubspot_time, push_json_text};

/// Where an object's ids start: a place where their lengths differ, so that sorting them as text
/// goes wrong.
pub(crate) const FIRST_ID: u64 = 9_999_999_401;
/// The distance between the ids of two records made one after the other.
pub(crate) const ID_STEP: u64 = 3;

impl World {
    /// Makes a record now and gives its id. `properties` is a JSON object; values that are no text
    /// are turned into it, names that no property has become custom properties, and an unknown
    /// object becomes a custom object.
    pub fn hubspot_create(&self, object: &str, properties: &Value) -> String {
        self.hubspot_create_ms(object, properties, self.now_ms())
    }

    /// Makes a record as if at a given time.
    pub fn hubspot_create_at(&self, object: &str, values: &Value, at: DateTime<Utc>) -> String {
        self.hubspot_create_ms(object, values, at.timestamp_millis())
    }

    /// Changes properties of a live record now; `null` clears one. Returns false if there is no
    /// such live record. An id that was merged away changes the record it was merged into.
    pub fn hubspot_update(&self, object: &str, id: &str, properties: &Value) -> bool {
        self.hubspot_update_ms(object, id, properties, self.now_ms())
    }

    /// Changes properties of a live record as if at a given time.
    pub fn hubspot_update_at(
        &self,
        object: &str,
        id: &str,
        properties: &Value,
        at: DateTime<Utc>,
    ) -> bool {
        self.hubspot_update_ms(object, id, properties, at.timestamp_millis())
    }

    /// Archives a live record: `archivedAt` is now, its modification time stays what it was.
    /// Search forgets it at once. Returns false if there is no such live record.
    pub fn hubspot_archive(&self, object: &str, id: &str) -> bool {
        self.hubspot_archive_ms(object, id, self.now_ms())
    }

    /// Archives a live record as if at a given time.
    pub fn hubspot_archive_at(&self, object: &str, id: &str, at: DateTime<Utc>) -> bool {
        self.hubspot_archive_ms(object, id, at.timestamp_millis())
    }

    /// Restores an archived record and stamps it. Returns false if there is no such record.
    pub fn hubspot_restore(&self, object: &str, id: &str) -> bool {
        let (now_ms, lag_ms) = (self.now_ms(), self.index_lag_ms());
        let mut side = self.hubspot_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let Some(slot) = find(shelf, id, |state| matches!(state, State::Binned(_))) else {
            return false;
        };
        shelf.set_state(slot, State::Live);
        restamp(shelf, slot, &Value::Null, (now_ms, lag_ms, now_ms))
    }

    /// Merges two live records into a NEW one and gives its id; both old ids are read as the new
    /// record from then on, and nothing but `hs_merged_object_ids` names them. The first record's
    /// values win. `None` if either is missing or both are the same.
    pub fn hubspot_merge(&self, object: &str, primary: &str, secondary: &str) -> Option<String> {
        let (now_ms, lag_ms) = (self.now_ms(), self.index_lag_ms());
        let mut side = self.hubspot_mut();
        let shelf = side.shelf_mut(object)?;
        let winner = find(shelf, primary, |state| state == State::Live)?;
        let loser = find(shelf, secondary, |state| state == State::Live)?;
        if winner == loser {
            return None;
        }
        let id = next_id(shelf);
        let (version, created_ms, entity) = merged(shelf, (winner, loser), id, now_ms)?;
        let old: Vec<u64> = [winner, loser]
            .iter()
            .filter_map(|&slot| shelf.at(slot))
            .map(|old| old.id)
            .collect();
        let mut record = live(id, created_ms, version);
        record.entity = entity;
        let slot = shelf.push(record);
        shelf.show(slot, now_ms.saturating_add(lag_ms), now_ms);
        for slot in [winner, loser] {
            shelf.set_state(slot, State::MergedInto(id));
            shelf.unindex(slot);
        }
        let name = shelf.name.clone();
        for old in old {
            side.move_links(&name, old, Some(id));
        }
        Some(id.to_string())
    }

    /// Deletes a record for privacy: no answer of any kind shows it again.
    pub fn hubspot_gdpr_delete(&self, object: &str, id: &str) -> bool {
        let now_ms = self.now_ms();
        let mut side = self.hubspot_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let Some(slot) = find(shelf, id, |state| !matches!(state, State::Erased(_))) else {
            return false;
        };
        shelf.set_state(slot, State::Erased(now_ms));
        shelf.unindex(slot);
        let name = shelf.name.clone();
        if let Some(number) = side
            .shelf(&name)
            .and_then(|shelf| shelf.at(slot))
            .map(|old| old.id)
        {
            side.move_links(&name, number, None);
        }
        true
    }

    /// Associates two records. Modification times stay what they were, as at the vendor.
    pub fn hubspot_associate(&self, from: (&str, &str), to: (&str, &str)) -> bool {
        let (Ok(near), Ok(far)) = (from.1.parse(), to.1.parse()) else {
            return false;
        };
        let (from, to) = (schema::object_name(from.0), schema::object_name(to.0));
        self.hubspot_mut().link((from, near), (to, far));
        true
    }

    /// Gives the ids of the records of type `to` that a record is associated with, ascending.
    #[must_use]
    pub fn hubspot_associated(&self, from: (&str, &str), to: &str) -> Vec<String> {
        let side = self.hubspot();
        let id = from.1.parse().unwrap_or(0);
        let linked = side.linked(from.0, id, to);
        linked.iter().map(|(_, far)| far.to_string()).collect()
    }

    /// Lets HubSpot's listing of archived records leave their associations out from now on.
    pub fn hide_archived_associations(&self) {
        self.hubspot_mut().archived_are_bare = true;
    }

    /// Makes `count` records that were all created and changed in the same millisecond, visible in
    /// search at once, and gives their ids.
    pub fn hubspot_tie(&self, object: &str, count: usize, millis: i64) -> Vec<String> {
        let mut side = self.hubspot_mut();
        let shelf = side.shelf_or_new(object);
        let ids = (0..count)
            .map(|number| {
                let id = next_id(shelf);
                let values = tied(&shelf.name, number);
                let version = drafted(shelf, &values, id, (millis, millis));
                let mut record = live(id, millis, version);
                record.indexed = Some(Arc::clone(&record.current));
                shelf.push(record);
                id.to_string()
            })
            .collect();
        shelf.rebuild_index();
        ids
    }

    fn hubspot_create_ms(&self, object: &str, values: &Value, at_ms: i64) -> String {
        let (now_ms, lag_ms) = (self.now_ms(), self.index_lag_ms());
        let mut side = self.hubspot_mut();
        let shelf = side.shelf_or_new(object);
        let id = next_id(shelf);
        let version = drafted(shelf, values, id, (at_ms, at_ms));
        let slot = shelf.push(live(id, at_ms, version));
        shelf.show(slot, at_ms.saturating_add(lag_ms), now_ms);
        id.to_string()
    }

    fn hubspot_update_ms(&self, object: &str, id: &str, values: &Value, at_ms: i64) -> bool {
        let (now_ms, lag_ms) = (self.now_ms(), self.index_lag_ms());
        let mut side = self.hubspot_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let Some(slot) = find(shelf, id, |state| state == State::Live) else {
            return false;
        };
        restamp(shelf, slot, values, (at_ms, lag_ms, now_ms))
    }

    fn hubspot_archive_ms(&self, object: &str, id: &str, at_ms: i64) -> bool {
        let mut side = self.hubspot_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let Some(slot) = find(shelf, id, |state| state == State::Live) else {
            return false;
        };
        shelf.set_state(slot, State::Binned(at_ms));
        shelf.unindex(slot);
        true
    }
}

fn find(shelf: &Shelf, id: &str, fits: impl Fn(State) -> bool) -> Option<u32> {
    HubSpotSide::follow(shelf, id)
        .filter(|(_, record)| fits(record.state))
        .map(|(slot, _)| slot)
}

fn next_id(shelf: &Shelf) -> u64 {
    shelf
        .last_id()
        .map_or(FIRST_ID, |last| last.saturating_add(ID_STEP))
}

fn live(id: u64, created_ms: i64, version: Version) -> Record {
    let current = Arc::new(version);
    Record {
        id,
        created_ms,
        current,
        indexed: None,
        state: State::Live,
        raw: None,
        entity: 0,
    }
}

/// Values of a new record; `times` are those of creation and of the last change.
fn drafted(shelf: &mut Shelf, values: &Value, id: u64, times: (i64, i64)) -> Version {
    let mut draft = Draft::default();
    draft.clear(shelf.fields.len());
    apply(shelf, &mut draft, values, fragment);
    stamp(shelf, &mut draft, id, times);
    draft.finish(times.1)
}

fn stamp(shelf: &Shelf, draft: &mut Draft, id: u64, (created_ms, changed_ms): (i64, i64)) {
    let name = shelf.name.as_str();
    let [own_id, created, changed] = shelf.columns([
        "hs_object_id",
        schema::created_property(name),
        schema::time_property(name),
    ]);
    draft.text(own_id, &id.to_string());
    draft.quoted(created, |out| push_hubspot_time(out, created_ms));
    draft.quoted(changed, |out| push_hubspot_time(out, changed_ms));
}

/// Gives a record changed values; `times` are those of the change, the index lag, and now.
fn restamp(shelf: &mut Shelf, slot: u32, values: &Value, times: (i64, i64, i64)) -> bool {
    let (at_ms, lag_ms, now_ms) = times;
    let Some(record) = shelf.at(slot) else {
        return false;
    };
    let (id, created_ms) = (record.id, record.created_ms);
    let mut draft = Draft::default();
    draft.load(&Arc::clone(&record.current), shelf.fields.len());
    apply(shelf, &mut draft, values, fragment);
    stamp(shelf, &mut draft, id, (created_ms, at_ms));
    shelf.replace(
        slot,
        draft.finish(at_ms),
        at_ms.saturating_add(lag_ms),
        now_ms,
    );
    true
}

fn merged(shelf: &Shelf, slots: (u32, u32), id: u64, now_ms: i64) -> Option<(Version, i64, u32)> {
    let (winner, loser) = (shelf.at(slots.0)?, shelf.at(slots.1)?);
    let mut draft = Draft::default();
    draft.load(&winner.current, shelf.fields.len());
    for column in 0..shelf.fields.len() {
        if winner.current.fragment(column).is_empty() {
            draft.raw(column, loser.current.fragment(column));
        }
    }
    let [ids, vids] = shelf.columns(["hs_merged_object_ids", "hs_calculated_merged_vids"]);
    let mut old_ids = vec![winner.id.to_string(), loser.id.to_string()];
    let mut old_vids: Vec<String> = old_ids
        .iter()
        .map(|old| format!("{old}:{now_ms}"))
        .collect();
    for earlier in [winner, loser] {
        old_ids.extend(parts(&earlier.current.text(ids)));
        old_vids.extend(parts(&earlier.current.text(vids)));
    }
    draft.text(ids, &old_ids.join(";"));
    if vids != usize::MAX {
        draft.text(vids, &old_vids.join(";"));
    }
    let created_ms = winner.created_ms.min(loser.created_ms);
    stamp(shelf, &mut draft, id, (created_ms, now_ms));
    Some((draft.finish(now_ms), created_ms, winner.entity))
}

fn parts(joined: &str) -> Vec<String> {
    joined
        .split(';')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn tied(object: &str, number: usize) -> Value {
    match object {
        "contacts" => serde_json::json!({
            "firstname": "Tied",
            "lastname": format!("Record {number}"),
            "email": format!("tied.{number}@import.example"),
        }),
        "companies" => serde_json::json!({"name": format!("Tied Company {number}")}),
        "deals" => serde_json::json!({"dealname": format!("Tied deal {number}"), "amount": "10.5"}),
        _ => Value::Null,
    }
}

/// HubSpot's values are texts or null.
fn fragment(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Null => {}
        Value::String(text) => push_json_text(&mut out, text),
        other => push_json_text(&mut out, &other.to_string()),
    }
    out
}
