//! Where a run begins: the stored cursor, its place in the state log, and its first commit.

use crate::batch::{Slot, State, StreamId};
use crate::cursor::Cursor;
use crate::error::Result;
use crate::run::RunId;
use crate::time::Timestamp;
use crate::warehouse::Warehouse;

/// A run's place in the state log.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) id: StreamId,
    pub(super) slot: Slot,
    pub(super) generation: u64,
    pub(super) epoch: u64,
    pub(super) seq: u64,
    pub(super) cursor: Option<Cursor>,
    /// No cursor passes it: the source's clock when the run began, less the tick that was still open.
    pub(super) cap: Timestamp,
}

impl Position {
    /// Reads the stored state of a slot and takes the next epoch.
    pub(super) async fn read(
        warehouse: &dyn Warehouse,
        id: StreamId,
        slot: Slot,
        cap: Timestamp,
    ) -> Result<Self> {
        let state = warehouse.cursor(&id, slot).await?;
        let (generation, epoch) = state.as_ref().map_or((0, 0), |s| (s.generation, s.epoch));
        Ok(Self {
            id,
            slot,
            generation,
            epoch: epoch + 1,
            seq: 0,
            cursor: state.and_then(|state| state.cursor),
            cap,
        })
    }

    /// Goes back to `since`: an operator's reset, which takes the next generation and never skips what was not
    /// read yet.
    pub(super) fn reset_to(self, since: Timestamp) -> Self {
        let nothing_read = Cursor::between_windows(self.cap);
        let cursor = self.cursor.unwrap_or(nothing_read).back_to(since);
        Self {
            generation: self.generation + 1,
            epoch: 0,
            cursor: Some(cursor),
            ..self
        }
    }

    /// Returns the place of the scheduled syncs, beside the one of a full sync.
    pub(super) async fn beside(&self, warehouse: &dyn Warehouse) -> Result<Self> {
        Self::read(warehouse, self.id.clone(), Slot::Incremental, self.cap).await
    }

    /// Goes back to `since`: a cursor that claims less is as true. Returns the row for the state log.
    pub(super) fn go_back(&mut self, since: Timestamp, now: (&RunId, Timestamp)) -> State {
        let reached = self.cursor.take().unwrap_or(Cursor::between_windows(since));
        self.advance(Some(reached.set_back_to(since)), now)
    }

    /// Stays where it is, and returns the row for the state log.
    pub(super) fn stay(&mut self, now: (&RunId, Timestamp)) -> State {
        self.advance(self.cursor.clone(), now)
    }

    /// Moves on to `next`, never past the cap and never back, and returns the row for the state log.
    pub(super) fn advance(
        &mut self,
        next: Option<Cursor>,
        (run_id, now): (&RunId, Timestamp),
    ) -> State {
        let floor = self
            .cursor
            .as_ref()
            .map_or(Timestamp::EPOCH, Cursor::complete_to);
        self.cursor = next.map(|next| next.capped(self.cap).at_least(floor));
        let state = State {
            id: self.id.clone(),
            slot: self.slot,
            generation: self.generation,
            epoch: self.epoch,
            seq: self.seq,
            run_id: run_id.clone(),
            cursor: self.cursor.clone(),
            source_clock: self.cap,
            committed_at: now,
        };
        self.seq += 1;
        state
    }
}
