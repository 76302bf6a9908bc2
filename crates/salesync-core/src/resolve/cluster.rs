//! Joins pairs into clusters, the strongest first, and refuses unions whose members contradict each other.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::compare::finding;
use super::entity::EntityId;
use super::evidence::{Evidence, FieldEvidence, Outcome};
use super::frequency::{count_of, probability};
use super::guard::{Neighbours, contradict};
use super::identity::{EntityKind, RecordRef};
use super::keys::{KeyKind, Met, Pairs};
use super::model::Model;
use super::overrides::ByIndex;
use super::prepared::place;
use super::report::{self, Scores, Sort};
use super::review::{uncertain, worth_deciding};
use super::union::Union;

/// A pair that speaks for joining.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) left: u32,
    pub(super) right: u32,
    pub(super) key: KeyKind,
    pub(super) outcome: Outcome,
    pub(super) total: f32,
}

/// What speaks for and against a pair.
#[derive(Debug, Clone)]
pub(super) struct Reasons {
    pub(super) prior: f32,
    pub(super) fields: Vec<FieldEvidence>,
}

impl Edge {
    /// Writes the edge down for the records it joins or not.
    pub(super) fn evidence(
        &self,
        kind: EntityKind,
        id: &EntityId,
        (left, right): (RecordRef, RecordRef),
        reasons: &Reasons,
    ) -> Evidence {
        Evidence {
            kind,
            left,
            right,
            entity_id: *id,
            key: self.key.as_str(),
            fields: reasons.fields.clone(),
            prior_bits: reasons.prior,
            total_bits: self.total,
            probability: probability(self.total),
            outcome: self.outcome,
        }
    }
}

/// A record in a cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) index: u32,
    /// The probability of the strongest edge that joined it to others; 1 alone.
    pub(super) confidence: f32,
}

/// One entity's records.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// By index, so in the order of records.
    pub(super) members: Vec<Member>,
    /// The probability of the weakest edge that joined them.
    pub(super) confidence: f32,
}

/// All entities of a kind.
#[derive(Debug)]
pub(super) struct Clustering {
    pub(super) kind: EntityKind,
    /// By smallest record.
    pub(super) clusters: Vec<Cluster>,
    /// Each record's cluster.
    pub(super) cluster_of: Vec<u32>,
    /// The edges that joined clusters or were refused, strongest first; where reasons are wanted also those that confirm
    /// what stronger ones joined.
    pub(super) edges: Vec<Edge>,
    /// Every edge, and every pair that nearly is one; empty unless they were asked for.
    pub(super) all_edges: Vec<Edge>,
    /// The pairs that tie records together, whatever became of them; empty unless they were asked for.
    pub(super) ties: Vec<(u32, u32)>,
    /// What speaks for and against each of these edges; empty unless all of it was asked for.
    pub(super) reasons: Vec<Reasons>,
    /// Of each two clusters that might be one entity's the strongest edge, those first whose decision is likely to change
    /// most, with what speaks for and against it: 10,000 at most; empty unless all of it was asked for.
    pub(super) uncertain: Vec<(Edge, Reasons)>,
    /// Pairs that show how good the clusters are, and how all pairs score; empty unless that was asked for.
    pub(super) sample: Vec<(Sort, Edge, Reasons)>,
    pub(super) scores: Scores,
    /// Decisions of people that could not hold beside their others.
    pub(super) contradicting_overrides: usize,
    pub(super) candidate_pairs: usize,
    pub(super) capped_keys: usize,
}

impl Clustering {
    /// Counts the unions that were refused.
    pub(super) fn refused_merges(&self) -> usize {
        self.edges
            .iter()
            .filter(|edge| edge.outcome == Outcome::Refused)
            .count()
    }
}

/// What pairs of records of a kind are weighed with, in `N` fields.
pub(super) trait Scale<const N: usize> {
    /// Returns the bits of a pair before any field is looked at.
    fn prior(&self) -> f32;

    /// Weighs a pair field by field.
    fn weigh(&self, left: u32, right: u32) -> Option<[FieldEvidence; N]>;

    /// Says whether two records cannot be one entity's.
    fn contradict(&self, left: u32, right: u32) -> bool;

    /// Says whether a record shows that two others are one entity's although they contradict each other.
    fn vouches(&self, _witness: u32, _others: (u32, u32)) -> bool {
        false
    }

    /// Says whether it helps to know how many others of one entity a record has.
    fn wants_partners(&self) -> bool {
        false
    }

    /// Takes note of that.
    fn learn_partners(&mut self, _: f32) {}

    /// Says whether a field is a reason worth telling.
    fn is_reason(field: &FieldEvidence) -> bool;

    /// Adds a pair up.
    fn total(&self, fields: &[FieldEvidence; N]) -> f32 {
        let bits = fields.iter().map(|field| field.bits);
        bits.fold(self.prior(), |sum, bits| sum + bits)
    }

    /// Returns what speaks for and against an edge.
    fn reasons(&self, edge: &Edge) -> Reasons {
        if edge.key == KeyKind::Override {
            return Reasons {
                prior: 0.0,
                fields: vec![finding("override", "always", edge.total)],
            };
        }
        let fields = self.weigh(edge.left, edge.right).into_iter().flatten();
        Reasons {
            prior: self.prior(),
            fields: fields.filter(Self::is_reason).collect(),
        }
    }
}

/// What is to be found.
pub(super) struct Wanted<'a> {
    pub(super) model: &'a Model,
    /// What people decided about the records.
    pub(super) decided: ByIndex,
    pub(super) depth: Depth,
}

/// How much is wanted beside which records are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Nothing.
    Bare,
    /// A sample of pairs with their reasons, and how all pairs score.
    Sampled,
    /// The reasons of all edges that were used, and all pairs that are uncertain.
    Whole,
    /// The same, and every edge, whatever became of it.
    Indexed,
}

impl Depth {
    /// Says whether what speaks for and against pairs is wanted.
    fn wants_reasons(self) -> bool {
        matches!(self, Self::Whole | Self::Indexed)
    }

    /// Says whether pairs are wanted that speak for joining not quite enough.
    fn wants_near(self) -> bool {
        self != Self::Bare
    }
}

/// Clusters `count` records of a kind that met.
pub(super) fn find<const N: usize>(
    (kind, count): (EntityKind, usize),
    met: Pairs,
    wanted: &Wanted<'_>,
    scale: &mut (impl Scale<N> + Sync),
) -> Clustering {
    let accept = wanted.model.accept_bits(kind);
    let capped_keys = met.capped;
    let met = met.into_sorted();
    if scale.wants_partners() {
        scale.learn_partners(partners(&met, scale, (accept, count)));
    }
    let scale = &*scale;
    let weighed = weighed(&met, scale, (accept, wanted));
    let candidate_pairs = met.len();
    drop(met);
    let pairs = (weighed.edges, weighed.near);
    let mut found = concluded((kind, count), pairs, wanted, scale);
    found.scores = weighed.scores;
    found.candidate_pairs = candidate_pairs;
    found.capped_keys = capped_keys;
    found
}

/// Pairs that were weighed.
#[derive(Debug, Default)]
struct Weighed {
    /// Those that speak for joining.
    edges: Vec<Edge>,
    /// Those that nearly do, where they are wanted.
    near: Vec<Edge>,
    /// How all of them score, where that is wanted.
    scores: Scores,
}

/// Weighs the pairs that met, on as many threads as the machine has.
fn weighed<const N: usize>(
    met: &Met,
    scale: &(impl Scale<N> + Sync),
    (accept, Wanted { model, depth, .. }): (f32, &Wanted<'_>),
) -> Weighed {
    let weighed = |pairs| {
        let mut part = Weighed::default();
        for (left, right, key) in pairs {
            let Some(total) = scale.weigh(left, right).map(|fields| scale.total(&fields)) else {
                continue;
            };
            if *depth == Depth::Sampled {
                part.scores.count(total);
            }
            let mut edge = Edge {
                left,
                right,
                key,
                outcome: Outcome::Joined,
                total,
            };
            if total >= accept {
                part.edges.push(edge);
            } else if depth.wants_near() && total >= accept - model.review_range {
                edge.outcome = Outcome::NearMiss;
                part.near.push(edge);
            }
        }
        part
    };
    let mut all = Weighed::default();
    for batch in met.batches() {
        let parts: Vec<Weighed> = batch.map(weighed).collect();
        for part in parts {
            all.edges.extend(part.edges);
            all.near.extend(part.near);
            all.scores.add(&part.scores);
        }
    }
    all
}

/// Clusters `count` records of a kind by the pairs that speak for joining, and by those that nearly do.
pub(super) fn concluded<const N: usize>(
    records: (EntityKind, usize),
    (edges, near): (Vec<Edge>, Vec<Edge>),
    wanted: &Wanted<'_>,
    scale: &(impl Scale<N> + Sync),
) -> Clustering {
    let all = match wanted.depth {
        Depth::Indexed => [edges.as_slice(), near.as_slice()].concat(),
        _ => Vec::new(),
    };
    let ties = match wanted.depth {
        Depth::Indexed => {
            let edges = edges.iter().map(|edge| (edge.left, edge.right));
            edges.chain(wanted.decided.always.iter().copied()).collect()
        }
        _ => Vec::new(),
    };
    let mut found = join(records, edges, wanted, scale);
    (found.all_edges, found.ties) = (all, ties);
    let uncertain = if wanted.depth.wants_near() {
        uncertain(&found, near, &wanted.decided)
    } else {
        Vec::new()
    };
    match wanted.depth {
        Depth::Bare => {}
        Depth::Sampled => {
            let sample = report::sample(&found, &uncertain).into_iter();
            let sample = sample.map(|(sort, edge)| (sort, edge, scale.reasons(&edge)));
            found.sample = sample.collect();
        }
        Depth::Whole | Depth::Indexed => {
            let edges = found.edges.par_iter();
            found.reasons = edges.map(|edge| scale.reasons(edge)).collect();
            found.uncertain = worth_deciding(&found, uncertain)
                .into_iter()
                .map(|edge| (edge, scale.reasons(&edge)))
                .collect();
        }
    }
    found
}

/// Returns how many others of one entity a record has, more or less: by the pairs that speak for joining.
fn partners<const N: usize>(
    met: &Met,
    scale: &(impl Scale<N> + Sync),
    (accept, count): (f32, usize),
) -> f32 {
    let speaks = |(left, right, _): &(u32, u32, KeyKind)| {
        let fields = scale.weigh(*left, *right);
        fields.is_some_and(|fields| scale.total(&fields) >= accept)
    };
    let joined = met.batches().map(|batch| {
        batch
            .map(|pairs| pairs.filter(speaks).count())
            .sum::<usize>()
    });
    let joined: usize = joined.sum();
    2.0 * count_of(joined) as f32 / count_of(count.max(1)) as f32
}

/// Sorts edges, the strongest first.
pub(super) fn sort(edges: &mut [Edge]) {
    edges.par_sort_unstable_by(|a, b| {
        b.total
            .total_cmp(&a.total)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
    });
}

/// The bits of a pair of which a person said that it is one: beyond doubt.
const DECIDED_BITS: f32 = 64.0;

/// Joins records by their edges.
fn join<const N: usize>(
    (kind, count): (EntityKind, usize),
    mut edges: Vec<Edge>,
    Wanted {
        model,
        decided,
        depth,
    }: &Wanted<'_>,
    scale: &impl Scale<N>,
) -> Clustering {
    sort(&mut edges);
    let mut union = Union::new(count);
    for (left, right) in &decided.never {
        union.keep_apart(*left, *right);
    }
    let mut strongest = vec![f32::NEG_INFINITY; count];
    let mut contradicting_overrides = 0;
    let mut used: Vec<Edge> = Vec::new();
    for (left, right) in &decided.always {
        let (one, other) = (union.root(*left), union.root(*right));
        if union.are_apart(one, other) {
            contradicting_overrides += 1;
            continue;
        }
        let mut edge = Edge {
            left: *left,
            right: *right,
            key: KeyKind::Override,
            outcome: Outcome::Joined,
            total: DECIDED_BITS,
        };
        if one == other {
            edge.outcome = Outcome::Confirmed;
        } else {
            join_by(&mut union, &edge, (one, other), &mut strongest);
        }
        used.push(edge);
    }
    let accept = model.accept_bits(kind);
    let neighbours = Neighbours::of(&edges, accept + model.bridge_range);
    for mut edge in edges {
        let (left, right) = (union.root(edge.left), union.root(edge.right));
        if left == right {
            let pair = (edge.left, edge.right);
            if depth.wants_reasons() && decided.always.binary_search(&pair).is_err() {
                edge.outcome = Outcome::Confirmed;
                used.push(edge);
            }
            continue;
        }
        edge.outcome = if union.are_apart(left, right) {
            Outcome::Forbidden
        } else if contradict((left, right), &union, (model, accept), scale) {
            Outcome::Refused
        } else if neighbours.is_bridge(&edge, (left, right), &mut union) {
            Outcome::Bridge
        } else {
            join_by(&mut union, &edge, (left, right), &mut strongest);
            Outcome::Joined
        };
        used.push(edge);
    }
    used.shrink_to_fit();
    let (clusters, cluster_of) = union.clusters(&strongest);
    Clustering {
        kind,
        clusters,
        cluster_of,
        edges: used,
        all_edges: Vec::new(),
        ties: Vec::new(),
        reasons: Vec::new(),
        uncertain: Vec::new(),
        sample: Vec::new(),
        scores: Scores::default(),
        contradicting_overrides,
        candidate_pairs: 0,
        capped_keys: 0,
    }
}

/// Joins the sets of two roots by an edge between them.
fn join_by(union: &mut Union, edge: &Edge, (left, right): (u32, u32), strongest: &mut [f32]) {
    union.join(left, right, edge.total);
    for index in [edge.left, edge.right] {
        if let Some(bits) = strongest.get_mut(place(index)) {
            *bits = bits.max(edge.total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(left: u32, right: u32, total: f32) -> Edge {
        Edge {
            left,
            right,
            key: KeyKind::Mailbox,
            outcome: Outcome::Joined,
            total,
        }
    }

    /// Joins five records at most, of which some contradict each other.
    fn joined(edges: Vec<Edge>, decided: ByIndex, contradicts: fn(u32, u32) -> bool) -> Clustering {
        let wanted = Wanted {
            model: &Model::default(),
            decided,
            depth: Depth::Bare,
        };
        join(
            (EntityKind::Person, 5),
            edges,
            &wanted,
            &Contradicting(contradicts),
        )
    }

    /// A scale that knows only who contradicts whom.
    struct Contradicting(fn(u32, u32) -> bool);

    impl Scale<0> for Contradicting {
        fn prior(&self) -> f32 {
            0.0
        }

        fn weigh(&self, _: u32, _: u32) -> Option<[FieldEvidence; 0]> {
            None
        }

        fn contradict(&self, left: u32, right: u32) -> bool {
            (self.0)(left, right)
        }

        fn is_reason(_: &FieldEvidence) -> bool {
            false
        }
    }

    fn sets(clustering: &Clustering) -> Vec<Vec<u32>> {
        clustering
            .clusters
            .iter()
            .map(|cluster| cluster.members.iter().map(|member| member.index).collect())
            .collect()
    }

    #[test]
    fn strong_edges_join_first_and_contradictions_stay_apart() {
        let edges = vec![edge(1, 2, 3.0), edge(0, 1, 9.0), edge(2, 3, 8.0)];
        let found = joined(edges, ByIndex::default(), |one, other| one + other == 3);
        assert_eq!(sets(&found), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(found.refused_merges(), 1);
        assert_eq!(found.cluster_of, [0, 0, 1, 1, 2]);
    }

    #[test]
    fn a_few_contradictions_do_not_part_a_cluster() {
        let edges = (1..5).map(|index| edge(0, index, 5.0)).collect();
        let found = joined(edges, ByIndex::default(), |one, other| {
            (one, other) == (3, 4)
        });
        assert_eq!(sets(&found), [vec![0, 1, 2, 3, 4]]);
        assert!(
            found
                .clusters
                .iter()
                .all(|cluster| cluster.confidence > 0.9)
        );
    }

    #[test]
    fn decisions_outweigh_evidence_and_hold_through_others() {
        let edges = vec![edge(0, 1, 30.0), edge(1, 2, 20.0)];
        let decided = ByIndex {
            always: vec![(2, 3), (3, 4)],
            never: vec![(0, 4)],
        };
        let found = joined(edges, decided, |_, _| true);
        assert_eq!(sets(&found), [vec![0], vec![1], vec![2, 3, 4]]);
        let decided = ByIndex {
            always: vec![(0, 1), (1, 2)],
            never: vec![(0, 2)],
        };
        let found = joined(Vec::new(), decided, |_, _| false);
        assert_eq!(sets(&found), [vec![0, 1], vec![2], vec![3], vec![4]]);
        assert_eq!(found.contradicting_overrides, 1);
    }

    #[test]
    fn a_weak_edge_alone_does_not_join_two_groups() {
        let groups = [edge(0, 1, 9.0), edge(2, 3, 9.0)];
        let weak = Model::default().people.accept_bits;
        let bridged = [groups[0], groups[1], edge(1, 2, weak)];
        let found = joined(bridged.to_vec(), ByIndex::default(), |_, _| false);
        assert_eq!(sets(&found), [vec![0, 1], vec![2, 3], vec![4]]);
        let twice = [groups[0], groups[1], edge(1, 2, weak), edge(0, 3, weak)];
        let found = joined(twice.to_vec(), ByIndex::default(), |_, _| false);
        assert_eq!(sets(&found), [vec![0, 1, 2, 3], vec![4]]);
    }
}
