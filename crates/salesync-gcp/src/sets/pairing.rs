//! Lets records meet, and weighs them.

use std::sync::atomic::Ordering;

use salesync_core::error::Result;
use salesync_core::resolve::EntityKind;
use salesync_core::resolve::remote::KeyRule;

use super::{BigQuerySets, Known, PAIR, batches, number, unreadable, whole};

pub(super) async fn meet(
    sets: &BigQuerySets,
    kind: EntityKind,
    rules: &[KeyRule],
    window: usize,
) -> Result<u64> {
    let met = sets.work_table(&format!("met_{}", kind.as_str()));
    sets.statement("CREATE TABLE {met} (one INT64, other INT64, met INT64)")
        .table("met", &met)
        .run("make a table of pairs")
        .await?;
    for (at, rule) in (0..).zip(rules) {
        sets.statement(include_str!("sql/meet.sql"))
            .table("met", &met)
            .text("kind", kind.as_str())
            .text("key_kind", rule.kind)
            .int("cap", whole(rule.cap))
            .flag("of_names", rule.is_of_names)
            .int("window", whole(window))
            .int("met", at)
            .run("let records meet")
            .await?;
    }
    let kinds: Vec<&str> = rules.iter().map(|rule| rule.kind).collect();
    let batches = batches(sets.count(&met).await?);
    sets.batches.store(batches, Ordering::Relaxed);
    let rows = sets
        .statement(include_str!("sql/pairs.sql"))
        .table("met", &met)
        .table("pairs", sets.pairs_of(kind))
        .text("key_kinds", &kinds.join(","))
        .int("batches", batches)
        .run("keep pairs once")
        .await?;
    u64::try_from(number(&rows)?).map_err(|_| unreadable())
}

pub(super) async fn weigh(
    sets: &BigQuerySets,
    kind: EntityKind,
    head: &str,
    accept: f32,
) -> Result<u64> {
    let pairs = sets.pairs_of(kind);
    let ready = sets.ready(kind, Known::Lines).await?;
    let batches = sets.batches.load(Ordering::Relaxed);
    let answers = sets
        .ask_pairs(("weigh", head), (&pairs, PAIR), (ready, batches))
        .await?;
    let rows = sets
        .statement(include_str!("sql/edges.sql"))
        .table("answers", answers)
        .table("pairs", pairs)
        .text("kind", kind.as_str())
        .float("accept", accept.into())
        .run("keep what pairs weigh")
        .await?;
    u64::try_from(number(&rows)?).map_err(|_| unreadable())
}
