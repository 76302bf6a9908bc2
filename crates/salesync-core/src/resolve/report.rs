//! What a matching looks like as a whole, for a person to judge it by.

use std::collections::BTreeMap;

use super::cluster::{Clustering, Edge};
use super::entity::EntityId;
use super::evidence::{Evidence, Outcome};
use super::identity::EntityKind;
use super::keys::KeyKind;
use super::prepared::{Prepared, Symbol, place};

/// So many pairs of each sort are shown.
const SAMPLE: usize = 8;
/// So many entities on weak ties are shown, each with so many records at most.
const WEAKEST: usize = 20;
const RECORDS_OF_WEAKEST: usize = 12;

/// What a matching of the records of one kind looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The kind.
    pub kind: EntityKind,
    /// How many records there are.
    pub records: usize,
    /// How many pairs of them were compared.
    pub pairs_compared: usize,
    /// From how many bits on a pair speaks for joining.
    pub accept_bits: f32,
    /// How many of the compared pairs have so many bits: from each number to the next. The first and last hold those
    /// beyond them too.
    pub scores: Vec<(i16, u64)>,
    /// How many entities have so many records.
    pub sizes: BTreeMap<usize, usize>,
    /// The entities that hang on the weakest pairs, the weakest first.
    pub weakest: Vec<WeakEntity>,
    /// Pairs of each sort.
    pub samples: Vec<(Sort, Vec<SamplePair>)>,
}

/// What a sample of pairs stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Joined, evenly from the strongest to the weakest.
    Joined,
    /// Joined on the least evidence.
    BarelyJoined,
    /// Not joined, on the most evidence.
    NearMiss,
    /// Strong enough, but their clusters contradict each other or hang together by nothing else.
    Refused,
}

/// An entity that hangs on a weak pair.
#[derive(Debug, Clone, PartialEq)]
pub struct WeakEntity {
    /// The entity.
    pub entity_id: EntityId,
    /// The probability of its weakest pair.
    pub confidence: f32,
    /// How many records it has.
    pub record_count: usize,
    /// Its first records.
    pub records: Vec<ShownRecord>,
}

/// A pair with what its records say.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplePair {
    /// The pair, field by field.
    pub evidence: Evidence,
    /// What the left and the right record say.
    pub records: [ShownRecord; 2],
}

/// A record as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownRecord {
    /// Its id.
    pub id: String,
    /// Its values by field, in their normal form.
    pub values: Vec<(&'static str, String)>,
}

/// How many pairs have so many bits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scores([u64; BINS]);

const BINS: usize = 64;
/// The bits of the first bin.
const FIRST: f32 = -24.0;

impl Default for Scores {
    fn default() -> Self {
        Self([0; BINS])
    }
}

impl Scores {
    /// Counts a pair.
    pub(super) fn count(&mut self, bits: f32) {
        let bounds = (0..BINS - 1).zip(std::iter::successors(Some(FIRST + 1.0), |it| {
            Some(it + 1.0)
        }));
        let bin = bounds.take_while(|(_, upper)| bits >= *upper).count();
        if let Some(count) = self.0.get_mut(bin) {
            *count += 1;
        }
    }

    /// Takes in what was counted elsewhere.
    pub(super) fn add(&mut self, other: &Self) {
        let bins = self.0.iter_mut().zip(other.0);
        bins.for_each(|(count, more)| *count += more);
    }

    fn bins(&self) -> Vec<(i16, u64)> {
        (-24..).zip(self.0).collect()
    }
}

/// Chooses pairs that show how good a matching is. `uncertain` are the pairs between clusters, strongest first.
pub(super) fn sample(found: &Clustering, uncertain: &[Edge]) -> Vec<(Sort, Edge)> {
    let joined = found.edges.iter();
    let joined: Vec<&Edge> = joined
        .filter(|it| it.outcome == Outcome::Joined && it.key != KeyKind::Override)
        .collect();
    let step = joined.len().div_ceil(SAMPLE).max(1);
    let spread = joined.iter().step_by(step).map(|it| (Sort::Joined, **it));
    let barely = joined.iter().rev().take(SAMPLE);
    let barely = barely.map(|it| (Sort::BarelyJoined, **it));
    let of = |sort, wanted: fn(Outcome) -> bool| {
        let found = uncertain.iter().filter(move |it| wanted(it.outcome));
        found.take(SAMPLE).map(move |it| (sort, *it))
    };
    let near = of(Sort::NearMiss, |it| it == Outcome::NearMiss);
    let refused = of(Sort::Refused, |it| {
        matches!(it, Outcome::Refused | Outcome::Bridge)
    });
    spread.chain(barely).chain(near).chain(refused).collect()
}

/// Reports on a clustering that was sampled; `ids` are those of its clusters.
pub(super) fn of(
    prepared: &Prepared,
    (found, ids): (&Clustering, &[EntityId]),
    accept_bits: f32,
) -> Report {
    let shown = |index| shown(prepared, found.kind, index);
    let mut sizes = BTreeMap::new();
    let mut weak = Vec::new();
    for (cluster, id) in found.clusters.iter().zip(ids) {
        *sizes.entry(cluster.members.len()).or_default() += 1;
        if cluster.members.len() > 1 {
            weak.push((cluster, id));
        }
    }
    weak.sort_by(|(a, id), (b, other)| a.confidence.total_cmp(&b.confidence).then(id.cmp(other)));
    let weakest = weak.into_iter().take(WEAKEST).map(|(cluster, id)| {
        let records = cluster.members.iter().take(RECORDS_OF_WEAKEST);
        WeakEntity {
            entity_id: *id,
            confidence: cluster.confidence,
            record_count: cluster.members.len(),
            records: records.map(|member| shown(member.index)).collect(),
        }
    });
    let mut samples: BTreeMap<Sort, Vec<SamplePair>> = BTreeMap::new();
    for (sort, edge, reasons) in &found.sample {
        let cluster = found.cluster_of.get(place(edge.left));
        let record = |index| prepared.record(found.kind, place(index));
        if let Some(id) = cluster.and_then(|at| ids.get(place(*at)))
            && let Some(pair) = record(edge.left).zip(record(edge.right))
        {
            samples.entry(*sort).or_default().push(SamplePair {
                evidence: edge.evidence(found.kind, id, pair, reasons),
                records: [shown(edge.left), shown(edge.right)],
            });
        }
    }
    Report {
        kind: found.kind,
        records: found.cluster_of.len(),
        pairs_compared: found.candidate_pairs,
        accept_bits,
        scores: found.scores.bins(),
        sizes,
        weakest: weakest.collect(),
        samples: samples.into_iter().collect(),
    }
}

/// Returns what a record says.
fn shown(prepared: &Prepared, kind: EntityKind, index: u32) -> ShownRecord {
    let arrival = prepared.arrival(kind, place(index));
    let named = arrival.and_then(|arrival| prepared.named(arrival));
    let text = |symbol: Symbol| prepared.texts.text(symbol);
    let list = |symbols: &[Symbol]| {
        let texts = symbols.iter().map(|symbol| text(*symbol));
        texts.collect::<Vec<_>>().join(", ")
    };
    let mut values = Vec::new();
    match kind {
        EntityKind::Person => {
            if let Some(person) = prepared.person(place(index)) {
                let mailboxes = person.mailboxes.iter().map(|mailbox| text(mailbox.address));
                let name = [person.name.first, person.name.last].map(text).join(" ");
                values.extend([
                    ("name", name.trim().to_owned()),
                    ("email", mailboxes.collect::<Vec<_>>().join(", ")),
                    ("role_email", list(person.role_mailboxes)),
                    ("phone", list(person.phones)),
                    ("company", text(person.company).to_owned()),
                    ("birth_date", text(person.birth).to_owned()),
                ]);
                values.push(("city", text(person.place.city).to_owned()));
            }
        }
        EntityKind::Company => {
            if let Some(company) = prepared.company(place(index)) {
                values.extend([
                    ("name", list(company.names)),
                    ("domain", list(company.domains)),
                    ("phone", list(company.phones)),
                ]);
                values.push(("city", text(company.place.city).to_owned()));
            }
        }
    }
    values.retain(|(_, value)| !value.is_empty());
    ShownRecord {
        id: named.map_or_else(String::new, |[_, _, id]| id.to_owned()),
        values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_falls_into_the_bin_that_begins_at_or_below_it() {
        let mut scores = Scores::default();
        for bits in [-90.0, -24.0, -23.5, 0.0, 0.9, 1.0, 38.9, 39.0, 900.0] {
            scores.count(bits);
        }
        let filled: Vec<(i16, u64)> = scores.bins().into_iter().filter(|it| it.1 > 0).collect();
        assert_eq!(filled, [(-24, 3), (0, 2), (1, 1), (38, 1), (39, 2)]);
    }
}
