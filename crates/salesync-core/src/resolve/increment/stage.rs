//! Resolves the changed records of one kind.

use std::collections::{BTreeMap, BTreeSet};

use super::super::cluster::Edge;
use super::super::evidence::Outcome;
use super::super::identity::EntityKind;
use super::super::index::{
    IndexReader, IndexedEdge, IndexedRecord, KeyUse, Number, has_users, kinds_of_keys, number_of,
    text_key, text_of,
};
use super::super::keys::{Blocks, KeyKind, Pairs};
use super::super::learnt::Learnt;
use super::super::model::Settings;
use super::super::overrides::Override;
use super::super::prepared::Symbol;
use super::super::{companies, people};
use super::answer::Part;
use super::ready::{Purpose, Ready, Said};
use super::touched::{Touched, TouchedKey};
use super::weighing::Weighing;
use super::{Changed, Entities};
use crate::error::Result;

/// Where and how the records of a kind are resolved.
pub(in super::super) struct Stage<'a> {
    pub(in super::super) kind: EntityKind,
    pub(in super::super) reader: &'a dyn IndexReader,
    pub(in super::super) settings: &'a Settings,
    pub(in super::super) learnt: &'a mut Learnt,
    pub(in super::super) overrides: &'a [Override],
    /// The entities of company records, where they are not those that are kept.
    pub(in super::super) employers: Entities,
    /// Whether a phone is on a company's record, by its text, where that is known.
    pub(in super::super) switchboards: BTreeMap<String, bool>,
}

/// What a stage has found out so far.
#[derive(Default)]
pub(super) struct Found {
    /// The changed records as they were.
    pub(super) before: BTreeMap<Number, IndexedRecord>,
    /// All records that were looked at, as they are.
    pub(super) records: BTreeMap<Number, IndexedRecord>,
    /// The records that changed or are gone.
    pub(super) changed: BTreeSet<Number>,
    /// Those of them whose names are as they were.
    steady: BTreeSet<Number>,
    /// Those and the records whose pairs are weighed anew with theirs.
    pub(super) weighed: BTreeSet<Number>,
    /// Records that alone have a value whose use changed: they may be told otherwise, but no pair of theirs weighs so.
    alone: BTreeSet<Number>,
    pub(super) touched: Touched,
    /// How keys are used, of those that were looked up.
    pub(super) uses: BTreeMap<Number, KeyUse>,
    /// The pairs of the weighed records.
    pub(super) edges: Vec<IndexedEdge>,
    pub(super) candidate_pairs: usize,
}

/// Returns what a record says, with what was found out about it.
fn said_before(record: &IndexedRecord) -> Said<'_> {
    (&record.identity, Some(&record.derived))
}

impl Stage<'_> {
    /// Resolves changed records. `refreshed` are records whose entities are to be told anew though nothing of theirs
    /// changed, and `recounted` the phones whose users are to be counted anew.
    pub(super) async fn run(
        &mut self,
        changed: Vec<Changed>,
        mut refreshed: BTreeSet<Number>,
        recounted: BTreeSet<String>,
    ) -> Result<Part> {
        let mut found = self.changes(changed).await?;
        if found.changed.is_empty() && refreshed.is_empty() && recounted.is_empty() {
            return Ok(Part::none(self.kind));
        }
        let ready = self.touch(&mut found, &recounted).await?;
        refreshed.append(&mut found.alone);
        self.weigh(&mut found, ready).await?;
        self.answer(found, refreshed).await
    }

    /// Leaves out what did not change after all, and finds the keys of what did.
    async fn changes(&mut self, changed: Vec<Changed>) -> Result<Found> {
        let mut found = Found::default();
        let mut says = BTreeMap::new();
        for it in changed {
            says.insert(number_of(it.kind, &it.record), it.says);
        }
        let numbers: Vec<Number> = says.keys().copied().collect();
        for record in self.reader.records(&numbers).await? {
            found.before.insert(record.number, record);
        }
        says.retain(|number, says| {
            let before = found.before.get(number).map(|record| &record.identity);
            before != says.as_ref()
        });
        found.before.retain(|number, _| says.contains_key(number));
        found.changed = says.keys().copied().collect();
        let says: Vec<(Number, _)> = says.into_iter().collect();
        let said: Vec<Said<'_>> = says
            .iter()
            .filter_map(|(_, says)| Some((says.as_ref()?, None)))
            .collect();
        let after = self.ready(&said, Purpose::Keys).await?;
        let before: Vec<Said<'_>> = found.before.values().map(said_before).collect();
        let before = self.ready(&before, Purpose::Keys).await?;
        found.touched.note_changed(&before, &after);
        found.steady = self.steady(&before, &after);
        let derived = after.prepared.derived();
        let derived = derived.map(|(row, derived)| (row.rank.order, derived));
        let mut derived: BTreeMap<Number, _> = derived.collect();
        for (number, says) in says {
            if let Some(identity) = says {
                let derived = derived.remove(&number).unwrap_or_default();
                let record = IndexedRecord {
                    number,
                    identity,
                    derived,
                };
                found.records.insert(number, record);
            }
        }
        Ok(found)
    }

    /// Makes records ready to be weighed.
    async fn ready(&mut self, said: &[Said<'_>], purpose: Purpose) -> Result<Ready> {
        let known = (self.reader, self.settings, &mut *self.learnt);
        Ready::of((self.kind, purpose), said, known).await
    }

    pub(in super::super) async fn ready_records(
        &mut self,
        records: &[&IndexedRecord],
    ) -> Result<Ready> {
        let said: Vec<Said<'_>> = records.iter().copied().map(said_before).collect();
        self.ready(&said, Purpose::Weighing).await
    }

    /// Reads those of some records that were not read before.
    pub(super) async fn read(
        &self,
        found: &mut Found,
        numbers: impl Iterator<Item = Number>,
    ) -> Result<()> {
        let wanted: BTreeSet<Number> = numbers
            .filter(|it| !found.records.contains_key(it) && !found.changed.contains(it))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let wanted: Vec<Number> = wanted.into_iter().collect();
        let read = self.reader.records(&wanted).await?;
        let read = read.into_iter().map(|record| (record.number, record));
        found.records.extend(read);
        Ok(())
    }

    /// Finds the records that changed ones meet, and those whose pairs weigh otherwise than before. Returns all of them.
    async fn touch(&mut self, found: &mut Found, recounted: &BTreeSet<String>) -> Result<Ready> {
        let cap = self.settings.model.block_cap;
        for phone in recounted {
            let number = text_key(self.kind, KeyKind::Phone, phone);
            found.touched.note(number, (KeyKind::Phone, phone));
        }
        found.touched.read(self.reader, cap).await?;
        self.read(found, found.touched.records().into_iter())
            .await?;
        let ready = self.ready_all(found).await?;
        let marked = self.switchboards_of(&ready).await?;
        let mut weighing = Weighing::new(self.kind, &ready.prepared, (self.settings, self.learnt));
        let keys = ready.keys();
        for kind in kinds_of_keys(self.kind).filter(|kind| has_users(self.kind, *kind)) {
            let mut blocks = Blocks::default();
            for key in keys.iter().filter(|key| key.kind == kind) {
                if found.touched.keys.contains_key(&key.number) {
                    blocks.put(key.value, key.index);
                }
            }
            blocks.sort();
            weighing.count_users(&blocks);
        }
        marked
            .iter()
            .for_each(|phone| weighing.mark_switchboard(*phone));
        let texts = &ready.prepared.texts;
        let users = weighing.users();
        found.touched.note_users(self.kind, |text| {
            texts.find(text).map_or(1, |symbol| users.get(symbol))
        });
        found.weighed.clone_from(&found.changed);
        let recounted: BTreeSet<Number> = recounted
            .iter()
            .map(|phone| text_key(self.kind, KeyKind::Phone, phone))
            .collect();
        for (number, key) in &found.touched.keys {
            let Some(block) = &key.block else {
                continue;
            };
            if key.is_restated(cap) || recounted.contains(number) {
                let records = if block.after.len() > 1 {
                    &mut found.weighed
                } else {
                    &mut found.alone
                };
                records.extend(&block.after);
            }
        }
        self.note_crowds(found, &ready);
        for (number, key) in &found.touched.keys {
            found.uses.insert(*number, key.use_after);
        }
        Ok(ready)
    }

    /// Returns the records that stand among those of their keys where they stood: their names are the same.
    fn steady(&self, before: &Ready, after: &Ready) -> BTreeSet<Number> {
        let is_steady = |number: &Number| {
            let places = before.index(*number).zip(after.index(*number));
            places.is_some_and(|(one, other)| self.spelt(before, one) == self.spelt(after, other))
        };
        before.numbers.iter().copied().filter(is_steady).collect()
    }

    /// Where more records than the cap share a value and a name, which of them meet depends on all of them: on who came
    /// and left, and whose name changed.
    fn note_crowds(&self, found: &mut Found, ready: &Ready) {
        let cap = self.settings.model.block_cap;
        let renamed = |key: &TouchedKey| {
            let stayed = key.removed.intersection(&key.added);
            stayed.filter(|it| !found.steady.contains(it)).count()
        };
        let mut crowds: Vec<Number> = Vec::new();
        for key in found.touched.keys.values() {
            let Some(block) = key.block.as_ref().filter(|block| block.after.len() > cap) else {
                continue;
            };
            let left = key.removed.difference(&key.added).count() + renamed(key);
            let came = key.added.difference(&key.removed).count();
            if left + came == 0 {
                continue;
            }
            let mut named: BTreeMap<(usize, Symbol), Vec<Number>> = BTreeMap::new();
            for record in &block.after {
                let Some(index) = ready.index(*record) else {
                    continue;
                };
                for (part, name) in self.names(ready, index).into_iter().enumerate() {
                    named.entry((part, name)).or_default().push(*record);
                }
            }
            // How many shared a name before is not known; no more than those and all that left.
            let is_crowd = |named: &Vec<Number>| named.len() + left > cap;
            crowds.extend(named.into_values().filter(is_crowd).flatten());
        }
        found.weighed.extend(crowds);
    }

    fn names(&self, ready: &Ready, index: u32) -> [Symbol; 2] {
        match self.kind {
            EntityKind::Person => people::names(&ready.prepared, index),
            EntityKind::Company => companies::names(&ready.prepared, index),
        }
    }

    fn spelt<'a>(&self, ready: &'a Ready, index: u32) -> [&'a str; 2] {
        self.names(ready, index)
            .map(|name| ready.prepared.texts.text(name))
    }

    async fn ready_all(&mut self, found: &Found) -> Result<Ready> {
        let records: Vec<&IndexedRecord> = found.records.values().collect();
        self.ready_records(&records).await
    }

    /// Returns the phones that are on companies' records.
    pub(super) async fn switchboards_of(&mut self, ready: &Ready) -> Result<Vec<Symbol>> {
        if self.kind != EntityKind::Person {
            return Ok(Vec::new());
        }
        let texts = &ready.prepared.texts;
        let people = ready.prepared.people();
        let phones: BTreeSet<Symbol> = people.flat_map(|it| it.phones.iter().copied()).collect();
        let mut unknown: BTreeMap<Number, &str> = BTreeMap::new();
        for phone in phones.iter().map(|phone| texts.text(*phone)) {
            if !self.switchboards.contains_key(phone) {
                let number = text_key(EntityKind::Company, KeyKind::Phone, phone);
                unknown.insert(number, phone);
            }
        }
        let numbers: Vec<Number> = unknown.keys().copied().collect();
        let found = self.reader.blocks(&numbers).await?;
        let found: BTreeSet<Number> = found.into_iter().map(|(number, _)| number).collect();
        for (number, phone) in unknown {
            self.switchboards
                .insert(phone.to_owned(), found.contains(&number));
        }
        let is_one = |phone: &Symbol| self.switchboards.get(texts.text(*phone)) == Some(&true);
        Ok(phones.into_iter().filter(is_one).collect())
    }

    /// Weighs the pairs in which changed records are, and those that weigh otherwise than before.
    async fn weigh(&mut self, found: &mut Found, ready: Ready) -> Result<()> {
        let cap = self.settings.model.block_cap;
        let mut others = Touched::default();
        for key in ready.keys() {
            let number = ready.number(key.index);
            let is_other = found.weighed.contains(&number)
                && key.kind.lets_meet()
                && !found.touched.keys.contains_key(&key.number);
            if is_other {
                let text = ready.prepared.texts.text(text_of(&key));
                others.note(key.number, (key.kind, text));
            }
        }
        others.read(self.reader, cap).await?;
        self.read(found, others.records().into_iter()).await?;
        for (number, key) in &others.keys {
            let used = KeyUse {
                records: key.use_after.records,
                ..key.use_before
            };
            found.uses.insert(*number, used);
        }
        let ready = if found.records.len() > ready.len() {
            self.ready_all(found).await?
        } else {
            ready
        };
        let mut weighing = Weighing::new(self.kind, &ready.prepared, (self.settings, self.learnt));
        let keys = ready.keys();
        weighing.note_uses((self.kind, &keys), &found.uses);
        let model = &self.settings.model;
        let mut met = Pairs::new(model.block_cap, model.block_window);
        for kind in kinds_of_keys(self.kind).filter(|kind| kind.lets_meet()) {
            let mut blocks = Blocks::default();
            for key in keys.iter().filter(|key| key.kind == kind) {
                let touched = found.touched.keys.get(&key.number);
                let touched = touched.or_else(|| others.keys.get(&key.number));
                if touched.is_some_and(|touched| touched.block.is_some()) {
                    blocks.put(key.value, key.index);
                }
            }
            blocks.sort();
            met.meet(kind, &blocks, |index| self.names(&ready, index));
        }
        let mut met = met.into_sorted();
        let is_weighed = |index| found.weighed.contains(&ready.number(index));
        met.retain(|left, right| is_weighed(left) || is_weighed(right));
        let least = model.accept_bits(self.kind) - model.review_range;
        for (left, right, met_by) in met.iter() {
            let bits = weighing.total(left, right);
            found
                .edges
                .extend(bits.filter(|bits| *bits >= least).map(|bits| IndexedEdge {
                    left: ready.number(left),
                    right: ready.number(right),
                    met_by,
                    bits,
                }));
        }
        found.candidate_pairs = met.len();
        Ok(())
    }

    /// Returns a kept pair as one of some records that are ready.
    pub(in super::super) fn edge(ready: &Ready, edge: &IndexedEdge, accept: f32) -> Option<Edge> {
        let (one, other) = (ready.index(edge.left)?, ready.index(edge.right)?);
        Some(Edge {
            left: one.min(other),
            right: one.max(other),
            key: edge.met_by,
            outcome: if edge.bits >= accept {
                Outcome::Joined
            } else {
                Outcome::NearMiss
            },
            total: edge.bits,
        })
    }
}
