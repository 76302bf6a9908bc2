//! Makes a mail from a test's description of it.

use serde_json::Value;

use super::letter::{Given, Party};
use super::mail::{Header, Mail, Part};
use super::wire;
use crate::invent::Chance;

/// Where a delivered mail stands among the others.
#[derive(Debug)]
pub(crate) struct Setting {
    /// When it was accepted, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// A number that no other delivered mail has.
    pub(crate) number: u64,
    /// The `Message-ID` of the mail that it answers.
    pub(crate) parent: Option<String>,
}

/// Makes a mail from a description; see [`crate::World::gmail_deliver`].
pub(crate) fn given(spec: &Value, setting: &Setting) -> Given {
    let mut chance = Chance::new(setting.number);
    let subject = text(spec, "subject").unwrap_or_default();
    let message_id = match spec.get("messageId") {
        Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id.clone()),
        _ => Some(format!("<delivered.{}@sandbox.example>", setting.number)),
    };
    let date = match spec.get("date") {
        Some(Value::Null) => None,
        Some(Value::String(date)) => Some(date.clone()),
        _ => Some(wire::date(setting.at_ms, &mut chance)),
    };
    let mut headers = vec![Header::new("MIME-Version", "1.0")];
    let answered = setting.parent.as_ref();
    let written = wire::header_text(&subject, &mut chance);
    let fixed = [
        ("Date", date.as_ref()),
        ("Message-ID", message_id.as_ref()),
        ("In-Reply-To", answered),
        ("References", answered),
        ("Subject", Some(&written)),
    ];
    for (name, value) in fixed {
        headers.extend(value.map(|value| Header::new(name, value)));
    }
    let parties = address_headers(spec, &mut headers);
    for (name, value) in extra_headers(spec) {
        if value.is_none() || !is_repeatable(&name) {
            headers.retain(|header| !header.name.eq_ignore_ascii_case(&name));
        }
        headers.extend(value.map(|value| Header::new(&name, value)));
    }
    Given {
        mail: Mail {
            headers,
            body: body(spec, setting.number, &mut chance),
        },
        parties,
        message_id,
        subject,
    }
}

fn is_repeatable(name: &str) -> bool {
    name.eq_ignore_ascii_case("Received")
}

fn text(spec: &Value, name: &str) -> Option<String> {
    spec.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Adds the address headers, and says who is named in them.
fn address_headers(spec: &Value, headers: &mut Vec<Header>) -> Vec<Party> {
    let fields = [
        ("from", "From", "from"),
        ("to", "To", "to"),
        ("cc", "Cc", "cc"),
        ("bcc", "Bcc", "bcc"),
        ("replyTo", "Reply-To", "reply-to"),
    ];
    let mut parties = Vec::new();
    for (key, header, role) in fields {
        let entries: Vec<&str> = match spec.get(key) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        if entries.is_empty() {
            continue;
        }
        parties.extend(entries.iter().map(|entry| party(role, entry)));
        headers.push(Header::new(header, entries.join(", ")));
    }
    parties
}

/// Reads `Name <address>` or an address alone.
fn party(role: &'static str, entry: &str) -> Party {
    let (name, address) = match entry.rsplit_once('<') {
        Some((name, address)) => (name.trim().trim_matches('"'), address.trim_end_matches('>')),
        None => ("", entry),
    };
    Party {
        role,
        name: name.to_owned(),
        address: address.trim().to_owned(),
        entity: 0,
    }
}

/// Headers given by name; one without a value takes the usual one away.
fn extra_headers(spec: &Value) -> Vec<(String, Option<String>)> {
    let list = spec.get("headers").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|header| Some((text(header, "name")?, text(header, "value"))))
        .collect()
}

fn body(spec: &Value, number: u64, chance: &mut Chance) -> Part {
    let boundary = |mark: &str| format!("delivered{number}{mark}");
    let plain = text(spec, "text").map(|text| Part::text("text/plain", &text));
    let html = text(spec, "html").map(|html| Part::text("text/html", &html));
    let words = match (plain, html) {
        (Some(plain), Some(html)) => {
            Part::several("multipart/alternative", boundary("a"), vec![plain, html])
        }
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => Part::text("text/plain", "Hello.\r\n"),
    };
    let files: Vec<Part> = spec
        .get("attachments")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|file| {
            let name = text(file, "filename").unwrap_or_else(|| "file.bin".to_owned());
            let mime =
                text(file, "mimeType").unwrap_or_else(|| "application/octet-stream".to_owned());
            let written = wire::header_text(&name, chance);
            let size = file.get("size").and_then(Value::as_u64).unwrap_or(64);
            let bytes = text(file, "text").map_or_else(
                || vec![b'x'; usize::try_from(size).unwrap_or(0)],
                String::into_bytes,
            );
            Part::file(&mime, &name, &written, bytes)
        })
        .collect();
    if files.is_empty() {
        return words;
    }
    let parts = std::iter::once(words).chain(files).collect();
    Part::several("multipart/mixed", boundary("m"), parts)
}
