//! The BigQuery that tests ask: an emulator, or a project at Google.
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};

use salesync_core::time::Timestamp;
use salesync_gcp::{BigQuerySettings, BigQueryWarehouse};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

static DATASETS: AtomicU32 = AtomicU32::new(0);

fn named(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where tests ask is no setting of the program"
    )]
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Returns a new dataset: of one of the emulators whose origins SALESYNC_TEST_BIGQUERY lists, in turn, or of the project
/// that it names. None where it is not set, which is said.
pub(crate) fn new_dataset(begin: &str) -> Option<Dataset> {
    let Some(places) = named("SALESYNC_TEST_BIGQUERY") else {
        eprintln!("passed over: SALESYNC_TEST_BIGQUERY names no BigQuery");
        return None;
    };
    let number = DATASETS.fetch_add(1, Ordering::Relaxed);
    let turn = usize::try_from(number).unwrap();
    let of = |list: &str| {
        let each: Vec<&str> = list.split_whitespace().collect();
        each[turn % each.len()].to_owned()
    };
    let place = of(&places);
    let dataset = format!("{begin}_{}_{number}", std::process::id());
    let is_emulator = place.contains("://");
    let project = if is_emulator { "p" } else { place.as_str() };
    Some(Dataset(BigQuerySettings {
        emulator: is_emulator.then(|| place.clone()),
        write_emulator: named("SALESYNC_TEST_BIGQUERY_WRITE").map(|list| of(&list)),
        ..BigQuerySettings::new(project, dataset, Timestamp::EPOCH)
    }))
}

/// Where a dataset is. One at Google is removed when the test has ended; what an emulator holds is gone with it.
pub(crate) struct Dataset(pub(crate) BigQuerySettings);

impl Deref for Dataset {
    type Target = BigQuerySettings;

    fn deref(&self) -> &BigQuerySettings {
        &self.0
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        if self.0.emulator.is_some() {
            return;
        }
        let settings = self.0.clone();
        let removes = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build();
            runtime.map(|it| it.block_on(BigQueryWarehouse::remove(&settings)))
        });
        drop(removes.join());
    }
}

/// Runs a statement; returns the rows of its answer.
pub(crate) async fn query(settings: &BigQuerySettings, sql: &str) -> Vec<Vec<Value>> {
    let body = json!({"query": sql, "useLegacySql": false, "timeoutMs": 200_000});
    let answer = ask(settings, "POST", "/queries", &body.to_string()).await;
    assert_eq!(answer["jobComplete"], true, "{answer}");
    let rows = answer["rows"].as_array().cloned().unwrap_or_default();
    let cells = |row: &Value| row["f"].as_array().cloned().unwrap_or_default();
    let cells = |row: &Value| cells(row).iter().map(|cell| cell["v"].clone()).collect();
    rows.iter().map(cells).collect()
}

/// Returns how many bytes BigQuery says a statement would read; an emulator says none.
pub(crate) async fn bytes_read(settings: &BigQuerySettings, sql: &str) -> u64 {
    let body = json!({"query": sql, "useLegacySql": false, "dryRun": true});
    let answer = ask(settings, "POST", "/queries", &body.to_string()).await;
    let bytes = answer["totalBytesProcessed"].as_str();
    bytes.unwrap_or("0").parse().unwrap()
}

/// Returns the scripts that were run on a dataset, the latest first.
pub(crate) async fn scripts(settings: &BigQuerySettings) -> Vec<String> {
    let answer = ask(settings, "GET", "/jobs?projection=full&maxResults=200", "").await;
    let jobs = answer["jobs"].as_array().cloned().unwrap_or_default();
    let texts = jobs.iter().filter_map(|job| {
        let query = &job["configuration"]["query"];
        let is_own = query["defaultDataset"]["datasetId"] == settings.dataset.as_str();
        is_own.then(|| query["query"].as_str().unwrap_or_default().to_owned())
    });
    texts.collect()
}

/// Asks with a plain request, as no code of the product does.
async fn ask(settings: &BigQuerySettings, method: &str, path: &str, body: &str) -> Value {
    let path = format!("/bigquery/v2/projects/{}{path}", settings.project);
    let answer = match &settings.emulator {
        Some(origin) => ask_emulator(origin, method, &path, body).await,
        None => ask_google(method, &path, body),
    };
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["error"].is_null(), "{answer}");
    answer
}

async fn ask_emulator(origin: &str, method: &str, path: &str, body: &str) -> String {
    let host = origin.trim_start_matches("http://");
    let mut socket = TcpStream::connect(host).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Asks by curl, with the token that `scripts/cloud_check.sh` has put into a file for it.
fn ask_google(method: &str, path: &str, body: &str) -> String {
    let login = named("SALESYNC_TEST_BIGQUERY_HEADERS").unwrap();
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--request", method, "--header"])
        .arg(format!("@{login}"))
        .args(["--header", "content-type: application/json"]);
    if !body.is_empty() {
        curl.args(["--data", body]);
    }
    let answer = curl.arg(format!("https://bigquery.googleapis.com{path}"));
    String::from_utf8(answer.output().unwrap().stdout).unwrap()
}
