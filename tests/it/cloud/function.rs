//! A vendor's program, started and asked as its cloud does it.

use std::fs::File;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use salesync_sandbox::World;
use serde_json::{Value, json};

use super::lambda::RuntimeApi;
use super::queues::Message;
use super::service::Service;
use super::{LIMIT, Scene, post};
use crate::harness::{from_environment, pause};

/// The time that an invocation has where nothing else is said.
const LONG: Duration = Duration::from_secs(900);

/// What a function is started under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// cargo-lambda's emulator of Lambda. It knows one function of each name, so one test alone asks it.
    CargoLambda,
    /// The API of Lambda's runtime, with deadlines.
    Lambda,
    /// HTTP, with signed triggers.
    Http,
}

enum Asked {
    /// By whom, and under which name.
    Emulator(String, String),
    Runtime(RuntimeApi),
    Service(Service),
}

/// A function at work; it ends with the test.
pub(super) struct Function {
    child: Child,
    asked: Asked,
    world: World,
    log: PathBuf,
}

impl Function {
    /// Starts a vendor's function; none where its front is not here.
    pub(super) fn start(front: Front, scene: &Scene, vendor: &str) -> Option<Self> {
        let name = format!("{vendor}-sync");
        let mut command = scene.bench.command_of(&name, &[]);
        let (asked, api) = match front {
            Front::CargoLambda => {
                let host = emulator()?;
                let api = format!("http://{host}/.rt/{name}");
                (Asked::Emulator(host, name.clone()), Some(api))
            }
            Front::Lambda => {
                let runtime = RuntimeApi::new();
                let api = runtime.host().to_owned();
                (Asked::Runtime(runtime), Some(api))
            }
            Front::Http => (Asked::Service(Service::new()), None),
        };
        if let Some(api) = api {
            command.envs([
                ("AWS_LAMBDA_RUNTIME_API", api.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", name.as_str()),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ]);
        }
        if let Asked::Service(service) = &asked {
            command.envs(service.settings());
        }
        let log = scene.bench.folder().join(format!("{name}.log"));
        command
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap());
        let mut function = Self {
            child: command.spawn().unwrap(),
            asked,
            world: scene.world().clone(),
            log,
        };
        function.wait_until_it_listens();
        Some(function)
    }

    /// Waits for a service; the others take their events when they are ready.
    fn wait_until_it_listens(&mut self) {
        let Asked::Service(service) = &self.asked else {
            return;
        };
        let host = service.host();
        let mut tries = LIMIT.as_millis() / 20;
        while TcpStream::connect(&host).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", self.log());
            tries -= 1;
            assert!(tries > 0, "it does not listen: {}", self.log());
            pause(Duration::from_millis(20));
        }
    }

    /// Triggers a sync, and returns its report.
    pub(super) fn sync(&self, sync: &Value) -> Value {
        self.sync_within(sync, LONG)
    }

    /// The same with so much time for the invocation; a service's time is a setting.
    pub(super) fn sync_within(&self, sync: &Value, time: Duration) -> Value {
        self.command(("sync", "/v1/syncs"), sync, time)
    }

    /// Tells the function to redrive dead letters, and returns what became of them.
    pub(super) fn redrive(&self, redrive: &Value) -> Value {
        self.command(("redrive", "/v1/dlq/redrive"), redrive, LONG)
    }

    fn command(&self, (name, path): (&str, &str), words: &Value, time: Duration) -> Value {
        let done = match &self.asked {
            Asked::Service(_) => self.post(path, words),
            _ => self.invoke(&json!({name: words}), time),
        };
        done.unwrap_or_else(|failed| panic!("{name} {words}: {failed}\n{}", self.log()))
    }

    /// Brings messages of a queue, and returns the ids of those that must come again.
    pub(super) fn deliver(&self, messages: &[Message]) -> Vec<String> {
        if let Asked::Service(_) = &self.asked {
            let pushes = messages.iter().map(|it| (&it.id, pushed(it)));
            let refused = pushes.filter(|(_, push)| {
                let answer = self.post("/v1/continuations", push);
                let answer = answer.unwrap_or_else(|failed| panic!("{failed}\n{}", self.log()));
                answer.get("skipped").or(answer.get("discarded")).is_some()
            });
            return refused.map(|(id, _)| id.clone()).collect();
        }
        let records: Vec<Value> = messages.iter().map(record).collect();
        let answer = self.invoke(&json!({"Records": records}), LONG);
        let answer = answer.unwrap_or_else(|failed| panic!("{failed}\n{}", self.log()));
        let failures = answer["batchItemFailures"].as_array().unwrap();
        let ids = failures
            .iter()
            .map(|it| it["itemIdentifier"].as_str().unwrap());
        ids.map(str::to_owned).collect()
    }

    /// Returns the service, of which a test asks more than a scheduler does.
    pub(super) fn service(&self) -> &Service {
        match &self.asked {
            Asked::Service(service) => service,
            _ => panic!("it is no service"),
        }
    }

    pub(super) fn now_secs(&self) -> i64 {
        self.world.now().timestamp()
    }

    fn invoke(&self, event: &Value, time: Duration) -> Result<Value, Value> {
        match &self.asked {
            Asked::Runtime(runtime) => {
                let time_ms = i64::try_from(time.as_millis()).unwrap();
                runtime.invoke(event, self.world.now().timestamp_millis() + time_ms)
            }
            Asked::Emulator(host, name) => {
                let path = format!("/2015-03-31/functions/{name}/invocations");
                good(post(host, &path, "", event))
            }
            Asked::Service(_) => panic!("it is not invoked"),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, Value> {
        let service = self.service();
        let token = service.token(&json!({}), self.now_secs());
        good(service.post(path, Some(&token), body))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn good((status, document): (u16, Value)) -> Result<Value, Value> {
    match status {
        200 => Ok(document),
        _ => Err(json!({"status": status, "answer": document})),
    }
}

/// Returns where cargo-lambda's emulator is.
fn emulator() -> Option<String> {
    let origin = from_environment("SALESYNC_TEST_LAMBDA");
    if origin.is_none() {
        eprintln!("passed over: SALESYNC_TEST_LAMBDA names no emulator of Lambda");
    }
    let origin = origin?.to_str().unwrap().to_owned();
    Some(origin.trim_start_matches("http://").to_owned())
}

/// Returns a message as Pub/Sub pushes it.
fn pushed(message: &Message) -> Value {
    json!({
        "message": {
            "messageId": message.id,
            "data": STANDARD.encode(&message.body),
            "publishTime": "2026-11-26T03:00:00Z",
        },
        "subscription": "projects/p/subscriptions/continuations",
        "deliveryAttempt": 1,
    })
}

/// Returns a message as Lambda takes it from SQS.
fn record(message: &Message) -> Value {
    json!({
        "messageId": message.id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795700000000"},
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:continuations",
        "awsRegion": "eu-west-1",
    })
}
