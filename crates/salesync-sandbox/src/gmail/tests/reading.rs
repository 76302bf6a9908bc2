//! Lists, formats, scopes and searches of a mailbox at rest.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use super::{METADATA, READONLY, all, get, has, ids, ok, reader, reason, text, usual, world};
use crate::SandboxConfig;

#[test]
fn the_list_gives_every_message_once_newest_first() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let mut truth = world.gmail_messages(&mailbox);
    truth.reverse();
    assert!(truth.len() > 100);
    for hidden in [true, false] {
        let path = format!("messages?maxResults=7&includeSpamTrash={hidden}");
        let found = all(&world, &token, &path, "messages");
        let expected: Vec<Value> = truth
            .iter()
            .filter(|message| hidden || !(has(message, "SPAM") || has(message, "TRASH")))
            .map(|message| json!({"id": message["id"], "threadId": message["threadId"]}))
            .collect();
        assert_eq!(found, expected);
    }
    let labelled = all(
        &world,
        &token,
        "messages?labelIds=INBOX&labelIds=UNREAD",
        "messages",
    );
    let both = |message: &&Value| has(message, "INBOX") && has(message, "UNREAD");
    assert_eq!(labelled.len(), truth.iter().filter(both).count());
    assert!(!labelled.is_empty());
}

#[test]
fn what_a_list_cannot_give_it_refuses_and_an_empty_one_has_no_key() {
    let world = world(SandboxConfig {
        records: 0,
        ..SandboxConfig::default()
    });
    let (_, token) = reader(&world);
    let empty = ok(&world, &token, "messages?maxResults=500");
    assert_eq!(empty, json!({"resultSizeEstimate": 0}));
    let history = ok(&world, &token, "profile")["historyId"].clone();
    let nothing = ok(
        &world,
        &token,
        &format!("history?startHistoryId={}", text(&history)),
    );
    assert_eq!(nothing, json!({"historyId": history}));
    for path in [
        "messages?maxResults=501",
        "messages?maxResults=0",
        "messages?pageToken=12345",
        "messages?labelIds=Label_77",
        "messages/xyz",
        "history",
        "history?startHistoryId=x",
        "history?startHistoryId=1&historyTypes=nonsense",
    ] {
        let answer = get(&world, &token, path);
        assert_eq!(reason(&answer), (400, "invalidArgument"), "{path}");
        assert_eq!(answer.1["error"]["status"], "INVALID_ARGUMENT");
    }
    assert_eq!(
        reason(&get(&world, &token, "messages/18a")),
        (404, "notFound")
    );
    assert_eq!(world.gmail_labels(&world.mailboxes()[0]).len(), 14);
}

#[test]
fn a_query_finds_by_words_people_and_labels_but_not_under_the_metadata_scope() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let spec = json!({
        "from": "Quill <quill@ink.example>", "subject": "Zebra crossing", "text": "striped",
    });
    let id = world.gmail_deliver(&mailbox, &spec).unwrap();
    for query in [
        "zebra",
        "from%3Aquill%20is%3Aunread",
        "subject%3A%22zebra%20crossing%22%20-label%3Atrash",
        "rfc822msgid%3A%3Cdelivered.1000%40sandbox.example%3E",
    ] {
        let found = ok(&world, &token, &format!("messages?q={query}"));
        assert_eq!(
            ids(&found["messages"]),
            std::slice::from_ref(&id),
            "{query}"
        );
    }
    assert!(ok(&world, &token, "messages?q=zebra%20before%3A2001/01/01")["messages"].is_null());
    let narrow = super::token(&world, &mailbox, METADATA);
    for path in ["messages?q=zebra", "threads?q=zebra"] {
        assert_eq!(reason(&get(&world, &narrow, path)), (403, "forbidden"));
    }
}

#[test]
fn the_metadata_scope_shows_headers_and_nothing_of_the_body() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let both = format!("{READONLY} {METADATA}");
    let narrow = super::token(&world, &mailbox, &both);
    let id = text(&world.gmail_messages(&mailbox)[3]["id"]);
    for format in ["", "?format=full", "?format=raw"] {
        let path = format!("messages/{id}{format}");
        assert_eq!(reason(&get(&world, &narrow, &path)), (403, "forbidden"));
        ok(&world, &token, &path);
    }
    let path = format!("messages/{id}?format=metadata&metadataHeaders=from&metadataHeaders=TO");
    let message = ok(&world, &narrow, &path);
    let names: BTreeSet<String> = message["payload"]["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|header| text(&header["name"]).to_lowercase())
        .collect();
    assert!(names.is_subset(&BTreeSet::from(["from".to_owned(), "to".to_owned()])));
    assert!(names.contains("from"));
    assert!(message["payload"]["body"].is_null() && message["snippet"].is_null());
    let message = ok(&world, &narrow, &format!("messages/{id}?format=minimal"));
    assert!(message["payload"].is_null());
    assert!(message["historyId"].is_string() && message["internalDate"].is_string());
}

/// All parts of a message.
fn parts(part: &Value, found: &mut Vec<Value>) {
    found.push(part.clone());
    for inner in part["parts"].as_array().into_iter().flatten() {
        parts(inner, found);
    }
}

#[test]
fn every_message_can_be_read_in_every_format() {
    let world = usual();
    let mut shapes: BTreeMap<String, usize> = BTreeMap::new();
    let mut headers: BTreeSet<String> = BTreeSet::new();
    let mut folded = 0;
    for mailbox in world.mailboxes() {
        let token = super::token(&world, &mailbox, READONLY);
        for truth in world.gmail_messages(&mailbox) {
            let id = text(&truth["id"]);
            let full = ok(&world, &token, &format!("messages/{id}"));
            assert_eq!(full["internalDate"], truth["internalDate"]);
            let raw = ok(&world, &token, &format!("messages/{id}?format=raw"));
            let raw = URL_SAFE.decode(text(&raw["raw"])).unwrap();
            assert!(raw.windows(4).any(|window| window == b"\r\n\r\n"));
            let mut found = Vec::new();
            parts(&full["payload"], &mut found);
            for part in &found {
                *shapes.entry(text(&part["mimeType"])).or_default() += 1;
                if let Some(data) = part["body"]["data"].as_str() {
                    let bytes = URL_SAFE.decode(data).unwrap();
                    assert_eq!(part["body"]["size"], bytes.len());
                }
            }
            for header in full["payload"]["headers"].as_array().unwrap() {
                headers.insert(text(&header["name"]));
                folded += usize::from(text(&header["value"]).contains("\r\n "));
            }
        }
    }
    for mime in [
        "text/plain",
        "text/html",
        "multipart/alternative",
        "multipart/mixed",
        "text/calendar",
        "message/rfc822",
        "application/pdf",
    ] {
        assert!(shapes.contains_key(mime), "{mime}: {shapes:?}");
    }
    for name in [
        "From",
        "from",
        "FROM",
        "Bcc",
        "References",
        "In-Reply-To",
        "Message-Id",
    ] {
        assert!(headers.contains(name), "{name}: {headers:?}");
    }
    assert!(folded > 50);
}

#[test]
fn attachment_ids_differ_each_time_and_all_of_them_work() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let spec = json!({"attachments": [{"filename": "Größe.txt", "text": "content"}]});
    let id = world.gmail_deliver(&mailbox, &spec).unwrap();
    let attachment = || {
        let message = ok(&world, &token, &format!("messages/{id}"));
        assert_eq!(message["payload"]["parts"][1]["filename"], "Größe.txt");
        text(&message["payload"]["parts"][1]["body"]["attachmentId"])
    };
    let (one, two) = (attachment(), attachment());
    assert_ne!(one, two);
    for attachment in [one, two] {
        let path = format!("messages/{id}/attachments/{attachment}");
        let bytes = ok(&world, &token, &path);
        assert_eq!(URL_SAFE.decode(text(&bytes["data"])).unwrap(), b"content");
    }
}

#[test]
fn threads_are_listed_once_by_their_newest_message_and_read_oldest_first() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let found = all(
        &world,
        &token,
        "threads?maxResults=9&includeSpamTrash=true",
        "threads",
    );
    let listed: BTreeSet<String> = found.iter().map(|row| text(&row["id"])).collect();
    let truth: BTreeMap<String, Value> = world
        .gmail_threads(&mailbox)
        .into_iter()
        .map(|thread| (text(&thread["id"]), thread["messageIds"].clone()))
        .collect();
    assert_eq!(listed, truth.keys().cloned().collect());
    assert_eq!(listed.len(), found.len());
    let longest = truth
        .values()
        .map(|ids| ids.as_array().unwrap().len())
        .max();
    assert!((5..=12).contains(&longest.unwrap()));
    let id = text(&found[0]["id"]);
    let thread = ok(&world, &token, &format!("threads/{id}?format=metadata"));
    assert_eq!(json!(ids(&thread["messages"])), truth[&id]);
    assert_eq!(thread["historyId"], found[0]["historyId"]);
    for message in truth[&id].as_array().unwrap() {
        assert!(world.gmail_delete(&mailbox, message.as_str().unwrap()));
    }
    assert_eq!(
        reason(&get(&world, &token, &format!("threads/{id}"))),
        (404, "notFound")
    );
    let profile = ok(&world, &token, "profile");
    assert_eq!(profile["threadsTotal"], truth.len() - 1);
}

#[test]
fn the_people_who_write_are_those_whom_the_others_know() {
    let world = usual();
    let truth = world.truth();
    let people: BTreeMap<&str, &str> = truth
        .iter()
        .filter(|row| row.0 == "gmail")
        .map(|row| (row.2.as_str(), row.3.as_str()))
        .collect();
    assert!(people.len() > 100);
    assert!(
        people
            .keys()
            .all(|address| !address.ends_with("@sandbox.example"))
    );
    let contacts: BTreeMap<&str, &str> = truth
        .iter()
        .filter(|row| row.0 == "hubspot" && row.1 == "contacts")
        .map(|row| (row.2.as_str(), row.3.as_str()))
        .collect();
    let (mut same, mut other) = (0, 0);
    for contact in world.hubspot_records("contacts") {
        let email = text(&contact["properties"]["email"]).to_lowercase();
        let entity = contacts.get(contact["id"].as_str().unwrap());
        if let (Some(writer), Some(entity)) = (people.get(email.as_str()), entity) {
            if writer == entity {
                same += 1;
            } else {
                other += 1;
            }
        }
    }
    assert!(
        same > 40 && other <= same / 20,
        "{same} the same, {other} others"
    );
}
