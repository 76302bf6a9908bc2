//! `salesync serve`: the program asked over HTTP, as a scheduler or a person does, with the vendors of the sandbox.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;
use std::time::Duration;

use salesync_sandbox::SandboxConfig;
use serde_json::{Value, json};

use crate::harness::{Bench, ends_within, pause, signal};
use crate::truth::{Swept, assert_hubspot};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const CONTACTS: &str = r#"{"source":"hubspot","streams":["contacts"]}"#;

/// The program, serving; it ends with the test.
struct Server {
    child: Child,
    host: String,
}

impl Server {
    fn start(bench: &Bench) -> Self {
        let mut child = bench.start(&["serve", "--port", "0", "--json"]);
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let url = said["url"].as_str().unwrap();
        let host = url.strip_prefix("http://").unwrap().to_owned();
        Self { child, host }
    }

    /// Sends a request and returns the status and the body.
    fn ask(&self, head: &str, body: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(&self.host).unwrap();
        write!(
            socket,
            "{head} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {SECRET}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn document(&self, head: &str, body: &str) -> Value {
        let (status, text) = self.ask(head, body);
        assert_eq!(status, 200, "{head}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn slow() -> Bench {
    let latency = Duration::from_millis(60);
    Bench::new(SandboxConfig {
        records: 10_000,
        latency,
        ..SandboxConfig::default()
    })
}

/// A message as Pub/Sub pushes it; the data is the base64 of a continuation of the contacts' sync.
fn pushed(id: u32) -> String {
    let data = concat!(
        "eyJjb250aW51ZSI6eyJzb3VyY2UiOiJo",
        "dWJzcG90Iiwic3RyZWFtcyI6WyJjb250YWN0cyJdfSwiaG9w",
        "IjoxLCJhZnRlciI6IjAxSkRNNlgwWlA4VzZUM1E4TjRWNVI3UzlBIn0="
    );
    json!({"message": {"messageId": id.to_string(), "data": data}}).to_string()
}

#[test]
fn a_sync_over_http_is_the_same_as_on_the_command_line() {
    let bench = Bench::with_records(300);
    let mut server = Server::start(&bench);
    // What the warehouse is asked for is measured where somebody reads it.
    assert_eq!(server.ask("GET /metrics", "").0, 200);
    let synced = server.document("POST /v1/syncs", CONTACTS);
    let run = &synced["runs"][0];
    assert_eq!(
        (&run["stream"], &run["status"]),
        (&json!("contacts"), &json!("succeeded")),
        "{synced}"
    );
    let id = run["run_id"].as_str().unwrap();
    let logged = server.document(&format!("GET /v1/runs/{id}"), "");
    assert_eq!(logged["runs"][0]["fetched"], run["fetched"]);
    let listed = server.document("GET /v1/runs?source=hubspot", "");
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1, "{listed}");
    let resolved = server.document("POST /v1/resolve", "{}");
    assert!(resolved["people"].as_u64().unwrap() > 0, "{resolved}");
    let (status, metrics) = server.ask("GET /metrics", "");
    assert_eq!(status, 200);
    for begin in [
        "sync_runs_total{source=\"hubspot\",outcome=\"succeeded\"} 1\n",
        "sync_run_duration_seconds_count{source=\"hubspot\"} 1\n",
        "sync_records_total{stream=\"hubspot_contacts\",disposition=\"new\"} ",
        "sync_lag_seconds{stream=\"hubspot_contacts\"} ",
        "ledger_gap_records{stream=\"hubspot_contacts\"} 0\n",
        "api_calls_total{source=\"hubspot\",class=\"",
        "api_call_duration_seconds_count{source=\"hubspot\",class=\"",
        "circuit_state{target=\"hubspot\"} 0\n",
        "rate_limit_wait_seconds_total ",
        "dlq_depth 0\n",
        "dlq_oldest_age_seconds 0\n",
        "entity_match_rate{kind=\"person\"} ",
    ] {
        assert!(
            metrics.contains(&format!("\n{begin}")),
            "{begin}\n{metrics}"
        );
    }
    // Nobody at work, so the file is free for others, and for the one who looks.
    assert_hubspot(&bench, "contacts", Swept::No);
    signal(&server.child, "TERM");
    assert!(ends_within(&mut server.child, Duration::from_secs(5)));
}

#[test]
fn only_whoever_knows_the_secret_may_ask() {
    let mut bench = Bench::with_records(10);
    bench.set("SALESYNC_TRIGGER_SECRET", SECRET.replace('0', "x"));
    let server = Server::start(&bench);
    let (status, text) = server.ask("POST /v1/syncs", CONTACTS);
    assert_eq!(status, 401, "{text}");
    assert!(text.contains("ERR_AUTH_INVALID"), "{text}");
    assert_eq!(server.ask("GET /health", "").0, 200);
    assert!(bench.world().requests().is_empty(), "the vendor was asked");
}

#[test]
fn an_address_that_others_reach_needs_a_trigger_setting() {
    let bench = Bench::with_records(10);
    let ended = bench.run(&["serve", "--address", "0.0.0.0", "--port", "0"]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    assert!(
        ended.stderr.contains("SALESYNC_TRIGGER_SECRET"),
        "{ended:#?}"
    );
}

#[test]
fn a_service_does_not_start_without_knowing_who_may_trigger_and_where_rows_go() {
    let mut bench = Bench::with_records(10);
    bench.set("PORT", "0");
    let without_warehouse = bench.run(&[]);
    assert_eq!(without_warehouse.code, Some(78), "{without_warehouse:#?}");
    assert!(without_warehouse.stderr.contains("SALESYNC_WAREHOUSE"));
    bench.set("SALESYNC_WAREHOUSE", "duckdb:salesync.duckdb");
    let without_trigger = bench.run(&[]);
    assert_eq!(without_trigger.code, Some(78), "{without_trigger:#?}");
    assert!(without_trigger.stderr.contains("SALESYNC_TRIGGER_SECRET"));
    // Whoever gives words wants the command line, whatever the platform says.
    assert_eq!(bench.run(&["runs", "--json"]).code, Some(0));
}

#[test]
fn what_a_deadline_stopped_is_finished_by_its_continuations() {
    let mut bench = slow();
    bench.set("SALESYNC_DEADLINE_SECS", "1");
    let server = Server::start(&bench);
    let first = server.document("POST /v1/syncs", CONTACTS);
    let run = &first["runs"][0];
    assert_eq!(
        (&run["status"], &run["code"]),
        (&json!("partial"), &json!("ERR_RUN_DEADLINE"))
    );
    for id in 1..=50 {
        let next = server.document("POST /v1/continuations", &pushed(id));
        if next["runs"][0]["status"] == "succeeded" {
            assert_hubspot(&bench, "contacts", Swept::No);
            return;
        }
        assert_eq!(next["runs"][0]["code"], "ERR_RUN_DEADLINE", "{next}");
    }
    panic!("fifty continuations did not finish the sync");
}

#[test]
fn a_signal_lets_a_sync_commit_and_answer() {
    let bench = slow();
    let mut server = Server::start(&bench);
    let host = server.host.clone();
    let asking = std::thread::spawn(move || {
        let mut socket = TcpStream::connect(&host).unwrap();
        write!(
            socket,
            "POST /v1/syncs HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{CONTACTS}",
            CONTACTS.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    });
    let began = (0..1_000)
        .any(|_| bench.world().requests().len() >= 8 || !pause(Duration::from_millis(20)));
    assert!(began, "the sync did not begin");
    signal(&server.child, "TERM");
    let answer = asking.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("ERR_RUN_STOPPED"), "{answer}");
    assert!(ends_within(&mut server.child, Duration::from_secs(9)));
}
