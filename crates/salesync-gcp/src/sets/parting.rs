//! Ties records together, and parts them by what is tied.

use std::sync::atomic::Ordering;

use salesync_core::error::{Code, Error, Result};
use salesync_core::resolve::EntityKind;
use salesync_core::resolve::remote::BOUNDS;
use salesync_core::sets::{PartRow, Vanished};

use super::{BigQuerySets, each, look_of, number, unreadable};

/// A part of all records has so many, more or less.
const PART: i64 = 20_000;

/// After so many turns every chain of records has one label, however long it is: a chain of 20,000 takes some 11.
const MOST_TURNS: u32 = 64;

pub(super) async fn tie(sets: &BigQuerySets, kind: EntityKind, accept: f32) -> Result<u32> {
    sets.flush().await?;
    if kind == EntityKind::Company {
        read_before(sets).await?;
    }
    let name = |begin: &str, at: u32| sets.work_table(&format!("{begin}_{}_{at}", kind.as_str()));
    let ties = name("ties", 0);
    sets.statement(include_str!("sql/tie.sql"))
        .table("ties", &ties)
        .table("labels_now", name("labels", 0))
        .text("kind", kind.as_str())
        .float("accept", accept.into())
        .run("tie records together")
        .await?;
    let mut turn = 0;
    loop {
        let rows = sets
            .statement(include_str!("sql/turn.sql"))
            .table("ties", &ties)
            .table("labels_now", name("labels", turn))
            .table("labels_next", name("labels", turn + 1))
            .run("tie records together")
            .await?;
        turn += 1;
        if number(&rows)? == 0 {
            break;
        }
        if turn >= MOST_TURNS {
            return Err(Error::new(Code::Internal, "tie records together"));
        }
    }
    let rows = sets
        .statement("SELECT COUNT(*) FROM {said} WHERE kind = @kind")
        .text("kind", kind.as_str())
        .run("count records")
        .await?;
    let parts = number(&rows)? / PART + 1;
    sets.statement(include_str!("sql/parts.sql"))
        .table("members", name("members", 0))
        .table("parts", sets.parts_of(kind))
        .table("labels_now", name("labels", turn))
        .text("kind", kind.as_str())
        .int("parts", parts)
        .int("look", look_of(kind))
        .int("line_users", BOUNDS.switchboard_users.into())
        .run("part records")
        .await?;
    u32::try_from(parts).map_err(|_| unreadable())
}

pub(super) async fn part(sets: &BigQuerySets, kind: EntityKind, part: u32) -> Result<Vec<PartRow>> {
    let rows = sets
        .statement(
            "SELECT what, record, other, count, number, text, more FROM {parts} WHERE part = @part",
        )
        .table("parts", sets.parts_of(kind))
        .int("part", part.into())
        .run("read a part")
        .await?;
    each(&rows, |[what, record, other, count, number, text, more]| {
        Some(PartRow {
            what: what?.to_owned(),
            record: record?.parse().ok()?,
            other: other?.parse().ok()?,
            count: count?.parse().ok()?,
            number: number?.parse().ok()?,
            text: text?.to_owned(),
            more: more?.to_owned(),
        })
    })
}

pub(super) async fn vanished(sets: &BigQuerySets) -> Result<Vec<Vanished>> {
    let statement = sets.statement(include_str!("sql/vanished.sql"));
    let rows = statement.run("find what is gone").await?;
    each(&rows, |[kind, source, stream, id, entity]| {
        Some(Vanished {
            kind: kind?.to_owned(),
            record: [source?.to_owned(), stream?.to_owned(), id?.to_owned()],
            entity_id: entity?.to_owned(),
        })
    })
}

/// Reads the last answer, as far as its records are still there, and takes note of how much had happened by then.
async fn read_before(sets: &BigQuerySets) -> Result<()> {
    let none = |columns: &str| format!("(SELECT {columns} FROM UNNEST([1]) WHERE FALSE)");
    let mut statement = sets.statement(include_str!("sql/before.sql"));
    if sets.api().table("entity_records").await?.is_none() {
        let columns = "'' AS kind, '' AS source, '' AS stream, '' AS record_id, '' AS entity_id";
        statement = statement.table("published.entity_records", none(columns));
    }
    if sets.api().table("entity_history").await?.is_none() {
        let columns = "'' AS entity_id, '' AS event, CURRENT_TIMESTAMP() AS happened_at";
        statement = statement.table("published.entity_history", none(columns));
    }
    let rows = statement.run("read the last answer").await?;
    sets.events.store(number(&rows)?, Ordering::Relaxed);
    Ok(())
}
