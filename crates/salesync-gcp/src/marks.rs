//! Marks of deletion, and chains of merges.

use crate::merge::Target;
use crate::script::Script;
use crate::sql::{quoted, same_key};
use crate::stage::Staged;

/// So many times the steps of a chain of merges are doubled: longer than any chain, and the end of a circle.
const DOUBLINGS: u32 = 24;

/// Adds the marks, each of which is set once and never on a newer row; one without a row makes a row that keeps
/// older versions out. Returns the name of the number of marks that are set.
pub(crate) fn mark(script: &mut Script, into: Target<'_>, marks: &Staged) -> String {
    let part = into.part.map(quoted);
    let parts = part
        .as_ref()
        .map_or(String::new(), |part| format!("{part}, "));
    let own_parts = part.map_or(String::new(), |part| format!("_m.{part}, "));
    let (target, rows) = (into.name, &marks.relation);
    let same = same_key(("_t", "id"), ("_m", "id"), into.part);
    script.count(format!(
        "MERGE {target} AS _t USING {rows} AS _m ON {same} \
         WHEN MATCHED AND _t._version <= _m.version AND NOT COALESCE(_t._deleted_reason = _m.reason \
           AND (_m.reason != 'merged_into' OR _t._merged_into IS NOT NULL), FALSE) \
         THEN UPDATE SET _version = _m.version, _deleted_at = _m.`at`, _deleted_reason = _m.reason, \
           _merged_into = _m.merged_into \
         WHEN NOT MATCHED THEN INSERT (id, {parts}_version, _synced_at, _run_id, _deleted_at, \
           _deleted_reason, _merged_into) \
         VALUES (_m.id, {own_parts}_m.version, _m.`at`, '', _m.`at`, _m.reason, _m.merged_into)"
    ))
}

/// Adds the marks that a query finds: keys with `version` and `at`. Returns the name of their number.
pub(crate) fn mark_found(
    script: &mut Script,
    (target, part): (&str, Option<&str>),
    found: &str,
) -> String {
    let same = same_key(("_t", "id"), ("_m", "id"), part);
    script.count(format!(
        "MERGE {target} AS _t USING ({found}) AS _m ON {same} \
         WHEN MATCHED THEN UPDATE SET _version = _m.version, _deleted_at = _m.`at`, \
           _deleted_reason = 'deleted', _merged_into = CAST(NULL AS STRING)"
    ))
}

/// Lets every merged row name the end of its chain of merges.
pub(crate) fn follow_merges(script: &mut Script, target: &str) {
    let steps = script.number("steps");
    script.run(format!(
        "WHILE {steps} < {DOUBLINGS} DO \
           UPDATE {target} AS _t SET _merged_into = _e._merged_into FROM {target} AS _e \
           WHERE _e.id = _t._merged_into AND _e._merged_into IS NOT NULL \
             AND _e._merged_into != _t.id AND _e._merged_into != _t._merged_into; \
           SET {steps} = IF(@@row_count = 0, {DOUBLINGS}, {steps} + 1); \
         END WHILE"
    ));
}
