//! Rows on their way into work tables and into what is going to be published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use salesync_core::error::Result;
use salesync_core::plain::{NewRows, Outdated, PlainTable};
use salesync_core::sets::tables;

use super::BigQuerySets;
use crate::prepare;
use crate::scan::{LOADED_BYTES, load_all, outdated_sql};
use crate::script::Script;
use crate::sql::{quoted, type_name};

/// What was put, by the name of its table.
#[derive(Debug, Default)]
pub(super) struct Waiting(BTreeMap<&'static str, Put>);

#[derive(Debug)]
struct Put {
    table: &'static PlainTable,
    outdated: Outdated,
    batches: Vec<RecordBatch>,
    bytes: usize,
    /// Whether rows of it were loaded.
    is_loaded: bool,
}

impl BigQuerySets {
    /// Makes the work tables.
    pub(super) async fn begin(&self) -> Result<()> {
        let mut script = Script::default();
        for table in tables::ALL {
            let columns = table.columns.iter();
            let columns =
                columns.map(|(name, kind, _)| format!("{} {}", quoted(name), type_name(*kind)));
            let columns: Vec<String> = columns.collect();
            let clustered = match table.name {
                "said" => " CLUSTER BY kind, slot",
                _ => "",
            };
            let name = self.work_table(table.name);
            script.run(format!(
                "CREATE TABLE {name} ({}){clustered}",
                columns.join(", ")
            ));
        }
        self.api().run("make work tables", &script).await?;
        let statement = self.statement(include_str!("sql/begin.sql"));
        statement.run("make work tables").await.map(drop)
    }

    /// Takes rows in. They are loaded when there are many, or when they are needed.
    pub(super) async fn wait(&self, all: Vec<NewRows>) -> Result<()> {
        let mut waiting = self.waiting.lock().await;
        for rows in all {
            let NewRows {
                table,
                outdated,
                batches,
            } = rows;
            let put = waiting.0.entry(table.name).or_insert_with(|| Put {
                table,
                outdated,
                batches: Vec::new(),
                bytes: 0,
                is_loaded: false,
            });
            for batch in batches {
                let batch = batch?;
                if batch.num_rows() == 0 {
                    continue;
                }
                put.bytes += batch.get_array_memory_size();
                put.batches.push(batch);
                if put.bytes >= LOADED_BYTES {
                    self.load(put).await?;
                }
            }
        }
        Ok(())
    }

    async fn load(&self, put: &mut Put) -> Result<()> {
        if put.batches.is_empty() {
            return Ok(());
        }
        let name = self.work_name(put.table.name);
        load_all(self.api(), &name, &mut put.batches).await?;
        (put.bytes, put.is_loaded) = (0, true);
        Ok(())
    }

    /// Loads what waits.
    pub(super) async fn flush(&self) -> Result<()> {
        let mut waiting = self.waiting.lock().await;
        for put in waiting.0.values_mut() {
            self.load(put).await?;
        }
        Ok(())
    }

    /// Puts what was put for published tables in the place of what is there, all of it or nothing. Of tables with `queries`,
    /// these tell the rows: names of columns, and the query. Fails where another resolve has published meanwhile.
    pub(super) async fn replace(&self, queries: &[(&str, &str, String)]) -> Result<()> {
        self.flush().await?;
        let (api, stored) = (self.api(), self.warehouse.tables());
        let waiting = self.waiting.lock().await;
        let is_work = |name: &str| tables::ALL.iter().any(|table| table.name == name);
        let published = waiting.0.values().filter(|put| !is_work(put.table.name));
        let published: Vec<&Put> = published.collect();
        let before = self.events.load(Ordering::Relaxed);
        let mut script = Script::of("BEGIN TRANSACTION");
        let mut inserts = Vec::new();
        for put in &published {
            prepare::plain(api, stored, put.table).await?;
            let name = api.named(put.table.name);
            let which = outdated_sql(&put.outdated, &mut script);
            script.run(format!("DELETE FROM {name} WHERE {which}"));
            let names: Vec<String> = put.table.columns.iter().map(|it| quoted(it.0)).collect();
            let names = names.join(", ");
            if put.is_loaded {
                let rows = self.work_table(put.table.name);
                let most = most_of(put.table.name);
                inserts.push(format!(
                    "INSERT INTO {name} ({names}) SELECT {names} FROM {rows}{most}"
                ));
            }
            for (_, names, query) in queries.iter().filter(|it| it.0 == put.table.name) {
                inserts.push(format!("INSERT INTO {name} ({names}) {query}"));
            }
        }
        // Whatever was told of ids went by the history as it was.
        script.run(format!(
            "ASSERT (SELECT COUNT(*) FROM {}) = {before} AS 'concurrent: another resolve has published'",
            api.named("entity_history")
        ));
        for statement in inserts {
            script.run(statement);
        }
        script.run("COMMIT TRANSACTION");
        let names: BTreeSet<&str> = published.iter().map(|put| put.table.name).collect();
        let _turns = api.quotas.rows(names).await;
        api.run("replace tables", &script).await.map(drop)
    }
}

/// Returns what keeps the rows of a table within its bounds.
fn most_of(table: &str) -> String {
    let most = salesync_core::resolve::remote::BOUNDS.most_reviews;
    match table {
        "match_review" => format!(
            " WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY kind ORDER BY expected_pairs DESC, weight_bits DESC, \
             left_source, left_stream, left_id, right_source, right_stream, right_id) <= {most}"
        ),
        _ => String::new(),
    }
}
