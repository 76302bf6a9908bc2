//! Mailboxes, read by the program that a user starts: nothing is lost, an idle mailbox costs next to nothing, and
//! one that refuses spoils no other.

mod at_rest;
mod letters;
mod losing;
mod refusing;
mod saying;
mod texts;
mod units;

use std::collections::BTreeMap;

use salesync_sandbox::{RequestClass, SandboxConfig, World};
use serde_json::{Value, json};

use crate::harness::Bench;

/// Starts mailboxes that hold about so many different messages together; nothing else is read.
fn mailboxes(count: usize, messages: usize) -> Bench {
    config(SandboxConfig {
        mailboxes: count,
        messages: Some(messages),
        ..SandboxConfig::default()
    })
}

fn config(config: SandboxConfig) -> Bench {
    Bench::with_mail(SandboxConfig {
        records: 300,
        ..config
    })
}

/// Starts one mailbox with so many messages in threads of 80: reading them whole takes few units.
fn one_large(messages: usize) -> Bench {
    let bench = Bench::with_mail(SandboxConfig {
        records: 0,
        mailboxes: 1,
        ..SandboxConfig::default()
    });
    let owner = bench.world().mailboxes().remove(0);
    let mut thread = Value::Null;
    for number in 0..messages {
        let spec = json!({
            "from": "Ada Berg <ada.berg@fjord.example>",
            "to": owner,
            "subject": format!("Order {number}"),
            "threadId": if number % 80 == 0 { Value::Null } else { thread.clone() },
        });
        let id = bench.world().gmail_deliver(&owner, &spec).unwrap();
        if number % 80 == 0 {
            thread = id.into();
        }
    }
    bench
}

/// Returns the messages that a mailbox holds, oldest first.
fn live(world: &World, mailbox: &str) -> Vec<Value> {
    let mut messages = world.gmail_messages(mailbox);
    messages.retain(|it| it["deleted"] == false);
    messages
}

fn ids(world: &World, mailbox: &str) -> Vec<String> {
    let live = live(world, mailbox).into_iter();
    live.map(|it| it["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Delivers a message that says nothing in particular.
fn deliver(world: &World, mailbox: &str, subject: &str) -> String {
    let spec = json!({
        "from": "\"Lund, Bo\" <Bo.Lund@Harbour.example>",
        "to": [mailbox, "Cy Dahl <cy@dahl.example>"],
        "cc": ["Zoe <zoe@dahl.example>"],
        "subject": subject,
        "text": "Until then.",
    });
    world.gmail_deliver(mailbox, &spec).unwrap()
}

/// Changes a mailbox in every way in which a mailbox can change.
fn stir(world: &World, mailbox: &str, round: usize) {
    let messages = live(world, mailbox);
    let id = |at: usize| {
        let at = (at * 7 + round * 3) % messages.len();
        messages[at]["id"].as_str().unwrap()
    };
    let others: Vec<String> = world.mailboxes();
    world.gmail_deliver(
        mailbox,
        &json!({
            "from": format!("Ola Nord <{mailbox}>"),
            "to": ["a@b.example", "\"C, D\" <c.d@b.example>"],
            "bcc": "hidden@b.example",
            "subject": format!("Été n° {round}: 見積もり"),
            "threadId": messages[0]["threadId"],
            "mailboxes": others,
        }),
    );
    let fresh = deliver(world, mailbox, "Labelled at once");
    let label = world.gmail_create_label(mailbox, &format!("Round {round}"));
    let label = label.unwrap();
    for id in [&fresh, id(0), id(1), id(2)] {
        world.gmail_add_label(mailbox, id, &label);
    }
    world.gmail_remove_label(mailbox, id(2), &label);
    world.gmail_add_label(mailbox, id(2), &label);
    world.gmail_remove_label(mailbox, id(1), &label);
    if round > 0 {
        let earlier = format!("Label_{round}");
        world.gmail_rename_label(mailbox, &earlier, &format!("Renamed {round}"));
    }
    if round > 1 {
        world.gmail_delete_label(mailbox, &format!("Label_{}", round - 1));
    }
    for (at, label) in [(3, "STARRED"), (4, "IMPORTANT"), (5, "UNREAD")] {
        if !world.gmail_add_label(mailbox, id(at), label) {
            world.gmail_remove_label(mailbox, id(at), label);
        }
    }
    world.gmail_trash(mailbox, id(6));
    world.gmail_trash(mailbox, id(7));
    world.gmail_remove_label(mailbox, id(7), "TRASH");
    world.gmail_trash(mailbox, id(8));
    world.gmail_delete(mailbox, id(8));
    world.gmail_delete(mailbox, id(9));
    let brief = deliver(world, mailbox, "Gone at once");
    world.gmail_delete(mailbox, &brief);
    let thread = messages[messages.len() / 2]["threadId"].clone();
    let whole = messages.iter().filter(|it| it["threadId"] == thread);
    for message in whole.take(3) {
        world.gmail_delete(mailbox, message["id"].as_str().unwrap());
    }
}

/// Changes every mailbox.
fn stir_all(world: &World, round: usize) {
    for mailbox in world.mailboxes() {
        stir(world, &mailbox, round);
    }
}

/// Returns how many requests of each kind came, logins aside.
fn asked(world: &World) -> BTreeMap<RequestClass, u64> {
    let mut counts = world.request_counts();
    counts.remove(&RequestClass::Login);
    counts
}

/// Returns the run of the messages in a sync's report.
fn messages_of(bench: &Bench, words: &[&str]) -> Value {
    bench.sync(&[&["gmail"], words].concat()).stream("messages")
}

/// Returns why a message is marked as gone.
fn reason(bench: &Bench, mailbox: &str, id: &str) -> Option<String> {
    let rows = bench.tables().rows("gmail_messages");
    rows[&format!("{mailbox} {id}")]["_deleted_reason"].clone()
}
