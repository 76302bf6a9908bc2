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

use crate::days::Days;
use crate::script::Script;
use crate::sql::{quoted, same_key};
use crate::stage::Staged;
use crate::tables::StoredTable;

/// Columns that say how a row came here, not what the record says.
const NOT_CONTENT: [&str; 4] = ["id", "_version", "_synced_at", "_run_id"];

/// A raw table that is written to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    /// Its whole name, in backticks.
    pub(crate) name: &'a str,
    pub(crate) stored: &'a StoredTable,
    /// The first column of its key, where that has two.
    pub(crate) part: Option<&'a str>,
    /// The days of its partitions that the merge touches.
    pub(crate) days: &'a Days,
}

/// Returns the query for the days of the partitions in which rows of the staged keys lie. It reads the columns of the
/// key and the version.
pub(crate) fn days(name: &str, part: Option<&str>, staged: &Staged) -> String {
    let met = same_key(("_t", "id"), ("_s", "id"), part);
    format!(
        "SELECT DISTINCT CAST(DATE(_t._version) AS STRING) AS day FROM {name} AS _t JOIN {} AS _s ON {met}",
        staged.relation
    )
}

/// Adds the merge of rows into a raw table; returns the name of the table in which each staged row's verdict
/// stands: `met`, `writes`, `unchanged`, `gone` and `was_gone`.
pub(crate) fn merge(script: &mut Script, into: Target<'_>, staged: &Staged) -> String {
    let (target, rows) = (into.name, &staged.relation);
    let verdicts = script.name("verdicts");
    let part = into.part.map(quoted);
    let own_part = part.map_or(String::new(), |part| format!("_s.{part}, "));
    let same = same_content(into.stored, staged);
    let met = same_key(("_t", "id"), ("_s", "id"), into.part);
    let within = into.days.within();
    let there = within.as_ref().map_or(target.to_owned(), |within| {
        format!("(SELECT _t.* FROM {target} AS _t WHERE {within})")
    });
    let met_there = within
        .as_ref()
        .map_or(met.clone(), |within| format!("{met} AND {within}"));
    script.run(format!(
        "CREATE TEMP TABLE {verdicts} AS \
         SELECT _s.id, {own_part}_t.id IS NOT NULL AS met, _t._version AS was_version, \
           _t.id IS NULL OR _s._version > _t._version OR (_s._version = _t._version \
             AND _s._synced_at > _t._synced_at AND NOT ({same})) AS writes, \
           _t.id IS NOT NULL AND _s._version = _t._version AND {same} AS unchanged, \
           _s._deleted_at IS NOT NULL AS gone, _t._deleted_at IS NOT NULL AS was_gone \
         FROM {rows} AS _s LEFT JOIN {there} AS _t ON {met}"
    ));
    if let Some(within) = &within {
        script.run(format!(
            "ASSERT NOT EXISTS (SELECT 1 FROM {target} AS _t JOIN {rows} AS _s ON {met} WHERE NOT ({within})) \
             AS 'concurrent: a row has moved to another day'"
        ));
    }
    script.run(format!(
        "ASSERT (SELECT COUNT(*) FROM {verdicts}) = {} AS 'a key is there twice'",
        script_count(staged)
    ));
    let judged = same_key(("_v", "id"), ("_s", "id"), into.part);
    let columns = &into.stored.columns;
    let set: Vec<String> = columns
        .iter()
        .filter(|column| !is_key(&column.name, into.part))
        .map(|column| format!("{} = {}", quoted(&column.name), staged.value_for(column)))
        .collect();
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let values: Vec<String> = columns
        .iter()
        .map(|column| staged.value_for(column))
        .collect();
    let (set, names, values) = (set.join(", "), names.join(", "), values.join(", "));
    for slice in into.days.slices() {
        script.run(format!(
            "MERGE {target} AS _t \
             USING (SELECT _s.* FROM {rows} AS _s JOIN {verdicts} AS _v ON {judged} \
               WHERE _v.writes AND {slice}) AS _s \
             ON {met_there} \
             WHEN MATCHED THEN UPDATE SET {set} \
             WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
        ));
    }
    verdicts
}

/// Returns the number of staged rows, as SQL.
fn script_count(staged: &Staged) -> String {
    match staged.rows {
        Some(rows) => rows.to_string(),
        None => format!("(SELECT COUNT(*) FROM {})", staged.relation),
    }
}

fn is_key(name: &str, part: Option<&str>) -> bool {
    name.eq_ignore_ascii_case("id") || part.is_some_and(|part| name.eq_ignore_ascii_case(part))
}

/// Returns the condition under which staged row `_s` says what row `_t` says.
fn same_content(table: &StoredTable, staged: &Staged) -> String {
    let columns = staged.names().filter_map(|name| table.column(name));
    let content = columns.filter(|column| !NOT_CONTENT.contains(&column.name.as_str()));
    let conditions = content.map(|column| {
        let stored = format!("_t.{}", quoted(&column.name));
        if column.is_called("_merged_into") {
            // The row names the end of the chain of merges, the record its first step.
            return format!("({stored} IS NULL) = (_s._merged_into IS NULL)");
        }
        format!("{stored} IS NOT DISTINCT FROM {}", staged.value_for(column))
    });
    conditions.collect::<Vec<_>>().join(" AND ")
}
