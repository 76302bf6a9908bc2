//! Mailboxes that refuse, logins that fail, settings that are wrong: each is named, and spoils no other.

use std::time::Duration;

use salesync_sandbox::{RequestClass, gmail_refresh_secret};
use serde_json::{Value, json};

use super::{asked, deliver, mailboxes, stir_all};
use crate::harness::{Bench, Ended};
use crate::mail_truth::{Texts, assert_mail, assert_mailboxes};
use crate::truth::Swept;

/// Fails unless the run of the messages is partial because of these mailboxes, each with its code, in the report
/// and in the log of runs.
fn assert_refused(bench: &Bench, ended: &Ended, refused: &[(&str, &str)]) {
    let told: Vec<Value> = refused
        .iter()
        .map(|(mailbox, code)| json!({"part": mailbox, "status": "failed", "code": code}))
        .collect();
    for run in ended.runs() {
        assert_eq!(run["status"], "partial", "{run}");
        assert_eq!(run["parts"], json!(told), "{run}");
    }
    let sql = "SELECT status, parts::VARCHAR FROM etl_runs WHERE stream = 'messages' \
               ORDER BY started_at DESC LIMIT 1";
    let logged = bench.tables().query(sql).remove(0);
    assert_eq!(logged[0].as_deref(), Some("partial"));
    let parts: Value = serde_json::from_str(logged[1].as_deref().unwrap()).unwrap();
    assert_eq!(parts, json!(told));
}

#[test]
fn mailboxes_that_refuse_are_named_with_their_codes_and_the_others_are_complete() {
    let bench = mailboxes(4, 120);
    let world = bench.world();
    let all = world.mailboxes();
    world.gmail_refuse_delegation(&all[0]);
    world.gmail_forbid(&all[2]);
    let refused = [
        (all[0].as_str(), "ERR_SOURCE_FORBIDDEN"),
        (all[2].as_str(), "ERR_SOURCE_FORBIDDEN"),
    ];
    let open = [all[1].clone(), all[3].clone()];
    for (round, words) in [
        &["sync", "gmail", "--json"][..],
        &["sync", "gmail", "--full", "--json"],
    ]
    .into_iter()
    .enumerate()
    {
        // What was read within the last second is not taken for gone.
        world.advance(Duration::from_secs(2));
        stir_all(world, round);
        let ended = bench.run(words);
        assert_eq!(ended.code, Some(78), "{ended:#?}");
        assert_refused(&bench, &ended, &refused);
        assert_mailboxes(&bench, &open, (Swept::No, Texts::Unread));
        for (mailbox, _) in refused {
            assert!(!ended.stderr.is_empty(), "{mailbox} is told to people");
        }
    }
    // One that was read before and refuses now keeps what is known of it, also over a full sync.
    for mailbox in &all {
        world.gmail_permit(mailbox);
    }
    bench.sync(&["gmail"]);
    assert_mail(&bench, Swept::No);
    world.gmail_refuse_delegation(&all[1]);
    let ended = bench.run(&["sync", "gmail", "--full", "--json"]);
    assert_refused(&bench, &ended, &[(&all[1], "ERR_SOURCE_FORBIDDEN")]);
    assert_mail(&bench, Swept::No);
    world.gmail_permit(&all[1]);
    bench.sync(&["gmail", "--full"]);
    assert_mail(&bench, Swept::Yes);
}

#[test]
fn many_mailboxes_that_refuse_do_not_keep_the_others_from_being_read() {
    let bench = mailboxes(12, 120);
    let world = bench.world();
    let all = world.mailboxes();
    for (place, mailbox) in all.iter().enumerate().take(9) {
        match place % 2 {
            0 => world.gmail_refuse_delegation(mailbox),
            _ => world.gmail_forbid(mailbox),
        };
    }
    let ended = bench.run(&["sync", "gmail", "--json"]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    let refused: Vec<(&str, &str)> = all[..9]
        .iter()
        .map(|mailbox| (mailbox.as_str(), "ERR_SOURCE_FORBIDDEN"))
        .collect();
    assert_refused(&bench, &ended, &refused);
    assert_mailboxes(&bench, &all[9..], (Swept::Yes, Texts::Unread));
}

#[test]
fn a_mailbox_that_nobody_has_is_named_and_the_others_are_complete() {
    let mut bench = mailboxes(2, 60);
    let all = bench.world().mailboxes();
    let misspelt = "user.0@sandbox.exmaple";
    bench.set(
        "SALESYNC_GMAIL_MAILBOXES",
        format!("{}, {misspelt} {}", all[0].to_uppercase(), all[1]),
    );
    let ended = bench.run(&["sync", "gmail", "--json"]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    assert_refused(&bench, &ended, &[(misspelt, "ERR_SOURCE_FORBIDDEN")]);
    assert_mail(&bench, Swept::Yes);
}

#[test]
fn a_check_names_the_mailbox_that_refuses_and_costs_a_profile_each() {
    let bench = mailboxes(3, 30);
    let world = bench.world();
    let all = world.mailboxes();
    let checked = bench.json(&["check", "gmail"]);
    assert_eq!(checked["checks"][0]["ok"], true, "{checked}");
    assert_eq!(asked(world), [(RequestClass::GmailProfile, 3)].into());
    for (place, refuse) in [(1, true), (2, false)] {
        match refuse {
            true => world.gmail_refuse_delegation(&all[place]),
            false => world.gmail_forbid(&all[place]),
        };
        let ended = bench.run(&["check", "gmail", "--json"]);
        assert_eq!(ended.code, Some(78), "{ended:#?}");
        let check = ended.document()["checks"][0].clone();
        assert_eq!(check["code"], "ERR_SOURCE_FORBIDDEN", "{check}");
        assert!(
            check["message"].as_str().unwrap().contains(&all[place]),
            "{check}"
        );
        world.gmail_permit(&all[place]);
    }
}

#[test]
fn a_wrong_setting_stops_the_start_and_is_named() {
    let mut bench = mailboxes(1, 10);
    let cases = [
        ("MAILBOXES", "not an address"),
        ("QUOTA", "cheap"),
        ("BODIES", "yes"),
        ("TOKEN_URL", "http://elsewhere.example/token"),
        ("BASE_URL", "http://elsewhere.example"),
    ];
    for (name, value) in cases {
        let name = format!("SALESYNC_GMAIL_{name}");
        let good = bench.setting(&name);
        bench.set(&name, value);
        let ended = bench.run(&["sync", "gmail", "--json"]);
        assert_eq!(ended.code, Some(78), "{ended:#?}");
        assert!(
            ended.stderr.contains(&name) || ended.stdout.contains(&name),
            "{ended:#?}"
        );
        match good {
            Some(good) => bench.set(&name, good),
            None => bench.unset(&name),
        }
    }
    assert!(asked(bench.world()).is_empty(), "nothing was sent");
}

#[test]
fn a_service_account_must_be_told_whose_mail_it_reads() {
    let mut bench = mailboxes(1, 10);
    bench.unset("SALESYNC_GMAIL_MAILBOXES");
    for words in [["sync", "gmail", "--json"], ["check", "gmail", "--json"]] {
        let ended = bench.run(&words);
        assert_eq!(ended.code, Some(78), "{ended:#?}");
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(told.contains("SALESYNC_GMAIL_MAILBOXES"), "{told}");
    }
    assert!(asked(bench.world()).is_empty(), "nothing was asked");
}

#[test]
fn a_refresh_token_reads_its_owners_mailbox_and_none_needs_to_be_named() {
    let mut bench = mailboxes(2, 60);
    bench.set("SALESYNC_SECRET_GMAIL", gmail_refresh_secret());
    bench.unset("SALESYNC_GMAIL_MAILBOXES");
    let owner = bench.world().mailboxes().remove(0);
    bench.sync(&["gmail"]);
    let own = std::slice::from_ref(&owner);
    assert_mailboxes(&bench, own, (Swept::Yes, Texts::Unread));
    deliver(bench.world(), &owner, "One more");
    bench.sync(&["gmail"]);
    assert_mailboxes(&bench, own, (Swept::No, Texts::Unread));
    bench.world().gmail_revoke_refresh_token();
    let ended = bench.run(&["sync", "gmail", "--json"]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    assert_eq!(ended.stream("messages")["code"], "ERR_SOURCE_AUTH_REVOKED");
    bench.world().gmail_restore_refresh_token();
    bench.sync(&["gmail"]);
}

#[test]
fn a_secret_that_is_no_login_is_named_and_not_told() {
    let mut bench = mailboxes(1, 10);
    let wrong = json!({"client_email": "a@b.example", "private_key": "canary-of-a-key"});
    bench.set("SALESYNC_SECRET_GMAIL", wrong.to_string());
    bench.set("SALESYNC_LOG", "trace");
    let ended = bench.run(&["sync", "gmail", "--json"]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    assert_eq!(ended.stream("messages")["code"], "ERR_CONFIG_INVALID");
    assert!(!format!("{ended:?}").contains("canary"), "{ended:#?}");
}
