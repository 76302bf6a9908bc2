//! A company's calls, read by the program that a user starts: none is lost however late it ends, and what comes
//! after the call arrives too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use salesync_sandbox::{
    Fault, RequestClass, SandboxConfig, Vendor, World, dialpad_refresh_secret, dialpad_secret,
};
use serde_json::{Value, json};

use crate::harness::{Bench, Chance, ends_within, wait};
use crate::tables::Row;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Starts a company of about so many calls.
fn company(calls: usize) -> Bench {
    company_of(SandboxConfig {
        calls: Some(calls),
        ..SandboxConfig::default()
    })
}

fn company_of(config: SandboxConfig) -> Bench {
    let mut bench = Bench::new(SandboxConfig {
        records: 300,
        ..config
    });
    let url = bench.url().to_owned();
    bench.set("SALESYNC_DIALPAD_BASE_URL", url);
    bench.set("SALESYNC_SECRET_DIALPAD", dialpad_secret());
    bench
}

fn calls_of(bench: &Bench) -> BTreeMap<String, Row> {
    live(bench, "dialpad_calls")
}

/// Returns the rows of a table that are not marked as gone.
fn live(bench: &Bench, table: &str) -> BTreeMap<String, Row> {
    let mut rows = bench.tables().rows(table);
    rows.retain(|_, row| row["_deleted_at"].is_none());
    rows
}

/// Returns the calls that can be listed by now.
fn listed(world: &World) -> Vec<Value> {
    let now_ms = world.now().timestamp_millis();
    let mut calls = world.dialpad_calls();
    calls.retain(|call| call["deleted"] == false && call["ended_ms"].as_i64().unwrap() <= now_ms);
    calls
}

/// Fails unless the calls in the warehouse are those that have ended and are still there, each as it is.
fn assert_calls(bench: &Bench) {
    let held = calls_of(bench);
    let told = listed(bench.world());
    let held_ids: BTreeSet<&str> = held.keys().map(String::as_str).collect();
    let told_ids: BTreeSet<&str> = told
        .iter()
        .map(|call| call["call_id"].as_str().unwrap())
        .collect();
    let lost: Vec<_> = told_ids.difference(&held_ids).collect();
    let ghosts: Vec<_> = held_ids.difference(&told_ids).collect();
    assert!(
        lost.is_empty() && ghosts.is_empty(),
        "lost {lost:?}, ghosts {ghosts:?}"
    );
    for call in &told {
        let row = &held[call["call_id"].as_str().unwrap()];
        let record = &call["record"];
        assert_eq!(
            row["conversation_id"].as_deref(),
            call["conversation"].as_str()
        );
        for name in ["date_started", "date_connected", "date_ended"] {
            let micros = record[name].as_i64().map(|ms| (ms * 1_000).to_string());
            assert_eq!(row[name], micros, "{name} of {call}");
        }
        for name in ["duration", "total_duration"] {
            let held = row[name].as_deref().map(|it| it.parse::<f64>().unwrap());
            assert_eq!(held, record[name].as_f64(), "{name} of {call}");
        }
        for name in ["master_call_id", "entry_point_call_id", "operator_call_id"] {
            let id = record[name].as_u64().map(|id| id.to_string());
            assert_eq!(row[name], id, "{name} of {call}");
        }
        let number = record["external_number"]
            .as_str()
            .filter(|it| !it.is_empty());
        assert_eq!(row["external_number"].as_deref(), number);
        assert_eq!(row["direction"].as_deref(), record["direction"].as_str());
    }
    let recordings: BTreeSet<String> = told
        .iter()
        .flat_map(|call| {
            let recordings = call["record"]["recording_details"].as_array();
            let id = call["call_id"].as_str().unwrap();
            let of_call = |it: &Value| format!("{id}:{}", it["id"].as_str().unwrap());
            recordings
                .into_iter()
                .flatten()
                .map(of_call)
                .collect::<Vec<_>>()
        })
        .collect();
    let held: BTreeSet<String> = live(bench, "dialpad_recordings").into_keys().collect();
    assert_eq!(held, recordings, "the recordings");
}

/// Fails unless the lists of people and places are in the warehouse as they are.
fn assert_lists(bench: &Bench) {
    let world = bench.world();
    let lists = [
        ("dialpad_contacts", world.dialpad_contacts(), "display_name"),
        ("dialpad_users", world.dialpad_users(), "display_name"),
        ("dialpad_offices", world.dialpad_offices(), "name"),
        ("dialpad_departments", world.dialpad_departments(), "name"),
        ("dialpad_call_centers", world.dialpad_callcenters(), "name"),
        ("dialpad_numbers", world.dialpad_numbers(), "status"),
    ];
    for (table, told, field) in lists {
        // Contacts that are one user's own are nobody else's to list.
        let told: BTreeMap<String, Option<String>> = told
            .iter()
            .filter(|it| it["deleted"] == false && it["record"]["state"] != "deleted")
            .filter(|it| it["record"]["deleted"] != true)
            .filter(|it| table != "dialpad_contacts" || it["record"]["type"] != "local")
            .map(|it| {
                let id = it["id"].as_str().unwrap().to_owned();
                (id, it["record"][field].as_str().map(str::to_owned))
            })
            .collect();
        let held: BTreeMap<String, Option<String>> = live(bench, table)
            .into_iter()
            .map(|(id, row)| (id, row[field].clone()))
            .collect();
        assert_eq!(held, told, "{table}");
    }
}

/// Returns the calls that have a transcript by now.
fn spoken(world: &World) -> BTreeSet<String> {
    let there: BTreeSet<String> = listed(world)
        .iter()
        .map(|call| call["call_id"].as_str().unwrap().to_owned())
        .collect();
    let now_ms = world.now().timestamp_millis();
    let told = world.dialpad_transcripts();
    let told = told
        .iter()
        .filter(|it| it["available_ms"].as_i64().unwrap() <= now_ms);
    told.map(|it| it["call_id"].as_str().unwrap().to_owned())
        .filter(|id| there.contains(id))
        .collect()
}

fn transcripts(bench: &Bench) -> BTreeSet<String> {
    live(bench, "dialpad_transcripts").into_keys().collect()
}

#[test]
fn the_company_is_as_it_is_after_a_first_an_incremental_and_a_full_sync() {
    let bench = company(250);
    let world = bench.world();
    bench.sync(&["dialpad"]);
    assert_calls(&bench);
    assert_lists(&bench);
    let texts = live(&bench, "dialpad_texts").len();

    world.advance(HOUR);
    let called = world.dialpad_call(&json!({"queue": true, "duration": 60_000}));
    world.dialpad_call(&json!({"direction": "outbound", "duration": 1_000, "connected": false}));
    let contact = world.dialpad_contact_create(&json!({"first_name": "Ola", "last_name": "Nord"}));
    let users = world.dialpad_users();
    let left = users.last().unwrap()["id"].as_str().unwrap();
    world.dialpad_user_state(left, "deleted");
    world.dialpad_text(&json!({"from_phone": "+14155550199", "to_phone": "+14155550100"}));
    world.advance(10 * MINUTE);
    bench.sync(&["dialpad"]);
    assert_calls(&bench);
    assert_lists(&bench);
    let legs = calls_of(&bench);
    let conversation = legs[&called]["conversation_id"].clone();
    let legs = legs
        .values()
        .filter(|row| row["conversation_id"] == conversation);
    assert!(legs.count() > 1, "a queue's call has several legs");

    world.dialpad_delete_call(&called);
    world.dialpad_contact_delete(&contact);
    world.advance(30 * HOUR);
    bench.sync(&["dialpad", "--full"]);
    assert_calls(&bench);
    assert_lists(&bench);
    assert_eq!(live(&bench, "dialpad_texts").len(), texts + 1);
    let again = bench.another();
    again.sync(&["dialpad"]);
    assert_calls(&again);
}

#[test]
fn calls_that_end_hours_after_they_began_are_all_found() {
    let bench = company(120);
    let world = bench.world();
    bench.sync(&["dialpad"]);
    // One begins each half hour and lasts up to six hours; syncs run each quarter of an hour.
    for quarter in 0_i64..60 {
        if quarter % 2 == 0 {
            let length_ms = 21_600_000 - (quarter % 7) * 3_000_000;
            world.dialpad_call(&json!({"duration": length_ms}));
            world.dialpad_call(&json!({"duration": 40_000}));
        }
        world.advance(15 * MINUTE);
        if quarter % 5 != 3 {
            bench.sync(&["dialpad", "--streams", "calls"]);
            assert_calls(&bench);
        }
    }
    world.advance(7 * HOUR);
    bench.sync(&["dialpad", "--streams", "calls"]);
    assert_calls(&bench);
}

#[test]
fn what_is_added_to_a_call_a_day_later_is_read_by_the_daily_rereading() {
    let bench = company(60);
    let world = bench.world();
    let id = world.dialpad_call(&json!({"duration": 60_000}));
    world.advance(HOUR);
    bench.sync(&["dialpad", "--streams", "calls"]);
    world.advance(30 * HOUR);
    world.dialpad_update_call(&id, &json!({"labels": ["won"]}));
    bench.sync(&["dialpad", "--streams", "calls"]);
    assert_eq!(
        calls_of(&bench)[&id]["labels"].as_deref(),
        Some("[\"won\"]")
    );
}

#[test]
fn all_transcripts_arrive_after_nine_of_ten_were_refused_once() {
    let bench = company(120);
    let world = bench.world();
    world.dialpad_refuse_transcripts(90);
    bench.sync(&["dialpad"]);
    let at_once = transcripts(&bench).len();
    let due = spoken(world).len();
    assert!(at_once < due / 2, "{at_once} of {due} were not refused");
    for _ in 0..4 {
        world.dialpad_call(&json!({"duration": 90_000, "transcript_after": 400_000}));
        world.advance(25 * HOUR);
        bench.sync(&["dialpad"]);
    }
    world.advance(25 * HOUR);
    bench.sync(&["dialpad"]);
    assert_eq!(transcripts(&bench), spoken(world));
}

#[test]
fn a_transcript_of_another_shape_is_kept_as_it_is_and_one_that_never_comes_is_given_up() {
    let bench = company(0);
    let world = bench.world();
    let odd = world.dialpad_call(&json!({"duration": 60_000, "transcript_after": 1_000}));
    let never = world.dialpad_call(&json!({"duration": 60_000}));
    let exact = world.dialpad_call(&json!({"duration": 60_000, "transcript_after": 1_000}));
    world.dialpad_update_call(&exact, &json!({"duration": 53_000.123_456_789_01}));
    let path = format!("/api/v2/transcripts/{odd}");
    let answer = |body: &str| Fault::Status {
        code: 200,
        body: body.to_owned(),
        retry_after: None,
    };
    world.advance(4 * MINUTE);
    world.fail_next(answer("<html>"), &path, 1);
    bench.sync(&["dialpad"]);
    assert_eq!(transcripts(&bench), BTreeSet::from([exact.clone()]));
    world.advance(10 * MINUTE);
    world.fail_next(answer("[{\"said\": 1}]"), &path, 1);
    bench.sync(&["dialpad"]);
    let rows = live(&bench, "dialpad_transcripts");
    assert_eq!(rows.keys().collect::<Vec<_>>().len(), 2);
    assert!(
        rows[&odd]["_extra"]
            .as_deref()
            .unwrap()
            .contains("\"said\"")
    );
    for _ in 0..3 {
        world.advance(25 * HOUR);
        bench.sync(&["dialpad"]);
    }
    let asked = |id: &String| {
        let path = format!("/api/v2/transcripts/{id}");
        let requests = world.requests();
        requests.iter().filter(|it| it.path == path).count()
    };
    assert_eq!(asked(&never), 4, "due four times");
    assert_eq!(asked(&odd), 2);
    assert_eq!(asked(&exact), 1);
}

#[test]
fn a_company_whose_first_load_is_killed_again_and_again_ends_with_the_same_tables() {
    let bench = company_of(SandboxConfig {
        calls: Some(200),
        latency: Duration::from_millis(15),
        ..SandboxConfig::default()
    });
    let undisturbed = bench.another();
    let began = std::time::Instant::now();
    undisturbed.sync(&["dialpad"]);
    let whole_ms = u64::try_from(began.elapsed().as_millis()).unwrap();
    let mut chance = Chance(11);
    for _ in 0..6 {
        let mut child = bench.start(&["sync", "dialpad"]);
        let delay = Duration::from_millis(50 + chance.below(whole_ms));
        if !ends_within(&mut child, delay) {
            child.kill().unwrap();
        }
        wait(child);
    }
    bench.sync(&["dialpad"]);
    assert_calls(&bench);
    assert_lists(&bench);
    let held = |bench: &Bench, table| live(bench, table).into_keys().collect::<Vec<_>>();
    for table in ["dialpad_transcripts", "dialpad_texts", "dialpad_voicemails"] {
        assert_eq!(held(&bench, table), held(&undisturbed, table), "{table}");
    }
}

#[test]
fn cursors_that_die_and_answers_that_fail_cost_requests_and_no_call() {
    let bench = company(300);
    let world = bench.world();
    let mut served = 0;
    world.on_page(move |world, page| {
        if page.class == RequestClass::DialpadCalls {
            served += 1;
            if served == 2 {
                world.dialpad_kill_cursors();
            }
        }
    });
    let failing = Fault::Status {
        code: 503,
        body: "{}".to_owned(),
        retry_after: None,
    };
    world.fail_next(failing, "/api/v2/call", 2);
    bench.sync(&["dialpad", "--streams", "calls"]);
    world.clear_on_page();
    assert_calls(&bench);
}

#[test]
fn a_bad_call_is_set_aside_whole_and_the_rest_arrives() {
    let bench = company(80);
    let world = bench.world();
    let bad = listed(world)[3]["call_id"].as_str().unwrap().to_owned();
    let raw = format!("{{\"call_id\": {bad}, \"date_started\": \"canary of a call\"}}");
    assert!(world.put_raw(Vendor::Dialpad, "calls", &bad, &raw));
    let ended = bench.run(&["sync", "dialpad", "--streams", "calls", "--json"]);
    assert!(!ended.stderr.contains("canary"), "{ended:#?}");
    assert_eq!(calls_of(&bench).len(), listed(world).len() - 1);
    let letters = bench
        .tables()
        .query("SELECT record_id, payload FROM dead_letters");
    assert_eq!(letters, [[Some(bad.clone()), Some(raw)]]);
    // Mended at the source, it comes with the daily rereading or with the next full sync.
    world.clear_raw(Vendor::Dialpad, "calls", &bad);
    bench.sync(&["dialpad", "--streams", "calls", "--full"]);
    assert_calls(&bench);
}

#[test]
fn calls_that_can_not_be_read_are_not_taken_for_gone() {
    let bench = company(80);
    let world = bench.world();
    bench.sync(&["dialpad", "--streams", "calls"]);
    let before = calls_of(&bench);
    // So many that they are looked for in a second listing, not one by one.
    for call in listed(world).iter().take(12) {
        let id = call["call_id"].as_str().unwrap();
        assert!(world.put_raw(Vendor::Dialpad, "calls", id, "{\"canary\": 1}"));
    }
    let ended = bench.run(&["sync", "dialpad", "--streams", "calls", "--full", "--json"]);
    assert!(ended.stdout.contains("ERR_SOURCE_PAGE_SHAPE"), "{ended:#?}");
    assert_eq!(calls_of(&bench).len(), before.len());
}

#[test]
fn a_refresh_token_of_dialpad_that_rotates_is_kept_from_run_to_run() {
    let mut bench = company(40);
    let secrets = bench.folder().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    let file = secrets.join("dialpad");
    std::fs::write(&file, dialpad_refresh_secret()).unwrap();
    bench.unset("SALESYNC_SECRET_DIALPAD");
    bench.set("SALESYNC_SECRETS", format!("file:{}", secrets.display()));
    let mut kept = BTreeSet::from([dialpad_refresh_secret()]);
    for _ in 0..3 {
        bench.sync(&["dialpad", "--streams", "users"]);
        assert!(
            kept.insert(std::fs::read_to_string(&file).unwrap()),
            "each login leaves another token"
        );
        bench.world().advance(HOUR * 24);
    }
}

#[test]
fn a_company_at_rest_is_the_same_after_a_second_and_a_full_sync() {
    let bench = company(120);
    bench.sync(&["dialpad"]);
    let before = bench.tables().content();
    bench.sync(&["dialpad"]);
    bench.sync(&["dialpad", "--full"]);
    let after = bench.tables().content();
    for (table, rows) in before {
        // When a transcript was last asked for may change; what is waited for does not.
        if table == "dialpad_transcript_backlog" {
            assert!(rows.keys().eq(after[&table].keys()), "{table}");
        } else {
            assert_eq!(after[&table], rows, "{table}");
        }
    }
}

#[test]
fn a_check_of_the_login_says_whether_calls_may_be_listed() {
    let mut bench = company(20);
    let good = bench.run(&["check", "dialpad"]);
    assert_eq!(good.code, Some(0), "{good:#?}");
    bench.set("SALESYNC_SECRET_DIALPAD", r#"{"api_key": "canary"}"#);
    let refused = bench.run(&["check", "dialpad"]);
    assert_eq!(refused.code, Some(78), "{refused:#?}");
    assert!(!format!("{refused:?}").contains("canary"), "{refused:#?}");
}
