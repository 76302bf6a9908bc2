//! Texts are read only where that was asked for, and then as the mailbox holds them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use salesync_sandbox::RequestClass;
use serde_json::Value;

use super::{mailboxes, stir_all};
use crate::harness::Bench;
use crate::mail_truth::{Texts, assert_mailboxes};
use crate::tables::Row;
use crate::truth::Swept;

#[test]
fn by_default_only_headers_are_asked_for_and_no_text_lands() {
    let bench = mailboxes(2, 100);
    bench.sync(&["gmail"]);
    // The comparison holds that texts, snippets and attachments are empty.
    crate::mail_truth::assert_mail(&bench, Swept::Yes);
    for request in bench.world().requests() {
        if request.class == RequestClass::GmailBatch {
            assert!(request.body.contains("format=metadata"), "{request:?}");
            for other in ["format=full", "format=raw", "format=minimal"] {
                assert!(!request.body.contains(other), "{request:?}");
            }
        }
    }
}

/// Loads all texts in one format and changes them once more; returns the messages and who is named in them, as
/// far as they do not depend on the format.
fn load(bodies: &str) -> [BTreeMap<String, Row>; 2] {
    let mut bench = mailboxes(2, 150);
    bench.set("SALESYNC_GMAIL_BODIES", bodies);
    let all = bench.world().mailboxes();
    bench.sync(&["gmail"]);
    assert_mailboxes(&bench, &all, (Swept::Yes, Texts::Read));
    let rows = even(&bench);
    stir_all(bench.world(), 1);
    bench.sync(&["gmail"]);
    assert_mailboxes(&bench, &all, (Swept::No, Texts::Read));
    rows
}

fn even(bench: &Bench) -> [BTreeMap<String, Row>; 2] {
    let tables = bench.tables();
    ["gmail_messages", "gmail_message_participants"].map(|table| {
        let mut rows = tables.rows(table);
        for row in rows.values_mut() {
            // Times follow the start of the world; texts are compared with the truth.
            row.retain(|name, _| {
                [
                    "subject",
                    "rfc822_message_id",
                    "in_reply_to",
                    "references",
                    "role",
                    "position",
                ]
                .contains(&name.as_str())
                    || ["address", "spelling", "display_name", "group_name"]
                        .contains(&name.as_str())
            });
        }
        rows
    })
}

#[test]
fn texts_are_what_the_mailbox_holds_in_either_format_and_headers_say_the_same_in_both() {
    let [full, raw] = ["full", "raw"].map(load);
    let contents = |rows: &[BTreeMap<String, Row>; 2]| {
        rows.each_ref().map(|rows| {
            let mut rows: Vec<Row> = rows.values().cloned().collect();
            rows.sort();
            rows
        })
    };
    for (full, raw) in contents(&full).iter().zip(contents(&raw)) {
        assert_eq!(full.len(), raw.len());
        for (full, raw) in full.iter().zip(raw) {
            assert_eq!(*full, raw);
        }
    }
}

#[test]
fn texts_that_are_switched_on_later_come_with_the_next_full_sync() {
    let mut bench = mailboxes(1, 80);
    let all = bench.world().mailboxes();
    bench.sync(&["gmail"]);
    bench.set("SALESYNC_GMAIL_BODIES", "full");
    bench.sync(&["gmail", "--full"]);
    assert_mailboxes(&bench, &all, (Swept::Yes, Texts::Read));
    bench.set("SALESYNC_GMAIL_BODIES", "off");
    bench.sync(&["gmail", "--full"]);
    assert_mailboxes(&bench, &all, (Swept::Yes, Texts::Unread));
}

/// Answers one login with a refusal and returns what it asked for.
fn one_login(listener: &TcpListener) -> BTreeMap<String, String> {
    let (mut socket, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    let body = loop {
        let count = socket.read(&mut chunk).unwrap();
        request.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        if body.len() >= length {
            break body.to_owned();
        }
    };
    let refusal = "{\"error\":\"unauthorized_client\",\"error_description\":\"no\"}";
    write!(
        socket,
        "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{refusal}",
        refusal.len()
    )
    .unwrap();
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.replace("%3A", ":")))
        .collect()
}

/// Decodes base64url without padding.
fn decoded(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = 0_u32;
    let (mut count, mut bytes) = (0, Vec::new());
    for digit in text.bytes() {
        let value = DIGITS.iter().position(|it| *it == digit).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn a_login_asks_for_the_least_scope_in_the_name_of_one_mailbox() {
    let mut bench = mailboxes(1, 10);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/o/token", listener.local_addr().unwrap());
    bench.set("SALESYNC_GMAIL_TOKEN_URL", url);
    for (bodies, scope) in [
        ("", "https://www.googleapis.com/auth/gmail.metadata"),
        ("full", "https://www.googleapis.com/auth/gmail.readonly"),
        ("raw", "https://www.googleapis.com/auth/gmail.readonly"),
    ] {
        bench.set("SALESYNC_GMAIL_BODIES", bodies);
        let child = bench.start(&["sync", "gmail", "--json"]);
        let form = one_login(&listener);
        let ended = crate::harness::wait(child);
        assert_eq!(ended.stream("messages")["code"], "ERR_SOURCE_FORBIDDEN");
        assert_eq!(
            form["grant_type"],
            "urn:ietf:params:oauth:grant-type:jwt-bearer"
        );
        let parts: Vec<&str> = form["assertion"].split('.').collect();
        let [header, claims] =
            [0, 1].map(|at| -> Value { serde_json::from_slice(&decoded(parts[at])).unwrap() });
        assert_eq!(header["alg"], "RS256", "{header}");
        assert_eq!(claims["scope"], scope, "{claims}");
        assert_eq!(
            claims["sub"],
            bench.world().mailboxes()[0].as_str(),
            "{claims}"
        );
        assert_eq!(
            claims["iss"],
            salesync_sandbox::GMAIL_CLIENT_EMAIL,
            "{claims}"
        );
        assert_eq!(claims["aud"], salesync_sandbox::GMAIL_TOKEN_URI, "{claims}");
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((60..=3_600).contains(&life), "{claims}");
    }
}
