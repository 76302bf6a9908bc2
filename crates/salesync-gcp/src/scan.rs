//! Reads rows, and puts new rows in the place of outdated ones.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::{NewRows, Outdated};
use salesync_core::warehouse::{Among, Filter, Scan, Values};

use crate::api::Api;
use crate::cells::batches;
use crate::landing::{landing_table, latest_view};
use crate::prepare;
use crate::script::Script;
use crate::seen::seen_table;
use crate::sql::quoted;
use crate::stage::{parquet, staging_table};
use crate::tables::Tables;

/// So many bytes of new rows go into one load job.
pub(crate) const LOADED_BYTES: usize = 64 * 1024 * 1024;

/// Reads rows; a table that does not exist has none.
pub(crate) async fn scan(api: &Api, tables: &Tables, scan: &Scan) -> Result<Vec<RecordBatch>> {
    let name = scan.table.as_str();
    let Some(table) = api.table(name).await? else {
        return Ok(Vec::new());
    };
    let landing = tables.get(api, &landing_table(name)).await?;
    let from = match landing {
        Some(_) => api.named(&latest_view(name)),
        None => api.named(name),
    };
    let rows = api.run("read rows", &select(api, &from, scan)).await?;
    batches(rows, &table.schema.fields)
}

/// Puts new rows in the place of the outdated ones of these tables, all of them or nothing.
pub(crate) async fn replace(api: &Api, tables: &Tables, all: Vec<NewRows>) -> Result<()> {
    let mut script = Script::of("BEGIN TRANSACTION");
    for rows in all {
        let NewRows {
            table,
            outdated,
            batches,
        } = rows;
        prepare::plain(api, tables, table).await?;
        let stored = tables.prepared(api, table.name).await?;
        let name = api.named(table.name);
        let which = outdated_sql(&outdated, &mut script);
        script.run(format!("DELETE FROM {name} WHERE {which}"));
        let staging = staging_table();
        let names = load(api, &staging, batches).await?;
        if let Some(missing) = names.iter().find(|name| stored.column(name).is_none()) {
            return Err(
                Error::new(Code::StoreSchema, "replace a table").with("no such column", missing)
            );
        }
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            let (names, rows) = (names.join(", "), api.staged(&staging));
            script.run(format!(
                "INSERT INTO {name} ({names}) SELECT {names} FROM {rows}"
            ));
        }
    }
    script.run("COMMIT TRANSACTION");
    api.run("replace tables", &script).await.map(drop)
}

/// Loads batches into a staging table; returns the names of their columns, none where there are no rows.
async fn load(
    api: &Api,
    staging: &str,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<Vec<String>> {
    let (mut names, mut waiting, mut bytes) = (Vec::new(), Vec::new(), 0);
    for batch in batches {
        let batch = batch?;
        if batch.num_rows() == 0 {
            continue;
        }
        if names.is_empty() {
            let schema = batch.schema();
            names = schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect();
        }
        bytes += batch.get_array_memory_size();
        waiting.push(batch);
        if bytes >= LOADED_BYTES {
            load_all(api, staging, &mut waiting).await?;
            bytes = 0;
        }
    }
    load_all(api, staging, &mut waiting).await?;
    Ok(names)
}

/// Loads all batches that wait into a staging table.
pub(crate) async fn load_all(
    api: &Api,
    staging: &str,
    waiting: &mut Vec<RecordBatch>,
) -> Result<()> {
    let Some(first) = waiting.first() else {
        return Ok(());
    };
    let rows = concat_batches(&first.schema(), waiting.iter())
        .map_err(|error| Error::new(Code::Internal, "replace a table").because(error))?;
    waiting.clear();
    api.load(staging, parquet(&rows)?).await
}

/// Returns the condition for the rows that are outdated; values are bound.
pub(crate) fn outdated_sql(outdated: &Outdated, script: &mut Script) -> String {
    match outdated {
        Outdated::All => "TRUE".to_owned(),
        Outdated::Any(all) => {
            let any = all.iter().map(|among| among_sql(among, script));
            let any: Vec<String> = any.chain(["FALSE".to_owned()]).collect();
            any.join(" OR ")
        }
    }
}

/// Stands between texts that are bound as one.
const BETWEEN: char = '\u{1f}';

/// Returns the condition that a column holds one of some values, which are bound.
fn among_sql(among: &Among, script: &mut Script) -> String {
    let column = quoted(among.column.as_str());
    match &among.values {
        Values::Numbers(numbers) => {
            let list: Vec<String> = numbers.iter().map(i64::to_string).collect();
            let list = script.text(&list.join(","));
            format!(
                "{column} IN (SELECT SAFE_CAST(v AS INT64) FROM UNNEST(SPLIT({list}, ',')) AS v WHERE v != '')"
            )
        }
        Values::Texts(texts) => {
            let (odd, plain): (Vec<&String>, Vec<&String>) =
                texts.iter().partition(|text| text.contains(BETWEEN));
            let mut all = Vec::new();
            if !plain.is_empty() {
                let plain: Vec<&str> = plain.into_iter().map(String::as_str).collect();
                let plain = script.text(&plain.join(&BETWEEN.to_string()));
                all.push(format!(
                    "{column} IN (SELECT v FROM UNNEST(SPLIT({plain}, CODE_POINTS_TO_STRING([31]))) AS v)"
                ));
            }
            for text in odd {
                all.push(format!("{column} = {}", script.text(text)));
            }
            all.push("FALSE".to_owned());
            format!("({})", all.join(" OR "))
        }
    }
}

/// Returns the query, with the values bound to it.
fn select(api: &Api, from: &str, scan: &Scan) -> Script {
    let mut script = Script::default();
    let columns: Vec<String> = scan.columns.iter().map(|it| quoted(it.as_str())).collect();
    let columns = match columns.as_slice() {
        [] => "*".to_owned(),
        columns => columns.join(", "),
    };
    let live = "_deleted_at IS NULL".to_owned();
    let conditions: Vec<String> = match &scan.filter {
        Filter::All => Vec::new(),
        Filter::Live => vec![live],
        Filter::Equal(wanted) => wanted
            .iter()
            .map(|(column, text)| {
                let column = quoted(column.as_str());
                format!("CAST({column} AS STRING) = {}", script.text(text))
            })
            .collect(),
        Filter::Among(among) => vec![among_sql(among, &mut script)],
        Filter::ChangedSince(since) => {
            let since = script.int(since.micros());
            vec![format!(
                "(UNIX_MICROS(_synced_at) >= {since} OR UNIX_MICROS(_deleted_at) >= {since})"
            )]
        }
        Filter::LiveShare {
            column,
            share: (at, of),
        } => {
            let text = format!(
                "TRIM(IFNULL(CAST({} AS STRING), ''))",
                quoted(column.as_str())
            );
            vec![
                live,
                // Of a hash the last bits are enough for shares, and never negative.
                format!(
                    "MOD(FARM_FINGERPRINT({text}) & 0xFFFFFFFF, {}) = {at}",
                    of.max(&1)
                ),
            ]
        }
        Filter::LiveIn(of) => {
            let column = quoted(of.column.as_str());
            vec![live, format!("{column} = {}", script.text(&of.part))]
        }
        Filter::Unseen { before, part } => {
            let before = script.int(before.micros());
            let mut all = vec![live, format!("UNIX_MICROS(_synced_at) < {before}")];
            let mut same = "_k.part IS NULL".to_owned();
            if let Some(of) = part {
                let part = script.text(&of.part);
                all.push(format!("{} = {part}", quoted(of.column.as_str())));
                same = format!("_k.part = {part}");
            }
            let seen = api.named(&seen_table(scan.table.as_str()));
            all.push(format!(
                "id NOT IN (SELECT _k.id FROM {seen} AS _k WHERE {same})"
            ));
            all
        }
        Filter::Due { column, by } => {
            let (column, by) = (quoted(column.as_str()), script.int(by.micros()));
            vec![live, format!("UNIX_MICROS({column}) <= {by}")]
        }
    };
    let mut query = format!("SELECT {columns} FROM {from}");
    if !conditions.is_empty() {
        query.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
    }
    if let Some(column) = &scan.newest_by {
        query.push_str(&format!(
            " ORDER BY {} DESC NULLS LAST",
            quoted(column.as_str())
        ));
    }
    if let Some(limit) = scan.limit {
        query.push_str(&format!(" LIMIT {limit}"));
    }
    script.run(query);
    script
}
