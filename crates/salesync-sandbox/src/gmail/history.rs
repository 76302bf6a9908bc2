//! The history of a mailbox.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::answer::{invalid, not_found};
use super::messages::served;
use super::paging::{List, page, token};
use super::routes::Caller;
use crate::World;
use crate::server::{Answer, Asked, RequestClass};
use crate::world::{Change, Event, Happening, Labels, id_text};

const TYPES: [&str; 4] = [
    "messageAdded",
    "messageDeleted",
    "labelAdded",
    "labelRemoved",
];

/// Answers a page of history: what came after a start, ascending.
pub(super) fn list(world: &World, asked: &Asked, caller: Caller) -> Answer {
    let page = match page(asked, List::History) {
        Ok(page) => page,
        Err(refusal) => return *refusal,
    };
    let Some(Ok(start)) = asked.param("startHistoryId").map(str::parse::<u64>) else {
        return invalid("Invalid or missing startHistoryId");
    };
    let types = asked.list("historyTypes").unwrap_or_default();
    if types.iter().any(|name| !TYPES.contains(name)) {
        return invalid("Invalid value for historyTypes");
    }
    let now_ms = world.now_ms();
    let side = world.gmail();
    let Some(mailbox) = side.boxes.get(caller.place) else {
        return not_found();
    };
    let label = match asked.param("labelId") {
        None => None,
        Some(id) => match mailbox.labels.number(id) {
            Some(number) => Some(number),
            None => return invalid(&format!("Invalid label: {id}")),
        },
    };
    let Some(events) = mailbox.history_after(page.after.unwrap_or(start), now_ms) else {
        return not_found();
    };
    let fits = |change: &&Change| {
        (types.is_empty() || types.contains(&type_of(&change.happening)))
            && label.is_none_or(|number| change.labels.has(number) || moves(change, number))
    };
    let mut found = events.into_iter().filter_map(|event| {
        let changes: Vec<&Change> = event.changes.iter().filter(fits).collect();
        (!changes.is_empty()).then_some((event, changes))
    });
    let shown: Vec<(&Event, Vec<&Change>)> = found.by_ref().take(page.max).collect();
    let more = found.next().is_some();
    let records: Vec<Value> = shown
        .iter()
        .map(|(event, changes)| record(&mailbox.labels, event, changes))
        .collect();
    let ids: BTreeSet<String> = shown
        .iter()
        .flat_map(|(_, changes)| changes.iter().map(|change| id_text(change.message)))
        .collect();
    let mut body = json!({"historyId": mailbox.history_id().to_string()});
    if let Some(map) = body.as_object_mut() {
        if !records.is_empty() {
            map.insert("history".to_owned(), Value::from(records));
        }
        if let Some((event, _)) = shown.last().filter(|_| more) {
            map.insert(
                "nextPageToken".to_owned(),
                Value::from(token(event.id, List::History)),
            );
        }
    }
    Answer::json(200, &body).page(served(
        "history",
        RequestClass::GmailHistory,
        ids.into_iter().collect(),
    ))
}

/// Whether a label came or went.
fn moves(change: &Change, number: u16) -> bool {
    match &change.happening {
        Happening::Labelled(numbers) | Happening::Unlabelled(numbers) => numbers.contains(&number),
        Happening::Added | Happening::Deleted => false,
    }
}

fn type_of(happening: &Happening) -> &'static str {
    match happening {
        Happening::Added => "messageAdded",
        Happening::Deleted => "messageDeleted",
        Happening::Labelled(_) => "labelAdded",
        Happening::Unlabelled(_) => "labelRemoved",
    }
}

fn record(labels: &Labels, event: &Event, changes: &[&Change]) -> Value {
    let mut lists: Map<String, Value> = Map::new();
    let mut messages: Vec<Value> = Vec::new();
    for change in changes {
        let plain = json!({"id": id_text(change.message), "threadId": id_text(change.thread)});
        let mut message = plain.clone();
        let on_it = labels.ids(&change.labels);
        if let (false, Some(map)) = (on_it.is_empty(), message.as_object_mut()) {
            map.insert("labelIds".to_owned(), Value::from(on_it));
        }
        if !messages.contains(&plain) {
            messages.push(plain);
        }
        let moved = |numbers: &[u16]| -> Vec<&str> {
            numbers.iter().map(|number| labels.id(*number)).collect()
        };
        let (key, entry) = match &change.happening {
            Happening::Added => ("messagesAdded", json!({"message": message})),
            Happening::Deleted => ("messagesDeleted", json!({"message": message})),
            Happening::Labelled(numbers) => (
                "labelsAdded",
                json!({"message": message, "labelIds": moved(numbers)}),
            ),
            Happening::Unlabelled(numbers) => (
                "labelsRemoved",
                json!({"message": message, "labelIds": moved(numbers)}),
            ),
        };
        let list = lists
            .entry(key.to_owned())
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Some(list) = list.as_array_mut() {
            list.push(entry);
        }
    }
    lists.insert("id".to_owned(), Value::from(event.id.to_string()));
    lists.insert("messages".to_owned(), Value::from(messages));
    Value::from(lists)
}
