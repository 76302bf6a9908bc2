//! Lets clusters keep the ids that their records had.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::cluster::{Cluster, Clustering};
use super::entity::EntityId;
use super::identity::EntityKind;
use super::index::{Number, numbered_in, numbers};
use super::prepared::{Prepared, number, place};
use super::{Change, Previous};

/// The ids of all clusters and what became of the others.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// One id for each company cluster.
    pub(super) company_ids: Vec<EntityId>,
    /// One id for each cluster of people.
    pub(super) person_ids: Vec<EntityId>,
    pub(super) retired: BTreeMap<EntityId, Option<EntityId>>,
    pub(super) changes: Vec<Change>,
}

impl Kept {
    /// Returns one id for each cluster of a kind.
    pub(super) fn ids(&self, kind: EntityKind) -> &[EntityId] {
        match kind {
            EntityKind::Company => &self.company_ids,
            EntityKind::Person => &self.person_ids,
        }
    }
}

/// Gives every cluster an id: the one that most of its records had, else a new one. No id is given twice, and
/// none that was ever in use is given to another entity.
pub(super) fn ids(prepared: &Prepared, clusterings: &[&Clustering], previous: &Previous) -> Kept {
    let mut kept = Kept {
        retired: previous.retired.clone(),
        ..Kept::default()
    };
    let earlier = Earlier::of(previous);
    let mut minted: HashSet<EntityId> = HashSet::new();
    for clustering in clusterings {
        let overlaps = earlier.overlaps(prepared, clustering);
        let taken = earlier.taken_over(clustering.clusters.len(), &overlaps);
        let mut ids = Vec::with_capacity(taken.len());
        for (cluster, taken) in clustering.clusters.iter().zip(&taken) {
            if let Some(entity) = taken {
                ids.extend(earlier.id(*entity));
                continue;
            }
            let is_free = |id: &EntityId| {
                !earlier.has(id) && !previous.retired.contains_key(id) && !minted.contains(id)
            };
            let record = first_record(prepared, clustering.kind, cluster);
            let id = record.and_then(|record| {
                let mut turns = (0..).map(|turn| EntityId::mint(clustering.kind, record, turn));
                turns.find(is_free)
            });
            minted.extend(id);
            kept.changes.extend(id.map(Change::Created));
            ids.extend(id);
        }
        earlier.retire(&mut kept, (clustering.kind, &ids), (&taken, &overlaps));
        match clustering.kind {
            EntityKind::Company => kept.company_ids = ids,
            EntityKind::Person => kept.person_ids = ids,
        }
    }
    follow_successors(&mut kept.retired);
    kept.changes.sort_unstable();
    kept
}

/// Returns the id that every cluster gets where no id was ever given.
pub(super) fn first_ids(prepared: &Prepared, clustering: &Clustering) -> Vec<EntityId> {
    let clusters = clustering.clusters.par_iter();
    let records = clusters.filter_map(|it| first_record(prepared, clustering.kind, it));
    records
        .map(|record| EntityId::mint(clustering.kind, record, 0))
        .collect()
}

/// Returns the source, stream and id of a cluster's first record.
fn first_record<'a>(
    prepared: &'a Prepared,
    kind: EntityKind,
    cluster: &Cluster,
) -> Option<[&'a str; 3]> {
    let first = cluster.members.first()?;
    prepared.named(prepared.arrival(kind, place(first.index))?)
}

/// The entities of the last answer, in the order of their ids, each with when it was created.
struct Earlier {
    entities: Vec<(EntityId, Option<u64>)>,
    /// In which of them each record was. Numbers tell records apart here as they do in the index.
    entity_of: HashMap<Number, u32>,
}

/// How many records an earlier entity and a cluster have in common.
struct Overlap {
    entity: u32,
    cluster: u32,
    record_count: usize,
}

impl Earlier {
    fn of(previous: &Previous) -> Self {
        let mut ids: Vec<EntityId> = previous.assignments.values().copied().collect();
        ids.par_sort_unstable();
        ids.dedup();
        let mut line = String::new();
        let assigned = previous.assignments.iter();
        let entity_of = assigned.filter_map(|((kind, record), id)| {
            let record = [&*record.source, &*record.stream, &*record.id];
            let entity = number(ids.binary_search(id).ok()?);
            Some((numbered_in(&mut line, *kind, record), entity))
        });
        Self {
            entity_of: entity_of.collect(),
            entities: ids
                .iter()
                .map(|id| (*id, previous.ages.get(id).copied()))
                .collect(),
        }
    }

    fn id(&self, entity: u32) -> Option<EntityId> {
        self.entities.get(place(entity)).map(|(id, _)| *id)
    }

    fn has(&self, id: &EntityId) -> bool {
        self.entities
            .binary_search_by_key(id, |(id, _)| *id)
            .is_ok()
    }

    /// Counts the records that earlier entities and clusters have in common, in their order.
    fn overlaps(&self, prepared: &Prepared, clustering: &Clustering) -> Vec<Overlap> {
        if self.entities.is_empty() {
            return Vec::new();
        }
        let numbers = numbers(prepared, clustering.kind);
        let records = numbers.iter().zip(&clustering.cluster_of);
        let common =
            records.filter_map(|(record, cluster)| Some((*self.entity_of.get(record)?, *cluster)));
        let mut common: Vec<(u32, u32)> = common.collect();
        common.par_sort_unstable();
        let same = common.chunk_by(|one, other| one == other);
        let counted = same.filter_map(|same| {
            let (entity, cluster) = *same.first()?;
            Some(Overlap {
                entity,
                cluster,
                record_count: same.len(),
            })
        });
        counted.collect()
    }

    /// Lets clusters take over ids, the largest overlap first, of equals the oldest id, then the smallest.
    fn taken_over(&self, count: usize, overlaps: &[Overlap]) -> Vec<Option<u32>> {
        let age = |entity: u32| self.entities.get(place(entity)).and_then(|(_, age)| *age);
        let ranked = overlaps.iter().map(|it| {
            let by_size = Reverse(it.record_count);
            (by_size, age(it.entity), it.entity, it.cluster)
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.par_sort_unstable();
        let mut taken = vec![None; count];
        let mut is_given = vec![false; self.entities.len()];
        for (_, _, entity, cluster) in ranked {
            if let Some(taken) = taken.get_mut(place(cluster))
                && let Some(is_given) = is_given.get_mut(place(entity))
                && taken.is_none()
                && !*is_given
            {
                (*taken, *is_given) = (Some(entity), true);
            }
        }
        taken
    }

    /// Retires the earlier ids of a kind that no cluster took over, and says where records went.
    fn retire(
        &self,
        kept: &mut Kept,
        (kind, ids): (EntityKind, &[EntityId]),
        (taken, overlaps): (&[Option<u32>], &[Overlap]),
    ) {
        let mut is_alive = vec![false; self.entities.len()];
        for entity in taken.iter().flatten() {
            if let Some(is_alive) = is_alive.get_mut(place(*entity)) {
                *is_alive = true;
            }
        }
        let mut rest = overlaps;
        for (entity, ((id, _), is_alive)) in (0..).zip(self.entities.iter().zip(is_alive)) {
            let (own, others) = rest.split_at(rest.partition_point(|it| it.entity <= entity));
            rest = others;
            if id.kind() != kind {
                continue;
            }
            let mut own: Vec<&Overlap> = own.iter().collect();
            own.sort_unstable_by_key(|it| (Reverse(it.record_count), it.cluster));
            let mut successors = own.iter().filter_map(|it| ids.get(place(it.cluster)));
            if is_alive {
                let elsewhere = successors.filter(|other| *other != id);
                kept.changes
                    .extend(elsewhere.map(|other| Change::Split(*id, *other)));
                continue;
            }
            let successor = successors.next().copied();
            kept.changes.push(match successor {
                Some(successor) => Change::Merged(*id, successor),
                None => Change::Gone(*id),
            });
            kept.retired.insert(*id, successor);
        }
    }
}

/// Points every retired id to one that is in use, past ids that were retired since.
fn follow_successors(retired: &mut BTreeMap<EntityId, Option<EntityId>>) {
    let before = retired.clone();
    for successor in retired.values_mut() {
        let mut steps = 0;
        while let Some(next) = successor.as_ref().and_then(|id| before.get(id)) {
            successor.clone_from(next);
            steps += 1;
            if steps > before.len() {
                break; // an earlier answer that goes in a circle is not ours; it must not hang us
            }
        }
    }
}
