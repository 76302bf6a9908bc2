//! Joins pairs into clusters, the strongest first, and refuses unions whose members contradict each other.

use super::entity::EntityId;
use super::evidence::{Evidence, FieldEvidence, Outcome};
use super::frequency::probability;
use super::identity::{EntityKind, RecordRef};
use super::keys::{KeyKind, Pairs};
use super::model::Model;
use super::prepared::{number, place};

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
            entity_id: id.clone(),
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
    /// The edges that joined clusters or were refused, strongest first.
    pub(super) edges: Vec<Edge>,
    /// What speaks for and against each of these edges; empty unless it was asked for.
    pub(super) reasons: Vec<Reasons>,
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

    /// Says whether a field is a reason worth telling.
    fn is_reason(field: &FieldEvidence) -> bool;

    /// Adds a pair up.
    fn total(&self, fields: &[FieldEvidence; N]) -> f32 {
        let bits = fields.iter().map(|field| field.bits);
        bits.fold(self.prior(), |sum, bits| sum + bits)
    }

    /// Returns what speaks for and against an edge.
    fn reasons(&self, edge: &Edge) -> Reasons {
        let fields = self.weigh(edge.left, edge.right).into_iter().flatten();
        Reasons {
            prior: self.prior(),
            fields: fields.filter(Self::is_reason).collect(),
        }
    }
}

/// Clusters `count` records of a kind that met; with the reasons of every edge used if `explained`.
pub(super) fn find<const N: usize>(
    (kind, count): (EntityKind, usize),
    met: Pairs,
    (model, explained): (&Model, bool),
    scale: &impl Scale<N>,
) -> Clustering {
    let capped_keys = met.capped;
    let met = met.into_sorted();
    let mut edges = Vec::new();
    for (left, right, key) in met.iter() {
        let fields = scale.weigh(left, right);
        let total = fields.map(|fields| scale.total(&fields));
        if let Some(total) = total.filter(|total| *total >= model.accept_bits) {
            edges.push(Edge {
                left,
                right,
                key,
                outcome: Outcome::Joined,
                total,
            });
        }
    }
    let candidate_pairs = met.len();
    drop(met);
    let mut found = join(kind, count, edges, model, |one, other| {
        scale.contradict(one, other)
    });
    if explained {
        found.reasons = found.edges.iter().map(|edge| scale.reasons(edge)).collect();
    }
    found.candidate_pairs = candidate_pairs;
    found.capped_keys = capped_keys;
    found
}

/// Joins `count` records by their edges. `contradicts` says whether two records cannot be one entity's.
fn join(
    kind: EntityKind,
    count: usize,
    mut edges: Vec<Edge>,
    model: &Model,
    mut contradicts: impl FnMut(u32, u32) -> bool,
) -> Clustering {
    edges.sort_unstable_by(|a, b| {
        b.total
            .total_cmp(&a.total)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
    });
    let mut union = Union::new(count);
    let mut strongest = vec![f32::NEG_INFINITY; count];
    edges.retain_mut(|edge| {
        let (left, right) = (union.root(edge.left), union.root(edge.right));
        if left == right {
            return false;
        }
        let looks = model.contradiction_looks;
        let mut looked = 0u16;
        let mut contradicted = 0u16;
        for one in union.members(left).take(looks) {
            for other in union.members(right).take(looks) {
                looked = looked.saturating_add(1);
                contradicted = contradicted.saturating_add(u16::from(contradicts(one, other)));
            }
        }
        if f32::from(contradicted) > model.contradiction_share * f32::from(looked) {
            edge.outcome = Outcome::Refused;
        } else {
            union.join(left, right, edge.total);
            for index in [edge.left, edge.right] {
                if let Some(bits) = strongest.get_mut(place(index)) {
                    *bits = bits.max(edge.total);
                }
            }
        }
        true
    });
    edges.shrink_to_fit();
    let (clusters, cluster_of) = union.clusters(&strongest);
    Clustering {
        kind,
        clusters,
        cluster_of,
        edges,
        reasons: Vec::new(),
        candidate_pairs: 0,
        capped_keys: 0,
    }
}

/// Disjoint sets that know their members: each set is a chain from the record that stands for it.
struct Union {
    nodes: Vec<Node>,
}

/// A record in its set.
#[derive(Clone, Copy)]
struct Node {
    parent: u32,
    /// The next member; of the last one, itself.
    next: u32,
    /// Of a record that stands for its set: the last member, and how many there are.
    last: u32,
    size: u32,
    /// The weakest edge that joined the set.
    weakest: f32,
}

impl Union {
    /// Starts with every record alone.
    fn new(count: usize) -> Self {
        let alone = |index| Node {
            parent: index,
            next: index,
            last: index,
            size: 1,
            weakest: f32::INFINITY,
        };
        Self {
            nodes: (0..number(count)).map(alone).collect(),
        }
    }

    fn node(&self, index: u32) -> Node {
        let alone = Node {
            parent: index,
            next: index,
            last: index,
            size: 0,
            weakest: f32::INFINITY,
        };
        self.nodes.get(place(index)).copied().unwrap_or(alone)
    }

    fn change(&mut self, index: u32, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(place(index)) {
            change(node);
        }
    }

    /// Returns the record that stands for a record's set.
    fn root(&mut self, index: u32) -> u32 {
        let mut at = index;
        loop {
            let parent = self.node(at).parent;
            if parent == at {
                return at;
            }
            let grandparent = self.node(parent).parent;
            self.change(at, |node| node.parent = grandparent);
            at = grandparent;
        }
    }

    /// Returns the members of the set that a root stands for.
    fn members(&self, root: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(root), |at| {
            let next = self.node(*at).next;
            (next != *at).then_some(next)
        })
    }

    /// Joins the sets of two roots.
    fn join(&mut self, left: u32, right: u32, bits: f32) {
        let (keep, lose) = if self.node(left).size >= self.node(right).size {
            (left, right)
        } else {
            (right, left)
        };
        let (kept, lost) = (self.node(keep), self.node(lose));
        self.change(kept.last, |node| node.next = lose);
        self.change(lose, |node| node.parent = keep);
        self.change(keep, |node| {
            node.last = lost.last;
            node.size = kept.size + lost.size;
            node.weakest = kept.weakest.min(lost.weakest).min(bits);
        });
    }

    /// Returns the sets in the order of their smallest records, and each record's set.
    fn clusters(mut self, strongest: &[f32]) -> (Vec<Cluster>, Vec<u32>) {
        let mut cluster_of = vec![u32::MAX; strongest.len()];
        let mut clusters: Vec<Cluster> = Vec::new();
        for index in 0..number(strongest.len()) {
            let root = self.root(index);
            if cluster_of
                .get(place(index))
                .is_none_or(|known| *known != u32::MAX)
            {
                continue;
            }
            let mut members: Vec<Member> = Vec::with_capacity(place(self.node(root).size));
            for index in self.members(root) {
                if let Some(cluster) = cluster_of.get_mut(place(index)) {
                    *cluster = number(clusters.len());
                }
                let bits = strongest.get(place(index)).copied();
                let confidence = bits
                    .filter(|bits| bits.is_finite())
                    .map_or(1.0, probability);
                members.push(Member { index, confidence });
            }
            members.sort_unstable_by_key(|member| member.index);
            clusters.push(Cluster {
                members,
                confidence: probability(self.node(root).weakest),
            });
        }
        (clusters, cluster_of)
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
        let found = join(
            EntityKind::Person,
            5,
            edges,
            &Model::default(),
            |one, other| one + other == 3,
        );
        assert_eq!(sets(&found), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(found.refused_merges(), 1);
        assert_eq!(found.cluster_of, [0, 0, 1, 1, 2]);
    }

    #[test]
    fn a_few_contradictions_do_not_part_a_cluster() {
        let edges = (1..5).map(|index| edge(0, index, 5.0)).collect();
        let found = join(
            EntityKind::Person,
            5,
            edges,
            &Model::default(),
            |one, other| (one, other) == (3, 4),
        );
        assert_eq!(sets(&found), [vec![0, 1, 2, 3, 4]]);
        assert!(
            found
                .clusters
                .iter()
                .all(|cluster| cluster.confidence > 0.9)
        );
    }
}
