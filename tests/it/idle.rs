//! The commonest run of all: nothing has changed, and it costs next to nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use salesync_sandbox::{RequestClass, RequestSeen};

use crate::harness::Bench;

/// Returns the stream that a request for data asks about.
fn stream_of(request: &RequestSeen) -> String {
    let target = format!("{}?{}", request.path, request.query);
    let after = |mark: &str| {
        let rest = target.split(mark).nth(1)?;
        Some(
            rest.split(|c: char| !c.is_ascii_alphanumeric())
                .next()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    after("/objects/")
        .or_else(|| after("FROM+"))
        .or_else(|| after("FROM%20"))
        .unwrap_or(target)
}

#[test]
fn a_second_run_asks_once_per_stream_and_writes_no_rows() {
    let bench = Bench::with_records(2_000);
    bench.sync(&["all"]);
    bench.world().advance(Duration::from_secs(900));
    bench.sync(&["all"]);
    let before = bench.tables().content();
    let states_before = bench.tables().number("SELECT count(*) FROM sync_state");

    bench.world().advance(Duration::from_secs(900));
    bench.world().reset_requests();
    let ended = bench.sync(&["all"]);
    let mut asked: BTreeMap<String, u64> = BTreeMap::new();
    let mut beside: BTreeMap<RequestClass, u64> = BTreeMap::new();
    for request in bench.world().requests() {
        match request.class {
            RequestClass::Login
            | RequestClass::Describe
            | RequestClass::Archived
            | RequestClass::Owners => {
                *beside.entry(request.class).or_default() += 1;
            }
            _ => *asked.entry(stream_of(&request)).or_default() += 1,
        }
    }
    let streams = [
        "contacts",
        "companies",
        "deals",
        "calls",
        "emails",
        "meetings",
        "notes",
        "tasks",
        "Account",
        "Contact",
        "Lead",
        "Opportunity",
        "User",
        "Task",
        "Event",
    ];
    let once = streams.map(|stream| (stream.to_owned(), 1)).into();
    assert_eq!(asked, once, "one data request for each stream");
    let expected = [
        (RequestClass::Login, 1),
        (RequestClass::Describe, 15),
        (RequestClass::Archived, 8),
        // The owners have no change times: one listing, and one of those who left.
        (RequestClass::Owners, 2),
    ];
    assert_eq!(beside, expected.into());

    for run in ended.runs() {
        for count in ["new", "changed", "tombstoned", "marked", "rejected"] {
            assert_eq!(run[count], 0, "{run}");
        }
    }
    let tables = bench.tables();
    assert_eq!(tables.content(), before, "a raw table changed");
    let run_id = ended.runs()[0]["run_id"].as_str().unwrap().to_owned();
    let written = tables.number(&format!(
        "SELECT count(*) FROM hubspot_contacts WHERE _run_id = '{run_id}'"
    ));
    assert_eq!(written, 0);
    // A commit leaves a row in the log of cursors: one when a stream starts, one when it has caught up.
    let commits = tables.number("SELECT count(*) FROM sync_state") - states_before;
    assert!(commits <= 2 * 16, "{commits} commits for 16 streams");
}
