//! Who of ours talked to whom, when, and what became of it.

use serde_json::{Map, Value, json};

use super::Cast;
use super::chance::Chance;
use super::dialpad::Guest;
use super::dialpad_team::Team;
use super::spelling::{bare, phone};
use crate::world::{
    Call, CallDraft, DialpadSide, Text, Transcript, add_voicemail, call_record, merge, spoken,
};

const MINUTE_MS: i64 = 60_000;
/// No call is longer.
const LONGEST_MS: i64 = 6 * 60 * MINUTE_MS;
/// What is shown of a caller who does not want to be known.
const NOBODY: [&str; 3] = ["", "anonymous", "+266696687"];

/// What a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Outbound,
    Unanswered,
    Inbound,
    Missed,
    Voicemail,
    Queued,
    Transferred,
}

/// Fills in so many conversations, and a third as many texts.
pub(super) fn fill(
    side: &mut DialpadSide,
    cast: &Cast,
    chance: &mut Chance,
    (team, guests, count): (&Team, &[Guest], usize),
) {
    for place in 0..count {
        let (Some(guest), Some(user)) = (
            guests.get(chance.below(guests.len())),
            team.users.get(chance.below(team.users.len())),
        ) else {
            return;
        };
        let (created_ms, _) = cast.times(chance, place, count);
        let talk = talk(chance, cast, guest, (user, created_ms));
        match talk.course {
            Course::Queued => queued(side, chance, team, &talk),
            Course::Transferred => transferred(side, chance, team, &talk),
            _ => single(side, chance, &talk),
        }
        if place % 3 == 0 {
            text(side, chance, cast, (guest, user, created_ms));
        }
    }
}

/// One conversation before it is written down.
#[derive(Debug)]
struct Talk {
    course: Course,
    /// Start, answer, end.
    times_ms: (i64, Option<i64>, i64),
    external: String,
    contact: Value,
    user: Value,
    /// Nothing that comes later than a call may come later than this.
    latest_ms: i64,
}

impl Talk {
    fn draft(&self, side: &mut DialpadSide, target: &Value) -> CallDraft {
        let outbound = matches!(self.course, Course::Outbound | Course::Unanswered);
        let internal = target.get("phone").and_then(Value::as_str);
        CallDraft {
            id: side.next_id(),
            direction: if outbound { "outbound" } else { "inbound" },
            times_ms: self.times_ms,
            external: self.external.clone(),
            internal: internal.unwrap_or_default().to_owned(),
            contact: self.contact.clone(),
            target: target.clone(),
        }
    }
}

fn talk(chance: &mut Chance, cast: &Cast, guest: &Guest, (user, at_ms): (&Value, i64)) -> Talk {
    let course = match chance.below(100) {
        0..=27 => Course::Outbound,
        28..=39 => Course::Unanswered,
        40..=62 => Course::Inbound,
        63..=72 => Course::Missed,
        73..=80 => Course::Voicemail,
        81..=92 => Course::Queued,
        _ => Course::Transferred,
    };
    let connected = !matches!(
        course,
        Course::Unanswered | Course::Missed | Course::Voicemail
    );
    let ringing_ms = chance.between(2_000, 28_000);
    let spoken_ms = match chance.below(60) {
        _ if !connected => chance.between(1_000, 40_000),
        0 => LONGEST_MS - ringing_ms - chance.between(0, 3 * 60 * MINUTE_MS),
        1..=30 => chance.between(8_000, 4 * MINUTE_MS),
        _ => chance.between(MINUTE_MS, 50 * MINUTE_MS),
    };
    // All invented calls are over when the world begins.
    let start_ms = at_ms.min(cast.start_ms - ringing_ms - spoken_ms);
    let end_ms = start_ms + ringing_ms + spoken_ms;
    let shared = chance.percent(15);
    let external = match (chance.below(100), shared) {
        (0..=2, _) if course != Course::Outbound => chance.pick(&NOBODY).to_owned(),
        (_, true) => guest.switchboard[0].clone(),
        (_, false) => guest.mobile.clone(),
    };
    Talk {
        course,
        times_ms: (start_ms, connected.then(|| start_ms + ringing_ms), end_ms),
        contact: contact(chance, guest, &external),
        external,
        user: user.clone(),
        latest_ms: cast.start_ms,
    }
}

/// Who is outside, as the phone shows it: a shared contact, or what the network knows.
fn contact(chance: &mut Chance, guest: &Guest, external: &str) -> Value {
    if NOBODY.contains(&external) || chance.percent(4) {
        return json!({});
    }
    let own = external == guest.mobile;
    if let (Some([id, name, email]), true) = (&guest.contact, own || chance.percent(50)) {
        return json!({
            "id": id, "type": "shared", "name": name, "email": email, "phone": external,
        });
    }
    let culture = guest.person.culture();
    let [first, last] = &guest.name;
    let plain = |text: &str| text.chars().map(bare).collect::<String>().to_uppercase();
    let digits = external.strip_prefix('+').unwrap_or(external);
    let digits = digits.strip_prefix(culture.calling_code).unwrap_or(digits);
    let name = match chance.below(10) {
        0..=3 if own => format!("{} {}", plain(last), plain(first)),
        0..=3 => plain(&guest.switchboard[1]),
        4 | 5 if own => "WIRELESS CALLER".to_owned(),
        6 => format!("{}, {}", guest.city, culture.country[2]),
        7 => String::new(),
        _ => phone(chance, culture, digits),
    };
    let id = chance.between(1 << 52, (1 << 52) + (1 << 51));
    let mut record = Map::new();
    let whole = json!({
        "id": id.to_string(),
        "type": "local",
        "name": (!name.is_empty()).then_some(name),
        "email": "",
        "phone": external,
    });
    merge(&mut record, &whole);
    Value::Object(record)
}

/// A conversation that is one record.
fn single(side: &mut DialpadSide, chance: &mut Chance, talk: &Talk) {
    let draft = talk.draft(side, &talk.user);
    let mut record = call_record(&draft);
    match talk.course {
        Course::Voicemail => {
            let (start_ms, _, end_ms) = talk.times_ms;
            add_voicemail(&mut record, draft.id, (end_ms - start_ms) / 2);
        }
        Course::Missed => merge(&mut record, &json!({"state": "missed", "duration": 0.0})),
        Course::Unanswered => merge(&mut record, &json!({"duration": 0.0})),
        _ => {}
    }
    if draft.direction == "outbound" && chance.percent(30) {
        let proxy = json!({"proxy_target": {"type": "office", "phone": draft.internal}});
        merge(&mut record, &proxy);
    }
    put(side, chance, (talk, draft.id), record);
}

/// A conversation through a queue: the queue's record, often the main line's before it, sometimes
/// that of somebody who did not pick up, and the operator's.
fn queued(side: &mut DialpadSide, chance: &mut Chance, team: &Team, talk: &Talk) {
    let (Some(queue), Some(office)) = (
        team.queues.get(chance.below(team.queues.len())),
        team.offices.get(chance.below(team.offices.len())),
    ) else {
        return;
    };
    let main_line = chance.percent(40).then(|| talk.draft(side, office));
    let middle = talk.draft(side, queue);
    let operator = talk.draft(side, &talk.user);
    let entry = main_line.as_ref().map_or(middle.id, |leg| leg.id);
    let entry_target = main_line.as_ref().map_or(queue, |_| office);
    let of_queue = |name: &str| queue.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = match of_queue("type") {
        "department" => "Department",
        _ => "CallCenter",
    };
    let group = format!("{kind}:{}", of_queue("id"));
    let links = |record: &mut Map<String, Value>, master: Option<u64>| {
        let fields = json!({
            "group_id": group,
            "master_call_id": master,
            "entry_point_target": entry_target,
        });
        merge(record, &fields);
    };
    if let Some(draft) = &main_line {
        let mut record = call_record(draft);
        links(&mut record, Some(middle.id));
        merge(&mut record, &json!({"operator_call_id": operator.id}));
        put_silent(side, (talk, draft.id), record);
    }
    let mut record = call_record(&middle);
    links(&mut record, None);
    let to_entry = main_line.is_some().then_some(entry);
    merge(
        &mut record,
        &json!({"operator_call_id": operator.id, "entry_point_call_id": to_entry}),
    );
    put_silent(side, (talk, middle.id), record);
    if chance.percent(30)
        && let Some(other) = team.users.get(chance.below(team.users.len()))
    {
        let draft = talk.draft(side, other);
        let mut record = call_record(&draft);
        links(&mut record, Some(middle.id));
        let fields = json!({
            "entry_point_call_id": entry,
            "date_connected": null,
            "state": "missed",
            "duration": 0.0,
        });
        merge(&mut record, &fields);
        put_silent(side, (talk, draft.id), record);
    }
    let mut record = call_record(&operator);
    links(&mut record, Some(middle.id));
    merge(&mut record, &json!({"entry_point_call_id": entry}));
    put(side, chance, (talk, operator.id), record);
}

/// A conversation that one of us handed on to another: two records, the second from the middle on.
fn transferred(side: &mut DialpadSide, chance: &mut Chance, team: &Team, talk: &Talk) {
    let first = talk.draft(side, &talk.user);
    let (start_ms, connected_ms, end_ms) = talk.times_ms;
    let middle_ms = i64::midpoint(connected_ms.unwrap_or(start_ms), end_ms);
    let mut record = call_record(&CallDraft {
        times_ms: (start_ms, connected_ms, middle_ms),
        ..first.clone()
    });
    merge(&mut record, &json!({"is_transferred": true}));
    put_silent(side, (talk, first.id), record);
    let other = team.users.get(chance.below(team.users.len()));
    let second = CallDraft {
        times_ms: (middle_ms, Some((middle_ms + 1_500).min(end_ms)), end_ms),
        ..talk.draft(side, other.unwrap_or(&talk.user))
    };
    let mut record = call_record(&second);
    merge(&mut record, &json!({"master_call_id": first.id}));
    put(side, chance, (talk, second.id), record);
}

/// Puts a record of a person who may have talked, with what comes after a call.
fn put(
    side: &mut DialpadSide,
    chance: &mut Chance,
    (talk, id): (&Talk, u64),
    mut record: Map<String, Value>,
) {
    let Some(connected_ms) = record.get("date_connected").and_then(Value::as_i64) else {
        return put_silent(side, (talk, id), record);
    };
    let ended_ms = talk.times_ms.2;
    if chance.percent(25) {
        let recording = json!([{
            "id": (id / 3).to_string(),
            "recording_type": chance.pick(&["callrecording", "admincallrecording"]),
            "duration": ended_ms - connected_ms,
            "start_time": connected_ms,
            "url": format!("https://recordings.sandbox.example/call/{id}"),
        }]);
        merge(
            &mut record,
            &json!({"was_recorded": true, "recording_details": recording}),
        );
    }
    if chance.percent(15) {
        merge(
            &mut record,
            &json!({"labels": [chance.pick(&["hot", "follow-up", "billing"])]}),
        );
    }
    if chance.percent(70) {
        let score = f64::from(u32::try_from(chance.between(270, 450)).unwrap_or(400)) / 100.0;
        merge(&mut record, &json!({"mos_score": score}));
    }
    // Some lengths come with fractions of a millisecond.
    if chance.percent(20) {
        let whole = record
            .get("duration")
            .and_then(Value::as_f64)
            .unwrap_or(0.0);
        merge(&mut record, &json!({"duration": whole + 0.25}));
    }
    let transcript = chance.percent(50).then(|| Transcript {
        available_ms: (ended_ms + chance.between(30_000, 20 * 60 * MINUTE_MS)).min(talk.latest_ms),
        lines: spoken(&record, connected_ms),
    });
    let recap = transcript.as_ref().filter(|_| chance.percent(60));
    let recap = recap.map(|_| "They talked about the offer and will start next month.".to_owned());
    put_whole(side, id, record, (transcript, recap));
}

fn put_silent(side: &mut DialpadSide, (_, id): (&Talk, u64), record: Map<String, Value>) {
    put_whole(side, id, record, (None, None));
}

fn put_whole(
    side: &mut DialpadSide,
    id: u64,
    record: Map<String, Value>,
    (transcript, recap): (Option<Transcript>, Option<String>),
) {
    let time = |name: &str| record.get(name).and_then(Value::as_i64).unwrap_or(0);
    side.put_call(Call {
        id,
        started_ms: time("date_started"),
        ended_ms: time("date_ended"),
        record,
        transcript,
        recap,
        deleted: false,
        raw: None,
    });
}

fn text(
    side: &mut DialpadSide,
    chance: &mut Chance,
    cast: &Cast,
    (guest, user, at_ms): (&Guest, &Value, i64),
) {
    let own = user
        .get("phone")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let user_id = user.get("id").and_then(Value::as_str);
    let user_id = user_id.and_then(|id| id.parse::<u64>().ok());
    let sent = chance.percent(55);
    let mut to = guest.mobile.clone();
    if sent && chance.percent(5) {
        to = format!("{to},{}", guest.switchboard[0]);
    }
    let (from, to) = if sent {
        (own.to_owned(), to)
    } else {
        (guest.mobile.clone(), own.to_owned())
    };
    let mut record = Map::new();
    let whole = json!({
        "message_id": side.next_id(),
        "direction": if sent { "outbound" } else { "inbound" },
        "from_phone": from,
        "to_phone": to,
        "target_id": user_id,
        "target_type": "user",
        "sender_id": user_id.filter(|_| sent),
        "mms": chance.percent(5).then_some("https://recordings.sandbox.example/mms.jpg"),
    });
    merge(&mut record, &whole);
    let at_ms = (at_ms + chance.between(0, 60 * MINUTE_MS)).min(cast.start_ms);
    side.texts.push(Text { at_ms, record });
}
