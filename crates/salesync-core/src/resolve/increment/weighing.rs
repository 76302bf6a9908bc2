//! One way to weigh people and companies.

use std::collections::BTreeMap;

use super::super::cluster::{self, Clustering, Edge, Scale as _, Wanted};
use super::super::companies;
use super::super::identity::EntityKind;
use super::super::index::{Key, KeyUse, Number, has_users, text_of};
use super::super::keys::{Blocks, KeyKind};
use super::super::learn::Agreement;
use super::super::learnt::Learnt;
use super::super::model::Settings;
use super::super::people;
use super::super::prepared::{PerText, Prepared, Symbol, place};

/// What pairs of records of a kind are weighed with, by what was learnt before.
pub(in super::super) enum Weighing<'a> {
    People(Box<people::Scale<'a>>),
    Companies(Box<companies::Scale<'a>>),
}

impl<'a> Weighing<'a> {
    pub(in super::super) fn new(
        kind: EntityKind,
        prepared: &'a Prepared,
        (settings, learnt): (&'a Settings, &Learnt),
    ) -> Self {
        let model = &settings.model;
        match kind {
            EntityKind::Person => {
                let known = people::Known::recall(prepared, learnt);
                Self::People(Box::new(people::Scale::new(prepared, model, known)))
            }
            EntityKind::Company => {
                let known = companies::Known::recall(prepared, learnt);
                Self::Companies(Box::new(companies::Scale::new(prepared, model, known)))
            }
        }
    }

    /// Returns how much speaks for a pair, in bits.
    pub(in super::super) fn total(&self, left: u32, right: u32) -> Option<f32> {
        match self {
            Self::People(scale) => scale.weigh(left, right).map(|it| scale.total(&it)),
            Self::Companies(scale) => scale.weigh(left, right).map(|it| scale.total(&it)),
        }
    }

    /// Counts who uses the values of some keys.
    pub(in super::super) fn count_users(&mut self, blocks: &Blocks) {
        match self {
            Self::People(scale) => scale.count_users(blocks),
            Self::Companies(scale) => scale.count_users(blocks),
        }
    }

    pub(in super::super) fn users(&self) -> &PerText<u8> {
        match self {
            Self::People(scale) => &scale.users,
            Self::Companies(scale) => &scale.users,
        }
    }

    pub(in super::super) fn set_users(&mut self, value: Symbol, users: u8) {
        match self {
            Self::People(scale) => scale.users.set(value, users),
            Self::Companies(scale) => scale.users.set(value, users),
        }
    }

    /// Takes note of how many use the values of keys and bear names.
    pub(in super::super) fn note_uses(
        &mut self,
        (kind, keys): (EntityKind, &[Key]),
        uses: &BTreeMap<Number, KeyUse>,
    ) {
        for key in keys {
            let Some(used) = uses.get(&key.number).filter(|used| used.records > 1) else {
                continue;
            };
            if has_users(kind, key.kind) {
                self.set_users(text_of(key), used.users);
            } else if key.kind == KeyKind::FullName {
                self.set_bearers(key.index, used.records);
            }
        }
    }

    /// Returns the levels of two records of which something is learnt: of people those of given name, surname, address and
    /// date of birth, of companies those of phone and legal form.
    pub(in super::super) fn levels(&self, left: u32, right: u32) -> Option<Vec<&'static str>> {
        match self {
            Self::People(scale) => scale.levels(left, right).map(Vec::from),
            Self::Companies(scale) => scale.levels(left, right).map(Vec::from),
        }
    }

    /// Returns the bucket of the whole name that two people's records bear, with what agrees beside it.
    pub(in super::super) fn agreements(
        &self,
        left: u32,
        right: u32,
    ) -> Option<(usize, [Agreement; 3])> {
        match self {
            Self::People(scale) => scale.agreements(left, right),
            Self::Companies(_) => None,
        }
    }

    /// Takes note of how many records bear a record's whole name.
    pub(in super::super) fn set_bearers(&mut self, index: u32, bearers: u32) {
        if let Self::People(scale) = self
            && let Some(known) = scale.bearers.get_mut(place(index))
        {
            *known = u16::try_from(bearers).unwrap_or(u16::MAX);
        }
    }

    /// Takes a phone for that of many people.
    pub(in super::super) fn mark_switchboard(&mut self, phone: Symbol) {
        if let Self::People(scale) = self {
            scale.mark_switchboard(phone);
        }
    }

    /// Clusters the records by their pairs: those that speak for joining, and those that nearly do.
    pub(in super::super) fn concluded(
        &self,
        records: (EntityKind, usize),
        edges: (Vec<Edge>, Vec<Edge>),
        wanted: &Wanted<'_>,
    ) -> Clustering {
        match self {
            Self::People(scale) => cluster::concluded(records, edges, wanted, &**scale),
            Self::Companies(scale) => cluster::concluded(records, edges, wanted, &**scale),
        }
    }
}
