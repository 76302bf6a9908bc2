//! Bad messages: each ends in a row or is set aside whole, with its mailbox, and costs no other message.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ids, live, mailboxes};
use crate::harness::Bench;
use crate::mail_truth::assert_mail;
use crate::truth::Swept;

/// What becomes of a bad message.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It is set aside with this code and field, and the letter says whose it is or not.
    Letter(&'static str, Option<&'static str>),
    /// It becomes a row.
    Row,
}

/// Returns a message with a subject as it should be.
fn good(id: &str, thread: &str, subject: &Value) -> Value {
    json!({
        "id": id,
        "threadId": thread,
        "historyId": "10000001",
        "internalDate": "1767225600000",
        "labelIds": ["INBOX"],
        "payload": {"headers": [
            {"name": "From", "value": "Ada Berg <ada.berg@fjord.example>"},
            {"name": "Subject", "value": subject},
        ]},
    })
}

/// Returns bad messages: what is sent in a message's place, and what becomes of it.
fn cases(id: &str, thread: &str) -> Vec<(String, Fate)> {
    let good = |subject: &Value| good(id, thread, subject);
    let with = |name: &str, value: Value| {
        let mut message = good(&json!("canary of the subject"));
        message[name] = value;
        message.to_string()
    };
    let without = |name: &str| {
        let mut message = good(&json!("canary of the subject"));
        message.as_object_mut().unwrap().remove(name);
        message.to_string()
    };
    let surrogate = good(&json!("SURROGATE")).to_string();
    let letter = Fate::Letter;
    vec![
        (
            "[\"canary\"]".to_owned(),
            letter("ERR_RECORD_MALFORMED", None),
        ),
        (
            "{\"id\": \"canary".to_owned(),
            letter("ERR_RECORD_MALFORMED", None),
        ),
        (
            "\"canary\"".to_owned(),
            letter("ERR_RECORD_MALFORMED", None),
        ),
        ("null".to_owned(), letter("ERR_RECORD_MALFORMED", None)),
        (
            "{}".to_owned(),
            letter("ERR_RECORD_NO_IDENTITY", Some("id")),
        ),
        (without("id"), letter("ERR_RECORD_NO_IDENTITY", Some("id"))),
        (
            with("id", json!("")),
            letter("ERR_RECORD_NO_IDENTITY", Some("id")),
        ),
        (
            without("historyId"),
            letter("ERR_RECORD_VERSION", Some("historyId")),
        ),
        (
            with("historyId", json!("18446744073709551615")),
            letter("ERR_RECORD_VERSION", Some("historyId")),
        ),
        (
            without("internalDate"),
            letter("ERR_RECORD_TYPE", Some("internalDate")),
        ),
        (
            with("internalDate", json!("9223372036854775807")),
            letter("ERR_RECORD_TYPE", Some("internalDate")),
        ),
        (
            with("internalDate", json!("yesterday")),
            letter("ERR_RECORD_TYPE", Some("internalDate")),
        ),
        (
            without("payload"),
            letter("ERR_RECORD_MALFORMED", Some("payload")),
        ),
        (
            with("labelIds", json!("INBOX")),
            letter("ERR_RECORD_MALFORMED", None),
        ),
        (
            surrogate.replace("SURROGATE", "\\ud83d and no more"),
            Fate::Row,
        ),
        (good(&json!("nul \0 and \u{1}")).to_string(), Fate::Row),
        (
            good(&json!("x".repeat(2 * 1024 * 1024))).to_string(),
            Fate::Row,
        ),
        (with("snippet", Value::Null), Fate::Row),
        (with("sizeEstimate", Value::Null), Fate::Row),
    ]
}

/// Returns messages of a mailbox that may be bad: those alone in their threads, and one of each longer one.
fn victims(bench: &Bench, mailbox: &str) -> Vec<(String, String)> {
    let mut threads = BTreeSet::new();
    let victims = live(bench.world(), mailbox).into_iter().filter_map(|it| {
        let thread = it["threadId"].as_str().unwrap().to_owned();
        let id = it["id"].as_str().unwrap().to_owned();
        threads.insert(thread.clone()).then_some((id, thread))
    });
    victims.collect()
}

#[test]
fn a_bad_message_ends_in_a_row_or_a_letter_and_the_rest_arrives() {
    let bench = mailboxes(2, 200);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    let mut victims = victims(&bench, &mailbox);
    let long: BTreeSet<String> = world
        .gmail_threads(&mailbox)
        .iter()
        .filter(|it| it["messageIds"].as_array().unwrap().len() > 2)
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect();
    // Each case once alone and once inside a thread that is read as a whole.
    let (whole, alone): (Vec<_>, Vec<_>) = victims
        .drain(..)
        .partition(|(_, thread)| long.contains(thread));
    let mut bad = Vec::new();
    for places in [&alone, &whole] {
        for (place, (id, thread)) in places.iter().enumerate() {
            let Some((sent, fate)) = cases(id, thread).into_iter().nth(place) else {
                break;
            };
            assert!(world.gmail_put_raw(&mailbox, id, &sent));
            bad.push((id.clone(), sent, fate));
        }
    }
    let cases = cases("", "").len();
    assert!(
        bad.len() > cases + 4,
        "{} of {cases} cases, twice",
        bad.len()
    );

    for words in [&["gmail"][..], &["gmail"], &["gmail", "--full"]] {
        let ended = bench.sync(words);
        for secret in ["canary", "ada.berg"] {
            assert!(!format!("{ended:?}").contains(secret), "{secret} is told");
        }
        check(&bench, &mailbox, &bad);
    }
    // What they were bad in is mended: a full sync brings every one of them.
    for (id, ..) in &bad {
        world.gmail_clear_raw(&mailbox, id);
        world.gmail_add_label(&mailbox, id, "STARRED");
    }
    bench.sync(&["gmail", "--full"]);
    assert_mail(&bench, Swept::Yes);
}

fn check(bench: &Bench, mailbox: &str, bad: &[(String, String, Fate)]) {
    let world = bench.world();
    let tables = bench.tables();
    let rows = tables.rows("gmail_messages");
    let letters = tables.query("SELECT payload, code, field, state FROM dead_letters");
    let mut lettered = 0;
    for (id, sent, fate) in bad {
        let row = rows.get(&format!("{mailbox} {id}"));
        match fate {
            Fate::Row => {
                let row = row.unwrap_or_else(|| panic!("no row of {sent:.200}"));
                assert!(row["_deleted_at"].is_none(), "{sent:.200}");
            }
            Fate::Letter(code, field) => {
                lettered += 1;
                assert!(row.is_none(), "{row:?} of {sent:.200}");
                let of_it = |letter: &&Vec<Option<String>>| {
                    let payload = letter[0].as_deref().unwrap();
                    let whole = payload.contains(sent.as_str())
                        || payload.contains(&sent.replace('"', "\\\""));
                    whole && letter[1].as_deref() == Some(code) && letter[2].as_deref() == *field
                };
                let letter = letters.iter().find(of_it);
                let letter = letter.unwrap_or_else(|| panic!("{code}: no letter of {sent:.200}"));
                assert!(
                    letter[0].as_deref().unwrap().contains(mailbox),
                    "{letter:?}"
                );
            }
        }
    }
    assert!(
        letters.len() <= lettered,
        "{} letters of {lettered}",
        letters.len()
    );
    let bad: BTreeSet<&str> = bad.iter().map(|(id, ..)| id.as_str()).collect();
    for mailbox in world.mailboxes() {
        for id in ids(world, &mailbox)
            .iter()
            .filter(|id| !bad.contains(id.as_str()))
        {
            let row = rows.get(&format!("{mailbox} {id}"));
            let row = row.unwrap_or_else(|| panic!("{mailbox} {id} is lost"));
            assert!(row["_deleted_at"].is_none(), "{mailbox} {id} is marked");
        }
    }
}

#[test]
fn a_bad_message_that_is_new_stops_nothing() {
    let bench = mailboxes(1, 60);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    bench.sync(&["gmail"]);
    let fresh: Vec<String> = (0..19)
        .map(|number| super::deliver(world, &mailbox, &format!("New {number}")))
        .collect();
    let mut bad = Vec::new();
    for (place, id) in fresh.iter().enumerate() {
        let (sent, fate) = cases(id, id).into_iter().nth(place).unwrap();
        world.gmail_put_raw(&mailbox, id, &sent);
        bad.push((id.clone(), sent, fate));
    }
    let last = super::deliver(world, &mailbox, "After all of them");
    for _ in 0..2 {
        bench.sync(&["gmail"]);
        check(&bench, &mailbox, &bad);
    }
    assert!(super::reason(&bench, &mailbox, &last).is_none());
}

#[test]
fn letters_of_messages_are_tried_again_and_parked_after_three_times() {
    let bench = mailboxes(1, 60);
    let world = bench.world();
    let mailbox = world.mailboxes().remove(0);
    let (id, thread) = victims(&bench, &mailbox).remove(0);
    let sent =
        json!({"id": id, "threadId": thread, "historyId": "10000001", "internalDate": "soon"});
    world.gmail_put_raw(&mailbox, &id, &sent.to_string());
    bench.sync(&["gmail"]);
    let letters = bench.json(&["dlq", "list"]);
    assert_eq!(letters.as_array().unwrap().len(), 1, "{letters}");
    assert_eq!(letters[0]["record_id"], id.as_str());
    for _ in 0..3 {
        let ended = bench.run(&["dlq", "redrive", "--json"]);
        let expected = json!({"tried": 1, "redriven": 0, "rejected": 1});
        assert_eq!(ended.document(), expected);
    }
    let states = bench.tables().list("SELECT state FROM dead_letters");
    assert_eq!(states, ["parked"]);
    let tables = bench.tables().content();
    bench.run(&["dlq", "redrive"]);
    assert_eq!(bench.tables().content(), tables);
}
