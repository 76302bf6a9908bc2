//! Says which records are one person or one company.
//!
//! Every stage is a pure, total function, and the answer depends on the set of identities and the earlier
//! answer only, never on the order in which they are given:
//!
//! 1. normalise: one spelling per value (`prepare` and `naming`, over [`crate::normalise`], into `prepared`);
//! 2. organisations first: companies are resolved, then every person is given an organisation (`organisation`);
//! 3. keys: records that share a value meet (`keys`), neighbours only where too many do;
//! 4. learn what evidence is worth among these records (`learn`, `lessons`), then compare and weigh: levels per field, bits per
//!    level (`compare`, [`model`]);
//! 5. cluster: the strongest pairs first, and no union of people whose names contradict (`cluster`);
//! 6. keep identity: clusters take over the ids their records had (`keep`);
//! 7. survive: one golden record per entity (`survive`).

pub mod columns;
pub mod entity;
pub mod evidence;
pub mod golden;
pub mod identity;
pub mod increment;
pub mod index;
pub mod model;
pub mod overrides;
pub mod remote;
pub mod report;
pub mod survivorship;

mod cluster;
mod companies;
mod compare;
mod derived;
mod frequency;
mod guard;
mod keep;
mod keys;
mod learn;
mod learnt;
mod lessons;
mod naming;
mod organisation;
mod people;
mod prepare;
mod prepared;
mod records;
mod review;
mod sketch;
mod survive;
mod told;
mod union;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use rayon::iter::ParallelIterator;
use rayon::slice::{ParallelSlice, ParallelSliceMut};

pub use columns::{ColumnField, ColumnMap};
pub use derived::Derived;
pub use entity::{EntityId, EntityIdError, EntityIdText};
pub use evidence::{Evidence, FieldEvidence, Outcome, Review};
pub use golden::{Contact, ContactKind, GoldenCompany, GoldenPerson, OtherValue};
pub use identity::{EntityKind, Identity, RecordRef, Said};
pub use increment::{Changed, Decisions, Increment, increment};
pub use index::{IndexChange, IndexReader, IndexedEdge, IndexedRecord, KeyUse, Place};
pub use learnt::{Fact, FactField, Learnt};
pub use model::{Model, Settings};
pub use overrides::{Override, Rule};
pub use records::{Grouped, Records};
pub use report::{Report, SamplePair, ShownRecord, Sort, WeakEntity};
pub use survivorship::{Criterion, Survivorship};

use cluster::Depth;
use records::Matched;
use told::Told;

/// The earlier answer, from which entities keep their ids. Empty at the first run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Previous {
    /// The entity that each record of each kind belonged to.
    pub assignments: HashMap<(EntityKind, RecordRef), EntityId>,
    /// Ids that are out of use, with the id that took their place, if one did.
    pub retired: BTreeMap<EntityId, Option<EntityId>>,
    /// When ids were created: an older one has a smaller number. Where several ids have the same right to an entity,
    /// it keeps the oldest.
    pub ages: BTreeMap<EntityId, u64>,
}

impl Previous {
    /// Returns what is known before the next run, once this one has given an answer.
    #[must_use]
    pub fn followed_by(mut self, resolution: &Resolution) -> Self {
        let members = resolution.memberships.iter();
        self.assignments = members
            .map(|member| {
                let record = (member.kind, member.record.clone());
                (record, member.entity_id)
            })
            .collect();
        self.retired.clone_from(&resolution.retired);
        let run = self.ages.values().max().map_or(0, |last| last + 1);
        for change in &resolution.changes {
            if let Change::Created(id) = change {
                self.ages.insert(*id, run);
            }
        }
        self
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
    /// Whether another record of the entity has a mailbox of this one, of companies a domain; `None` where it has
    /// none.
    pub email_match: Option<bool>,
    /// The same for phones.
    pub phone_match: Option<bool>,
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
    /// Decisions that two records are one which could not hold beside other decisions.
    pub contradicting_overrides: usize,
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
    /// Every pair that joined two clusters or confirms that they are one, and every union that was refused.
    pub evidence: Vec<Evidence>,
    /// Entities that might be one, those first whose decision is likely to change most; 10,000 of each kind at most.
    pub review: Vec<Review>,
    /// Ids out of use, from this run and before.
    pub retired: BTreeMap<EntityId, Option<EntityId>>,
    /// What happened to ids since the earlier answer.
    pub changes: Vec<Change>,
    /// Figures about the run.
    pub counts: Counts,
}

/// Resolves a whole set of identities. The same set gives the same answer in any order.
///
/// Where a record and kind occur twice, the one changed last counts. What people decided about records holds,
/// whatever the records say; where decisions contradict each other, those to keep records apart hold.
pub fn resolve(
    identities: &[Identity],
    previous: &Previous,
    overrides: &[Override],
    settings: &Settings,
) -> Resolution {
    let newest = identity::newest(identities).into_iter();
    let newest: Vec<&Identity> = newest.filter_map(|at| identities.get(at)).collect();
    let (resolution, _) = whole(&newest, previous, (overrides, Depth::Whole), settings);
    resolution
}

/// Does what [`resolve`] does, and tells what to keep so that [`increment`](increment::increment) can go on from there.
pub fn resolve_and_index(
    identities: Vec<Identity>,
    previous: &Previous,
    overrides: &[Override],
    settings: &Settings,
) -> (Resolution, IndexChange, Learnt) {
    let places = identity::newest(&identities);
    let newest = places.iter().filter_map(|at| identities.get(*at));
    let newest: Vec<&Identity> = newest.collect();
    let asked = (overrides, Depth::Indexed);
    let (resolution, matched) = whole(&newest, previous, asked, settings);
    let mut identities: Vec<Option<Identity>> = identities.into_iter().map(Some).collect();
    let take = |arrival: usize| identities.get_mut(*places.get(arrival)?)?.take();
    let (index, learnt) = index::of(matched, take, &resolution);
    (resolution, index, learnt)
}

/// Fewer identities than that are taken in by one thread; few in tests, so that several have work.
const TAKEN_AT_LEAST: usize = if cfg!(test) { 8 } else { 10_000 };

/// Takes identities in, on as many threads as the machine has.
fn taken_in(identities: &[&Identity], settings: &Settings) -> Records {
    let share = identities.len().div_ceil(rayon::current_num_threads());
    let parts = identities.par_chunks(share.max(TAKEN_AT_LEAST));
    let taken = parts.map(|part| {
        let mut records = Records::new(settings.clone());
        part.iter().for_each(|one| records.add(&one.said()));
        records
    });
    let all = taken.reduce_with(|mut before, after| {
        before.absorb(after);
        before
    });
    all.unwrap_or_else(|| Records::new(settings.clone()))
}

/// Resolves a whole set of identities, of which no two are of one record.
fn whole(
    identities: &[&Identity],
    previous: &Previous,
    (overrides, depth): (&[Override], Depth),
    settings: &Settings,
) -> (Resolution, Matched) {
    let matched = taken_in(identities, settings).matched(overrides, depth);
    let (prepared, companies, people) = (&matched.prepared, &matched.companies, &matched.people);
    let kept = keep::ids(prepared, &[companies, people], previous);
    let whole = survive::Whole {
        prepared,
        identities,
        settings,
    };
    let employers = survive::employers(prepared, companies, &kept.company_ids);
    let mut resolution = Resolution {
        companies: survive::companies(whole, &companies.clusters, &kept.company_ids),
        people: survive::people(
            whole,
            &people.clusters,
            &kept.person_ids,
            (&matched.users, &employers),
        ),
        retired: kept.retired,
        changes: kept.changes,
        counts: matched.counts(),
        ..Resolution::default()
    };
    for (clustering, ids) in [(companies, &kept.company_ids), (people, &kept.person_ids)] {
        let told = Told {
            identities,
            prepared,
            clustering,
            ids,
        };
        resolution.memberships.extend(told.memberships());
        resolution.evidence.extend(told.evidence());
        resolution.review.extend(told.review());
    }
    resolution
        .memberships
        .par_sort_unstable_by(|a, b| (a.kind, &a.record).cmp(&(b.kind, &b.record)));
    // Both kinds are in this order already.
    resolution
        .review
        .sort_by(|a, b| b.expected_pairs().total_cmp(&a.expected_pairs()));
    (resolution, matched)
}
