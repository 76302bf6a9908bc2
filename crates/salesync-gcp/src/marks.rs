//! Marks of deletion, and chains of merges.

use crate::script::Script;
use crate::sql::quoted;
use crate::stage::Staged;
use crate::tables::StoredColumn;
use crate::target::Target;

/// So many times the steps of a chain of merges are doubled: longer than any chain, and the end of a circle.
const DOUBLINGS: u32 = 24;

/// Adds the marks, each of which is set once and never on a newer row; one without a row makes a row that keeps
/// older versions out. Returns the name of the number of marks that are set.
pub(crate) fn mark(script: &mut Script, into: &Target, marks: &Staged) -> String {
    let marked = into.select(|column| match column.name.as_str() {
        "_version" => "_m.version".to_owned(),
        "_deleted_at" => "_m.`at`".to_owned(),
        "_deleted_reason" => "_m.reason".to_owned(),
        "_merged_into" => "_m.merged_into".to_owned(),
        "_synced_at" => "COALESCE(_t._synced_at, _m.`at`)".to_owned(),
        "_run_id" => "COALESCE(_t._run_id, '')".to_owned(),
        name if into.is_key(column) => format!("_m.{}", quoted(name)),
        name => format!("_t.{}", quoted(name)),
    });
    let rows = format!(
        "SELECT {marked} FROM {} AS _m LEFT JOIN {} AS _t ON {} \
         WHERE _t.id IS NULL OR (_t._version <= _m.version AND NOT COALESCE(_t._deleted_reason = _m.reason \
           AND (_m.reason != 'merged_into' OR _t._merged_into IS NOT NULL), FALSE))",
        marks.relation,
        into.rows(),
        into.same("_t", "_m")
    );
    script.count(|script| into.put(script, &rows, None))
}

/// Adds the marks that a query finds: keys with `version` and `at`. Returns the name of their number.
pub(crate) fn mark_found(script: &mut Script, into: &Target, found: &str) -> String {
    let marked = into.select(|column| match column.name.as_str() {
        "_version" => "_m.version".to_owned(),
        "_deleted_at" => "_m.`at`".to_owned(),
        "_deleted_reason" => "'deleted'".to_owned(),
        "_merged_into" => "CAST(NULL AS STRING)".to_owned(),
        name => format!("_t.{}", quoted(name)),
    });
    let rows = format!(
        "SELECT {marked} FROM ({found}) AS _m JOIN {} AS _t ON {}",
        into.rows(),
        into.same("_t", "_m")
    );
    script.count(|script| into.put(script, &rows, None))
}

/// Returns the query for the times of the partitions in which merged rows lie.
pub(crate) fn days_of_merged(into: &Target) -> String {
    let (day, name) = (quoted(&into.day), &into.name);
    format!("SELECT _t.{day} AS day FROM {name} AS _t WHERE _t._merged_into IS NOT NULL")
}

/// Lets every merged row name the end of its chain of merges.
pub(crate) fn follow_merges(script: &mut Script, into: &Target) {
    let steps = script.number("steps");
    let rows = into.rows();
    let further = into.select(|column: &StoredColumn| match column.name.as_str() {
        "_merged_into" => "_e._merged_into".to_owned(),
        name => format!("_t.{}", quoted(name)),
    });
    let further = format!(
        "SELECT {further} FROM {rows} AS _t JOIN {rows} AS _e ON _e.id = _t._merged_into \
         WHERE _e._merged_into IS NOT NULL AND _e._merged_into != _t.id \
           AND _e._merged_into != _t._merged_into"
    );
    let mut step = script.inner();
    into.put(&mut step, &further, Some(&steps));
    step.run(format!(
        "SET {steps} = IF(@@row_count = 0, {DOUBLINGS}, {steps} + 1)"
    ));
    script.repeat(&format!("{steps} < {DOUBLINGS}"), step);
}
