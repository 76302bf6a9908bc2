//! Our own company at Dialpad: its people, offices, departments, call centers and numbers.

use serde_json::{Map, Value, json};

use super::Cast;
use super::chance::Chance;
use super::hubspot::{FIRST_OWNER, OWNERS};
use crate::store::DAY_MS;
use crate::world::{DialpadSide, merge, user_time};

/// One of our offices.
#[derive(Debug)]
struct Office {
    name: &'static str,
    country: &'static str,
    timezone: &'static str,
    city: &'static str,
    /// The first digits of its numbers.
    digits: &'static str,
    /// Its department and its call center.
    groups: [(&'static str, &'static str); 2],
}

static OFFICES: [Office; 2] = [
    Office {
        name: "Sandbox Headquarters",
        country: "us",
        timezone: "US/Pacific",
        city: "San Francisco",
        digits: "+1415555",
        groups: [("departments", "Sales"), ("callcenters", "Inbound Sales")],
    },
    Office {
        name: "Sandbox London",
        country: "gb",
        timezone: "Europe/London",
        city: "London",
        digits: "+44207946",
        groups: [("departments", "Support"), ("callcenters", "Customer Care")],
    },
];

/// Who and what of ours takes part in calls, as calls name them.
#[derive(Debug)]
pub(super) struct Team {
    /// Those who make and take calls.
    pub(super) users: Vec<Value>,
    /// The queues: two departments and two call centers.
    pub(super) queues: Vec<Value>,
    /// The offices' main lines.
    pub(super) offices: Vec<Value>,
}

/// Makes our own company.
pub(super) fn fill(side: &mut DialpadSide, cast: &Cast, chance: &mut Chance) -> Team {
    let (mut offices, mut queues, mut office_ids) = (Vec::new(), Vec::new(), Vec::new());
    for (place, office) in OFFICES.iter().enumerate() {
        let id = side.next_id();
        let number = number(office, 100);
        side.put(
            "offices",
            &id.to_string(),
            office_json(id, office, &number, place),
            0,
        );
        assign(side, &number, (id, id, "office"));
        offices.push(target(id, "office", office.name, &number));
        office_ids.push(id);
        for (group_name, last) in office.groups.into_iter().zip([110, 120]) {
            queues.push(group(side, group_name, (id, office), last));
        }
    }
    let users = users(side, cast, chance, &office_ids);
    for (last, status) in [(190, "available"), (191, "porting")] {
        let free = number(&OFFICES[0], last);
        let record = json!({
            "area_code": "415",
            "company_id": side.company_id,
            "number": free,
            "status": status,
            "type": "local",
        });
        side.put("numbers", &free, record, 0);
    }
    Team {
        users,
        queues,
        offices,
    }
}

/// The same people as HubSpot's owners and Salesforce's users, with both mail addresses.
fn users(side: &mut DialpadSide, cast: &Cast, chance: &mut Chance, offices: &[u64]) -> Vec<Value> {
    let mut targets = Vec::new();
    let people: Vec<_> = cast.people.iter().rev().take(OWNERS).collect();
    for ((place, person), owner) in people.iter().enumerate().zip((FIRST_OWNER..).step_by(7)) {
        let id = side.next_id();
        let at = place % offices.len().max(1);
        let (Some(office_id), Some(office)) = (offices.get(at), OFFICES.get(at)) else {
            continue;
        };
        let (first, last) = (person.given().0, person.family());
        let name = format!("{first} {last}");
        let number = number(office, 130 + place);
        let state = match place {
            5.. if owner % 5 == 0 => "deleted",
            _ if owner % 5 == 0 => "suspended",
            10 => "pending",
            _ => "active",
        };
        let added_ms = cast.start_ms - 800 * DAY_MS + chance.between(0, 3_600_000);
        let active = (state != "pending").then(|| user_time(added_ms + DAY_MS / 2));
        let email = format!("owner.{owner}@sandbox.example");
        let details = json!([{
            "group_id": office_id,
            "group_type": "office",
            "role": if place == 0 { "admin" } else { "operator" },
            "do_not_disturb": false,
        }]);
        let admin_of: Vec<u64> = [*office_id].into_iter().filter(|_| place == 0).collect();
        let record = json!({
            "id": id,
            "company_id": side.company_id,
            "office_id": office_id,
            "admin_office_ids": admin_of,
            "state": state,
            "first_name": first,
            "last_name": last,
            "display_name": name,
            "emails": [email, format!("user.{place}@sandbox.example")],
            "phone_numbers": [number],
            "date_added": user_time(added_ms),
            "date_active": active,
            "date_first_login": active,
            "country": office.country,
            "timezone": office.timezone,
            "language": "en",
            "license": "talk",
            "job_title": chance.pick(&["Account Executive", "Sales Manager", "Support"]),
            "is_admin": place == 0,
            "is_super_admin": place == 0,
            "is_available": true,
            "is_on_duty": false,
            "is_online": false,
            "do_not_disturb": false,
            "muted": false,
            "international_dialing_enabled": true,
            "forwarding_numbers": [],
            "group_details": details,
        });
        put(side, ("users", &id.to_string()), &record);
        assign(side, &number, (*office_id, id, "user"));
        if state != "pending" {
            let mut whole = target(id, "user", &name, &number);
            if let Some(map) = whole.as_object_mut() {
                merge(map, &json!({"email": email}));
            }
            targets.push(whole);
        }
    }
    targets
}

/// A department or call center.
fn group(
    side: &mut DialpadSide,
    (kind, name): (&str, &str),
    (office_id, office): (u64, &Office),
    last: usize,
) -> Value {
    let id = side.next_id();
    let number = number(office, last);
    let (singular, queue) = if kind == "departments" {
        (
            "department",
            json!({"max_hold_count": 50, "max_hold_seconds": 900}),
        )
    } else {
        (
            "callcenter",
            json!({
                "announce_position": true,
                "announcement_interval_seconds": 120,
                "max_hold_count": 50,
                "max_hold_seconds": 900,
                "queue_callback_dtmf": "9",
                "queue_callback_threshold": 5,
                "queue_escape_dtmf": "*",
            }),
        )
    };
    let mut record = place_json(id, (name, office), &number);
    let more = json!({
        "office_id": office_id,
        "hours_on": false,
        "hold_queue": queue,
        "voice_intelligence": {"allow_pause": true, "auto_start": true},
    });
    merge(&mut record, &more);
    if kind == "callcenters" {
        let more = json!({
            "alerts": {"cc_service_level": 95, "cc_service_level_seconds": 60},
            "advanced_settings": {
                "auto_call_recording": {
                    "call_recording_inbound": true,
                    "call_recording_outbound": false,
                },
                "max_wrap_up_seconds": 0,
            },
        });
        merge(&mut record, &more);
    } else {
        merge(&mut record, &json!({"auto_call_recording": false}));
    }
    side.put(kind, &id.to_string(), Value::Object(record), 0);
    assign(side, &number, (office_id, id, singular));
    target(id, singular, name, &number)
}

fn office_json(id: u64, office: &Office, number: &str, place: usize) -> Value {
    let mut record = place_json(id, (office.name, office), number);
    let more = json!({
        "office_id": id,
        "is_primary_office": place == 0,
        "e911_address": {
            "address": "1 Market Street",
            "city": office.city,
            "country": office.country,
            "zip": "94105",
        },
        "office_settings": {
            "allow_device_guest_login": false,
            "bridged_target_recording_allowed": true,
        },
    });
    merge(&mut record, &more);
    Value::Object(record)
}

/// What offices, departments and call centers have in common.
fn place_json(id: u64, (name, office): (&str, &Office), number: &str) -> Map<String, Value> {
    let hours = json!(["08:00", "18:00"]);
    let dtmf = json!([
        {"input": "0", "options": {"action": "operator"}},
        {"input": "1", "options": {"action": "directory"}},
    ]);
    let routing = |action: &str, dial: bool| {
        json!({
            "action": action,
            "dtmf": dtmf,
            "operator_routing": "simultaneous",
            "try_dial_operators": dial,
        })
    };
    let record = json!({
        "id": id,
        "name": name,
        "state": "active",
        "availability_status": "open",
        "country": office.country,
        "timezone": office.timezone,
        "first_action": "operators",
        "no_operators_action": "voicemail",
        "ring_seconds": 30,
        "phone_numbers": [number],
        "routing_options": {
            "open": routing("department", true),
            "closed": routing("voicemail", false),
        },
        "monday_hours": hours,
        "tuesday_hours": hours,
        "wednesday_hours": hours,
        "thursday_hours": hours,
        "friday_hours": hours,
    });
    let mut map = Map::new();
    merge(&mut map, &record);
    map
}

/// Gives a number of ours to an office, a group or a user: the office's id, its own, its type.
fn assign(side: &mut DialpadSide, number: &str, (office, id, kind): (u64, u64, &str)) {
    let record = json!({
        "area_code": if number.starts_with("+1") { "415" } else { "20" },
        "company_id": side.company_id,
        "number": number,
        "office_id": office,
        "status": if kind == "callcenter" { "call_center" } else { kind },
        "target_id": id,
        "target_type": kind,
        "type": "local",
    });
    side.put("numbers", number, record, 0);
}

fn put(side: &mut DialpadSide, (kind, id): (&str, &str), record: &Value) {
    let mut map = Map::new();
    merge(&mut map, record);
    side.put(kind, id, Value::Object(map), 0);
}

/// How a call names one of ours.
fn target(id: u64, kind: &str, name: &str, number: &str) -> Value {
    json!({"id": id.to_string(), "type": kind, "name": name, "email": "", "phone": number})
}

/// A number that is kept for inventions.
fn number(office: &Office, last: usize) -> String {
    format!("{}{last:04}", office.digits)
}
