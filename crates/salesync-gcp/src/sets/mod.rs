//! BigQuery as the engine of a resolve: it counts, joins and groups; what is about one record or one pair it asks of the
//! code that every other resolve goes by.

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
    BOUNDS, CompanyCounts, FormCount, KeyRule, NamesakeCount, PeopleCounts, head, namesake_step,
};
use salesync_core::resolve::{EntityKind, Fact, FactField, Learnt, Settings};
use salesync_core::sets::{PartRow, Sets, Vanished};
use salesync_core::validate::SqlIdentifier;
use tokio::sync::Mutex;
use ulid::Ulid;

use crate::api::{Api, Rows};
use crate::warehouse::BigQueryWarehouse;
use questions::{BATCH, Questions};
use staged::Waiting;
use statement::Statement;

/// A part of all records has so many, more or less.
const PART: i64 = 20_000;

/// So many records of one key are asked about at most: who uses it is known long before.
const MOST_USERS: i64 = 500;

/// After so many turns every chain of records has one label: each turn makes the way to it half as long.
const MOST_TURNS: u32 = 64;

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

    /// Returns how many batches the rows of a table are asked in.
    async fn batches_of(&self, table: &str) -> Result<i64> {
        let rows = self
            .statement("SELECT COUNT(*) FROM {counted}")
            .table("counted", table)
            .run("count rows")
            .await?;
        Ok(number(&rows)? / BATCH + 1)
    }

    /// Returns how many questions it takes to ask about the keys of a kind that several records share.
    async fn key_batches(&self, kind: EntityKind, key_kind: &str) -> Result<i64> {
        let rows = self
            .statement("SELECT IFNULL(SUM(records), 0) FROM {uses} WHERE kind = @kind AND key_kind = @key_kind")
            .text("kind", kind.as_str())
            .text("key_kind", key_kind)
            .run("count the records of keys")
            .await?;
        Ok(number(&rows)? / BATCH + 1)
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
        if self.api().table(table.as_str()).await?.is_none() {
            return Ok(0);
        }
        let rows = self
            .statement("SELECT COUNT(*) FROM {counted}")
            .table("counted", self.api().named(table.as_str()))
            .run("count rows")
            .await?;
        u64::try_from(number(&rows)?).map_err(|_| unreadable())
    }

    async fn put(&self, rows: Vec<NewRows>) -> Result<()> {
        self.wait(rows).await
    }

    async fn count_companies(&self) -> Result<CompanyCounts> {
        self.flush().await?;
        let statement = self.statement(include_str!("sql/count_companies.sql"));
        let rows = statement.run("count companies").await?;
        let [names, worded_names, postal_codes, cities] = counts(&rows)?;
        Ok(CompanyCounts {
            names,
            worded_names,
            postal_codes,
            cities,
        })
    }

    async fn count_people(&self) -> Result<PeopleCounts> {
        self.flush().await?;
        let statement = self.statement(include_str!("sql/count_people.sql"));
        let rows = statement.run("count people").await?;
        let [records, names, bearers, postal_codes, cities, organisations] = counts(&rows)?;
        Ok(PeopleCounts {
            records,
            names,
            bearers,
            postal_codes,
            cities,
            organisations,
        })
    }

    async fn count_texts(&self, kind: EntityKind) -> Result<Vec<(FactField, u32)>> {
        self.flush().await?;
        let text = match kind {
            EntityKind::Company => include_str!("sql/count_company_texts.sql"),
            EntityKind::Person => include_str!("sql/count_person_texts.sql"),
        };
        let rows = self.statement(text).run("count texts").await?;
        each(&rows, |[field, times]| {
            let field = FactField::parse(field?)?;
            Some((field, times?.parse().ok()?))
        })
    }

    async fn tell_rarities(&self, kind: EntityKind) -> Result<()> {
        self.flush().await?;
        self.statement(include_str!("sql/tell_rarities.sql"))
            .table(
                "counts",
                self.work_table(&format!("counts_{}", kind.as_str())),
            )
            .text("kind", kind.as_str())
            .run("tell how rare texts are")
            .await
            .map(drop)
    }

    async fn tell_names(&self) -> Result<()> {
        self.flush().await?;
        self.statement(include_str!("sql/tell_names.sql"))
            .int("several", BOUNDS.several.into())
            .int("telling", whole(BOUNDS.telling_label))
            .run("tell names")
            .await
            .map(drop)
    }

    async fn tell_organisations(&self) -> Result<()> {
        self.flush().await?;
        self.statement(include_str!("sql/tell_organisations.sql"))
            .int("telling", whole(BOUNDS.telling_domain))
            .int("common", BOUNDS.common_domain.into())
            .int("rare", BOUNDS.rare_domain.into())
            .int("dominant", BOUNDS.dominant_percent.into())
            .run("tell organisations")
            .await
            .map(drop)
    }

    async fn said(&self, (from, to): (i64, i64)) -> Result<(Vec<String>, Vec<Fact>)> {
        let says = self
            .statement(
                "SELECT says FROM {said} WHERE kind = 'person' AND slot >= @from_slot AND slot < @to_slot",
            )
            .int("from_slot", from)
            .int("to_slot", to)
            .run("read people's records")
            .await?;
        let facts = self
            .statement(
                "SELECT DISTINCT field, text, number, organisation FROM {told} \
                 WHERE slot >= @from_slot AND slot < @to_slot",
            )
            .int("from_slot", from)
            .int("to_slot", to)
            .run("read facts")
            .await?;
        let says = each(&says, |[says]| Some(says?.to_owned()))?;
        let facts = each(&facts, |[field, text, number, organisation]| {
            Some(Fact {
                field: FactField::parse(field?)?,
                text: text?.into(),
                number: number?.parse().ok()?,
                organisation: organisation.unwrap_or_default().into(),
            })
        })?;
        Ok((says, facts))
    }

    async fn count_users(&self, kind: EntityKind, rule: &KeyRule, head: &str) -> Result<()> {
        let batches = self.key_batches(kind, rule.kind).await?;
        let asked = self.new_table("asked");
        self.statement(include_str!("sql/users.sql"))
            .table("asked", &asked)
            .text("kind", kind.as_str())
            .text("key_kind", rule.kind)
            .int("batches", batches)
            .int("most", MOST_USERS)
            .run("find who uses keys")
            .await?;
        let answers = self
            .ask(&Questions {
                head,
                what: "users",
                asking: format!(
                    "(SELECT batch, CONCAT('[', CAST(key_number AS STRING), ',[', \
                     STRING_AGG(CAST(record AS STRING), ','), ']]') AS line FROM {asked} GROUP BY batch, key_number)"
                ),
                needing: asked,
                ready: self.ready(kind, Known::Facts).await?,
                batches,
            })
            .await?;
        self.statement(
            "INSERT INTO {users} (key_number, users) \
             SELECT CAST(SPLIT(line, ' ')[OFFSET(0)] AS INT64), CAST(SPLIT(line, ' ')[OFFSET(1)] AS INT64) FROM {answers}",
        )
        .table("answers", answers)
        .run("keep who uses keys")
        .await
        .map(drop)
    }

    async fn forms(&self, head: &str) -> Result<Vec<FormCount>> {
        let batches = self.key_batches(EntityKind::Person, "mailbox").await?;
        let asked = self.new_table("asked");
        self.statement(include_str!("sql/forms.sql"))
            .table("asked", &asked)
            .int("batches", batches)
            .run("find forms of names")
            .await?;
        let ready = self.ready(EntityKind::Person, Known::Facts).await?;
        let answers = self
            .ask_pairs(("forms", head), (&asked, PAIR), (ready, batches))
            .await?;
        let rows = self.counted(&answers).await?;
        each(&rows, |[line, times]| {
            let (first, last) = line?.split_once(' ')?;
            Some(FormCount {
                first: first.to_owned(),
                last: last.to_owned(),
                names: times?.parse().ok()?,
            })
        })
    }

    async fn namesakes(&self, head: &str) -> Result<Vec<NamesakeCount>> {
        let kind = EntityKind::Person;
        let rows = self
            .statement("SELECT IFNULL(SUM(records), 0) FROM {uses} WHERE kind = 'person' AND key_kind = 'full_name'")
            .run("count namesakes")
            .await?;
        let records = number(&rows)?;
        let step = namesake_step(usize::try_from(records).map_err(|_| unreadable())?);
        let step = i64::try_from(step).map_err(|_| unreadable())?;
        let near = whole(BOUNDS.neighbours);
        // Of names, every so many-eth is asked about, with so many pairs of each record.
        let batches = records.saturating_mul(near) / step / BATCH + 1;
        let asked = self.new_table("asked");
        self.statement(include_str!("sql/namesakes.sql"))
            .table("asked", &asked)
            .int("batches", batches)
            .int("step", step)
            .int("wrap", wrap(step))
            .int("near", near)
            .run("find namesakes")
            .await?;
        let line = "CONCAT('[', CAST(one AS STRING), ',', CAST(other AS STRING), ',', \
                    CAST(looked_at AS STRING), ',', CAST(pairs AS STRING), ']')";
        let ready = self.ready(kind, Known::Uses).await?;
        let answers = self
            .ask_pairs(("namesakes", head), (&asked, line), (ready, batches))
            .await?;
        let rows = self.counted(&answers).await?;
        each(&rows, |[line, times]| {
            let mut words = line?.split(' ');
            let mut word = || words.next();
            Some(NamesakeCount {
                bucket: word()?.parse().ok()?,
                agreements: [word()?.to_owned(), word()?.to_owned(), word()?.to_owned()],
                looked_at: word()?.parse().ok()?,
                all: word()?.parse().ok()?,
                pairs: times?.parse().ok()?,
            })
        })
    }

    async fn meet(&self, kind: EntityKind, rules: &[KeyRule], window: usize) -> Result<u64> {
        let met = self.work_table(&format!("met_{}", kind.as_str()));
        self.statement("CREATE TABLE {met} (one INT64, other INT64, met INT64)")
            .table("met", &met)
            .run("make a table of pairs")
            .await?;
        for (at, rule) in (0..).zip(rules) {
            self.statement(include_str!("sql/meet.sql"))
                .table("met", &met)
                .text("kind", kind.as_str())
                .text("key_kind", rule.kind)
                .int("cap", whole(rule.cap))
                .flag("of_names", rule.is_of_names)
                .int("window", whole(window))
                .int("met", at)
                .run("let records meet")
                .await?;
        }
        let kinds: Vec<&str> = rules.iter().map(|rule| rule.kind).collect();
        let batches = self.batches_of(&met).await?;
        self.batches.store(batches, Ordering::Relaxed);
        let rows = self
            .statement(include_str!("sql/pairs.sql"))
            .table("met", &met)
            .table("pairs", self.pairs_of(kind))
            .text("key_kinds", &kinds.join(","))
            .int("batches", batches)
            .run("keep pairs once")
            .await?;
        u64::try_from(number(&rows)?).map_err(|_| unreadable())
    }

    async fn weigh(&self, kind: EntityKind, head: &str, accept: f32) -> Result<u64> {
        let pairs = self.pairs_of(kind);
        let ready = self.ready(kind, Known::Lines).await?;
        let batches = self.batches.load(Ordering::Relaxed);
        let answers = self
            .ask_pairs(("weigh", head), (&pairs, PAIR), (ready, batches))
            .await?;
        let rows = self
            .statement(include_str!("sql/edges.sql"))
            .table("answers", answers)
            .table("pairs", pairs)
            .text("kind", kind.as_str())
            .float("accept", accept.into())
            .run("keep what pairs weigh")
            .await?;
        u64::try_from(number(&rows)?).map_err(|_| unreadable())
    }

    async fn tie(&self, kind: EntityKind, accept: f32) -> Result<u32> {
        self.flush().await?;
        if kind == EntityKind::Company {
            self.read_before().await?;
        }
        let name =
            |begin: &str, at: u32| self.work_table(&format!("{begin}_{}_{at}", kind.as_str()));
        let ties = name("ties", 0);
        self.statement(include_str!("sql/tie.sql"))
            .table("ties", &ties)
            .table("labels_now", name("labels", 0))
            .text("kind", kind.as_str())
            .float("accept", accept.into())
            .run("tie records together")
            .await?;
        let mut turn = 0;
        loop {
            let rows = self
                .statement(include_str!("sql/turn.sql"))
                .table("ties", &ties)
                .table("labels_now", name("labels", turn))
                .table("labels_next", name("labels", turn + 1))
                .run("tie records together")
                .await?;
            turn += 1;
            if number(&rows)? == 0 {
                break;
            }
            if turn >= MOST_TURNS {
                return Err(Error::new(Code::Internal, "tie records together"));
            }
        }
        let rows = self
            .statement("SELECT COUNT(*) FROM {said} WHERE kind = @kind")
            .text("kind", kind.as_str())
            .run("count records")
            .await?;
        let parts = number(&rows)? / PART + 1;
        self.statement(include_str!("sql/parts.sql"))
            .table("members", name("members", 0))
            .table("parts", self.parts_of(kind))
            .table("labels_now", name("labels", turn))
            .text("kind", kind.as_str())
            .int("parts", parts)
            .int("look", look_of(kind))
            .int("line_users", BOUNDS.switchboard_users.into())
            .run("part records")
            .await?;
        u32::try_from(parts).map_err(|_| unreadable())
    }

    async fn part(&self, kind: EntityKind, part: u32) -> Result<Vec<PartRow>> {
        let rows = self
            .statement("SELECT what, record, other, count, number, text, more FROM {parts} WHERE part = @part")
            .table("parts", self.parts_of(kind))
            .int("part", part.into())
            .run("read a part")
            .await?;
        each(&rows, |[what, record, other, count, number, text, more]| {
            Some(PartRow {
                what: what?.to_owned(),
                record: record?.parse().ok()?,
                other: other?.parse().ok()?,
                count: count?.parse().ok()?,
                number: number?.parse().ok()?,
                text: text?.to_owned(),
                more: more?.to_owned(),
            })
        })
    }

    async fn vanished(&self) -> Result<Vec<Vanished>> {
        if self.api().table("entity_records").await?.is_none() {
            return Ok(Vec::new());
        }
        let statement = self.statement(include_str!("sql/vanished.sql"));
        let rows = statement.run("find what is gone").await?;
        each(&rows, |[kind, source, stream, id, entity]| {
            Some(Vanished {
                kind: kind?.to_owned(),
                record: [source?.to_owned(), stream?.to_owned(), id?.to_owned()],
                entity_id: entity?.to_owned(),
            })
        })
    }

    async fn publish(&self, rest: Vec<NewRows>) -> Result<()> {
        let is_indexed = rest.iter().any(|rows| rows.table.name == "_match_facts");
        self.wait(rest).await?;
        let mut queries = Vec::new();
        if is_indexed {
            queries = self.index().await?;
        }
        self.replace(&queries).await
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

    /// Reads the last answer, as far as its records are still there.
    async fn read_before(&self) -> Result<()> {
        let none = |columns: &str| format!("(SELECT {columns} FROM UNNEST([1]) WHERE FALSE)");
        let mut statement = self.statement(include_str!("sql/before.sql"));
        if self.api().table("entity_records").await?.is_none() {
            let columns =
                "'' AS kind, '' AS source, '' AS stream, '' AS record_id, '' AS entity_id";
            statement = statement.table("published.entity_records", none(columns));
        }
        if self.api().table("entity_history").await?.is_none() {
            let columns = "'' AS entity_id, '' AS event, CURRENT_TIMESTAMP() AS happened_at";
            statement = statement.table("published.entity_history", none(columns));
        }
        statement.run("read the last answer").await.map(drop)
    }

    /// Returns the queries for what a later resolve goes on from: the table, its columns, and the query.
    async fn index(&self) -> Result<Vec<(&'static str, &'static str, String)>> {
        let facts = self.work_table("facts");
        let batches = self.batches_of(&facts).await?;
        let asked = self.new_table("asked");
        self.statement(include_str!("sql/places.sql"))
            .table("asked", &asked)
            .int("batches", batches)
            .run("find where facts are kept")
            .await?;
        let answers = self
            .ask(&Questions {
                head: &head(EntityKind::Company, &Settings::default(), &Learnt::default())?,
                what: "places",
                asking: format!(
                    "(SELECT batch, CONCAT('[', CAST(nth AS STRING), ',\"', field, '\",', TO_JSON_STRING(text), ']') AS line FROM {asked})"
                ),
                needing: "(SELECT 0 AS batch, 0 AS record FROM UNNEST([1]) WHERE FALSE)".to_owned(),
                ready: self.ready(EntityKind::Company, Known::Facts).await?,
                batches,
            })
            .await?;
        let (said, looks, keys) = (
            self.work_table("said"),
            self.work_table("looks"),
            self.work_table("keys"),
        );
        let (uses, users, lines) = (
            self.work_table("uses"),
            self.work_table("users"),
            self.work_table("lines"),
        );
        let edges = self.work_table("edges");
        let line_users = BOUNDS.switchboard_users;
        Ok(vec![
            (
                "_match_records",
                "record, says, derived",
                format!(
                    "SELECT s.record, s.says, l.derived FROM {said} AS s JOIN {looks} AS l ON l.record = s.record"
                ),
            ),
            (
                "_match_keys",
                "key_number, record",
                format!("SELECT key_number, record FROM {keys}"),
            ),
            (
                "_match_uses",
                "key_number, records, users",
                format!(
                    "SELECT s.key_number, s.records, IF(l.key_number IS NULL, IFNULL(u.users, 1), GREATEST(IFNULL(u.users, 1), {line_users})) \
                     FROM {uses} AS s LEFT JOIN {users} AS u ON u.key_number = s.key_number \
                     LEFT JOIN (SELECT DISTINCT key_number FROM {lines}) AS l ON l.key_number = s.key_number \
                     WHERE s.key_kind != 'organisation'"
                ),
            ),
            (
                "_match_edges",
                "left_record, right_record, met_by, bits",
                format!("SELECT one, other, met_by, bits FROM {edges}"),
            ),
            (
                "_match_facts",
                "place, field, text, number, organisation",
                format!(
                    "SELECT CAST(SPLIT(p.line, ' ')[OFFSET(1)] AS INT64), a.field, a.text, a.number, a.organisation \
                     FROM {asked} AS a JOIN {answers} AS p ON CAST(SPLIT(p.line, ' ')[OFFSET(0)] AS INT64) = a.nth"
                ),
            ),
        ])
    }
}

/// Returns at which look the records of a kind ask how rare is what they say.
fn look_of(kind: EntityKind) -> i64 {
    match kind {
        EntityKind::Company => 1,
        EntityKind::Person => 2,
    }
}

/// Returns what is left of 2 to the power of 64 when it is divided: what a sign takes from a number that has none.
fn wrap(step: i64) -> i64 {
    let left = (1_i128 << 64).rem_euclid(i128::from(step.max(1)));
    i64::try_from(left).unwrap_or_default()
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
