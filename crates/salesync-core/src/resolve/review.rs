//! Which pairs of clusters a person should look at.

use hashbrown::HashSet;

use super::cluster::{Clustering, Edge, sort};
use super::evidence::Outcome;
use super::frequency::{count_of, probability};
use super::overrides::ByIndex;
use super::prepared::place;

/// Returns of each two clusters that might be one entity's the strongest edge, but where people decided.
pub(super) fn uncertain(found: &Clustering, mut edges: Vec<Edge>, decided: &ByIndex) -> Vec<Edge> {
    let unjoined = found.edges.iter();
    edges
        .extend(unjoined.filter(|edge| matches!(edge.outcome, Outcome::Refused | Outcome::Bridge)));
    sort(&mut edges);
    let clusters = |left, right| {
        let cluster = |index| found.cluster_of.get(place(index)).copied();
        let (left, right) = cluster(left).zip(cluster(right))?;
        (left != right).then_some((left.min(right), left.max(right)))
    };
    let never = decided.never.iter();
    let mut known: HashSet<(u32, u32)> = never
        .filter_map(|(left, right)| clusters(*left, *right))
        .collect();
    edges.retain(|edge| clusters(edge.left, edge.right).is_some_and(|pair| known.insert(pair)));
    edges
}

/// So many pairs of clusters are put up for review at most: more than people decide.
pub(super) const MOST_REVIEWS: usize = 10_000;

/// Returns those edges between clusters whose decision is likely to change most, in that order.
pub(super) fn worth_deciding(found: &Clustering, mut edges: Vec<Edge>) -> Vec<Edge> {
    let size = |index| {
        let cluster = found.cluster_of.get(place(index)).copied().map(place);
        let cluster = cluster.and_then(|cluster| found.clusters.get(cluster));
        count_of(cluster.map_or(0, |cluster| cluster.members.len()))
    };
    let worth = |edge: &Edge| {
        f64::from(probability(edge.total))
            * f64::from(size(edge.left))
            * f64::from(size(edge.right))
    };
    // Strongest first already, which stays so among those that are worth the same.
    edges.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
    edges.truncate(MOST_REVIEWS);
    edges
}
