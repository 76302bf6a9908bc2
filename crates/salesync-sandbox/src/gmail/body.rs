//! The bodies of invented letters: every shape of part tree that real mail has.

use super::mail::{Content, Header, Mail, Part};
use super::wire;
use super::words::{
    ATTACHMENTS, CLOSINGS, GREETINGS, JAPANESE_SENTENCES, LATIN_SENTENCES, SENTENCES,
};
use crate::invent::Chance;

/// What a body says besides its own sentences.
#[derive(Debug)]
pub(super) struct Scene {
    /// Whoever signs.
    pub(super) sender: String,
    /// Whoever is greeted.
    pub(super) receiver: String,
    /// How the answered letter began; empty if none is answered.
    pub(super) quoted: String,
    /// What the lines between the parts are made from.
    pub(super) seed: u64,
}

/// The first sentence of the letter with a seed.
pub(super) fn opening(seed: u64) -> String {
    Chance::new(seed ^ 0x0b0d).pick(SENTENCES).to_owned()
}

/// A body from person to person.
pub(super) fn personal(scene: &Scene, chance: &mut Chance) -> Part {
    let text = letter_text(scene, chance);
    match chance.below(100) {
        0..=34 => plain(&text, chance),
        35..=69 => alternative(scene, &text, "a"),
        70..=76 => Part::text("text/html", &html(&text)),
        77..=84 => attached(scene, &text, chance),
        85..=87 => pictured(scene, &text),
        88..=90 => invitation(scene, &text),
        91 | 92 => forwarded(scene, &text, chance),
        93..=95 => latin(scene, chance),
        96 | 97 => japanese(scene, chance),
        // Says windows-1252 and is UTF-8.
        _ => Part::text_as("text/plain", "windows-1252", text.into_bytes(), None),
    }
}

/// A newsletter's or a machine's body.
pub(super) fn bulk(scene: &Scene, chance: &mut Chance) -> Part {
    let text = format!(
        "{}\r\n\r\n{}\r\n\r\nYou receive this message because you have an account.\r\n",
        chance.pick(SENTENCES),
        chance.pick(SENTENCES)
    );
    if chance.percent(70) {
        alternative(scene, &text, "n")
    } else {
        Part::text("text/html", &html(&text))
    }
}

/// A mail server's report that something was not delivered.
pub(super) fn report(scene: &Scene, chance: &mut Chance) -> Part {
    let mut status = Part::text(
        "message/delivery-status",
        "Reporting-MTA: dns; mail.example\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n",
    );
    status.headers = vec![Header::new("Content-Type", "message/delivery-status")];
    let parts = vec![
        Part::text(
            "text/plain",
            "Your message wasn't delivered because the address couldn't be found.\r\n",
        ),
        status,
        Part::message("noname.eml", inner_mail(scene, chance)),
    ];
    Part::several("multipart/report", boundary(scene, "r"), parts)
}

fn letter_text(scene: &Scene, chance: &mut Chance) -> String {
    let mut text = format!(
        "{} {},\r\n\r\n{}",
        chance.pick(GREETINGS),
        scene.receiver,
        opening(scene.seed)
    );
    for _ in 0..chance.below(4) {
        text.push_str(if chance.percent(30) { "\r\n\r\n" } else { " " });
        text.push_str(chance.pick(SENTENCES));
    }
    let closing = chance.pick(CLOSINGS);
    text.push_str(&format!("\r\n\r\n{closing}\r\n{}\r\n", scene.sender));
    if !scene.quoted.is_empty() && chance.percent(70) {
        text.push_str(&format!(
            "\r\nOn the day before, {} wrote:\r\n> {}\r\n",
            scene.receiver, scene.quoted
        ));
    }
    text
}

fn plain(text: &str, chance: &mut Chance) -> Part {
    let charset = chance.pick(&["utf-8", "UTF-8", "us-ascii"]);
    if charset == "us-ascii" && !text.is_ascii() {
        return Part::text("text/plain", text);
    }
    Part::text_as("text/plain", charset, text.as_bytes().to_vec(), None)
}

fn html(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace("\r\n", "<br>\r\n");
    format!(
        "<html><head><style>p {{ color: #222 }}</style></head><body><p>{escaped}</p>\
         <img src=\"https://pixel.example/open.gif\" width=\"1\"></body></html>\r\n"
    )
}

fn boundary(scene: &Scene, mark: &str) -> String {
    format!("000000000000{:x}{mark}", scene.seed)
}

fn alternative(scene: &Scene, text: &str, mark: &str) -> Part {
    let parts = vec![
        Part::text("text/plain", text),
        Part::text("text/html", &html(text)),
    ];
    Part::several("multipart/alternative", boundary(scene, mark), parts)
}

fn attached(scene: &Scene, text: &str, chance: &mut Chance) -> Part {
    let mut parts = vec![alternative(scene, text, "b")];
    for _ in 0..=chance.below(2) {
        let place = chance.below(ATTACHMENTS.len());
        let (name, mime) = ATTACHMENTS.get(place).copied().unwrap_or_default();
        let written = wire::header_text(name, chance);
        let bytes: Vec<u8> = (0_u8..=255)
            .cycle()
            .take(200 + chance.below(2_000))
            .collect();
        parts.push(Part::file(mime, name, &written, bytes));
    }
    Part::several("multipart/mixed", boundary(scene, "m"), parts)
}

fn pictured(scene: &Scene, text: &str) -> Part {
    let mut picture = Part::file(
        "image/png",
        "image001.png",
        "image001.png",
        b"\x89PNG\r\n\x1a\n-no-picture-".to_vec(),
    );
    picture
        .headers
        .push(Header::new("Content-ID", "<image001.png@01>"));
    let parts = vec![alternative(scene, text, "p"), picture];
    Part::several("multipart/related", boundary(scene, "q"), parts)
}

fn invitation(scene: &Scene, text: &str) -> Part {
    let calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Call\r\n\
                    END:VEVENT\r\nEND:VCALENDAR\r\n";
    let mut event = Part::text("text/calendar", calendar);
    if let Some(header) = event.headers.first_mut() {
        "text/calendar; charset=\"UTF-8\"; method=REQUEST".clone_into(&mut header.value);
    }
    let parts = vec![
        Part::text("text/plain", text),
        Part::text("text/html", &html(text)),
        event,
    ];
    let inner = Part::several("multipart/alternative", boundary(scene, "c"), parts);
    let file = Part::file(
        "application/ics",
        "invite.ics",
        "invite.ics",
        calendar.as_bytes().to_vec(),
    );
    Part::several("multipart/mixed", boundary(scene, "d"), vec![inner, file])
}

fn forwarded(scene: &Scene, text: &str, chance: &mut Chance) -> Part {
    let parts = vec![
        Part::text("text/plain", text),
        Part::message("forwarded message.eml", inner_mail(scene, chance)),
    ];
    Part::several("multipart/mixed", boundary(scene, "f"), parts)
}

fn inner_mail(scene: &Scene, chance: &mut Chance) -> Mail {
    Mail {
        headers: vec![
            Header::new("From", "\"Somebody Else\" <somebody.else@inner.example>"),
            Header::new("To", "Another <another@inner.example>"),
            Header::new("Subject", "The message inside"),
            Header::new(
                "Message-ID",
                format!("<inner.{:x}@inner.example>", scene.seed),
            ),
        ],
        body: Part::text("text/plain", chance.pick(SENTENCES)),
    }
}

fn latin(scene: &Scene, chance: &mut Chance) -> Part {
    let text = format!(
        "{}\r\n\r\n{}\r\n",
        chance.pick(LATIN_SENTENCES),
        scene.receiver
    );
    let (charset, sent) = match wire::latin1(&text) {
        Some(bytes) if chance.percent(60) => ("iso-8859-1", bytes),
        _ => ("windows-1252", wire::windows1252(&text)),
    };
    // The API usually hands out UTF-8; now and then it hands out what was sent.
    let served = chance
        .percent(75)
        .then(|| readable(charset, &sent).into_bytes());
    Part::text_as("text/plain", charset, sent, served)
}

/// What windows-1252 bytes say; Latin-1 is a part of it.
fn readable(charset: &str, bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            0x80 if charset == "windows-1252" => '€',
            _ => char::from(*byte),
        })
        .collect()
}

fn japanese(scene: &Scene, chance: &mut Chance) -> Part {
    let place = chance.below(JAPANESE_SENTENCES.len());
    let Some((text, coded)) = JAPANESE_SENTENCES.get(place) else {
        return Part::text("text/plain", &scene.sender);
    };
    let sent = [coded, b"\r\n".as_slice()].concat();
    let served = chance
        .percent(90)
        .then(|| format!("{text}\r\n").into_bytes());
    let mut part = Part::text_as("text/plain", "ISO-2022-JP", sent, served);
    if let Content::Leaf { .. } = part.content {
        part.headers.push(Header::new("Content-Language", "ja"));
    }
    part
}
