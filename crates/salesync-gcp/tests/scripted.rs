//! What an emulator can't show: results in pages, quotas, caps, and writers that are in each other's way, told by a
//! server that answers as a test says. Its answers have the forms of Google's reference of the API, v2.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are the helpers of tests"
)]

#[cfg(test)]
mod wire;

use std::sync::{Arc, Mutex};

use arrow::array::AsArray;
use salesync_core::batch::{Batch, RowBuffer};
use salesync_core::error::{Code, Result};
use salesync_core::record::{Change, Value as Cell};
use salesync_core::run::RunId;
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::time::Timestamp;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Scan, Warehouse};
use salesync_gcp::{BigQuerySettings, BigQueryWarehouse};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use wire::read_request;

/// An answer to the next request whose method and path hold a text.
type Planned = (&'static str, u16, Value);

/// A BigQuery in which every job has run and no table is there, but for what was planned.
struct Scripted {
    warehouse: BigQueryWarehouse,
    planned: Arc<Mutex<Vec<Planned>>>,
    /// What was asked, and the bodies.
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Scripted {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let planned = Arc::<Mutex<Vec<Planned>>>::default();
        let asked = Arc::<Mutex<Vec<(String, Value)>>>::default();
        let (plans, log) = (Arc::clone(&planned), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (plans, log) = (Arc::clone(&plans), Arc::clone(&log));
                tokio::spawn(async move { answer(socket, &plans, &log).await });
            }
        });
        let settings = BigQuerySettings {
            emulator: Some(url),
            max_bytes_billed: 7_000_000,
            ..BigQuerySettings::new("p", "d", Timestamp::EPOCH)
        };
        let warehouse = BigQueryWarehouse::open(&settings).await.unwrap();
        asked.lock().unwrap().clear();
        Self {
            warehouse,
            planned,
            asked,
        }
    }

    fn plan(&self, answers: impl IntoIterator<Item = Planned>) {
        self.planned.lock().unwrap().extend(answers);
    }

    fn asked(&self, text: &str) -> Vec<(String, Value)> {
        let asked = self.asked.lock().unwrap();
        let meant = asked.iter().filter(|(line, _)| line.contains(text));
        meant.cloned().collect()
    }

    /// Reads a table with one column; returns its ids.
    async fn ids(&self) -> Result<Vec<String>> {
        self.plan([(
            "GET /bigquery/v2/projects/p/datasets/d/tables/things",
            200,
            things(),
        )]);
        let scan = Scan::of(SqlIdentifier::parse("things").unwrap());
        let batches = self.warehouse.scan(&scan).await?;
        let ids = batches.iter().flat_map(|batch| {
            let ids = batch.column(0).as_string::<i32>();
            ids.iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        });
        Ok(ids.collect())
    }
}

async fn answer(
    mut socket: TcpStream,
    planned: &Mutex<Vec<Planned>>,
    asked: &Mutex<Vec<(String, Value)>>,
) -> Option<()> {
    let request = read_request(&mut socket).await?;
    let text = String::from_utf8_lossy(&request).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let line = head.lines().next()?.to_owned();
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    asked.lock().unwrap().push((line.clone(), body));
    let (status, body) = {
        let mut planned = planned.lock().unwrap();
        match planned
            .iter()
            .position(|(place, _, _)| line.contains(place))
        {
            Some(at) => {
                let (_, status, body) = planned.remove(at);
                (status, body)
            }
            None if line.contains("/tables/") => (404, problem("notFound", "Not found")),
            None if line.contains("/datasets/") => (200, json!({"location": "EU"})),
            None if line.contains("/queries/") => (200, json!({"jobComplete": true})),
            None => (200, json!({"status": {"state": "DONE"}})),
        }
    };
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 {status} As planned\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(answer.as_bytes()).await.ok()
}

fn problem(reason: &str, message: &str) -> Value {
    json!({"error": {"code": 400, "message": message, "errors": [{"reason": reason, "message": message}]}})
}

fn things() -> Value {
    json!({"schema": {"fields": [{"name": "id", "type": "STRING"}]}})
}

fn page(ids: &[&str], next: Option<&str>) -> Planned {
    let rows: Vec<Value> = ids.iter().map(|id| json!({"f": [{"v": id}]})).collect();
    let mut page = things();
    page["jobComplete"] = true.into();
    page["rows"] = rows.into();
    if let Some(next) = next {
        page["pageToken"] = next.into();
    }
    ("/queries/", 200, page)
}

#[tokio::test]
async fn results_are_waited_for_and_read_to_the_last_page() {
    let bigquery = Scripted::start().await;
    let not_yet = ("/queries/", 200, json!({"jobComplete": false}));
    let pages = [
        page(&["a", "b"], Some("2")),
        page(&["c"], Some("3")),
        page(&["d"], None),
    ];
    bigquery.plan([not_yet].into_iter().chain(pages));
    assert_eq!(bigquery.ids().await.unwrap(), ["a", "b", "c", "d"]);
    let asked = bigquery.asked("/queries/");
    let tokens: Vec<bool> = ["pageToken=2", "pageToken=3"]
        .map(|token| asked.iter().any(|(line, _)| line.contains(token)))
        .into();
    assert_eq!((asked.len(), tokens), (4, vec![true, true]));
    // Where the dataset is, and not where the settings would make one.
    assert!(asked.iter().all(|(line, _)| line.contains("location=EU")));
}

#[tokio::test]
async fn a_page_that_leads_back_to_itself_is_an_error_and_no_end() {
    let bigquery = Scripted::start().await;
    bigquery.plan([page(&["a"], Some("2")), page(&["b"], Some("2"))]);
    let error = bigquery.ids().await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
}

#[tokio::test]
async fn a_job_over_a_quota_is_started_again_under_the_same_name() {
    let bigquery = Scripted::start().await;
    for reason in ["rateLimitExceeded", "quotaExceeded"] {
        bigquery.plan([(
            "POST /bigquery/v2/projects/p/jobs",
            403,
            problem(reason, "Slow down"),
        )]);
        bigquery.plan([page(&["a"], None)]);
        assert_eq!(bigquery.ids().await.unwrap(), ["a"], "{reason}");
    }
    let started = bigquery.asked("POST /bigquery/v2/projects/p/jobs");
    let names: Vec<&Value> = started
        .iter()
        .map(|(_, body)| &body["jobReference"]["jobId"])
        .collect();
    assert_eq!(names.len(), 4);
    assert_eq!((names[0], names[2]), (names[1], names[3]));
    assert_ne!(names[0], names[2]);
}

#[tokio::test]
async fn every_job_names_its_cap_and_its_place() {
    let bigquery = Scripted::start().await;
    bigquery.ids().await.unwrap();
    let jobs = bigquery.asked("POST /bigquery/v2/projects/p/jobs");
    assert!(!jobs.is_empty());
    for (_, body) in jobs {
        assert_eq!(
            body["configuration"]["query"]["maximumBytesBilled"],
            "7000000"
        );
        assert_eq!(body["jobReference"]["location"], "EU");
    }
}

#[tokio::test]
async fn a_refusal_is_told_by_its_reason_and_never_by_its_message() {
    let cases = [
        (
            "bytesBilledLimitExceeded",
            "Query exceeded limit for bytes billed",
            Code::ConfigInvalid,
        ),
        (
            "accessDenied",
            "Access Denied: Table p:d.secret-name",
            Code::ConfigInvalid,
        ),
        (
            "invalidQuery",
            "Could not cast literal 'secret-name'",
            Code::StoreSchema,
        ),
        ("jobBackendError", "secret-name", Code::StoreUnavailable),
        (
            "invalidQuery",
            "Transaction is aborted due to concurrent update against table p:d.secret-name",
            Code::StoreConflict,
        ),
    ];
    for (reason, message, code) in cases {
        let bigquery = Scripted::start().await;
        // A conflict is met again and again.
        bigquery.plan((0..4).map(|_| ("/queries/", 400, problem(reason, message))));
        let error = bigquery.ids().await.unwrap_err();
        assert_eq!(error.code(), code, "{message}");
        assert!(
            !format!("{error} {error:?}").contains("secret-name"),
            "{error:?}"
        );
    }
}

/// Only whoever began a commit can begin it anew: what it looked for before may be elsewhere by then.
#[tokio::test]
async fn a_commit_that_met_another_writer_is_told_and_not_repeated_here() {
    let bigquery = Scripted::start().await;
    let columns = vec![Column::new("name", ColumnType::Text, "").unwrap()];
    let table = Arc::new(Table::new("things", "", columns).unwrap());
    let fields: Vec<Value> = table
        .all_columns()
        .map(|(name, column_type, _)| {
            let kind = if column_type == ColumnType::Timestamp {
                "TIMESTAMP"
            } else {
                "STRING"
            };
            json!({"name": name, "type": kind})
        })
        .collect();
    let mut buffer = RowBuffer::new(&table, &RunId::new(Timestamp::EPOCH)).unwrap();
    let change = Change {
        key: "a".into(),
        version: Timestamp::EPOCH,
        values: vec![Cell::Text("x".into())],
        extra: Vec::new(),
        deletion: None,
        replaces: Vec::new(),
    };
    buffer.push(&change, Timestamp::EPOCH, 1).unwrap();
    let there = json!({"schema": {"fields": fields}});
    let message = "Transaction is aborted due to concurrent update against table things";
    bigquery.plan([
        ("/datasets/d/tables/things", 200, there.clone()),
        ("/datasets/d/tables/sync_state", 200, there),
        ("/queries/", 400, problem("invalidQuery", message)),
    ]);
    let batch = Batch::from(buffer.finish().unwrap());
    let error = bigquery.warehouse.commit(batch).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreConflict);
    assert_eq!(bigquery.asked("POST /bigquery/v2/projects/p/jobs").len(), 1);
}
