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

use salesync_core::schema::is_content;

use crate::script::Script;
use crate::sql::quoted;
use crate::stage::Staged;
use crate::target::Target;

/// Returns the query for the times of the partitions in which rows of the staged keys lie. It reads the columns of the
/// key and the time.
pub(crate) fn days_of_keys(into: &Target, staged: &Staged) -> String {
    let (day, name) = (quoted(&into.day), &into.name);
    format!(
        "SELECT _t.{day} AS day FROM {name} AS _t JOIN {} AS _s ON {}",
        staged.relation,
        into.same("_t", "_s")
    )
}

/// Adds the merge of rows into a raw table; returns the name of the table in which each staged row's verdict
/// stands: `met`, `writes`, `unchanged`, `gone` and `was_gone`.
pub(crate) fn merge(script: &mut Script, into: &Target, staged: &Staged) -> String {
    let same = same_content(into, staged);
    let later = format!("_s._synced_at > _t._synced_at AND NOT ({same})");
    let verdicts = judge(script, into, staged, &later, &same);
    let count = match staged.rows {
        Some(rows) => rows.to_string(),
        None => format!("(SELECT COUNT(*) FROM {})", staged.relation),
    };
    script.run(format!(
        "ASSERT (SELECT COUNT(*) FROM {verdicts}) = {count} AS 'a key is there twice'"
    ));
    write(script, into, staged, &verdicts);
    verdicts
}

/// Adds the merge of rows that landed, the latest of each key: they were judged before, so that of one version and
/// reading they stay too.
pub(crate) fn merge_landed(script: &mut Script, into: &Target, landed: &Staged) {
    let later = "_s._synced_at >= _t._synced_at";
    let verdicts = judge(script, into, landed, later, "FALSE");
    write(script, into, landed, &verdicts);
}

/// Adds the table of verdicts. Of one version a row is written where `later` holds, and is unchanged where `same` does.
fn judge(script: &mut Script, into: &Target, staged: &Staged, later: &str, same: &str) -> String {
    let verdicts = script.name("verdicts");
    let part = into.part.as_deref().map(quoted);
    let part = part.map_or(String::new(), |part| format!("_s.{part}, "));
    script.run(format!(
        "CREATE TEMP TABLE {verdicts} AS \
         SELECT _s.id, {part}_t.id IS NOT NULL AS met, _t.{} AS was_day, \
           _t.id IS NULL OR _s._version > _t._version OR (_s._version = _t._version \
             AND {later}) AS writes, \
           _t.id IS NOT NULL AND _s._version = _t._version AND {same} AS unchanged, \
           _s._deleted_at IS NOT NULL AS gone, _t._deleted_at IS NOT NULL AS was_gone \
         FROM {} AS _s LEFT JOIN {} AS _t ON {}",
        quoted(&into.day),
        staged.relation,
        into.rows(),
        into.same("_t", "_s")
    ));
    verdicts
}

/// Adds what puts the staged rows in place whose verdict says so.
fn write(script: &mut Script, into: &Target, staged: &Staged, verdicts: &str) {
    let values = into.select(|column| staged.value_for(column));
    let judged = into.same("_v", "_s");
    let day = quoted(&into.day);
    let days = (format!("_s.{day}"), "_v.was_day".to_owned());
    // What lands touches one partition.
    let slices = match into.landing {
        Some(_) => vec!["TRUE".to_owned()],
        None => into.days.slices(&days.0, &days.1),
    };
    for slice in slices {
        let rows = format!(
            "SELECT {values} FROM {} AS _s JOIN {verdicts} AS _v ON {judged} WHERE _v.writes AND {slice}",
            staged.relation
        );
        into.put(script, &rows, None);
    }
}

/// Returns the condition under which staged row `_s` says what row `_t` says.
fn same_content(into: &Target, staged: &Staged) -> String {
    let columns = staged.names().filter_map(|name| into.stored.column(name));
    let content = columns.filter(|column| is_content(&column.name));
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
