//! Dialpad's transcripts: there some time after the call, if at all.

use serde_json::{Map, Value, json};

use super::answer::not_found;
use super::calls::concluded;
use super::wire::{mixed, written};
use crate::World;
use crate::server::Answer;

/// Answers the lines of a transcript, or 404 until it is available.
pub(super) fn lines(world: &World, id: &str) -> Answer {
    let now_ms = world.now_ms();
    let side = world.dialpad();
    let transcript = concluded(&side, id, now_ms)
        .and_then(|call| call.transcript.as_ref())
        .filter(|transcript| transcript.available_ms <= now_ms);
    let Some(transcript) = transcript else {
        return not_found(&format!("transcript of call {id}"));
    };
    let body: Map<String, Value> = [
        ("call_id".to_owned(), number(id)),
        ("lines".to_owned(), Value::from(transcript.lines.clone())),
    ]
    .into_iter()
    .collect();
    drop(side);
    if is_refused(world, id) {
        return not_found(&format!("transcript of call {id}"));
    }
    Answer::json(200, &written(&body, id))
}

/// Answers where a transcript can be looked at.
pub(super) fn link(world: &World, id: &str) -> Answer {
    let now_ms = world.now_ms();
    let side = world.dialpad();
    if concluded(&side, id, now_ms).is_none() {
        return not_found(&format!("call {id}"));
    }
    let url = format!("https://review.sandbox.example/callreview/{id}?tab=transcript");
    Answer::json(200, &json!({"call_id": id, "url": url}))
}

/// Says whether a transcript is one of those that are refused once, and notes that it was.
fn is_refused(world: &World, id: &str) -> bool {
    let mut desk = world.desk();
    let percent = desk.dialpad.refused_percent;
    match id.parse() {
        Ok(number) if mixed(id) % 100 < percent => desk.dialpad.refused.insert(number),
        _ => false,
    }
}

fn number(id: &str) -> Value {
    id.parse::<u64>().map_or(Value::Null, Value::from)
}
