//! What Gmail's side of the sandbox promises, asked through the same door as the server's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::server::{Answer, Asked};
use crate::{
    GMAIL_CLIENT_EMAIL, GMAIL_CLIENT_ID, GMAIL_CLIENT_SECRET, GMAIL_REFRESH_TOKEN, GMAIL_TOKEN_URI,
    GmailQuota, Limits, RequestClass, SandboxConfig, Vendor, World,
};

const METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";
const READONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";

fn world(config: SandboxConfig) -> World {
    World::invent(&config)
}

fn usual() -> World {
    world(SandboxConfig::default())
}

fn asked(world: &World, call: (&str, &str), token: &str, body: (&str, &str)) -> Answer {
    let (path, query) = call.1.split_once('?').unwrap_or((call.1, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", format!("Bearer {token}")),
        ("content-type", body.0.to_owned()),
    ] {
        headers.insert(name, HeaderValue::try_from(value).unwrap());
    }
    let mut asked = Asked::new(call.0, (path, query), headers, body.1.to_owned());
    asked.origin = "http://127.0.0.1:1".to_owned();
    assert_eq!(asked.vendor(), Vendor::Gmail);
    let answer = super::answer(world, &asked);
    if let Some(page) = &answer.page {
        world.page_served(page);
    }
    answer
}

fn get(world: &World, token: &str, path: &str) -> (u16, Value) {
    let path = format!("/gmail/v1/users/me/{path}");
    let answer = asked(world, ("GET", &path), token, ("", ""));
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn ok(world: &World, token: &str, path: &str) -> Value {
    let (status, body) = get(world, token, path);
    assert_eq!(status, 200, "{path}: {body}");
    body
}

fn reason(answer: &(u16, Value)) -> (u16, &str) {
    let reason = answer.1["error"]["errors"][0]["reason"].as_str();
    (answer.0, reason.unwrap_or_default())
}

fn grant(world: &World, form: &str) -> (u16, Value) {
    let answer = asked(world, ("POST", "/token"), "", ("", form));
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

fn claims(world: &World, sub: &str, scope: &str) -> Value {
    let now = world.now().timestamp();
    json!({
        "iss": GMAIL_CLIENT_EMAIL, "sub": sub, "scope": scope,
        "aud": GMAIL_TOKEN_URI, "iat": now, "exp": now + 3_600,
    })
}

fn sign_in(world: &World, claims: &Value) -> (u16, Value) {
    let secret: Value = serde_json::from_str(&crate::gmail_secret()).unwrap();
    let pem = secret["private_key"].as_str().unwrap();
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap();
    grant(world, &assertion_form(&assertion))
}

fn assertion_form(assertion: &str) -> String {
    format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
    )
}

fn token(world: &World, mailbox: &str, scope: &str) -> String {
    let (status, body) = sign_in(world, &claims(world, mailbox, scope));
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["expires_in"], &body["token_type"]),
        (&json!(3_599), &json!("Bearer"))
    );
    text(&body["access_token"])
}

fn reader(world: &World) -> (String, String) {
    let mailbox = world.mailboxes().remove(0);
    let token = token(world, &mailbox, READONLY);
    (mailbox, token)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn ids(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| text(&row["id"])).collect()
}

/// Reads a list to its end.
fn all(world: &World, token: &str, path: &str, key: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let page = ok(world, token, &format!("{path}&pageToken={next}"));
        found.extend(page[key].as_array().cloned().unwrap_or_default());
        match page["nextPageToken"].as_str() {
            Some(more) => more.clone_into(&mut next),
            None => return found,
        }
    }
}

fn has(message: &Value, label: &str) -> bool {
    let labels = message["labelIds"].as_array().unwrap();
    labels.iter().any(|id| id == label)
}

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
    let narrow = self::token(&world, &mailbox, METADATA);
    for path in ["messages?q=zebra", "threads?q=zebra"] {
        assert_eq!(reason(&get(&world, &narrow, path)), (403, "forbidden"));
    }
}

#[test]
fn the_metadata_scope_shows_headers_and_nothing_of_the_body() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let both = format!("{READONLY} {METADATA}");
    let narrow = self::token(&world, &mailbox, &both);
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
        let token = self::token(&world, &mailbox, READONLY);
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
    let token = self::token(&world, &mailbox, READONLY);
    let history = |start: &str| get(&world, &token, &format!("history?startHistoryId={start}"));
    assert_eq!(reason(&history(&fresh)), (404, "notFound"));
    assert_eq!(
        history(&latest).0,
        200,
        "nothing is missing after the latest record"
    );
}

#[test]
fn a_login_must_be_signed_timely_and_for_a_mailbox() {
    let world = usual();
    let mailboxes = world.mailboxes();
    let mailbox = mailboxes[1].as_str();
    let good = claims(&world, mailbox, METADATA);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        sign_in(&world, &claims)
    };
    let now = world.now().timestamp();
    for (answer, status, error, words) in [
        (
            with("sub", json!("nobody@sandbox.example")),
            400,
            "invalid_grant",
            "email",
        ),
        (with("iss", json!("x")), 400, "invalid_grant", "account"),
        (
            with("aud", json!("https://x.example")),
            400,
            "invalid_grant",
            "aud",
        ),
        (
            with("exp", json!(now + 3_700)),
            400,
            "invalid_grant",
            "iat and exp",
        ),
        (
            with("iat", json!(now + 900)),
            400,
            "invalid_grant",
            "iat and exp",
        ),
        (with("scope", json!("")), 400, "invalid_scope", "scope"),
        (
            with("scope", json!("https://mail.google.com/")),
            401,
            "unauthorized_client",
            "scopes",
        ),
    ] {
        assert_eq!(answer.0, status, "{}", answer.1);
        assert_eq!(answer.1["error"], error);
        assert!(
            text(&answer.1["error_description"]).contains(words),
            "{}",
            answer.1
        );
    }
    assert_eq!(with("aud", json!("http://127.0.0.1:1/token")).0, 200);
    let forged = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl";
    let answer = grant(&world, &assertion_form(forged));
    assert_eq!(answer.1["error_description"], "Invalid JWT Signature.");
    let mut own = good.clone();
    own.as_object_mut().unwrap().remove("sub");
    let own = text(&sign_in(&world, &own).1["access_token"]);
    assert_eq!(
        reason(&get(&world, &own, "profile")),
        (400, "failedPrecondition")
    );
}

#[test]
fn a_token_opens_its_mailbox_alone_and_only_while_it_may_be_read() {
    let world = usual();
    let mailboxes = world.mailboxes();
    let mailbox = mailboxes[1].as_str();
    let good = claims(&world, mailbox, METADATA);
    let token = token(&world, mailbox, METADATA);
    assert_eq!(ok(&world, &token, "profile")["emailAddress"], mailbox);
    let other = format!("/gmail/v1/users/{}/profile", mailboxes[0]);
    assert_eq!(asked(&world, ("GET", &other), &token, ("", "")).status, 403);
    let itself = format!("/gmail/v1/users/{}/profile", mailbox.replace('@', "%40"));
    assert_eq!(
        asked(&world, ("GET", &itself), &token, ("", "")).status,
        200
    );
    assert!(world.gmail_refuse_delegation(mailbox));
    assert_eq!(reason(&get(&world, &token, "profile")), (401, "authError"));
    assert_eq!(sign_in(&world, &good).1["error"], "unauthorized_client");
    assert!(world.gmail_forbid(mailbox));
    assert_eq!(reason(&get(&world, &token, "profile")), (403, "forbidden"));
    assert!(world.gmail_permit(mailbox));
    ok(&world, &token, "profile");
    world.expire_tokens(Vendor::Gmail);
    assert_eq!(reason(&get(&world, &token, "profile")), (401, "authError"));
}

#[test]
fn the_refresh_token_reads_the_first_mailbox_until_it_is_revoked() {
    let world = usual();
    let form = |refresh: &str| {
        format!(
            "grant_type=refresh_token&client_id={GMAIL_CLIENT_ID}\
             &client_secret={GMAIL_CLIENT_SECRET}&refresh_token={refresh}"
        )
    };
    let granted = grant(&world, &form(GMAIL_REFRESH_TOKEN));
    let token = text(&granted.1["access_token"]);
    assert_eq!(
        ok(&world, &token, "profile")["emailAddress"],
        world.mailboxes()[0]
    );
    world.gmail_revoke_refresh_token();
    let refused = grant(&world, &form(GMAIL_REFRESH_TOKEN));
    assert_eq!(
        (refused.0, &refused.1["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(
        refused.1["error_description"],
        "Token has been expired or revoked."
    );
    world.gmail_restore_refresh_token();
    assert_eq!(grant(&world, &form(GMAIL_REFRESH_TOKEN)).0, 200);
    assert_eq!(grant(&world, &form("x")).0, 400);
}

/// A batch of gets, with lines that end so; gives the parts of the answer by `Content-ID`.
fn batch(world: &World, token: &str, paths: &[String], end: &str) -> Vec<(String, u16, Value)> {
    let mut body = String::new();
    for (place, path) in paths.iter().enumerate() {
        for line in [
            "--limit",
            "Content-Type: application/http",
            &format!("Content-ID: <part{place}@x>"),
            "",
            &format!("GET /gmail/v1/users/me/{path} HTTP/1.1"),
            "Accept: application/json",
            "",
            "",
        ] {
            body.push_str(line);
            body.push_str(end);
        }
    }
    body.push_str("--limit--");
    let kind = "multipart/mixed; boundary=\"limit\"";
    let answer = asked(world, ("POST", "/batch/gmail/v1"), token, (kind, &body));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (_, limit) = answer.headers[0].1.split_once("boundary=").unwrap();
    let whole = answer
        .body
        .strip_suffix(&format!("--{limit}--\r\n"))
        .unwrap();
    whole
        .split(&format!("--{limit}\r\n"))
        .skip(1)
        .map(|part| {
            let sections: Vec<&str> = part.splitn(3, "\r\n\r\n").collect();
            let id = sections[0].split("Content-ID: ").nth(1).unwrap();
            let status = sections[1].split(' ').nth(1).unwrap().parse().unwrap();
            (
                id.to_owned(),
                status,
                serde_json::from_str(sections[2]).unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_batch_answers_each_call_by_its_id_in_another_order() {
    let world = usual();
    let (mailbox, token) = reader(&world);
    let mut paths: Vec<String> = world
        .gmail_messages(&mailbox)
        .iter()
        .take(5)
        .map(|message| format!("messages/{}?format=minimal", text(&message["id"])))
        .collect();
    paths.push("messages/18a".to_owned());
    for end in ["\r\n", "\n"] {
        let answers = batch(&world, &token, &paths, end);
        let order: Vec<&str> = answers.iter().map(|answer| answer.0.as_str()).collect();
        assert_ne!(order[0], "<response-part0@x>");
        for (place, path) in paths.iter().enumerate() {
            let id = format!("<response-part{place}@x>");
            let (_, status, body) = answers.iter().find(|answer| answer.0 == id).unwrap();
            if place == 5 {
                assert_eq!(*status, 404);
            } else {
                assert!(path.contains(&text(&body["id"])), "{path}: {body}");
            }
        }
    }
    assert_eq!(world.gmail_units(&mailbox), 60);
    world.gmail_fail_parts((429, "rateLimitExceeded"), "messages/", 2);
    let answers = batch(&world, &token, &paths, "\n");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.1 == 429).collect();
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0].2["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(refused[0].2["error"]["errors"][0]["domain"], "usageLimits");
}

#[test]
fn a_batch_of_nothing_or_too_much_or_without_a_token_is_refused_whole() {
    let world = usual();
    let (_, token) = reader(&world);
    let call = "--l\nContent-Type: application/http\n\nGET /gmail/v1/users/me/labels\n\n";
    let ask = |token: &str, body: &str| {
        let kind = "multipart/mixed; boundary=l";
        asked(&world, ("POST", "/batch/gmail/v1"), token, (kind, body)).status
    };
    assert_eq!(ask(&token, &format!("{}--l--", call.repeat(100))), 200);
    assert_eq!(ask(&token, &format!("{}--l--", call.repeat(101))), 400);
    assert_eq!(ask(&token, "--l--"), 400);
    assert_eq!(ask("x", &format!("{call}--l--")), 401);
}

#[test]
fn too_many_units_are_refused_in_the_vendors_three_ways() {
    let world = world(SandboxConfig {
        limits: Limits::Vendor,
        gmail_quota: GmailQuota::New,
        ..SandboxConfig::default()
    });
    let (mailbox, token) = reader(&world);
    let id = text(&world.gmail_messages(&mailbox)[0]["id"]);
    let path = format!("messages/{id}?format=minimal");
    let paths: Vec<String> = std::iter::repeat_n(path.clone(), 100).collect();
    for _ in 0..3 {
        let answers = batch(&world, &token, &paths, "\n");
        assert!(answers.iter().all(|answer| answer.1 == 200));
    }
    let refused: BTreeSet<(u16, String)> = batch(&world, &token, &paths, "\n")
        .iter()
        .map(|answer| (answer.1, text(&answer.2["error"]["errors"][0]["reason"])))
        .collect();
    let expected = [
        (403, "rateLimitExceeded"),
        (403, "userRateLimitExceeded"),
        (429, "rateLimitExceeded"),
    ];
    assert_eq!(
        refused,
        expected
            .map(|(status, reason)| (status, reason.to_owned()))
            .into()
    );
    assert_eq!(
        (world.gmail_units(&mailbox), world.gmail_over_limit()),
        (6_000, 100)
    );
    let other = self::token(&world, &world.mailboxes()[1], READONLY);
    ok(&world, &other, "profile");
    world.advance(Duration::from_secs(60));
    ok(&world, &token, &path);
    world.leave_daily_calls(Vendor::Gmail, 1);
    ok(&world, &token, "profile");
    assert_eq!(
        reason(&get(&world, &token, "profile")),
        (403, "dailyLimitExceeded")
    );
    world.reset_requests();
    assert_eq!(
        (world.gmail_units(&mailbox), world.gmail_over_limit()),
        (0, 0)
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
