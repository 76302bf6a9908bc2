//! Edits of what Dialpad knows.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::World;
use super::dialpad::{Call, CallDraft, DialpadSide, Text, Transcript, call_record};
use crate::store::parse_time;

/// How long a call without a given length is, in milliseconds.
const CALL_MS: i64 = 300_000;
/// How long it rings before it is answered, in milliseconds.
const RINGING_MS: i64 = 8_000;
const USER_STATES: [&str; 5] = ["active", "cancelled", "deleted", "pending", "suspended"];

impl World {
    /// Makes a call and gives its id (with `queue` that of the queue's leg; the operator's leg is
    /// the other record of the same conversation).
    ///
    /// | in `spec` | meaning, and what it is when it is not given |
    /// | --- | --- |
    /// | `start` | milliseconds since 1970 or ISO text; now |
    /// | `duration` | milliseconds from start to end, ringing included; five minutes |
    /// | `direction` | `inbound`; or `outbound` |
    /// | `external_number` | the outside number; `+14155550177` |
    /// | `user_id` | whose call it is; the first active user |
    /// | `connected` | whether somebody answered; true |
    /// | `voicemail` | whether it ended with a voicemail, unanswered; false |
    /// | `queue` | whether it came through the first call center; false |
    /// | `transcript_after` | a transcript is available so many milliseconds after the end; none |
    /// | `fields` | values for the record, as in [`World::dialpad_calls`]; null takes one away |
    ///
    /// A call whose end is ahead of the sandbox's clock is still going on: lists do not show it
    /// until the clock is there.
    pub fn dialpad_call(&self, spec: &Value) -> String {
        let start_ms = instant(spec.get("start")).unwrap_or_else(|| self.now_ms());
        let length_ms = spec.get("duration").and_then(Value::as_i64);
        let end_ms = start_ms.saturating_add(length_ms.unwrap_or(CALL_MS));
        let mut side = self.dialpad_mut();
        let is = |name: &str, otherwise: bool| {
            spec.get(name).and_then(Value::as_bool).unwrap_or(otherwise)
        };
        let answered = is("connected", true) && !is("voicemail", false);
        let ringing_ms = RINGING_MS.min(end_ms.saturating_sub(start_ms) / 2);
        let user = side.user_target(spec.get("user_id").and_then(Value::as_str));
        let internal = user
            .get("phone")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let draft = CallDraft {
            id: side.next_id(),
            direction: match spec.get("direction").and_then(Value::as_str) {
                Some("outbound") => "outbound",
                _ => "inbound",
            },
            times_ms: (
                start_ms,
                answered.then(|| start_ms.saturating_add(ringing_ms)),
                end_ms,
            ),
            external: text(spec, "external_number", "+14155550177"),
            internal: internal.to_owned(),
            contact: json!({}),
            target: user,
        };
        let transcript_ms = spec
            .get("transcript_after")
            .and_then(Value::as_i64)
            .map(|after_ms| end_ms.saturating_add(after_ms));
        if is("queue", false) {
            return side.queue_call(&draft, spec, transcript_ms);
        }
        let mut record = call_record(&draft);
        if is("voicemail", false) {
            add_voicemail(&mut record, draft.id, end_ms.saturating_sub(start_ms));
        }
        side.put_drafted(&draft, record, spec, transcript_ms);
        draft.id.to_string()
    }

    /// Changes a call's record from now on: labels, recordings, a transcription that came later;
    /// null takes a value away. `date_started` and `date_ended` move the call; the name `recap`
    /// sets what `ai_recap` answers. Returns false if there is no such call.
    pub fn dialpad_update_call(&self, id: &str, fields: &Value) -> bool {
        let mut side = self.dialpad_mut();
        let Some(mut call) = side.take_call(id) else {
            return false;
        };
        merge(&mut call.record, fields);
        if let Some(recap) = call.record.remove("recap") {
            call.recap = recap.as_str().map(str::to_owned);
        }
        let time = |name: &str| call.record.get(name).and_then(Value::as_i64);
        (call.started_ms, call.ended_ms) = (
            time("date_started").unwrap_or(call.started_ms),
            time("date_ended").unwrap_or(call.ended_ms),
        );
        side.put_call(call);
        true
    }

    /// Deletes a call: no answer shows it any more.
    pub fn dialpad_delete_call(&self, id: &str) -> bool {
        let mut side = self.dialpad_mut();
        match side.call_mut(id).filter(|call| !call.deleted) {
            Some(call) => {
                call.deleted = true;
                true
            }
            None => false,
        }
    }

    /// Lets a call's transcript be available from an instant on; a call without one gets one.
    /// Returns false if there is no such call.
    pub fn dialpad_transcript_available_at(&self, id: &str, at: DateTime<Utc>) -> bool {
        let mut side = self.dialpad_mut();
        let Some(call) = side.call_mut(id) else {
            return false;
        };
        let lines = match call.transcript.take() {
            Some(transcript) => transcript.lines,
            None => spoken(&call.record, call.started_ms),
        };
        call.transcript = Some(Transcript {
            available_ms: at.timestamp_millis(),
            lines,
        });
        true
    }

    /// Refuses so many of a hundred transcripts (404) once: when they are first asked for after
    /// they became available. Which ones follows from their ids.
    pub fn dialpad_refuse_transcripts(&self, percent: u8) {
        self.desk().dialpad.refused_percent = u64::from(percent);
    }

    /// Lets all cursors that were given out die: they answer 400.
    pub fn dialpad_kill_cursors(&self) {
        let mut desk = self.desk();
        desk.dialpad.cursors = desk.dialpad.cursors.saturating_add(1);
    }

    /// Lets the next `times` exports end as `failed`.
    pub fn dialpad_fail_exports(&self, times: usize) {
        self.desk().dialpad.exports_to_fail = times;
    }

    /// Makes a contact and gives its id. `fields` are those of the record (`first_name`, `emails`,
    /// `phones` …); without a `type` it is shared.
    pub fn dialpad_contact_create(&self, fields: &Value) -> String {
        let mut side = self.dialpad_mut();
        let id = contact_id(side.next_id());
        let mut record = Map::new();
        merge(&mut record, &json!({"id": id, "type": "shared"}));
        merge(&mut record, fields);
        side.put("contacts", &id, Value::Object(record), 0);
        id
    }

    /// Changes a contact; null takes a value away. Returns false if there is no such contact.
    pub fn dialpad_contact_update(&self, id: &str, fields: &Value) -> bool {
        let mut side = self.dialpad_mut();
        match side
            .entry_mut("contacts", id)
            .filter(|entry| !entry.deleted)
        {
            Some(contact) => {
                merge(&mut contact.record, fields);
                true
            }
            None => false,
        }
    }

    /// Deletes a contact: no answer shows it any more.
    pub fn dialpad_contact_delete(&self, id: &str) -> bool {
        let mut side = self.dialpad_mut();
        match side
            .entry_mut("contacts", id)
            .filter(|entry| !entry.deleted)
        {
            Some(contact) => {
                contact.deleted = true;
                true
            }
            None => false,
        }
    }

    /// Makes an active user and gives the id. `fields` are those of the record (`first_name`,
    /// `emails`, `state` …).
    pub fn dialpad_user_create(&self, fields: &Value) -> String {
        let added = user_time(self.now_ms());
        let mut side = self.dialpad_mut();
        let id = side.next_id();
        let office = side.entries("offices").first();
        let office_id = office.and_then(|office| office.record.get("id").cloned());
        let mut record = Map::new();
        let usual = json!({
            "id": id,
            "company_id": side.company_id,
            "office_id": office_id,
            "state": "active",
            "date_added": added,
            "date_active": added,
        });
        merge(&mut record, &usual);
        merge(&mut record, fields);
        side.put("users", &id.to_string(), Value::Object(record), 0);
        id.to_string()
    }

    /// Changes a user's state: `active`, `cancelled`, `deleted`, `pending` or `suspended`. Returns
    /// false for another state, or if there is no such user.
    pub fn dialpad_user_state(&self, id: &str, state: &str) -> bool {
        let mut side = self.dialpad_mut();
        match side.entry_mut("users", id) {
            Some(user) if USER_STATES.contains(&state) => {
                merge(&mut user.record, &json!({"state": state}));
                true
            }
            _ => false,
        }
    }

    /// Makes a text message and gives its id. `fields`: `date` (milliseconds since 1970 or ISO
    /// text; now), `direction` (`inbound`), `from_phone`, `to_phone`, `target_id` (the first active
    /// user), `mms`. The statistics export lists it from its date on.
    pub fn dialpad_text(&self, fields: &Value) -> String {
        let at_ms = instant(fields.get("date")).unwrap_or_else(|| self.now_ms());
        let mut side = self.dialpad_mut();
        let user = side.user_target(fields.get("target_id").and_then(Value::as_str));
        let user_id = user.get("id").and_then(Value::as_str);
        let user_id = user_id.and_then(|id| id.parse::<u64>().ok());
        let direction = text(fields, "direction", "inbound");
        let own = text(&user, "phone", "");
        let sent = direction == "outbound";
        let (from, to) = if sent {
            (own.as_str(), "+14155550177")
        } else {
            ("+14155550177", own.as_str())
        };
        let id = side.next_id();
        let mut record = Map::new();
        let whole = json!({
            "message_id": id,
            "direction": direction,
            "from_phone": text(fields, "from_phone", from),
            "to_phone": text(fields, "to_phone", to),
            "target_id": user_id,
            "target_type": "user",
            "sender_id": user_id.filter(|_| sent),
            "mms": fields.get("mms"),
        });
        merge(&mut record, &whole);
        side.texts.push(Text { at_ms, record });
        id.to_string()
    }
}

impl DialpadSide {
    /// Who a user is in a call: the one with this id, or the first active one; `{}` if there is
    /// none.
    fn user_target(&self, id: Option<&str>) -> Value {
        let users = self.entries("users");
        let user = match id {
            Some(id) => users.iter().find(|user| user.id == id),
            None => users.iter().find(|user| {
                user.record
                    .get("state")
                    .is_some_and(|state| state == "active")
            }),
        };
        let Some(user) = user else {
            return json!({});
        };
        let first = |name: &str| {
            let list = user.record.get(name).and_then(Value::as_array);
            list.and_then(|list| list.first().cloned())
                .unwrap_or_else(|| Value::from(""))
        };
        json!({
            "id": user.id,
            "type": "user",
            "name": user.record.get("display_name").cloned().unwrap_or_else(|| Value::from("")),
            "email": first("emails"),
            "phone": first("phone_numbers"),
        })
    }

    /// Puts the two legs of a call that came through the first call center, and gives the id of
    /// the queue's.
    fn queue_call(
        &mut self,
        operator: &CallDraft,
        spec: &Value,
        transcript: Option<i64>,
    ) -> String {
        let queue = self.entries("callcenters").first();
        let target = queue.map_or_else(
            || json!({}),
            |queue| {
                json!({
                    "id": queue.id,
                    "type": "callcenter",
                    "name": queue.record.get("name"),
                    "email": "",
                })
            },
        );
        let entry = CallDraft {
            id: self.next_id(),
            target: target.clone(),
            ..operator.clone()
        };
        let mut record = call_record(&entry);
        let entry_fields = json!({"operator_call_id": operator.id, "entry_point_target": target});
        merge(&mut record, &entry_fields);
        self.put_drafted(&entry, record, spec, None);
        let mut record = call_record(operator);
        let links = json!({
            "entry_point_call_id": entry.id,
            "master_call_id": entry.id,
            "entry_point_target": target,
        });
        merge(&mut record, &links);
        self.put_drafted(operator, record, spec, transcript);
        entry.id.to_string()
    }

    /// Puts a call, with the specification's own values in its record.
    fn put_drafted(
        &mut self,
        draft: &CallDraft,
        mut record: Map<String, Value>,
        spec: &Value,
        transcript_ms: Option<i64>,
    ) {
        if let Some(fields) = spec.get("fields") {
            merge(&mut record, fields);
        }
        let (started_ms, _, ended_ms) = draft.times_ms;
        let transcript = transcript_ms.map(|available_ms| Transcript {
            available_ms,
            lines: spoken(&record, started_ms),
        });
        self.put_call(Call {
            id: draft.id,
            started_ms,
            ended_ms,
            record,
            transcript,
            recap: None,
            deleted: false,
            raw: None,
        });
    }
}

/// Adds what a voicemail leaves in a call's record.
pub(crate) fn add_voicemail(record: &mut Map<String, Value>, id: u64, length_ms: i64) {
    let started_ms = record.get("date_started").and_then(Value::as_i64);
    let recording = json!([{
        "id": (id / 3).to_string(),
        "recording_type": "voicemail",
        "duration": length_ms,
        "start_time": started_ms,
        "url": format!("https://recordings.sandbox.example/voicemail/{id}"),
    }]);
    let fields = json!({
        "state": "voicemail",
        "voicemail_share_link": format!("https://recordings.sandbox.example/share/{id}"),
        "transcription_text": "Please call me back when you have a minute.",
        "recording_details": recording,
        "duration": 0.0,
    });
    merge(record, &fields);
}

/// Writes values into a record; null takes one away.
pub(crate) fn merge(record: &mut Map<String, Value>, fields: &Value) {
    for (name, value) in fields.as_object().into_iter().flatten() {
        if value.is_null() {
            record.remove(name);
        } else {
            record.insert(name.clone(), value.clone());
        }
    }
}

/// What two people say to each other; times have no zone, and moments come last whenever they were.
pub(crate) fn spoken(record: &Map<String, Value>, started_ms: i64) -> Vec<Value> {
    let of = |whose: &str, name: &str| {
        let found = record
            .get(whose)
            .and_then(|whose| whose.get(name)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    let user_id = of("target", "id").parse::<u64>().ok();
    let contact_id = of("contact", "id");
    let contact_id = (!contact_id.is_empty()).then_some(contact_id);
    let said = [
        (
            "target",
            "transcript",
            "Hello, thank you for taking the time.",
        ),
        (
            "contact",
            "transcript",
            "Sure. We looked at your offer, and \u{201e}it fits\u{201c}.",
        ),
        ("contact", "transcript", "When could we start?"),
        ("target", "transcript", "Next month, if you like."),
        ("target", "moment", "price_inquiry"),
    ];
    let lines = said
        .iter()
        .zip(0_i64..)
        .map(|((who, kind, content), place)| {
            let at_ms = started_ms
                .saturating_add(9_300)
                .saturating_add(4_150 * (place % 4));
            let mut line = Map::new();
            let own = *who == "target";
            let whole = json!({
                "name": of(who, "name"),
                "time": user_time(at_ms),
                "type": kind,
                "content": content,
                "user_id": user_id.filter(|_| own),
                "contact_id": contact_id.clone().filter(|_| !own),
            });
            merge(&mut line, &whole);
            Value::Object(line)
        });
    lines.collect()
}

/// Writes an instant as users and transcripts have it: ISO without a zone, microseconds left out
/// when there are none.
pub(crate) fn user_time(ms: i64) -> String {
    let time = crate::clock::date_time(ms);
    if ms.rem_euclid(1_000) == 0 {
        time.format("%Y-%m-%dT%H:%M:%S").to_string()
    } else {
        time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
    }
}

/// Writes a contact's id: some are keys of the vendor's store, some name the pool they are in.
pub(crate) fn contact_id(number: u64) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    if number.is_multiple_of(5) {
        return format!(
            "shared_contact_pool_Company:{number}_uid_{}",
            number % 9_973
        );
    }
    URL_SAFE_NO_PAD.encode(format!(
        "j\u{e}s~sandbox-voice\u{12}\u{7}Contact\u{18}{number:x}\u{c}"
    ))
}

fn text(fields: &Value, name: &str, otherwise: &str) -> String {
    let given = fields.get(name).and_then(Value::as_str);
    given.unwrap_or(otherwise).to_owned()
}

fn instant(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::String(text) => parse_time(text),
        other => other.as_i64(),
    }
}
