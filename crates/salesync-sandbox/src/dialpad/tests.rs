//! What Dialpad's side of the sandbox promises.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::server::{Answer, Asked};
use crate::{
    DIALPAD_API_KEY, DIALPAD_CLIENT_ID, DIALPAD_CLIENT_SECRET, DIALPAD_REFRESH_TOKEN, Fault,
    Limits, Pace, Sandbox, SandboxConfig, Vendor, World,
};

const HOUR: Duration = Duration::from_secs(3_600);

fn world(calls: usize) -> World {
    World::invent(&SandboxConfig {
        calls: Some(calls),
        ..SandboxConfig::default()
    })
}

fn limited() -> World {
    World::invent(&SandboxConfig {
        calls: Some(20),
        limits: Limits::Vendor,
        ..SandboxConfig::default()
    })
}

fn ask(world: &World, call: (&str, &str), body: &str, authorisation: &str) -> Answer {
    let (path, query) = call.1.split_once('?').unwrap_or((call.1, ""));
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::try_from(authorisation).unwrap(),
    );
    let mut asked = Asked::new(call.0, (path, query), headers, body.to_owned());
    asked.origin = "http://127.0.0.1:1".to_owned();
    assert_eq!(asked.vendor(), Vendor::Dialpad);
    super::answer(world, &asked)
}

fn get(world: &World, path: &str) -> Answer {
    let authorisation = format!("Bearer {DIALPAD_API_KEY}");
    ask(
        world,
        ("GET", &format!("/api/v2/{path}")),
        "",
        &authorisation,
    )
}

fn post(world: &World, path: &str, body: &Value) -> Answer {
    let authorisation = format!("Bearer {DIALPAD_API_KEY}");
    ask(world, ("POST", path), &body.to_string(), &authorisation)
}

fn read(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}", answer.body))
}

/// All pages of a list.
fn pages(world: &World, path: &str) -> Vec<Value> {
    let sign = if path.contains('?') { '&' } else { '?' };
    let (mut pages, mut next) = (Vec::new(), path.to_owned());
    loop {
        let answer = get(world, &next);
        assert_eq!(answer.status, 200, "{next}: {}", answer.body);
        let page = read(&answer);
        let cursor = page["cursor"].as_str().map(str::to_owned);
        pages.push(page);
        match cursor {
            Some(cursor) => next = format!("{path}{sign}cursor={cursor}"),
            None => return pages,
        }
    }
}

fn items(world: &World, path: &str) -> Vec<Value> {
    let pages = pages(world, path);
    let lists = pages.iter().filter_map(|page| page["items"].as_array());
    lists.flatten().cloned().collect()
}

/// An id or another int64, whichever way it is written.
fn whole(value: &Value) -> i64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_i64().unwrap(),
    }
}

/// A record in the spelling of the truth.
fn unspelled(served: &Value, truth: &Value) -> Value {
    match (served, truth) {
        (Value::String(text), Value::Number(number)) if number.is_f64() => {
            json!(text.parse::<f64>().unwrap())
        }
        (served, Value::Number(number)) if number.is_f64() => json!(served.as_f64().unwrap()),
        (served, Value::Number(_)) => json!(whole(served)),
        (Value::Object(map), truth) => map
            .iter()
            .map(|(name, value)| (name.clone(), unspelled(value, &truth[name])))
            .collect(),
        (Value::Array(list), truth) => list
            .iter()
            .enumerate()
            .map(|(at, value)| unspelled(value, &truth[at]))
            .collect(),
        (served, _) => served.clone(),
    }
}

fn call_ids(world: &World, query: &str) -> Vec<String> {
    items(world, &format!("call?{query}"))
        .iter()
        .map(|call| whole(&call["call_id"]).to_string())
        .collect()
}

#[test]
fn the_list_gives_every_concluded_call_once_and_newest_first() {
    let world = world(900);
    let pages = pages(&world, "call");
    assert!(pages.iter().any(|page| page.get("items").is_none()));
    assert!(pages.iter().any(|page| page["items"] == json!([])));
    let truth = world.dialpad_calls();
    let known: BTreeMap<String, &Value> = truth
        .iter()
        .map(|call| (call["call_id"].as_str().unwrap().to_owned(), call))
        .collect();
    let served: Vec<&Value> = pages
        .iter()
        .filter_map(|page| page["items"].as_array())
        .flatten()
        .collect();
    let starts: Vec<i64> = served
        .iter()
        .map(|call| whole(&call["date_started"]))
        .collect();
    assert!(starts.is_sorted_by(|one, next| one >= next));
    assert_eq!(served.len(), truth.len());
    for call in &served {
        let truth = &known[&whole(&call["call_id"]).to_string()]["record"];
        assert_eq!(&unspelled(call, truth), truth);
    }
    let all = |name: &str, is: fn(&Value) -> bool| served.iter().any(|call| is(&call[name]));
    for name in ["call_id", "date_started", "master_call_id"] {
        assert!(
            all(name, Value::is_string) && all(name, Value::is_i64),
            "{name}"
        );
    }
    assert!(all("duration", Value::is_string) && all("duration", Value::is_f64));
    assert!(all("duration", Value::is_i64));
    assert!(all("contact", |contact| contact == &json!({})));
    assert!(all("external_number", |number| number == "anonymous"));
    // Every call in the truth is a conversation's, of which there are as many as were asked for.
    let conversations: BTreeSet<&str> = truth
        .iter()
        .map(|call| call["conversation"].as_str().unwrap())
        .collect();
    assert_eq!(conversations.len(), 900);
    let longest = truth
        .iter()
        .map(|call| call["ended_ms"].as_i64().unwrap() - call["started_ms"].as_i64().unwrap());
    assert!((4 * 3_600_000..=6 * 3_600_000).contains(&longest.max().unwrap()));
}

#[test]
fn both_bounds_are_exclusive() {
    let world = world(0);
    let at_ms = world.now_ms() - 3_600_000;
    let ids: Vec<String> = (0..3)
        .map(|step| world.dialpad_call(&json!({"start": at_ms + step, "duration": 1_000})))
        .collect();
    let (low, high) = (at_ms, at_ms + 2);
    for (query, expected) in [
        (format!("started_after={low}&started_before={high}"), 1..2),
        (format!("started_after={low}"), 1..3),
        (format!("started_before={high}"), 0..2),
        (
            format!("started_after={}&started_before={}", low - 1, high + 1),
            0..3,
        ),
    ] {
        let mut found = call_ids(&world, &query);
        found.reverse();
        assert_eq!(found, ids[expected], "{query}");
    }
    assert_eq!(get(&world, "call?started_after=yesterday").status, 400);
}

#[test]
fn a_call_appears_when_it_ends_with_its_older_start() {
    let world = world(0);
    let start_ms = world.now_ms();
    let long = world.dialpad_call(&json!({"duration": 6 * 3_600_000}));
    let short = world.dialpad_call(&json!({"start": start_ms + 3_600_000, "duration": 60_000}));
    assert_eq!(call_ids(&world, ""), Vec::<String>::new());
    assert_eq!(
        read(&get(&world, &format!("call/{long}")))["state"],
        "ringing"
    );
    assert_eq!(get(&world, &format!("call/{short}")).status, 404);
    world.advance(2 * HOUR);
    assert_eq!(call_ids(&world, ""), [short.as_str()]);
    let going_on = read(&get(&world, &format!("call/{long}")));
    assert_eq!(going_on["state"], "connected");
    assert!(going_on.get("date_ended").is_none());
    world.advance(4 * HOUR);
    assert_eq!(call_ids(&world, ""), [short.as_str(), long.as_str()]);
    let queued = world.dialpad_call(&json!({"queue": true, "start": start_ms, "duration": 9_000}));
    let legs: Vec<Value> = world
        .dialpad_calls()
        .into_iter()
        .filter(|call| call["conversation"] == queued.as_str())
        .collect();
    let types: BTreeSet<&str> = legs
        .iter()
        .map(|leg| leg["record"]["target"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, BTreeSet::from(["callcenter", "user"]));

    let fields = json!({"labels": ["late"], "recap": "Short.", "state": null});
    assert!(world.dialpad_update_call(&long, &fields));
    let changed = read(&get(&world, &format!("call/{long}")));
    assert_eq!(
        (&changed["labels"], changed.get("state")),
        (&json!(["late"]), None)
    );
    let recap = read(&get(&world, &format!("call/{long}/ai_recap")));
    assert_eq!(recap["summary"]["content"], "Short.");
    assert!(world.dialpad_delete_call(&short) && !world.dialpad_delete_call(&short));
    assert!(!call_ids(&world, "").contains(&short));
}

#[test]
fn a_cursor_is_bound_to_its_list_and_can_die() {
    let world = world(300);
    let cursor = read(&get(&world, "call"))["cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    let status = |path: &str| get(&world, &format!("{path}cursor={cursor}")).status;
    assert_eq!(status("call?"), 200);
    for path in [
        "contacts?",
        "call?started_after=5&",
        "call?target_type=user&",
    ] {
        assert_eq!(status(path), 400, "{path}");
    }
    assert_eq!(get(&world, "call?cursor=nonsense").status, 400);
    world.dialpad_kill_cursors();
    assert_eq!(status("call?"), 400);
}

#[test]
fn a_transcript_comes_later_and_may_be_refused_once() {
    let world = world(200);
    let call = world.dialpad_call(&json!({"duration": 60_000, "transcript_after": 600_000}));
    let status = || get(&world, &format!("transcripts/{call}")).status;
    assert_eq!(status(), 404);
    world.advance(Duration::from_secs(659));
    assert_eq!(status(), 404);
    world.advance(Duration::from_secs(1));
    let transcript = read(&get(&world, &format!("transcripts/{call}")));
    assert_eq!(whole(&transcript["call_id"]).to_string(), call);
    let line = &transcript["lines"][0];
    assert!(!line["time"].as_str().unwrap().ends_with('Z'));
    assert!(line.get("user_id").is_some() && line.get("contact_id").is_none());
    assert!(world.dialpad_transcript_available_at(&call, world.now() + TimeDelta::hours(1)));
    assert_eq!(status(), 404);

    world.dialpad_refuse_transcripts(90);
    let (mut refused, mut served) = (0, 0);
    for truth in world.dialpad_transcripts() {
        let path = format!("transcripts/{}", truth["call_id"].as_str().unwrap());
        if truth["available_ms"].as_i64().unwrap() > world.now_ms() {
            continue;
        }
        refused += u32::from(get(&world, &path).status == 404);
        served += u32::from(get(&world, &path).status == 200);
    }
    assert!(
        served > 40 && refused * 100 / served >= 80 && refused < served,
        "{refused} {served}"
    );
}

fn pace(world: &World, limit: &str) -> Pace {
    let paces = world.paces().into_iter();
    paces
        .filter(|pace| pace.vendor == "dialpad")
        .find(|pace| pace.limit == limit)
        .unwrap()
}

#[test]
fn limits_slide_and_what_is_too_much_is_refused_and_counted() {
    let world = limited();
    let statuses = |path: &str, times: usize| {
        let mut seen = BTreeMap::new();
        for _ in 0..times {
            *seen.entry(get(&world, path).status).or_insert(0) += 1;
        }
        seen
    };
    let seen = statuses("users", 22);
    assert_eq!(seen, BTreeMap::from([(200, 20), (429, 2)]));
    let announcing = get(&world, "users");
    assert_eq!(
        announcing.headers.last().unwrap(),
        &("retry-after", "1".to_owned())
    );
    let used = pace(&world, "api");
    assert_eq!(
        (used.permitted, used.admitted, used.over_limit),
        (Some(1_200), 20, 3)
    );
    world.advance(Duration::from_secs(1));
    assert_eq!(get(&world, "users").status, 200);

    let call = world.dialpad_calls()[0]["call_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let seen = statuses(&format!("call/{call}"), 12);
    assert_eq!(seen, BTreeMap::from([(200, 10), (429, 2)]));
    let used = pace(&world, "call");
    assert_eq!((used.admitted, used.over_limit), (10, 2));
    assert_eq!(get(&world, "users").status, 200);
    world.advance(Duration::from_secs(60));
    assert_eq!(get(&world, &format!("call/{call}")).status, 200);
    let export = json!({"stat_type": "texts", "export_type": "records"});
    let mut taken = 0;
    for _ in 0..210 {
        world.advance(Duration::from_millis(100));
        taken += u32::from(post(&world, "/api/v2/stats", &export).status == 200);
    }
    assert_eq!(taken, 200);
}

#[test]
fn the_key_stands_in_the_header_and_refresh_tokens_rotate() {
    let world = world(1);
    let users = ("GET", "/api/v2/users");
    let with_key = ("GET", "/api/v2/users?apikey=sandbox-dialpad-api-key");
    let bearer = format!("Bearer {DIALPAD_API_KEY}");
    assert_eq!(ask(&world, users, "", &bearer).status, 200);
    assert_eq!(ask(&world, with_key, "", &bearer).status, 401);
    assert_eq!(ask(&world, users, "", "Bearer other").status, 401);

    let token = ("POST", "/oauth2/token");
    let body = json!({
        "grant_type": "refresh_token", "refresh_token": DIALPAD_REFRESH_TOKEN,
        "client_id": DIALPAD_CLIENT_ID, "client_secret": DIALPAD_CLIENT_SECRET,
    })
    .to_string();
    let granted = read(&ask(&world, token, &body, ""));
    assert_eq!(granted["expires_in"], 1_800);
    assert_eq!(
        ask(&world, token, &body, "").status,
        400,
        "the old one is dead"
    );
    let basic = STANDARD.encode(format!("{DIALPAD_CLIENT_ID}:{DIALPAD_CLIENT_SECRET}"));
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        granted["refresh_token"].as_str().unwrap()
    );
    assert_eq!(ask(&world, token, &form, "").status, 401);
    let next = read(&ask(&world, token, &form, &format!("Basic {basic}")));
    assert_ne!(next["refresh_token"], granted["refresh_token"]);
    let access = format!("Bearer {}", next["access_token"].as_str().unwrap());
    assert_eq!(ask(&world, users, "", &access).status, 200);
    world.advance(Duration::from_secs(1_800));
    assert_eq!(ask(&world, users, "", &access).status, 401);
}

/// The lines of an export, without the header.
fn export(world: &World, body: &Value) -> Vec<String> {
    let answer = post(world, "/api/v2/stats", body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = read(&answer)["request_id"].as_str().unwrap().to_owned();
    let url = loop {
        let progress = read(&get(world, &format!("stats/{id}")));
        match progress["status"].as_str().unwrap() {
            "processing" => assert!(progress.get("download_url").is_none()),
            "complete" => break progress["download_url"].as_str().unwrap().to_owned(),
            other => return vec![other.to_owned()],
        }
    };
    let path = url.strip_prefix("http://127.0.0.1:1").unwrap();
    let file = ask(world, ("GET", path), "", "").body;
    assert!(file.starts_with("\u{feff}\""));
    file.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn an_export_is_processed_and_then_holds_the_records_of_whole_local_days() {
    let world = world(120);
    let body = |kind: &str, start: i64, end: i64, zone: &str| {
        json!({
            "stat_type": kind, "export_type": "records", "days_ago_start": start,
            "days_ago_end": end, "timezone": zone,
        })
    };
    let all = |kind: &str| export(&world, &body(kind, 900, 0, "UTC"));
    assert_eq!(all("calls").len(), world.dialpad_calls().len());
    assert_eq!(all("texts").len(), world.dialpad_texts().len());
    assert_eq!(all("voicemails").len(), world.dialpad_voicemails().len());
    assert!(!all("recordings").is_empty() && all("onduty").is_empty());

    // Seven in the morning in UTC is still the day before in San Francisco.
    let today = world.now().date_naive();
    let morning = today.and_hms_opt(6, 30, 0).unwrap().and_utc() - TimeDelta::days(10);
    let text = world.dialpad_text(&json!({"date": morning.timestamp_millis()}));
    let has = |days: i64, zone: &str| {
        let lines = export(&world, &body("texts", days, days, zone));
        lines.into_iter().find(|line| line.contains(&text))
    };
    let there = has(10, "UTC").unwrap();
    assert!(there.contains(&morning.format("%Y-%m-%d 06:30:00.000000").to_string()));
    assert!(has(11, "UTC").is_none());
    let late = world
        .now()
        .with_timezone(&chrono_tz::US::Pacific)
        .date_naive();
    let ago = (late - morning.with_timezone(&chrono_tz::US::Pacific).date_naive()).num_days();
    assert!(has(ago, "US/Pacific").unwrap().contains("\"US/Pacific\""));

    let voicemail = world.dialpad_call(&json!({"voicemail": true, "duration": 1_000}));
    assert!(
        !all("voicemails").concat().contains(&voicemail),
        "not yet concluded"
    );
    world.advance(Duration::from_secs(1));
    assert!(all("voicemails").concat().contains(&voicemail));
    world.dialpad_fail_exports(1);
    assert_eq!(all("texts"), ["failed"]);
    for wrong in [
        body("faxes", 1, 1, "UTC"),
        body("texts", -1, 1, "UTC"),
        body("texts", 1, 1, "Nowhere/City"),
        body("csat", 1, 1, "UTC"),
    ] {
        assert_eq!(post(&world, "/api/v2/stats", &wrong).status, 400, "{wrong}");
    }
    let target = world.dialpad_users()[0]["id"].clone();
    let mut own = body("calls", 900, 0, "UTC");
    own["target_id"] = target.clone();
    own["target_type"] = json!("user");
    let of_target = world
        .dialpad_calls()
        .into_iter()
        .filter(|call| call["record"]["target"]["id"] == target)
        .count();
    // The voicemail may be this user's, and is concluded by now.
    assert_eq!(export(&world, &own).len(), of_target);
}

#[test]
fn users_come_by_state_in_pages_of_a_hundred() {
    let world = world(1);
    for number in 0..210 {
        world.dialpad_user_create(&json!({"first_name": format!("Extra {number}")}));
    }
    let count = |query: &str| items(&world, &format!("users?{query}")).len();
    let all = world.dialpad_users();
    assert_eq!((count("state=all"), all.len()), (222, 222));
    let mut sum = 0;
    for state in ["active", "suspended", "deleted", "pending", "cancelled"] {
        sum += count(&format!("state={state}"));
    }
    assert_eq!((sum, count("")), (222, count("state=active")));
    assert_eq!(
        (
            count("state=deleted"),
            count("email=user.0@sandbox.example")
        ),
        (1, 1)
    );
    let id = all[0]["id"].as_str().unwrap();
    assert!(world.dialpad_user_state(id, "deleted"));
    assert!(!world.dialpad_user_state(id, "asleep"));
    assert_eq!(count("state=deleted"), 2);
    let statuses: Vec<u16> = (0..10)
        .map(|_| get(&world, "users?limit=500").status)
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 2);
    assert_eq!(get(&world, "users?state=all&limit=0").status, 400);
    let owners: BTreeSet<String> = all
        .iter()
        .filter_map(|user| user["record"]["emails"][0].as_str().map(str::to_owned))
        .collect();
    let hubspot: BTreeSet<String> = world
        .hubspot()
        .owners
        .iter()
        .map(|it| it.email.clone())
        .collect();
    assert_eq!(owners, hubspot);
}

#[test]
fn contacts_and_places_are_listed_as_they_are() {
    let world = world(300);
    let truth = world.dialpad_contacts();
    let shared = truth
        .iter()
        .filter(|one| one["record"]["type"] == "shared")
        .count();
    assert!(shared > 50 && shared < truth.len());
    assert_eq!(items(&world, "contacts").len(), shared);
    assert_eq!(
        items(&world, "contacts?include_local=true").len(),
        truth.len()
    );
    let id = world.dialpad_contact_create(&json!({"first_name": "Ada", "phones": ["+1"]}));
    assert!(world.dialpad_contact_update(&id, &json!({"last_name": "New", "phones": null})));
    let contact = read(&get(&world, &format!("contacts/{id}")));
    assert_eq!(
        contact,
        json!({"id": id, "type": "shared", "first_name": "Ada", "last_name": "New"})
    );
    assert!(world.dialpad_contact_delete(&id) && !world.dialpad_contact_delete(&id));
    assert_eq!(get(&world, &format!("contacts/{id}")).status, 404);
    assert_eq!(items(&world, "contacts").len(), shared);
    let offices = world.dialpad_offices();
    assert_eq!(items(&world, "offices").len(), offices.len());
    assert_eq!(
        items(&world, "departments").len(),
        world.dialpad_departments().len()
    );
    assert_eq!(
        items(&world, "callcenters").len(),
        world.dialpad_callcenters().len()
    );
    assert_eq!(
        items(&world, "numbers").len(),
        world.dialpad_numbers().len()
    );
    let office = offices[0]["id"].as_str().unwrap();
    for kind in ["departments", "callcenters"] {
        let groups = items(&world, &format!("offices/{office}/{kind}"));
        assert_eq!(groups.len(), 1);
        assert_eq!(whole(&groups[0]["office_id"]).to_string(), office);
        assert_eq!(get(&world, &format!("offices/1/{kind}")).status, 404);
    }
}

#[test]
fn the_truth_names_people_by_contact_and_by_numbers_that_are_theirs_alone() {
    let (one, other) = (world(400), world(400));
    assert_eq!(one.truth(), other.truth());
    let ids = |world: &World| {
        let calls = world.dialpad_calls();
        calls
            .into_iter()
            .map(|call| call["call_id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&one), ids(&other));
    let truth = one.truth();
    let known: BTreeSet<&str> = truth
        .iter()
        .filter(|row| row.0 != "dialpad")
        .map(|row| row.3.as_str())
        .collect();
    for stream in ["contacts", "calls"] {
        let rows: Vec<_> = truth
            .iter()
            .filter(|row| row.0 == "dialpad" && row.1 == stream)
            .collect();
        assert!(rows.len() > 20, "{stream}");
        let keys: BTreeSet<&str> = rows.iter().map(|row| row.2.as_str()).collect();
        assert_eq!(keys.len(), rows.len());
        assert!(
            rows.iter()
                .filter(|row| known.contains(row.3.as_str()))
                .count()
                * 2
                > rows.len()
        );
    }
    let empty = World::invent(&SandboxConfig {
        records: 0,
        calls: Some(50),
        ..SandboxConfig::default()
    });
    assert!(empty.dialpad_calls().is_empty() && empty.dialpad_users().is_empty());
    empty.dialpad_call(&json!({"queue": true, "start": 1_000, "duration": 5}));
    assert_eq!(call_ids(&empty, "").len(), 2);
}

#[tokio::test]
async fn over_a_socket_faults_happen_and_hooks_are_told() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let world = sandbox.world().clone();
    let authority = sandbox.url().replace("http://", "");
    let get = |path: &str| {
        let mut socket = std::net::TcpStream::connect(&authority).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {DIALPAD_API_KEY}\r\n\
             Connection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap_or_default();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let truth = world.dialpad_calls();
    let newest = truth.last().unwrap()["call_id"].as_str().unwrap();
    assert!(world.put_raw(Vendor::Dialpad, "calls", newest, "{\"poison\": 1}"));
    world.hide_field(Vendor::Dialpad, "calls", "labels");
    let served = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&served);
    world.on_page(move |world, page| {
        world.dialpad_call(&json!({}));
        seen.lock()
            .unwrap()
            .push((page.object.clone(), page.ids.len()));
    });
    let path = "/api/v2/call?started_after=1";
    let mut page = get(path);
    // The first page may be an empty one.
    if !page.contains("call_id") {
        let cursor = page.split('"').nth(3).unwrap();
        page = get(&format!("{path}&cursor={cursor}"));
    }
    assert!(
        page.contains("{\"poison\": 1}") && !page.contains("\"labels\""),
        "{page}"
    );
    let (object, rows) = served.lock().unwrap().last().unwrap().clone();
    assert!(object == "calls" && rows > 20);
    world.fail_next(Fault::ExpiredToken, "/api/v2/call", 1);
    assert!(get(path).starts_with("HTTP/1.1 401"));
    let fault = Fault::Status {
        code: 429,
        body: String::new(),
        retry_after: Some(30),
    };
    world.fail_next(fault, "/api/v2/call", 1);
    assert!(get(path).contains("retry-after: 30"));
    world.advance(Duration::from_secs(5));
    get(path);
    assert_eq!(pace(&world, "api").early, 1);
    world.advance(Duration::from_secs(30));
    get(path);
    let used = pace(&world, "api");
    assert_eq!((used.told_to_wait, used.early), (1, 1));
    sandbox.stop().await;
}
