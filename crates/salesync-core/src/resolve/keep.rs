//! Lets clusters keep the ids that their records had.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::cluster::{Cluster, Clustering};
use super::entity::EntityId;
use super::identity::EntityKind;
use super::prepared::{Prepared, place};
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
    let mut used: HashSet<EntityId> = previous
        .assignments
        .values()
        .chain(previous.retired.keys())
        .cloned()
        .collect();
    for clustering in clusterings {
        let overlaps = overlaps(prepared, clustering, previous);
        let mut ids = taken_over(clustering.clusters.len(), &overlaps, previous);
        for (cluster, id) in clustering.clusters.iter().zip(&mut ids) {
            if id.is_none() {
                *id = first_record(prepared, clustering.kind, cluster).and_then(|record| {
                    let mut minted =
                        (0..).map(|turn| EntityId::mint(clustering.kind, record, turn));
                    minted.find(|id| !used.contains(id))
                });
                used.extend(id.clone());
                kept.changes.extend(id.clone().map(Change::Created));
            }
        }
        let ids: Vec<EntityId> = ids.into_iter().flatten().collect();
        retire(&mut kept, &ids, &overlaps, (clustering.kind, previous));
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

/// How many records of an earlier entity are in a cluster.
type Overlaps<'a> = HashMap<(&'a EntityId, usize), usize>;

/// Counts the records that earlier entities and clusters have in common.
fn overlaps<'a>(
    prepared: &Prepared,
    clustering: &Clustering,
    previous: &'a Previous,
) -> Overlaps<'a> {
    let mut overlaps = Overlaps::new();
    if previous.assignments.is_empty() {
        return overlaps;
    }
    let of_kind = previous.assignments.iter();
    let of_kind = of_kind.filter(|((kind, _), _)| *kind == clustering.kind);
    let earlier: HashMap<[&str; 3], &EntityId> = of_kind
        .map(|((_, record), id)| ([&*record.source, &*record.stream, &*record.id], id))
        .collect();
    for (index, cluster) in clustering.cluster_of.iter().enumerate() {
        let arrival = prepared.arrival(clustering.kind, index);
        let record = arrival.and_then(|arrival| prepared.named(arrival));
        if let Some(id) = record.and_then(|record| earlier.get(&record)) {
            *overlaps.entry((id, place(*cluster))).or_default() += 1;
        }
    }
    overlaps
}

/// Lets clusters take over ids, the largest overlap first, of equals the oldest id, then the smallest.
fn taken_over(count: usize, overlaps: &Overlaps<'_>, previous: &Previous) -> Vec<Option<EntityId>> {
    let age = |id| previous.ages.get(id).copied();
    let mut ranked: Vec<_> = overlaps
        .iter()
        .map(|((id, cluster), count)| (std::cmp::Reverse(*count), age(*id), *id, *cluster))
        .collect();
    ranked.sort_unstable();
    let mut ids = vec![None; count];
    let mut given = HashSet::new();
    for (_, _, id, cluster) in ranked {
        if let Some(place) = ids.get_mut(cluster)
            && place.is_none()
            && given.insert(id)
        {
            *place = Some(id.clone());
        }
    }
    ids
}

/// Retires the earlier ids that no cluster took over, and says where records went.
fn retire(
    kept: &mut Kept,
    ids: &[EntityId],
    overlaps: &Overlaps<'_>,
    (kind, previous): (EntityKind, &Previous),
) {
    if previous.assignments.is_empty() {
        return;
    }
    let alive: HashSet<&EntityId> = ids.iter().collect();
    let mut places: HashMap<&EntityId, Vec<(usize, usize)>> = HashMap::new();
    for ((id, cluster), count) in overlaps {
        places.entry(id).or_default().push((*count, *cluster));
    }
    let earlier: HashSet<&EntityId> = previous
        .assignments
        .values()
        .filter(|id| id.kind() == kind)
        .collect();
    for id in earlier {
        let mut found = places.remove(id).unwrap_or_default();
        found.sort_unstable_by_key(|(count, cluster)| (std::cmp::Reverse(*count), *cluster));
        let mut successors = found.iter().filter_map(|(_, cluster)| ids.get(*cluster));
        if alive.contains(id) {
            let elsewhere = successors.filter(|other| *other != id);
            kept.changes
                .extend(elsewhere.map(|other| Change::Split(id.clone(), other.clone())));
            continue;
        }
        let successor = successors.next().cloned();
        kept.changes.push(match &successor {
            Some(successor) => Change::Merged(id.clone(), successor.clone()),
            None => Change::Gone(id.clone()),
        });
        kept.retired.insert(id.clone(), successor);
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
