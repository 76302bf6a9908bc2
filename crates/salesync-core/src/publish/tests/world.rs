//! A warehouse with hand-made tables of the invented vendors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;

use super::sources::{CRM, MAIL, PHONE};
use crate::batch::{Batch, RowBuffer, RowKey, TableWrite, Tombstone};
use crate::command::{Decision, Ruling, Takes};
use crate::error::Result;
use crate::memory::MemoryWarehouse;
use crate::publish::resolving::Resolving;
use crate::publish::{Decided, Extent, Resolved, Why, decide, published, resolve_and_publish, why};
use crate::record::{Change, Deletion, DeletionReason, Value};
use crate::resolve::{Resolution, Settings};
use crate::run::RunId;
use crate::schema::{Column, ColumnType, Table};
use crate::source::SourceDefinition;
use crate::sync::Observer;
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Scan, Warehouse};

pub(super) type Cells<'a> = &'a [(&'a str, &'a str)];
pub(super) type Row = BTreeMap<String, String>;

const SOURCES: &[&SourceDefinition] = &[&MAIL, &PHONE, &CRM];

/// Returns the rows of a batch; what is null is not there.
fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let schema = batch.schema();
    let row = |row: usize| {
        let cells = schema.fields().iter().zip(batch.columns());
        let cells = cells.filter(|(_, column)| column.is_valid(row));
        let cells = cells.map(|(field, column)| {
            let text = array_value_to_string(column, row).unwrap();
            (field.name().clone(), text)
        });
        cells.collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

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

    /// Marks a row as gone, or as merged into another, in this version and at that time; what it says stays.
    pub(super) async fn mark(
        &self,
        name: &str,
        (part, id): (Option<&str>, &str),
        merged_into: Option<&str>,
        (version, at): (i64, i64),
    ) {
        let mailbox = part.map(|_| Column::new("mailbox", ColumnType::Text, "").unwrap());
        let mut table = Table::new(name, "", mailbox.into_iter().collect()).unwrap();
        if part.is_some() {
            table = table.in_parts("mailbox").unwrap();
        }
        let table = Arc::new(table);
        self.0.prepare(&table).await.unwrap();
        let at = Timestamp::from_millis(at);
        let mark = Tombstone {
            key: RowKey {
                part: part.map(str::to_owned),
                id: id.to_owned(),
            },
            version: Timestamp::from_millis(version),
            deletion: Deletion {
                at,
                reason: match merged_into {
                    Some(_) => DeletionReason::MergedInto,
                    None => DeletionReason::Deleted,
                },
                merged_into: merged_into.map(str::to_owned),
            },
        };
        let write = TableWrite {
            tombstones: vec![mark],
            ..TableWrite::nothing(&table)
        };
        self.0.commit(Batch::from(write)).await.unwrap();
    }

    pub(super) async fn resolve(&self) -> Resolved {
        let asked = (Settings::default(), Extent::Changed);
        self.resolve_at(2_000_000_000_000, asked).await
    }

    /// Resolves, `at` so many milliseconds.
    pub(super) async fn resolve_at(&self, at: i64, asked: (Settings, Extent)) -> Resolved {
        let now = Timestamp::from_millis(at);
        let run = (&RunId::new(now), now);
        let nobody: Observer = Arc::new(|_| {});
        resolve_and_publish(&self.0, SOURCES, asked, run, &nobody)
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
        why(&self.0, SOURCES, (&ids, None)).await.unwrap()
    }

    /// Returns a published table's rows; what is null is not there.
    pub(super) async fn rows(&self, table: &str) -> Vec<Row> {
        let scan = Scan::of(SqlIdentifier::parse(table).unwrap());
        let batches = self.0.scan(&scan).await.unwrap();
        batches.iter().flat_map(rows_of).collect()
    }

    /// Returns the rows that `interactions`, `interaction_parties` and `deals` would have if all were told by who
    /// everybody is now.
    pub(super) async fn all_told(&self) -> Vec<(&'static str, Vec<Row>)> {
        let now = Timestamp::from_millis(2_000_000_000_000);
        let run = (&RunId::new(now), now);
        let resolving = Resolving::new(&self.0, SOURCES, Settings::default(), run);
        let resolving = resolving.await.unwrap();
        let nothing = (&Resolution::default(), &BTreeSet::new());
        let everybody = published::with(&self.0, nothing, None).await.unwrap();
        let told = resolving.all_happened(Arc::new(everybody)).await.unwrap();
        let tables = told.tables.into_iter().map(|rows| {
            let batches = rows.batches.flat_map(|batch| rows_of(&batch.unwrap()));
            (rows.table.name, batches.collect())
        });
        tables.collect()
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
