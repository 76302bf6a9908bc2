//! The end of reading everything, in a full sync or by a snapshot: rows that were not met are looked up at the source and marked
//! only where the source no longer has them.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};

use super::SyncContext;
use super::part::PartRun;
use super::start::Position;
use super::stream::{OPEN_TICK, StreamRun};
use crate::batch::{Batch, Note, RowKey, Seen, Slot, State, TableWrite, Tombstone};
use crate::command::{Absent, Effect};
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::record::{Deletion, DeletionReason};
use crate::source::Presence;
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, PartOf, Scan};

/// So many rows may be marked without asking, however few there are.
const FEW: usize = 10;

/// Sweeps one part. After a full sync its cursor is forgotten and the incremental one moves on, in the same
/// commit.
pub(super) async fn finish(stream_run: &mut StreamRun<'_>, index: usize) -> Result<()> {
    if stream_run.command.effect == Effect::DryRun {
        return Ok(());
    }
    let mut own = stream_run.own_write()?;
    let Some(part) = stream_run.parts.get(index) else {
        return Ok(());
    };
    own.tombstones = gone(stream_run, part).await?;
    own.notes = vec![Note {
        part: part.part().map(str::to_owned),
        seen: Seen::Forget,
    }];
    let mut batch = Batch::from(own);
    // What hangs on the rows that are gone goes with them.
    let beside = stream_run.tables.iter().skip(1);
    batch.writes.extend(beside.map(TableWrite::nothing));
    let cx = stream_run.cx;
    if let Some(part) = stream_run.parts.get_mut(index)
        && part.position.slot == Slot::Full
    {
        let caught_up = part.position.cursor.clone();
        let now = (&cx.run_id, cx.now);
        batch.states.push(part.position.advance(None, now));
        if let Some(cursor) = caught_up {
            let next = incremental(cx, &part.position, cursor.clone()).await?;
            batch.states.extend(next);
            part.position.cursor = Some(cursor);
        }
    }
    let committed = stream_run.write(batch).await?;
    for (table, committed) in committed.iter().enumerate() {
        if let Some(run) = stream_run.run_of(table) {
            run.counts.marked += committed.marked;
        }
    }
    Ok(())
}

/// Returns marks for the rows of a part that the source no longer has.
async fn gone(stream_run: &StreamRun<'_>, part: &PartRun) -> Result<Vec<Tombstone>> {
    let began_at = part.began_at.map(|at| at.minus(OPEN_TICK));
    let before = part.position.cap.max(began_at.unwrap_or(Timestamp::EPOCH));
    let name = part.part().map(str::to_owned);
    let column = stream_run.tables.first().and_then(|table| table.part());
    let of = name.clone().zip(column).map(|(part, column)| PartOf {
        column: column.name.clone(),
        part,
    });
    let unseen = Filter::Unseen {
        before,
        part: of.clone(),
    };
    let unseen = keys(stream_run, unseen).await?;
    let mut gone = BTreeMap::new();
    for chunk in unseen.chunks(1_000) {
        let answers = part.stream.presence(chunk).await?;
        for (key, presence) in chunk.iter().zip(answers) {
            let (version, reason, merged_into) = match presence {
                Presence::Present => continue,
                Presence::Absent => (before, DeletionReason::Absent, None),
                Presence::AbsentIn(version) => (version, DeletionReason::Absent, None),
                Presence::MergedInto(id) => (before, DeletionReason::MergedInto, Some(id)),
            };
            let deletion = Deletion {
                at: before,
                reason,
                merged_into,
            };
            gone.insert(key.clone(), (version, deletion));
        }
    }
    if gone.len() > FEW && stream_run.command.absent == Absent::Ask {
        let live = of.map_or(Filter::Live, Filter::LiveIn);
        let live = keys(stream_run, live).await?.len();
        if gone.len() * 10 > live {
            let code = Code::ReconcileTooMany;
            return Err(Error::new(code, "sweep after reading everything")
                .with("absent", gone.len())
                .with("of", live));
        }
    }
    let tombstone = |(id, (version, deletion))| Tombstone {
        key: RowKey {
            part: name.clone(),
            id,
        },
        version,
        deletion,
    };
    Ok(gone.into_iter().map(tombstone).collect())
}

async fn keys(stream_run: &StreamRun<'_>, filter: Filter) -> Result<Vec<String>> {
    let Some(table) = stream_run.tables.first() else {
        return Ok(Vec::new());
    };
    let scan = Scan {
        columns: vec![SqlIdentifier::parse("id")?],
        filter,
        ..Scan::of(table.name().clone())
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

/// Returns the incremental cursor's next state, where the full sync has come further than it, or where the
/// source no longer knows it.
async fn incremental(
    cx: &SyncContext,
    position: &Position,
    cursor: Cursor,
) -> Result<Option<State>> {
    let mut beside = position.beside(cx.warehouse.as_ref()).await?;
    let reached = beside.cursor.as_ref().map(Cursor::complete_to);
    if reached.unwrap_or(Timestamp::EPOCH) > cursor.complete_to() {
        return Ok(None);
    }
    Ok(Some(beside.advance(Some(cursor), (&cx.run_id, cx.now))))
}
