//! Dialpad's calls: the list, one call, its recap.

use serde_json::{Map, Value, json};

use super::answer::{invalid, not_found, problem};
use super::listing::{Listing, Row};
use super::wire::written;
use crate::World;
use crate::server::{Answer, Asked};
use crate::world::{Call, DialpadSide};

/// How many calls are on a page; unpublished.
const PAGE_ROWS: usize = 50;
/// What a call's record lacks while it is going on.
const ONLY_CONCLUDED: [&str; 8] = [
    "date_ended",
    "duration",
    "total_duration",
    "event_timestamp",
    "labels",
    "recording_details",
    "transcription_text",
    "voicemail_share_link",
];

/// Answers a page of concluded calls, newest first by start. Both bounds are exclusive.
pub(super) fn list(world: &World, asked: &Asked) -> Answer {
    let bounds = [
        bound(asked, "started_after"),
        bound(asked, "started_before"),
    ];
    let [Ok(after_ms), Ok(before_ms)] = bounds else {
        return invalid("started_after and started_before are milliseconds since 1970");
    };
    let listing = match Listing::open(world, asked, "calls", PAGE_ROWS) {
        Ok(listing) => listing,
        Err(refusal) => return *refusal,
    };
    let now_ms = world.now_ms();
    let side = world.dialpad();
    let calls = side.calls();
    let end = match (listing.after, before_ms) {
        (Some(place), _) => calls.partition_point(|call| call.place() < place),
        (None, Some(before_ms)) => calls.partition_point(|call| call.started_ms < before_ms),
        (None, None) => calls.len(),
    };
    let rows = calls
        .iter()
        .take(end)
        .rev()
        .take_while(|call| after_ms.is_none_or(|after_ms| call.started_ms > after_ms))
        .filter(|call| before_ms.is_none_or(|before_ms| call.started_ms < before_ms))
        .filter(|call| call.is_concluded(now_ms) && is_targets(call, asked))
        .take(PAGE_ROWS)
        .map(|call| Row {
            place: call.place(),
            id: call.id.to_string(),
            json: text(&side, call),
        })
        .collect();
    drop(side);
    listing.answer(rows)
}

/// Answers one call, which may be going on.
pub(super) fn one(world: &World, id: &str) -> Answer {
    let now_ms = world.now_ms();
    let side = world.dialpad();
    let known = side
        .call(id)
        .filter(|call| !call.deleted && call.started_ms <= now_ms);
    match known {
        Some(call) if call.is_concluded(now_ms) => Answer::text(200, text(&side, call)),
        Some(call) => {
            let record = going_on(&side.shown("calls", &call.record), now_ms);
            Answer::json(200, &written(&record, id))
        }
        None => not_found(&format!("call {id}")),
    }
}

/// Answers what an assistant made of a call.
pub(super) fn recap(world: &World, id: &str) -> Answer {
    let now_ms = world.now_ms();
    let side = world.dialpad();
    let call = side.call(id).filter(|call| call.is_concluded(now_ms));
    match call.and_then(|call| call.recap.as_ref()) {
        Some(recap) => Answer::json(
            200,
            &json!({"call_id": id, "summary": {"content": recap}, "action_items": []}),
        ),
        None => problem(404, "notFound", &format!("no recap of call {id}")),
    }
}

/// Finds a call that is concluded.
pub(super) fn concluded<'a>(side: &'a DialpadSide, id: &str, now_ms: i64) -> Option<&'a Call> {
    side.call(id).filter(|call| call.is_concluded(now_ms))
}

fn text(side: &DialpadSide, call: &Call) -> String {
    if let Some(raw) = &call.raw {
        return raw.to_string();
    }
    written(&side.shown("calls", &call.record), &call.id.to_string()).to_string()
}

fn going_on(record: &Map<String, Value>, now_ms: i64) -> Map<String, Value> {
    let mut record = record.clone();
    for name in ONLY_CONCLUDED {
        record.remove(name);
    }
    let connected = record.get("date_connected").and_then(Value::as_i64);
    let state = if connected.is_some_and(|connected_ms| connected_ms <= now_ms) {
        "connected"
    } else {
        record.remove("date_connected");
        "ringing"
    };
    record.insert("state".to_owned(), Value::from(state));
    record.insert("event_timestamp".to_owned(), Value::from(now_ms));
    record
}

/// Says whether a call is one of the target's that is asked for.
fn is_targets(call: &Call, asked: &Asked) -> bool {
    let target = call.record.get("target");
    let is = |param: &str, name: &str| {
        asked.param(param).is_none_or(|wanted| {
            target
                .and_then(|target| target.get(name)?.as_str())
                .is_some_and(|own| own == wanted)
        })
    };
    is("target_id", "id") && is("target_type", "type")
}

fn bound(asked: &Asked, name: &str) -> Result<Option<i64>, ()> {
    match asked.param(name).filter(|text| !text.is_empty()) {
        Some(text) => text.parse().map(Some).map_err(|_| ()),
        None => Ok(None),
    }
}
