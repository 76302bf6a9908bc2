//! BigQuery's REST API: tables, load jobs and query jobs. Facts from Google's reference of the API, v2.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use bytes::Bytes;
use salesync_core::error::{Code, Error, Result};
use salesync_core::retry::{MAX_RETRIES, wait_before};
use salesync_http::{
    Answer, Authenticator, Client, ClientSettings, Expected, Limit, LimitClass, Request, Timeouts,
    Verdict, segment,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use ulid::Ulid;

use crate::login::{DefaultLogin, NoLogin};
use crate::quotas::Quotas;
use crate::script::Script;
use crate::settings::{BigQuerySettings, Merging, Road};
use crate::tables::StoredTable;
use crate::write_api::WriteApi;

const ORIGIN: &str = "https://bigquery.googleapis.com";
/// 100 requests of one method a second and user.
const REST: LimitClass = LimitClass("rest");
/// How long the server may hold a question for results back before it says that they are not there yet.
const HOLD_MS: u64 = 20_000;
/// Rows of a page of results; an answer holds 10 MB of them at most anyway.
const PAGE_ROWS: u32 = 20_000;
/// A page's rows in JSON, and one row of a few megabytes.
const BODY_MAX_BYTES: usize = 128 * 1024 * 1024;
/// Between two looks at a load job.
const POLL: Duration = Duration::from_millis(300);
/// What stands between the parts of an upload, and the type that says so.
const BOUNDARY: &str = "salesync-rows-b7f0c1d2";
const MULTIPART: &str = "multipart/related; boundary=salesync-rows-b7f0c1d2";

/// A project's BigQuery, as one dataset of it is used.
#[derive(Debug)]
pub(crate) struct Api {
    http: Client,
    pub(crate) project: String,
    pub(crate) dataset: String,
    location: String,
    merging: Merging,
    pub(crate) road: Road,
    pub(crate) quotas: Quotas,
    write_api: WriteApi,
    max_bytes_billed: u64,
}

/// What is known of a table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TableResource {
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) schema: Schema,
    /// How large it is; views have no size.
    #[serde(default)]
    pub(crate) num_bytes: Option<String>,
}

/// The columns of a table or of results.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Schema {
    #[serde(default)]
    pub(crate) fields: Vec<Field>,
}

/// A column.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    precision: Option<String>,
    #[serde(default)]
    scale: Option<String>,
}

impl Field {
    /// Returns the digits that a decimal column was declared with: all, and those after the point.
    pub(crate) fn digits(&self) -> Option<(u8, i8)> {
        let precision = self.precision.as_deref()?.parse().ok()?;
        let scale = self.scale.as_deref().unwrap_or("0").parse().ok()?;
        Some((precision, scale))
    }
}

/// The rows of a query, page by page: each cell as text.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// The name of the query's job.
    job: String,
    pub(crate) schema: Schema,
    pub(crate) pages: Vec<Vec<Vec<Option<String>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    #[serde(default)]
    job_complete: bool,
    #[serde(default)]
    schema: Option<Schema>,
    #[serde(default)]
    rows: Vec<Row>,
    #[serde(default)]
    page_token: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    f: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    v: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: Problem,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    errors: Vec<Reason>,
}

/// Why something failed. The message may quote values, so that only the reason is ever shown.
#[derive(Deserialize, Default, Clone)]
struct Reason {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Job {
    status: Status,
    #[serde(default)]
    statistics: Statistics,
}

#[derive(Deserialize, Default)]
struct Statistics {
    #[serde(default)]
    query: QueryStatistics,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct QueryStatistics {
    total_bytes_billed: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: String,
    #[serde(default)]
    error_result: Option<Reason>,
}

impl Api {
    /// Returns the API; nothing is asked yet.
    pub(crate) fn new(settings: &BigQuerySettings) -> Result<Self> {
        let is_one_place = settings.emulator.is_some() == settings.write_emulator.is_some();
        if settings.road == Road::WriteApi && !is_one_place {
            return Err(
                Error::new(Code::ConfigInvalid, "find the Storage Write API").with(
                    "BIGQUERY_EMULATOR_HOST",
                    "goes with BIGQUERY_STORAGE_EMULATOR_HOST",
                ),
            );
        }
        let origin = settings.emulator.as_deref().unwrap_or(ORIGIN);
        let mut client = ClientSettings::new("bigquery", origin, settings.now);
        client.limits = vec![Limit {
            class: REST,
            permitted: 100,
            per: Duration::from_secs(1),
        }];
        client.max_body_bytes = BODY_MAX_BYTES;
        client.timeouts = Timeouts {
            first_byte: Duration::from_secs(60),
            whole: Duration::from_secs(300),
            ..Timeouts::default()
        };
        let login: Arc<dyn Authenticator> = match settings.emulator {
            None => Arc::new(DefaultLogin::of_bigquery(settings.login.as_ref())?),
            Some(_) => Arc::new(NoLogin),
        };
        Ok(Self {
            http: Client::new(client, login, classify)?,
            project: settings.project.clone(),
            dataset: settings.dataset.clone(),
            location: settings.location.clone(),
            merging: settings.merging,
            road: settings.road,
            quotas: Quotas::default(),
            write_api: WriteApi::new(settings.write_emulator.clone(), settings.login.clone()),
            max_bytes_billed: settings.max_bytes_billed,
        })
    }

    /// Returns how rows are merged into a table.
    pub(crate) fn merges(&self, table: &StoredTable) -> Merging {
        self.merging.of_size(table.size_bytes)
    }

    /// Returns the name of the dataset for staging tables.
    pub(crate) fn staging(&self) -> String {
        format!("{}_staging", self.dataset)
    }

    /// Returns the whole name of a table of the dataset, in backticks.
    pub(crate) fn named(&self, table: &str) -> String {
        format!("`{}.{}.{table}`", self.project, self.dataset)
    }

    /// Returns the whole name of a staging table, in backticks.
    pub(crate) fn staged(&self, table: &str) -> String {
        format!("`{}.{}.{table}`", self.project, self.staging())
    }

    /// Makes a dataset, or finds out where the one is that is there. Of one whose tables end after some time, the
    /// time is given.
    pub(crate) async fn dataset(&mut self, name: &str, ends: Option<Duration>) -> Result<()> {
        if self.find_dataset(name).await? {
            return Ok(());
        }
        let mut body = json!({
            "datasetReference": {"projectId": self.project, "datasetId": name},
            "location": self.location,
            "description": "Made by salesync",
        });
        if let (Some(ends), Some(body)) = (ends, body.as_object_mut()) {
            let ends = ends.as_millis().to_string();
            body.insert("defaultTableExpirationMs".to_owned(), ends.into());
        }
        let path = self.path("datasets");
        let request = Request::post("make a dataset", path, REST).json(&body)?;
        // Another process may have been faster.
        self.begin(request).await
    }

    /// Returns whether a dataset is there; jobs run where it is.
    pub(crate) async fn find_dataset(&mut self, name: &str) -> Result<bool> {
        #[derive(Deserialize)]
        struct Dataset {
            location: Option<String>,
        }
        let path = self.path(&format!("datasets/{}", segment(name)));
        let answer = self
            .ask(Request::get("look for a dataset", path, REST))
            .await?;
        if answer.status == 404 {
            return Ok(false);
        }
        let dataset: Dataset = good(&answer)?.json()?;
        if let Some(location) = dataset.location {
            self.location = location;
        }
        Ok(true)
    }

    /// Removes a dataset with all that is in it, where there is one.
    pub(crate) async fn remove(&self, dataset: &str) -> Result<()> {
        let path = self.path(&format!("datasets/{}", segment(dataset)));
        let request = Request::delete("remove a dataset", path, REST)
            .query("deleteContents", true)
            .expecting(Expected::Anything);
        let answer = self.ask(request).await?;
        match answer.status {
            404 => Ok(()),
            _ => good(&answer).map(drop),
        }
    }

    /// Returns what is known of a table or view; `None` where there is none of that name.
    pub(crate) async fn table(&self, name: &str) -> Result<Option<TableResource>> {
        let path = format!(
            "datasets/{}/tables/{}",
            segment(&self.dataset),
            segment(name)
        );
        let request = Request::get("look at a table", self.path(&path), REST);
        let answer = self.ask(request).await?;
        match answer.status {
            404 => Ok(None),
            _ => good(&answer)?.json().map(Some),
        }
    }

    /// Loads rows in Parquet into a table of the staging dataset, which is made for them.
    pub(crate) async fn load(&self, table: &str, rows: Bytes) -> Result<()> {
        const OPERATION: &str = "load rows";
        self.quotas.change(table).await?;
        let job = job_id();
        let configuration = json!({
            "jobReference": self.reference(&job),
            "configuration": {"load": {
                "destinationTable": {
                    "projectId": self.project, "datasetId": self.staging(), "tableId": table,
                },
                "sourceFormat": "PARQUET",
                "writeDisposition": "WRITE_APPEND",
                "decimalTargetTypes": ["NUMERIC", "BIGNUMERIC"],
            }},
        });
        let head = format!(
            "--{BOUNDARY}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n{configuration}\r\n\
             --{BOUNDARY}\r\ncontent-type: application/octet-stream\r\n\r\n"
        );
        let mut body = Vec::with_capacity(head.len() + rows.len() + 64);
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&rows);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let path = format!("/upload{}?uploadType=multipart", self.path("jobs"));
        self.begin(Request::post(OPERATION, path, REST).body(MULTIPART, body))
            .await?;
        let path = self.path(&format!("jobs/{job}"));
        loop {
            let request = Request::get(OPERATION, path.as_str(), REST);
            let answer = self.ask(request.query("location", &self.location)).await?;
            let job: Job = good(&answer)?.json()?;
            if job.status.state == "DONE" {
                return match job.status.error_result {
                    None => Ok(()),
                    Some(reason) => Err(failure(OPERATION, &reason)),
                };
            }
            sleep(POLL).await;
        }
    }

    /// Makes a table of the staging dataset with these columns, and writes rows to it by the Storage Write API.
    pub(crate) async fn write(
        &self,
        table: &str,
        columns: &[(&str, &str)],
        rows: &RecordBatch,
    ) -> Result<()> {
        const OPERATION: &str = "make a staging table";
        let (project, dataset) = (&self.project, self.staging());
        let fields = columns
            .iter()
            .map(|(name, kind)| json!({"name": name, "type": kind}));
        let body = json!({
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "schema": {"fields": fields.collect::<Vec<_>>()},
        });
        let path = self.path(&format!("datasets/{}/tables", segment(&dataset)));
        self.begin(Request::post(OPERATION, path, REST).json(&body)?)
            .await?;
        let table = format!("projects/{project}/datasets/{dataset}/tables/{table}");
        self.write_api.write(&table, rows).await
    }

    /// Runs a script and returns the rows of its last query. A script that met another writer did nothing and is run
    /// again, three times at most.
    pub(crate) async fn run(&self, operation: &'static str, script: &Script) -> Result<Rows> {
        let mut retry = 0;
        loop {
            match self.run_once(operation, script).await {
                Err(error) if error.code() == Code::StoreConflict && retry < MAX_RETRIES => {
                    let wait = wait_before(retry, None).ok_or(error)?;
                    retry += 1;
                    sleep(wait).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Runs a script once and returns the rows of its last query. A commit that met another writer is begun anew by
    /// whoever asked for it.
    pub(crate) async fn run_once(&self, operation: &'static str, script: &Script) -> Result<Rows> {
        let began = Instant::now();
        let job = job_id();
        let (query, parameters) = script.parts();
        let mut configuration = json!({
            "query": query,
            "useLegacySql": false,
            "defaultDataset": {"projectId": self.project, "datasetId": self.dataset},
            "maximumBytesBilled": self.max_bytes_billed.to_string(),
        });
        if let (Some(configuration), false) = (configuration.as_object_mut(), parameters.is_empty())
        {
            configuration.insert("parameterMode".to_owned(), "NAMED".into());
            configuration.insert(
                "queryParameters".to_owned(),
                Value::from(parameters.to_vec()),
            );
        }
        let body = json!({
            "jobReference": self.reference(&job),
            "configuration": {"query": configuration},
        });
        self.begin(Request::post(operation, self.path("jobs"), REST).json(&body)?)
            .await?;
        let rows = self.results(operation, &job).await;
        tracing::debug!(
            event = "query_ended",
            operation,
            took_secs = began.elapsed().as_secs_f64(),
            ok = rows.is_ok(),
            "query ended"
        );
        rows
    }

    fn reference(&self, job: &str) -> Value {
        json!({"projectId": self.project, "jobId": job, "location": self.location})
    }

    /// Starts a job or makes something. Where the first answer was lost, it is there already.
    async fn begin(&self, request: Request) -> Result<()> {
        let answer = self.ask(request).await?;
        match answer.status {
            409 => Ok(()),
            _ => good(&answer).map(drop),
        }
    }

    /// Returns the bytes that a script bills.
    pub(crate) async fn billed(&self, rows: &Rows) -> Result<u64> {
        let path = self.path(&format!("jobs/{}", rows.job));
        let request = Request::get("ask what a job bills", path, REST);
        let answer = self.ask(request.query("location", &self.location)).await?;
        let job: Job = good(&answer)?.json()?;
        let billed = job.statistics.query.total_bytes_billed;
        Ok(billed.and_then(|bytes| bytes.parse().ok()).unwrap_or(0))
    }

    /// Waits for a query job and returns its rows.
    async fn results(&self, operation: &'static str, job: &str) -> Result<Rows> {
        let path = self.path(&format!("queries/{job}"));
        let (mut rows, mut token) = (Rows::default(), None::<String>);
        job.clone_into(&mut rows.job);
        loop {
            let mut request = Request::get(operation, path.as_str(), REST)
                .query("location", &self.location)
                .query("timeoutMs", HOLD_MS)
                .query("maxResults", PAGE_ROWS)
                .query("formatOptions.useInt64Timestamp", true);
            if let Some(token) = &token {
                request = request.query("pageToken", token);
            }
            let answer = self.ask(request).await?;
            let results: Results = good(&answer)?.json()?;
            if !results.job_complete {
                continue;
            }
            rows.schema = results.schema.unwrap_or(rows.schema);
            let cells = |row: Row| row.f.into_iter().map(|cell| cell.v).collect();
            if !results.rows.is_empty() {
                rows.pages
                    .push(results.rows.into_iter().map(cells).collect());
            }
            match results.page_token {
                None => return Ok(rows),
                // A page that leads back to itself would be read for ever.
                Some(next) if token.as_ref() == Some(&next) => {
                    return Err(Error::new(Code::StoreUnavailable, operation).with("page", "again"));
                }
                next => token = next,
            }
        }
    }

    async fn ask(&self, request: Request) -> Result<Answer> {
        self.http.send(&request).await.map_err(|error| {
            let code = match error.code() {
                Code::SourceUnreachable
                | Code::SourceTimeout
                | Code::SourceStatus5xx
                | Code::SourceRateLimited
                | Code::SourceBodyTruncated
                | Code::SourceBodyMalformed
                | Code::SourceBreakerOpen => Code::StoreUnavailable,
                Code::SourceAuthExpired | Code::SourceForbidden => Code::ConfigInvalid,
                other => other,
            };
            Error::new(code, "ask BigQuery").because(error)
        })
    }

    fn path(&self, rest: &str) -> String {
        format!("/bigquery/v2/projects/{}/{rest}", segment(&self.project))
    }
}

/// Says what an answer means. What BigQuery refuses for good is an answer too: whoever asked reads the reason.
fn classify(answer: &Answer) -> Verdict {
    match answer.status {
        200..=299 | 400 | 404 | 409 => Verdict::Ok,
        401 => Verdict::RefreshToken,
        403 => match reason(answer).reason.as_str() {
            "rateLimitExceeded" | "quotaExceeded" => Verdict::Throttled { wait: None },
            _ => Verdict::Ok,
        },
        429 => Verdict::Throttled { wait: None },
        500..=599 => Verdict::Transient(Code::SourceStatus5xx),
        _ => Verdict::Permanent(Code::SourceRefused),
    }
}

fn reason(answer: &Answer) -> Reason {
    let refusal = answer.json::<Refusal>().ok();
    let first = refusal.and_then(|it| it.error.errors.into_iter().next());
    first.unwrap_or_default()
}

fn good(answer: &Answer) -> Result<&Answer> {
    match answer.status {
        200..=299 => Ok(answer),
        _ => Err(refused(answer)),
    }
}

fn refused(answer: &Answer) -> Error {
    failure(answer.operation, &reason(answer)).with("status", answer.status)
}

fn failure(operation: &'static str, reason: &Reason) -> Error {
    let is_conflict = ["concurrent", "conflict", "aborted"];
    let message = reason.message.to_lowercase();
    let code = match reason.reason.as_str() {
        "backendError"
        | "internalError"
        | "jobBackendError"
        | "jobInternalError"
        | "rateLimitExceeded"
        | "jobRateLimitExceeded"
        | "quotaExceeded"
        | "timeout" => Code::StoreUnavailable,
        _ if is_conflict.iter().any(|word| message.contains(word)) => Code::StoreConflict,
        "accessDenied" | "billingNotEnabled" | "bytesBilledLimitExceeded" => Code::ConfigInvalid,
        _ => Code::StoreSchema,
    };
    Error::new(code, operation).with("reason", &reason.reason)
}

/// Returns the name of a new job. A request that is sent again names the same job, so that it runs once.
fn job_id() -> String {
    format!("salesync_{}", Ulid::new())
}
