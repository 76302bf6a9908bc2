//! Writes a letter down as a mail: headers here, the body beside it. What a letter says follows
//! from its sketch alone, so that it reads the same each time and in every mailbox, but for what
//! only the way there or only the sender sees.

use super::body;
use super::mail::{Header, Mail, Part};
use super::wire;
use super::words::{BULK_TOPICS, TOPICS};
use crate::invent::Chance;
use crate::world::{GmailSide, Kind, Letter, Sketch, Voice, Wording};

/// How many ancestors `References` names.
const REFERENCES_MAX: usize = 12;
/// The roles of a sketch's receivers, in its order.
const RECEIVERS: [&str; 3] = ["to", "cc", "bcc"];

/// A letter that was given as it is.
#[derive(Debug)]
pub(crate) struct Given {
    /// The mail, with all its headers.
    pub(crate) mail: Mail,
    /// Who is named in it.
    pub(crate) parties: Vec<Party>,
    /// The `Message-ID`.
    pub(crate) message_id: Option<String>,
    /// The subject, decoded.
    pub(crate) subject: String,
}

/// Somebody who is named in a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    /// `from`, `to`, `cc`, `bcc` or `reply-to`.
    pub(crate) role: &'static str,
    /// The name as shown, decoded; may be empty.
    pub(crate) name: String,
    /// The address as it is spelled.
    pub(crate) address: String,
    /// The true person; 0 if there is none.
    pub(crate) entity: u32,
}

/// Who looks at a letter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    /// Whoever wrote it.
    Sender,
    /// Who received it, at this address.
    Receiver(&'a str),
}

/// Writes a letter down as it lies in somebody's mailbox.
pub(crate) fn compose(side: &GmailSide, letter: &Letter, view: View<'_>) -> Mail {
    let sketch = match &letter.wording {
        Wording::Given(given) => return seen(&given.mail, view),
        Wording::Invented(sketch) => sketch,
    };
    let mut chance = Chance::new(sketch.seed);
    let spelling = chance.below(100);
    let mut headers = own_headers(side, letter, sketch, &mut chance);
    for header in &mut headers {
        spell(&mut header.name, spelling);
    }
    let mut way = match view {
        View::Sender => Vec::new(),
        View::Receiver(address) => travelled(side, letter, sketch, address),
    };
    if matches!(view, View::Receiver(_)) {
        headers.retain(|header| !header.name.eq_ignore_ascii_case("Bcc"));
    }
    way.append(&mut headers);
    Mail {
        headers: way,
        body: written(side, sketch, &mut chance),
    }
}

/// A given mail, without what the receivers do not see.
fn seen(mail: &Mail, view: View<'_>) -> Mail {
    let mut mail = mail.clone();
    if matches!(view, View::Receiver(_)) {
        mail.headers
            .retain(|header| !header.name.eq_ignore_ascii_case("Bcc"));
    }
    mail
}

fn written(side: &GmailSide, sketch: &Sketch, chance: &mut Chance) -> Part {
    let name = |place: Option<&u32>| place.and_then(|place| voice(side, *place)).map(first_name);
    let scene = body::Scene {
        sender: name(Some(&sketch.from)).unwrap_or_default(),
        receiver: name(sketch.receivers[0].first()).unwrap_or_default(),
        quoted: sketch
            .parent
            .and_then(|parent| side.letters.get(parent as usize))
            .map(|parent| body::opening(seed_of(parent)))
            .unwrap_or_default(),
        seed: sketch.seed,
    };
    match sketch.kind {
        Kind::Personal | Kind::Draft => body::personal(&scene, chance),
        Kind::Bulk => body::bulk(&scene, chance),
        Kind::Report => body::report(&scene, chance),
    }
}

fn seed_of(letter: &Letter) -> u64 {
    match &letter.wording {
        Wording::Invented(sketch) => sketch.seed,
        Wording::Given(_) => 0,
    }
}

fn first_name(voice: &Voice) -> String {
    let name = voice.name.split([' ', ',']).next().unwrap_or_default();
    name.trim_matches('"').to_owned()
}

fn voice(side: &GmailSide, place: u32) -> Option<&Voice> {
    side.voices.get(place as usize)
}

/// The headers that the sender wrote, in the canonical spelling.
fn own_headers(
    side: &GmailSide,
    letter: &Letter,
    sketch: &Sketch,
    chance: &mut Chance,
) -> Vec<Header> {
    let mut headers = vec![Header::new("MIME-Version", "1.0")];
    // One sender in a hundred forgets the date, one in two hundred gets it wrong.
    let odd = chance.below(200);
    let date = wire::date(letter.at_ms - chance.between(0, 9_000), chance);
    if odd == 2 {
        headers.push(Header::new("Date", format!("yesterday, {date}")));
    } else if odd > 2 {
        headers.push(Header::new("Date", date));
    }
    if let Some(id) = message_id(side, sketch) {
        headers.push(Header::new("Message-ID", id));
    }
    let chain = references(side, sketch);
    if let Some(last) = chain.last() {
        headers.push(Header::new("In-Reply-To", last));
        let between = if chance.percent(40) { "\r\n " } else { " " };
        headers.push(Header::new("References", chain.join(between)));
    }
    let text = subject(side, sketch);
    let written = wire::header_text(&text, chance);
    headers.push(Header::new("Subject", written));
    for (role, value) in address_headers(side, sketch, chance) {
        headers.push(Header::new(role, value));
    }
    if sketch.kind == Kind::Bulk {
        headers.push(Header::new(
            "List-Unsubscribe",
            "<https://lists.example/unsubscribe>",
        ));
        headers.push(Header::new("Precedence", "bulk"));
    }
    headers
}

fn address_headers(
    side: &GmailSide,
    sketch: &Sketch,
    chance: &mut Chance,
) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    let written = |place: &u32, chance: &mut Chance| {
        voice(side, *place).map(|voice| wire::address(&voice.name, &voice.address, chance))
    };
    if let Some(from) = written(&sketch.from, chance) {
        headers.push(("From", from));
    }
    for (name, places) in ["To", "Cc", "Bcc"].into_iter().zip(&sketch.receivers) {
        let all: Vec<String> = places
            .iter()
            .filter_map(|place| written(place, chance))
            .collect();
        if all.is_empty() {
            continue;
        }
        let folded = all.len() > 1 && chance.percent(25);
        let list = all.join(if folded { ",\r\n " } else { ", " });
        // A list that has a name.
        let grouped = all.len() > 1 && chance.percent(8);
        headers.push((
            name,
            if grouped {
                format!("Sales team: {list};")
            } else {
                list
            },
        ));
    }
    if sketch.receivers[0].is_empty() && sketch.kind != Kind::Draft {
        headers.push(("To", "undisclosed-recipients:;".to_owned()));
    }
    if let Some(address) = reply_to(side, sketch) {
        headers.push(("Reply-To", format!("\"Replies, please\" <{address}>")));
    }
    headers
}

/// Where answers to bulk mail go, if not to its sender.
fn reply_to(side: &GmailSide, sketch: &Sketch) -> Option<String> {
    if sketch.kind != Kind::Bulk || sketch.seed.is_multiple_of(3) {
        return None;
    }
    let (_, domain) = voice(side, sketch.from)?.address.split_once('@')?;
    Some(format!("replies@{domain}"))
}

/// The headers that the way to a mailbox added, newest first.
fn travelled(side: &GmailSide, letter: &Letter, sketch: &Sketch, address: &str) -> Vec<Header> {
    let mut chance = Chance::new(sketch.seed ^ 0x005e_edfa_ce00);
    let from = voice(side, sketch.from).map_or("", |voice| &*voice.address);
    let domain = from.rsplit('@').next().unwrap_or_default();
    let stamp = |ms: i64| {
        chrono::DateTime::from_timestamp_millis(ms)
            .unwrap_or_default()
            .format("%a, %-d %b %Y %H:%M:%S -0000")
            .to_string()
    };
    let (one, two) = (sketch.seed >> 32, sketch.seed % 97_777);
    let gap = if chance.percent(30) {
        "\r\n        "
    } else {
        " "
    };
    let mut headers = vec![
        Header::new("Delivered-To", address),
        Header::new(
            "Received",
            format!(
                "by 2002:a05:7022:{two:x}:b0:8f with SMTP id m{one:x};{gap}{}",
                stamp(letter.at_ms)
            ),
        ),
        Header::new("Return-Path", format!("<{from}>")),
        Header::new(
            "Received",
            format!(
                "from mail-{}.{domain} (mail-{}.{domain}. [192.0.2.{}]){gap}by mx.google.com with \
                 ESMTPS id {one:x}si{two}{gap}for <{address}>;{gap}{}",
                two % 9,
                two % 9,
                two % 250 + 1,
                stamp(letter.at_ms)
            ),
        ),
    ];
    if chance.percent(50) {
        headers.push(Header::new(
            "Received-SPF",
            format!("pass (google.com: domain of {from} designates 192.0.2.1 as permitted sender)"),
        ));
        headers.push(Header::new(
            "Received",
            format!(
                "from localhost by mail.{domain} (Postfix); {}",
                stamp(letter.at_ms - 2_000)
            ),
        ));
    }
    headers
}

/// Spells a header's name as some programs do.
fn spell(name: &mut String, spelling: usize) {
    match spelling {
        0..=5 => *name = name.to_lowercase(),
        6 | 7 => *name = name.to_uppercase(),
        8..=19 if name == "Message-ID" => "Message-Id".clone_into(name),
        8..=13 if name == "Cc" => "CC".clone_into(name),
        _ => {}
    }
}

/// The `Message-ID` of an invented letter; some have none, some a malformed one.
fn message_id(side: &GmailSide, sketch: &Sketch) -> Option<String> {
    if sketch.kind == Kind::Draft {
        return None;
    }
    let address = &voice(side, sketch.from)?.address;
    let domain = address.rsplit('@').next()?.to_lowercase();
    let seed = sketch.seed;
    match (seed >> 7) % 200 {
        0 => None,
        1 => Some(format!("{seed:x}@{domain}")),
        2..=60 => Some(format!("<CA+{seed:016x}@mail.gmail.com>")),
        61..=90 => Some(format!(
            "<{}.{}.JavaMail@{domain}>",
            seed >> 32,
            seed % 1_000_000
        )),
        _ => Some(format!("<{seed:016x}@{domain}>")),
    }
}

/// The `Message-ID`s of the letters that this one answers, oldest first.
fn references(side: &GmailSide, sketch: &Sketch) -> Vec<String> {
    let mut chain = Vec::new();
    let mut next = sketch.parent;
    while let Some(letter) = next.and_then(|place| side.letters.get(place as usize)) {
        chain.extend(id_of(side, letter));
        next = match &letter.wording {
            Wording::Invented(parent) if chain.len() < REFERENCES_MAX => parent.parent,
            _ => None,
        };
    }
    chain.reverse();
    chain
}

/// The subject, decoded.
fn subject(side: &GmailSide, sketch: &Sketch) -> String {
    let mut chance = Chance::new(sketch.topic);
    let topics = match sketch.kind {
        Kind::Bulk => BULK_TOPICS,
        Kind::Report => &["Delivery Status Notification (Failure)"],
        Kind::Personal | Kind::Draft => TOPICS,
    };
    let topic = format!("{} {}", chance.pick(topics), chance.between(100, 9_999));
    let answers = sketch
        .parent
        .and_then(|place| side.letters.get(place as usize))
        .is_some();
    let lead = match (answers, sketch.seed % 11) {
        (false, _) => "",
        (true, 0) => "AW: ",
        (true, 1) => "RE: ",
        (true, 2) => "Re: Re: ",
        (true, _) => "Re: ",
    };
    format!("{lead}{topic}")
}

/// The `Message-ID` of a letter.
pub(crate) fn id_of(side: &GmailSide, letter: &Letter) -> Option<String> {
    match &letter.wording {
        Wording::Invented(sketch) => message_id(side, sketch),
        Wording::Given(given) => given.message_id.clone(),
    }
}

/// The subject of a letter, decoded.
pub(crate) fn subject_of(side: &GmailSide, letter: &Letter) -> String {
    match &letter.wording {
        Wording::Invented(sketch) => subject(side, sketch),
        Wording::Given(given) => given.subject.clone(),
    }
}

/// Everybody who is named in a letter, as far as the viewer sees.
pub(crate) fn parties(side: &GmailSide, letter: &Letter, view: View<'_>) -> Vec<Party> {
    let mut found = match &letter.wording {
        Wording::Given(given) => given.parties.clone(),
        Wording::Invented(sketch) => {
            let party = |role: &'static str, place: &u32| {
                voice(side, *place).map(|voice| Party {
                    role,
                    name: voice.name.to_string(),
                    address: voice.address.to_string(),
                    entity: voice.entity,
                })
            };
            let receivers = RECEIVERS
                .into_iter()
                .zip(&sketch.receivers)
                .flat_map(|(role, places)| places.iter().map(move |place| (role, place)));
            std::iter::once(("from", &sketch.from))
                .chain(receivers)
                .filter_map(|(role, place)| party(role, place))
                .chain(reply_to(side, sketch).map(|address| Party {
                    role: "reply-to",
                    name: "Replies, please".to_owned(),
                    address,
                    entity: 0,
                }))
                .collect()
        }
    };
    if matches!(view, View::Receiver(_)) {
        found.retain(|party| party.role != "bcc");
    }
    found
}
