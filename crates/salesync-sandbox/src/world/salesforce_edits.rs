//! Edits of Salesforce's records.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::Arc;

use super::World;
use super::fields::apply;
use super::salesforce::SalesforceSide;
use crate::salesforce::{id_text, schema};
use crate::store::{
    Draft, Kind, Record, Shelf, State, Version, push_json_text, push_salesforce_time, whole_second,
};

/// What an edit moves: user edits move `LastModifiedDate` too, system changes do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    User,
    System,
}

impl World {
    /// Makes a record now and gives its 18-character id. `fields` is a JSON object; names that no
    /// field has become custom text fields, and an unknown object becomes a custom object.
    pub fn salesforce_create(&self, object: &str, fields: &Value) -> String {
        self.salesforce_create_ms(object, fields, self.now_ms())
    }

    /// Makes a record as if at a given time.
    pub fn salesforce_create_at(&self, object: &str, fields: &Value, at: DateTime<Utc>) -> String {
        self.salesforce_create_ms(object, fields, at.timestamp_millis())
    }

    /// Changes fields of a live record now; `null` clears one. Returns false if there is no such
    /// live record.
    pub fn salesforce_update(&self, object: &str, id: &str, fields: &Value) -> bool {
        self.salesforce_edit(object, id, fields, self.now_ms())
    }

    /// Changes fields of a live record as if at a given time.
    pub fn salesforce_update_at(
        &self,
        object: &str,
        id: &str,
        fields: &Value,
        at: DateTime<Utc>,
    ) -> bool {
        self.salesforce_edit(object, id, fields, at.timestamp_millis())
    }

    /// Moves a live record to the recycle bin: `IsDeleted`, and its stamps move.
    pub fn salesforce_delete(&self, object: &str, id: &str) -> bool {
        self.salesforce_delete_ms(object, id, self.now_ms())
    }

    /// Moves a live record to the recycle bin as if at a given time.
    pub fn salesforce_delete_at(&self, object: &str, id: &str, at: DateTime<Utc>) -> bool {
        self.salesforce_delete_ms(object, id, at.timestamp_millis())
    }

    /// Takes a record out of the recycle bin; its stamps move.
    pub fn salesforce_undelete(&self, object: &str, id: &str) -> bool {
        let at_ms = whole_second(self.now_ms());
        let mut side = self.salesforce_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let Some(slot) = find(shelf, id, |state| matches!(state, State::Binned(_))) else {
            return false;
        };
        shelf.set_state(slot, State::Live);
        let values = json!({"IsDeleted": false, "MasterRecordId": null});
        restamp(shelf, slot, &known(shelf, &values), (By::User, at_ms))
    }

    /// Merges the second live record into the first: the loser is in the recycle bin with
    /// `MasterRecordId`, whatever referred to it refers to the winner and is restamped
    /// (`SystemModstamp` only). Returns false if either is missing.
    pub fn salesforce_merge(&self, object: &str, winner: &str, loser: &str) -> bool {
        let at_ms = whole_second(self.now_ms());
        let mut side = self.salesforce_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let live = |state| state == State::Live;
        let (Some(kept), Some(lost)) = (find(shelf, winner, live), find(shelf, loser, live)) else {
            return false;
        };
        let prefix = schema::key_prefix(&shelf.name);
        let id_of = |slot| shelf.at(slot).map(|record| id_text(prefix, record.id));
        let (Some(kept_id), Some(lost_id)) = (id_of(kept), id_of(lost)) else {
            return false;
        };
        if kept == lost {
            return false;
        }
        shelf.set_state(lost, State::Binned(at_ms));
        let values = json!({"IsDeleted": true, "MasterRecordId": kept_id});
        restamp(shelf, lost, &values, (By::User, at_ms));
        restamp(shelf, kept, &Value::Null, (By::User, at_ms));
        for shelf in side.shelves_mut() {
            reparent(shelf, &lost_id, &kept_id, at_ms);
        }
        true
    }

    /// Removes a record for good: queries no longer show it, only the log of deletions names it.
    pub fn salesforce_hard_delete(&self, object: &str, id: &str) -> bool {
        let at_ms = whole_second(self.now_ms());
        let mut side = self.salesforce_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let Some(slot) = find(shelf, id, |state| !matches!(state, State::Erased(_))) else {
            return false;
        };
        shelf.set_state(slot, State::Erased(at_ms));
        shelf.unindex(slot);
        true
    }

    /// Makes `count` records that were all created and changed in the same second and gives their
    /// ids.
    pub fn salesforce_tie(&self, object: &str, count: usize, millis: i64) -> Vec<String> {
        let at_ms = whole_second(millis);
        let mut side = self.salesforce_mut();
        let shelf = side.shelf_or_new(object);
        let prefix = schema::key_prefix(&shelf.name);
        let ids = (0..count)
            .map(|number| {
                let id = next_id(shelf);
                let values = tied(&shelf.name, number);
                let version = drafted(shelf, &values, id, at_ms);
                let mut record = live(id, at_ms, version);
                record.indexed = Some(Arc::clone(&record.current));
                shelf.push(record);
                id_text(prefix, id)
            })
            .collect();
        shelf.rebuild_index();
        ids
    }

    fn salesforce_create_ms(&self, object: &str, values: &Value, at_ms: i64) -> String {
        let (at_ms, now_ms) = (whole_second(at_ms), self.now_ms());
        let mut side = self.salesforce_mut();
        let shelf = side.shelf_or_new(object);
        let id = next_id(shelf);
        let version = drafted(shelf, values, id, at_ms);
        let slot = shelf.push(live(id, at_ms, version));
        shelf.show(slot, now_ms, now_ms);
        id_text(schema::key_prefix(&shelf.name), id)
    }

    fn salesforce_edit(&self, object: &str, id: &str, values: &Value, at_ms: i64) -> bool {
        let mut side = self.salesforce_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let Some(slot) = find(shelf, id, |state| state == State::Live) else {
            return false;
        };
        restamp(shelf, slot, values, (By::User, whole_second(at_ms)))
    }

    fn salesforce_delete_ms(&self, object: &str, id: &str, at_ms: i64) -> bool {
        let at_ms = whole_second(at_ms);
        let mut side = self.salesforce_mut();
        let Some(shelf) = side.shelf_mut(object) else {
            return false;
        };
        let Some(slot) = find(shelf, id, |state| state == State::Live) else {
            return false;
        };
        shelf.set_state(slot, State::Binned(at_ms));
        restamp(shelf, slot, &json!({"IsDeleted": true}), (By::User, at_ms))
    }
}

fn find(shelf: &Shelf, id: &str, fits: impl Fn(State) -> bool) -> Option<u32> {
    let slot = SalesforceSide::slot(shelf, id)?;
    shelf
        .at(slot)
        .filter(|record| fits(record.state))
        .map(|_| slot)
}

fn next_id(shelf: &Shelf) -> u64 {
    shelf.last_id().map_or(1, |last| last.saturating_add(1))
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

fn drafted(shelf: &mut Shelf, values: &Value, id: u64, at_ms: i64) -> Version {
    let mut draft = Draft::default();
    draft.clear(shelf.fields.len());
    for (column, field) in shelf.fields.iter().enumerate() {
        if field.kind == Kind::Bool {
            draft.raw(column, "false");
        }
    }
    apply(shelf, &mut draft, values, fragment);
    let [own_id, created, changed, stamped] =
        shelf.columns(["Id", "CreatedDate", "LastModifiedDate", "SystemModstamp"]);
    draft.text(own_id, &id_text(schema::key_prefix(&shelf.name), id));
    for column in [created, changed, stamped] {
        draft.quoted(column, |out| push_salesforce_time(out, at_ms));
    }
    draft.finish(at_ms)
}

fn restamp(shelf: &mut Shelf, slot: u32, values: &Value, (by, at_ms): (By, i64)) -> bool {
    let Some(current) = shelf.at(slot).map(|record| Arc::clone(&record.current)) else {
        return false;
    };
    let mut draft = Draft::default();
    draft.load(&current, shelf.fields.len());
    apply(shelf, &mut draft, values, fragment);
    let [changed, stamped] = shelf.columns(["LastModifiedDate", "SystemModstamp"]);
    draft.quoted(stamped, |out| push_salesforce_time(out, at_ms));
    if by == By::User {
        draft.quoted(changed, |out| push_salesforce_time(out, at_ms));
    }
    shelf.replace(slot, draft.finish(at_ms), at_ms, at_ms);
    true
}

/// Keeps of `values` what the object has a field for.
fn known(shelf: &Shelf, values: &Value) -> Value {
    let fields = values.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| shelf.column(name).is_some())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Lets live records that refer to one id refer to another.
fn reparent(shelf: &mut Shelf, lost_id: &str, kept_id: &str, at_ms: i64) {
    let columns: Vec<usize> = shelf
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.kind == Kind::Reference && field.name != "MasterRecordId")
        .map(|(column, _)| column)
        .collect();
    let quoted = format!("\"{lost_id}\"");
    let children: Vec<(u32, Value)> = shelf
        .records()
        .iter()
        .zip(0_u32..)
        .filter(|(record, _)| record.state == State::Live)
        .filter_map(|(record, slot)| {
            let changed: Value = columns
                .iter()
                .filter(|&&column| record.current.fragment(column) == quoted)
                .filter_map(|&column| shelf.fields.get(column))
                .map(|field| (field.name.clone(), Value::from(kept_id)))
                .collect();
            changed
                .as_object()
                .is_some_and(|map| !map.is_empty())
                .then_some((slot, changed))
        })
        .collect();
    for (slot, values) in children {
        restamp(shelf, slot, &values, (By::System, at_ms));
    }
}

fn tied(object: &str, number: usize) -> Value {
    match object {
        "Contact" | "Lead" => json!({
            "FirstName": "Tied",
            "LastName": format!("Record {number}"),
            "Email": format!("tied.{number}@import.example"),
        }),
        "Opportunity" => json!({"Name": format!("Tied {number}"), "StageName": "Prospecting"}),
        "Task" | "Event" => json!({"Subject": format!("Tied {number}")}),
        _ => json!({"Name": format!("Tied {number}")}),
    }
}

fn fragment(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Null => {}
        // Salesforce has no empty text: it is null.
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => push_json_text(&mut out, text),
        other => out.push_str(&other.to_string()),
    }
    out
}
