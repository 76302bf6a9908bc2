//! What is true at Dialpad.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Call, DialpadSide, TruthRow, World};

impl World {
    /// Gives every call record of Dialpad, by start, also those that are still going on.
    ///
    /// Shape: `{"call_id", "started_ms", "ended_ms", "conversation", "deleted", "transcript_ms",
    /// "recap", "record"}`. Lists show a call from `ended_ms` on; `conversation` is the same text
    /// for all records of one conversation (`master_call_id`, or the call's own id without one);
    /// `transcript_ms` is when the transcript becomes available, null without one. `record` is what
    /// is served, in one spelling: int64 values are integers, durations floats in milliseconds,
    /// and what has no value is left out.
    #[must_use]
    pub fn dialpad_calls(&self) -> Vec<Value> {
        self.dialpad().calls().iter().map(call).collect()
    }

    /// Gives every transcript, by the call's start: `{"call_id", "available_ms", "lines"}`, ids in
    /// the lines as integers.
    #[must_use]
    pub fn dialpad_transcripts(&self) -> Vec<Value> {
        let side = self.dialpad();
        let spoken = side.calls().iter().filter_map(|call| {
            let transcript = call.transcript.as_ref()?;
            Some(json!({
                "call_id": call.id.to_string(),
                "available_ms": transcript.available_ms,
                "lines": transcript.lines,
            }))
        });
        spoken.collect()
    }

    /// Gives every user: `{"id", "deleted", "record"}`. Users are never gone; those who left have
    /// the state `deleted` in their record.
    #[must_use]
    pub fn dialpad_users(&self) -> Vec<Value> {
        self.dialpad().listed("users")
    }

    /// Gives every contact, shared and local (`type`), also deleted ones: `{"id", "deleted",
    /// "record"}`.
    #[must_use]
    pub fn dialpad_contacts(&self) -> Vec<Value> {
        self.dialpad().listed("contacts")
    }

    /// Gives every office: `{"id", "deleted", "record"}`.
    #[must_use]
    pub fn dialpad_offices(&self) -> Vec<Value> {
        self.dialpad().listed("offices")
    }

    /// Gives every department: `{"id", "deleted", "record"}`.
    #[must_use]
    pub fn dialpad_departments(&self) -> Vec<Value> {
        self.dialpad().listed("departments")
    }

    /// Gives every call center: `{"id", "deleted", "record"}`.
    #[must_use]
    pub fn dialpad_callcenters(&self) -> Vec<Value> {
        self.dialpad().listed("callcenters")
    }

    /// Gives every number of ours, under itself as id: `{"id", "deleted", "record"}`.
    #[must_use]
    pub fn dialpad_numbers(&self) -> Vec<Value> {
        self.dialpad().listed("numbers")
    }

    /// Gives every text message, by the order in which they were made.
    ///
    /// Shape: `{"message_id", "date_ms", "direction", "from_phone", "to_phone", "target_id",
    /// "target_type", "sender_id"?, "mms"?}`, ids as integers; several numbers in `to_phone` are
    /// parted by commas.
    #[must_use]
    pub fn dialpad_texts(&self) -> Vec<Value> {
        let side = self.dialpad();
        let texts = side.texts.iter().map(|text| {
            let mut record = text.record.clone();
            record.insert("date_ms".to_owned(), Value::from(text.at_ms));
            Value::Object(record)
        });
        texts.collect()
    }

    /// Gives the calls that ended with a voicemail, as [`World::dialpad_calls`] does; the
    /// statistics export lists them once they are concluded.
    #[must_use]
    pub fn dialpad_voicemails(&self) -> Vec<Value> {
        let side = self.dialpad();
        let spoken = side.calls().iter().filter(|call| is_voicemail(call));
        spoken.map(call).collect()
    }
}

impl DialpadSide {
    /// The true people behind shared contacts, and behind numbers that were talked to.
    pub(super) fn truth(&self, now_ms: i64) -> Vec<TruthRow> {
        let person = |entity: u32| format!("person-{entity}");
        let contacts = self.entries("contacts").iter().filter(|contact| {
            let shared = contact.record.get("type").and_then(Value::as_str) == Some("shared");
            shared && !contact.deleted && contact.entity != 0
        });
        let numbers: BTreeSet<&str> = self
            .calls()
            .iter()
            .filter(|call| call.is_concluded(now_ms))
            .filter_map(|call| call.record.get("external_number")?.as_str())
            .collect();
        let numbers = numbers.into_iter().filter_map(|number| {
            let entity = self.owners.get(number)?;
            Some(("dialpad", "calls", number.to_owned(), person(*entity)))
        });
        contacts
            .map(|contact| {
                let id = contact.id.clone();
                ("dialpad", "contacts", id, person(contact.entity))
            })
            .chain(numbers)
            .collect()
    }

    fn listed(&self, kind: &str) -> Vec<Value> {
        let entries = self.entries(kind).iter();
        entries
            .map(|entry| json!({"id": entry.id, "deleted": entry.deleted, "record": entry.record}))
            .collect()
    }
}

/// Says whether a call ended with a voicemail.
pub(crate) fn is_voicemail(call: &Call) -> bool {
    call.record.contains_key("voicemail_share_link")
}

fn call(call: &Call) -> Value {
    json!({
        "call_id": call.id.to_string(),
        "started_ms": call.started_ms,
        "ended_ms": call.ended_ms,
        "conversation": conversation(&call.record, call.id),
        "deleted": call.deleted,
        "transcript_ms": call.transcript.as_ref().map(|transcript| transcript.available_ms),
        "recap": call.recap,
        "record": call.record,
    })
}

fn conversation(record: &Map<String, Value>, id: u64) -> String {
    let master = record.get("master_call_id").and_then(Value::as_u64);
    master.unwrap_or(id).to_string()
}
