//! Real messages, decoded twice and compared with what Python's `email` package says of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::exceptions::{EXCEPTIONS, Holds};
use crate::mail::{Mail, Participant, Repairs, Role, from_payload, from_raw};

/// What the oracle says of one message.
#[derive(Deserialize)]
struct Answer<'a> {
    name: String,
    raw: String,
    #[serde(borrow)]
    payload: &'a RawValue,
    expected: BTreeMap<String, Value>,
}

#[test]
fn real_messages_are_decoded_as_pythons_email_package_decodes_them() {
    let Some(answers) = oracle() else { return };
    let (mut messages, mut fields) = (0, 0);
    let mut wrong = Vec::new();
    for line in answers.lines() {
        let answer: Answer<'_> = serde_json::from_str(line).unwrap();
        let raw = from_raw(&answer.raw).unwrap();
        let tree = from_payload(answer.payload).unwrap();
        messages += 1;
        fields += answer.expected.len();
        let exceptions = EXCEPTIONS.iter().filter(|it| it.file == answer.name);
        let exceptions: Vec<_> = exceptions.collect();
        for (field, expected) in &answer.expected {
            let exception = exceptions.iter().find(|it| it.field == field);
            let ours = exception.map(|it| serde_json::from_str::<Value>(it.ours).unwrap());
            let of_raw = ours.as_ref().unwrap_or(expected);
            let holds_for_tree = exception.is_some_and(|it| it.holds == Holds::Both);
            let of_tree = if holds_for_tree { of_raw } else { expected };
            for (shape, mail, expected) in [("raw", &raw, of_raw), ("tree", &tree, of_tree)] {
                let said = said(mail, field, expected);
                if said != *expected {
                    wrong.push(format!(
                        "{} {field} {shape}: {said}, not {expected}",
                        answer.name
                    ));
                }
            }
        }
        // Of a message that Python's package takes apart as we do, both shapes say the same in all else too.
        let is_same = exceptions.iter().all(|it| it.holds == Holds::Both);
        if is_same && comparable(raw.clone()) != comparable(tree.clone()) {
            wrong.push(format!("{}: {raw:#?}\nis not {tree:#?}", answer.name));
        }
    }
    println!(
        "{messages} messages, {fields} fields of them compared, each in two shapes; {} exceptions",
        EXCEPTIONS.len()
    );
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(messages > 100, "the messages are not where they should be");
}

/// Leaves out what the two shapes can't say alike: what had to be mended in transfer encodings, the length of
/// messages inside of messages, of which Python's package keeps no bytes, and the end of the last line of a part
/// that nothing closes, which the package takes for the boundary's.
fn comparable(mut mail: Mail) -> Mail {
    mail.repairs = Repairs::default();
    for attachment in &mut mail.attachments {
        if attachment.mime_type.starts_with("message/") {
            attachment.size_bytes = 0;
        }
    }
    if let Some(body) = &mut mail.body {
        body.text.truncate(body.text.trim_end().len());
        body.size_bytes = 0;
    }
    mail
}

/// Runs the oracle over the messages; nothing where there are none, or no Python.
fn oracle() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests' own inputs are no settings of the product"
    )]
    let data = std::env::var("SALESYNC_TEST_DATA").ok();
    let Some(data) = data.filter(|data| !data.is_empty()) else {
        println!("SALESYNC_TEST_DATA is not set: passed over");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail_oracle.py");
    let folder = PathBuf::from(data).join("mail");
    let Ok(output) = Command::new("python3").arg(script).arg(folder).output() else {
        println!("python3 was not found: passed over");
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Says a field of a message in the oracle's shape.
fn said(mail: &Mail, field: &str, expected: &Value) -> Value {
    match field {
        "subject" => json!(mail.subject),
        "message_id" => json!(mail.message_id),
        "in_reply_to" => json!(mail.in_reply_to),
        "references" => json!(mail.references),
        "date" => json!(mail.date.map(|date| date.secs())),
        "attachments" => attachments(mail, expected),
        "body" => body(mail),
        role => {
            let role = Role::ALL
                .into_iter()
                .find(|it| it.as_str() == role.replace('-', "_"));
            participants(mail, role.unwrap())
        }
    }
}

fn participants(mail: &Mail, role: Role) -> Value {
    let of_role = mail.participants.iter().filter(|it| it.role == role);
    of_role
        .map(
            |Participant {
                 spelling,
                 display_name,
                 group,
                 ..
             }| { json!({"address": spelling, "name": display_name, "group": group}) },
        )
        .collect()
}

/// Sizes that the oracle can't tell are not compared.
fn attachments(mail: &Mail, expected: &Value) -> Value {
    let said = mail.attachments.iter().enumerate().map(|(at, it)| {
        let is_told = expected[at]["size_bytes"].is_number();
        json!({
            "filename": it.filename,
            "mime_type": it.mime_type,
            "size_bytes": is_told.then_some(it.size_bytes),
        })
    });
    said.collect()
}

/// White space is compared neither in number nor in kind: HTML has none of its own.
fn body(mail: &Mail) -> Value {
    let Some(body) = &mail.body else {
        return Value::Null;
    };
    let text: String = body.text.split_whitespace().collect();
    json!({"kind": format!("text/{}", body.kind.as_str()), "text": text})
}
