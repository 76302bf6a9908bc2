//! A warehouse with hand-made tables of the invented vendors.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::Array;
use arrow::util::display::array_value_to_string;

use super::sources::{CRM, MAIL, PHONE};
use crate::batch::{Batch, RowBuffer};
use crate::command::{Decision, Ruling, Takes};
use crate::error::Result;
use crate::memory::MemoryWarehouse;
use crate::publish::{Decided, Extent, Resolved, Why, decide, resolve_and_publish, why};
use crate::record::{Change, Deletion, DeletionReason, Value};
use crate::resolve::Settings;
use crate::run::RunId;
use crate::schema::{Column, ColumnType, Table};
use crate::source::SourceDefinition;
use crate::sync::Observer;
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Scan, Warehouse};

pub(super) type Cells<'a> = &'a [(&'a str, &'a str)];
pub(super) type Row = BTreeMap<String, String>;

/// A warehouse with hand-made tables.
#[derive(Default)]
pub(super) struct World(MemoryWarehouse);

impl World {
    /// Puts rows into a table; `id` is the key, a cell `_merged_into` marks the row as merged.
    pub(super) async fn put(&self, name: &str, rows: &[Cells<'_>]) {
        self.put_at(name, rows, 1).await;
    }

    pub(super) async fn put_at(&self, name: &str, rows: &[Cells<'_>], version: i64) {
        let mut names: Vec<&str> = rows
            .iter()
            .flat_map(|row| row.iter())
            .map(|(name, _)| *name)
            .collect();
        names.retain(|name| *name != "id" && !name.starts_with('_'));
        names.sort_unstable();
        names.dedup();
        let columns = names
            .iter()
            .map(|name| Column::new(name, ColumnType::Text, "").unwrap());
        let mut table = Table::new(name, "", columns.collect()).unwrap();
        if names.contains(&"mailbox") {
            table = table.in_parts("mailbox").unwrap();
        }
        let table = Arc::new(table);
        self.0.prepare(&table).await.unwrap();
        let now = Timestamp::from_millis(version);
        let mut buffer = RowBuffer::new(&table, &RunId::new(now)).unwrap();
        for row in rows {
            let cell = |wanted: &str| {
                row.iter()
                    .find(|(name, _)| *name == wanted)
                    .map(|(_, value)| *value)
            };
            let value =
                |name: &&str| cell(name).map_or(Value::Null, |text| Value::Text(text.into()));
            let reason = match cell("_merged_into") {
                Some(_) => Some(DeletionReason::MergedInto),
                None => cell("_deleted").map(|_| DeletionReason::Deleted),
            };
            let change = Change {
                key: cell("id").unwrap().into(),
                version: now,
                values: names.iter().map(value).collect(),
                extra: Vec::new(),
                deletion: reason.map(|reason| Deletion {
                    at: now,
                    reason,
                    merged_into: cell("_merged_into").map(str::to_owned),
                }),
                replaces: Vec::new(),
            };
            buffer.push(&change, now, 1).unwrap();
        }
        self.0
            .commit(Batch::from(buffer.finish().unwrap()))
            .await
            .unwrap();
    }

    pub(super) async fn resolve(&self) -> Resolved {
        let asked = (Settings::default(), Extent::Changed);
        self.resolve_at(2_000_000_000_000, asked).await
    }

    /// Resolves, `at` so many milliseconds.
    pub(super) async fn resolve_at(&self, at: i64, asked: (Settings, Extent)) -> Resolved {
        let now = Timestamp::from_millis(at);
        let sources: &[&'static SourceDefinition] = &[&MAIL, &PHONE, &CRM];
        let run = (&RunId::new(now), now);
        let nobody: Observer = Arc::new(|_| {});
        resolve_and_publish(&self.0, sources, asked, run, &nobody)
            .await
            .unwrap()
    }

    /// Writes a decision down, `at` so many milliseconds, about people of the CRM.
    pub(super) async fn decide(
        &self,
        ruling: Ruling,
        (ids, from): (&[&str], &[&str]),
        at: i64,
    ) -> Result<Decided> {
        let named = |ids: &[&str]| ids.iter().map(|id| format!("crm/people/{id}")).collect();
        let decision = Decision {
            ruling,
            ids: named(ids),
            from: named(from),
            kind: None,
            by: "us".to_owned(),
            reason: None,
            takes: Takes::Later,
        };
        let now = Timestamp::from_millis(at);
        decide(&self.0, &decision, (&RunId::new(now), now)).await
    }

    /// Explains what is behind a record, or between two.
    pub(super) async fn why(&self, ids: &[&str]) -> Why {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let sources: &[&'static SourceDefinition] = &[&MAIL, &PHONE, &CRM];
        why(&self.0, sources, (&ids, None)).await.unwrap()
    }

    /// Returns a published table's rows; what is null is not there.
    pub(super) async fn rows(&self, table: &str) -> Vec<Row> {
        let scan = Scan::of(SqlIdentifier::parse(table).unwrap());
        let mut rows = Vec::new();
        for batch in self.0.scan(&scan).await.unwrap() {
            let schema = batch.schema();
            for row in 0..batch.num_rows() {
                let cells = schema
                    .fields()
                    .iter()
                    .zip(batch.columns())
                    .filter(|(_, column)| column.is_valid(row));
                let cells = cells.map(|(field, column)| {
                    (
                        field.name().clone(),
                        array_value_to_string(column, row).unwrap(),
                    )
                });
                rows.push(cells.collect());
            }
        }
        rows
    }

    /// Resolves and returns the only interaction.
    pub(super) async fn only(&self) -> Row {
        self.resolve().await;
        let mut rows = self.rows("interactions").await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    /// Returns role, address or number, and whether it is known and ours, of everybody who took part.
    pub(super) async fn parties(&self) -> Vec<String> {
        let shown = |row: Row| {
            let whom = row.get("address").or(row.get("phone")).or(row.get("name"));
            let known = if row.contains_key("person_id") {
                " known"
            } else {
                ""
            };
            let ours = if row["is_ours"] == "true" {
                " ours"
            } else {
                ""
            };
            format!(
                "{} {}{known}{ours}",
                row["role"],
                whom.map_or("", String::as_str)
            )
        };
        self.rows("interaction_parties")
            .await
            .into_iter()
            .map(shown)
            .collect()
    }

    pub(super) async fn mailboxes(&self) {
        self.put(
            "mail_mailboxes",
            &[
                &[("id", "ann@ours.example"), ("address", "ann@ours.example")],
                &[("id", "bob@ours.example"), ("address", "bob@ours.example")],
            ],
        )
        .await;
    }

    /// Puts a message, as one mailbox has it, with who is named in it.
    pub(super) async fn message(
        &self,
        mailbox: &str,
        cells: Cells<'_>,
        named: &[(&str, &str, &str)],
    ) {
        let id = cells.iter().find(|(name, _)| *name == "id").unwrap().1;
        let mut message = cells.to_vec();
        message.push(("mailbox", mailbox));
        self.put("mail_messages", &[&message]).await;
        for (place, (role, address, name)) in named.iter().enumerate() {
            let (key, place) = (format!("{id}-{place}"), place.to_string());
            let row: Cells<'_> = &[
                ("id", &key),
                ("mailbox", mailbox),
                ("message_id", id),
                ("role", role),
                ("position", &place),
                ("address", address),
                ("display_name", name),
                ("received_at", "2026-03-01T10:00:00Z"),
            ];
            self.put("mail_participants", &[row]).await;
        }
    }
}
