//! Records made ready to be weighed, by what was learnt before.

use std::collections::{BTreeMap, HashSet};

use super::super::derived::Derived;
use super::super::identity::{EntityKind, Identity};
use super::super::index::{IndexReader, Key, KeyUse, Number, each_key};
use super::super::learnt::{FactField, Learnt};
use super::super::model::Settings;
use super::super::prepare::Preparation;
use super::super::prepared::{Person, PersonRow, Prepared, Symbol, place};
use super::super::{companies, index, naming, organisation};
use super::weighing::Weighing;
use crate::error::Result;

/// A record to be made ready, with what was found out about it, if that holds.
pub(in super::super) type Said<'a> = (&'a Identity, Option<&'a Derived>);

/// What records are made ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Purpose {
    /// To tell their keys.
    Keys,
    /// To be weighed as well.
    Weighing,
}

/// Records of a kind, in their order.
pub(in super::super) struct Ready {
    pub(in super::super) kind: EntityKind,
    pub(in super::super) prepared: Prepared,
    /// By index.
    pub(in super::super) numbers: Vec<Number>,
    index_of: BTreeMap<Number, u32>,
}

impl Ready {
    /// Makes records of a kind ready.
    pub(in super::super) async fn of(
        (kind, purpose): (EntityKind, Purpose),
        said: &[Said<'_>],
        (reader, settings, learnt): (&dyn IndexReader, &Settings, &mut Learnt),
    ) -> Result<Self> {
        let mut preparation = Preparation::new(settings.default_country.clone());
        said.iter()
            .for_each(|(identity, _)| preparation.add(&identity.said()));
        let mut prepared = preparation.raw();
        let known = |arrival: u32| said.get(place(arrival)).and_then(|(_, derived)| *derived);
        if kind == EntityKind::Person {
            let new = prepared
                .people
                .iter()
                .filter(|row| known(row.rank.arrival).is_none());
            let asked = new.flat_map(|row| facts_about(&prepared, row));
            let asked: HashSet<Number> = asked.map(|(field, text)| field.place_of(text)).collect();
            recall(reader, learnt, asked).await?;
            naming::recall(&mut prepared, learnt, known);
            organisation::recall(&mut prepared, learnt, |arrival| {
                known(arrival).map(|known| known.organisations.as_slice())
            });
        }
        if purpose == Purpose::Weighing {
            recall(reader, learnt, rarities(&prepared)).await?;
        }
        Ok(Self::sorted(kind, prepared, learnt))
    }

    /// Brings records of a kind that are ready but for that into their order, and lends companies what they lack.
    pub(in super::super) fn sorted(
        kind: EntityKind,
        mut prepared: Prepared,
        learnt: &Learnt,
    ) -> Self {
        companies::recall_lent(&mut prepared, learnt);
        prepared.sort();
        let numbers = index::numbers(&prepared, kind);
        let index_of = numbers.iter().copied().zip(0..).collect();
        Self {
            kind,
            prepared,
            numbers,
            index_of,
        }
    }

    /// Returns what the records are weighed with where it is known how their keys are used, and which phones are those of
    /// many.
    pub(in super::super) fn weighing<'a>(
        &'a self,
        known: (&'a Settings, &Learnt),
        (uses, switchboards): (&BTreeMap<Number, KeyUse>, impl Iterator<Item = Symbol>),
    ) -> Weighing<'a> {
        let mut weighing = Weighing::new(self.kind, &self.prepared, known);
        weighing.note_uses((self.kind, &self.keys()), uses);
        switchboards.for_each(|phone| weighing.mark_switchboard(phone));
        weighing
    }

    pub(in super::super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Returns the number of a record by its index.
    pub(in super::super) fn number(&self, index: u32) -> Number {
        self.numbers.get(place(index)).copied().unwrap_or_default()
    }

    /// Returns the index of a record by its number.
    pub(in super::super) fn index(&self, number: Number) -> Option<u32> {
        self.index_of.get(&number).copied()
    }

    /// Returns all keys of the records.
    pub(in super::super) fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        each_key(&self.prepared, self.kind, |key| keys.push(key));
        keys
    }
}

/// Returns the facts that tell a new record's name and organisations: each as a field and the text that it is looked for by.
pub(in super::super) fn facts_about<'a>(
    prepared: &'a Prepared,
    row: &'a PersonRow,
) -> impl Iterator<Item = (FactField, &'a str)> {
    let of_organisations = organisation::asked(&prepared.texts, &prepared.person_of(row));
    naming::asked(prepared, row).chain(of_organisations)
}

/// Returns the facts that tell how rare is what records say.
fn rarities(prepared: &Prepared) -> HashSet<Number> {
    let people = prepared.people.iter().zip(prepared.people());
    let of_people = people.flat_map(|(row, person)| rarities_of(row, &person));
    let companies = prepared.companies.iter().zip(prepared.companies());
    let of_companies = companies.flat_map(|(row, company)| companies::rarities_of(row, &company));
    let asked: HashSet<(FactField, Symbol)> = of_people.chain(of_companies).collect();
    let asked = asked.into_iter().filter(|(_, text)| !text.is_empty());
    asked
        .map(|(field, text)| field.place_of(prepared.texts.text(text)))
        .collect()
}

/// Returns the facts that tell how rare is what a person's record says; texts may be missing.
pub(in super::super) fn rarities_of<'a>(
    row: &PersonRow,
    person: &Person<'a>,
) -> impl Iterator<Item = (FactField, Symbol)> + use<'a> {
    let said = [
        (FactField::GivenName, row.name.first),
        (FactField::Surname, row.name.first),
        (FactField::GivenName, row.name.last),
        (FactField::Surname, row.name.last),
        (FactField::PostalCode, row.place.postal_code),
        (FactField::City, row.place.city),
        (FactField::BirthDate, row.birth),
    ];
    let organisations = person.organisations.iter();
    said.into_iter()
        .chain(organisations.map(|it| (FactField::Organisation, *it)))
}

/// Looks up what was learnt, but for what was looked up before.
async fn recall(
    reader: &dyn IndexReader,
    learnt: &mut Learnt,
    mut asked: HashSet<Number>,
) -> Result<()> {
    asked.retain(|place| learnt.asks(*place));
    if asked.is_empty() {
        return Ok(());
    }
    let mut asked: Vec<Number> = asked.into_iter().collect();
    asked.sort_unstable();
    let found = reader.facts(&asked).await?;
    found.into_iter().for_each(|fact| learnt.add(fact));
    Ok(())
}
