//! A raw table that is written to: which of its rows are read, and how new ones are put into it.

use std::sync::Arc;

use salesync_core::schema::Table;

use crate::api::Api;
use crate::days::Days;
use crate::script::Script;
use crate::sql::{quoted, same_key};
use crate::tables::{StoredColumn, StoredTable};

/// A raw table, as one script writes to it.
#[derive(Debug)]
pub(crate) struct Target {
    /// Its whole name, in backticks.
    pub(crate) name: String,
    pub(crate) stored: Arc<StoredTable>,
    /// The first column of its key, where that has two.
    pub(crate) part: Option<String>,
    /// The time by whose day it is partitioned.
    pub(crate) day: String,
    /// Where rows land until they are merged: the whole name of that table. Without one they are merged at once.
    pub(crate) landing: Option<String>,
    /// The days of the partitions that the script reads.
    pub(crate) days: Days,
}

impl Target {
    /// Returns a table of which nobody knows yet what of it will be read.
    pub(crate) fn new(
        api: &Api,
        table: &Table,
        stored: Arc<StoredTable>,
        landing: Option<String>,
    ) -> Self {
        Self {
            name: api.named(table.name().as_str()),
            stored,
            part: table.part().map(|part| part.name.as_str().to_owned()),
            day: table.day().to_owned(),
            landing,
            days: Days::default(),
        }
    }

    /// Returns the rows that the script reads, the latest of each key; it stands after `FROM`, without an alias.
    pub(crate) fn rows(&self) -> String {
        let within = self.days.within(&format!("_t.{}", quoted(&self.day)));
        self.latest(within.as_deref())
    }

    /// Returns all rows, the latest of each key; it stands after `FROM`, without an alias.
    pub(crate) fn all_rows(&self) -> String {
        self.latest(None)
    }

    fn latest(&self, within: Option<&str>) -> String {
        match (&self.landing, within) {
            (None, None) => self.name.clone(),
            (None, Some(within)) => {
                format!("(SELECT _t.* FROM {} AS _t WHERE {within})", self.name)
            }
            (Some(landing), _) => {
                let merged = (self.name.as_str(), within);
                let part = self.part.as_deref();
                format!("({})", latest(&self.stored, merged, landing, part))
            }
        }
    }

    /// Adds the proof that the rows which these queries for days found still lie where they were looked for.
    pub(crate) fn guard(&self, script: &mut Script, queries: &[String]) {
        let Some(within) = self.days.within("_q.day") else {
            return;
        };
        for query in queries {
            script.run(format!(
                "ASSERT NOT EXISTS (SELECT 1 FROM ({query}) AS _q WHERE NOT ({within})) \
                 AS 'concurrent: a row has moved to another day'"
            ));
        }
    }

    /// Returns the condition under which rows of two aliases have one key.
    pub(crate) fn same(&self, left: &str, right: &str) -> String {
        same_key((left, "id"), (right, "id"), self.part.as_deref())
    }

    /// Returns whether a column is one of the key's.
    pub(crate) fn is_key(&self, column: &StoredColumn) -> bool {
        column.is_called("id") || self.part.as_ref().is_some_and(|it| column.is_called(it))
    }

    /// Returns the columns that `value` gives for each of the table's, with their names.
    pub(crate) fn select(&self, value: impl Fn(&StoredColumn) -> String) -> String {
        let columns = self.stored.columns.iter();
        let values = columns.map(|it| format!("{} AS {}", value(it), quoted(&it.name)));
        values.collect::<Vec<_>>().join(", ")
    }

    /// Adds what puts the rows of a query, each with all columns, in the place of those of their keys. `step` rises
    /// where a loop does it again and again.
    pub(crate) fn put(&self, script: &mut Script, rows: &str, step: Option<&str>) {
        let columns = || self.stored.columns.iter();
        let names = self.stored.names();
        if let Some(landing) = &self.landing {
            let place = script.place();
            let place = step.map_or(place.to_string(), |step| format!("{place} + {step}"));
            script.run(format!(
                "INSERT INTO {landing} ({names}, _landed) SELECT {names}, \
                 TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL {place} MICROSECOND) FROM ({rows})"
            ));
            return;
        }
        let is_there = match self.days.within(&format!("_t.{}", quoted(&self.day))) {
            None => self.same("_t", "_s"),
            Some(within) => format!("{} AND {within}", self.same("_t", "_s")),
        };
        let set = columns().filter(|column| !self.is_key(column));
        let set = set.map(|it| quoted(&it.name));
        let set: Vec<String> = set.map(|name| format!("{name} = _s.{name}")).collect();
        let values: Vec<String> = columns()
            .map(|it| format!("_s.{}", quoted(&it.name)))
            .collect();
        script.run(format!(
            "MERGE {} AS _t USING ({rows}) AS _s ON {is_there} \
             WHEN MATCHED THEN UPDATE SET {} \
             WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({})",
            self.name,
            set.join(", "),
            values.join(", ")
        ));
    }
}

/// Returns the query for the latest rows of a table and of the one where its rows land.
pub(crate) fn latest(
    stored: &StoredTable,
    (merged, within): (&str, Option<&str>),
    landing: &str,
    part: Option<&str>,
) -> String {
    let names = stored.names();
    let within = within.map_or(String::new(), |within| format!(" WHERE {within}"));
    let both = format!(
        "(SELECT {names}, TIMESTAMP_MICROS(0) AS _landed FROM {merged} AS _t{within} \
         UNION ALL SELECT {names}, _landed FROM {landing})"
    );
    newest(stored, &both, part)
}

/// Returns the query for the newest row of each key among rows that landed. Of one version and reading counts what landed
/// last.
pub(crate) fn newest(stored: &StoredTable, landed: &str, part: Option<&str>) -> String {
    let names = stored.names();
    let part = part.map_or(String::new(), |part| format!("{}, ", quoted(part)));
    format!(
        "SELECT {names} FROM {landed} WHERE TRUE \
         QUALIFY ROW_NUMBER() OVER (PARTITION BY {part}id \
           ORDER BY _version DESC, _synced_at DESC, _landed DESC) = 1"
    )
}
