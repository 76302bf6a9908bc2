//! HubSpot's activities, and the contacts, companies and deals that they are associated with.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::Cast;
use super::super::chance::Chance;
use super::super::hubspot::Scribe;
use super::{MINUTE_MS, Pen, is_alone, remark, topic};
use crate::hubspot::schema::{self, ENGAGEMENTS};
use crate::store::{DAY_MS, Record, Shelf, State, push_hubspot_time};
use crate::world::{HubSpotSide, Owner};

/// How many of a thousand records there are of each, in the order of [`ENGAGEMENTS`].
const SHARES: [usize; 5] = [25, 35, 15, 15, 10];
/// What an activity may belong to.
const ABOUT: [&str; 3] = ["contacts", "companies", "deals"];

/// Adds the activities to a filled side.
pub(in crate::invent) fn fill(cast: &Cast, chance: &mut Chance, side: &mut HubSpotSide) {
    for (object, share) in ENGAGEMENTS.into_iter().zip(SHARES) {
        let (shelf, links) = engagements(cast, chance, side, (object, share));
        for (to, pairs) in ABOUT.into_iter().zip(links) {
            side.put_links(object, to, pairs.into_iter().collect());
        }
        side.put_shelf(shelf);
    }
}

/// Per type of [`ABOUT`] the pairs that belong together.
type Links = [BTreeSet<(u64, u64)>; 3];

fn engagements(
    cast: &Cast,
    chance: &mut Chance,
    side: &HubSpotSide,
    (object, share): (&str, usize),
) -> (Shelf, Links) {
    let mut shelf = schema::shelf(object);
    let (mut records, mut links) = (Vec::new(), Links::default());
    let count = cast.records * share / 1_000;
    let guests = Guests::of(side);
    let mut scribe = Scribe::new(&shelf, count);
    for _ in 0..count {
        let Some(scene) = guests.and_then(|guests| guests.scene(chance)) else {
            break;
        };
        scribe.start(cast, chance);
        let times = scribe.times;
        let mut pen = Pen {
            shelf: &shelf,
            draft: &mut scribe.draft,
        };
        pen.text("hubspot_owner_id", &scene.owner.id.to_string());
        match object {
            "calls" => call(&mut pen, &scene, chance, times.0),
            "emails" => email(&mut pen, &scene, chance, times.0),
            "meetings" => meeting(&mut pen, &scene, chance, (times.0, cast.start_ms)),
            "notes" => note(&mut pen, &scene, chance, times.0),
            _ => task(&mut pen, &scene, chance, times),
        }
        if !is_alone(chance) {
            let colleagues = if object == "meetings" { 3 } else { 1 };
            for (pairs, ids) in links.iter_mut().zip(scene.about(chance, colleagues)) {
                pairs.extend(ids.into_iter().map(|id| (scribe.id, id)));
            }
        }
        records.push(scribe.finish(0, chance));
    }
    for record in records {
        shelf.push(record);
    }
    shelf.rebuild_index();
    (shelf, links)
}

/// The contacts that activities can be with.
#[derive(Clone, Copy)]
struct Guests<'a> {
    side: &'a HubSpotSide,
    contacts: &'a Shelf,
    /// Name, mail address and the two phones.
    columns: [usize; 5],
}

/// Who met whom.
struct Scene<'a> {
    side: &'a HubSpotSide,
    contact: &'a Record,
    name: String,
    address: String,
    number: String,
    owner: &'a Owner,
    own_number: String,
    topic: &'static str,
}

impl<'a> Guests<'a> {
    fn of(side: &'a HubSpotSide) -> Option<Self> {
        let contacts = side.shelf("contacts")?;
        let columns = contacts.columns(["firstname", "lastname", "email", "mobilephone", "phone"]);
        Some(Self {
            side,
            contacts,
            columns,
        })
    }

    /// A contact that is there, and someone of the team; none where there are no contacts.
    fn scene(&self, chance: &mut Chance) -> Option<Scene<'a>> {
        let records = self.contacts.records();
        let start = chance.below(records.len());
        let later = records.iter().skip(start).chain(records.iter().take(start));
        let contact = later.into_iter().find(|it| it.state == State::Live)?;
        let [first, last, address, mobile, phone] =
            self.columns.map(|column| contact.current.text(column));
        let place = chance.below(self.side.owners.len());
        Some(Scene {
            side: self.side,
            contact,
            name: format!("{first} {last}").trim().to_owned(),
            address: address.trim_start_matches("mailto:").to_owned(),
            number: if mobile.is_empty() { phone } else { mobile },
            owner: self.side.owners.get(place)?,
            own_number: format!("+1 202 555 01{place:02}"),
            topic: topic(chance),
        })
    }
}

impl Scene<'_> {
    /// The contacts (at most so many), the company and the deal that an activity belongs to.
    fn about(&self, chance: &mut Chance, contacts_max: usize) -> [Vec<u64>; 3] {
        let linked = |from: (&str, u64), to: &str| -> Vec<u64> {
            let pairs = self.side.linked(from.0, from.1, to);
            pairs.iter().map(|pair| pair.1).collect()
        };
        let mut companies = linked(("contacts", self.contact.id), "companies");
        companies.truncate(1);
        let mut contacts = vec![self.contact.id];
        let mut deals = Vec::new();
        if let Some(&company) = companies.first() {
            let mut colleagues = linked(("companies", company), "contacts");
            chance.shuffle(&mut colleagues);
            colleagues.truncate(chance.below(contacts_max));
            contacts.append(&mut colleagues);
            let known = linked(("companies", company), "deals");
            if chance.percent(40) {
                deals.extend(known.get(chance.below(known.len())));
            }
        }
        [contacts, companies, deals]
    }
}

fn call(pen: &mut Pen<'_>, scene: &Scene<'_>, chance: &mut Chance, made_ms: i64) {
    let status = match chance.below(20) {
        0..=14 => "COMPLETED",
        15..=17 => "NO_ANSWER",
        18 => "BUSY",
        _ => "FAILED",
    };
    let duration_ms = match status {
        "COMPLETED" => chance.between(8_000, 45 * MINUTE_MS),
        _ => 0,
    };
    let began_ms = made_ms - duration_ms;
    pen.instant("hs_timestamp", push_hubspot_time, began_ms);
    let title = format!("{} with {}", scene.topic, scene.name);
    pen.text("hs_call_title", &title);
    pen.text("hs_call_status", status);
    pen.text("hs_call_duration", &duration_ms.to_string());
    let (direction, from, to) = if chance.percent(40) {
        ("INBOUND", &scene.number, &scene.own_number)
    } else {
        ("OUTBOUND", &scene.own_number, &scene.number)
    };
    pen.text("hs_call_direction", direction);
    pen.text("hs_call_from_number", from);
    pen.text("hs_call_to_number", to);
    if duration_ms > 0 && chance.percent(60) {
        pen.text("hs_call_body", remark(chance));
    }
}

fn email(pen: &mut Pen<'_>, scene: &Scene<'_>, chance: &mut Chance, made_ms: i64) {
    pen.instant("hs_timestamp", push_hubspot_time, made_ms);
    let (ours, theirs) = (scene.owner.email.as_str(), scene.address.as_str());
    let (direction, from, to) = match chance.below(20) {
        0..=10 => ("EMAIL", ours, theirs),
        11..=18 => ("INCOMING_EMAIL", theirs, ours),
        _ => ("FORWARDED_EMAIL", theirs, ours),
    };
    pen.text("hs_email_direction", direction);
    pen.text("hs_email_from_email", from);
    pen.text("hs_email_to_email", to);
    let status = match direction {
        "EMAIL" if chance.percent(5) => "BOUNCED",
        _ => "SENT",
    };
    pen.text("hs_email_status", status);
    let re = chance.pick(&["", "", "Re: ", "AW: "]);
    pen.text("hs_email_subject", &format!("{re}{}", scene.topic));
    let text = remark(chance);
    pen.text("hs_email_text", text);
    if chance.percent(50) {
        pen.text("hs_email_html", &format!("<p>{text}</p>"));
    }
    let headers = json!({"from": {"email": from}, "to": [{"email": to}], "cc": [], "bcc": []});
    pen.text("hs_email_headers", &headers.to_string());
    let host = from
        .split_once('@')
        .map_or("sandbox.example", |(_, host)| host);
    let id = chance.digits("<################@");
    pen.text("hs_email_message_id", &format!("{id}{host}>"));
    pen.text("hs_email_thread_id", &chance.digits("1##########"));
}

fn meeting(
    pen: &mut Pen<'_>,
    scene: &Scene<'_>,
    chance: &mut Chance,
    (made_ms, now_ms): (i64, i64),
) {
    let slot_ms = 30 * MINUTE_MS;
    let planned_ms = made_ms + chance.between(0, 14) * DAY_MS;
    let begins_ms = planned_ms.div_euclid(slot_ms) * slot_ms;
    let ends_ms = begins_ms + chance.between(1, 4) * slot_ms;
    pen.instant("hs_timestamp", push_hubspot_time, begins_ms);
    pen.instant("hs_meeting_start_time", push_hubspot_time, begins_ms);
    pen.instant("hs_meeting_end_time", push_hubspot_time, ends_ms);
    let title = format!("{} / {}", scene.topic, scene.name);
    pen.text("hs_meeting_title", &title);
    let outcome = if ends_ms > now_ms {
        "SCHEDULED"
    } else {
        chance.pick(&["COMPLETED", "COMPLETED", "COMPLETED", "NO_SHOW", "CANCELED"])
    };
    pen.text("hs_meeting_outcome", outcome);
    pen.text(
        "hs_meeting_location",
        chance.pick(&["", "Phone", "At their office"]),
    );
    if outcome == "COMPLETED" {
        pen.text("hs_meeting_body", remark(chance));
    }
}

fn note(pen: &mut Pen<'_>, scene: &Scene<'_>, chance: &mut Chance, made_ms: i64) {
    pen.instant("hs_timestamp", push_hubspot_time, made_ms);
    let text = remark(chance).replace('\n', "<br>");
    let body = format!("<p><strong>{}</strong>: {text}</p>", scene.topic);
    pen.text("hs_note_body", &body);
}

fn task(
    pen: &mut Pen<'_>,
    scene: &Scene<'_>,
    chance: &mut Chance,
    (made_ms, changed_ms): (i64, i64),
) {
    let due_ms = made_ms + chance.between(1, 20) * DAY_MS;
    pen.instant("hs_timestamp", push_hubspot_time, due_ms);
    let kind = chance.pick(&["CALL", "EMAIL", "TODO"]);
    pen.text("hs_task_type", kind);
    pen.text(
        "hs_task_subject",
        &format!("{}: {}", scene.name, scene.topic),
    );
    pen.text(
        "hs_task_priority",
        chance.pick(&["NONE", "LOW", "MEDIUM", "HIGH"]),
    );
    let status = chance.pick(&[
        "COMPLETED",
        "COMPLETED",
        "NOT_STARTED",
        "IN_PROGRESS",
        "WAITING",
    ]);
    pen.text("hs_task_status", status);
    if status == "COMPLETED" {
        pen.instant("hs_task_completion_date", push_hubspot_time, changed_ms);
    }
    if chance.percent(40) {
        pen.text("hs_task_body", remark(chance));
    }
}
