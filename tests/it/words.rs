//! What the program says: an error in one line with its code and what to do, and one JSON document when asked.

use std::time::Duration;

use salesync_sandbox::{Fault, SandboxConfig};
use serde_json::Value;

use crate::harness::{Bench, Ended, signal, wait};

/// Fails unless the program ended with this exit code and one line that names code and cause.
fn assert_refused(words: &[&str], ended: &Ended, exit: i32, parts: &[&str]) {
    assert_eq!(ended.code, Some(exit), "{words:?}: {ended:#?}");
    let line = ended
        .stderr
        .lines()
        .find(|line| parts.iter().all(|part| line.contains(part)));
    assert!(
        line.is_some(),
        "{words:?}: no line with {parts:?}: {ended:#?}"
    );
    assert!(
        ended.stderr.lines().count() <= 2,
        "{words:?}: one line, not a page: {}",
        ended.stderr
    );
    for noise in ["panicked", "backtrace", "RUST_BACKTRACE", "Error {"] {
        assert!(!ended.stderr.contains(noise), "{words:?}: {ended:#?}");
    }
}

#[test]
fn a_wrong_setting_is_one_line_that_names_it_and_exit_78() {
    let cases = [
        ("SALESYNC_WAREHOUSE", "mysql:somewhere"),
        ("SALESYNC_WAREHOUSE", "duckdb:no/such/folder/x.duckdb"),
        ("SALESYNC_TENANT", "a-b; DROP TABLE x"),
        ("SALESYNC_TENANT", "Übermut"),
        ("SALESYNC_SECRETS", "file:/no/such/folder"),
        ("SALESYNC_DEAD_LETTERS", "kafka:x"),
        ("SALESYNC_DEADLINE_SECS", "soon"),
        ("SALESYNC_SOURCE_RANK", "hubspot,sales"),
        ("SALESYNC_DEFAULT_COUNTRY", "Atlantis"),
        ("SALESYNC_DUCKDB_MEMORY_MB", "lots"),
        ("SALESYNC_LOG_FORMAT", "xml"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example"),
        ("SALESYNC_HUBSPOT_BASE_URL", "http://example.com"),
        ("SALESYNC_SALESFORCE_BASE_URL", "not an address"),
    ];
    for (name, value) in cases {
        let mut bench = Bench::with_records(10);
        bench.set(name, value);
        let ended = bench.run(&["sync", "all"]);
        let named = if value.ends_with("x.duckdb") {
            "no/such/folder"
        } else {
            name
        };
        assert_refused(
            &["sync", "all", name, value],
            &ended,
            78,
            &["ERR_CONFIG_INVALID", named],
        );
        assert_eq!(ended.stdout, "");
        assert!(
            bench.world().requests().is_empty(),
            "{name}: the vendor was asked"
        );
    }
}

#[test]
fn a_wrong_word_is_one_line_and_exit_2() {
    let bench = Bench::with_records(10);
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["sync", "pipedrive"],
            &[
                "ERR_REQUEST_INVALID",
                "pipedrive",
                "hubspot, salesforce, all",
            ],
        ),
        (
            &["sync", "hubspot", "--streams", "contracts"],
            &["ERR_REQUEST_INVALID", "contracts", "contacts, companies"],
        ),
        (
            &["sync", "hubspot", "--since", "yesterday"],
            &["ERR_REQUEST_INVALID", "--since", "2026-01-31"],
        ),
        (
            &["check", "pipedrive"],
            &["ERR_REQUEST_INVALID", "pipedrive"],
        ),
        (
            &["dlq", "list", "--state", "lost"],
            &["ERR_REQUEST_INVALID", "--state", "open"],
        ),
        (&["dlq", "discard", "nothing"], &["ERR_REQUEST_INVALID"]),
    ];
    for (words, parts) in cases {
        let ended = bench.run(words);
        assert_refused(words, &ended, 2, parts);
        let shown = !ended.stdout.is_empty();
        assert!(!shown || words[0] == "check", "{words:?}: {}", ended.stdout);
    }
    for words in [
        &["synk", "all"][..],
        &["sync"],
        &["sync", "all", "--fully"],
        &["sync", "all", "--full", "--since", "2026-01-01"],
        &[],
    ] {
        let ended = bench.run(words);
        assert_eq!(ended.code, Some(2), "{words:?}: {ended:#?}");
        assert!(ended.stderr.contains("sage"), "{words:?}: {ended:#?}");
    }
}

#[test]
fn a_secret_that_is_missing_or_unusable_is_for_a_person_to_mend() {
    let cases = [
        (None, "ERR_CONFIG_INVALID", "SALESYNC_SECRET_HUBSPOT"),
        (
            Some("{\"private_app_token\":\"REPLACE_ME\"}"),
            "ERR_CONFIG_SECRET_PLACEHOLDER",
            "SALESYNC_SECRET_HUBSPOT",
        ),
        (
            Some(""),
            "ERR_CONFIG_SECRET_PLACEHOLDER",
            "SALESYNC_SECRET_HUBSPOT",
        ),
        (
            Some("pat-na1-plain"),
            "ERR_CONFIG_INVALID",
            "SALESYNC_SECRET_HUBSPOT",
        ),
        (
            Some("{\"private_app_token\":\"pat-wrong-canary\"}"),
            "ERR_SOURCE_AUTH_REVOKED",
            "",
        ),
        (
            Some("{\"client_id\":\"a\",\"client_secret\":\"b\",\"refresh_token\":\"canary\"}"),
            "ERR_SOURCE_AUTH_REVOKED",
            "",
        ),
    ];
    for (secret, code, named) in cases {
        let mut bench = Bench::with_records(10);
        match secret {
            Some(secret) => bench.set("SALESYNC_SECRET_HUBSPOT", secret),
            None => bench.unset("SALESYNC_SECRET_HUBSPOT"),
        }
        let words = ["sync", "hubspot", "--json"];
        let ended = bench.run(&words);
        assert_eq!(ended.code, Some(78), "{secret:?}: {ended:#?}");
        assert!(ended.stdout.contains(code), "{secret:?}: {ended:#?}");
        let told = ended
            .stderr
            .lines()
            .any(|line| line.contains(code) && line.contains(named));
        assert!(
            told,
            "{secret:?}: no line with {code} and {named}: {ended:#?}"
        );
        assert!(
            !ended.stderr.contains("canary") && !ended.stdout.contains("canary"),
            "{ended:#?}"
        );
        let checked = bench.run(&["check", "hubspot", "--json"]);
        assert_eq!(checked.code, Some(78), "{checked:#?}");
        assert_eq!(checked.document()["checks"][0]["code"], code);
    }
}

#[test]
fn a_login_that_is_revoked_at_one_vendor_does_not_keep_the_other_from_its_work() {
    let mut bench = Bench::with_records(100);
    bench.set(
        "SALESYNC_SECRET_HUBSPOT",
        "{\"private_app_token\":\"pat-wrong\"}",
    );
    let ended = bench.run(&["sync", "all", "--json"]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    for run in ended.runs() {
        let expected = if run["source"] == "hubspot" {
            "failed"
        } else {
            "succeeded"
        };
        assert_eq!(run["status"], expected, "{run}");
    }
    bench.unset("SALESYNC_SECRET_HUBSPOT");
    let ended = bench.sync(&["all"]);
    assert_eq!(
        ended.document()["not_configured"],
        serde_json::json!(["dialpad", "gmail", "hubspot"])
    );
}

#[test]
fn a_file_that_is_no_warehouse_is_named_and_left_as_it_is() {
    let bench = Bench::with_records(10);
    let file = bench.folder().join("salesync.duckdb");
    let text = "these are someone's notes, not a database\n".repeat(500);
    std::fs::write(&file, &text).unwrap();
    for words in [
        &["sync", "all"][..],
        &["status"],
        &["resolve"],
        &["dlq", "list"],
    ] {
        assert_refused(
            words,
            &bench.run(words),
            78,
            &["ERR_STORE_CORRUPT", "salesync.duckdb"],
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_refused(
        &["status"],
        &bench.run(&["status"]),
        78,
        &["ERR_CONFIG_INVALID", "salesync.duckdb"],
    );
}

#[test]
fn a_second_process_waits_a_little_and_then_passes_over_its_turn() {
    let latency = Duration::from_millis(300);
    let bench = Bench::new(SandboxConfig {
        records: 3_000,
        latency,
        ..SandboxConfig::default()
    });
    let (sender, receiver) = std::sync::mpsc::channel();
    // Whoever waits may have heard enough.
    bench
        .world()
        .on_page(move |_, _| sender.send(()).unwrap_or_default());
    bench.world().fail_next(
        Fault::Slow(Duration::from_secs(9)),
        "/crm/v3/objects/contacts",
        1,
    );
    let first = bench.start(&["sync", "all"]);
    receiver.recv_timeout(Duration::from_secs(30)).unwrap();
    let words = ["sync", "all", "--json"];
    let second = bench.run(&words);
    assert_eq!(second.code, Some(0), "{second:#?}");
    assert_eq!(second.document()["skipped"], "ERR_RUN_OVERLAP");
    assert_refused(&words, &second, 0, &["ERR_RUN_OVERLAP"]);
    signal(&first, "TERM");
    wait(first);
}

#[test]
fn every_command_explains_itself() {
    let bench = Bench::with_records(10);
    let commands: [&[&str]; 14] = [
        &[],
        &["demo"],
        &["sandbox"],
        &["sync"],
        &["resolve"],
        &["match"],
        &["runs"],
        &["status"],
        &["check"],
        &["dlq"],
        &["dlq", "list"],
        &["dlq", "show"],
        &["dlq", "redrive"],
        &["dlq", "discard"],
    ];
    for words in commands {
        let ended = bench.run(&[words, &["--help"]].concat());
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{words:?}"
        );
        assert!(
            ended.stdout.contains("Usage:") && ended.stdout.lines().count() > 5,
            "{words:?}: {}",
            ended.stdout
        );
        assert!(
            ended.stdout.lines().all(|line| line.chars().count() <= 100),
            "{words:?}: {}",
            ended.stdout
        );
    }
    assert!(bench.run(&["--version"]).stdout.starts_with("salesync "));
}

#[test]
fn every_command_answers_with_one_json_document() {
    let bench = Bench::with_records(300);
    let nothing_yet = bench.json(&["status"]);
    assert_eq!(nothing_yet["streams"], serde_json::json!([]));
    assert_eq!(bench.json(&["runs"]), serde_json::json!([]));
    let synced = bench.json(&["sync", "all"]);
    assert_eq!(synced["runs"].as_array().map(Vec::len), Some(16));
    assert_eq!(
        bench.json(&["sync", "all", "--dry-run"])["runs"]
            .as_array()
            .map(Vec::len),
        Some(16)
    );
    assert!(bench.json(&["resolve"])["people"].as_u64() > Some(10));
    let runs = bench.json(&["runs"]);
    assert_eq!(
        runs.as_array().map(Vec::len),
        Some(16),
        "a dry run leaves no row"
    );
    assert!(
        runs[0]["started_at"]
            .as_str()
            .is_some_and(|time| time.starts_with("20") && time.contains('T')),
        "{}",
        runs[0]
    );
    let status = bench.json(&["status"]);
    assert_eq!(status["streams"].as_array().map(Vec::len), Some(16));
    assert!(status["streams"][0]["complete_to"].is_string(), "{status}");
    let checked = bench.json(&["check"]);
    assert!(
        checked["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|source| source["ok"] == true),
        "{checked}"
    );
    assert!(bench.json(&["dlq", "list"]).is_array());
    assert_eq!(bench.json(&["dlq", "redrive"])["tried"], 0);
    std::fs::write(
        bench.folder().join("a.csv"),
        "name,email\nAda,ada@x.example\n",
    )
    .unwrap();
    assert_eq!(
        bench.json(&["match", "a.csv", "--out", "b.csv"])["records"],
        1
    );
    let demo = bench.json(&["demo", "--records", "200"]);
    assert_eq!(
        demo["synced"]["runs"].as_array().map(Vec::len),
        Some(35),
        "{demo}"
    );
    assert!(
        demo["resolved"]["people"].as_u64() > Some(10) && demo["warehouse"].is_string(),
        "{demo}"
    );
    let wrong = bench.run(&["sync", "nowhere", "--json"]);
    assert_eq!(wrong.document()["error"]["code"], "ERR_REQUEST_INVALID");
}

#[test]
fn a_dry_run_writes_nothing() {
    let bench = Bench::with_records(300);
    let ended = bench.sync(&["all", "--dry-run"]);
    assert!(
        ended
            .runs()
            .iter()
            .all(|run| run["fetched"].as_u64() > Some(0)),
        "{ended:#?}"
    );
    assert!(!bench.folder().join("salesync.duckdb").exists());
    bench.json(&["status"]);
    bench.sync(&["all", "--dry-run"]);
    let sql = "SELECT table_name FROM duckdb_columns() WHERE schema_name = 'sales' AND column_name = '_version'";
    assert_eq!(bench.tables().list(sql), Vec::<String>::new());
    assert_eq!(bench.tables().number("SELECT count(*) FROM sync_state"), 0);
}

#[test]
fn tables_for_people_go_to_stdout_and_remarks_to_stderr() {
    let bench = Bench::with_records(300);
    let passed_over = "dialpad was passed over: it has no secret\n\
                       gmail was passed over: it has no secret\n";
    let ended = bench.run(&["sync", "all"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), passed_over),
        "no terminal, no progress"
    );
    assert_eq!(ended.stdout.lines().count(), 17, "{}", ended.stdout);
    for words in [
        &["status"][..],
        &["runs"],
        &["check"],
        &["dlq", "list"],
        &["resolve"],
    ] {
        let ended = bench.run(words);
        let remarks = if words == ["check"] { passed_over } else { "" };
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), remarks),
            "{words:?}"
        );
        assert!(
            !ended.stdout.is_empty() && !ended.stdout.contains('{'),
            "{words:?}: {}",
            ended.stdout
        );
    }
    let shown = bench.run(&["check"]);
    let secrets: Value = serde_json::from_str(&salesync_sandbox::salesforce_secret()).unwrap();
    assert!(
        !shown
            .stdout
            .contains(secrets["client_secret"].as_str().unwrap()),
        "{}",
        shown.stdout
    );
}
