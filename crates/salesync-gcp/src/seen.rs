//! Which keys a running reading of everything has met: a table for each raw table, so that streams do not wait for
//! one another.

use salesync_core::batch::{Note, Seen};

use crate::api::Api;
use crate::script::Script;
use crate::sql::quoted;
use crate::stage::Staged;

/// Returns the name of the table with the keys that were met of a raw table.
pub(crate) fn seen_table(table: &str) -> String {
    format!("_seen_{table}")
}

/// Returns the statement that makes it.
pub(crate) fn create(api: &Api, table: &str) -> String {
    let name = api.named(&seen_table(table));
    let comment = "OPTIONS(description = 'The keys that a full sync has met so far; empty between full syncs')";
    format!(
        "CREATE TABLE IF NOT EXISTS {name} (part STRING, id STRING) CLUSTER BY part, id {comment}"
    )
}

/// Adds what a batch notes about its keys: those of its rows and of its rejected records.
pub(crate) fn note(
    script: &mut Script,
    (table, part): (&str, Option<&str>),
    notes: &[Note],
    (rows, rejected): (Option<&Staged>, Option<&Staged>),
) {
    let own_part = part.map_or("CAST(NULL AS STRING)".to_owned(), quoted);
    let own = rows.map(|it| format!("SELECT {own_part} AS part, id FROM {}", it.relation));
    let others = rejected.map(|it| format!("SELECT part, id FROM {}", it.relation));
    let keys: Vec<String> = own.into_iter().chain(others).collect();
    for note in notes {
        let of = match &note.part {
            None => "part IS NULL".to_owned(),
            Some(part) => format!("part = {}", script.text(part)),
        };
        if note.seen != Seen::Add {
            script.run(format!("DELETE FROM {table} WHERE {of}"));
        }
        if note.seen != Seen::Forget && !keys.is_empty() {
            script.run(format!(
                "INSERT INTO {table} (part, id) SELECT part, id FROM ({}) WHERE {of}",
                keys.join(" UNION ALL ")
            ));
        }
    }
}
