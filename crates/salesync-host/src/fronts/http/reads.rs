//! Requests that only look: runs, dead letters, whether the warehouse answers, and counts. Records are in no answer:
//! whoever may see one has `salesync dlq show`.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use salesync_core::dead_letter::LetterState;
use salesync_core::error::{Code, Error, Result};
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Filter, Scan};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Front;
use super::answer::{self, Refused};
use crate::adapters;
use crate::fronts::apart;
use crate::report;

/// What is shown of a run: neither cursors nor parts, which hold values of records and addresses.
const RUN: [&str; 22] = [
    "run_id",
    "source",
    "stream",
    "mode",
    "status",
    "code",
    "started_at",
    "ended_at",
    "pages",
    "requests",
    "retries",
    "bytes",
    "waited_ms",
    "fetched",
    "new",
    "changed",
    "unchanged",
    "older_ignored",
    "duplicate",
    "tombstoned",
    "rejected",
    "marked",
];
/// What is shown of a dead letter: not the record, and not its id, which may be an address.
const LETTER: [&str; 10] = [
    "dead_id",
    "source",
    "stream",
    "code",
    "field",
    "state",
    "attempt",
    "payload_bytes",
    "first_seen",
    "last_seen",
];
/// So many rows are shown at most.
const MOST_ROWS: u64 = 500;

fn most_runs() -> u64 {
    20
}

fn most_letters() -> u64 {
    50
}

fn open() -> String {
    LetterState::Open.as_str().to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunsAsked {
    source: Option<String>,
    #[serde(default = "most_runs")]
    limit: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LettersAsked {
    source: Option<String>,
    #[serde(default = "open")]
    state: String,
    #[serde(default = "most_letters")]
    limit: u64,
}

/// `GET /v1/runs`.
pub(super) async fn runs(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    let uri = asked_by_one_who_may(&front, request).await?;
    let asked: RunsAsked = query(&uri)?;
    let scan = Scan {
        filter: of_source(&front, asked.source, Vec::new())?,
        limit: Some(limit(asked.limit)?),
        ..shown("etl_runs", &RUN, "started_at")?
    };
    let rows = rows(&front, scan).await?;
    Ok(answer::document(200, &json!({"runs": rows})))
}

/// `GET /v1/runs/{id}`: the streams of one run.
pub(super) async fn run(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    let uri = asked_by_one_who_may(&front, request).await?;
    let id = uri.path().strip_prefix("/v1/runs/").unwrap_or_default();
    if id.len() != 26 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refused::with(Code::RequestNotFound));
    }
    let scan = Scan {
        filter: Filter::Equal(vec![(SqlIdentifier::parse("run_id")?, id.to_owned())]),
        limit: Some(MOST_ROWS),
        ..shown("etl_runs", &RUN, "started_at")?
    };
    let rows = rows(&front, scan).await?;
    if rows.is_empty() {
        return Err(Refused::with(Code::RequestNotFound));
    }
    Ok(answer::document(200, &json!({"run_id": id, "runs": rows})))
}

/// `GET /v1/dlq`.
pub(super) async fn letters(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    let uri = asked_by_one_who_may(&front, request).await?;
    let asked: LettersAsked = query(&uri)?;
    let state = LetterState::parse(&asked.state)
        .ok_or_else(|| invalid("state is open, forwarded, redriven, parked or discarded"))?;
    let equal = vec![(SqlIdentifier::parse("state")?, state.as_str().to_owned())];
    let scan = Scan {
        filter: of_source(&front, asked.source, equal)?,
        limit: Some(limit(asked.limit)?),
        ..shown("dead_letters", &LETTER, "last_seen")?
    };
    let rows = rows(&front, scan).await?;
    Ok(answer::document(200, &json!({"letters": rows})))
}

/// `GET /ready`: whether the warehouse answers.
pub(super) async fn ready(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    asked_by_one_who_may(&front, request).await?;
    let cx = front.cx.beginning(None, 0);
    let warehouse = cx.settings.warehouse.to_string();
    apart(move || async move {
        match adapters::check_warehouse(&cx.settings, cx.now).await {
            Some(checked) => checked,
            // A file that is not there yet is made when it is needed.
            None if !cx.settings.warehouse.exists() => Ok(()),
            None => cx.stores().await.map(drop),
        }
    })
    .await?;
    Ok(answer::document(
        200,
        &json!({"status": "ready", "warehouse": warehouse}),
    ))
}

/// `GET /metrics`.
pub(super) async fn metrics(
    State(front): State<Arc<Front>>,
    request: Request,
) -> Result<Response, Refused> {
    asked_by_one_who_may(&front, request).await?;
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Ok((content_type, front.cx.telemetry.prometheus()).into_response())
}

/// Returns what is asked for, by somebody who may.
async fn asked_by_one_who_may(front: &Front, request: Request) -> Result<Uri> {
    let (parts, _) = request.into_parts();
    front.access.check(&parts.headers).await?;
    Ok(parts.uri)
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T> {
    let read = Query::<T>::try_from_uri(uri);
    read.map(|Query(asked)| asked)
        .map_err(|_| invalid("known names, each with a value of its kind"))
}

fn limit(limit: u64) -> Result<u64> {
    match (1..=MOST_ROWS).contains(&limit) {
        true => Ok(limit),
        false => Err(invalid("limit is 1 to 500")),
    }
}

fn invalid(rule: &'static str) -> Error {
    Error::new(Code::RequestInvalid, "read a query").with("must be", rule)
}

/// Adds the source that is asked for, which must be one of ours.
fn of_source(
    front: &Front,
    source: Option<String>,
    mut equal: Vec<(SqlIdentifier, String)>,
) -> Result<Filter> {
    if let Some(source) = source {
        front.cx.select(&source)?;
        if source != "all" {
            equal.push((SqlIdentifier::parse("source")?, source));
        }
    }
    Ok(match equal.is_empty() {
        true => Filter::All,
        false => Filter::Equal(equal),
    })
}

fn shown(table: &str, columns: &[&str], newest_by: &str) -> Result<Scan> {
    let columns = columns.iter().map(|name| SqlIdentifier::parse(name));
    Ok(Scan {
        columns: columns.collect::<Result<_>>()?,
        newest_by: Some(SqlIdentifier::parse(newest_by)?),
        ..Scan::of(SqlIdentifier::parse(table)?)
    })
}

async fn rows(front: &Front, scan: Scan) -> Result<Vec<Value>> {
    let cx = front.cx.beginning(None, 0);
    apart(move || async move {
        let stores = cx.stores().await?;
        report::documents(&stores.warehouse.scan(&scan).await?)
    })
    .await
}
