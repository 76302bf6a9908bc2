//! Disjoint sets of records, and which of them must stay apart.

use hashbrown::{HashMap, HashSet};

use super::cluster::{Cluster, Member};
use super::frequency::probability;
use super::prepared::{number, place};

/// Disjoint sets that know their members: each set is a chain from the record that stands for it.
pub(super) struct Union {
    nodes: Vec<Node>,
    /// The sets that a set must not be joined with, by the records that stand for them.
    apart: HashMap<u32, HashSet<u32>>,
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
    pub(super) fn new(count: usize) -> Self {
        let alone = |index| Node {
            parent: index,
            next: index,
            last: index,
            size: 1,
            weakest: f32::INFINITY,
        };
        Self {
            nodes: (0..number(count)).map(alone).collect(),
            apart: HashMap::new(),
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
    pub(super) fn root(&mut self, index: u32) -> u32 {
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
    pub(super) fn members(&self, root: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(root), |at| {
            let next = self.node(*at).next;
            (next != *at).then_some(next)
        })
    }

    /// Returns how many records are in the set that a root stands for.
    pub(super) fn size(&self, root: u32) -> u32 {
        self.node(root).size
    }

    /// Lets the sets of two roots never be joined. A set can't be kept apart from itself.
    pub(super) fn keep_apart(&mut self, left: u32, right: u32) {
        if left != right {
            self.apart.entry(left).or_default().insert(right);
            self.apart.entry(right).or_default().insert(left);
        }
    }

    /// Says whether the sets of two roots must not be joined.
    pub(super) fn are_apart(&self, left: u32, right: u32) -> bool {
        let others = self.apart.get(&left);
        others.is_some_and(|others| others.contains(&right))
    }

    /// Joins the sets of two roots.
    pub(super) fn join(&mut self, left: u32, right: u32, bits: f32) {
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
        for other in self.apart.remove(&lose).unwrap_or_default() {
            if let Some(others) = self.apart.get_mut(&other) {
                others.remove(&lose);
            }
            self.keep_apart(keep, other);
        }
    }

    /// Returns the sets in the order of their smallest records, and each record's set.
    pub(super) fn clusters(mut self, strongest: &[f32]) -> (Vec<Cluster>, Vec<u32>) {
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
