//! Where the rows of a table that is merged once a day land in between, and the view that has the newest of both.

use std::collections::BTreeSet;

use salesync_core::error::Result;
use salesync_core::schema::{ColumnType, Table};

use crate::api::Api;
use crate::days::{Days, look};
use crate::merge::{days_of_keys, merge_landed};
use crate::prepare::{Wanted, fit};
use crate::script::Script;
use crate::settings::Merging;
use crate::sql::{literal, quoted};
use crate::stage::Staged;
use crate::tables::{StoredTable, Tables};
use crate::target::{Target, latest, newest};

/// Returns the name of the table in which a table's rows land.
pub(crate) fn landing_table(table: &str) -> String {
    format!("_landing_{table}")
}

/// Returns the name of the view with a table's newest rows.
pub(crate) fn latest_view(table: &str) -> String {
    format!("{table}_latest")
}

/// Returns the whole name of the table in which a table's rows land, where they do.
pub(crate) async fn landing(
    api: &Api,
    tables: &Tables,
    table: &str,
    stored: &StoredTable,
) -> Result<Option<String>> {
    let own = landing_table(table);
    let is_daily = api.merges(stored) == Merging::Daily;
    let is_there = is_daily && tables.get(api, &own).await?.is_some();
    Ok(is_there.then(|| api.named(&own)))
}

/// Makes the landing table and its view fit a raw table that was just made to fit, where its rows land or once did; what
/// landed before today is merged, and all of it where rows no longer land.
pub(crate) async fn prepare(api: &Api, tables: &Tables, table: &Table) -> Result<()> {
    let name = table.name().as_str();
    let stored = tables.prepared(api, name).await?;
    let own = landing_table(name);
    tables.forget(&own);
    let is_daily = api.merges(&stored) == Merging::Daily;
    let was_there = tables.get(api, &own).await?.is_some();
    if !is_daily && !was_there {
        return Ok(());
    }
    let columns = stored.columns.iter().map(|column| {
        let column_type = column.column_type.unwrap_or(ColumnType::Text);
        (column.name.as_str(), column_type, column.comment.as_str())
    });
    let landed = ("_landed", ColumnType::Timestamp, "When the row landed");
    let part = table.part().map(|part| part.name.as_str());
    let wanted = Wanted {
        name: &own,
        comment: "Rows that are not yet merged into the table of that name",
        columns: columns.chain([landed]).collect(),
        day: Some("_landed"),
        clustered_by: part.into_iter().chain(["id"]).collect(),
        decisive: &[],
    };
    let changes = fit(api, tables, &wanted, None).await?;
    let view = latest_view(name);
    if !changes.is_empty() || tables.get(api, &view).await?.is_none() {
        let definition = latest(&stored, (&api.named(name), None), &api.named(&own), part);
        let comment = format!(
            "The newest rows of {name}: those that were merged into it and those that landed since"
        );
        let script = Script::of(format!(
            "CREATE OR REPLACE VIEW {} OPTIONS(description = {}) AS {definition}",
            api.named(&view),
            literal(&comment)
        ));
        api.quotas.change(&view).await?;
        api.run("make a view", &script).await?;
        tables.forget(&view);
    }
    match was_there {
        true => merge_all(api, tables, table, is_daily).await,
        false => Ok(()),
    }
}

/// Merges what landed; on days on which rows land, only where the oldest of it landed before today.
async fn merge_all(api: &Api, tables: &Tables, table: &Table, is_daily: bool) -> Result<()> {
    let name = table.name().as_str();
    let landing = api.named(&landing_table(name));
    let before = match is_daily {
        true => "_landed < TIMESTAMP_TRUNC(CURRENT_TIMESTAMP(), DAY)",
        false => "TRUE",
    };
    let count = Script::of(format!("SELECT COUNT(*) FROM {landing} WHERE {before}"));
    let rows = api.run("look for rows that landed", &count).await?;
    let cell = rows
        .pages
        .first()
        .and_then(|page| page.first()?.first()?.as_deref());
    if cell.is_none_or(|count| count == "0") {
        return Ok(());
    }

    let stored = tables.prepared(api, name).await?;
    let mut into = Target::new(api, table, stored, None);
    let landed = Staged {
        relation: format!("({})", newest(&into.stored, &landing, into.part.as_deref())),
        schema: into.stored.arrow(),
        rows: None,
    };
    let day = quoted(&into.day);
    let queries = [
        format!("SELECT {day} AS day FROM {landing}"),
        days_of_keys(&into, &landed),
    ];
    let mut script = Script::default();
    let found = look(api, &script, &queries).await?;
    let [new, old] = <[BTreeSet<_>; 2]>::try_from(found).unwrap_or_default();
    into.days = Days::new(new, Some(old), true);
    script.run("BEGIN TRANSACTION");
    into.guard(&mut script, &queries[1..]);
    merge_landed(&mut script, &into, &landed);
    script.run(format!("DELETE FROM {landing} WHERE TRUE"));
    script.run("COMMIT TRANSACTION");
    api.run("merge what landed", &script).await.map(drop)
}
