//! What every dataset holds before the first sync: the shared logs, the views and the published tables that those are
//! about.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use futures::future::try_join_all;
use salesync_core::dead_letter::DEAD_LETTER_EVENTS;
use salesync_core::error::Result;
use salesync_core::ledger::SYNC_WINDOWS;
use salesync_core::plain::PlainTable;
use salesync_core::publish::{
    COMPANIES, DEALS, ENTITY_RECORDS, INTERACTION_PARTIES, INTERACTIONS, MATCH_OVERRIDE_EVENTS,
    PEOPLE,
};
use salesync_core::run::RUN_EVENTS;
use salesync_core::views::VIEWS;
use salesync_core::warehouse::{SCHEMA_CHANGES, SYNC_STATE};

use crate::api::Api;
use crate::prepare;
use crate::script::Script;
use crate::sql::literal;
use crate::tables::Tables;

/// How long a staging table is kept: longer than any commit takes.
const STAGED_FOR: Duration = Duration::from_secs(24 * 3_600);

/// The tables that views are about.
static TABLES: [&PlainTable; 12] = [
    &SYNC_STATE,
    &SCHEMA_CHANGES,
    &RUN_EVENTS,
    &SYNC_WINDOWS,
    &DEAD_LETTER_EVENTS,
    &PEOPLE,
    &COMPANIES,
    &ENTITY_RECORDS,
    &INTERACTIONS,
    &INTERACTION_PARTIES,
    &DEALS,
    &MATCH_OVERRIDE_EVENTS,
];

/// Makes datasets, tables and views; where they are as this version needs them that is two requests.
pub(crate) async fn lay_out(api: &mut Api, tables: &Tables) -> Result<()> {
    let (dataset, staging) = (api.dataset.clone(), api.staging());
    api.dataset(&dataset, None).await?;
    let [first, ..] = &VIEWS;
    let mark = format!("{} [layout {:016x}]", first.comment, fingerprint());
    let view = api.table(first.name).await?;
    if view.and_then(|view| view.description).as_deref() == Some(mark.as_str()) {
        return Ok(());
    }
    api.dataset(&staging, Some(STAGED_FOR)).await?;
    // Looked at side by side, made in one script.
    let needed = TABLES.map(|table| prepare::plain_statement(api, tables, table));
    let mut script = Script::default();
    for (table, statement) in TABLES.iter().zip(try_join_all(needed).await?) {
        if let Some(statement) = statement {
            api.quotas.change(table.name).await?;
            script.run(statement);
        }
    }
    let schema = format!("`{}`.`{dataset}`.", api.project);
    for (index, view) in VIEWS.iter().enumerate() {
        let comment = if index == 0 {
            mark.as_str()
        } else {
            view.comment
        };
        let (name, comment) = (api.named(view.name), literal(comment));
        let definition = view.definition(&schema);
        script.run(format!(
            "CREATE OR REPLACE VIEW {name} OPTIONS(description = {comment}) AS {definition}"
        ));
    }
    api.run("make tables and views", &script).await?;
    TABLES.iter().for_each(|table| tables.forget(table.name));
    Ok(())
}

/// Differs where a table or a view is defined otherwise.
fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{TABLES:?}").hash(&mut hasher);
    VIEWS.hash(&mut hasher);
    hasher.finish()
}
