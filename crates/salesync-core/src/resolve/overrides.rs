//! What a person has decided about two records, which no evidence outweighs.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::identity::{EntityKind, RecordRef};
use super::prepared::{Prepared, number, place};

/// A decision about two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// They are one entity.
    Always,
    /// They are two entities.
    Never,
}

impl Rule {
    /// Returns the word that tables carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Reads the word that tables carry.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Always, Self::Never]
            .into_iter()
            .find(|rule| rule.as_str() == word)
    }
}

/// What was decided about two records of a kind. It holds at every resolve in which both are there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Override {
    /// What the records are about.
    pub kind: EntityKind,
    /// One record.
    pub left: RecordRef,
    /// The other.
    pub right: RecordRef,
    /// What holds for the two.
    pub rule: Rule,
}

/// The decisions about the records of a kind, by index. Those about records that are not there are left out.
#[derive(Debug, Default)]
pub(super) struct ByIndex {
    pub(super) always: Vec<(u32, u32)>,
    pub(super) never: Vec<(u32, u32)>,
}

impl ByIndex {
    /// Finds the records that overrides name.
    pub(super) fn of(prepared: &Prepared, kind: EntityKind, overrides: &[Override]) -> Self {
        let mut decided = Self::default();
        let overrides = overrides.iter().filter(|it| it.kind == kind);
        let mut indices: HashMap<&RecordRef, Option<u32>> = overrides
            .clone()
            .flat_map(|it| [(&it.left, None), (&it.right, None)])
            .collect();
        if indices.is_empty() {
            return decided;
        }
        let count = match kind {
            EntityKind::Person => prepared.people.len(),
            EntityKind::Company => prepared.companies.len(),
        };
        for index in 0..number(count) {
            let record = prepared.record(kind, place(index));
            if let Some(found) = record.and_then(|record| indices.get_mut(&record)) {
                *found = Some(index);
            }
        }
        let index = |record| indices.get(record).copied().flatten();
        for it in overrides {
            if let Some((left, right)) = index(&it.left).zip(index(&it.right)) {
                let pairs = match it.rule {
                    Rule::Always => &mut decided.always,
                    Rule::Never => &mut decided.never,
                };
                pairs.push((left.min(right), left.max(right)));
            }
        }
        // By index, so that the order in which decisions are given does not matter.
        decided.always.sort_unstable();
        decided.never.sort_unstable();
        decided
    }
}
