//! What every resolve goes by, for an engine of sets that does it in statements of its own.

use super::super::identity::EntityKind;
use super::super::index::{has_users, kinds_of_keys};
use super::super::keys::KeyKind;
use super::super::learnt::Learnt;
use super::super::model::{Model, Settings};
use super::super::{naming, organisation, people, review};
use super::lesson::Lesson;
use super::look::unwritten;
use crate::error::Result;

/// A kind of key under which records meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRule {
    /// The word for it.
    pub kind: &'static str,
    /// Up to so many records meet all under one key.
    pub cap: usize,
    /// Whether nobody meets where there are more; else those meet that share a name as well.
    pub is_of_names: bool,
    /// Whether it is counted who uses its keys.
    pub has_users: bool,
}

impl KeyRule {
    /// Returns what those who share a key of records of a kind teach, once it is counted who uses it.
    pub fn lesson(&self, kind: EntityKind) -> Option<Lesson> {
        let key = KeyKind::parse(self.kind)?;
        match (kind, key) {
            (EntityKind::Person, KeyKind::Mailbox) => Some(Lesson::Forms),
            (EntityKind::Person, KeyKind::Birth) => Some(Lesson::Moves),
            (EntityKind::Person, KeyKind::House) => Some(Lesson::Households),
            (EntityKind::Company, KeyKind::Domain) => Some(Lesson::Contradictions),
            _ => None,
        }
    }

    /// Whether those who share a key teach what evidence is worth beside a name.
    pub fn teaches_namesakes(&self) -> bool {
        self.kind == KeyKind::FullName.as_str()
    }
}

/// Returns the kinds of keys under which records of a kind meet, in the order in which they count.
pub fn rules(kind: EntityKind, model: &Model) -> Vec<KeyRule> {
    let kinds = kinds_of_keys(kind).filter(|it| it.lets_meet());
    let rules = kinds.map(|key| KeyRule {
        kind: key.as_str(),
        cap: key.cap(model.block_cap),
        is_of_names: key.is_of_names(),
        has_users: has_users(kind, key),
    });
    rules.collect()
}

/// Numbers that every resolve goes by.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// A company that so many people's records name as their employer is one whatever else its name could be.
    pub several: u32,
    /// The beginning of a company's name tells it from so many bytes on.
    pub telling_label: usize,
    /// On no more records than this a domain may be a typing error.
    pub rare_domain: u32,
    /// On so many records a domain is meant.
    pub common_domain: u32,
    /// From so many bytes on a domain with a typing error can be told.
    pub telling_domain: usize,
    /// The share of a name's records, in percent, that an organisation must have for the name to stand for it.
    pub dominant_percent: u32,
    /// So many of the next records that bear a name each is held against, to learn from them.
    pub neighbours: usize,
    /// So many users at least has a phone that a company's record carries.
    pub switchboard_users: u8,
    /// So many pairs of entities of a kind are put up for review at most.
    pub most_reviews: usize,
}

/// The numbers that every resolve goes by.
pub const BOUNDS: Bounds = Bounds {
    several: naming::SEVERAL,
    telling_label: naming::TELLING,
    rare_domain: organisation::RARE,
    common_domain: organisation::COMMON,
    telling_domain: organisation::TELLING,
    dominant_percent: organisation::DOMINANT_PERCENT,
    neighbours: people::NEIGHBOURS,
    switchboard_users: people::SWITCHBOARD_USERS,
    most_reviews: review::MOST_REVIEWS,
};

/// Returns the step in which names are looked at to learn from those who bear them, where so many records share one with
/// others: a name is looked at where its first record's number, without a sign, is a multiple.
pub fn namesake_step(records: usize) -> u64 {
    people::step(records)
}

/// Returns how a question about records of a kind begins, up to what is asked.
///
/// # Errors
/// [`Code::Internal`](crate::error::Code::Internal) where it can't be written down.
pub fn head(kind: EntityKind, settings: &Settings, learnt: &Learnt) -> Result<String> {
    let settings = serde_json::to_string(settings).map_err(unwritten)?;
    let learnt = serde_json::to_string(learnt).map_err(unwritten)?;
    let kind = kind.as_str();
    Ok(format!(
        r#"{{"kind":"{kind}","settings":{settings},"learnt":{learnt}"#
    ))
}
