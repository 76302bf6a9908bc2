//! Asked to stop, or out of time: what was read is kept, and the next run goes on.

use std::process::Child;
use std::sync::mpsc;
use std::time::Duration;

use salesync_sandbox::SandboxConfig;

use crate::harness::{Bench, Ended, signal, wait};
use crate::truth::{Swept, assert_hubspot};

const WORDS: [&str; 5] = ["sync", "hubspot", "--streams", "contacts", "--json"];

fn slow() -> Bench {
    let latency = Duration::from_millis(60);
    Bench::new(SandboxConfig {
        records: 10_000,
        latency,
        ..SandboxConfig::default()
    })
}

/// Starts a sync and returns it when the vendor has served so many pages.
fn started(bench: &Bench, pages: usize) -> Child {
    let (sender, receiver) = mpsc::channel();
    // Whoever waits may have heard enough.
    bench
        .world()
        .on_page(move |_, _| sender.send(()).unwrap_or_default());
    let child = bench.start(&WORDS);
    for _ in 0..pages {
        receiver.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    child
}

fn assert_partial(bench: &Bench, ended: &Ended, code: &str) {
    assert_eq!(ended.code, Some(75), "{ended:#?}");
    let run = ended.stream("contacts");
    assert_eq!(
        (run["status"].as_str(), run["code"].as_str()),
        (Some("partial"), Some(code)),
        "{ended:#?}"
    );
    let fetched = run["fetched"].as_i64().unwrap();
    let there = bench
        .tables()
        .number("SELECT count(*) FROM hubspot_contacts");
    assert!(
        there > 0 && there == fetched,
        "{fetched} were fetched and {there} are there"
    );
    let logged = bench.tables().query("SELECT status, code FROM etl_runs");
    assert_eq!(
        logged,
        [vec![Some("partial".to_owned()), Some(code.to_owned())]]
    );
}

fn assert_the_next_run_goes_on(bench: &Bench) {
    let before = bench
        .tables()
        .number("SELECT count(*) FROM hubspot_contacts");
    let ended = bench.sync(&["hubspot", "--streams", "contacts"]);
    let new = ended.stream("contacts")["new"].as_i64().unwrap();
    let fetched = ended.stream("contacts")["fetched"].as_i64().unwrap();
    assert_hubspot(bench, "contacts", Swept::No);
    let all = bench
        .tables()
        .number("SELECT count(*) FROM hubspot_contacts");
    assert!(
        new <= all - before && fetched < all,
        "it began anew: {before} were there, {fetched} fetched, {all} in all"
    );
}

#[test]
fn a_signal_stops_a_run_within_two_seconds_and_loses_nothing_that_was_read() {
    for name in ["TERM", "INT"] {
        let bench = slow();
        let child = started(&bench, 6);
        let asked = std::time::Instant::now();
        signal(&child, name);
        let ended = wait(child);
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{name}: {:?}",
            asked.elapsed()
        );
        assert_partial(&bench, &ended, "ERR_RUN_STOPPED");
        assert_the_next_run_goes_on(&bench);
    }
}

#[test]
fn a_deadline_ends_a_run_before_its_time_and_the_next_goes_on() {
    let mut bench = slow();
    bench.set("SALESYNC_DEADLINE_SECS", "1");
    let started = std::time::Instant::now();
    let ended = bench.run(&WORDS);
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    assert_partial(&bench, &ended, "ERR_RUN_DEADLINE");
    bench.unset("SALESYNC_DEADLINE_SECS");
    assert_the_next_run_goes_on(&bench);
}
