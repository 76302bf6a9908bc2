//! Marks rows as gone. A marked row keeps its values, and a chain of merges ends at the survivor.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use duckdb::Connection;
use salesync_core::batch::Tombstone;
use salesync_core::error::Result;
use salesync_core::staging;

use crate::failure::failure;
use crate::sql::{quoted, same_key};
use crate::stage::{Staged, drop_temporary};

const OPERATION: &str = "mark rows as gone";

/// Marks rows, inside of the caller's transaction; returns how many marks were set.
///
/// A row in a newer version stays as it is, and so does one that is marked for the same reason. A key
/// without a row gets one that only holds the mark, so that no older version brings it back.
pub(crate) fn mark(
    connection: &Connection,
    (name, part): (&str, Option<&str>),
    tombstones: &[Tombstone],
) -> Result<u64> {
    if tombstones.is_empty() {
        return Ok(0);
    }
    let target = quoted(name);
    let staged = Staged::put(connection, "_marks", &staging::marks(part, tombstones)?)?;
    let own_part = part.map_or(String::new(), |part| format!("m.{}, ", quoted(part)));
    let same = same_key(("t", "id"), ("m", "id"), part);
    run(
        connection,
        &format!(
            "CREATE TEMP TABLE _marked AS \
             SELECT m.id, {own_part}m.version, m.\"at\", m.reason, m.merged_into, t.rowid AS place \
             FROM temp._marks AS m LEFT JOIN {target} AS t ON {same} \
             WHERE t.id IS NULL OR (t._version <= m.version AND NOT coalesce(t._deleted_reason = m.reason \
               AND (m.reason <> 'merged_into' OR t._merged_into IS NOT NULL), false))"
        ),
    )?;
    let there = rewrite(connection, name)?;
    let parts = part.map_or(String::new(), |part| format!("{}, ", quoted(part)));
    let added = run(
        connection,
        &format!(
            "INSERT INTO {target} (id, {parts}_version, _synced_at, _run_id, _deleted_at, _deleted_reason, \
               _merged_into) \
             SELECT id, {parts}version, \"at\", '', \"at\", reason, merged_into FROM temp._marked \
             WHERE place IS NULL"
        ),
    )?;
    drop_temporary(connection, "_marked")?;
    staged.drop_from(connection)?;
    Ok(there + added)
}

/// Writes the marks in `_marked` into the rows at their places; returns how many there are.
pub(crate) fn rewrite(connection: &Connection, name: &str) -> Result<u64> {
    let target = quoted(name);
    let there: u64 = connection
        .query_row("SELECT count(place) FROM temp._marked", [], |row| {
            row.get(0)
        })
        .map_err(failure(OPERATION))?;
    if there == 0 {
        return Ok(0);
    }
    run(
        connection,
        &format!(
            "CREATE TEMP TABLE _rewritten AS \
             SELECT t.* REPLACE (m.version AS _version, m.\"at\" AS _deleted_at, \
               m.reason AS _deleted_reason, m.merged_into AS _merged_into) \
             FROM {target} AS t JOIN temp._marked AS m ON t.rowid = m.place"
        ),
    )?;
    run(
        connection,
        &format!(
            "DELETE FROM {target} WHERE rowid IN (SELECT place FROM temp._marked WHERE place IS NOT NULL)"
        ),
    )?;
    run(
        connection,
        &format!("INSERT INTO {target} SELECT * FROM temp._rewritten"),
    )?;
    drop_temporary(connection, "_rewritten")?;
    Ok(there)
}

/// Runs a statement and returns how many rows it wrote.
fn run(connection: &Connection, sql: &str) -> Result<u64> {
    let written = connection.execute(sql, []).map_err(failure(OPERATION))?;
    Ok(u64::try_from(written).unwrap_or(u64::MAX))
}

/// Lets every merged row name the end of its chain of merges.
pub(crate) fn follow_merges(connection: &Connection, name: &str) -> Result<()> {
    let target = quoted(name);
    let sql = format!("SELECT id, _merged_into FROM {target} WHERE _merged_into IS NOT NULL");
    let into = connection
        .prepare(&sql)
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<duckdb::Result<BTreeMap<String, String>>>()
        })
        .map_err(failure(OPERATION))?;
    let moved: Vec<(&str, &str)> = into.keys().filter_map(|key| moved(&into, key)).collect();
    if moved.is_empty() {
        return Ok(());
    }
    let texts = |text: fn(&(&str, &str)) -> String| -> ArrayRef {
        Arc::new(
            moved
                .iter()
                .map(|pair| Some(text(pair)))
                .collect::<StringArray>(),
        )
    };
    let rows = staging::columns_of(vec![
        ("id", texts(|(key, _)| (*key).to_owned())),
        ("survivor", texts(|(_, end)| (*end).to_owned())),
    ])?;
    let staged = Staged::put(connection, "_survivors", &rows)?;
    let sql = format!(
        "UPDATE {target} AS t SET _merged_into = e.survivor FROM temp._survivors AS e WHERE t.id = e.id"
    );
    connection.execute(&sql, []).map_err(failure(OPERATION))?;
    staged.drop_from(connection)
}

/// Returns key and survivor where the row names another one; a circle of merges stays as it is.
fn moved<'a>(into: &'a BTreeMap<String, String>, key: &'a str) -> Option<(&'a str, &'a str)> {
    let first = into.get(key)?;
    let (mut end, mut steps) = (first, 0);
    while let Some(next) = into.get(end).filter(|_| steps < into.len()) {
        end = next;
        steps += 1;
    }
    (end != first && end != key).then_some((key, end.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_merges_ends_at_the_survivor_and_a_circle_does_not_hang() {
        let into = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect()
        };
        let chain = into(&[("a", "b"), ("b", "c"), ("c", "d")]);
        assert_eq!(moved(&chain, "a"), Some(("a", "d")));
        assert_eq!(moved(&chain, "c"), None);
        let circle = into(&[("a", "b"), ("b", "a")]);
        assert_eq!(moved(&circle, "a"), None);
    }
}
