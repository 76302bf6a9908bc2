//! Makes tables fit: columns are added and widened, never dropped; the rows stay. One statement for each table,
//! since BigQuery counts the changes of a table.

use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::PlainTable;
use salesync_core::schema::{ColumnType, DECISIVE_COLUMNS, SchemaChange, Table};

use crate::api::Api;
use crate::landing;
use crate::script::Script;
use crate::seen;
use crate::sql::{cast_name, literal, quoted, type_name};
use crate::tables::{StoredTable, Tables};
/// The most columns that a table can be clustered by.
const CLUSTERED_MAX: usize = 4;

/// A table as it is wanted.
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) comment: &'a str,
    pub(crate) columns: Vec<(&'a str, ColumnType, &'a str)>,
    /// The time by whose day the table is partitioned.
    pub(crate) day: Option<&'a str>,
    pub(crate) clustered_by: Vec<&'a str>,
    pub(crate) decisive: &'static [&'static str],
}

impl Wanted<'_> {
    /// Returns what a column's definition says of nulls.
    fn must(&self, name: &str) -> &'static str {
        match name == "id" && self.decisive.contains(&name) {
            true => " NOT NULL",
            false => "",
        }
    }
}

/// Makes a raw table fit, and the one that full syncs of it need.
pub(crate) async fn raw(api: &Api, tables: &Tables, table: &Table) -> Result<Vec<SchemaChange>> {
    let part = table.part().map(|part| part.name.as_str());
    let wanted = Wanted {
        name: table.name().as_str(),
        comment: table.comment(),
        columns: table.all_columns().collect(),
        day: Some(table.day()),
        clustered_by: part.into_iter().chain(["id"]).collect(),
        decisive: &DECISIVE_COLUMNS,
    };
    let changes = fit(api, tables, &wanted, Some(seen::create(api, wanted.name))).await?;
    landing::prepare(api, tables, table).await?;
    Ok(changes)
}

/// Makes a table without versions fit.
pub(crate) async fn plain(api: &Api, tables: &Tables, table: &PlainTable) -> Result<()> {
    fit(api, tables, &without_versions(table), None)
        .await
        .map(drop)
}

/// Returns the statement that makes a table without versions fit, if it does not.
pub(crate) async fn plain_statement(
    api: &Api,
    tables: &Tables,
    table: &PlainTable,
) -> Result<Option<String>> {
    let (_, statement) = needed(api, tables, &without_versions(table)).await?;
    Ok(statement)
}

fn without_versions(table: &PlainTable) -> Wanted<'_> {
    let mut columns = table.columns.iter();
    let day = columns.find(|(_, column_type, _)| *column_type == ColumnType::Timestamp);
    Wanted {
        name: table.name,
        comment: table.comment,
        columns: table.columns.to_vec(),
        day: day.map(|(name, _, _)| *name),
        clustered_by: table.key.iter().copied().take(CLUSTERED_MAX).collect(),
        decisive: &[],
    }
}

/// Makes a table as it is wanted, with the one that a statement makes `beside` it.
pub(crate) async fn fit(
    api: &Api,
    tables: &Tables,
    wanted: &Wanted<'_>,
    beside: Option<String>,
) -> Result<Vec<SchemaChange>> {
    let (changes, statement) = needed(api, tables, wanted).await?;
    let Some(statement) = statement else {
        return Ok(changes);
    };
    let mut script = Script::of(statement);
    if let Some(beside) = beside {
        script.run(beside);
    }
    api.quotas.change(wanted.name).await?;
    api.run("make a table fit", &script).await?;
    tables.forget(wanted.name);
    Ok(changes)
}

/// Returns what must change of a table, and the statement that does it.
async fn needed(
    api: &Api,
    tables: &Tables,
    wanted: &Wanted<'_>,
) -> Result<(Vec<SchemaChange>, Option<String>)> {
    tables.forget(wanted.name);
    match tables.get(api, wanted.name).await? {
        None => {
            let created = SchemaChange::Created {
                table: wanted.name.to_owned(),
            };
            Ok((vec![created], Some(create(api, wanted))))
        }
        Some(stored) => alter(api, wanted, &stored),
    }
}

fn create(api: &Api, wanted: &Wanted<'_>) -> String {
    let columns: Vec<String> = wanted
        .columns
        .iter()
        .map(|(name, column_type, comment)| {
            define(name, &type_name(*column_type), wanted.must(name), comment)
        })
        .collect();
    let (name, rest) = (api.named(wanted.name), layout(wanted));
    format!(
        "CREATE TABLE IF NOT EXISTS {name} ({}) {rest}",
        columns.join(", ")
    )
}

/// Returns partitions, clusters and comment.
fn layout(wanted: &Wanted<'_>) -> String {
    let day = wanted.day.map_or(String::new(), |day| {
        format!("PARTITION BY TIMESTAMP_TRUNC({}, DAY) ", quoted(day))
    });
    let keys: Vec<String> = wanted.clustered_by.iter().map(|key| quoted(key)).collect();
    let clusters = match keys.as_slice() {
        [] => String::new(),
        keys => format!("CLUSTER BY {} ", keys.join(", ")),
    };
    let comment = literal(wanted.comment);
    format!("{day}{clusters}OPTIONS(description = {comment})")
}

fn define(name: &str, kind: &str, must: &str, comment: &str) -> String {
    let comment = match comment {
        "" => String::new(),
        comment => format!(" OPTIONS(description = {})", literal(comment)),
    };
    format!("{} {kind}{must}{comment}", quoted(name))
}

/// Returns what changes, and the statement that does it. New columns are added where they are; where a column
/// widens, the table is written anew, since few types of BigQuery widen in place.
fn alter(
    api: &Api,
    wanted: &Wanted<'_>,
    stored: &StoredTable,
) -> Result<(Vec<SchemaChange>, Option<String>)> {
    let (mut changes, mut added) = (Vec::new(), Vec::new());
    let mut is_rewritten = false;
    for (name, column_type, comment) in &wanted.columns {
        let (table, column) = (wanted.name.to_owned(), (*name).to_owned());
        let Some(own) = stored.column(name) else {
            refuse_decisive(wanted, name)?;
            let definition = define(name, &type_name(*column_type), "", comment);
            added.push(format!("ADD COLUMN {definition}"));
            changes.push(SchemaChange::Added { table, column });
            continue;
        };
        if own.widened(*column_type).is_some() {
            refuse_decisive(wanted, name)?;
            is_rewritten = true;
            changes.push(SchemaChange::Widened { table, column });
        }
    }
    let statement = match (is_rewritten, added.is_empty()) {
        (true, _) => Some(rewrite(api, wanted, stored)),
        (false, true) => None,
        (false, false) => {
            let name = api.named(wanted.name);
            Some(format!("ALTER TABLE {name} {}", added.join(", ")))
        }
    };
    Ok((changes, statement))
}

/// Returns the statement that writes a table anew, with its columns widened and the new ones beside them.
fn rewrite(api: &Api, wanted: &Wanted<'_>, stored: &StoredTable) -> String {
    let (mut definitions, mut values) = (Vec::new(), Vec::new());
    for own in &stored.columns {
        let mut columns = wanted.columns.iter();
        let Some((_, column_type, comment)) = columns.find(|it| own.is_called(it.0)) else {
            definitions.push(define(&own.name, &own.kind, "", &own.comment));
            values.push(quoted(&own.name));
            continue;
        };
        let name = quoted(&own.name);
        match own.widened(*column_type) {
            None => {
                definitions.push(define(
                    &own.name,
                    &own.kind,
                    wanted.must(&own.name),
                    comment,
                ));
                values.push(name);
            }
            Some(widened) => {
                definitions.push(define(&own.name, &type_name(widened), "", comment));
                values.push(format!("CAST({name} AS {})", cast_name(widened)));
            }
        }
    }
    for (name, column_type, comment) in &wanted.columns {
        if stored.column(name).is_none() {
            definitions.push(define(name, &type_name(*column_type), "", comment));
            values.push(format!("CAST(NULL AS {})", cast_name(*column_type)));
        }
    }
    let (name, rest) = (api.named(wanted.name), layout(wanted));
    format!(
        "CREATE OR REPLACE TABLE {name} ({}) {rest} AS SELECT {} FROM {name}",
        definitions.join(", "),
        values.join(", ")
    )
}

fn refuse_decisive(wanted: &Wanted<'_>, column: &str) -> Result<()> {
    if wanted.decisive.contains(&column) {
        return Err(Error::new(Code::StoreSchema, "make a table fit")
            .with("table", wanted.name)
            .with("column", column));
    }
    Ok(())
}
