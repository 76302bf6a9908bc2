//! Clusters anew what weighed pairs tie together, and tells what came of it.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::super::cluster::{Cluster, Clustering, Depth, Edge, Wanted};
use super::super::entity::EntityId;
use super::super::evidence::Outcome;
use super::super::identity::{EntityKind, Identity, RecordRef};
use super::super::index::{
    IndexChange, IndexReader, IndexedEdge, IndexedRecord, Number, Place, components, has_users,
    number_of, text_key,
};
use super::super::keys::KeyKind;
use super::super::overrides::ByIndex;
use super::super::prepared::{PerText, Prepared, Symbol};
use super::super::survive::{self, Whole};
use super::super::told::Told;
use super::super::{Change, Counts, Previous, Resolution, keep};
use super::ready::Ready;
use super::stage::{Found, Stage};
use super::weighing::Weighing;
use super::{Entities, Increment};
use crate::error::Result;

/// How many use each mailbox, phone or domain, and the company that each organisation is.
pub(in super::super) type Known<'a> = (&'a PerText<u8>, &'a HashMap<Symbol, EntityId>);

/// What came of the records of one kind.
pub(super) struct Part {
    kind: EntityKind,
    resolution: Resolution,
    outdated: BTreeSet<EntityId>,
    index: IndexChange,
    /// The records that were looked at, with the entities they are in now.
    pub(super) entities: Entities,
    /// Those whose entity is another than before, as people's records link to them.
    moved: Vec<String>,
    /// The phones that came on companies' records, or went.
    pub(super) switchboards: BTreeMap<String, bool>,
    appeared: Vec<RecordRef>,
}

impl Part {
    /// Nothing came of it.
    pub(super) fn none(kind: EntityKind) -> Self {
        Self {
            kind,
            resolution: Resolution::default(),
            outdated: BTreeSet::new(),
            index: IndexChange::default(),
            entities: Entities::new(),
            moved: Vec::new(),
            switchboards: BTreeMap::new(),
            appeared: Vec::new(),
        }
    }

    /// Returns the people who belong to companies whose entity is another than before.
    pub(super) async fn staff(&self, reader: &dyn IndexReader) -> Result<BTreeSet<Number>> {
        let keys = self.moved.iter();
        let keys = keys.map(|link| text_key(EntityKind::Person, KeyKind::Organisation, link));
        let keys: Vec<Number> = keys.collect();
        let staff = reader.blocks(&keys).await?;
        Ok(staff.into_iter().map(|(_, record)| record).collect())
    }

    /// Puts it with what came of the records of the other kind.
    pub(super) fn add_to(self, increment: &mut Increment) {
        let (mut part, whole) = (self.resolution, &mut increment.resolution);
        match self.kind {
            EntityKind::Person => whole.people = part.people,
            EntityKind::Company => whole.companies = part.companies,
        }
        whole.memberships.append(&mut part.memberships);
        whole.evidence.append(&mut part.evidence);
        whole.review.append(&mut part.review);
        whole.retired.append(&mut part.retired);
        whole.changes.append(&mut part.changes);
        let (counts, of_part) = (&mut whole.counts, part.counts);
        counts.identities += of_part.identities;
        counts.candidate_pairs += of_part.candidate_pairs;
        counts.refused_merges += of_part.refused_merges;
        counts.contradicting_overrides += of_part.contradicting_overrides;
        increment.outdated.extend(self.outdated);
        increment.appeared.extend(self.appeared);
        let (mut part, whole) = (self.index, &mut increment.index);
        whole.changed.append(&mut part.changed);
        whole.records.append(&mut part.records);
        whole.keys.append(&mut part.keys);
        whole.touched_keys.append(&mut part.touched_keys);
        whole.uses.append(&mut part.uses);
        whole.weighed.append(&mut part.weighed);
        whole.edges.append(&mut part.edges);
        whole.moved.append(&mut part.moved);
        whole.places.append(&mut part.places);
    }
}

/// The records that pairs tie together, one way or another, and those that nearly belong to them.
struct Area {
    /// Where records were, all that are in it or gone from it.
    before: BTreeMap<Number, Place>,
    /// The records whose entities are told anew.
    told: BTreeSet<Number>,
    /// These and those beside them.
    all: BTreeSet<Number>,
    edges: Vec<IndexedEdge>,
}

impl Stage<'_> {
    /// Clusters anew what weighed pairs tie together, and tells what came of it.
    pub(super) async fn answer(
        &mut self,
        mut found: Found,
        refreshed: BTreeSet<Number>,
    ) -> Result<Part> {
        let area = self.area(&found, refreshed).await?;
        self.read(&mut found, area.all.iter().copied()).await?;
        let in_area = |it: &&IndexedRecord| area.all.contains(&it.number);
        let records: Vec<&IndexedRecord> = found.records.values().filter(in_area).collect();
        let ready = self.ready_records(&records).await?;
        let marked = self.switchboards_of(&ready).await?;
        let uses = self.uses(&ready, &found).await?;
        let known = (self.settings, &*self.learnt);
        let weighing = ready.weighing(known, (&uses, marked.into_iter()));
        let clustering = self.clustered(&ready, &weighing, &area);
        let previous = self.previous(&found, &area).await?;
        let employers = match self.kind {
            EntityKind::Person => self.employers(&ready.prepared).await?,
            EntityKind::Company => HashMap::new(),
        };
        let known = (weighing.users(), &employers);
        let clustered = (&ready, &clustering, records.as_slice());
        let mut resolution = self
            .resolution(clustered, previous, (&area.told, known))
            .await?;
        resolution.counts.identities = found.changed.len();
        resolution.counts.candidate_pairs = found.candidate_pairs;
        Ok(self.part(found, (area, resolution), (&ready, &clustering)))
    }

    /// Gives clusters their ids and tells the entities of the records to be told, by how many use each value and which
    /// company each organisation is.
    pub(in super::super) async fn resolution(
        &self,
        (ready, clustering, records): (&Ready, &Clustering, &[&IndexedRecord]),
        previous: Previous,
        (told, known): (&BTreeSet<Number>, Known<'_>),
    ) -> Result<Resolution> {
        let (kept, previous) = self.keep_ids(ready, clustering, previous).await?;
        let identities: Vec<&Identity> = records.iter().map(|it| &it.identity).collect();
        let is_told = |index: u32| told.contains(&ready.number(index));
        let told = Told {
            identities: &identities,
            prepared: &ready.prepared,
            clustering,
            ids: kept.ids(self.kind),
        };
        let mut resolution = self.told(&told, is_told, known);
        let retired = kept.retired.into_iter();
        let retired = retired.filter(|(id, _)| !previous.retired.contains_key(id));
        resolution.retired = retired.collect();
        resolution.changes = kept.changes;
        Ok(resolution)
    }

    /// Tells those entities anew whose records are told.
    fn told(&self, told: &Told<'_>, is_told: impl Fn(u32) -> bool, known: Known<'_>) -> Resolution {
        let first = |cluster: &Cluster| cluster.members.first().map(|member| member.index);
        let clusters = told.clustering.clusters.iter().zip(told.ids);
        let clusters = clusters.filter(|(cluster, _)| first(cluster).is_some_and(&is_told));
        let (clusters, ids): (Vec<Cluster>, Vec<EntityId>) =
            clusters.map(|(cluster, id)| (cluster.clone(), *id)).unzip();
        let alive: BTreeSet<&EntityId> = ids.iter().collect();
        let members = told.memberships();
        let evidence = told.evidence();
        let review = told.review().filter(|review| {
            let ids = [&review.evidence.entity_id, &review.other_entity_id];
            ids.iter().any(|id| alive.contains(*id))
        });
        let edges = told.clustering.edges.iter();
        let refused = edges.filter(|it| it.outcome == Outcome::Refused && is_told(it.left));
        let counts = Counts {
            refused_merges: refused.count(),
            contradicting_overrides: told.clustering.contradicting_overrides,
            ..Counts::default()
        };
        let whole = Whole {
            prepared: told.prepared,
            identities: told.identities,
            settings: self.settings,
        };
        let (people, companies) = match self.kind {
            EntityKind::Person => (survive::people(whole, &clusters, &ids, known), Vec::new()),
            EntityKind::Company => (Vec::new(), survive::companies(whole, &clusters, &ids)),
        };
        Resolution {
            people,
            companies,
            memberships: members.filter(|it| alive.contains(&it.entity_id)).collect(),
            evidence: evidence
                .filter(|it| alive.contains(&it.entity_id))
                .collect(),
            review: review.collect(),
            counts,
            ..Resolution::default()
        }
    }

    /// Finds all records that pairs tie to the weighed ones, and those that nearly belong to them.
    async fn area(&self, found: &Found, refreshed: BTreeSet<Number>) -> Result<Area> {
        let accept = self.settings.model.accept_bits(self.kind);
        let mut seeds = refreshed;
        seeds.extend(&found.weighed);
        let strong = found.edges.iter().filter(|edge| edge.bits >= accept);
        seeds.extend(strong.flat_map(|edge| [edge.left, edge.right]));
        for it in self.overrides.iter().filter(|it| it.kind == self.kind) {
            let pair = [&it.left, &it.right].map(|record| number_of(self.kind, record));
            if pair.iter().any(|record| found.changed.contains(record)) {
                seeds.extend(pair);
            }
        }
        let mut before = self.tied(&seeds).await?;
        let mut told: BTreeSet<Number> = before.keys().copied().collect();
        told.extend(
            found
                .records
                .keys()
                .filter(|it| found.changed.contains(*it)),
        );
        told.retain(|it| !found.changed.contains(it) || found.records.contains_key(it));
        let mut edges = self.edges(found, &told).await?;
        let ends = edges.iter().flat_map(|edge| [edge.left, edge.right]);
        let beside: BTreeSet<Number> = ends.filter(|end| !told.contains(end)).collect();
        let mut all = told.clone();
        if !beside.is_empty() {
            let beside = self.tied(&beside).await?;
            let numbers: BTreeSet<Number> = beside.keys().copied().collect();
            edges.extend(self.edges(found, &numbers).await?);
            all.extend(numbers);
            before.extend(beside);
        }
        edges.sort_by_key(|edge| (edge.left, edge.right));
        edges.dedup_by_key(|edge| (edge.left, edge.right));
        Ok(Area {
            before,
            told,
            all,
            edges,
        })
    }

    /// Returns where all records are that pairs tie to some.
    async fn tied(&self, records: &BTreeSet<Number>) -> Result<BTreeMap<Number, Place>> {
        let records: Vec<Number> = records.iter().copied().collect();
        let places = self.reader.places(&records).await?;
        let components: BTreeSet<Number> = places.iter().map(|place| place.component).collect();
        let components: Vec<Number> = components.into_iter().collect();
        let members = self.reader.members(&components).await?;
        Ok(members
            .into_iter()
            .map(|place| (place.record, place))
            .collect())
    }

    /// Returns the pairs of some records, as they weigh now.
    async fn edges(&self, found: &Found, records: &BTreeSet<Number>) -> Result<Vec<IndexedEdge>> {
        let numbers: Vec<Number> = records.iter().copied().collect();
        let mut edges = self.reader.edges(&numbers).await?;
        let is_weighed = |edge: &IndexedEdge| {
            found.weighed.contains(&edge.left) || found.weighed.contains(&edge.right)
        };
        edges.retain(|edge| !is_weighed(edge));
        let is_one =
            |edge: &&IndexedEdge| records.contains(&edge.left) || records.contains(&edge.right);
        edges.extend(found.edges.iter().filter(is_one));
        Ok(edges)
    }

    /// Returns how the keys of records are used that say how many use a value or bear a name.
    async fn uses(
        &self,
        ready: &Ready,
        found: &Found,
    ) -> Result<BTreeMap<Number, super::super::index::KeyUse>> {
        let mut uses = found.uses.clone();
        let counted = |kind| has_users(self.kind, kind) || kind == KeyKind::FullName;
        let keys = ready.keys().into_iter().filter(|key| counted(key.kind));
        let unknown: BTreeSet<Number> = keys
            .map(|key| key.number)
            .filter(|number| !uses.contains_key(number))
            .collect();
        let unknown: Vec<Number> = unknown.into_iter().collect();
        let read = self.reader.uses(&unknown).await?;
        uses.extend(read.into_iter().map(|used| (used.key, used)));
        Ok(uses)
    }

    fn clustered(&self, ready: &Ready, weighing: &Weighing<'_>, area: &Area) -> Clustering {
        let model = &self.settings.model;
        let accept = model.accept_bits(self.kind);
        let edges = area.edges.iter();
        let edges = edges.filter_map(|edge| Self::edge(ready, edge, accept));
        let (edges, near): (Vec<Edge>, Vec<Edge>) =
            edges.partition(|edge| edge.outcome == Outcome::Joined);
        let wanted = Wanted {
            model,
            decided: ByIndex::of(&ready.prepared, self.kind, self.overrides),
            depth: Depth::Indexed,
        };
        weighing.concluded((self.kind, ready.len()), (edges, near), &wanted)
    }

    /// Returns the last answer about the records of an area.
    async fn previous(&self, found: &Found, area: &Area) -> Result<Previous> {
        let mut previous = Previous::default();
        for (number, place) in &area.before {
            let record = found
                .records
                .get(number)
                .or_else(|| found.before.get(number));
            if let Some(record) = record {
                let record = (self.kind, record.identity.record.clone());
                previous.assignments.insert(record, place.entity_id);
            }
        }
        let ids: BTreeSet<EntityId> = previous.assignments.values().cloned().collect();
        let ids: Vec<EntityId> = ids.into_iter().collect();
        previous.ages = self.reader.ages(&ids).await?;
        Ok(previous)
    }

    /// Gives every cluster an id: none that was ever another's.
    async fn keep_ids(
        &self,
        ready: &Ready,
        clustering: &Clustering,
        mut previous: Previous,
    ) -> Result<(keep::Kept, Previous)> {
        loop {
            let kept = keep::ids(&ready.prepared, &[clustering], &previous);
            let created = kept.changes.iter().filter_map(|change| match change {
                Change::Created(id) => Some(*id),
                _ => None,
            });
            let created: Vec<EntityId> = created.collect();
            let taken = self.reader.ages(&created).await?;
            if taken.is_empty() {
                return Ok((kept, previous));
            }
            previous
                .retired
                .extend(taken.into_keys().map(|id| (id, None)));
        }
    }

    /// Returns the company that each organisation of people is.
    async fn employers(&self, prepared: &Prepared) -> Result<HashMap<Symbol, EntityId>> {
        let mut asked: BTreeMap<Number, Symbol> = BTreeMap::new();
        for organisation in prepared.people().flat_map(|person| person.organisations) {
            let text = prepared.texts.text(*organisation);
            if let Some(record) = Prepared::linked(text) {
                let number = super::super::index::numbered(EntityKind::Company, record);
                asked.insert(number, *organisation);
            }
        }
        let unknown = asked.keys().filter(|it| !self.employers.contains_key(*it));
        let unknown: Vec<Number> = unknown.copied().collect();
        let places = self.reader.places(&unknown).await?;
        let mut employers = HashMap::new();
        for place in places {
            let symbol = asked.get(&place.record);
            employers.extend(symbol.map(|symbol| (*symbol, place.entity_id)));
        }
        for (number, symbol) in asked {
            if let Some(Some(entity)) = self.employers.get(&number) {
                employers.insert(symbol, *entity);
            }
        }
        Ok(employers)
    }

    /// Puts what came of it together.
    fn part(
        &self,
        found: Found,
        (area, resolution): (Area, Resolution),
        (ready, clustering): (&Ready, &Clustering),
    ) -> Part {
        let mut entities = entities_of(self.kind, &resolution);
        let gone = found
            .changed
            .iter()
            .filter(|it| !found.records.contains_key(*it));
        entities.extend(gone.map(|number| (*number, None)));
        let before = |number| area.before.get(number).map(|place| &place.entity_id);
        let moved = entities.iter();
        let moved = moved.filter(|(number, entity)| before(number) != entity.as_ref());
        let record = |number| {
            found
                .records
                .get(number)
                .or_else(|| found.before.get(number))
        };
        let moved = moved.filter_map(|(number, _)| record(number));
        let moved = moved.map(|record| {
            let record = &record.identity.record;
            Prepared::link([&record.source, &record.stream, &record.id])
        });
        let mut index = IndexChange {
            places: places(ready, clustering, &entities),
            moved: entities.keys().copied().collect(),
            weighed: found.weighed.clone(),
            edges: found.edges.clone(),
            touched_keys: found.touched.keys.keys().copied().collect(),
            changed: found.changed.clone(),
            ..IndexChange::default()
        };
        let uses = found.touched.keys.values().map(|key| key.use_after);
        index.uses = uses.filter(|used| used.records > 1).collect();
        let changed = found.records.values();
        let changed = changed.filter(|record| found.changed.contains(&record.number));
        index.records = changed.cloned().collect();
        let mut keys = BTreeSet::new();
        for key in ready.keys() {
            let number = ready.number(key.index);
            if found.changed.contains(&number) {
                keys.insert((key.number, number));
            }
        }
        index.keys = keys.into_iter().collect();
        let told_or_gone = area.before.iter();
        let told_or_gone = told_or_gone
            .filter(|(number, _)| area.told.contains(*number) || found.changed.contains(*number));
        let switchboards = found
            .touched
            .keys
            .values()
            .filter(|key| self.kind == EntityKind::Company && key.kind == KeyKind::Phone);
        let switchboards = switchboards.filter_map(|key| {
            let (before, after) = (key.use_before.records > 0, key.use_after.records > 0);
            (before != after).then(|| (key.text.clone(), after))
        });
        let appeared = index.records.iter();
        let appeared = appeared.filter(|it| !found.before.contains_key(&it.number));
        Part {
            kind: self.kind,
            appeared: appeared.map(|it| it.identity.record.clone()).collect(),
            outdated: told_or_gone.map(|(_, place)| place.entity_id).collect(),
            switchboards: switchboards.collect(),
            moved: moved.collect(),
            resolution,
            index,
            entities,
        }
    }
}

/// Returns the entity of each record that an answer tells.
pub(in super::super) fn entities_of(kind: EntityKind, resolution: &Resolution) -> Entities {
    let members = resolution.memberships.iter();
    let entities = members.map(|it| (number_of(kind, &it.record), Some(it.entity_id)));
    entities.collect()
}

/// Returns where those of the clustered records are that have an entity.
pub(in super::super) fn places(
    ready: &Ready,
    clustering: &Clustering,
    entities: &Entities,
) -> Vec<Place> {
    let components = components(&ready.numbers, &clustering.ties);
    let places = ready.numbers.iter().zip(components);
    let places = places.filter_map(|(record, component)| {
        Some(Place {
            record: *record,
            component,
            entity_id: (*entities.get(record)?)?,
        })
    });
    places.collect()
}
