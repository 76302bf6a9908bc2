//! Dead letters on their way over Pub/Sub and back, and word of runs that did not succeed, with the program itself and
//! Google's own emulator. Where SALESYNC_TEST_PUBSUB names none, the tests say so and pass over it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use salesync_sandbox::Vendor;
use serde_json::{Value, json};

use crate::bad_input::with_letters;
use crate::harness::{Bench, from_environment};

/// An emulator with a topic of that name and a subscription of it.
pub(crate) struct Topic {
    pub(crate) host: String,
    pub(crate) name: String,
}

impl Topic {
    pub(crate) fn new(begin: &str) -> Option<Self> {
        let Some(host) = from_environment("SALESYNC_TEST_PUBSUB") else {
            println!("SALESYNC_TEST_PUBSUB is not set: passed over");
            return None;
        };
        let topic = Self {
            host: host.to_string_lossy().into_owned(),
            name: format!("{begin}-{}", std::process::id()),
        };
        let name = &topic.name;
        topic.ask("PUT", &format!("topics/{name}"), &json!({}));
        let subscription = json!({"topic": format!("projects/p/topics/{name}")});
        topic.ask("PUT", &format!("subscriptions/{name}-pull"), &subscription);
        Some(topic)
    }

    /// Returns the attributes `id` of messages that nobody holds.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let path = format!("subscriptions/{}-pull:pull", self.name);
        let asked = json!({"maxMessages": 100, "returnImmediately": true});
        let answer = self.ask("POST", &path, &asked);
        let received = answer["receivedMessages"].as_array().cloned();
        let received = received.unwrap_or_default();
        // They are given back.
        let ack_ids: Vec<&Value> = received.iter().map(|it| &it["ackId"]).collect();
        if !ack_ids.is_empty() {
            let path = format!("subscriptions/{}-pull:modifyAckDeadline", self.name);
            let back = json!({"ackIds": ack_ids, "ackDeadlineSeconds": 0});
            self.ask("POST", &path, &back);
        }
        let id = |it: &Value| {
            it["message"]["attributes"]["id"]
                .as_str()
                .map(str::to_owned)
        };
        let mut ids: Vec<String> = received.iter().filter_map(id).collect();
        ids.sort_unstable();
        ids
    }

    /// Asks with a plain request, as no code of the product does.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut socket = std::net::TcpStream::connect(&self.host).unwrap();
        let (host, body) = (&self.host, body.to_string());
        let length = body.len();
        write!(
            socket,
            "{method} /v1/projects/p/{path} HTTP/1.1\r\nhost: {host}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        // The emulator keeps the connection open.
        let mut lines = BufReader::new(socket);
        let mut length = 0;
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            match line.trim().to_lowercase().split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap(),
                Some(_) => {}
                None if line.trim().is_empty() => break,
                None => {}
            }
        }
        let mut answer = vec![0; length];
        lines.read_exact(&mut answer).unwrap();
        serde_json::from_slice(&answer).unwrap()
    }
}

#[test]
fn letters_go_on_to_a_topic_and_come_back_from_it_to_be_redriven() {
    let Some(topic) = Topic::new("letters") else {
        return;
    };
    let mut bench = Bench::with_records(300);
    // They wait since before there was a topic, as after a run that was killed before it could publish.
    let mut letters = with_letters(&bench, 2);
    letters.sort_unstable();
    bench.set("PUBSUB_EMULATOR_HOST", topic.host.as_str());
    bench.set("SALESYNC_DEAD_LETTERS", format!("pubsub:p/{}", topic.name));
    bench.sync(&["hubspot", "--streams", "contacts"]);
    assert_eq!(topic.waiting(), letters);
    let states = "SELECT DISTINCT state FROM dead_letters";
    assert_eq!(bench.tables().list(states), ["forwarded"]);
    assert_eq!(bench.json(&["status"])["open_dead_letters"], 2);
    // What was forwarded is not published again.
    bench.sync(&["hubspot", "--streams", "contacts"]);
    assert_eq!(topic.waiting(), letters);

    bench
        .world()
        .add_field(Vendor::HubSpot, "contacts", "fit_score", "string");
    assert_eq!(
        bench.json(&["dlq", "redrive", &letters[0]]),
        json!({"tried": 1, "redriven": 1, "rejected": 0})
    );
    assert_eq!(bench.json(&["dlq", "discard", &letters[1]])["discarded"], 1);
    assert_eq!(bench.json(&["dlq", "redrive"])["tried"], 0);
    let states = "SELECT state FROM dead_letters ORDER BY state";
    assert_eq!(bench.tables().list(states), ["discarded", "redriven"]);
    assert!(topic.waiting().is_empty());
}

#[test]
fn a_run_that_did_not_succeed_is_told_and_a_topic_that_is_not_there_costs_no_run() {
    let Some(topic) = Topic::new("notices") else {
        return;
    };
    let mut bench = Bench::with_records(300);
    bench.set("PUBSUB_EMULATOR_HOST", topic.host.as_str());
    bench.set("SALESYNC_NOTIFY", format!("pubsub:p/{}", topic.name));
    bench.set("SALESYNC_DEAD_LETTERS", "pubsub:p/no-such-topic");
    assert_eq!(with_letters(&bench, 1).len(), 1, "it is open");
    assert!(topic.waiting().is_empty(), "all is well so far");
    bench.set(
        "SALESYNC_SECRET_HUBSPOT",
        r#"{"private_app_token":"revoked"}"#,
    );
    let ended = bench.run(&["sync", "hubspot", "--streams", "contacts", "--json"]);
    assert_ne!(ended.code, Some(0), "{ended:#?}");
    let told = topic.waiting();
    assert!(
        told.len() == 1 && told[0].ends_with("-hubspot-contacts"),
        "{told:?}"
    );
}
