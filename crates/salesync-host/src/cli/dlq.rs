//! `salesync dlq`: records that were set aside.

use arrow::array::RecordBatch;
use salesync_core::command::Redrive;
use salesync_core::dead_letter::LetterState;
use salesync_core::error::{Code, Error, Result};
use salesync_core::queue::Outcome;
use salesync_core::redrive::letters;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Filter, Scan};

use super::args::DlqWords;
use crate::context::Context;
use crate::outlets;
use crate::report::{self, Output};

/// The columns that a list shows; the record itself is only shown by `show`.
const LISTED: [&str; 9] = [
    "dead_id",
    "source",
    "stream",
    "record_id",
    "code",
    "field",
    "state",
    "attempt",
    "last_seen",
];

pub(super) async fn run(cx: &Context, words: DlqWords, output: Output) -> Result<u8> {
    match words {
        DlqWords::List {
            source,
            state,
            limit,
        } => {
            let state = LetterState::parse(&state).ok_or_else(|| {
                Error::new(Code::RequestInvalid, "read --state").with(
                    "must be one of",
                    "open, forwarded, redriven, parked, discarded",
                )
            })?;
            list(cx, source, state, (limit, output)).await
        }
        DlqWords::Show { id } => show(cx, &id, output).await,
        DlqWords::Discard { ids } => discard(cx, ids, output).await,
        DlqWords::Redrive { .. } => Err(Error::new(
            Code::Internal,
            "redrive goes the way of commands",
        )),
    }
}

async fn list(
    cx: &Context,
    source: Option<String>,
    state: LetterState,
    (limit, output): (u64, Output),
) -> Result<u8> {
    let mut equal = vec![(SqlIdentifier::parse("state")?, state.as_str().to_owned())];
    if let Some(source) = source {
        equal.push((SqlIdentifier::parse("source")?, source));
    }
    let columns: Vec<&str> = LISTED
        .iter()
        .copied()
        .chain(["message", "payload_bytes", "first_seen"])
        .collect();
    let scan = Scan {
        columns: columns
            .iter()
            .map(|name| SqlIdentifier::parse(name))
            .collect::<Result<_>>()?,
        filter: Filter::Equal(equal),
        newest_by: Some(SqlIdentifier::parse("last_seen")?),
        limit: Some(limit),
        ..Scan::of(SqlIdentifier::parse("dead_letters")?)
    };
    let found = cx.stores().await?.warehouse.scan(&scan).await?;
    if output == Output::Text && found.iter().all(|batch| batch.num_rows() == 0) {
        report::line(&format!("no {} dead letters", state.as_str()));
        return Ok(0);
    }
    report::scanned(&found, &LISTED, output)?;
    Ok(0)
}

async fn show(cx: &Context, id: &str, output: Output) -> Result<u8> {
    let scan = Scan::of(SqlIdentifier::parse("dead_letters")?);
    let ids_only = Scan {
        columns: vec![SqlIdentifier::parse("dead_id")?],
        ..scan.clone()
    };
    let warehouse = cx.stores().await?.warehouse;
    let mut known = Vec::new();
    for document in report::documents(&warehouse.scan(&ids_only).await?)? {
        known.extend(
            document
                .get("dead_id")
                .and_then(|id| id.as_str())
                .map(str::to_owned),
        );
    }
    known.retain(|known| known.starts_with(id));
    let [only] = known.as_slice() else {
        return Err(Error::new(Code::RequestInvalid, "find a dead letter")
            .with("letters with that id", known.len()));
    };
    let equal = Filter::Equal(vec![(SqlIdentifier::parse("dead_id")?, only.clone())]);
    let found: Vec<RecordBatch> = warehouse
        .scan(&Scan {
            filter: equal,
            ..scan
        })
        .await?;
    for document in report::documents(&found)? {
        match (output, document.as_object()) {
            (Output::Text, Some(fields)) => {
                for (name, value) in fields {
                    let text = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    report::line(&format!("{name:<18} {text}"));
                }
            }
            _ => report::line(&document.to_string()),
        }
    }
    Ok(0)
}

async fn discard(cx: &Context, ids: Vec<String>, output: Output) -> Result<u8> {
    let queue = outlets::dead_letters(&cx.settings, cx.stores().await?.dead_letters, cx.now)?;
    let meant = letters(queue.as_ref(), &Redrive { source: None, ids }).await?;
    if meant.is_empty() {
        return Err(Error::new(Code::RequestInvalid, "discard dead letters")
            .with("open letters with that id", 0));
    }
    let ids = meant.iter().map(|letter| letter.dead_id.clone());
    let discarded: Vec<_> = ids.map(|id| (id, Outcome::Discarded)).collect();
    queue.settle_all(&discarded).await?;
    match output {
        Output::Json => report::line(&serde_json::json!({"discarded": meant.len()}).to_string()),
        Output::Text => report::line(&format!("{} discarded", meant.len())),
    }
    Ok(0)
}
