//! One run of one stream, from its first row in the run log to its last.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::decode::{Decoder, Gathered};
use super::start::Position;
use super::{Observation, SyncContext, fetch, sweep};
use crate::batch::{Batch, Committed, RowBuffer, Seen, Slot, State, StreamId};
use crate::command::{Effect, Sync};
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::plain::{PlainRows, PlainTable, text};
use crate::record::Value;
use crate::retry;
use crate::run::{Counts, RUN_EVENTS, Run, RunId, RunStatus};
use crate::schema::{SchemaChange, Table};
use crate::source::{Page, Source, Stream};
use crate::time::Timestamp;
use crate::warehouse::SCHEMA_CHANGES;

/// The source's times may be this much coarser than its clock: what changed in the last tick may still change.
const OPEN_TICK: Duration = Duration::from_secs(1);

/// What the stages of one stream share.
pub(super) struct StreamRun<'a> {
    pub(super) cx: &'a SyncContext,
    pub(super) stream: Arc<dyn Stream>,
    pub(super) command: &'a Sync,
    pub(super) position: Position,
    pub(super) run: Run,
    begins: bool,
    /// Whether the last run set the cursor back: records still missing now are named, not looked for again.
    begins_set_back: bool,
}

/// Runs one stream and returns its report; a failure stands in it.
pub(super) async fn run(
    cx: &SyncContext,
    source_name: &'static str,
    source: Arc<dyn Source>,
    name: &'static str,
    command: &Sync,
) -> Run {
    let run = Run {
        run_id: cx.run_id.clone(),
        source: source_name.to_owned(),
        stream: name.to_owned(),
        mode: command.mode.as_str().to_owned(),
        started_at: cx.now,
        took_ms: None,
        status: RunStatus::Running,
        code: None,
        generation: 0,
        epoch: 0,
        cursor_from: None,
        cursor_to: None,
        pages: 0,
        traffic: Default::default(),
        counts: Counts::default(),
        adapters: cx.adapters.clone(),
    };
    let mut failed_early = run.clone();
    let ended = match open(cx, source_name, source, (name, command), run).await {
        Err(error) => {
            failed_early.end(cx, &Err(error));
            if command.effect == Effect::Commit {
                log_unopened(cx, &failed_early).await;
            }
            failed_early
        }
        Ok(mut stream_run) => {
            let result = stream_run.read(source_name, name).await;
            let mut run = stream_run.run.clone();
            let result = result.and_then(|()| run.check_counts());
            run.end(cx, &result);
            if command.effect == Effect::Commit
                && let Err(error) = stream_run.log(&run, Vec::new()).await
            {
                tracing::error!(source = source_name, stream = name, error = %error, "run log not written");
                run.end(cx, &Err(error));
            }
            run
        }
    };
    (cx.observe)(&Observation {
        source: source_name,
        stream: name.to_owned(),
        fetched: ended.counts.fetched,
        written: ended.counts.written(),
        expected: None,
        delivered: 0,
        done: true,
    });
    ended
}

impl Run {
    fn end(&mut self, cx: &SyncContext, result: &Result<()>) {
        self.took_ms = Some(u64::try_from(cx.started.elapsed().as_millis()).unwrap_or(u64::MAX));
        match result {
            Ok(()) => self.status = RunStatus::Succeeded,
            Err(error) => {
                self.status = RunStatus::because_of(error.code());
                self.code = Some(error.code().as_str().to_owned());
                tracing::warn!(
                    source = self.source, stream = self.stream, run_id = %self.run_id,
                    error = %error, cause = error_chain(error), "stream ended early"
                );
            }
        }
    }
}

/// Writes the only row of a run whose stream could not be opened.
async fn log_unopened(cx: &SyncContext, run: &Run) {
    let batch = || {
        let mut rows = PlainRows::new(&RUN_EVENTS)?;
        run.append_to(&mut rows)?;
        let table = Table::new(&format!("{}_{}", run.source, run.stream), "", Vec::new())?;
        without_rows(
            (&Arc::new(table), &cx.run_id),
            Vec::new(),
            vec![rows.finish()?],
        )
    };
    let written = match batch() {
        Ok(batch) => cx.warehouse.commit(batch).await.map(|_| ()),
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        tracing::error!(source = run.source, stream = run.stream, error = %error, "run log not written");
    }
}

fn error_chain(error: &Error) -> String {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(lower) = cause {
        causes.push(lower.to_string());
        cause = lower.source();
    }
    causes.join(": ")
}

/// Describes the stream, makes its table fit, reads the cursor and writes the run's first row.
async fn open<'a>(
    cx: &'a SyncContext,
    source_name: &'static str,
    source: Arc<dyn Source>,
    (name, command): (&'static str, &'a Sync),
    mut run: Run,
) -> Result<StreamRun<'a>> {
    let stream = source.open(name).await?;
    let changes = match command.effect {
        Effect::Commit => cx.warehouse.prepare(stream.table()).await?,
        Effect::DryRun => Vec::new(),
    };
    let id = StreamId {
        source: source_name.to_owned(),
        stream: name.to_owned(),
    };
    let cap = source.clock().minus(OPEN_TICK);
    let position = Position::read(cx.warehouse.as_ref(), id, command, cap).await?;
    (run.generation, run.epoch) = (position.generation, position.epoch);
    run.cursor_from.clone_from(&position.cursor);
    run.cursor_to.clone_from(&position.cursor);
    let begins = position.slot == Slot::Full && position.cursor.is_none();
    let begins_set_back = position.cursor.as_ref().is_some_and(Cursor::is_set_back);
    let mut stream_run = StreamRun {
        cx,
        stream,
        command,
        position,
        run,
        begins,
        begins_set_back,
    };
    if command.effect == Effect::Commit {
        let run = stream_run.run.clone();
        stream_run.log(&run, schema_rows(cx, &changes)?).await?;
    }
    Ok(stream_run)
}

impl StreamRun<'_> {
    /// Reads until the stream has caught up or something ends the run; what was read is committed either way.
    async fn read(&mut self, source_name: &'static str, name: &'static str) -> Result<()> {
        let (page_sender, mut page_receiver) = mpsc::channel::<Page>(2);
        let (batch_sender, mut batch_receiver) = mpsc::channel::<Gathered>(1);
        let stream = Arc::clone(&self.stream);
        let from = self.position.cursor.clone();
        let (cx, cap) = (self.cx, self.position.cap);

        let reading = fetch::pages(cx, stream.as_ref(), from, page_sender);
        // Both blocks own their ends of the queues, so that one that fails lets the others end.
        let decoded_stream = Arc::clone(&stream);
        let decoding = async move {
            let mut decoder = Decoder::new(cx, source_name, name, (decoded_stream, cap))?;
            let (mut pages, mut fetched) = (0_u64, 0);
            while let Some(page) = page_receiver.recv().await {
                pages += 1;
                fetched += u64::try_from(page.records.len()).unwrap_or(0);
                decoder.take(page).await?;
                let (expected, delivered) = decoder.window_progress();
                (cx.observe)(&Observation {
                    source: source_name,
                    stream: name.to_owned(),
                    fetched,
                    written: 0,
                    expected,
                    delivered,
                    done: false,
                });
                if decoder.is_due(&cx.limits)
                    && batch_sender.send(decoder.hand_over()?).await.is_err()
                {
                    break;
                }
            }
            decoder.abandon_window();
            if !decoder.is_empty() {
                // The receiver is gone only when the commit failed, and then it says why.
                drop(batch_sender.send(decoder.hand_over()?).await);
            }
            Ok::<_, Error>((pages, decoder.missing()))
        };
        let committing = async move {
            while let Some(gathered) = batch_receiver.recv().await {
                self.commit(gathered).await?;
            }
            Ok::<_, Error>(self)
        };
        let (read, decoded, committed) = tokio::join!(reading, decoding, committing);
        let this = committed?;
        let traffic = stream.traffic();
        this.run.traffic = traffic;
        let (pages, missing) = decoded?;
        this.run.pages = pages;
        read?;
        if let Some(missing) = missing {
            if !this.begins_set_back {
                this.go_back(missing.since).await?;
            }
            this.run.traffic = this.stream.traffic();
            return Err(Error::new(Code::SourcePageCount, "close the ledger")
                .with("missing", missing.records));
        }
        if this.position.slot == Slot::Full {
            sweep::finish(this).await?;
        }
        this.run.traffic = this.stream.traffic();
        Ok(())
    }

    /// Lets the next run begin before records that appeared behind this one's back: they may be older than
    /// what a run reads once more in any case. After a full sync that is the next run of either kind.
    async fn go_back(&mut self, since: Timestamp) -> Result<()> {
        if self.command.effect == Effect::DryRun {
            return Ok(());
        }
        let now = (&self.cx.run_id, self.cx.now);
        let mut states = vec![self.position.go_back(since, now)];
        if self.position.slot == Slot::Full {
            let mut incremental = self.position.beside(self.cx.warehouse.as_ref()).await?;
            states.push(incremental.go_back(since, now));
        }
        self.write(self.without_rows(states, Vec::new())?).await?;
        self.run.cursor_to.clone_from(&self.position.cursor);
        Ok(())
    }

    async fn commit(&mut self, gathered: Gathered) -> Result<()> {
        let mut counts = gathered.counts;
        if self.command.effect == Effect::DryRun {
            self.run.counts.add(&Counts {
                unchanged: counts.fetched - counts.rejected - counts.duplicate,
                ..counts
            });
            return Ok(());
        }
        let seen = match (self.position.slot, self.begins) {
            (Slot::Incremental, _) => Seen::Ignore,
            (Slot::Full, true) => Seen::Begin,
            (Slot::Full, false) => Seen::Add,
        };
        let next = gathered.next.or_else(|| self.position.cursor.clone());
        let state = self.position.advance(next, (&self.cx.run_id, self.cx.now));
        let appends = vec![gathered.letters.finish()?, gathered.windows.finish()?];
        let batch = Batch {
            table: Arc::clone(self.stream.table()),
            rows: gathered.rows,
            tombstones: gathered.tombstones,
            seen,
            seen_rejected: gathered.rejected_keys,
            states: vec![state],
            appends: appends
                .into_iter()
                .filter(|(_, rows)| rows.num_rows() > 0)
                .collect(),
        };
        let committed = self.write(batch).await?;
        self.begins = false;
        counts.new = committed.new;
        counts.changed = committed.changed;
        counts.unchanged = committed.unchanged;
        counts.older_ignored = committed.older_ignored;
        counts.tombstoned = committed.tombstoned;
        counts.marked = committed.marked;
        self.run.counts.add(&counts);
        self.run.cursor_to.clone_from(&self.position.cursor);
        Ok(())
    }

    /// Commits, and tries again where another writer was in the way: a commit may be repeated.
    pub(super) async fn write(&self, batch: Batch) -> Result<Committed> {
        let mut retry = 0;
        loop {
            match self.cx.warehouse.commit(batch.clone()).await {
                Err(error) if error.code() == Code::StoreConflict && retry < retry::MAX_RETRIES => {
                    tokio::time::sleep(retry::wait_before(retry, None).unwrap_or_default()).await;
                    retry += 1;
                }
                other => return other,
            }
        }
    }

    /// Commits no rows: only the run's present state and what comes with it.
    async fn log(&mut self, run: &Run, more: Vec<Append>) -> Result<()> {
        let mut rows = PlainRows::new(&RUN_EVENTS)?;
        run.append_to(&mut rows)?;
        let mut appends = vec![rows.finish()?];
        appends.extend(more);
        let cursor = self.position.cursor.clone();
        let state = match run.status {
            RunStatus::Running => vec![
                self.position
                    .advance(cursor, (&self.cx.run_id, self.cx.now)),
            ],
            _ => Vec::new(),
        };
        self.write(self.without_rows(state, appends)?)
            .await
            .map(|_| ())
    }

    /// Returns a batch that carries no rows.
    pub(super) fn without_rows(&self, states: Vec<State>, appends: Vec<Append>) -> Result<Batch> {
        without_rows((self.stream.table(), &self.cx.run_id), states, appends)
    }
}

fn without_rows(
    (table, run_id): (&Arc<Table>, &RunId),
    states: Vec<State>,
    appends: Vec<Append>,
) -> Result<Batch> {
    let (rows, tombstones) = RowBuffer::new(table, run_id)?.finish()?;
    Ok(Batch {
        table: Arc::clone(table),
        rows,
        tombstones,
        seen: Seen::Ignore,
        seen_rejected: Vec::new(),
        states,
        appends,
    })
}

type Append = (&'static PlainTable, arrow::array::RecordBatch);

fn schema_rows(cx: &SyncContext, changes: &[SchemaChange]) -> Result<Vec<Append>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = PlainRows::new(&SCHEMA_CHANGES)?;
    for change in changes {
        let (table, column, what) = match change {
            SchemaChange::Created { table } => (table, None, "created"),
            SchemaChange::Added { table, column } => (table, Some(column.as_str()), "added"),
            SchemaChange::Widened { table, column } => (table, Some(column.as_str()), "widened"),
        };
        let run_id = text(Some(cx.run_id.as_str()));
        rows.push(&[
            Value::Timestamp(cx.now),
            run_id,
            text(Some(table)),
            text(column),
            text(Some(what)),
        ])?;
    }
    Ok(vec![rows.finish()?])
}
