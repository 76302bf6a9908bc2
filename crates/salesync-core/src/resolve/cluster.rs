//! Joins pairs into clusters, the strongest first, and refuses unions whose members contradict each other.

use super::entity::EntityId;
use super::evidence::{Evidence, FieldEvidence, Outcome};
use super::frequency::probability;
use super::identity::{EntityKind, RecordRef};
use super::model::Model;

/// A pair that speaks for joining.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) key: &'static str,
    pub(super) fields: Vec<FieldEvidence>,
    pub(super) prior: f32,
    pub(super) total: f32,
    pub(super) outcome: Outcome,
}

impl Edge {
    /// Writes the edge down for the records it joins or not.
    pub(super) fn evidence(
        &self,
        kind: EntityKind,
        id: &EntityId,
        left: &RecordRef,
        right: &RecordRef,
    ) -> Evidence {
        Evidence {
            kind,
            left: left.clone(),
            right: right.clone(),
            entity_id: id.clone(),
            key: self.key,
            fields: self.fields.clone(),
            prior_bits: self.prior,
            total_bits: self.total,
            probability: probability(self.total),
            outcome: self.outcome,
        }
    }
}

/// A record in a cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) index: usize,
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
    pub(super) cluster_of: Vec<usize>,
    /// The edges that joined clusters or were refused, strongest first.
    pub(super) edges: Vec<Edge>,
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

/// Joins `count` records by their edges. `contradicts` says whether two records cannot be one entity's.
pub(super) fn join(
    kind: EntityKind,
    count: usize,
    mut edges: Vec<Edge>,
    model: &Model,
    mut contradicts: impl FnMut(usize, usize) -> bool,
) -> Clustering {
    edges.sort_by(|a, b| {
        b.total
            .total_cmp(&a.total)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
    });
    let mut union = Union::new(count);
    let mut strongest = vec![f32::NEG_INFINITY; count];
    let mut used = Vec::new();
    for mut edge in edges {
        let (left, right) = (union.root(edge.left), union.root(edge.right));
        if left == right {
            continue;
        }
        let (left_members, right_members) = (union.members(left), union.members(right));
        let looks = model.contradiction_looks;
        let mut looked = 0u16;
        let mut contradicted = 0u16;
        for one in left_members.iter().take(looks) {
            for other in right_members.iter().take(looks) {
                looked = looked.saturating_add(1);
                contradicted = contradicted.saturating_add(u16::from(contradicts(*one, *other)));
            }
        }
        if f32::from(contradicted) > model.contradiction_share * f32::from(looked) {
            edge.outcome = Outcome::Refused;
        } else {
            union.join(left, right, edge.total);
            for index in [edge.left, edge.right] {
                if let Some(bits) = strongest.get_mut(index) {
                    *bits = bits.max(edge.total);
                }
            }
        }
        used.push(edge);
    }
    let (clusters, cluster_of) = union.clusters(&strongest);
    Clustering {
        kind,
        clusters,
        cluster_of,
        edges: used,
        candidate_pairs: 0,
        capped_keys: 0,
    }
}

/// Disjoint sets that know their members.
struct Union {
    parents: Vec<usize>,
    members: Vec<Vec<usize>>,
    weakest: Vec<f32>,
}

impl Union {
    /// Starts with every record alone.
    fn new(count: usize) -> Self {
        Self {
            parents: (0..count).collect(),
            members: (0..count).map(|index| vec![index]).collect(),
            weakest: vec![f32::INFINITY; count],
        }
    }

    /// Returns the record that stands for a record's set.
    fn root(&mut self, index: usize) -> usize {
        let mut at = index;
        while let Some(parent) = self.parents.get(at).copied().filter(|parent| *parent != at) {
            let grandparent = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(place) = self.parents.get_mut(at) {
                *place = grandparent;
            }
            at = grandparent;
        }
        at
    }

    /// Returns the members of the set that a root stands for.
    fn members(&self, root: usize) -> &[usize] {
        self.members.get(root).map_or(&[], Vec::as_slice)
    }

    /// Joins the sets of two roots.
    fn join(&mut self, left: usize, right: usize, bits: f32) {
        let (keep, lose) = if self.members(left).len() >= self.members(right).len() {
            (left, right)
        } else {
            (right, left)
        };
        let moved = self
            .members
            .get_mut(lose)
            .map(std::mem::take)
            .unwrap_or_default();
        let lost_bits = self.weakest.get(lose).copied().unwrap_or(f32::INFINITY);
        if let Some(members) = self.members.get_mut(keep) {
            members.extend(moved);
        }
        if let Some(weakest) = self.weakest.get_mut(keep) {
            *weakest = weakest.min(lost_bits).min(bits);
        }
        if let Some(parent) = self.parents.get_mut(lose) {
            *parent = keep;
        }
    }

    /// Returns the sets in the order of their smallest records, and each record's set.
    fn clusters(self, strongest: &[f32]) -> (Vec<Cluster>, Vec<usize>) {
        let mut sets: Vec<(Vec<usize>, f32)> = self
            .members
            .into_iter()
            .zip(self.weakest)
            .filter(|(members, _)| !members.is_empty())
            .collect();
        for (members, _) in &mut sets {
            members.sort_unstable();
        }
        sets.sort_by(|one, other| one.0.first().cmp(&other.0.first()));
        let mut cluster_of = vec![0; strongest.len()];
        let mut clusters = Vec::with_capacity(sets.len());
        for (number, (members, weakest)) in sets.into_iter().enumerate() {
            let bits_of = |index: usize| {
                strongest
                    .get(index)
                    .copied()
                    .filter(|bits| bits.is_finite())
            };
            let members: Vec<Member> = members
                .into_iter()
                .map(|index| Member {
                    index,
                    confidence: bits_of(index).map_or(1.0, probability),
                })
                .collect();
            for member in &members {
                if let Some(place) = cluster_of.get_mut(member.index) {
                    *place = number;
                }
            }
            clusters.push(Cluster {
                members,
                confidence: probability(weakest),
            });
        }
        (clusters, cluster_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(left: usize, right: usize, total: f32) -> Edge {
        Edge {
            left,
            right,
            key: "mailbox",
            fields: Vec::new(),
            prior: 0.0,
            total,
            outcome: Outcome::Joined,
        }
    }

    fn sets(clustering: &Clustering) -> Vec<Vec<usize>> {
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
