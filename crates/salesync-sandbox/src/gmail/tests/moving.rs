//! What edits do: history, deliveries, labels, deletions between two calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::{READONLY, all, batch, get, has, ids, ok, reader, reason, text, usual};
use crate::{RequestClass, Vendor};

/// The kinds of change in a list of history, each with its message.
fn changes(history: &[Value]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for record in history {
        for key in [
            "messagesAdded",
            "labelsAdded",
            "labelsRemoved",
            "messagesDeleted",
        ] {
            for change in record[key].as_array().into_iter().flatten() {
                found.push((key.to_owned(), text(&change["message"]["id"])));
            }
        }
    }
    found
}

#[test]
fn history_tells_what_came_after_its_start_and_nothing_twice() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let start = text(&ok(&world, &token, "profile")["historyId"]);
    let one = world
        .gmail_deliver(&mailbox, &json!({"subject": "one"}))
        .unwrap();
    let label = world.gmail_create_label(&mailbox, "Fresh").unwrap();
    assert!(world.gmail_add_label(&mailbox, &one, &label));
    assert!(!world.gmail_add_label(&mailbox, &one, &label));
    assert!(world.gmail_rename_label(&mailbox, &label, "Fresher"));
    assert!(world.gmail_trash(&mailbox, &one));
    assert!(world.gmail_delete_label(&mailbox, &label));
    assert!(world.gmail_delete(&mailbox, &one));
    assert!(!world.gmail_delete(&mailbox, &one));
    let path = format!("history?startHistoryId={start}&maxResults=2");
    let history = all(&world, &token, &path, "history");
    let expected = [
        "messagesAdded",
        "labelsAdded",
        "labelsAdded",
        "labelsRemoved",
        "labelsRemoved",
        "messagesDeleted",
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|key| ((*key).to_owned(), one.clone()))
        .collect();
    assert_eq!(changes(&history), expected);
    let numbers: Vec<u64> = history
        .iter()
        .map(|record| record["id"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    let now = ok(&world, &token, "profile")["historyId"].clone();
    assert_eq!(now, numbers.last().unwrap().to_string());
    assert!(
        now.as_str().unwrap().len() > text(&world.gmail_messages(&mailbox)[0]["historyId"]).len()
    );
    let none = ok(
        &world,
        &token,
        &format!("history?startHistoryId={}", text(&now)),
    );
    assert_eq!(none, json!({"historyId": now}));
    let path = format!("history?startHistoryId={start}&historyTypes=messageDeleted");
    assert_eq!(changes(&all(&world, &token, &path, "history")).len(), 1);
    assert_eq!(
        reason(&get(&world, &token, &format!("messages/{one}"))),
        (404, "notFound")
    );
}

#[test]
fn history_is_kept_for_a_week_and_can_be_forgotten_before() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let start = text(&ok(&world, &token, "profile")["historyId"]);
    let history = |start: &str| get(&world, &token, &format!("history?startHistoryId={start}"));
    assert_eq!(reason(&history("5")), (404, "notFound"));
    world.gmail_deliver(&mailbox, &json!({})).unwrap();
    assert_eq!(history(&start).0, 200);
    assert!(world.gmail_expire_history(&mailbox));
    assert_eq!(reason(&history(&start)), (404, "notFound"));
    let fresh = text(&ok(&world, &token, "profile")["historyId"]);
    assert_eq!(history(&fresh).0, 200);
    world.gmail_deliver(&mailbox, &json!({})).unwrap();
    let latest = text(&ok(&world, &token, "profile")["historyId"]);
    world.advance(Duration::from_secs(8 * 86_400));
    let token = super::token(&world, &mailbox, READONLY);
    let history = |start: &str| get(&world, &token, &format!("history?startHistoryId={start}"));
    assert_eq!(reason(&history(&fresh)), (404, "notFound"));
    assert_eq!(
        history(&latest).0,
        200,
        "nothing is missing after the latest record"
    );
}

#[test]
fn a_message_among_the_team_lies_in_each_mailbox_under_other_ids() {
    let world = usual();
    let mut by_message_id: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for mailbox in world.mailboxes() {
        for message in world.gmail_messages(&mailbox) {
            let id = text(&message["id"]);
            assert_eq!(world.gmail_mailbox_of(&id), Some(mailbox.clone()));
            assert!(known.insert(id));
            if let Some(id) = message["messageId"].as_str() {
                by_message_id
                    .entry(id.to_owned())
                    .or_default()
                    .insert(mailbox.clone());
            }
        }
    }
    let shared = by_message_id
        .values()
        .filter(|holders| holders.len() > 1)
        .count();
    assert!(shared > 50, "{shared}");
    assert!(by_message_id.len() > 900 && by_message_id.len() <= 1_000);
    let mailboxes = world.mailboxes();
    let spec = json!({
        "from": format!("Me <{}>", mailboxes[0]), "bcc": "hidden@x.example",
        "mailboxes": [mailboxes[1]],
    });
    let id = world.gmail_deliver(&mailboxes[0], &spec).unwrap();
    let last = |mailbox: &str| world.gmail_messages(mailbox).pop().unwrap();
    let (sent, received) = (last(&mailboxes[0]), last(&mailboxes[1]));
    assert_eq!(sent["id"], id);
    assert_ne!(received["id"], id);
    assert_eq!(sent["messageId"], received["messageId"]);
    assert!(has(&sent, "SENT") && has(&received, "INBOX"));
    let bcc = |message: &Value| message["headers"].to_string().contains("hidden@x.example");
    assert!(bcc(&sent) && !bcc(&received));
    let answer = json!({"inReplyTo": sent["messageId"], "from": "a@b.example"});
    world.gmail_deliver(&mailboxes[1], &answer).unwrap();
    assert_eq!(last(&mailboxes[1])["threadId"], received["threadId"]);
}

#[test]
fn the_hook_sees_each_page_and_may_delete_between_list_and_get() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let holder = mailbox.clone();
    world.on_page(move |world, page| {
        assert_eq!(page.vendor, Vendor::Gmail);
        if page.class == RequestClass::GmailList {
            assert!(world.gmail_delete(&holder, &page.ids[0]));
        }
    });
    let listed = ids(&ok(&world, &token, "messages")["messages"]);
    let paths: Vec<String> = listed
        .iter()
        .take(2)
        .map(|id| format!("messages/{id}"))
        .collect();
    let statuses: BTreeSet<u16> = batch(&world, &token, &paths, "\n")
        .iter()
        .map(|answer| answer.1)
        .collect();
    assert_eq!(statuses, BTreeSet::from([200, 404]));
}

#[test]
fn a_message_can_be_served_as_any_text() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let id = world.gmail_deliver(&mailbox, &json!({})).unwrap();
    assert!(world.gmail_put_raw(&mailbox, &id, "{\"id\":7}"));
    assert_eq!(
        ok(&world, &token, &format!("messages/{id}")),
        json!({"id": 7})
    );
    let thread = ok(&world, &token, &format!("threads/{id}"));
    assert_eq!(thread["messages"], json!([{"id": 7}]));
    assert!(world.gmail_clear_raw(&mailbox, &id));
    assert!(world.put_raw(Vendor::Gmail, "messages", &id, "[]"));
    assert_eq!(ok(&world, &token, &format!("messages/{id}")), json!([]));
    assert!(world.clear_raw(Vendor::Gmail, "messages", &id));
    assert_eq!(ok(&world, &token, &format!("messages/{id}"))["id"], id);
    assert!(!world.gmail_put_raw(&mailbox, "18a", "{}"));
}

#[test]
fn a_test_writes_any_header_it_likes() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let spec = json!({
        "from": "not an address", "to": ["A <a@x.example>", "b@x.example"], "date": null,
        "messageId": null, "text": "plain", "html": "<p>rich</p>", "labelIds": ["INBOX"],
        "internalDate": 1_700_000_000_000_i64,
        "headers": [{"name": "SUBJECT", "value": "=?broken"}, {"name": "mime-version"}],
    });
    let id = world.gmail_deliver(&mailbox, &spec).unwrap();
    let message = ok(&world, &token, &format!("messages/{id}"));
    assert_eq!(message["internalDate"], "1700000000000");
    assert_eq!(message["labelIds"], json!(["INBOX"]));
    assert_eq!(
        message["payload"]["headers"],
        json!([
            {"name": "From", "value": "not an address"},
            {"name": "To", "value": "A <a@x.example>, b@x.example"},
            {"name": "SUBJECT", "value": "=?broken"},
            {"name": "Content-Type", "value": "multipart/alternative; boundary=\"delivered1000a\""},
        ])
    );
    assert_eq!(message["payload"]["parts"][1]["mimeType"], "text/html");
}
