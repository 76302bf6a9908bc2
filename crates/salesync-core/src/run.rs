//! The run log: what a run did, in counts that add up.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::batch::Committed;
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::plain::{PlainRows, PlainTable, count, text};
use crate::record::Value;
use crate::schema::ColumnType;
use crate::time::{Timestamp, rfc3339};

/// The id of a run: a ULID, so that ids sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// Returns a new id for a run that starts at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        Self(ulid::Ulid::from_parts(millis, rand::random()).to_string())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It is at work.
    Running,
    /// Everything was read, and the ledger closes.
    Succeeded,
    /// It stopped before everything was read; the next run goes on.
    Partial,
    /// It could not do its work.
    Failed,
    /// It had nothing to do.
    Skipped,
    /// It ended without a word, and a later run closed it.
    Abandoned,
}

impl RunStatus {
    /// Returns the status as it stands in `etl_runs`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Abandoned => "abandoned",
        }
    }

    /// Returns the status that a run ends with because of `code`.
    #[must_use]
    pub fn because_of(code: Code) -> Self {
        match code {
            Code::RunDeadline
            | Code::RunStopped
            | Code::SourceQuotaExhausted
            | Code::SourceRateLimited
            | Code::SourceBreakerOpen => Self::Partial,
            Code::RunOverlap | Code::RunDuplicateTrigger => Self::Skipped,
            _ => Self::Failed,
        }
    }
}

/// What became of the records of a run.
///
/// `fetched = new + changed + unchanged + older_ignored + duplicate + tombstoned + rejected`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Records that the source sent.
    pub fetched: u64,
    /// Rows that were not there before.
    pub new: u64,
    /// Rows that are now in a newer state.
    pub changed: u64,
    /// Records that say what the row says already.
    pub unchanged: u64,
    /// Records older than the row.
    pub older_ignored: u64,
    /// Records that came more than once in one batch.
    pub duplicate: u64,
    /// Rows that are now marked as gone.
    pub tombstoned: u64,
    /// Records that went to the dead letters.
    pub rejected: u64,
    /// Rows marked as gone although no record was fetched for them: merged into another, or absent.
    /// Not part of the sum.
    pub marked: u64,
    /// Bytes that the warehouse bills for the run's commits.
    #[serde(default)]
    pub bytes_billed: u64,
}

impl Counts {
    /// Adds the counts of another stretch.
    pub fn add(&mut self, other: &Self) {
        self.fetched += other.fetched;
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.older_ignored += other.older_ignored;
        self.duplicate += other.duplicate;
        self.tombstoned += other.tombstoned;
        self.rejected += other.rejected;
        self.marked += other.marked;
        self.bytes_billed += other.bytes_billed;
    }

    /// Returns the same counts with what a commit did to the rows.
    #[must_use]
    pub fn with(self, committed: &Committed) -> Self {
        Self {
            new: committed.new,
            changed: committed.changed,
            unchanged: committed.unchanged,
            older_ignored: committed.older_ignored,
            tombstoned: committed.tombstoned,
            marked: committed.marked,
            bytes_billed: committed.bytes_billed,
            ..self
        }
    }

    /// Returns how many rows were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.new + self.changed + self.tombstoned
    }

    /// Returns whether every record that was fetched ended in exactly one place.
    #[must_use]
    pub fn add_up(&self) -> bool {
        self.fetched
            == self.written() + self.unchanged + self.older_ignored + self.duplicate + self.rejected
    }
}

/// What a run did at the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Bytes of the bodies, decompressed.
    pub bytes: u64,
    /// Milliseconds waited for the source's limits.
    pub waited_ms: u64,
}

impl Traffic {
    /// Returns this and the other's together.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            retries: self.retries + other.retries,
            bytes: self.bytes + other.bytes,
            waited_ms: self.waited_ms + other.waited_ms,
        }
    }
}

/// How a part ended that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartEnd {
    /// The part; `None` of a stream that is read as one.
    pub part: Option<String>,
    /// How it stands.
    pub status: RunStatus,
    /// Why.
    pub code: String,
}

/// One run of one stream, as it stands in `etl_runs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The run; all streams of one command share it.
    pub run_id: RunId,
    /// The source.
    pub source: String,
    /// The stream.
    pub stream: String,
    /// `incremental`, `full` or `redrive`.
    pub mode: String,
    /// When it started.
    #[serde(with = "rfc3339")]
    pub started_at: Timestamp,
    /// How long it took, in milliseconds; `None` while it runs.
    pub took_ms: Option<u64>,
    /// How it stands.
    pub status: RunStatus,
    /// Why, where that is not "all is well".
    pub code: Option<String>,
    /// The parts that did not succeed, of a stream that is read in parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartEnd>,
    /// The operator's reset that it belongs to.
    pub generation: u64,
    /// Its number since that reset.
    pub epoch: u64,
    /// How far the stream was read before.
    pub cursor_from: Option<Cursor>,
    /// How far it is read now.
    pub cursor_to: Option<Cursor>,
    /// Pages read.
    pub pages: u64,
    /// What it did at the source.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// What became of the records.
    #[serde(flatten)]
    pub counts: Counts,
    /// Which warehouse and which source it ran against, without secrets.
    pub adapters: String,
}

/// The log of runs: a row when a run of a stream starts and one when it ends.
pub static RUN_EVENTS: PlainTable = PlainTable {
    name: "etl_run_events",
    comment: "What each run of each stream reported, when it started and when it ended; etl_runs shows the last word",
    columns: &[
        (
            "run_id",
            ColumnType::Text,
            "The run; all streams of one command share it",
        ),
        ("source", ColumnType::Text, "The source"),
        ("stream", ColumnType::Text, "The stream"),
        ("event", ColumnType::Int, "0 at the start, 1 at the end"),
        ("mode", ColumnType::Text, "incremental, full or redrive"),
        (
            "status",
            ColumnType::Text,
            "running, succeeded, partial, failed, skipped or abandoned",
        ),
        (
            "code",
            ColumnType::Text,
            "Why, where that is not: all is well",
        ),
        (
            "parts",
            ColumnType::Json,
            "The parts that did not succeed, each with its status and code; null where there is none",
        ),
        ("started_at", ColumnType::Timestamp, "When the run started"),
        ("ended_at", ColumnType::Timestamp, "When the run ended"),
        (
            "generation",
            ColumnType::Int,
            "The operator's reset that the run belongs to",
        ),
        (
            "epoch",
            ColumnType::Int,
            "The run's number since that reset",
        ),
        (
            "cursor_from",
            ColumnType::Json,
            "How far the stream was read before",
        ),
        (
            "cursor_to",
            ColumnType::Json,
            "How far the stream is read now",
        ),
        ("pages", ColumnType::Int, "Pages read"),
        (
            "requests",
            ColumnType::Int,
            "Requests sent, retries included",
        ),
        ("retries", ColumnType::Int, "Requests that were sent again"),
        ("bytes", ColumnType::Int, "Bytes read"),
        (
            "waited_ms",
            ColumnType::Int,
            "Milliseconds waited for the source's limits",
        ),
        (
            "fetched",
            ColumnType::Int,
            "Records that the source sent: the sum of the seven that follow",
        ),
        ("new", ColumnType::Int, "Rows that were not there before"),
        (
            "changed",
            ColumnType::Int,
            "Rows that are now in a newer state",
        ),
        (
            "unchanged",
            ColumnType::Int,
            "Records that say what the row says already",
        ),
        (
            "older_ignored",
            ColumnType::Int,
            "Records older than the row",
        ),
        (
            "duplicate",
            ColumnType::Int,
            "Records that came more than once in one batch",
        ),
        (
            "tombstoned",
            ColumnType::Int,
            "Rows that are now marked as gone",
        ),
        (
            "rejected",
            ColumnType::Int,
            "Records that went to the dead letters",
        ),
        (
            "marked",
            ColumnType::Int,
            "Rows marked as gone although no record came for them; not part of the sum",
        ),
        (
            "bytes_billed",
            ColumnType::Int,
            "Bytes that the warehouse bills for the run's commits; 0 of a file",
        ),
        (
            "adapters",
            ColumnType::Text,
            "Warehouse and source host that the run worked with",
        ),
        (
            "product_version",
            ColumnType::Text,
            "The version of salesync",
        ),
    ],
    key: &["run_id", "source", "stream", "event"],
};

impl Run {
    /// Returns when it ended, `None` while it runs.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.took_ms
            .map(|took_ms| self.started_at.plus(Duration::from_millis(took_ms)))
    }

    fn parts_json(&self) -> Value<'static> {
        if self.parts.is_empty() {
            return Value::Null;
        }
        Value::Text(serde_json::json!(self.parts).to_string().into())
    }

    /// Appends the run's present state to rows of [`RUN_EVENTS`].
    ///
    /// # Errors
    /// [`Code::Internal`] where the row does not fit the table.
    pub fn append_to(&self, rows: &mut PlainRows) -> Result<()> {
        let cursor = |cursor: &Option<Cursor>| {
            cursor
                .as_ref()
                .map_or(Value::Null, |cursor| Value::Text(cursor.to_json().into()))
        };
        rows.push(&[
            text(Some(self.run_id.as_str())),
            text(Some(&self.source)),
            text(Some(&self.stream)),
            Value::Int(i64::from(self.status != RunStatus::Running)),
            text(Some(&self.mode)),
            text(Some(self.status.as_str())),
            text(self.code.as_deref()),
            self.parts_json(),
            Value::Timestamp(self.started_at),
            self.ended_at().map_or(Value::Null, Value::Timestamp),
            count(self.generation),
            count(self.epoch),
            cursor(&self.cursor_from),
            cursor(&self.cursor_to),
            count(self.pages),
            count(self.traffic.requests),
            count(self.traffic.retries),
            count(self.traffic.bytes),
            count(self.traffic.waited_ms),
            count(self.counts.fetched),
            count(self.counts.new),
            count(self.counts.changed),
            count(self.counts.unchanged),
            count(self.counts.older_ignored),
            count(self.counts.duplicate),
            count(self.counts.tombstoned),
            count(self.counts.rejected),
            count(self.counts.marked),
            count(self.counts.bytes_billed),
            text(Some(&self.adapters)),
            text(Some(env!("CARGO_PKG_VERSION"))),
        ])
    }

    /// Returns the error to report where the counts do not add up.
    ///
    /// # Errors
    /// [`Code::Internal`] where a fetched record ended nowhere or twice.
    pub fn check_counts(&self) -> Result<()> {
        if self.counts.add_up() {
            return Ok(());
        }
        Err(Error::new(Code::Internal, "add up the records of a run").with("stream", &self.stream))
    }
}
