//! The functions as a cloud starts them: one program for each vendor, under Lambda's runtime or over HTTP, with the
//! invented vendors, BigQuery's emulator and the queues of both clouds. Where a stand-in is not there, a test that needs
//! it says so and passes over it.

mod continuing;
mod function;
mod lambda;
mod letters;
mod queues;
mod refusing;
mod scheduled;
mod service;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use axum::Router;
use salesync_sandbox::{SandboxConfig, World, dialpad_secret};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::bigquery::{self, Dataset};
use crate::harness::Bench;
use crate::parity::{runtime, write_to};
use crate::rooms;

/// Nothing that a test asks takes longer.
const LIMIT: Duration = Duration::from_secs(180);

/// Few records of every vendor.
fn few() -> SandboxConfig {
    SandboxConfig {
        records: 60,
        mailboxes: 1,
        messages: Some(12),
        calls: Some(6),
        ..SandboxConfig::default()
    }
}

/// Returns the vendors that have a function.
fn vendors() -> Vec<String> {
    let functions = rooms::sources().unwrap();
    let vendors = functions.iter().map(|it| it.strip_suffix("-sync").unwrap());
    vendors.map(str::to_owned).collect()
}

/// What is most of what a vendor has.
struct Main {
    stream: &'static str,
    table: &'static str,
    /// The ids of its records, as the vendor knows them now.
    ids: Vec<String>,
}

impl Main {
    fn of(world: &World, vendor: &str) -> Self {
        let mails = || -> Vec<Value> {
            let mailboxes = world.mailboxes();
            mailboxes
                .iter()
                .flat_map(|it| world.gmail_messages(it))
                .collect()
        };
        let (stream, table, id, mut records): (_, _, _, Vec<Value>) = match vendor {
            "hubspot" => (
                "contacts",
                "hubspot_contacts",
                "id",
                world.hubspot_records("contacts"),
            ),
            "salesforce" => (
                "opportunities",
                "salesforce_opportunities",
                "Id",
                world.salesforce_records("Opportunity"),
            ),
            "gmail" => ("messages", "gmail_messages", "id", mails()),
            "dialpad" => ("calls", "dialpad_calls", "call_id", world.dialpad_calls()),
            other => panic!("say here what {other} has"),
        };
        let now_ms = world.now().timestamp_millis();
        records.retain(|record| {
            let is_gone = |name: &str| record[name] == true;
            let has_ended = record["ended_ms"].as_i64().is_none_or(|end| end <= now_ms);
            let gone = ["archived", "erased", "IsDeleted", "deleted"];
            has_ended && record["mergedInto"].is_null() && !gone.into_iter().any(is_gone)
        });
        let ids = records.iter().map(|it| it[id].as_str().unwrap().to_owned());
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        Self { stream, table, ids }
    }
}

/// Invented vendors, and a dataset that the programs write to.
struct Scene {
    bench: Bench,
    place: Dataset,
}

impl Scene {
    /// Starts vendors; none where no BigQuery is here.
    fn new(config: SandboxConfig, dataset: &str) -> Option<Self> {
        let place = bigquery::new_dataset(dataset)?;
        let mut bench = Bench::with_mail(config);
        let url = bench.url().to_owned();
        bench.set("SALESYNC_DIALPAD_BASE_URL", url);
        bench.set("SALESYNC_SECRET_DIALPAD", dialpad_secret());
        write_to(&mut bench, &place);
        Some(Self { bench, place })
    }

    fn world(&self) -> &World {
        self.bench.world()
    }

    fn main_of(&self, vendor: &str) -> Main {
        Main::of(self.world(), vendor)
    }

    /// Returns the first column of a query, in which `sales.` stands before a table's name.
    fn list(&self, sql: &str) -> Vec<String> {
        let dataset = format!("`{}`.`{}`.", self.place.project, self.place.dataset);
        let sql = sql.replace("sales.", &dataset);
        let rows = runtime().block_on(bigquery::query(&self.place, &sql));
        let first = rows.iter().map(|row| row[0].as_str().unwrap_or_default());
        first.map(str::to_owned).collect()
    }

    /// Fails unless the table holds these records, and each once.
    fn assert_holds(&self, table: &str, ids: &[String]) {
        let of_ids = "SELECT CAST(id AS STRING) AS id FROM sales.";
        let sql = format!("{of_ids}{table} WHERE _deleted_at IS NULL ORDER BY id");
        let held = self.list(&sql);
        assert!(held == ids, "{table} holds {held:?}, and there are {ids:?}");
    }
}

/// Something of ours that answers on this machine until it is dropped.
struct Served {
    host: String,
    _runtime: Runtime,
}

impl Served {
    fn new(router: Router) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        let listener = runtime
            .block_on(TcpListener::bind(("127.0.0.1", 0)))
            .unwrap();
        let host = listener.local_addr().unwrap().to_string();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            host,
            _runtime: runtime,
        }
    }
}

/// Sends a document with a plain request, as no code of the product does; returns the status and the document that is
/// answered.
fn post(host: &str, path: &str, headers: &str, body: &Value) -> (u16, Value) {
    let mut socket = TcpStream::connect(host).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let body = body.to_string();
    let length = body.len();
    write!(
        socket,
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let document = serde_json::from_str(body);
    (
        status,
        document.unwrap_or_else(|_| panic!("no JSON: {answer}")),
    )
}
