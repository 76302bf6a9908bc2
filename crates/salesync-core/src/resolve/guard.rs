//! Keeps clusters clean: refuses unions that contradict themselves or hang by one weak edge.

use hashbrown::HashMap;

use super::cluster::{Edge, Scale};
use super::frequency::count_of;
use super::model::Model;
use super::union::Union;

/// Says whether the sets of two roots contradict each other in too many of their pairs, and in more than speak for a
/// union.
pub(super) fn contradict<const N: usize>(
    (left, right): (u32, u32),
    union: &Union,
    (model, accept): (&Model, f32),
    scale: &impl Scale<N>,
) -> bool {
    let looks = model.contradiction_looks;
    let pairs = || {
        let ones = union.members(left).take(looks);
        ones.flat_map(|one| {
            union
                .members(right)
                .take(looks)
                .map(move |other| (one, other))
        })
    };
    let vouched_for = |pair: (u32, u32)| {
        let members = [left, right].map(|root| union.members(root).take(looks));
        let mut members = members.into_iter().flatten();
        members.any(|member| scale.vouches(member, pair))
    };
    let contradicting = pairs()
        .filter(|(one, other)| scale.contradict(*one, *other) && !vouched_for((*one, *other)));
    let contradicted = count_of(contradicting.count());
    if contradicted as f32 <= model.contradiction_share * count_of(pairs().count()) as f32 {
        return false;
    }
    // Names come first among the fields. Who has none agrees with everybody.
    let speaks = |(one, other): &(u32, u32)| {
        let fields = scale.weigh(*one, *other);
        fields.is_some_and(|fields| {
            let are_named = fields.first().is_some_and(|name| name.bits > 0.0);
            are_named && scale.total(&fields) >= accept
        })
    };
    let agreed = count_of(pairs().filter(speaks).count());
    agreed as f32 * model.contradiction_worth <= contradicted as f32
}

/// The other ends of each record's weak edges.
pub(super) struct Neighbours {
    of: HashMap<u32, Vec<u32>>,
    /// Weaker edges than this can be bridges.
    bits: f32,
}

impl Neighbours {
    /// Looks at the edges that are weaker than `bits`.
    pub(super) fn of(edges: &[Edge], bits: f32) -> Self {
        let mut of: HashMap<u32, Vec<u32>> = HashMap::new();
        for edge in edges.iter().filter(|edge| edge.total < bits) {
            of.entry(edge.left).or_default().push(edge.right);
            of.entry(edge.right).or_default().push(edge.left);
        }
        Self { of, bits }
    }

    /// Says whether a weak edge is all that holds two sets together of which neither is a single record. Edges come
    /// the strongest first, so that all others between the two are weak too.
    pub(super) fn is_bridge(
        &self,
        edge: &Edge,
        (left, right): (u32, u32),
        union: &mut Union,
    ) -> bool {
        if edge.total >= self.bits || union.size(left) < 2 || union.size(right) < 2 {
            return false;
        }
        let (small, large) = if union.size(left) <= union.size(right) {
            (left, right)
        } else {
            (right, left)
        };
        let members: Vec<u32> = union.members(small).collect();
        let ends = members.iter().filter_map(|member| self.of.get(member));
        let crossing = ends.flatten().filter(|other| union.root(**other) == large);
        crossing.take(2).count() < 2
    }
}
