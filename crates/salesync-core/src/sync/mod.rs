//! A sync: every selected stream of one source is read, judged and made durable.
//!
//! Per stream three stages work side by side, joined by queues that hold one or two pages:
//!
//! ```text
//! fetch ──page──→ decode ──batch──→ commit
//! ```
//!
//! The cursor of a batch is the one after its last page, so that whatever stops the run, the stored
//! cursor is a statement about rows that are durable. A full sync is the same, from nothing, in its own
//! slot, and ends with a sweep (`sweep`).

mod decode;
mod fetch;
mod part;
mod pass;
mod start;
mod stream;
mod sweep;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::command::Sync;
use crate::error::{Code, Error, Result};
use crate::run::{Run, RunId};
use crate::source::{Source, SourceDefinition};
use crate::time::Timestamp;
use crate::warehouse::Warehouse;

/// How much is committed at once; whichever comes first ends a batch at the next page.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Rows.
    pub rows: usize,
    /// Bytes, as the source sent them.
    pub size_bytes: usize,
    /// Time since the last commit.
    pub age: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            rows: 20_000,
            size_bytes: 8 * 1024 * 1024,
            age: Duration::from_secs(10),
        }
    }
}

/// What a sync works with.
#[derive(Clone)]
pub struct SyncContext {
    /// Where rows go.
    pub warehouse: Arc<dyn Warehouse>,
    /// The run.
    pub run_id: RunId,
    /// The time of the run.
    pub now: Timestamp,
    /// When the run started, for how long it took.
    pub started: Instant,
    /// When to stop reading; what is in hand is still committed.
    pub deadline: Option<Instant>,
    /// Turns true when someone asks to stop.
    pub stop: watch::Receiver<bool>,
    /// How much is committed at once.
    pub limits: BatchLimits,
    /// Hears how far each stream is, and each stage of a long resolve.
    pub observe: Observer,
    /// What the run works with, for its report: adapters by name, no secret.
    pub adapters: String,
}

impl fmt::Debug for SyncContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncContext")
            .field("run_id", &self.run_id)
            .finish_non_exhaustive()
    }
}

/// Hears how far each stream is.
pub type Observer = Arc<dyn Fn(&Observation) + Send + std::marker::Sync>;

/// How far a stream is, or a stage of a resolve: of that, `resolve`, its name, and how many records it is done with.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The source.
    pub source: &'static str,
    /// The stream.
    pub stream: String,
    /// Records fetched so far.
    pub fetched: u64,
    /// Rows written so far.
    pub written: u64,
    /// How many records the present window holds, where the source says.
    pub expected: Option<u64>,
    /// How many of them were delivered.
    pub delivered: u64,
    /// Whether the stream is done, with whatever end.
    pub done: bool,
}

/// Runs a sync and returns one run per stream, in the order of the source's streams.
///
/// A stream that fails never keeps the others from ending well; why it failed stands in its run.
///
/// # Errors
/// [`Code::RequestInvalid`] where a stream is not one of the source's.
///
/// # Cancel safety
/// A dropped sync leaves what is committed; the next one goes on from there.
pub async fn run(
    cx: &SyncContext,
    definition: &'static SourceDefinition,
    source: &Arc<dyn Source>,
    command: &Sync,
) -> Result<Vec<Run>> {
    let selected = select(definition, &command.streams)?;
    let (ended, has_ended) = watch::channel(Vec::new());
    let ended = Arc::new(ended);
    let mut tasks = JoinSet::new();
    let command_span = Span::current();
    for stream in &selected {
        let command_span = command_span.clone();
        let (cx, source, command) = (cx.clone(), Arc::clone(source), command.clone());
        let (stream, ended) = (*stream, Arc::clone(&ended));
        let before = definition.after.iter().find(|(own, _)| *own == stream);
        let before = before.map(|(_, before)| *before);
        let before = before.filter(|before| selected.contains(before));
        let mut has_ended = has_ended.clone();
        tasks.spawn(async move {
            if let Some(before) = before {
                // The sender lives as long as this task does.
                drop(has_ended.wait_for(|ended| ended.contains(&before)).await);
            }
            // Every line that is written inside says by this whose it is.
            let span = tracing::info_span!(
                parent: &command_span,
                "run",
                source = definition.name,
                stream,
                run_id = %cx.run_id,
                status = Empty,
                code = Empty,
            );
            let run = stream::run(&cx, definition, source, stream, &command);
            let runs = run.instrument(span.clone()).await;
            if let Some(own) = runs.first() {
                span.record("status", own.status.as_str());
                span.record("code", own.code.as_deref());
            }
            ended.send_modify(|ended| ended.push(stream));
            runs
        });
    }
    let mut runs = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        runs.extend(
            joined.map_err(|error| Error::new(Code::Internal, "sync a stream").because(error))?,
        );
    }
    let place = |run: &Run| definition.streams.iter().position(|it| *it == run.stream);
    runs.sort_by_key(place);
    Ok(runs)
}

/// Returns the streams to read; one that another stream brings along is read with that.
fn select(definition: &'static SourceDefinition, wanted: &[String]) -> Result<Vec<&'static str>> {
    if let Some(unknown) = wanted
        .iter()
        .find(|name| !definition.streams.contains(&name.as_str()))
    {
        return Err(Error::new(Code::RequestInvalid, "select streams")
            .with("unknown stream", unknown)
            .with("streams", definition.streams.join(", ")));
    }
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|own| own == name);
    let mut read: Vec<&'static str> = Vec::new();
    for name in definition.streams.iter().filter(|name| is_wanted(name)) {
        let name = definition.reads(name);
        if !read.contains(&name) {
            read.push(name);
        }
    }
    Ok(read)
}
