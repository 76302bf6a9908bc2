//! BigQuery as the engine of a resolve: it counts, joins and groups; what is about one record or one pair it asks of the
//! code that every other resolve goes by.

mod counting;
mod index;
mod learning;
mod pairing;
mod parting;
mod questions;
mod staged;
mod statement;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::NewRows;
use salesync_core::resolve::remote::{
    BOUNDS, CompanyCounts, KeyRule, Lesson, LevelCount, NamesakeCount, PeopleCounts,
};
use salesync_core::resolve::{EntityKind, Fact, FactField};
use salesync_core::sets::{PartRow, Sets, Vanished};
use salesync_core::validate::SqlIdentifier;
use tokio::sync::Mutex;
use ulid::Ulid;

use crate::api::{Api, Rows};
use crate::warehouse::BigQueryWarehouse;
use questions::{BATCH, Questions};
use staged::Waiting;
use statement::Statement;

/// One resolve in BigQuery. Its work tables lie in the staging dataset, in which every table ends after a day.
pub(crate) struct BigQuerySets {
    warehouse: BigQueryWarehouse,
    /// What the names of the work tables begin with.
    work: String,
    waiting: Mutex<Waiting>,
    /// Tables whose names are made of a number.
    numbered: AtomicU32,
    /// How many questions the pairs of the kind at hand are asked in.
    batches: AtomicI64,
    /// How many events there were in the history when the last answer was read.
    events: AtomicI64,
    /// What is ready to be asked about.
    ready: Mutex<BTreeSet<String>>,
}

impl fmt::Debug for BigQuerySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BigQuerySets")
            .field("work", &self.work)
            .finish_non_exhaustive()
    }
}

/// How much of what is known of keys a question gives with its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Nothing.
    Facts,
    /// How many records share them, and who uses them.
    Uses,
    /// The same, and which of them are companies' phones.
    Lines,
}

impl BigQuerySets {
    /// Begins a resolve.
    pub(crate) async fn new(warehouse: BigQueryWarehouse) -> Result<Self> {
        let sets = Self {
            warehouse,
            work: format!("resolve_{}", Ulid::new()),
            waiting: Mutex::default(),
            numbered: AtomicU32::new(0),
            batches: AtomicI64::new(1),
            events: AtomicI64::new(0),
            ready: Mutex::default(),
        };
        sets.begin().await?;
        Ok(sets)
    }

    fn api(&self) -> &Api {
        self.warehouse.api()
    }

    fn work_name(&self, table: &str) -> String {
        format!("{}_{table}", self.work)
    }

    /// Returns the whole name of a work table.
    fn work_table(&self, table: &str) -> String {
        self.api().staged(&self.work_name(table))
    }

    /// Returns the whole name of a work table that is not there yet.
    fn new_table(&self, begin: &str) -> String {
        let number = self.numbered.fetch_add(1, Ordering::Relaxed);
        self.work_table(&format!("{begin}_{number}"))
    }

    fn statement(&self, text: &'static str) -> Statement<'_> {
        Statement::new(self.api(), &self.work, text)
    }

    /// Returns the relation of what questions give of the records of a kind.
    async fn ready(&self, kind: EntityKind, known: Known) -> Result<String> {
        let name = self.work_table(&format!("ready_{}_{known:?}", kind.as_str()));
        let mut ready = self.ready.lock().await;
        if ready.insert(name.clone()) {
            self.statement(include_str!("sql/ready.sql"))
                .table("ready", &name)
                .text("kind", kind.as_str())
                .int("look", look_of(kind))
                .int("line_users", BOUNDS.switchboard_users.into())
                .flag("with_uses", known != Known::Facts)
                .flag("with_lines", known == Known::Lines)
                .run("make records ready")
                .await?;
        }
        Ok(name)
    }

    /// Returns how many rows a relation has.
    async fn count(&self, relation: &str) -> Result<i64> {
        let rows = self
            .statement("SELECT COUNT(*) FROM {counted}")
            .table("counted", relation)
            .run("count rows")
            .await?;
        number(&rows)
    }

    /// Returns how many records have keys of a kind that several share, each as often as it has one.
    async fn sharing(&self, kind: EntityKind, key_kind: &str) -> Result<i64> {
        let rows = self
            .statement("SELECT IFNULL(SUM(records), 0) FROM {uses} WHERE kind = @kind AND key_kind = @key_kind")
            .text("kind", kind.as_str())
            .text("key_kind", key_kind)
            .run("count the records of keys")
            .await?;
        number(&rows)
    }

    /// Counts the keys of a kind that several records share.
    async fn keys(&self, kind: EntityKind, key_kind: &str) -> Result<i64> {
        let rows = self
            .statement("SELECT COUNT(*) FROM {uses} WHERE kind = @kind AND key_kind = @key_kind")
            .text("kind", kind.as_str())
            .text("key_kind", key_kind)
            .run("count the keys that are shared")
            .await?;
        number(&rows)
    }

    /// Asks about pairs of a table with batch, one and other; `line` is what stands for a pair in a question.
    async fn ask_pairs(
        &self,
        (what, head): (&'static str, &str),
        (pairs, line): (&str, &str),
        (ready, batches): (String, i64),
    ) -> Result<String> {
        self.ask(&Questions {
            head,
            what,
            asking: format!("(SELECT batch, {line} AS line FROM {pairs})"),
            needing: format!("(SELECT batch, record FROM {pairs}, UNNEST([one, other]) AS record)"),
            ready,
            batches,
        })
        .await
    }
}

#[async_trait]
impl Sets for BigQuerySets {
    async fn rows_in(&self, table: &SqlIdentifier) -> Result<u64> {
        counting::rows_in(self, table).await
    }

    async fn put(&self, rows: Vec<NewRows>) -> Result<()> {
        self.wait(rows).await
    }

    async fn count_companies(&self) -> Result<CompanyCounts> {
        counting::count_companies(self).await
    }

    async fn count_people(&self) -> Result<PeopleCounts> {
        counting::count_people(self).await
    }

    async fn count_texts(&self, kind: EntityKind) -> Result<Vec<(FactField, u32)>> {
        counting::count_texts(self, kind).await
    }

    async fn tell_rarities(&self, kind: EntityKind) -> Result<()> {
        counting::tell_rarities(self, kind).await
    }

    async fn tell_names(&self) -> Result<()> {
        counting::tell_names(self).await
    }

    async fn tell_organisations(&self) -> Result<()> {
        counting::tell_organisations(self).await
    }

    async fn said(&self, slots: (i64, i64)) -> Result<(Vec<String>, Vec<Fact>)> {
        counting::said(self, slots).await
    }

    async fn count_users(&self, kind: EntityKind, rule: &KeyRule, head: &str) -> Result<()> {
        learning::count_users(self, kind, rule, head).await
    }

    async fn levels(
        &self,
        kind: EntityKind,
        of: (&KeyRule, Lesson),
        head: &str,
    ) -> Result<Vec<LevelCount>> {
        learning::levels(self, kind, of, head).await
    }

    async fn namesakes(&self, head: &str) -> Result<Vec<NamesakeCount>> {
        learning::namesakes(self, head).await
    }

    async fn meet(&self, kind: EntityKind, rules: &[KeyRule], window: usize) -> Result<u64> {
        pairing::meet(self, kind, rules, window).await
    }

    async fn weigh(&self, kind: EntityKind, head: &str, accept: f32) -> Result<u64> {
        pairing::weigh(self, kind, head, accept).await
    }

    async fn tie(&self, kind: EntityKind, accept: f32) -> Result<u32> {
        parting::tie(self, kind, accept).await
    }

    async fn part(&self, kind: EntityKind, part: u32) -> Result<Vec<PartRow>> {
        parting::part(self, kind, part).await
    }

    async fn vanished(&self) -> Result<Vec<Vanished>> {
        parting::vanished(self).await
    }

    async fn publish(&self, rest: Vec<NewRows>) -> Result<()> {
        index::publish(self, rest).await
    }
}

/// How a pair stands in a question.
const PAIR: &str = "CONCAT('[', CAST(one AS STRING), ',', CAST(other AS STRING), ']')";

impl BigQuerySets {
    fn pairs_of(&self, kind: EntityKind) -> String {
        self.work_table(&format!("pairs_{}", kind.as_str()))
    }

    fn parts_of(&self, kind: EntityKind) -> String {
        self.work_table(&format!("parts_{}", kind.as_str()))
    }

    /// Counts how often each line was answered.
    async fn counted(&self, answers: &str) -> Result<Rows> {
        self.statement("SELECT line, COUNT(*) FROM {answers} GROUP BY line")
            .table("answers", answers)
            .run("count answers")
            .await
    }
}

/// Returns at which look the records of a kind ask how rare is what they say.
fn look_of(kind: EntityKind) -> i64 {
    match kind {
        EntityKind::Company => 1,
        EntityKind::Person => 2,
    }
}

/// Returns how many questions it takes to ask about so many rows.
fn batches(rows: i64) -> i64 {
    rows / BATCH + 1
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unreadable() -> Error {
    Error::new(Code::StoreCorrupt, "resolve in the warehouse")
}

/// Returns the number that is all of a query's answer.
fn number(rows: &Rows) -> Result<i64> {
    let row = rows.pages.iter().flatten().next();
    let cell = row.and_then(|row| row.first()?.as_deref()?.parse().ok());
    cell.ok_or_else(unreadable)
}

/// Returns the counts that are all of a query's answer.
fn counts<const N: usize>(rows: &Rows) -> Result<[usize; N]> {
    let all = each(rows, |cells: [Option<&str>; N]| {
        let counts = cells.iter().map(|cell| cell.as_ref()?.parse().ok());
        let counts: Option<Vec<usize>> = counts.collect();
        <[usize; N]>::try_from(counts?).ok()
    })?;
    all.into_iter().next().ok_or_else(unreadable)
}

/// Reads the rows of a query's answer.
fn each<const N: usize, T>(
    rows: &Rows,
    read: impl Fn([Option<&str>; N]) -> Option<T>,
) -> Result<Vec<T>> {
    let rows = rows.pages.iter().flatten();
    let rows = rows.map(|row| {
        let cells: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
        <[Option<&str>; N]>::try_from(cells).ok().and_then(&read)
    });
    rows.collect::<Option<_>>().ok_or_else(unreadable)
}
