//! Appends to tables without versions: a row whose key is there already is not appended again.

use salesync_core::plain::PlainTable;

use crate::script::Script;
use crate::sql::quoted;
use crate::stage::Staged;
use crate::tables::{StoredColumn, StoredTable};

/// Adds rows to a shared log: only ever inserted, so that the streams' transactions do not cancel one another.
pub(crate) fn append(
    script: &mut Script,
    (target, stored): (&str, &StoredTable),
    plain: &PlainTable,
    staged: &Staged,
) {
    let columns: Vec<&StoredColumn> = staged
        .names()
        .filter_map(|name| stored.column(name))
        .collect();
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let values: Vec<String> = columns
        .iter()
        .map(|column| staged.value_for(column))
        .collect();
    let once = match plain.key {
        [] => String::new(),
        keys => {
            let keys: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
            // An equality that nulls pass too, since only by equalities can tables be joined.
            let same = keys
                .iter()
                .map(|key| format!("TO_JSON_STRING(_t.{key}) = TO_JSON_STRING(_s.{key})"));
            let own: Vec<String> = keys.iter().map(|key| format!("_s.{key}")).collect();
            format!(
                " WHERE NOT EXISTS (SELECT 1 FROM {target} AS _t WHERE {}) \
                 QUALIFY ROW_NUMBER() OVER (PARTITION BY {}) = 1",
                same.collect::<Vec<_>>().join(" AND "),
                own.join(", ")
            )
        }
    };
    script.run(format!(
        "INSERT INTO {target} ({}) SELECT {} FROM {} AS _s{once}",
        names.join(", "),
        values.join(", "),
        staged.relation
    ));
}
