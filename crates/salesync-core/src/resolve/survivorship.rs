//! By which rules one of several values survives: data, a list of criteria for each field.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::golden::OtherValue;
use super::identity::Identity;
use crate::normalise::text;

/// By what one of several values is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The one from the most trusted source, by [`Survivorship::sources`].
    Source,
    /// The one that most records give; of those that as many give, the one that most sources give.
    Agreement,
    /// The one on the record that changed last.
    Recency,
    /// The longest.
    Completeness,
}

/// Which values survive. Of each list the first criterion that tells two values apart decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Survivorship {
    /// Sources, the most trusted first. One that is not named is trusted less than those that are; where none is
    /// named, all are trusted alike.
    pub sources: Vec<String>,
    /// Names, of people and companies. Of people's, whole ones go before those with an initial, whatever this says.
    pub name: Vec<Criterion>,
    /// What changes with a job: title, employer and its domain.
    pub position: Vec<Criterion>,
    /// City and country.
    pub place: Vec<Criterion>,
    /// Addresses and numbers, within their kind, and a company's domains.
    pub contact: Vec<Criterion>,
}

impl Default for Survivorship {
    fn default() -> Self {
        use Criterion::{Agreement, Completeness, Recency, Source};
        let lasting = vec![Source, Agreement, Recency, Completeness];
        Self {
            sources: Vec::new(),
            name: lasting.clone(),
            position: vec![Source, Recency, Agreement, Completeness],
            place: lasting.clone(),
            contact: lasting,
        }
    }
}

impl Survivorship {
    /// Returns how much a source is trusted: the less, the more.
    fn rank(&self, source: &str) -> usize {
        let place = self.sources.iter().position(|named| named == source);
        place.unwrap_or(self.sources.len())
    }

    /// Returns a record's word for some values.
    pub(super) fn votes<'a, V>(
        &self,
        identity: &'a Identity,
        values: V,
    ) -> impl Iterator<Item = Vote<'a>> + use<'a, V>
    where
        V: IntoIterator<Item = String>,
    {
        let (changed_at, source) = (identity.changed_at, &*identity.record.source);
        let rank = self.rank(source);
        values.into_iter().map(move |value| Vote {
            value,
            changed_at,
            source,
            rank,
        })
    }
}

/// One record's word for a value.
#[derive(Debug)]
pub(super) struct Vote<'a> {
    pub(super) value: String,
    pub(super) changed_at: i64,
    source: &'a str,
    rank: usize,
}

/// A value with the support it has.
#[derive(Debug)]
pub(super) struct Ranked<'a> {
    pub(super) value: String,
    pub(super) count: usize,
    pub(super) newest: i64,
    rank: usize,
    sources: BTreeSet<&'a str>,
}

impl<'a> Ranked<'a> {
    fn of(vote: Vote<'a>) -> Self {
        Self {
            value: vote.value,
            count: 1,
            newest: vote.changed_at,
            rank: vote.rank,
            sources: BTreeSet::from([vote.source]),
        }
    }

    /// Adds the support of another spelling or record.
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.newest = self.newest.max(other.newest);
        self.rank = self.rank.min(other.rank);
        self.sources.extend(&other.sources);
    }

    /// Returns how many records give the value, and how many sources.
    fn agreement(&self) -> (usize, usize) {
        (self.count, self.sources.len())
    }

    /// Says which of two values goes first.
    pub(super) fn order(&self, other: &Self, criteria: &[Criterion]) -> Ordering {
        let by = |criterion: &Criterion| match criterion {
            Criterion::Source => self.rank.cmp(&other.rank),
            Criterion::Agreement => other.agreement().cmp(&self.agreement()),
            Criterion::Recency => other.newest.cmp(&self.newest),
            Criterion::Completeness => other.value.len().cmp(&self.value.len()),
        };
        let decided = criteria.iter().map(by);
        let first = decided.fold(Ordering::Equal, Ordering::then);
        first.then_with(|| self.value.cmp(&other.value))
    }

    /// Returns the value as one that did not survive.
    pub(super) fn other(self, field: &'static str) -> OtherValue {
        OtherValue {
            field,
            value: self.value,
            record_count: self.count,
            sources: self.sources.into_iter().map(str::to_owned).collect(),
            last_seen: self.newest,
        }
    }
}

/// Ranks values by the criteria, the surviving one first. Spellings that fold to one value count together, and the
/// best spelling stands for them.
pub(super) fn ranked<'a>(
    mut votes: impl Iterator<Item = Vote<'a>>,
    criteria: &[Criterion],
) -> Vec<Ranked<'a>> {
    let (Some(first), second) = (votes.next(), votes.next()) else {
        return Vec::new();
    };
    let Some(second) = second else {
        return vec![Ranked::of(first)];
    };
    let mut by_key: BTreeMap<String, Vec<Vote<'a>>> = BTreeMap::new();
    for vote in [first, second].into_iter().chain(votes) {
        by_key
            .entry(text::fold(&vote.value))
            .or_default()
            .push(vote);
    }
    let values = by_key.into_values();
    let mut values: Vec<Ranked<'a>> = values.filter_map(|it| spelt(it, criteria)).collect();
    values.sort_by(|a, b| a.order(b, criteria));
    values
}

/// Returns the best spelling of one value, with the support of all.
pub(super) fn spelt<'a>(votes: Vec<Vote<'a>>, criteria: &[Criterion]) -> Option<Ranked<'a>> {
    let mut spellings: BTreeMap<String, Ranked<'a>> = BTreeMap::new();
    for vote in votes.into_iter().map(Ranked::of) {
        match spellings.get_mut(&vote.value) {
            Some(known) => known.add(&vote),
            None => {
                spellings.insert(vote.value.clone(), vote);
            }
        }
    }
    let mut spellings: Vec<Ranked<'a>> = spellings.into_values().collect();
    spellings.sort_by(|a, b| a.order(b, criteria));
    let mut spellings = spellings.into_iter();
    let mut best = spellings.next()?;
    spellings.for_each(|other| best.add(&other));
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::{EntityKind, RecordRef};

    /// Returns which value survives of some, each said by a record of a source that changed at a time.
    fn survivor(
        said: &[(&str, &str, i64)],
        rules: &Survivorship,
        criteria: &[Criterion],
    ) -> String {
        let identities: Vec<Identity> = said
            .iter()
            .map(|(source, _, changed_at)| {
                let record = RecordRef::new(*source, "people", changed_at.to_string());
                let mut identity = Identity::new(record, EntityKind::Person);
                identity.changed_at = *changed_at;
                identity
            })
            .collect();
        let votes = identities.iter().zip(said);
        let votes = votes
            .flat_map(|(identity, (_, value, _))| rules.votes(identity, Some((*value).to_owned())));
        ranked(votes, criteria).swap_remove(0).value
    }

    #[test]
    fn of_values_that_as_many_records_give_the_one_of_more_sources_survives() {
        let said = [
            ("phone", "Robrt", 9),
            ("phone", "Robrt", 8),
            ("crm", "Robert", 1),
            ("mail", "Robert", 2),
        ];
        let rules = Survivorship::default();
        assert_eq!(survivor(&said, &rules, &rules.name), "Robert");
    }

    #[test]
    fn the_first_criterion_that_tells_decides() {
        use Criterion::{Agreement, Completeness, Recency, Source};
        let said = [
            ("crm", "Ann", 1),
            ("crm", "Ann", 2),
            ("mail", "Anna Maria", 5),
            ("phone", "Anna", 9),
        ];
        let rules = Survivorship {
            sources: vec!["mail".to_owned(), "phone".to_owned()],
            ..Survivorship::default()
        };
        for (criterion, expected) in [
            (Source, "Anna Maria"),
            (Agreement, "Ann"),
            (Recency, "Anna"),
            (Completeness, "Anna Maria"),
        ] {
            let found = survivor(&said, &rules, &[criterion]);
            assert_eq!(found, expected, "{criterion:?}");
        }
    }
}
