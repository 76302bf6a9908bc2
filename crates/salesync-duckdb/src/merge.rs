//! The merge: the newer version of a record stays, whoever brings it and whenever.
//!
//! | staged `_version` | content | read | becomes |
//! |---|---|---|---|
//! | no row of that key | | | new (or tombstoned) |
//! | newer | any | | changed (or tombstoned) |
//! | the same | the same | | unchanged |
//! | the same | other | later | changed (or tombstoned) |
//! | the same | other | not later | older, ignored |
//! | older | any | | older, ignored |
//!
//! Superseded rows are deleted and the staged ones inserted: upserts rewrite whole row groups.

use arrow::array::{Array, RecordBatch};
use duckdb::Connection;
use salesync_core::batch::Committed;
use salesync_core::error::{Code, Error, Result};
use salesync_core::schema::is_content;

use crate::database::StoredTable;
use crate::failure::failure;
use crate::sql::{quoted, same_key};
use crate::stage::{Staged, drop_temporary, value_for};

const OPERATION: &str = "merge rows";
/// A raw table that is written to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) name: &'a str,
    pub(crate) stored: &'a StoredTable,
    /// The first column of its key, where that has two.
    pub(crate) part: Option<&'a str>,
}

/// Merges rows into a raw table, inside of the caller's transaction.
pub(crate) fn merge(
    connection: &Connection,
    into: Target<'_>,
    rows: &RecordBatch,
) -> Result<Committed> {
    if rows.num_rows() == 0 {
        return Ok(Committed::default());
    }
    let target = quoted(into.name);
    let staged = Staged::put(connection, "_staged", rows)?;
    let met = meet(connection, &target, into, rows)?;
    let gone = rows
        .column_by_name("_deleted_at")
        .map_or(0, |marks| marks.len() - marks.null_count());
    let committed = met.verdict(rows.num_rows(), gone)?;

    let superseded = committed.changed + (committed.tombstoned - (met.gone_absent(gone)?));
    let deleted = if superseded == 0 {
        0
    } else {
        let sql = format!(
            "DELETE FROM {target} WHERE rowid IN (SELECT place FROM temp._met WHERE supersedes)"
        );
        run(connection, &sql)?
    };
    let written = committed.new + committed.changed + committed.tombstoned;
    let inserted = if written == 0 {
        0
    } else {
        let but = if met.kept() {
            let same = same_key(("m", "id"), ("s", "id"), into.part);
            format!(
                "WHERE NOT EXISTS (SELECT 1 FROM temp._met AS m WHERE {same} AND NOT m.supersedes)"
            )
        } else {
            String::new()
        };
        let (list, values) = (staged.column_list(), staged.values_for(into.stored));
        run(
            connection,
            &format!("INSERT INTO {target} ({list}) SELECT {values} FROM temp._staged AS s {but}"),
        )?
    };
    drop_temporary(connection, "_met")?;
    staged.drop_from(connection)?;
    let sum = written + committed.unchanged + committed.older_ignored;
    if (deleted, inserted, sum) != (superseded, written, count(rows.num_rows())) {
        return Err(Error::new(Code::Internal, "add up the rows of a commit")
            .with("table", into.name)
            .with("rows", rows.num_rows())
            .with("sum", sum)
            .with("superseded", superseded)
            .with("deleted", deleted)
            .with("written", written)
            .with("inserted", inserted));
    }
    Ok(committed)
}

/// How the staged rows whose key is there already stand to the rows of that key.
#[derive(Debug, Default, Clone, Copy)]
struct Met {
    all: u64,
    supersedes: u64,
    unchanged: u64,
    /// Staged rows that are marked as gone.
    gone: u64,
    /// Rows that are marked as gone now and were live before.
    tombstoned: u64,
}

impl Met {
    fn verdict(&self, rows: usize, gone: usize) -> Result<Committed> {
        let gone_absent = self.gone_absent(gone)?;
        let absent = count(rows).checked_sub(self.all).ok_or_else(twice)?;
        Ok(Committed {
            new: absent.checked_sub(gone_absent).ok_or_else(twice)?,
            changed: self.supersedes - self.tombstoned,
            unchanged: self.unchanged,
            older_ignored: self.all - self.supersedes - self.unchanged,
            tombstoned: self.tombstoned + gone_absent,
            marked: 0,
            bytes_billed: 0,
        })
    }

    fn gone_absent(&self, gone: usize) -> Result<u64> {
        count(gone).checked_sub(self.gone).ok_or_else(twice)
    }

    /// Returns whether some of the rows that are there stay as they are.
    fn kept(&self) -> bool {
        self.all > self.supersedes
    }
}

fn twice() -> Error {
    Error::new(
        Code::StoreCorrupt,
        "merge rows into a table that holds a key twice",
    )
}

/// Notes in `_met`, for each staged row whose key is there already, where that row is and whether it
/// is superseded.
fn meet(
    connection: &Connection,
    target: &str,
    into: Target<'_>,
    rows: &RecordBatch,
) -> Result<Met> {
    let part = into
        .part
        .map_or(String::new(), |part| format!("s.{}, ", quoted(part)));
    let met = same_key(("t", "id"), ("s", "id"), into.part);
    run(
        connection,
        &format!(
            "CREATE TEMP TABLE _met AS \
             SELECT s.id, {part}t.rowid AS place, s._version > t._version AS supersedes, \
               s._version = t._version AS level, s._synced_at > t._synced_at AS later, \
               s._deleted_at IS NOT NULL AS gone, t._deleted_at IS NOT NULL AS was_gone, \
               false AS unchanged \
             FROM temp._staged AS s JOIN {target} AS t ON {met}"
        ),
    )?;
    if let Some((first, last)) = places_of_level(connection)? {
        let same = same_content(into.stored, rows);
        let staged = same_key(("s", "id"), ("m", "id"), into.part);
        run(
            connection,
            &format!(
                "CREATE TEMP TABLE _same AS SELECT m.place FROM temp._met AS m \
                 JOIN temp._staged AS s ON {staged} JOIN {target} AS t ON t.rowid = m.place \
                 WHERE m.level AND t.rowid BETWEEN {first} AND {last} AND {same}"
            ),
        )?;
        run(
            connection,
            "UPDATE temp._met SET unchanged = true WHERE place IN (SELECT place FROM temp._same)",
        )?;
        drop_temporary(connection, "_same")?;
        run(
            connection,
            "UPDATE temp._met SET supersedes = true WHERE level AND later AND NOT unchanged",
        )?;
    }
    connection
        .query_row(
            "SELECT count(*), count(*) FILTER (supersedes), count(*) FILTER (unchanged), \
               count(*) FILTER (gone), count(*) FILTER (supersedes AND gone AND NOT was_gone) \
             FROM temp._met",
            [],
            |row| {
                Ok(Met {
                    all: row.get(0)?,
                    supersedes: row.get(1)?,
                    unchanged: row.get(2)?,
                    gone: row.get(3)?,
                    tombstoned: row.get(4)?,
                })
            },
        )
        .map_err(failure(OPERATION))
}

/// Returns the condition under which staged row `s` says what row `t` says.
fn same_content(table: &StoredTable, rows: &RecordBatch) -> String {
    let schema = rows.schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let conditions = names.filter(|name| is_content(name)).map(|name| {
        let stored = format!("t.{}", quoted(name));
        if name == "_merged_into" {
            // The row names the end of the chain of merges, the record its first step.
            return format!("({stored} IS NULL) = (s._merged_into IS NULL)");
        }
        format!("{stored} IS NOT DISTINCT FROM {}", value_for(table, name))
    });
    conditions.collect::<Vec<_>>().join(" AND ")
}

/// Returns between which places the rows lie whose content must be compared: what was written lately
/// lies together, and the rest of a large table is then not read.
fn places_of_level(connection: &Connection) -> Result<Option<(i64, i64)>> {
    let sql = "SELECT min(place), max(place) FROM temp._met WHERE level";
    connection
        .query_row(sql, [], |row| {
            let (first, last): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(first.zip(last))
        })
        .map_err(failure(OPERATION))
}

/// Runs a statement and returns how many rows it wrote.
fn run(connection: &Connection, sql: &str) -> Result<u64> {
    connection
        .execute(sql, [])
        .map(count)
        .map_err(failure(OPERATION))
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
