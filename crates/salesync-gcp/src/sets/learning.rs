//! Finds out who uses keys, and what evidence is worth.

use salesync_core::error::Result;
use salesync_core::resolve::EntityKind;
use salesync_core::resolve::remote::{
    BOUNDS, KeyRule, Lesson, LevelCount, NamesakeCount, namesake_step,
};

use super::questions::Questions;
use super::{BigQuerySets, Known, PAIR, batches, each, unreadable, whole};

/// So many records of one key are asked about at most: who uses it is known long before.
const MOST_USERS: i64 = 2_000;

pub(super) async fn count_users(
    sets: &BigQuerySets,
    kind: EntityKind,
    rule: &KeyRule,
    head: &str,
) -> Result<()> {
    let batches = batches(sets.sharing(kind, rule.kind).await?);
    let asked = sets.new_table("asked");
    sets.statement(include_str!("sql/users.sql"))
        .table("asked", &asked)
        .text("kind", kind.as_str())
        .text("key_kind", rule.kind)
        .int("batches", batches)
        .int("most", MOST_USERS)
        .run("find who uses keys")
        .await?;
    let answers = sets
        .ask(&Questions {
            head,
            what: "users",
            asking: format!(
                "(SELECT batch, CONCAT('[', CAST(key_number AS STRING), ',[', \
                 STRING_AGG(CAST(record AS STRING), ','), ']]') AS line FROM {asked} GROUP BY batch, key_number)"
            ),
            needing: asked,
            ready: sets.ready(kind, Known::Facts).await?,
            batches,
        })
        .await?;
    sets.statement(
        "INSERT INTO {users} (key_number, users) \
         SELECT CAST(SPLIT(line, ' ')[OFFSET(0)] AS INT64), CAST(SPLIT(line, ' ')[OFFSET(1)] AS INT64) FROM {answers}",
    )
    .table("answers", answers)
    .run("keep who uses keys")
    .await
    .map(drop)
}

pub(super) async fn levels(
    sets: &BigQuerySets,
    kind: EntityKind,
    (rule, lesson): (&KeyRule, Lesson),
    head: &str,
) -> Result<Vec<LevelCount>> {
    let batches = batches(sets.keys(kind, rule.kind).await?);
    let asked = sets.new_table("asked");
    sets.statement(include_str!("sql/levels.sql"))
        .table("asked", &asked)
        .text("kind", kind.as_str())
        .text("key_kind", rule.kind)
        .int("last", i64::from(lesson == Lesson::Households))
        .int("batches", batches)
        .run("find pairs to learn from")
        .await?;
    let ready = sets.ready(kind, Known::Facts).await?;
    let answers = sets
        .ask_pairs(("levels", head), (&asked, PAIR), (ready, batches))
        .await?;
    let rows = sets.counted(&answers).await?;
    each(&rows, |[line, times]| {
        Some(LevelCount {
            levels: line?.split(' ').map(str::to_owned).collect(),
            pairs: times?.parse().ok()?,
        })
    })
}

pub(super) async fn namesakes(sets: &BigQuerySets, head: &str) -> Result<Vec<NamesakeCount>> {
    let kind = EntityKind::Person;
    let records = sets.sharing(kind, "full_name").await?;
    let step = namesake_step(usize::try_from(records).map_err(|_| unreadable())?);
    let step = i64::try_from(step).map_err(|_| unreadable())?;
    let near = whole(BOUNDS.neighbours);
    // Of names, every so many-eth is asked about, with so many pairs of each record.
    let batches = batches(records.saturating_mul(near) / step);
    let asked = sets.new_table("asked");
    sets.statement(include_str!("sql/namesakes.sql"))
        .table("asked", &asked)
        .int("batches", batches)
        .int("step", step)
        .int("wrap", wrap(step))
        .int("near", near)
        .run("find namesakes")
        .await?;
    let line = "CONCAT('[', CAST(one AS STRING), ',', CAST(other AS STRING), ',', \
                CAST(looked_at AS STRING), ',', CAST(pairs AS STRING), ']')";
    let ready = sets.ready(kind, Known::Uses).await?;
    let answers = sets
        .ask_pairs(("namesakes", head), (&asked, line), (ready, batches))
        .await?;
    let rows = sets.counted(&answers).await?;
    each(&rows, |[line, times]| {
        let mut words = line?.split(' ');
        let mut word = || words.next();
        Some(NamesakeCount {
            bucket: word()?.parse().ok()?,
            agreements: [word()?.to_owned(), word()?.to_owned(), word()?.to_owned()],
            looked_at: word()?.parse().ok()?,
            all: word()?.parse().ok()?,
            pairs: times?.parse().ok()?,
        })
    })
}

/// Returns what is left of 2 to the power of 64 when it is divided: what a sign takes from a number that has none.
fn wrap(step: i64) -> i64 {
    let left = (1_i128 << 64).rem_euclid(i128::from(step.max(1)));
    i64::try_from(left).unwrap_or_default()
}
