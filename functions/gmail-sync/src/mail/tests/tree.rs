//! Messages as the service takes them apart.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use salesync_core::error::Code;
use salesync_core::record::Reject;
use salesync_core::time::Timestamp;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::mail::body::MAX_TEXT_BYTES;
use crate::mail::{Body, BodyKind, Mail, Repair, from_payload};

fn decode(payload: &Value) -> Result<Mail, Reject> {
    from_payload(&to_raw_value(payload).unwrap())
}

/// A message with these headers.
fn with_headers(headers: &[(&str, &str)]) -> Mail {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    decode(&json!({"headers": headers})).unwrap()
}

/// A part that holds a text.
fn part(mime_type: &str, filename: &str, text: &[u8]) -> Value {
    json!({
        "mimeType": mime_type,
        "filename": filename,
        "headers": [{"name": "Content-Type", "value": mime_type}],
        "body": {"size": text.len(), "data": URL_SAFE.encode(text)},
    })
}

/// The text of a message that holds these parts.
fn body_of(parts: &Value) -> Option<Body> {
    let root = json!({"mimeType": "multipart/mixed", "headers": [], "parts": parts});
    decode(&root).unwrap().body
}

#[test]
fn a_subject_is_one_line() {
    for (value, expected) in [
        ("Hello", Some("Hello")),
        ("  Hello \r\n\t there ", Some("Hello there")),
        (
            "=?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?_an_alle?=",
            Some("Grüße an alle"),
        ),
        ("a\0b", Some("a\u{fffd}b")),
        (" \r\n ", None),
        ("", None),
    ] {
        let mail = with_headers(&[("SUBJECT", value)]);
        assert_eq!(mail.subject.as_deref(), expected, "{value}");
    }
}

#[test]
fn a_date_is_one_that_there_is() {
    for (value, expected) in [
        ("Fri, 21 Nov 1997 09:55:06 -0600", Some(880_127_706)),
        ("21 Nov 1997 15:55:06 GMT", Some(880_127_706)),
        ("21 Nov 97 15:55:06 +0000", Some(880_127_706)),
        (
            "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600",
            Some(880_127_706),
        ),
        (
            "Fri,\r\n 21 Nov 1997 09:55:06 -0600 (CST)",
            Some(880_127_706),
        ),
        ("Sun, 31 Dec 1995 23:59:60 +0000", Some(820_454_399)),
        ("Wed, 30 Feb 2022 10:00:00 +0000", None),
        ("Fri, 21 Nov 1997 25:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ] {
        let mail = with_headers(&[("date", value)]);
        assert_eq!(mail.date.map(Timestamp::secs), expected, "{value}");
        let noted = mail.repairs.iter().any(|repair| repair == Repair::Date);
        assert_eq!(noted, expected.is_none(), "{value}");
    }
    assert!(with_headers(&[]).repairs.iter().next().is_none());
}

#[test]
fn ids_are_what_stands_in_angle_brackets() {
    for (value, expected) in [
        ("<a@b.example>", &["a@b.example"][..]),
        (
            " <a@b.example>\r\n <c@d.example> ",
            &["a@b.example", "c@d.example"],
        ),
        (
            "<a@b.example><c@d.example>",
            &["a@b.example", "c@d.example"],
        ),
        ("your note <a@b.example> of Friday", &["a@b.example"]),
        ("<a @ b.example>", &["a@b.example"]),
        ("a@b.example", &["a@b.example"]),
        ("your note of Friday", &[]),
        ("<>", &[]),
        ("", &[]),
    ] {
        let mail = with_headers(&[("References", value), ("In-Reply-To", value)]);
        assert_eq!(mail.references, expected, "{value}");
        assert_eq!(mail.in_reply_to.as_deref(), expected.first().copied());
    }
    let mail = with_headers(&[("Message-Id", "0815")]);
    assert_eq!(mail.message_id.as_deref(), Some("0815"));
    assert_eq!(mail.repairs.iter().collect::<Vec<_>>(), [Repair::MessageId]);
}

#[test]
fn the_text_is_the_first_plain_part_without_a_name_else_html() {
    let plain = part("text/plain", "", b"plain");
    let second = part("text/plain", "", b"second");
    let html = part("text/html", "", b"<p>ht<b>ml</b>");
    let named = part("text/plain", "notes.txt", b"named");
    let blank = part("text/plain", "", b" \r\n");
    let calendar = part("text/calendar", "", b"BEGIN:VCALENDAR");
    let report = part("message/delivery-status", "", b"Status: 5.0.0");
    let inner = json!({"mimeType": "message/rfc822", "parts": [plain.clone()]});
    let nested =
        json!({"mimeType": "multipart/alternative", "parts": [html.clone(), plain.clone()]});
    for (parts, expected) in [
        (json!([plain, second]), Some(("plain", BodyKind::Plain))),
        (json!([html, plain]), Some(("plain", BodyKind::Plain))),
        (json!([nested, second]), Some(("plain", BodyKind::Plain))),
        (json!([named, html]), Some(("html", BodyKind::Html))),
        (json!([blank, html]), Some(("html", BodyKind::Html))),
        (json!([inner, html]), Some(("html", BodyKind::Html))),
        (json!([inner, calendar, report, named]), None),
        (json!([]), None),
    ] {
        let found = body_of(&parts);
        let found = found.as_ref().map(|body| (body.text.as_str(), body.kind));
        assert_eq!(found, expected, "{parts}");
    }
}

#[test]
fn a_text_is_read_in_its_charset_from_either_kind_of_base64() {
    let mut declared = part("text/plain; charset=\"ISO-8859-2\"", "", b"");
    declared["mimeType"] = json!("text/plain");
    for (data, text, charset) in [
        (URL_SAFE.encode(b"\xb1\xe6"), "ąć", "ISO-8859-2"),
        (URL_SAFE_NO_PAD.encode(b"\xb1\xe6"), "ąć", "ISO-8859-2"),
        (URL_SAFE.encode("ąć".as_bytes()), "ąć", "UTF-8"),
        ("YcOk\r\nYg==!".to_owned(), "aäb", "UTF-8"),
        (URL_SAFE.encode(b"a\r\nb\rc\0"), "a\nb\nc\u{fffd}", "UTF-8"),
    ] {
        declared["body"] = json!({"size": 2, "data": data});
        let body = body_of(&json!([declared])).unwrap();
        assert_eq!((body.text.as_str(), body.charset), (text, charset));
    }
}

#[test]
fn a_long_text_is_cut_between_characters_and_says_so() {
    let long = "ä".repeat(MAX_TEXT_BYTES / 2 + 1);
    for mime_type in ["text/plain", "text/html"] {
        let body = body_of(&json!([part(mime_type, "", long.as_bytes())])).unwrap();
        assert!(body.truncated && body.text.len() == MAX_TEXT_BYTES);
        assert_eq!(body.size_bytes, u64::try_from(long.len()).unwrap());
    }
}

#[test]
fn a_text_that_is_elsewhere_is_said_to_be() {
    let mut away = part("text/plain", "", b"");
    away["body"] = json!({"size": 9_000_000, "attachmentId": "ANGjdJ9"});
    let mail = decode(&json!({"headers": [], "mimeType": "text/plain", "parts": [away]})).unwrap();
    assert_eq!(mail.body, None);
    let repairs: Vec<_> = mail.repairs.iter().collect();
    assert_eq!(repairs, [Repair::BodyElsewhere]);
}

#[test]
fn attachments_are_named_parts_declared_ones_messages_and_what_is_no_text() {
    let declared = json!({
        "partId": "4",
        "mimeType": "text/plain",
        "headers": [{"name": "Content-Disposition", "value": "Attachment"}],
        "body": {"size": 3, "data": "YWJj"},
    });
    let picture = json!({
        "partId": "1.0",
        "mimeType": "IMAGE/PNG",
        "filename": "",
        "headers": [
            {"name": "Content-ID", "value": "<logo@acme.example>"},
            {"name": "Content-Disposition", "value": "inline"},
        ],
        "body": {"size": 2_000, "attachmentId": "ANGjdJ8"},
    });
    let letter = json!({
        "partId": "2",
        "mimeType": "message/rfc822",
        "filename": "Offer.eml",
        "body": {"size": 99, "attachmentId": "ANGjdJ7"},
        "parts": [part("application/pdf", "inner.pdf", b"x")],
    });
    let mail = decode(&json!({
        "mimeType": "multipart/mixed",
        "headers": [],
        "parts": [part("text/plain", "", b"text"), picture, letter, part("text/csv", "a.csv", b"1;2"), declared],
    }))
    .unwrap();
    let found: Vec<_> = mail
        .attachments
        .iter()
        .map(|it| {
            (
                it.part_id.as_str(),
                it.mime_type.as_str(),
                it.filename.as_deref(),
                it.size_bytes,
            )
        })
        .collect();
    let expected = [
        ("1.0", "image/png", None, 2_000),
        ("2", "message/rfc822", Some("Offer.eml"), 99),
        ("3", "text/csv", Some("a.csv"), 3),
        ("4", "text/plain", None, 3),
    ];
    assert_eq!(found, expected);
    let picture = &mail.attachments[0];
    assert_eq!(picture.content_id.as_deref(), Some("logo@acme.example"));
    assert_eq!(picture.disposition.as_deref(), Some("inline"));
    assert_eq!(mail.body.unwrap().text, "text");
}

#[test]
fn headers_alone_give_all_but_text_and_attachments() {
    let mail = with_headers(&[
        ("From", "Maria <maria@acme.example>"),
        ("To", "bo@acme.example"),
        ("Message-ID", "<1@acme.example>"),
        ("Date", "Fri, 21 Nov 1997 09:55:06 -0600"),
    ]);
    assert_eq!(mail.participants.len(), 2);
    assert!(mail.message_id.is_some() && mail.date.is_some());
    assert!(mail.body.is_none() && mail.attachments.is_empty());
}

#[test]
fn what_has_not_the_documented_shape_is_rejected_under_its_name() {
    let mut deep = json!({});
    for _ in 0..62 {
        deep = json!({"parts": [deep]});
    }
    deep["headers"] = json!([]);
    for (payload, code, field) in [
        (json!({}), Code::RecordMalformed, "payload.headers"),
        (
            json!({"headers": null}),
            Code::RecordMalformed,
            "payload.headers",
        ),
        (json!(7), Code::RecordType, "payload"),
        (json!({"headers": {}}), Code::RecordType, "payload.headers"),
        (
            json!({"headers": [{"name": 1}]}),
            Code::RecordType,
            "payload.headers",
        ),
        (
            json!({"headers": [], "mimeType": 7}),
            Code::RecordType,
            "payload.mimeType",
        ),
        (
            json!({"headers": [], "body": {"size": -1}}),
            Code::RecordType,
            "payload.body",
        ),
        (
            json!({"headers": [], "parts": [{}, {"filename": []}]}),
            Code::RecordType,
            "payload.parts.filename",
        ),
        (
            json!({"headers": [], "parts": 1}),
            Code::RecordType,
            "payload.parts",
        ),
    ] {
        let reject = decode(&payload).unwrap_err();
        assert_eq!(
            (reject.code, reject.field.as_deref()),
            (code, Some(field)),
            "{payload}"
        );
    }
    assert!(decode(&deep).is_ok());
    for _ in 0..5 {
        deep = json!({"headers": [], "parts": [deep]});
    }
    assert_eq!(decode(&deep).unwrap_err().code, Code::RecordTooDeep);
}

#[test]
fn a_lone_surrogate_becomes_a_replacement() {
    let text = r#"{"headers":[{"name":"Subject","value":"a\ud800b"}],"partId":null}"#;
    let mail = from_payload(serde_json::from_str(text).unwrap()).unwrap();
    assert_eq!(mail.subject.as_deref(), Some("a\u{fffd}b"));
}
