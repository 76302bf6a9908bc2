//! The end of a full sync: rows that it did not meet are looked up at the source, one by one, and marked
//! only where the source no longer has them.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};

use super::stream::StreamRun;
use crate::batch::{Seen, State, Tombstone};
use crate::command::{Absent, Effect};
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::record::{Deletion, DeletionReason};
use crate::source::Presence;
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Scan};

/// So many rows may be marked without asking, however few there are.
const FEW: usize = 10;

/// Sweeps, forgets the full sync's cursor and moves the incremental one on, in one commit.
pub(super) async fn finish(stream_run: &mut StreamRun<'_>) -> Result<()> {
    if stream_run.command.effect == Effect::DryRun {
        return Ok(());
    }
    let tombstones = gone(stream_run).await?;
    let caught_up = stream_run.position.cursor.clone();
    let now = (&stream_run.cx.run_id, stream_run.cx.now);
    let forgotten = stream_run.position.advance(None, now);
    let mut states = vec![forgotten];
    if let Some(cursor) = caught_up {
        states.extend(incremental(stream_run, cursor).await?);
    }
    let mut batch = stream_run.without_rows(states, Vec::new())?;
    batch.tombstones = tombstones;
    batch.seen = Seen::Forget;
    let committed = stream_run.write(batch).await?;
    stream_run.run.counts.marked += committed.marked;
    Ok(())
}

/// Returns marks for the rows that the source no longer has.
async fn gone(stream_run: &StreamRun<'_>) -> Result<Vec<Tombstone>> {
    let before = stream_run.position.cap;
    let unseen = keys(stream_run, Filter::Unseen { before }).await?;
    let mut gone = BTreeMap::new();
    for chunk in unseen.chunks(1_000) {
        let answers = stream_run.stream.presence(chunk).await?;
        for (key, presence) in chunk.iter().zip(answers) {
            let (reason, merged_into) = match presence {
                Presence::Present => continue,
                Presence::Absent => (DeletionReason::Absent, None),
                Presence::MergedInto(id) => (DeletionReason::MergedInto, Some(id)),
            };
            gone.insert(
                key.clone(),
                Deletion {
                    at: before,
                    reason,
                    merged_into,
                },
            );
        }
    }
    if gone.len() > FEW && stream_run.command.absent == Absent::Ask {
        let live = keys(stream_run, Filter::Live).await?.len();
        if gone.len() * 10 > live {
            return Err(
                Error::new(Code::ReconcileTooMany, "sweep after a full sync")
                    .with("absent", gone.len())
                    .with("of", live),
            );
        }
    }
    Ok(gone
        .into_iter()
        .map(|(key, deletion)| Tombstone { key, deletion })
        .collect())
}

async fn keys(stream_run: &StreamRun<'_>, filter: Filter) -> Result<Vec<String>> {
    let table = stream_run.stream.table().name().clone();
    let scan = Scan {
        columns: vec![SqlIdentifier::parse("id")?],
        filter,
        ..Scan::of(table)
    };
    let mut keys = Vec::new();
    for batch in stream_run.cx.warehouse.scan(&scan).await? {
        let Some(ids) = batch
            .columns()
            .first()
            .and_then(|column| column.as_string_opt::<i32>())
        else {
            return Err(Error::new(Code::StoreSchema, "read the keys of a table"));
        };
        keys.extend(
            (0..ids.len())
                .filter(|row| ids.is_valid(*row))
                .map(|row| ids.value(row).to_owned()),
        );
    }
    Ok(keys)
}

/// Returns the incremental cursor's next state, where the full sync has come further than it.
async fn incremental(stream_run: &StreamRun<'_>, cursor: Cursor) -> Result<Option<State>> {
    let cx = stream_run.cx;
    let mut beside = stream_run.position.beside(cx.warehouse.as_ref()).await?;
    let reached = beside.cursor.as_ref().map(Cursor::complete_to);
    if reached.unwrap_or(Timestamp::EPOCH) >= cursor.complete_to() {
        return Ok(None);
    }
    Ok(Some(beside.advance(Some(cursor), (&cx.run_id, cx.now))))
}
