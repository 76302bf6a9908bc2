//! What Gmail's side of the sandbox promises, asked through the same door as the server's.

use axum::http::{HeaderMap, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::server::{Answer, Asked};
use crate::{GMAIL_CLIENT_EMAIL, GMAIL_TOKEN_URI, SandboxConfig, Vendor, World};

mod access;
mod moving;
mod reading;

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
    let answer = crate::gmail::answer(world, &asked);
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
