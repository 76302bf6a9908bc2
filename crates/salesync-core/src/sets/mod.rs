//! The port to an engine that resolves where the records are: it works on sets of rows, in tables that are its own while one
//! resolve lasts.

pub mod tables;

use std::fmt;

use async_trait::async_trait;

use crate::error::Result;
use crate::plain::NewRows;
use crate::resolve::remote::{
    CompanyCounts, KeyRule, Lesson, LevelCount, NamesakeCount, PeopleCounts,
};
use crate::resolve::{EntityKind, Fact, FactField};
use crate::validate::SqlIdentifier;

/// One resolve in an engine of sets. The methods are called in the order in which they stand here, those about companies
/// before those about people. What the engine keeps is gone after a day, whatever becomes of the resolve; nothing that
/// is published changes before [`Sets::publish`].
///
/// Questions to [`answer`](crate::resolve::remote::answer()) begin with what is given as their `head`, as
/// [`head`](crate::resolve::remote::head()) tells it.
///
/// # Errors
/// Each method says what the engine says: `ERR_STORE_UNAVAILABLE`, `ERR_STORE_SCHEMA`.
#[async_trait]
pub trait Sets: Send + Sync + fmt::Debug {
    /// Returns how many rows a table of the warehouse has; 0 where there is none.
    async fn rows_in(&self, table: &SqlIdentifier) -> Result<u64>;

    /// Adds rows to work tables, which are those of [`tables`], and to what is going to be published.
    async fn put(&self, rows: Vec<NewRows>) -> Result<()>;

    /// Counts names and places of companies.
    async fn count_companies(&self) -> Result<CompanyCounts>;

    /// Counts names and places of people.
    async fn count_people(&self) -> Result<PeopleCounts>;

    /// Counts how often each text comes that a record of a kind says; returns how often, more than once, with the fields in
    /// which a text comes so often. Before it counts what companies say, it makes facts of the domains that people lend them
    /// who share their phones: by these it is told who bears a name.
    async fn count_texts(&self, kind: EntityKind) -> Result<Vec<(FactField, u32)>>;

    /// Makes facts of what was counted last: each text with the bits that [`tables::RATES`] has for it.
    async fn tell_rarities(&self, kind: EntityKind) -> Result<()>;

    /// Makes facts of what is known as the name of a company, and of a person.
    async fn tell_names(&self) -> Result<()>;

    /// Makes facts of which organisation a company's record, a domain, a name and a phone stand for.
    async fn tell_organisations(&self) -> Result<()>;

    /// Returns what some people's records say, those in slots from the first up to but without the second, with the facts
    /// that they ask for.
    async fn said(&self, slots: (i64, i64)) -> Result<(Vec<String>, Vec<Fact>)>;

    /// Counts who uses the keys of a kind.
    async fn count_users(&self, kind: EntityKind, rule: &KeyRule, head: &str) -> Result<()>;

    /// Counts by their levels two of those who share a key of records of a kind that no more than one is known to use: the
    /// first two or, for a lesson about households, the first and the last, in the order of names.
    async fn levels(
        &self,
        kind: EntityKind,
        of: (&KeyRule, Lesson),
        head: &str,
    ) -> Result<Vec<LevelCount>>;

    /// Counts what agrees beside the name of people's records that bear one.
    async fn namesakes(&self, head: &str) -> Result<Vec<NamesakeCount>>;

    /// Lets the records of a kind meet under keys of these kinds; where more than a key's cap share a name, so many of the
    /// next ones. Returns how many pairs met.
    async fn meet(&self, kind: EntityKind, rules: &[KeyRule], window: usize) -> Result<u64>;

    /// Weighs all pairs of a kind, in the place of what was weighed before; returns how many have so many bits.
    async fn weigh(&self, kind: EntityKind, head: &str, accept: f32) -> Result<u64>;

    /// Ties together what pairs with so many bits, decisions and the last answer tie; returns in how many parts, each of
    /// some thousand records, all of it lies.
    async fn tie(&self, kind: EntityKind, accept: f32) -> Result<u32>;

    /// Returns one of these parts.
    async fn part(&self, kind: EntityKind, part: u32) -> Result<Vec<PartRow>>;

    /// Returns the entities of the last answer of which no record is left.
    async fn vanished(&self) -> Result<Vec<Vanished>>;

    /// Puts all rows that were put for published tables in the place of those that are there, with these rows, all of it or
    /// nothing. Where the tables of what a later resolve goes on from are among these, the engine fills them, but for where
    /// records are, which was put.
    async fn publish(&self, rest: Vec<NewRows>) -> Result<()>;
}

/// A record of the last answer whose entity is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vanished {
    /// `person` or `company`.
    pub kind: String,
    /// Source, stream and id of the record.
    pub record: [String; 3],
    /// The entity.
    pub entity_id: String,
}

/// One row of a part of all records.
#[derive(Debug, Clone, PartialEq)]
pub struct PartRow {
    /// What the row is: a [`PartRow::RECORD`] or one of the others.
    pub what: String,
    /// The record or key; of a pair, one record.
    pub record: i64,
    /// Of a pair the other record; of a key, how many records share it.
    pub other: i64,
    /// Of a record, 1 where this part tells its entity; of a key, how many entities use it; of an entity, the time in µs at
    /// which it was created.
    pub count: i64,
    /// The bits of a pair or fact.
    pub number: f64,
    /// What a record says; the kind of key in which a pair met; the field of a fact; the text of a phone or organisation;
    /// an entity.
    pub text: String,
    /// What was found out about a record, if anything was; the text of a fact; the entity of an organisation.
    pub more: String,
}

impl PartRow {
    /// A record.
    pub const RECORD: &str = "record";
    /// A pair that speaks for being one, or nearly does.
    pub const EDGE: &str = "edge";
    /// How a key of some records is used.
    pub const USE: &str = "use";
    /// A fact that some records ask for.
    pub const FACT: &str = "fact";
    /// A phone of theirs that is on a company's record.
    pub const SWITCHBOARD: &str = "switchboard";
    /// The company that an organisation of theirs is.
    pub const EMPLOYER: &str = "employer";
    /// The entity that a record was in at the last answer.
    pub const BEFORE: &str = "before";
    /// An id that would be a record's own, and was in use before.
    pub const TAKEN: &str = "taken";
}
