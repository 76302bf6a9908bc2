//! Dialpad's side of the world: calls, texts, and the lists of who and what is there.
//!
//! A record here is the truth in one spelling: ids, times and counts (int64) are integers,
//! durations are floats in milliseconds, and what has no value is left out. How it is written for
//! a reader is the server's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use serde_json::{Map, Value, json};

use super::World;

/// Where call and user ids begin: 16 digits, below 2^53.
const FIRST_ID: u64 = 1 << 52;
/// How far they reach from there.
const ID_SPAN: u64 = 1 << 51;
/// An odd step, so that ids scatter and none comes twice.
const ID_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// One contact, user, office, department, call center or number.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its place in lists.
    pub(crate) place: u64,
    /// The id, as text.
    pub(crate) id: String,
    /// The record.
    pub(crate) record: Map<String, Value>,
    /// Whether it is gone from all answers.
    pub(crate) deleted: bool,
    /// Served instead of the record, as it is.
    pub(crate) raw: Option<Arc<str>>,
    /// The true person behind it; 0 when unknown.
    pub(crate) entity: u32,
}

/// What was said in a call.
#[derive(Debug, Clone)]
pub(crate) struct Transcript {
    /// From when on it is served.
    pub(crate) available_ms: i64,
    /// The lines.
    pub(crate) lines: Vec<Value>,
}

/// One call, as one record has it: a conversation may be several.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The id.
    pub(crate) id: u64,
    /// When it began.
    pub(crate) started_ms: i64,
    /// When it ends: lists show it from then on.
    pub(crate) ended_ms: i64,
    /// The record.
    pub(crate) record: Map<String, Value>,
    /// What was said.
    pub(crate) transcript: Option<Transcript>,
    /// What an assistant makes of it.
    pub(crate) recap: Option<String>,
    /// Whether it is gone from all answers.
    pub(crate) deleted: bool,
    /// Served instead of the record, as it is.
    pub(crate) raw: Option<Arc<str>>,
}

impl Call {
    /// Where it stands in the order of the list, which is read backwards.
    pub(crate) fn place(&self) -> (i64, u64) {
        (self.started_ms, self.id)
    }

    /// Says whether it has ended and is still there.
    pub(crate) fn is_concluded(&self, now_ms: i64) -> bool {
        !self.deleted && self.ended_ms <= now_ms
    }
}

/// One text message.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// When it was sent.
    pub(crate) at_ms: i64,
    /// The record.
    pub(crate) record: Map<String, Value>,
}

/// Dialpad's side of the world.
#[derive(Debug, Default)]
pub(crate) struct DialpadSide {
    /// Our own company's id.
    pub(crate) company_id: u64,
    /// The texts, in the order in which they were made.
    pub(crate) texts: Vec<Text>,
    /// Whose a number is, for those that are one person's alone.
    pub(crate) owners: BTreeMap<String, u32>,
    calls: Vec<Call>,
    shelves: BTreeMap<String, Vec<Entry>>,
    hidden: BTreeSet<(String, String)>,
    ids_made: u64,
}

impl DialpadSide {
    /// Starts empty; the same seed gives the same ids.
    pub(crate) fn new(seed: u64) -> Self {
        let mut side = Self {
            ids_made: seed.wrapping_mul(ID_STEP) % ID_SPAN,
            ..Self::default()
        };
        side.company_id = side.next_id();
        side
    }

    /// Gives out a new id.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.ids_made = self.ids_made.wrapping_add(1);
        FIRST_ID + self.ids_made.wrapping_mul(ID_STEP) % ID_SPAN
    }

    /// All calls, by start and id.
    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Finds a call by its id.
    pub(crate) fn call(&self, id: &str) -> Option<&Call> {
        let id: u64 = id.parse().ok()?;
        self.calls.iter().find(|call| call.id == id)
    }

    /// Finds a call to change all but its place.
    pub(super) fn call_mut(&mut self, id: &str) -> Option<&mut Call> {
        let id: u64 = id.parse().ok()?;
        self.calls.iter_mut().find(|call| call.id == id)
    }

    /// Puts a call in its place.
    pub(crate) fn put_call(&mut self, call: Call) {
        let place = self
            .calls
            .partition_point(|other| other.place() < call.place());
        self.calls.insert(place, call);
    }

    /// Takes a call out, to be changed and put back.
    pub(super) fn take_call(&mut self, id: &str) -> Option<Call> {
        let id: u64 = id.parse().ok()?;
        let place = self.calls.iter().position(|call| call.id == id)?;
        Some(self.calls.remove(place))
    }

    /// The entries of a list, such as `contacts`, in their order.
    pub(crate) fn entries(&self, kind: &str) -> &[Entry] {
        self.shelves.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Finds an entry by its id, also a deleted one.
    pub(crate) fn entry(&self, kind: &str, id: &str) -> Option<&Entry> {
        self.entries(kind).iter().find(|entry| entry.id == id)
    }

    /// Finds an entry to change it.
    pub(super) fn entry_mut(&mut self, kind: &str, id: &str) -> Option<&mut Entry> {
        let entries = self.shelves.get_mut(kind)?;
        entries.iter_mut().find(|entry| entry.id == id)
    }

    /// Adds an entry at the end of a list.
    pub(crate) fn put(&mut self, kind: &str, id: &str, record: Value, entity: u32) {
        let Value::Object(record) = record else {
            return;
        };
        let entries = self.shelves.entry(kind.to_owned()).or_default();
        let place = entries
            .last()
            .map_or(1, |last| last.place.saturating_add(1));
        entries.push(Entry {
            place,
            id: id.to_owned(),
            record,
            deleted: false,
            raw: None,
            entity,
        });
    }

    /// Gives the parts of a record that are not hidden.
    pub(crate) fn shown(&self, kind: &str, record: &Map<String, Value>) -> Map<String, Value> {
        let mut record = record.clone();
        for (_, name) in self.hidden.iter().filter(|(whose, _)| whose == kind) {
            record.remove(name);
        }
        record
    }

    pub(super) fn hide(&mut self, kind: &str, name: &str) {
        self.hidden.insert((kind.to_owned(), name.to_owned()));
    }

    pub(super) fn show(&mut self, kind: &str, name: &str) {
        self.hidden.remove(&(kind.to_owned(), name.to_owned()));
    }

    /// Serves a record as raw text, or no longer.
    pub(super) fn set_raw(&mut self, kind: &str, id: &str, raw: Option<Arc<str>>) -> bool {
        let place = match kind {
            "calls" => self.call_mut(id).map(|call| &mut call.raw),
            _ => self.entry_mut(kind, id).map(|entry| &mut entry.raw),
        };
        match place {
            Some(place) => {
                *place = raw;
                true
            }
            None => false,
        }
    }
}

/// What a call's record is made of.
#[derive(Debug, Clone)]
pub(crate) struct CallDraft {
    /// The id.
    pub(crate) id: u64,
    /// `inbound` or `outbound`.
    pub(crate) direction: &'static str,
    /// When it began, when it was answered, when it ended.
    pub(crate) times_ms: (i64, Option<i64>, i64),
    /// The outside number; may be empty.
    pub(crate) external: String,
    /// Our number.
    pub(crate) internal: String,
    /// Who is outside.
    pub(crate) contact: Value,
    /// Whose call it is with us.
    pub(crate) target: Value,
}

/// Writes a concluded call's record down.
pub(crate) fn call_record(draft: &CallDraft) -> Map<String, Value> {
    let (started_ms, connected_ms, ended_ms) = draft.times_ms;
    let inbound = draft.direction == "inbound";
    let record = json!({
        "call_id": draft.id,
        "contact": draft.contact,
        "date_started": started_ms,
        "date_rang": inbound.then(|| started_ms.saturating_add(40)),
        "date_connected": connected_ms,
        "date_ended": ended_ms,
        "direction": draft.direction,
        "duration": length_ms(connected_ms.unwrap_or(ended_ms), ended_ms),
        "event_timestamp": ended_ms.saturating_add(35),
        "external_number": draft.external,
        "internal_number": draft.internal,
        "is_transferred": false,
        "labels": [],
        "proxy_target": {},
        "state": "hangup",
        "target": draft.target,
        "total_duration": length_ms(started_ms, ended_ms),
        "was_recorded": false,
    });
    match record {
        Value::Object(record) => record
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        _ => Map::new(),
    }
}

/// The milliseconds between two instants; no call is longer than a float holds exactly.
fn length_ms(from_ms: i64, to_ms: i64) -> f64 {
    u32::try_from(to_ms.saturating_sub(from_ms)).map_or(0.0, f64::from)
}

impl World {
    pub(crate) fn dialpad(&self) -> RwLockReadGuard<'_, DialpadSide> {
        self.inner
            .dialpad
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn dialpad_mut(&self) -> RwLockWriteGuard<'_, DialpadSide> {
        self.inner
            .dialpad
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
