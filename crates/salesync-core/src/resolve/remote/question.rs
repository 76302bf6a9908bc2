//! What an engine of sets calls for a few records at a time.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::identity::EntityKind;
use super::super::increment::ready::Ready;
use super::super::increment::weighing::Weighing;
use super::super::index::KeyUse;
use super::super::keys::{Blocks, KeyValue};
use super::super::learn::Agreement;
use super::super::learnt::{Fact, FactField, Learnt};
use super::super::model::Settings;
use super::super::prepared::{Prepared, Symbol};
use super::row::{Row, Signed};

/// Some records and what is to be done with them, as JSON.
#[derive(Debug, Deserialize)]
struct Question {
    kind: EntityKind,
    settings: Settings,
    learnt: Learnt,
    records: Vec<Record>,
    #[serde(flatten)]
    asked: Asked,
}

/// A record with what is known of the values it has.
#[derive(Debug, Deserialize)]
struct Record {
    row: Row,
    #[serde(default)]
    facts: Vec<(FactField, Box<str>, f32, Box<str>)>,
    /// How its keys are used: how many records share each, and how many entities these are.
    #[serde(default)]
    uses: Vec<(Signed, u32, u8)>,
}

/// What is to be done.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    /// Weigh these pairs: a line for each that speaks for joining, or nearly does, with the bits.
    Weigh(Vec<(Signed, Signed)>),
    /// Count who uses these keys, each with records that have it: a line for each, with how many.
    Users(Vec<(Signed, Vec<Signed>)>),
    /// Compare what these pairs teach: a line for each with its levels, of people those of given name, surname, address and
    /// date of birth, of companies those of phone and legal form.
    Levels(Vec<(Signed, Signed)>),
    /// Tell what agrees beside the name of these pairs, each of so many looked at that stand for so many: a line for each
    /// with bucket, agreements, and these numbers again.
    Namesakes(Vec<(Signed, Signed, u64, u64)>),
    /// Tell under which numbers facts are kept, each given with a number of its own, its field and its text: a line for each
    /// with both numbers.
    Places(Vec<(Signed, FactField, Box<str>)>),
}

/// Why a question could not be answered: it is not written as questions are.
#[derive(Debug)]
pub struct QuestionError(serde_json::Error);

impl std::fmt::Display for QuestionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a question is unreadable in column {}", self.0.column())
    }
}

impl std::error::Error for QuestionError {}

/// Answers a question, which is written as JSON; returns one line for each part of the answer, its values apart by spaces.
///
/// # Errors
/// Where the question can't be read. No value that it holds is in the error.
pub fn answer(written: &str) -> Result<String, QuestionError> {
    let question: Question = serde_json::from_str(written).map_err(QuestionError)?;
    Ok(question.done())
}

/// The records of a question, with what they are weighed with.
struct Table<'a> {
    ready: &'a Ready,
    weighing: Weighing<'a>,
}

impl Table<'_> {
    /// Returns the indices of a pair, the smaller first.
    fn pair(&self, left: Signed, right: Signed) -> Option<(u32, u32)> {
        let (one, other) = (self.index(left)?, self.index(right)?);
        Some((one.min(other), one.max(other)))
    }

    fn index(&self, record: Signed) -> Option<u32> {
        self.ready.index(record.cast_unsigned())
    }
}

impl Question {
    fn done(self) -> String {
        let Self {
            kind,
            settings,
            mut learnt,
            records,
            asked,
        } = self;
        let mut prepared = Prepared::default();
        let mut uses = BTreeMap::new();
        for record in records {
            record.row.put(&mut prepared);
            for (field, text, number, organisation) in record.facts {
                learnt.add(Fact {
                    field,
                    text,
                    number,
                    organisation,
                });
            }
            for (key, records, users) in record.uses {
                let key = key.cast_unsigned();
                let used = KeyUse {
                    key,
                    records,
                    users,
                };
                uses.insert(key, used);
            }
        }
        let ready = Ready::sorted(kind, prepared, &learnt);
        let weighing = ready.weighing((&settings, &learnt), (&uses, std::iter::empty()));
        let table = Table {
            ready: &ready,
            weighing,
        };
        let least = settings.model.accept_bits(kind) - settings.model.review_range;
        match asked {
            Asked::Weigh(pairs) => weighed(&table, &pairs, least),
            Asked::Users(keys) => users(table, &keys),
            Asked::Levels(pairs) => levels(&table, &pairs),
            Asked::Namesakes(pairs) => namesakes(&table, &pairs),
            Asked::Places(facts) => places(&facts),
        }
    }
}

fn weighed(table: &Table<'_>, pairs: &[(Signed, Signed)], least: f32) -> String {
    let lines = pairs.iter().filter_map(|(one, other)| {
        let (left, right) = table.pair(*one, *other)?;
        let bits = table.weighing.total(left, right)?;
        let [left, right] = [left, right].map(|index| table.ready.number(index).cast_signed());
        (bits >= least).then(|| format!("{left} {right} {}\n", f64::from(bits)))
    });
    lines.collect()
}

fn users(mut table: Table<'_>, keys: &[(Signed, Vec<Signed>)]) -> String {
    let lines = keys.iter().map(|(key, records)| {
        let mut blocks = Blocks::default();
        // The key's value is nobody's business here: the records that are given have it.
        let value = KeyValue::Text(Symbol::EMPTY);
        let indices = records.iter().filter_map(|it| table.index(*it));
        indices.for_each(|index| blocks.put(value, index));
        blocks.sort();
        table.weighing.set_users(Symbol::EMPTY, 1);
        table.weighing.count_users(&blocks);
        let users = table.weighing.users().get(Symbol::EMPTY);
        format!("{key} {users}\n")
    });
    lines.collect()
}

fn levels(table: &Table<'_>, pairs: &[(Signed, Signed)]) -> String {
    let lines = pairs.iter().filter_map(|(one, other)| {
        let (left, right) = table.pair(*one, *other)?;
        let levels = table.weighing.levels(left, right)?;
        Some(format!("{}\n", levels.join(" ")))
    });
    lines.collect()
}

fn namesakes(table: &Table<'_>, pairs: &[(Signed, Signed, u64, u64)]) -> String {
    let lines = pairs.iter().filter_map(|(one, other, looked_at, all)| {
        let (left, right) = table.pair(*one, *other)?;
        let (bucket, agreements) = table.weighing.agreements(left, right)?;
        let [mailbox, phone, organisation] = agreements.map(Agreement::as_str);
        Some(format!(
            "{bucket} {mailbox} {phone} {organisation} {looked_at} {all}\n"
        ))
    });
    lines.collect()
}

fn places(facts: &[(Signed, FactField, Box<str>)]) -> String {
    let lines = facts.iter().map(|(number, field, text)| {
        let place = field.place_of(text).cast_signed();
        format!("{number} {place}\n")
    });
    lines.collect()
}
