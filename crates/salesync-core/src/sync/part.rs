//! One part of a stream while it is read: where it stands, and how it ended.

use std::sync::Arc;

use super::SyncContext;
use super::start::Position;
use super::stream::OPEN_TICK;
use crate::batch::{Note, Seen, Slot, StreamId};
use crate::command::{Mode, Sync};
use crate::cursor::Cursor;
use crate::error::{Code, Result};
use crate::source::{Reading, Stream};
use crate::time::Timestamp;

use super::decode::Missing;

/// One part of a stream; the whole of one that is not read in parts.
pub(super) struct PartRun {
    pub(super) stream: Arc<dyn Stream>,
    pub(super) position: Position,
    /// Whether the next commit is the first of a reading of everything.
    begins: bool,
    /// Whether the last run set the cursor back: records still missing now are named, not looked for again.
    pub(super) begins_set_back: bool,
    /// When the first page of this run was asked for.
    pub(super) began_at: Option<Timestamp>,
    pub(super) missing: Option<Missing>,
    /// How it ended; `None` where nothing was read yet.
    pub(super) ended: Option<Result<()>>,
}

impl PartRun {
    /// Reads where the part stands; `clock` is the source's.
    pub(super) async fn begin(
        cx: &SyncContext,
        ((source, name, part), stream): ((&str, &str, Option<String>), Arc<dyn Stream>),
        command: &Sync,
        clock: Timestamp,
    ) -> Result<Self> {
        let id = StreamId {
            source: source.to_owned(),
            stream: name.to_owned(),
            part,
        };
        let slot = match command.mode {
            // What is due is due in either mode.
            _ if stream.backlog().is_some() => Slot::Incremental,
            Mode::Incremental => Slot::Incremental,
            Mode::Full => Slot::Full,
        };
        let cap = clock.minus(OPEN_TICK);
        let mut position = Position::read(cx.warehouse.as_ref(), id, slot, cap).await?;
        if let Some(since) = command.since {
            position = position.reset_to(since);
        }
        Ok(Self::at(stream, position))
    }

    fn at(stream: Arc<dyn Stream>, position: Position) -> Self {
        let cursor = position.cursor.as_ref();
        let begins = match position.slot {
            Slot::Full => cursor.is_none(),
            Slot::Incremental => cursor.is_none_or(Cursor::is_between_windows),
        };
        Self {
            begins,
            begins_set_back: cursor.is_some_and(Cursor::is_set_back),
            began_at: None,
            missing: None,
            ended: None,
            stream,
            position,
        }
    }

    /// Begins to read everything again, since the source no longer knows the cursor: in the slot of full syncs,
    /// where it goes on if that was begun before.
    pub(super) async fn begin_anew(&mut self, cx: &SyncContext) -> Result<()> {
        let (id, cap) = (self.position.id.clone(), self.position.cap);
        let mut position = Position::read(cx.warehouse.as_ref(), id, Slot::Full, cap).await?;
        if self.position.slot == Slot::Full {
            position.cursor = None;
        }
        tracing::info!(
            source = position.id.source,
            stream = position.id.stream,
            run_id = %cx.run_id,
            "the source no longer knows the cursor: everything is read again"
        );
        *self = Self::at(Arc::clone(&self.stream), position);
        Ok(())
    }

    /// Returns the part's name, of a stream that is read in parts.
    pub(super) fn part(&self) -> Option<&str> {
        self.position.id.part.as_deref()
    }

    /// Returns the code that it ended with, where it did not end well.
    pub(super) fn ended_with(&self) -> Option<Code> {
        let error = self.ended.as_ref()?.as_ref().err()?;
        Some(error.code())
    }

    /// Returns whether it reads everything there is, so that what it does not meet is gone.
    pub(super) fn reads_everything(&self) -> bool {
        self.position.slot == Slot::Full || self.stream.reading() == Reading::Snapshot
    }

    /// Returns what a commit of its rows notes of their keys.
    pub(super) fn note(&mut self) -> Option<Note> {
        if !self.reads_everything() {
            return None;
        }
        let seen = if std::mem::take(&mut self.begins) {
            Seen::Begin
        } else {
            Seen::Add
        };
        Some(Note {
            part: self.part().map(str::to_owned),
            seen,
        })
    }
}
