//! The mailbox itself: its profile and its labels.

use serde_json::json;

use super::answer::not_found;
use super::messages::served;
use super::routes::Caller;
use crate::World;
use crate::server::{Answer, RequestClass};

/// Answers who the mailbox belongs to, and how far its history has come.
pub(super) fn profile(world: &World, caller: Caller) -> Answer {
    let side = world.gmail();
    let Some(mailbox) = side.boxes.get(caller.place) else {
        return not_found();
    };
    Answer::json(
        200,
        &json!({
            "emailAddress": mailbox.address,
            "messagesTotal": mailbox.live().count(),
            "threadsTotal": mailbox.thread_ids().len(),
            "historyId": mailbox.history_id().to_string(),
        }),
    )
}

/// Answers all labels.
pub(super) fn list(world: &World, caller: Caller) -> Answer {
    let side = world.gmail();
    let Some(mailbox) = side.boxes.get(caller.place) else {
        return not_found();
    };
    let labels = mailbox.labels.json();
    let ids = labels
        .iter()
        .filter_map(|label| label.get("id").and_then(|id| id.as_str()))
        .map(str::to_owned)
        .collect();
    let page = served("labels", RequestClass::GmailLabels, ids);
    Answer::json(200, &json!({"labels": labels})).page(page)
}
