//! The log of cursors.

use duckdb::{OptionalExt, params};
use salesync_core::batch::{Slot, State, StreamId};
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::staging;
use salesync_core::time::Timestamp;

use crate::database::Database;
use crate::failure::failure;

/// A row of the log as it is stored.
struct Stored {
    order: [Option<i64>; 3],
    run_id: Option<String>,
    cursor: Option<String>,
    times: [Option<i64>; 2],
}

impl Database {
    /// Returns the current row of a stream's log.
    pub(crate) fn state(&self, id: &StreamId, slot: Slot) -> Result<Option<State>> {
        let sql = "SELECT generation, epoch, seq, run_id, CAST(cursor AS VARCHAR), \
                     epoch_us(source_clock), epoch_us(committed_at) \
                   FROM sync_state WHERE source = ? AND stream = ? \
                     AND part IS NOT DISTINCT FROM ? AND slot = ? \
                   ORDER BY generation DESC NULLS FIRST, epoch DESC NULLS FIRST, \
                     seq DESC NULLS FIRST, run_id DESC NULLS FIRST LIMIT 1";
        let stored = self
            .connection()
            .query_row(
                sql,
                params![id.source, id.stream, id.part, slot.as_str()],
                |row| {
                    Ok(Stored {
                        order: [row.get(0)?, row.get(1)?, row.get(2)?],
                        run_id: row.get(3)?,
                        cursor: row.get(4)?,
                        times: [row.get(5)?, row.get(6)?],
                    })
                },
            )
            .optional()
            .map_err(failure("read a cursor"))?;
        stored.map(|stored| read(stored, id, slot)).transpose()
    }
}

fn read(stored: Stored, id: &StreamId, slot: Slot) -> Result<State> {
    let corrupt = || {
        Error::new(Code::StoreCorrupt, "read a cursor")
            .with("source", &id.source)
            .with("stream", &id.stream)
    };
    let number = |value: Option<i64>| {
        value
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(corrupt)
    };
    let time = |value: Option<i64>| value.map(Timestamp::from_micros).ok_or_else(corrupt);
    let [generation, epoch, seq] = stored.order;
    let [source_clock, committed_at] = stored.times;
    let run_id = stored.run_id.ok_or_else(corrupt)?;
    Ok(State {
        id: id.clone(),
        slot,
        generation: number(generation)?,
        epoch: number(epoch)?,
        seq: number(seq)?,
        run_id: staging::run_id(run_id)?,
        cursor: stored
            .cursor
            .as_deref()
            .map(Cursor::from_json)
            .transpose()?,
        source_clock: time(source_clock)?,
        committed_at: time(committed_at)?,
    })
}
