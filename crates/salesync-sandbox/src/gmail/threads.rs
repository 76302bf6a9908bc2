//! Threads: the list, one thread with its messages.

use serde_json::{Value, json};

use super::answer::{forbidden, invalid, not_found};
use super::messages::{Selection, Writer, listed, mail_of, served};
use super::paging::{List, token};
use super::routes::Caller;
use crate::World;
use crate::gmail::desk::Reach;
use crate::server::{Answer, Asked, RequestClass};
use crate::world::{Copy, id_text, parse_id};

/// Answers a page of the list of threads: the one with the newest message first.
pub(super) fn list(world: &World, asked: &Asked, caller: Caller) -> Answer {
    let side = world.gmail();
    let selection = match Selection::new(&side, asked, caller, List::Threads) {
        Ok(selection) => selection,
        Err(refusal) => return *refusal,
    };
    let mailbox = selection.mailbox;
    let newest = |copy: &Copy| {
        let mut later = mailbox.thread(copy.thread).into_iter();
        !later.any(|other| other.id > copy.id && selection.shows(other))
    };
    let mut found = selection.copies().filter(|copy| newest(copy));
    let heads: Vec<&Copy> = found.by_ref().take(selection.page.max).collect();
    let more = found.next().is_some();
    drop(found);
    let threads: Vec<Value> = heads
        .iter()
        .map(|head| {
            let snippet = mail_of(&side, mailbox, head)
                .filter(|_| caller.reach == Reach::Bodies)
                .map(|mail| mail.snippet())
                .unwrap_or_default();
            json!({
                "id": id_text(head.thread),
                "snippet": snippet,
                "historyId": latest(&mailbox.thread(head.thread)),
            })
        })
        .collect();
    let ids = heads.iter().map(|head| id_text(head.thread)).collect();
    let last = heads.last().map(|head| head.id).filter(|_| more);
    let body = listed(
        ("threads", threads),
        last.map(|id| token(id, List::Threads)),
    );
    Answer::json(200, &body).page(served("threads", RequestClass::GmailThreads, ids))
}

/// The id of the latest record of history that changed any of the messages.
fn latest(copies: &[&Copy]) -> String {
    let ids = copies.iter().map(|copy| copy.history_id);
    ids.max().unwrap_or(0).to_string()
}

/// Answers one thread with its messages, oldest first.
pub(super) fn get(world: &World, asked: &Asked, caller: Caller, id: &str) -> Answer {
    let writer = match Writer::new(world, asked, caller) {
        Ok(writer) if writer.is_raw() => return invalid("Invalid value for format"),
        Ok(writer) => writer,
        Err(refusal) => return *refusal,
    };
    let Some(number) = parse_id(id) else {
        return invalid("Invalid id value");
    };
    let side = world.gmail();
    let Some(mailbox) = side.boxes.get(caller.place) else {
        return forbidden("Forbidden");
    };
    let copies = mailbox.thread(number);
    if copies.is_empty() {
        return not_found();
    }
    let messages: Vec<String> = copies
        .iter()
        .map(|copy| writer.text(&side, mailbox, copy))
        .collect();
    // Messages may be served as arbitrary text, so the body is put together as text.
    let body = format!(
        "{{\"id\":\"{}\",\"historyId\":\"{}\",\"messages\":[{}]}}",
        id_text(number),
        latest(&copies),
        messages.join(",")
    );
    let page = served("threads", RequestClass::GmailThread, vec![id.to_owned()]);
    Answer::text(200, body).page(page)
}
