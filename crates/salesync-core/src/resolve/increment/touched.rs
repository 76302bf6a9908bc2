//! The keys that changed records have or had, and who is under them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::identity::EntityKind;
use super::super::index::{IndexReader, KeyUse, Number, has_users};
use super::super::keys::KeyKind;
use super::super::learn;
use super::ready::Ready;
use crate::error::Result;

/// A key with its records.
#[derive(Debug, Clone)]
pub(super) struct TouchedKey {
    pub(super) kind: KeyKind,
    /// The text that it is, where it is one.
    pub(super) text: String,
    pub(super) removed: BTreeSet<Number>,
    pub(super) added: BTreeSet<Number>,
    /// Its records before and after the change; nothing where these are too many to meet.
    pub(super) block: Option<Block>,
    pub(super) use_before: KeyUse,
    pub(super) use_after: KeyUse,
}

/// The records under a key.
#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    pub(super) before: BTreeSet<Number>,
    pub(super) after: BTreeSet<Number>,
}

/// Keys by number.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) keys: BTreeMap<Number, TouchedKey>,
}

impl Touched {
    /// Notes a key without saying who has it.
    pub(super) fn note(
        &mut self,
        number: Number,
        (kind, text): (KeyKind, &str),
    ) -> &mut TouchedKey {
        let unused = KeyUse {
            key: number,
            records: 0,
            users: 1,
        };
        self.keys.entry(number).or_insert_with(|| TouchedKey {
            kind,
            text: text.to_owned(),
            removed: BTreeSet::new(),
            added: BTreeSet::new(),
            block: None,
            use_before: unused,
            use_after: unused,
        })
    }

    /// Notes the keys by which records met before they changed, and those by which they meet now.
    pub(super) fn note_changed(&mut self, before: &Ready, after: &Ready) {
        for (ready, is_after) in [(before, false), (after, true)] {
            for key in ready.keys() {
                if !key.kind.lets_meet() {
                    continue;
                }
                let text = ready
                    .prepared
                    .texts
                    .text(super::super::index::text_of(&key));
                let touched = self.note(key.number, (key.kind, text));
                let records = if is_after {
                    &mut touched.added
                } else {
                    &mut touched.removed
                };
                records.insert(ready.number(key.index));
            }
        }
    }

    /// Reads who is under the keys, unless that is too many for anybody to meet.
    pub(super) async fn read(&mut self, reader: &dyn IndexReader, cap: usize) -> Result<()> {
        let numbers: Vec<Number> = self.keys.keys().copied().collect();
        for found in reader.uses(&numbers).await? {
            if let Some(key) = self.keys.get_mut(&found.key) {
                key.use_before = found;
            }
        }
        for key in self.keys.values_mut() {
            key.use_after.records = key.records_after();
        }
        let wanted = self
            .keys
            .iter()
            .filter(|(_, key)| key.is_worth_reading(cap));
        let wanted: Vec<Number> = wanted.map(|(number, _)| *number).collect();
        for number in &wanted {
            if let Some(key) = self.keys.get_mut(number) {
                key.block = Some(Block::default());
            }
        }
        for (number, record) in reader.blocks(&wanted).await? {
            let key = self.keys.get_mut(&number);
            if let Some(block) = key.and_then(|key| key.block.as_mut()) {
                block.before.insert(record);
            }
        }
        for key in self.keys.values_mut() {
            let Some(block) = &mut key.block else {
                continue;
            };
            block.after = block.before.difference(&key.removed).copied().collect();
            block.after.extend(key.added.iter().copied());
            key.use_before.records = super::super::frequency::count_of(block.before.len());
            key.use_after.records = super::super::frequency::count_of(block.after.len());
        }
        Ok(())
    }

    /// Returns all records that are under keys now.
    pub(super) fn records(&self) -> BTreeSet<Number> {
        let blocks = self.keys.values().filter_map(|key| key.block.as_ref());
        blocks
            .flat_map(|block| block.after.iter().copied())
            .collect()
    }

    /// Takes note of how many use the keys now.
    pub(super) fn note_users(&mut self, entity: EntityKind, users: impl Fn(&str) -> u8) {
        for key in self.keys.values_mut() {
            if has_users(entity, key.kind) && key.use_after.records > 1 {
                key.use_after.users = users(&key.text).max(1);
            }
        }
    }
}

impl TouchedKey {
    fn records_after(&self) -> u32 {
        let count = |records: &BTreeSet<Number>| super::super::frequency::count_of(records.len());
        let rest = self.use_before.records.saturating_sub(count(&self.removed));
        rest + count(&self.added)
    }

    /// Says whether its records meet, or do not because they are too many, otherwise than before, or their pairs weigh
    /// otherwise.
    pub(super) fn is_restated(&self, cap: usize) -> bool {
        self.state(&self.use_before, cap) != self.state(&self.use_after, cap)
    }

    /// Says whether the records under it meet, or met.
    fn is_worth_reading(&self, cap: usize) -> bool {
        let states = [&self.use_before, &self.use_after].map(|used| self.state(used, cap));
        let [before, after] = states;
        !self.kind.is_of_names() || !before.0 || !after.0 || before != after
    }

    /// Returns what the weight of a pair under the key depends on: whether there are too many records for all to meet, how
    /// many bear the name, of whole names, and how many use the value.
    fn state(&self, used: &KeyUse, cap: usize) -> (bool, usize, u8) {
        let records = usize::try_from(used.records).unwrap_or(usize::MAX);
        let bearers = match self.kind {
            KeyKind::FullName => learn::size_class(used.records),
            _ => 0,
        };
        (records > self.kind.cap(cap), bearers, used.users)
    }
}
