//! One run of one stream, from its first row in the run log to its last: of all its parts, and of the streams
//! that it brings along.

use std::sync::Arc;
use std::time::Duration;

use super::SyncContext;
use super::part::PartRun;
use crate::batch::{Batch, Committed, State, TableWrite};
use crate::command::{Effect, Sync};
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::plain::{PlainRows, PlainTable, text};
use crate::record::Value;
use crate::retry;
use crate::run::{Counts, PartEnd, RUN_EVENTS, Run, RunStatus};
use crate::schema::{SchemaChange, Table};
use crate::source::{Source, SourceDefinition, tables};
use crate::sync::Observation;
use crate::warehouse::SCHEMA_CHANGES;

/// The source's times may be this much coarser than its clock: what changed in the last tick may still change.
pub(super) const OPEN_TICK: Duration = Duration::from_secs(1);

/// What the stages of one stream share.
pub(super) struct StreamRun<'a> {
    pub(super) cx: &'a SyncContext,
    pub(super) source: &'static str,
    pub(super) name: &'static str,
    pub(super) command: &'a Sync,
    pub(super) parts: Vec<PartRun>,
    pub(super) tables: Vec<Arc<Table>>,
    /// The stream's own run, then those of the streams that it brings along.
    pub(super) runs: Vec<Run>,
}

/// Runs one stream and returns its report and those of the streams that it brings along; a failure stands in
/// them.
pub(super) async fn run(
    cx: &SyncContext,
    definition: &'static SourceDefinition,
    source: Arc<dyn Source>,
    name: &'static str,
    command: &Sync,
) -> Vec<Run> {
    let brought = definition.brought.iter().find(|it| it.by == name);
    let brought = brought.map_or(&[][..], |it| it.streams);
    let names = std::iter::once(&name).chain(brought);
    let mut runs: Vec<Run> = names
        .map(|stream| begun(cx, (definition.name, stream), command))
        .collect();
    let mut gap_records = 0;
    match open(cx, definition.name, source, (name, command), runs.clone()).await {
        Err(error) => {
            for run in &mut runs {
                run.end(cx, Some(error.code()));
            }
            warn(cx, (definition.name, name), &error);
            if command.effect == Effect::Commit {
                log_unopened(cx, &runs).await;
            }
        }
        Ok(mut stream_run) => {
            let result = stream_run.read().await;
            gap_records = stream_run.missing();
            runs = stream_run.end(result).await;
        }
    }
    if command.effect == Effect::Commit {
        tell(&runs, gap_records);
    }
    (cx.observe)(&Observation {
        source: definition.name,
        stream: name.to_owned(),
        fetched: runs.iter().map(|run| run.counts.fetched).sum(),
        written: runs.iter().map(|run| run.counts.written()).sum(),
        expected: None,
        delivered: 0,
        done: true,
    });
    runs
}

/// Returns the report of a run that has just begun.
fn begun(cx: &SyncContext, (source, stream): (&str, &str), command: &Sync) -> Run {
    Run {
        run_id: cx.run_id.clone(),
        source: source.to_owned(),
        stream: stream.to_owned(),
        mode: command.mode.as_str().to_owned(),
        started_at: cx.now,
        took_ms: None,
        status: RunStatus::Running,
        code: None,
        parts: Vec::new(),
        generation: 0,
        epoch: 0,
        cursor_from: None,
        cursor_to: None,
        pages: 0,
        traffic: Default::default(),
        counts: Counts::default(),
        adapters: cx.adapters.clone(),
    }
}

impl Run {
    fn end(&mut self, cx: &SyncContext, code: Option<Code>) {
        self.took_ms = Some(u64::try_from(cx.started.elapsed().as_millis()).unwrap_or(u64::MAX));
        self.status = code.map_or(RunStatus::Succeeded, RunStatus::because_of);
        self.code = code.map(|code| code.as_str().to_owned());
    }
}

/// Says in the log why a stream, or a part of it, ended early.
fn warn(cx: &SyncContext, (source, stream): (&str, &str), error: &Error) {
    tracing::warn!(
        source, stream, run_id = %cx.run_id, error = %error, cause = error_chain(error),
        "stream ended early"
    );
}

/// Says in the log how runs ended, with the numbers that alerts look at. The gap is the first one's: what the stream's source
/// counted and did not send.
fn tell(runs: &[Run], gap_records: u64) {
    for (place, run) in runs.iter().enumerate() {
        let counts = &run.counts;
        tracing::info!(
            event = "run_ended",
            source = run.source,
            stream = run.stream,
            run_id = %run.run_id,
            status = run.status.as_str(),
            code = run.code.as_deref(),
            fetched = counts.fetched,
            written = counts.written(),
            rejected_percent = (counts.rejected * 100).div_ceil(counts.fetched.max(1)),
            gap_records = if place == 0 { gap_records } else { 0 },
            took_ms = run.took_ms,
            "run ended"
        );
    }
}

/// Writes the only rows of runs whose stream could not be opened.
async fn log_unopened(cx: &SyncContext, runs: &[Run]) {
    let batch = || {
        let mut rows = PlainRows::new(&RUN_EVENTS)?;
        runs.iter().try_for_each(|run| run.append_to(&mut rows))?;
        Ok(Batch {
            appends: vec![rows.finish()?],
            ..Batch::default()
        })
    };
    let written = match batch() {
        Ok(batch) => cx.warehouse.commit(batch).await.map(|_| ()),
        Err(error) => Err(error),
    };
    if let (Err(error), Some(run)) = (written, runs.first()) {
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

/// Opens the stream's parts, makes its tables fit, reads the cursors and writes the run's first rows.
async fn open<'a>(
    cx: &'a SyncContext,
    source_name: &'static str,
    source: Arc<dyn Source>,
    (name, command): (&'static str, &'a Sync),
    runs: Vec<Run>,
) -> Result<StreamRun<'a>> {
    let names = source.parts(name).await?;
    let names = if names.is_empty() {
        vec![None]
    } else {
        names.into_iter().map(Some).collect()
    };
    let mut parts = Vec::with_capacity(names.len());
    for part in names {
        let stream = source.open(name, part.as_deref()).await?;
        let id = (source_name, name, part);
        parts.push(PartRun::begin(cx, (id, stream), command, source.clock()).await?);
    }
    let first = parts.first().map(|part| tables(part.stream.as_ref()));
    let tables = first.unwrap_or_default();
    let mut changes = Vec::new();
    if command.effect == Effect::Commit {
        for table in &tables {
            changes.extend(cx.warehouse.prepare(table).await?);
        }
    }
    let mut stream_run = StreamRun {
        cx,
        source: source_name,
        name,
        command,
        parts,
        tables,
        runs,
    };
    let from = stream_run.reached();
    for run in &mut stream_run.runs {
        let positions = stream_run.parts.iter().map(|part| &part.position);
        run.generation = positions.clone().map(|it| it.generation).max().unwrap_or(0);
        run.epoch = positions.map(|it| it.epoch).max().unwrap_or(0);
        run.cursor_from.clone_from(&from);
        run.cursor_to.clone_from(&from);
    }
    if command.effect == Effect::Commit {
        let now = (&cx.run_id, cx.now);
        let parts = stream_run.parts.iter_mut();
        let states = parts.map(|part| part.position.stay(now)).collect();
        stream_run.log(states, schema_rows(cx, &changes)?).await?;
    }
    Ok(stream_run)
}

impl StreamRun<'_> {
    /// Reads every part until it has caught up or something ends the run; what was read is committed either way.
    /// How each part ended stands with it.
    ///
    /// # Errors
    /// What ended them all: the warehouse, or a fault of ours.
    async fn read(&mut self) -> Result<()> {
        let all = (0..self.parts.len()).collect();
        self.pass(all).await?;
        // A cursor that the source no longer knows: that part is read again from nothing, and swept. It may
        // have been begun in an earlier run, whose cursor has expired since: then once more.
        for _ in 0..2 {
            let mut expired = Vec::new();
            for (index, part) in self.parts.iter_mut().enumerate() {
                if part.ended_with() == Some(Code::SourceCursorExpired) {
                    part.begin_anew(self.cx).await?;
                    expired.push(index);
                }
            }
            if expired.is_empty() {
                break;
            }
            self.pass(expired).await?;
        }
        for index in 0..self.parts.len() {
            if let Err(error) = self.close(index).await {
                match self.parts.get_mut(index) {
                    Some(part) => part.ended = Some(Err(error)),
                    None => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Returns how many records the source counted that did not arrive.
    fn missing(&self) -> u64 {
        let missing = self.parts.iter().filter_map(|part| part.missing);
        missing.map(|it| it.records).sum()
    }

    /// Ends the reports and writes the run's last rows.
    async fn end(mut self, result: Result<()>) -> Vec<Run> {
        let from = (self.source, self.name);
        let mut ends = Vec::new();
        for part in &self.parts {
            if let Some(Err(error)) = &part.ended {
                warn(self.cx, from, error);
                ends.push(PartEnd {
                    part: part.part().map(str::to_owned),
                    status: RunStatus::because_of(error.code()),
                    code: error.code().as_str().to_owned(),
                });
            }
        }
        let mut code = ends.first().and_then(|end| Code::parse(&end.code));
        let some_ended_well = ends.len() < self.parts.len();
        let result = result.and_then(|()| self.runs.iter().try_for_each(Run::check_counts));
        if let Err(error) = &result {
            warn(self.cx, from, error);
            code = Some(error.code());
        }
        let reached = self.reached();
        let traffic = self.parts.iter().map(|part| part.stream.traffic());
        let traffic = traffic.reduce(|sum, more| sum.and(&more));
        if let Some(own) = self.runs.first_mut() {
            own.traffic = traffic.unwrap_or_default();
        }
        for run in &mut self.runs {
            run.cursor_to.clone_from(&reached);
            run.end(self.cx, code);
            if result.is_ok() && code.is_some() && some_ended_well {
                run.status = RunStatus::Partial;
            }
            run.parts = ends
                .iter()
                .filter(|end| end.part.is_some())
                .cloned()
                .collect();
        }
        if self.command.effect == Effect::Commit
            && let Err(error) = self.log(Vec::new(), Vec::new()).await
        {
            tracing::error!(source = self.source, stream = self.name, error = %error, "run log not written");
            for run in &mut self.runs {
                run.end(self.cx, Some(error.code()));
            }
        }
        self.runs
    }

    /// Returns up to where nothing is missing in any part: with the place, where there is one part only.
    fn reached(&self) -> Option<Cursor> {
        let cursors = self.parts.iter().map(|part| part.position.cursor.as_ref());
        let cursors: Vec<_> = cursors.collect::<Option<_>>()?;
        match cursors.as_slice() {
            [only] => Some((*only).clone()),
            all => {
                let complete_to = all.iter().map(|cursor| cursor.complete_to()).min()?;
                Some(Cursor::between_windows(complete_to))
            }
        }
    }

    /// Returns the place in `runs` of the run of one table's stream; a table that is none's is the stream's own.
    pub(super) fn run_of(&mut self, table: usize) -> Option<&mut Run> {
        let name = self.tables.get(table)?.name().as_str();
        let stream = name.strip_prefix(self.source)?.strip_prefix('_')?;
        self.runs.iter_mut().find(|run| run.stream == stream)
    }

    /// Commits, and tries again where another writer was in the way: a commit may be repeated.
    pub(super) async fn write(&self, batch: Batch) -> Result<Vec<Committed>> {
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

    /// Commits no rows: only the runs' present state and what comes with it.
    async fn log(&self, states: Vec<State>, more: Vec<Append>) -> Result<()> {
        let mut rows = PlainRows::new(&RUN_EVENTS)?;
        let mut runs = self.runs.iter();
        runs.try_for_each(|run| run.append_to(&mut rows))?;
        let appends = std::iter::once(rows.finish()?).chain(more).collect();
        let batch = Batch {
            states,
            appends,
            writes: Vec::new(),
        };
        self.write(batch).await.map(|_| ())
    }

    /// Returns a write that does nothing to the stream's own table.
    ///
    /// # Errors
    /// [`Code::Internal`] where there is none.
    pub(super) fn own_write(&self) -> Result<TableWrite> {
        let own = self.tables.first().map(TableWrite::nothing);
        own.ok_or_else(|| Error::new(Code::Internal, "write to a stream's table"))
    }
}

pub(super) type Append = (&'static PlainTable, arrow::array::RecordBatch);

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
