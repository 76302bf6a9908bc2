//! HubSpot's own OpenAPI description, served by Prism with its own examples: what it answers is decoded, or set
//! aside with a reason; nothing panics.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::harness::{Bench, from_environment, pause, test_data};

/// The descriptions that together hold what a sync asks for.
const DESCRIPTIONS: [&str; 11] = [
    "contacts.v3.json",
    "companies.v3.json",
    "deals.v3.json",
    "calls.v3.json",
    "emails.v3.json",
    "meetings.v3.json",
    "notes.v3.json",
    "tasks.v3.json",
    "associations.v4.json",
    "crmOwners.v3.json",
    "properties.v3.json",
];

/// A running Prism; it ends with the test.
struct Prism {
    child: Child,
    url: String,
}

impl Drop for Prism {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What the descriptions' own examples are replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Examples {
    /// They stay, and they are all null.
    Own,
    /// Prism derives one from each type.
    Derived,
    /// Prism makes them up at random, from a seed.
    Random,
}

/// Takes every example away that says nothing.
fn without_examples(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| name != "example" || !value.is_null());
            fields.values_mut().for_each(without_examples);
        }
        Value::Array(values) => values.iter_mut().for_each(without_examples),
        _ => {}
    }
}

/// Puts several descriptions into one, since Prism serves one. Deals go by their number there, and some
/// answers are of type `*/*`, which Prism can't write.
fn merged(folder: &Path) -> Value {
    let mut whole = json!({"openapi": "3.0.1", "info": {"title": "CRM", "version": "v3"}, "paths": {}, "components": {}});
    for name in DESCRIPTIONS {
        let text = std::fs::read_to_string(folder.join(name))
            .unwrap()
            .replace("/objects/0-3", "/objects/deals")
            .replace("\"*/*\"", "\"application/json\"");
        let description: Value = serde_json::from_str(&text).unwrap();
        join(
            whole["paths"].as_object_mut().unwrap(),
            &description["paths"],
        );
        for (part, values) in description["components"].as_object().unwrap() {
            let parts = whole["components"].as_object_mut().unwrap();
            join(
                parts
                    .entry(part)
                    .or_insert_with(|| json!({}))
                    .as_object_mut()
                    .unwrap(),
                values,
            );
        }
    }
    // The description says that a sort is a text, HubSpot only sorts by objects, and it asks for an `after`
    // that HubSpot does without: https://github.com/HubSpot/hubspot-api-nodejs/issues/14 and /559.
    let search = &mut whole["components"]["schemas"]["PublicObjectSearchRequest"];
    search["required"] = json!(["filterGroups", "limit", "properties", "sorts"]);
    search["properties"]["sorts"]["items"] = json!({});
    whole
}

fn join(into: &mut Map<String, Value>, values: &Value) {
    for (name, value) in values.as_object().unwrap() {
        into.entry(name).or_insert_with(|| value.clone());
    }
}

/// Starts Prism and waits until it answers.
fn prism(program: &Path, description: &Path, words: &[&str]) -> Prism {
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut child = Command::new(program)
        .args([
            "mock",
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--errors=false",
        ])
        .args(words)
        .arg(description)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Read to its end, or Prism stops when the pipe is full.
    let lines = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || lines.lines().count());
    let url = format!("http://127.0.0.1:{port}");
    let answers = (0..600).any(|_| {
        TcpStream::connect(("127.0.0.1", port)).is_ok() || !pause(Duration::from_millis(50))
    });
    assert!(answers, "Prism does not answer");
    Prism { child, url }
}

fn inputs() -> Option<(PathBuf, PathBuf)> {
    let program = from_environment("SALESYNC_PRISM");
    if program.is_none() {
        println!("SALESYNC_PRISM is not set: passed over");
    }
    Some((program?, test_data()?.join("specs/hubspot")))
}

#[test]
fn what_hubspots_own_description_answers_is_decoded_or_set_aside_with_a_reason() {
    let Some((program, descriptions)) = inputs() else {
        return;
    };
    let mut bench = Bench::with_records(0);
    // Prism repeats one page for ever; the run must notice, or its time must end.
    bench.set("SALESYNC_DEADLINE_SECS", "8");
    for examples in [Examples::Own, Examples::Derived, Examples::Random] {
        let mut description = merged(&descriptions);
        if examples != Examples::Own {
            without_examples(&mut description);
        }
        let file = bench.folder().join(format!("{examples:?}.json"));
        std::fs::write(&file, description.to_string()).unwrap();
        let words: &[&str] = if examples == Examples::Random {
            &["--dynamic", "--seed", "7"]
        } else {
            &[]
        };
        let prism = prism(&program, &file, words);
        bench.set("SALESYNC_HUBSPOT_BASE_URL", prism.url.clone());
        bench.set("SALESYNC_WAREHOUSE", format!("duckdb:{examples:?}.duckdb"));
        let ended = bench.run(&["sync", "hubspot", "--json"]);
        for sign in ["panicked", "ERR_INTERNAL"] {
            assert!(
                !ended.stderr.contains(sign) && !ended.stdout.contains(sign),
                "{examples:?}: {ended:#?}"
            );
        }
        assert!(
            [Some(0), Some(75)].contains(&ended.code),
            "{examples:?}: {ended:#?}"
        );
        let (mut rows, mut fetched, mut rejected) = (0, 0, 0);
        for run in ended.runs() {
            fetched += run["fetched"].as_u64().unwrap();
            rejected += run["rejected"].as_u64().unwrap();
            rows += run["new"].as_u64().unwrap() + run["tombstoned"].as_u64().unwrap();
            println!(
                "{examples:?}: {}: {} {} {run}",
                run["stream"], run["status"], run["code"]
            );
        }
        let is_read = fetched > 0 && rows + rejected > 0;
        // A null in every page's place is no answer, and nothing is made of it.
        assert_eq!(
            is_read,
            examples != Examples::Own,
            "{examples:?}: {ended:#?}"
        );
        let letters = bench.run(&["dlq", "list", "--json"]).document();
        for letter in letters.as_array().unwrap() {
            assert!(
                letter["code"]
                    .as_str()
                    .is_some_and(|code| code.starts_with("ERR_RECORD_")),
                "{letter}"
            );
            assert!(
                letter["message"]
                    .as_str()
                    .is_some_and(|reason| !reason.is_empty()),
                "{letter}"
            );
        }
        let letter_count = u64::try_from(letters.as_array().unwrap().len()).unwrap();
        assert!(
            letter_count <= rejected && (rejected == 0) == (letter_count == 0),
            "{letter_count} letters, {rejected} rejects"
        );
    }
}
