//! Transcripts. They come some time after the call and without a word: each call that was spoken in is asked
//! for four times, until there is one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use salesync_core::backlog::{Backlog, Due};
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::ledger::Window;
use salesync_core::record::{Change, RawRecord, Reject, Value};
use salesync_core::run::Traffic;
use salesync_core::schema::Table;
use salesync_core::source::{Page, Presence, Progress, Stream, TableChange};
use salesync_core::time::Timestamp;
use salesync_core::token::without_lone_surrogates;
use salesync_http::{Answer, Client, Expected, Request, segment};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::client::{API, LOOK_UP};
use crate::kinds::{TRANSCRIPTS, table};
use crate::row::Members;
use crate::settings::Transcripts;

/// How long after the end of a call each try is due.
const STEPS: [Duration; 4] = [
    Duration::from_secs(2 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// Returns the backlog of transcripts, which the calls fill.
pub(crate) fn backlog() -> Result<Backlog> {
    let comment = "Which transcripts are waited for, and when each is asked for next";
    Backlog::new("dialpad_transcript_backlog", comment, &STEPS)
}

/// The transcripts of one company.
pub(crate) struct TranscriptStream {
    http: Client,
    switch: Transcripts,
    table: Arc<Table>,
    beside: Vec<Arc<Table>>,
    backlog: Backlog,
}

/// What was asked for and what came, as a raw record.
#[derive(Serialize, Deserialize)]
struct Asked<'a> {
    call_id: String,
    attempts: u32,
    since: Timestamp,
    at: Timestamp,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    transcript: Option<&'a RawValue>,
}

impl TranscriptStream {
    pub(crate) fn new(http: Client, switch: Transcripts) -> Result<Self> {
        let backlog = backlog()?;
        Ok(Self {
            http,
            switch,
            table: Arc::new(table("transcripts", "What was said in calls", TRANSCRIPTS)?),
            beside: vec![Arc::clone(backlog.table())],
            backlog,
        })
    }

    /// Asks for one transcript; what came of it is a record either way.
    async fn ask(&self, due: &Due) -> Result<RawRecord> {
        let target = format!("/api/v2/transcripts/{}", segment(&due.id));
        let request = Request::get(LOOK_UP, target, API).expecting(Expected::Anything);
        self.http.read(&request, |answer| record(due, answer)).await
    }
}

fn record(due: &Due, answer: &Answer) -> Result<RawRecord> {
    let transcript: Option<&RawValue> = match answer.status {
        404 => None,
        // What is no JSON is no transcript either: it is asked for again like one that is not there yet.
        _ => answer.json().ok(),
    };
    let asked = Asked {
        call_id: due.id.clone(),
        attempts: due.attempts,
        since: due.since,
        at: answer.sent_at,
        transcript,
    };
    let bytes = serde_json::to_vec(&asked)
        .map_err(|error| Error::new(Code::Internal, "write a record").because(error))?;
    Ok(RawRecord::new(bytes))
}

#[async_trait]
impl Stream for TranscriptStream {
    fn table(&self) -> &Arc<Table> {
        &self.table
    }

    fn beside(&self) -> &[Arc<Table>] {
        &self.beside
    }

    fn backlog(&self) -> Option<&Backlog> {
        (self.switch == Transcripts::On).then_some(&self.backlog)
    }

    async fn look_up(&self, due: &[Due]) -> Result<Page> {
        let read_at = self.http.clock();
        let records = try_join_all(due.iter().map(|due| self.ask(due))).await?;
        Ok(Page {
            records,
            next: Cursor::between_windows(read_at),
            progress: Progress::More,
            window: None,
            read_at,
        })
    }

    /// Where transcripts are switched off there is nothing to read.
    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        let read_at = self.http.clock();
        let complete_to = from.map_or(Timestamp::EPOCH, Cursor::complete_to);
        Ok(Page {
            records: Vec::new(),
            next: Cursor::between_windows(complete_to),
            progress: Progress::CaughtUp,
            window: None,
            read_at,
        })
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        let asked: Asked<'a> = raw.parse()?;
        let due = Due {
            id: asked.call_id,
            attempts: asked.attempts,
            since: asked.since,
        };
        let (lines, line_count, extra) = match asked.transcript.map(read) {
            None | Some(Said::Nothing) => {
                let change = self.backlog.missed(due, asked.at);
                return Ok(vec![TableChange { table: 1, change }]);
            }
            Some(Said::Lines(lines, count)) => (
                Value::Text(without_lone_surrogates(lines.get())),
                Value::Int(count),
                Vec::new(),
            ),
            Some(Said::Unreadable(whole)) => {
                let whole = without_lone_surrogates(whole.get());
                (Value::Null, Value::Null, vec![("transcript".into(), whole)])
            }
        };
        let change = Change {
            key: due.id.clone().into(),
            version: asked.at,
            values: vec![lines, line_count, Value::Timestamp(due.since)],
            extra,
            deletion: None,
            replaces: Vec::new(),
        };
        let arrived = self.backlog.arrived(due, asked.at);
        Ok(vec![
            TableChange { table: 0, change },
            TableChange {
                table: 1,
                change: arrived,
            },
        ])
    }

    async fn count(&self, _: Window) -> Result<u64> {
        // No window is ever told.
        Ok(0)
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        // A transcript that has come does not go.
        Ok(keys.iter().map(|_| Presence::Present).collect())
    }

    fn traffic(&self) -> Traffic {
        self.http.traffic()
    }
}

/// What a transcript holds.
enum Said<'a> {
    /// No lines that say anything: it is not there yet.
    Nothing,
    /// Its lines, and how many of them were spoken.
    Lines(&'a RawValue, i64),
    /// Something of another shape, which is kept as it is.
    Unreadable(&'a RawValue),
}

fn read(transcript: &RawValue) -> Said<'_> {
    let Ok(members) = serde_json::from_str::<Members<'_>>(transcript.get()) else {
        return Said::Unreadable(transcript);
    };
    let Some(lines) = members.raw("lines").filter(|lines| lines.get() != "null") else {
        return Said::Nothing;
    };
    let Ok(each) = serde_json::from_str::<Vec<Members<'_>>>(lines.get()) else {
        return Said::Unreadable(transcript);
    };
    let spoken = each.iter().filter(|line| line.text("content").is_some());
    match i64::try_from(spoken.count()).unwrap_or(i64::MAX) {
        0 => Said::Nothing,
        count => Said::Lines(lines, count),
    }
}

impl fmt::Debug for TranscriptStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TranscriptStream").finish_non_exhaustive()
    }
}
