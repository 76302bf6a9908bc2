//! What an engine of sets calls for a few records at a time.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::super::identity::EntityKind;
use super::super::increment::weighing::Weighing;
use super::super::index::{KeyUse, Number, each_key, numbers};
use super::super::keys::{Blocks, KeyValue};
use super::super::learn::Agreement;
use super::super::learnt::{Fact, FactField, Learnt};
use super::super::model::Settings;
use super::super::prepared::{Prepared, Symbol};
use super::row::Row;

/// Some records and what is to be done with them, as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    kind: EntityKind,
    settings: Settings,
    learnt: Learnt,
    records: Vec<Record>,
    #[serde(flatten)]
    asked: Asked,
}

/// A record with what is known of the values it has.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    row: Row,
    #[serde(default)]
    facts: Vec<(FactField, Box<str>, f32)>,
    /// How its keys are used: how many records share each, and how many entities these are.
    #[serde(default)]
    uses: Vec<(Number, u32, u8)>,
    /// Its phones that are on companies' records.
    #[serde(default)]
    switchboards: Vec<Box<str>>,
}

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    /// Weigh these pairs: a line for each that speaks for joining, or nearly does, with the bits.
    Weigh(Vec<(Number, Number)>),
    /// Count who uses these keys, each with records that have it: a line for each, with how many.
    Users(Vec<(Number, Vec<Number>)>),
    /// Compare the names of these pairs: a line for each with the levels of given name and surname.
    Forms(Vec<(Number, Number)>),
    /// Tell what agrees beside the name of these pairs, each of so many looked at that stand for so many: a line for each
    /// with bucket, agreements, and these numbers again.
    Namesakes(Vec<(Number, Number, u64, u64)>),
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

/// The records of a question, ready to be weighed.
struct Table<'a> {
    weighing: Weighing<'a>,
    /// By number.
    index_of: Vec<(Number, u32)>,
}

impl Table<'_> {
    fn index(&self, number: Number) -> Option<u32> {
        let found = self
            .index_of
            .binary_search_by_key(&number, |(known, _)| *known);
        self.index_of.get(found.ok()?).map(|(_, index)| *index)
    }

    /// Returns the indices of a pair, the smaller first, with their numbers in that order.
    fn pair(&self, left: Number, right: Number) -> Option<[(u32, Number); 2]> {
        let (one, other) = (self.index(left)?, self.index(right)?);
        Some(if one <= other {
            [(one, left), (other, right)]
        } else {
            [(other, right), (one, left)]
        })
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
        let (mut uses, mut switchboards) = (Vec::new(), Vec::new());
        for record in records {
            record.row.put(&mut prepared);
            for (field, text, number) in record.facts {
                learnt.add(Fact {
                    field,
                    text,
                    number,
                    organisation: "".into(),
                });
            }
            uses.extend(record.uses);
            switchboards.extend(record.switchboards);
        }
        prepared.sort();
        let mut index_of: Vec<(Number, u32)> =
            numbers(&prepared, kind).into_iter().zip(0..).collect();
        index_of.sort_unstable();
        let mut weighing = Weighing::new(kind, &prepared, (&settings, &learnt));
        let uses = uses.into_iter().map(|(key, records, users)| {
            let used = KeyUse {
                key,
                records,
                users,
            };
            (key, used)
        });
        let uses = uses.collect();
        let mut keys = Vec::new();
        each_key(&prepared, kind, |key| keys.push(key));
        weighing.note_uses((kind, &keys), &uses);
        let phones = switchboards.iter();
        let phones: Vec<Symbol> = phones.filter_map(|it| prepared.texts.find(it)).collect();
        for phone in phones {
            weighing.mark_switchboard(phone);
        }
        let table = Table { weighing, index_of };
        let least = settings.model.accept_bits(kind) - settings.model.review_range;
        match asked {
            Asked::Weigh(pairs) => weighed(&table, &pairs, least),
            Asked::Users(keys) => users(table, &keys),
            Asked::Forms(pairs) => forms(&table, &pairs),
            Asked::Namesakes(pairs) => namesakes(&table, &pairs),
        }
    }
}

/// Writes a line.
macro_rules! line {
    ($lines:expr, $($part:tt)*) => {
        // A text takes all that is written to it.
        if writeln!($lines, $($part)*).is_err() {
            return $lines;
        }
    };
}

fn weighed(table: &Table<'_>, pairs: &[(Number, Number)], least: f32) -> String {
    let mut lines = String::new();
    for (left, right) in pairs {
        let Some([(left, one), (right, other)]) = table.pair(*left, *right) else {
            continue;
        };
        let bits = table.weighing.total(left, right);
        if let Some(bits) = bits.filter(|bits| *bits >= least) {
            line!(lines, "{one} {other} {bits}");
        }
    }
    lines
}

fn users(mut table: Table<'_>, keys: &[(Number, Vec<Number>)]) -> String {
    let mut lines = String::new();
    for (key, records) in keys {
        let mut blocks = Blocks::default();
        let indices: Vec<u32> = records.iter().filter_map(|it| table.index(*it)).collect();
        // The key's value is nobody's business here: the records that are given have it.
        let value = KeyValue::Text(Symbol::EMPTY);
        indices.iter().for_each(|index| blocks.put(value, *index));
        blocks.sort();
        table.weighing.set_users(Symbol::EMPTY, 1);
        table.weighing.count_users(&blocks);
        let users = table.weighing.users().get(Symbol::EMPTY).max(1);
        line!(lines, "{key} {users}");
    }
    lines
}

fn forms(table: &Table<'_>, pairs: &[(Number, Number)]) -> String {
    let mut lines = String::new();
    for (left, right) in pairs {
        let Some([(left, _), (right, _)]) = table.pair(*left, *right) else {
            continue;
        };
        if let Some([first, last]) = table.weighing.forms(left, right) {
            line!(lines, "{first} {last}");
        }
    }
    lines
}

fn namesakes(table: &Table<'_>, pairs: &[(Number, Number, u64, u64)]) -> String {
    let mut lines = String::new();
    for (left, right, looked_at, all) in pairs {
        let Some([(left, _), (right, _)]) = table.pair(*left, *right) else {
            continue;
        };
        if let Some((bucket, agreements)) = table.weighing.agreements(left, right) {
            let [mailbox, phone, organisation] = agreements.map(Agreement::as_str);
            line!(
                lines,
                "{bucket} {mailbox} {phone} {organisation} {looked_at} {all}"
            );
        }
    }
    lines
}
