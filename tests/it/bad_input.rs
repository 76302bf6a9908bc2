//! Bad records: each is set aside whole, with code, field and reason, and costs no other record.

use std::collections::BTreeMap;

use salesync_sandbox::{HUBSPOT_TOKEN, SALESFORCE_CLIENT_SECRET, Vendor};
use serde_json::{Value, json};

use crate::harness::{Bench, Ended};

/// What stands in the bad records and must be seen nowhere but in the letters.
const CANARY: &str = "canary.of.the.records@secret.example";

/// One way to be bad: what is sent in a record's place, and what the letter says about it.
struct Case {
    sent: String,
    code: &'static str,
    field: Option<&'static str>,
    /// Whether the letter can tell whose record it is.
    has_id: bool,
}

fn case(sent: String, code: &'static str, field: Option<&'static str>, has_id: bool) -> Case {
    Case {
        sent,
        code,
        field,
        has_id,
    }
}

fn hubspot_cases(id: impl Fn(usize) -> String) -> Vec<Case> {
    let stamp = "\"lastmodifieddate\":\"2026-01-01T00:00:00Z\"";
    let with = |at: usize, property: &str| {
        format!(
            "{{\"id\":\"{}\",\"properties\":{{{stamp},\"email\":\"{CANARY}\",{property}}},\"archived\":false}}",
            id(at)
        )
    };
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let long = "x".repeat(10 * 1024 * 1024);
    let far = format!(
        "{{\"id\":\"{}\",\"properties\":{{\"lastmodifieddate\":\"9999-01-01T00:00:00Z\"}}}}",
        id(7)
    );
    vec![
        case(
            format!("{{\"properties\":{{{stamp},\"email\":\"{CANARY}\"}}}}"),
            "ERR_RECORD_NO_IDENTITY",
            Some("id"),
            false,
        ),
        case(
            with(1, "\"contract_renewal\":\"2026-02-30\""),
            "ERR_RECORD_RANGE",
            Some("contract_renewal"),
            true,
        ),
        case(
            with(2, &format!("\"address\":\"{long}\"")),
            "ERR_RECORD_TOO_LARGE",
            Some("address"),
            true,
        ),
        case(
            with(3, "\"fit_score\":\"very much\""),
            "ERR_RECORD_TYPE",
            Some("fit_score"),
            true,
        ),
        case(
            with(4, &format!("\"city\":{deep}")),
            "ERR_RECORD_TOO_DEEP",
            Some("city"),
            true,
        ),
        case(
            format!("{{\"id\":\"{}\",\"properties\":[\"{CANARY}\"]}}", id(5)),
            "ERR_RECORD_MALFORMED",
            None,
            false,
        ),
        case(
            format!(
                "{{\"id\":\"{}\",\"id\":\"1\",\"properties\":{{{stamp}}}}}",
                id(6)
            ),
            "ERR_RECORD_IDENTITY_AMBIGUOUS",
            Some("id"),
            false,
        ),
        case(far, "ERR_RECORD_VERSION", Some("lastmodifieddate"), true),
    ]
}

fn salesforce_cases(id: impl Fn(usize) -> String) -> Vec<Case> {
    let stamp = "\"SystemModstamp\":\"2026-01-01T00:00:00.000+0000\"";
    let with = |at: usize, field: &str| {
        format!(
            "{{\"attributes\":{{\"type\":\"Opportunity\"}},\"Id\":\"{}\",{stamp},\"Name\":\"{CANARY}\",{field}}}",
            id(at)
        )
    };
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let long = "x".repeat(10 * 1024 * 1024);
    let far = format!(
        "{{\"Id\":\"{}\",\"SystemModstamp\":\"9999-01-01T00:00:00.000+0000\"}}",
        id(7)
    );
    vec![
        case(
            format!("{{{stamp},\"Name\":\"{CANARY}\"}}"),
            "ERR_RECORD_NO_IDENTITY",
            Some("Id"),
            false,
        ),
        case(
            with(1, "\"CloseDate\":\"2026-02-30\""),
            "ERR_RECORD_RANGE",
            Some("CloseDate"),
            true,
        ),
        case(
            with(2, &format!("\"Description\":\"{long}\"")),
            "ERR_RECORD_TOO_LARGE",
            Some("Description"),
            true,
        ),
        case(
            with(3, "\"Amount\":\"very much\""),
            "ERR_RECORD_TYPE",
            Some("Amount"),
            true,
        ),
        case(
            with(4, &format!("\"Description\":{deep}")),
            "ERR_RECORD_TOO_DEEP",
            Some("Description"),
            true,
        ),
        case(
            format!("[\"{CANARY}\"]"),
            "ERR_RECORD_MALFORMED",
            None,
            false,
        ),
        case(
            format!("{{\"Id\":\"{}\",\"Id\":\"{}\",{stamp}}}", id(6), id(7)),
            "ERR_RECORD_IDENTITY_AMBIGUOUS",
            Some("Id"),
            false,
        ),
        case(far, "ERR_RECORD_VERSION", Some("SystemModstamp"), true),
    ]
}

fn assert_silent(ended: &Ended) {
    for said in [&ended.stdout, &ended.stderr] {
        for secret in [CANARY, HUBSPOT_TOKEN, SALESFORCE_CLIENT_SECRET, "very much"] {
            assert!(!said.contains(secret), "{secret} is told: {said}");
        }
    }
}

fn ids(bench: &Bench, vendor: Vendor) -> Vec<String> {
    let (records, id) = match vendor {
        Vendor::HubSpot => (bench.world().hubspot_records("contacts"), "id"),
        Vendor::Salesforce => (bench.world().salesforce_records("Opportunity"), "Id"),
        other => panic!("{other:?} has no such records"),
    };
    let is_live = |record: &&Value| record["archived"] != true && record["IsDeleted"] != true;
    records
        .iter()
        .filter(is_live)
        .map(|record| record[id].as_str().unwrap().to_owned())
        .collect()
}

fn check(vendor: Vendor, object: &str, (source, stream): (&str, &str)) {
    let mut bench = Bench::with_records(1_000);
    bench.set("SALESYNC_LOG", "trace");
    let all = ids(&bench, vendor);
    let at = |place: usize| all[place * 9].clone();
    let cases = match vendor {
        Vendor::HubSpot => hubspot_cases(at),
        Vendor::Salesforce => salesforce_cases(at),
        other => panic!("{other:?} has no such records"),
    };
    for (place, case) in cases.iter().enumerate() {
        assert!(
            bench
                .world()
                .put_raw(vendor, object, &all[place * 9], &case.sent)
        );
    }
    let ended = bench.sync(&[source, "--streams", stream]);
    assert_silent(&ended);
    let rejected = ended.stream(stream)["rejected"].as_u64().unwrap();
    assert!(rejected >= 8, "{rejected} are counted");

    let rows = bench.tables().rows(&format!("{source}_{stream}"));
    let arrived = all.iter().filter(|id| rows.contains_key(*id)).count();
    assert_eq!(arrived, all.len() - cases.len(), "the rest arrives");
    let letters = bench.tables().query(
        "SELECT payload, code, field, message, record_id, state, source || '/' || stream FROM dead_letters",
    );
    assert_eq!(
        letters.len(),
        cases.len(),
        "a record that comes twice has one letter"
    );
    let letters: BTreeMap<_, _> = letters
        .iter()
        .map(|letter| (letter[0].as_deref().unwrap(), letter))
        .collect();
    for (place, case) in cases.iter().enumerate() {
        let letter = letters
            .get(case.sent.as_str())
            .unwrap_or_else(|| panic!("{} is not there whole", case.code));
        assert_eq!(letter[1].as_deref(), Some(case.code));
        assert_eq!(
            letter[2].as_deref(),
            case.field,
            "the field of {}",
            case.code
        );
        assert!(
            letter[3]
                .as_deref()
                .is_some_and(|reason| !reason.is_empty()),
            "a reason for {}",
            case.code
        );
        assert_eq!(
            letter[4].as_deref(),
            case.has_id.then_some(all[place * 9].as_str()),
            "whose {} is",
            case.code
        );
        assert_eq!(letter[5].as_deref(), Some("open"));
        assert_eq!(
            letter[6].as_deref(),
            Some(format!("{source}/{stream}").as_str())
        );
    }

    // The next run meets the records that are still bad in its overlap at most, and adds no letter.
    bench.sync(&[source, "--streams", stream]);
    assert_eq!(
        bench.tables().number("SELECT count(*) FROM dead_letters"),
        8
    );
    // A full sync has seen them: what is bad is not absent.
    bench.sync(&[source, "--streams", stream, "--full"]);
    let gone = format!("SELECT count(*) FROM {source}_{stream} WHERE _deleted_reason = 'absent'");
    assert_eq!(bench.tables().number(&gone), 0);
}

#[test]
fn hubspot_records_that_are_bad_are_set_aside_whole_and_the_rest_arrives() {
    check(Vendor::HubSpot, "contacts", ("hubspot", "contacts"));
}

#[test]
fn salesforce_records_that_are_bad_are_set_aside_whole_and_the_rest_arrives() {
    check(
        Vendor::Salesforce,
        "Opportunity",
        ("salesforce", "opportunities"),
    );
}

#[test]
fn a_batch_that_is_bad_all_over_is_no_matter_of_letters() {
    let bench = Bench::with_records(1_000);
    for id in ids(&bench, Vendor::HubSpot) {
        bench
            .world()
            .put_raw(Vendor::HubSpot, "contacts", &id, "{\"properties\":{}}");
    }
    let ended = bench.run(&["sync", "hubspot", "--streams", "contacts", "--json"]);
    assert_eq!(ended.code, Some(75), "{ended:#?}");
    assert_eq!(ended.stream("contacts")["code"], "ERR_BATCH_DEAD_RATIO");
    assert_eq!(
        bench.tables().number("SELECT count(*) FROM dead_letters"),
        0
    );
}

#[test]
fn where_little_changes_bad_records_are_set_aside_however_many_of_it_they_are() {
    let bench = Bench::with_records(200);
    for id in ids(&bench, Vendor::HubSpot).iter().skip(20) {
        bench
            .world()
            .put_raw(Vendor::HubSpot, "contacts", id, "{\"properties\":{}}");
    }
    let run = bench
        .sync(&["hubspot", "--streams", "contacts"])
        .stream("contacts");
    assert_eq!(run["status"], "succeeded", "{run}");
    assert!(run["rejected"].as_u64() > Some(20), "{run}");
}

/// Syncs contacts of which some are of the wrong type, and returns their letters' ids.
pub(crate) fn with_letters(bench: &Bench, count: usize) -> Vec<String> {
    let ids = ids(bench, Vendor::HubSpot);
    for id in &ids[..count] {
        let sent = format!(
            "{{\"id\":\"{id}\",\"properties\":{{\"lastmodifieddate\":\"2026-01-01T00:00:00Z\",\"fit_score\":\"{CANARY}\"}}}}"
        );
        bench
            .world()
            .put_raw(Vendor::HubSpot, "contacts", id, &sent);
    }
    bench.sync(&["hubspot", "--streams", "contacts"]);
    let listed = bench.json(&["dlq", "list"]);
    listed
        .as_array()
        .unwrap()
        .iter()
        .map(|letter| letter["dead_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn letters_are_listed_without_their_records_and_shown_with_them() {
    let bench = Bench::with_records(300);
    let letters = with_letters(&bench, 3);
    assert_eq!(letters.len(), 3);
    for words in [
        &["dlq", "list"][..],
        &["dlq", "list", "--json"],
        &["status"],
        &["runs"],
    ] {
        let ended = bench.run(words);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert_silent(&ended);
    }
    let shown = bench.json(&["dlq", "show", &letters[0]]);
    let expected = [
        ("code", json!("ERR_RECORD_TYPE")),
        ("field", json!("fit_score")),
        ("source", json!("hubspot")),
        ("stream", json!("contacts")),
        ("state", json!("open")),
    ];
    for (name, value) in expected {
        assert_eq!(shown[name], value);
    }
    assert!(shown["payload"].as_str().unwrap().contains(CANARY));
    assert_eq!(
        bench.json(&["dlq", "show", letters[0].get(..12).unwrap()]),
        shown,
        "the beginning of an id is enough"
    );
    let unknown = bench.run(&["dlq", "show", "nothing"]);
    assert_eq!(unknown.code, Some(2), "{unknown:#?}");
    assert_eq!(bench.json(&["status"])["open_dead_letters"], 3);
}

#[test]
fn a_letter_that_can_be_read_now_is_redriven_once() {
    let bench = Bench::with_records(300);
    let letters = with_letters(&bench, 2);
    // The property is text from now on, and what was no number is good text.
    bench
        .world()
        .add_field(Vendor::HubSpot, "contacts", "fit_score", "string");
    assert_eq!(
        bench.json(&["dlq", "redrive", &letters[0]]),
        json!({"tried": 1, "redriven": 1, "rejected": 0})
    );
    assert_eq!(
        bench.json(&["dlq", "redrive"]),
        json!({"tried": 1, "redriven": 1, "rejected": 0})
    );
    let count = "SELECT count(*) FROM hubspot_contacts WHERE fit_score = 'canary.of.the.records@secret.example'";
    assert_eq!(bench.tables().number(count), 2);
    let before = bench.tables().content();
    assert_eq!(
        bench.json(&["dlq", "redrive"]),
        json!({"tried": 0, "redriven": 0, "rejected": 0})
    );
    assert_eq!(bench.tables().content(), before);
    assert_eq!(
        bench
            .tables()
            .list("SELECT DISTINCT state FROM dead_letters"),
        ["redriven"]
    );
}

#[test]
fn a_letter_that_fails_three_times_is_parked_and_one_that_nobody_needs_is_discarded() {
    let bench = Bench::with_records(300);
    let letters = with_letters(&bench, 2);
    assert_eq!(bench.json(&["dlq", "discard", &letters[1]])["discarded"], 1);
    for attempt in 1..=3 {
        let ended = bench.run(&["dlq", "redrive", "--json"]);
        assert_eq!(ended.code, Some(75), "{ended:#?}");
        assert_silent(&ended);
        assert_eq!(
            ended.document(),
            json!({"tried": 1, "redriven": 0, "rejected": 1})
        );
        assert_eq!(
            bench
                .tables()
                .number("SELECT max(attempt) FROM dead_letters"),
            attempt
        );
    }
    let states = bench
        .tables()
        .list("SELECT state FROM dead_letters ORDER BY state");
    assert_eq!(states, ["discarded", "parked"]);
    assert_eq!(bench.json(&["dlq", "redrive"])["tried"], 0);
    assert_eq!(
        bench
            .json(&["dlq", "list", "--state", "parked"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_record_that_was_mended_at_the_source_arrives_with_the_next_sync() {
    let bench = Bench::with_records(300);
    with_letters(&bench, 1);
    let id = ids(&bench, Vendor::HubSpot)[0].clone();
    bench.world().clear_raw(Vendor::HubSpot, "contacts", &id);
    bench
        .world()
        .hubspot_update("contacts", &id, &json!({"fit_score": "7.5"}));
    bench.sync(&["hubspot", "--streams", "contacts"]);
    assert_eq!(
        bench.tables().rows("hubspot_contacts")[&id]["fit_score"].as_deref(),
        Some("7.500000000")
    );
    let before = bench.tables().content();
    bench.run(&["dlq", "redrive"]);
    assert_eq!(
        bench.tables().content(),
        before,
        "an old letter never goes over a newer record"
    );
}
