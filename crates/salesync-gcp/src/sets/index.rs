//! What a later resolve goes on from.

use salesync_core::error::Result;
use salesync_core::plain::NewRows;
use salesync_core::resolve::remote::{BOUNDS, head};
use salesync_core::resolve::{EntityKind, Learnt, Settings};

use super::questions::Questions;
use super::{BigQuerySets, Known, batches};

pub(super) async fn publish(sets: &BigQuerySets, rest: Vec<NewRows>) -> Result<()> {
    let is_indexed = rest.iter().any(|rows| rows.table.name == "_match_facts");
    sets.wait(rest).await?;
    let mut queries = Vec::new();
    if is_indexed {
        queries = self::queries(sets).await?;
    }
    sets.replace(&queries).await
}

/// Returns the queries for what a later resolve goes on from: the table, its columns, and the query.
async fn queries(sets: &BigQuerySets) -> Result<Vec<(&'static str, &'static str, String)>> {
    let facts = sets.work_table("facts");
    let batches = batches(sets.count(&facts).await?);
    let asked = sets.new_table("asked");
    sets.statement(include_str!("sql/places.sql"))
        .table("asked", &asked)
        .int("batches", batches)
        .run("find where facts are kept")
        .await?;
    let answers = sets
        .ask(&Questions {
            head: &head(EntityKind::Company, &Settings::default(), &Learnt::default())?,
            what: "places",
            asking: format!(
                "(SELECT batch, CONCAT('[', CAST(nth AS STRING), ',\"', field, '\",', TO_JSON_STRING(text), ']') AS line FROM {asked})"
            ),
            needing: "(SELECT 0 AS batch, 0 AS record FROM UNNEST([1]) WHERE FALSE)".to_owned(),
            ready: sets.ready(EntityKind::Company, Known::Facts).await?,
            batches,
        })
        .await?;
    let (said, looks, keys) = (
        sets.work_table("said"),
        sets.work_table("looks"),
        sets.work_table("keys"),
    );
    let (uses, users, lines) = (
        sets.work_table("uses"),
        sets.work_table("users"),
        sets.work_table("lines"),
    );
    let edges = sets.work_table("edges");
    let line_users = BOUNDS.switchboard_users;
    Ok(vec![
        (
            "_match_records",
            "record, says, derived",
            format!(
                "SELECT s.record, s.says, l.derived FROM {said} AS s JOIN {looks} AS l ON l.record = s.record"
            ),
        ),
        (
            "_match_keys",
            "key_number, record",
            format!("SELECT key_number, record FROM {keys}"),
        ),
        (
            "_match_uses",
            "key_number, records, users",
            format!(
                "SELECT s.key_number, s.records, IF(l.key_number IS NULL, IFNULL(u.users, 1), GREATEST(IFNULL(u.users, 1), {line_users})) \
                 FROM {uses} AS s LEFT JOIN {users} AS u ON u.key_number = s.key_number \
                 LEFT JOIN (SELECT DISTINCT key_number FROM {lines}) AS l ON l.key_number = s.key_number \
                 WHERE s.key_kind != 'organisation'"
            ),
        ),
        (
            "_match_edges",
            "left_record, right_record, met_by, bits",
            format!("SELECT one, other, met_by, bits FROM {edges}"),
        ),
        (
            "_match_facts",
            "place, field, text, number, organisation",
            format!(
                "SELECT CAST(SPLIT(p.line, ' ')[OFFSET(1)] AS INT64), a.field, a.text, a.number, a.organisation \
                 FROM {asked} AS a JOIN {answers} AS p ON CAST(SPLIT(p.line, ' ')[OFFSET(0)] AS INT64) = a.nth"
            ),
        ),
    ])
}
