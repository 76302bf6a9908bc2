//! Says which records are one person or one company.
//!
//! Every stage is a pure, total function, and the answer depends on the set of identities and the earlier
//! answer only, never on the order in which they are given:
//!
//! 1. normalise: one spelling per value (`prepare` and `naming`, over [`crate::normalise`], into `prepared`);
//! 2. organisations first: companies are resolved, then every person is given an organisation (`organisation`);
//! 3. keys: records that share a value meet (`keys`), neighbours only where too many do;
//! 4. learn what evidence is worth among these records (`learn`), then compare and weigh: levels per field, bits per
//!    level (`compare`, [`model`]);
//! 5. cluster: the strongest pairs first, and no union of people whose names contradict (`cluster`);
//! 6. keep identity: clusters take over the ids their records had (`keep`);
//! 7. survive: one golden record per entity (`survive`).

pub mod columns;
pub mod entity;
pub mod evidence;
pub mod golden;
pub mod identity;
pub mod model;

mod cluster;
mod companies;
mod compare;
mod frequency;
mod keep;
mod keys;
mod learn;
mod naming;
mod organisation;
mod people;
mod prepare;
mod prepared;
mod records;
mod sketch;
mod survive;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use columns::{ColumnField, ColumnMap};
pub use entity::{EntityId, EntityIdError};
pub use evidence::{Evidence, FieldEvidence, Outcome};
pub use golden::{Contact, ContactKind, GoldenCompany, GoldenPerson};
pub use identity::{EntityKind, Identity, RecordRef, Said};
pub use model::{Model, Settings};
pub use records::{Grouped, Records};

use cluster::Clustering;
use prepared::{Prepared, place};

/// The earlier answer, from which entities keep their ids. Empty at the first run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Previous {
    /// The entity that each record of each kind belonged to.
    pub assignments: BTreeMap<(EntityKind, RecordRef), EntityId>,
    /// Ids that are out of use, with the id that took their place, if one did.
    pub retired: BTreeMap<EntityId, Option<EntityId>>,
}

impl Previous {
    /// Takes the memberships and retired ids of an answer as the earlier answer of the next run.
    pub fn of(resolution: &Resolution) -> Self {
        let assignments = resolution
            .memberships
            .iter()
            .map(|member| {
                (
                    (member.kind, member.record.clone()),
                    member.entity_id.clone(),
                )
            })
            .collect();
        Self {
            assignments,
            retired: resolution.retired.clone(),
        }
    }
}

/// One record's place in an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership {
    /// The record.
    pub record: RecordRef,
    /// The entity it belongs to.
    pub entity_id: EntityId,
    /// What the entity is.
    pub kind: EntityKind,
    /// The probability of the strongest pair that ties the record to its entity; 1 for a record alone.
    pub confidence: f32,
}

/// What happened to an entity id between the earlier answer and this one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The entity is new.
    Created(EntityId),
    /// The first id is out of use; the second holds most of its records.
    Merged(EntityId, EntityId),
    /// Records of the first id are now under the second, while the first lives on.
    Split(EntityId, EntityId),
    /// None of the entity's records are left.
    Gone(EntityId),
}

/// Figures about a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Identities given, after one is kept of each record and kind.
    pub identities: usize,
    /// Pairs that met in a key.
    pub candidate_pairs: usize,
    /// Keys with more records than the cap, in which only neighbours in name order met.
    pub capped_keys: usize,
    /// Unions that the guard refused.
    pub refused_merges: usize,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resolution {
    /// People, by id.
    pub people: Vec<GoldenPerson>,
    /// Companies, by id.
    pub companies: Vec<GoldenCompany>,
    /// Every identity's entity, by kind and record.
    pub memberships: Vec<Membership>,
    /// Every pair that joined two clusters, and every union that was refused.
    pub evidence: Vec<Evidence>,
    /// Ids out of use, from this run and before.
    pub retired: BTreeMap<EntityId, Option<EntityId>>,
    /// What happened to ids since the earlier answer.
    pub changes: Vec<Change>,
    /// Figures about the run.
    pub counts: Counts,
}

impl Resolution {
    /// Returns the entity of that kind that a record belongs to: of a source, its stream, and the record's id there.
    pub fn entity_of(
        &self,
        kind: EntityKind,
        (source, stream, id): (&str, &str, &str),
    ) -> Option<&EntityId> {
        let wanted = (kind, source, stream, id);
        let found = self.memberships.binary_search_by(|member| {
            let record = &member.record;
            (member.kind, &*record.source, &*record.stream, &*record.id).cmp(&wanted)
        });
        let member = self.memberships.get(found.ok()?)?;
        Some(&member.entity_id)
    }
}

/// Resolves a whole set of identities. The same set gives the same answer in any order.
///
/// Where a record and kind occur twice, the one changed last counts.
pub fn resolve(identities: &[Identity], previous: &Previous, settings: &Settings) -> Resolution {
    let identities = identity::newest(identities);
    let mut records = Records::new(settings.clone());
    identities.iter().for_each(|one| records.add(&one.said()));
    let matched = records.matched(true);
    let (prepared, companies, people) = (&matched.prepared, &matched.companies, &matched.people);
    let kept = keep::ids(prepared, [companies, people], previous);
    let whole = survive::Whole {
        prepared,
        identities: &identities,
    };
    let mut resolution = Resolution {
        companies: survive::companies(whole, companies, &kept.company_ids),
        people: survive::people(whole, people, &kept),
        retired: kept.retired,
        changes: kept.changes,
        counts: matched.counts(),
        ..Resolution::default()
    };
    for (clustering, ids) in [(companies, &kept.company_ids), (people, &kept.person_ids)] {
        record(&mut resolution, &identities, (prepared, clustering), ids);
    }
    resolution
        .memberships
        .sort_by(|a, b| (a.kind, &a.record).cmp(&(b.kind, &b.record)));
    resolution
}

/// Writes a clustering's memberships and evidence into the answer.
fn record(
    resolution: &mut Resolution,
    identities: &[&Identity],
    (prepared, clustering): (&Prepared, &Clustering),
    ids: &[EntityId],
) {
    let record = |index| {
        let arrival = prepared.arrival(clustering.kind, place(index))?;
        Some(identities.get(place(arrival))?.record.clone())
    };
    for (cluster, id) in clustering.clusters.iter().zip(ids) {
        for member in &cluster.members {
            if let Some(record) = record(member.index) {
                resolution.memberships.push(Membership {
                    record,
                    entity_id: id.clone(),
                    kind: clustering.kind,
                    confidence: member.confidence,
                });
            }
        }
    }
    for (edge, reasons) in clustering.edges.iter().zip(&clustering.reasons) {
        let cluster = clustering.cluster_of.get(place(edge.left));
        let id = cluster.and_then(|at| ids.get(place(*at)));
        let pair = record(edge.left).zip(record(edge.right));
        if let Some((id, pair)) = id.zip(pair) {
            let evidence = edge.evidence(clustering.kind, id, pair, reasons);
            resolution.evidence.push(evidence);
        }
    }
}
