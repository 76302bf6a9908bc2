//! What every file holds before the first sync: the tenant's schema, the shared logs, the views and the published
//! tables that those are about.

use std::hash::{DefaultHasher, Hash, Hasher};

use salesync_core::dead_letter::DEAD_LETTER_EVENTS;
use salesync_core::error::Result;
use salesync_core::ledger::SYNC_WINDOWS;
use salesync_core::plain::PlainTable;
use salesync_core::publish::{
    COMPANIES, DEALS, ENTITY_RECORDS, INTERACTION_PARTIES, INTERACTIONS, MATCH_OVERRIDE_EVENTS,
    PEOPLE,
};
use salesync_core::run::RUN_EVENTS;
use salesync_core::schema::ColumnType;
use salesync_core::views::VIEWS;
use salesync_core::warehouse::{SCHEMA_CHANGES, SYNC_STATE};

use crate::database::Database;
use crate::sql::{literal, quoted};

/// Which keys a running full sync has met.
pub(crate) static SEEN_KEYS: PlainTable = PlainTable {
    name: "_seen_keys",
    comment: "The keys that a full sync has met so far; empty between full syncs",
    columns: &[
        ("table_name", ColumnType::Text, "The table"),
        (
            "part",
            ColumnType::Text,
            "The part, of a stream that is read in parts",
        ),
        ("id", ColumnType::Text, "The record's id at the source"),
    ],
    key: &[],
};

/// The tables that views are about, and the one that full syncs need.
static TABLES: [&PlainTable; 13] = [
    &SYNC_STATE,
    &SCHEMA_CHANGES,
    &RUN_EVENTS,
    &SYNC_WINDOWS,
    &DEAD_LETTER_EVENTS,
    &SEEN_KEYS,
    &PEOPLE,
    &COMPANIES,
    &ENTITY_RECORDS,
    &INTERACTIONS,
    &INTERACTION_PARTIES,
    &DEALS,
    &MATCH_OVERRIDE_EVENTS,
];

/// BigQuery's names for what DuckDB spells otherwise. Both mean the same in every time zone, also in builds without
/// time zones.
const MACROS: [&str; 2] = [
    "CREATE OR REPLACE MACRO timestamp_micros(micros) AS to_timestamp(micros / 1000000)",
    "CREATE OR REPLACE MACRO format_timestamp(pattern, instant) AS \
     strftime(make_timestamp(epoch_us(instant)), pattern)",
];

impl Database {
    /// Makes schema, tables and views; where they are as this version needs them that is one query.
    pub(crate) fn lay_out(&mut self, schema: &str) -> Result<()> {
        const OPERATION: &str = "lay out a DuckDB file";
        let catalog: String = self
            .connection()
            .query_row("SELECT current_database()", [], |row| row.get(0))
            .map_err(crate::failure::failure(OPERATION))?;
        let place = format!("{}.{}", quoted(&catalog), quoted(schema));
        if self.execute(OPERATION, &format!("USE {place}")).is_err() {
            self.execute(OPERATION, &format!("CREATE SCHEMA IF NOT EXISTS {place}"))?;
            self.execute(OPERATION, &format!("USE {place}"))?;
        }
        let mark = format!("{} [layout {:016x}]", VIEWS[0].comment, fingerprint());
        if self.comment_of_view(VIEWS[0].name)?.as_deref() == Some(mark.as_str()) {
            return Ok(());
        }
        for table in TABLES {
            self.prepare_plain(table)?;
        }
        let mut statements: Vec<String> = MACROS.map(str::to_owned).into();
        for (index, view) in VIEWS.iter().enumerate() {
            let comment = if index == 0 {
                mark.as_str()
            } else {
                view.comment
            };
            let (name, comment) = (quoted(view.name), literal(comment));
            let definition = view.definition("");
            statements.push(format!("CREATE OR REPLACE VIEW {name} AS {definition}"));
            statements.push(format!("COMMENT ON VIEW {name} IS {comment}"));
        }
        self.change_schema(&statements)
    }

    fn comment_of_view(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT max(comment) FROM duckdb_views() WHERE NOT internal \
                   AND database_name = current_database() AND schema_name = current_schema() \
                   AND view_name = ?";
        self.connection()
            .query_row(sql, [name], |row| row.get(0))
            .map_err(crate::failure::failure("look at a view"))
    }
}

/// Differs where a table or a view is defined otherwise.
fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{TABLES:?}{VIEWS:?}{MACROS:?}").hash(&mut hasher);
    hasher.finish()
}
