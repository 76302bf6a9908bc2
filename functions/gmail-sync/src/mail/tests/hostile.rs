//! Messages that mean harm, or were damaged.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use serde_json::value::to_raw_value;

use crate::mail::address::MAX_PARTICIPANTS;
use crate::mail::body::MAX_TEXT_BYTES;
use crate::mail::{Mail, from_payload, from_raw};

const MEBIBYTE: usize = 1024 * 1024;

/// Decodes a text as a whole message.
fn as_message(text: &[u8]) -> Mail {
    bounded(from_raw(&URL_SAFE_NO_PAD.encode(text)).unwrap_or_default())
}

/// Decodes a text as the value of every header and as both kinds of text.
fn as_values(text: &[u8]) -> Mail {
    let value = String::from_utf8_lossy(text);
    let names = [
        "Subject",
        "From",
        "To",
        "Date",
        "References",
        "Message-ID",
        "Content-ID",
    ];
    let typed = ["Content-Type", "Content-Disposition"];
    let headers = |names: &[&str]| -> Vec<_> {
        let headers = names.iter();
        headers
            .map(|name| json!({"name": name, "value": value}))
            .collect()
    };
    let part = |mime_type: &str| {
        json!({
            "mimeType": mime_type,
            "headers": headers(&typed),
            "body": {"size": 1, "data": value},
        })
    };
    let payload = json!({
        "mimeType": "multipart/mixed",
        "headers": headers(&names),
        "parts": [part("text/plain"), part("text/html"), part("image/png")],
    });
    bounded(from_payload(&to_raw_value(&payload).unwrap()).unwrap())
}

fn bounded(mail: Mail) -> Mail {
    assert!(mail.participants.len() <= MAX_PARTICIPANTS);
    let length = mail.body.as_ref().map_or(0, |body| body.text.len());
    assert!(length <= MAX_TEXT_BYTES);
    mail
}

#[test]
fn a_mebibyte_of_anything_is_read_in_proportion_to_its_length() {
    let repeated = [
        "=?aa?q?x ",
        "=?aa?q?x?= ",
        "=?utf-8?b?",
        "(",
        "((\\)",
        ")",
        "\"",
        "\\\"",
        "<",
        "<a,",
        "a:",
        "a;",
        "a@b,",
        "\"a\"@b ",
        "a@b(c),",
        "<a@b> ",
        "@",
        ";a=b",
        ";a*1=b",
        ";a*=u'l'b",
        ";a=\"",
        "<div>",
        "<a b=c ",
        "<!--",
        "<![CDATA[",
        "</script",
        "<script>",
        "&",
        "&a",
        "&#",
        "\r",
        "\n",
        "\n ",
        "a:\n",
        "--\n",
        "=",
        "=\n",
        "\0",
        "\u{fffd}",
    ];
    let part = "--b\nContent-Type: multipart/mixed; boundary=none\n\n";
    let parts = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        part.repeat(20_000)
    );
    let messages = "Content-Type: message/rfc822\n\n".repeat(34_000);
    let mut deep: String = (0..64)
        .map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"))
        .collect();
    deep.push_str(&"--b\n".repeat(250_000));
    let html = format!("Content-Type: text/html\n\n{}", "<div><b>".repeat(120_000));
    for whole in [parts, messages, deep, html] {
        as_message(whole.as_bytes());
    }
    for piece in repeated {
        let text = piece.repeat(MEBIBYTE / piece.len());
        as_values(text.as_bytes());
        as_message(text.as_bytes());
        as_message(format!("Content-Type: text/html\n\n{text}").as_bytes());
        as_message(format!("Content-Type: multipart/mixed; boundary=\"\"\nTo: {text}").as_bytes());
    }
}

/// Pieces that mean something somewhere in a message.
const PIECES: [&str; 32] = [
    "\r\n",
    "\n",
    "\r",
    "\r\n ",
    "\r\n\r\n",
    ":",
    ";",
    ",",
    "<",
    ">",
    "\"",
    "(",
    ")",
    "\\",
    "@",
    "=?",
    "?=",
    "=?utf-8?q?",
    "=?iso-2022-jp?B?GyRC",
    "--b",
    "--b--",
    "--c",
    "=",
    "=3D",
    "boundary=b",
    "charset=utf-16",
    "Content-Type: ",
    "multipart/mixed",
    "message/rfc822",
    "base64",
    "quoted-printable",
    "\0",
];

const MESSAGE: &str = "From: \"Luz, Maria\" <maria@acme.example>\r\n\
    To: Sales: bo@acme.example, =?utf-8?q?C=C3=A9?= <cy@acme.example>;, (x) d@acme.example\r\n\
    Subject: =?iso-2022-jp?B?GyRCJU8lbSE8GyhC?=\r\n =?utf-8?q?_Gr=C3=BC=C3=9Fe?=\r\n\
    Date: Fri, 21 Nov 1997 09(comment):55:06 -0600\r\n\
    Message-ID: <1@acme.example>\r\n\
    References: <2@acme.example>\r\n\t<3@acme.example>\r\n\
    Content-Type: multipart/mixed; boundary=\"b\"\r\n\
    \r\n\
    --b\r\n\
    Content-Type: multipart/alternative; boundary=c\r\n\
    \r\n\
    --c\r\n\
    Content-Type: text/plain; charset=iso-8859-1\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\
    \r\n\
    Gr=FC=DFe =\r\n\
    an alle\r\n\
    --c\r\n\
    Content-Type: text/html; charset=\"utf-8\"\r\n\
    \r\n\
    <p>Gr&uuml;&szlig;e<script>x</script>\r\n\
    --c--\r\n\
    --b\r\n\
    Content-Type: image/png; name*0*=utf-8''a%20; name*1=b.png\r\n\
    Content-Transfer-Encoding: base64\r\n\
    \r\n\
    aGVsbG8=\r\n\
    --b--\r\n";

/// Damages a message in one to eight places.
fn damage(message: &mut Vec<u8>, chance: &mut SmallRng) {
    for _ in 0..chance.random_range(1..=8) {
        let at = chance.random_range(0..=message.len());
        let end = (at + chance.random_range(0..40)).min(message.len());
        match chance.random_range(0..5) {
            0 => {
                message.drain(at..end);
            }
            1 => {
                let again = message[at..end].to_vec();
                message.splice(at..at, again);
            }
            2 => {
                let piece = PIECES[chance.random_range(0..PIECES.len())];
                message.splice(at..end, piece.bytes());
            }
            3 => {
                let piece = PIECES[chance.random_range(0..PIECES.len())];
                message.splice(at..at, piece.repeat(chance.random_range(1..20)).bytes());
            }
            _ => {
                for byte in &mut message[at..end] {
                    *byte = chance.random();
                }
            }
        }
    }
}

#[test]
fn no_damage_makes_it_fail() {
    let mut chance = SmallRng::seed_from_u64(1);
    for _ in 0..6_000 {
        let mut message = MESSAGE.as_bytes().to_vec();
        damage(&mut message, &mut chance);
        as_message(&message);
        // A stretch of it as the value of a header, and as a text.
        let from = chance.random_range(0..=message.len());
        let to = chance.random_range(from..=message.len());
        as_values(&message[from..to]);
    }
}
