//! The program with SQS and Secrets Manager, as moto serves them. Where SALESYNC_TEST_AWS names no moto, each test says
//! so and passes over it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use salesync_sandbox::{SandboxConfig, Vendor, hubspot_secret};
use serde_json::{Value, json};

use crate::bad_input::with_letters;
use crate::harness::{Bench, from_environment};

/// The contacts of HubSpot, and no more.
const CONTACTS: [&str; 3] = ["hubspot", "--streams", "contacts"];

/// An account at moto, asked with plain requests, as no code of the product does.
pub(crate) struct Moto(String);

impl Moto {
    pub(crate) fn here() -> Option<Self> {
        let origin = from_environment("SALESYNC_TEST_AWS");
        if origin.is_none() {
            println!("SALESYNC_TEST_AWS is not set: passed over");
        }
        Some(Self(origin?.to_str().unwrap().to_owned()))
    }

    /// Returns invented vendors, and a program that asks moto in the place of AWS.
    fn bench(&self, records: usize) -> Bench {
        self.lend_to(Bench::with_records(records))
    }

    /// Lets a program ask moto in the place of AWS.
    fn lend_to(&self, mut bench: Bench) -> Bench {
        self.lend(&mut bench);
        bench
    }

    /// Lets the programs of a bench ask moto in the place of AWS.
    pub(crate) fn lend(&self, bench: &mut Bench) {
        bench.set("AWS_ENDPOINT_URL", self.0.clone());
        bench.set("AWS_REGION", "us-east-1");
        bench.set("AWS_ACCESS_KEY_ID", "test");
        bench.set("AWS_SECRET_ACCESS_KEY", "test");
    }

    pub(crate) fn ask(&self, service: &str, what: &str, body: &Value) -> Value {
        let host = self.0.trim_start_matches("http://");
        let mut socket = TcpStream::connect(host).unwrap();
        let body = body.to_string();
        let length = body.len();
        write!(
            socket,
            "POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-amz-target: {what}\r\n\
             content-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=0\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{what}: {answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Makes a queue; returns its URL.
    pub(crate) fn make_queue(&self, name: &str) -> String {
        let name = format!("{name}-{}", std::process::id());
        let made = self.ask("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": name}));
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    /// Returns how many messages wait on a queue for anyone.
    pub(crate) fn count(&self, queue: &str) -> String {
        let asked = json!({"QueueUrl": queue, "AttributeNames": ["All"]});
        let answer = self.ask("sqs", "AmazonSQS.GetQueueAttributes", &asked);
        let count = &answer["Attributes"]["ApproximateNumberOfMessages"];
        count.as_str().unwrap().to_owned()
    }

    /// Returns the bodies of up to ten messages that wait on a queue, and leaves them there.
    fn bodies(&self, queue: &str) -> Vec<Value> {
        let asked = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0});
        let answer = self.ask("sqs", "AmazonSQS.ReceiveMessage", &asked);
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        let bodies = messages.iter().map(|message| message["Body"].as_str());
        bodies
            .map(|body| serde_json::from_str(body.unwrap()).unwrap())
            .collect()
    }
}

#[test]
fn dead_letters_go_on_to_a_queue_once_and_leave_it_when_they_are_settled() {
    let Some(moto) = Moto::here() else {
        return;
    };
    let queue = moto.make_queue("letters");
    let mut bench = moto.bench(300);
    bench.set("SALESYNC_DEAD_LETTERS", format!("sqs:{queue}"));
    assert!(with_letters(&bench, 3).is_empty(), "none is open any more");
    let listed = bench.json(&["dlq", "list", "--state", "forwarded"]);
    let listed = listed.as_array().unwrap().iter();
    let letters: Vec<String> = listed
        .map(|letter| letter["dead_id"].as_str().unwrap().to_owned())
        .collect();
    let mut sent: Vec<String> = moto
        .bodies(&queue)
        .iter()
        .map(|letter| letter["dead_id"].as_str().unwrap().to_owned())
        .collect();
    let mut expected = letters.clone();
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
    bench.sync(&CONTACTS);
    assert_eq!(moto.count(&queue), "3", "each once");
    let checks = bench.json(&["check", "hubspot"]);
    let checks = checks["checks"].as_array().unwrap();
    assert!(
        checks
            .iter()
            .any(|it| it["source"] == "dead_letters" && it["ok"] == true),
        "{checks:?}"
    );

    let discarded = bench.json(&["dlq", "discard", &letters[0]]);
    assert_eq!(discarded["discarded"], 1);
    assert_eq!(moto.count(&queue), "2");
    bench
        .world()
        .add_field(Vendor::HubSpot, "contacts", "fit_score", "string");
    assert_eq!(bench.json(&["dlq", "redrive"])["redriven"], 2);
    assert_eq!(moto.count(&queue), "0");
}

#[test]
fn letters_wait_in_the_warehouse_for_a_queue_that_is_not_there() {
    let Some(moto) = Moto::here() else {
        return;
    };
    let queue = moto.make_queue("late");
    let mut bench = moto.bench(300);
    bench.set("SALESYNC_DEAD_LETTERS", format!("sqs:{queue}-no-more"));
    let letters = with_letters(&bench, 2);
    let states = "SELECT DISTINCT state FROM dead_letters";
    assert_eq!(bench.tables().list(states), ["open"]);
    let checked = bench.run(&["check", "hubspot", "--json"]);
    assert_ne!(checked.code, Some(0), "{checked:#?}");
    assert!(checked.stdout.contains("-no-more"), "{checked:#?}");
    bench.set("SALESYNC_DEAD_LETTERS", format!("sqs:{queue}"));
    bench.sync(&CONTACTS);
    assert_eq!(moto.count(&queue), letters.len().to_string());
}

#[test]
fn a_run_that_did_not_succeed_is_told_to_the_queue_for_notices() {
    let Some(moto) = Moto::here() else {
        return;
    };
    let queue = moto.make_queue("notices");
    let mut bench = moto.bench(100);
    bench.set("SALESYNC_NOTIFY", format!("sqs:{queue}"));
    bench.sync(&CONTACTS);
    assert_eq!(moto.count(&queue), "0");
    bench.set(
        "SALESYNC_SECRET_HUBSPOT",
        "{\"private_app_token\":\"pat-wrong-canary\"}",
    );
    let ended = bench.run(&[&["sync"], &CONTACTS[..], &["--json"]].concat());
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    let told = moto.bodies(&queue);
    let run = ended.stream("contacts");
    assert_eq!(told.len(), 1, "{told:?}");
    for name in ["run_id", "source", "stream", "status", "code"] {
        assert_eq!(told[0][name], run[name], "{name}");
    }
    assert!(told[0]["remedy"].as_str().is_some_and(|it| !it.is_empty()));
    assert!(!told[0].to_string().contains("canary"));
    // A sync that can't even begin is told, and words that nobody understands are not.
    bench.set("SALESYNC_SECRET_HUBSPOT", "no document");
    let ended = bench.run(&[&["sync"], &CONTACTS[..], &["--json"]].concat());
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    let ended = bench.run(&["sync", "hubspot", "--streams", "no_such"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let told = moto.bodies(&queue);
    assert_eq!(told.len(), 2, "{told:?}");
    let failed = told.iter().find(|it| it["run_id"].is_null()).unwrap();
    for (name, expected) in [
        ("command", json!("sync")),
        ("source", json!("hubspot")),
        ("stream", Value::Null),
        ("status", json!("failed")),
        ("code", json!("ERR_CONFIG_INVALID")),
    ] {
        assert_eq!(failed[name], expected, "{failed}");
    }
}

#[test]
fn a_sync_that_its_time_stopped_leaves_on_a_queue_what_goes_on() {
    let Some(moto) = Moto::here() else {
        return;
    };
    let queue = moto.make_queue("continuations");
    let mut bench = moto.lend_to(Bench::new(SandboxConfig {
        records: 10_000,
        latency: Duration::from_millis(60),
        ..SandboxConfig::default()
    }));
    bench.set("SALESYNC_CONTINUATION", format!("sqs:{queue}"));
    bench.set("SALESYNC_DEADLINE_SECS", "1");
    let ended = bench.run(&[&["sync"], &CONTACTS[..], &["--json"]].concat());
    let document = ended.document();
    assert_eq!(document["continued"], json!(["hubspot"]), "{ended:#?}");
    let left = moto.bodies(&queue);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["continue"]["source"], "hubspot");
    assert_eq!(left[0]["continue"]["streams"], json!(["contacts"]));
    assert_eq!(left[0]["hop"], 1);
    assert_eq!(left[0]["after"], ended.stream("contacts")["run_id"]);
}

#[test]
fn secrets_come_from_aws_and_one_that_is_not_there_is_passed_over() {
    let Some(moto) = Moto::here() else {
        return;
    };
    let mut bench = moto.bench(100);
    bench.unset("SALESYNC_SECRET_HUBSPOT");
    bench.unset("SALESYNC_SECRET_SALESFORCE");
    bench.set("SALESYNC_SECRETS", "aws:us-east-1");
    let tenant = format!("tenant_{}", std::process::id());
    bench.set("SALESYNC_TENANT", tenant.clone());
    let name = format!("salesync/{tenant}/hubspot");
    let token = |digit: &str| digit.repeat(32);

    let ended = bench.run(&["sync", "hubspot"]);
    assert_eq!(ended.code, Some(78), "{ended:#?}");
    assert!(ended.stderr.contains(&name), "{ended:#?}");
    let unset = json!({"Name": name, "SecretString": "changeme", "ClientRequestToken": token("1")});
    moto.ask("secretsmanager", "secretsmanager.CreateSecret", &unset);
    let ended = bench.run(&["sync", "hubspot"]);
    assert!(
        ended.stderr.contains("ERR_CONFIG_SECRET_PLACEHOLDER") && ended.stderr.contains(&name),
        "{ended:#?}"
    );
    let set = json!({"SecretId": name, "SecretString": hubspot_secret(), "ClientRequestToken": token("2")});
    moto.ask("secretsmanager", "secretsmanager.PutSecretValue", &set);
    let words = ["sync", "all", "--streams", "contacts", "--json"];
    let ended = bench.run(&words);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.stream("contacts")["status"], "succeeded");
    assert!(
        ended.document()["not_configured"]
            .as_array()
            .unwrap()
            .contains(&json!("salesforce"))
    );
    assert!(!ended.stderr.contains("private_app_token"), "{ended:#?}");

    // Not even at the most talkative is what was read written down.
    bench.set("SALESYNC_LOG", "trace");
    let ended = bench.run(&words);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(!ended.stderr.contains("private_app_token"));
    assert!(!ended.stderr.contains(salesync_sandbox::HUBSPOT_TOKEN));
}
