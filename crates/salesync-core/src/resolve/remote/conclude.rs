//! Clusters what pairs tie together, one part of all records after another.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::super::cluster::{Clustering, Depth, Edge, Wanted};
use super::super::entity::EntityId;
use super::super::evidence::{Outcome, Review};
use super::super::identity::{EntityKind, RecordRef};
use super::super::increment::answer::{entities_of, places};
use super::super::increment::ready::Ready;
use super::super::increment::stage::Stage;
use super::super::index::{IndexReader, IndexedEdge, IndexedRecord, KeyUse, Number, Place};
use super::super::learnt::{Fact, Learnt};
use super::super::model::Settings;
use super::super::overrides::{ByIndex, Override};
use super::super::prepared::{Symbol, place};
use super::super::{Change, Previous, Resolution};
use super::unread::Unread;
use crate::error::Result;

/// Some of all records of a kind: all that pairs tie to any of them, and all that were one entity with any.
#[derive(Debug, Default)]
pub struct Part {
    /// The records, and those that nearly are one with some of them.
    pub records: Vec<IndexedRecord>,
    /// Those of them whose entities this part tells.
    pub told: BTreeSet<Number>,
    /// Their pairs.
    pub edges: Vec<IndexedEdge>,
    /// How their keys are used.
    pub uses: Vec<KeyUse>,
    /// What was learnt of what they say.
    pub facts: Vec<Fact>,
    /// Their phones that are on companies' records.
    pub switchboards: BTreeSet<String>,
    /// The companies that their organisations are, by the text that names each.
    pub employers: BTreeMap<String, EntityId>,
    /// The last answer about them.
    pub previous: Previous,
    /// Those of the ids that would be the records' own that were in use before, with when they were created.
    pub taken: BTreeMap<EntityId, u64>,
}

/// What came of a part.
#[derive(Debug, Default)]
pub struct Concluded {
    /// The entities that it tells.
    pub resolution: Resolution,
    /// Where the records are that it tells.
    pub places: Vec<Place>,
    /// The first record of each one's entity.
    pub firsts: Vec<(Number, Number)>,
}

/// Clusters the records of a part. `reader` is asked for nothing but when ids were created that are not the records' own.
///
/// # Errors
/// What the reader says.
pub async fn conclude(
    kind: EntityKind,
    mut part: Part,
    (settings, learnt): (&Settings, &Learnt),
    (overrides, reader): (&[Override], &dyn IndexReader),
) -> Result<Concluded> {
    let mut learnt = learnt.clone();
    let beside = part.entities_beside(kind);
    let (facts, previous) = (
        std::mem::take(&mut part.facts),
        std::mem::take(&mut part.previous),
    );
    facts.into_iter().for_each(|fact| learnt.add(fact));
    let firsts = part.records.iter().map(|it| {
        let RecordRef { source, stream, id } = &it.identity.record;
        EntityId::mint(kind, [source, stream, id], 0)
    });
    let reader = Unread {
        reader: Some(reader),
        asked: firsts.collect(),
        given: std::mem::take(&mut part.taken),
    };
    let mut stage = Stage {
        kind,
        reader: &reader,
        settings,
        learnt: &mut learnt,
        overrides,
        employers: BTreeMap::new(),
        switchboards: BTreeMap::new(),
    };
    let records: Vec<&IndexedRecord> = part.records.iter().collect();
    let ready = stage.ready_records(&records).await?;
    let texts = &ready.prepared.texts;
    let uses = part.uses.iter().map(|used| (used.key, *used)).collect();
    let phones = part.switchboards.iter();
    let phones = phones.filter_map(|phone| texts.find(phone));
    let weighing = ready.weighing((settings, stage.learnt), (&uses, phones));
    let wanted = Wanted {
        model: &settings.model,
        decided: ByIndex::of(&ready.prepared, kind, overrides),
        depth: Depth::Indexed,
    };
    let edges = part.edges(&ready, settings.model.accept_bits(kind));
    let clustering = weighing.concluded((kind, ready.len()), edges, &wanted);
    let employers = part.employers.iter();
    let employers: HashMap<Symbol, EntityId> = employers
        .filter_map(|(text, id)| Some((texts.find(text)?, *id)))
        .collect();
    let clustered = (&ready, &clustering, records.as_slice());
    let told = (&part.told, (weighing.users(), &employers));
    let mut resolution = stage.resolution(clustered, previous, told).await?;
    let members = resolution.memberships.iter();
    let alive: BTreeSet<EntityId> = members.map(|it| it.entity_id).collect();
    // Of two entities that might be one, the one that the pair is told under tells it.
    let is_ours = |it: &Review| alive.contains(&it.evidence.entity_id);
    resolution.review.retain(is_ours);
    resolution.changes.retain(|change| match change {
        Change::Created(id) => alive.contains(id),
        Change::Merged(id, _) | Change::Split(id, _) | Change::Gone(id) => !beside.contains(id),
    });
    resolution.counts.identities = part.told.len();
    resolution.counts.contradicting_overrides = part.contradicting(&ready, &clustering, &wanted);
    Ok(Concluded {
        places: places(&ready, &clustering, &entities_of(kind, &resolution)),
        firsts: part.firsts(&ready, &clustering),
        resolution,
    })
}

impl Part {
    /// Returns the entities, as of the last answer, of those records that this part does not tell.
    fn entities_beside(&self, kind: EntityKind) -> BTreeSet<EntityId> {
        let beside = self.records.iter();
        let beside = beside.filter(|it| !self.told.contains(&it.number));
        let before = &self.previous.assignments;
        let entities = beside.filter_map(|it| before.get(&(kind, it.identity.record.clone())));
        entities.cloned().collect()
    }

    /// Returns the pairs that speak for being one, and those that nearly do; in the order in which all pairs are met, so
    /// that what is told does not depend on who brought them.
    fn edges(&self, ready: &Ready, accept: f32) -> (Vec<Edge>, Vec<Edge>) {
        let edges = self.edges.iter();
        let edges = edges.filter_map(|edge| Stage::edge(ready, edge, accept));
        let mut edges: Vec<Edge> = edges.collect();
        edges.sort_unstable_by_key(|edge| (edge.left, edge.right));
        let is_joined = |edge: &Edge| edge.outcome == Outcome::Joined;
        edges.into_iter().partition(is_joined)
    }

    /// Counts the decisions about this part's own records to join them that could not hold.
    fn contradicting(&self, ready: &Ready, clustering: &Clustering, wanted: &Wanted<'_>) -> usize {
        let cluster = |index: u32| clustering.cluster_of.get(place(index));
        let always = wanted.decided.always.iter();
        let always = always.filter(|(left, _)| self.told.contains(&ready.number(*left)));
        let apart = always.filter(|(left, right)| cluster(*left) != cluster(*right));
        apart.count()
    }

    /// Returns the first record of the entity of each record that is told.
    fn firsts(&self, ready: &Ready, clustering: &Clustering) -> Vec<(Number, Number)> {
        let firsts = clustering.clusters.iter().flat_map(|cluster| {
            let first = cluster.members.first().map(|member| member.index);
            let members = cluster.members.iter();
            members.filter_map(move |member| Some((member.index, first?)))
        });
        let firsts = firsts.map(|(one, first)| (ready.number(one), ready.number(first)));
        let firsts = firsts.filter(|(record, _)| self.told.contains(record));
        firsts.collect()
    }
}
