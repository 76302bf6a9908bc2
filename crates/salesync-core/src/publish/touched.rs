//! What of the answer a resolve of what changed has told anew, as interactions and deals know it.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use hashbrown::{HashMap, HashSet};

use super::merged::Merged;
use super::names::{Names, own_domain};
use super::ours::national;
use super::published;
use super::rows::Texts;
use crate::error::Result;
use crate::resolve::{
    Contact, EntityId, EntityKind, GoldenCompany, GoldenPerson, RecordRef, Resolution,
};
use crate::time::Timestamp;
use crate::warehouse::Warehouse;

/// Who is somebody else than before, or has other names.
pub(super) struct Touched {
    /// Rows that were read, or whose record went, at that time or later may say something else.
    pub(super) since: Timestamp,
    /// Records that lead to somebody now, and perhaps led to nobody before, or the other way round.
    restated: HashSet<RecordRef>,
    /// Which rows went into others.
    pub(super) merged: Arc<Merged>,
    /// The entities that were told anew or are gone.
    entities: HashSet<String>,
    /// What they are known by, or were.
    names: Names,
}

impl Touched {
    /// Finds out what changed: `part` is in the place of what was told of the entities that are outdated. `restated` are
    /// records that perhaps led to nobody before, or lead to nobody now.
    pub(super) async fn read(
        warehouse: &dyn Warehouse,
        since: Timestamp,
        (part, outdated): (&Resolution, &BTreeSet<EntityId>),
        (restated, merged): (Vec<RecordRef>, Arc<Merged>),
    ) -> Result<Self> {
        let (people, companies) = published::of_ids(warehouse, outdated).await?;
        let mut touched = Self {
            since,
            restated: merged.with_merged(restated),
            merged,
            entities: outdated.iter().map(ToString::to_string).collect(),
            names: Names::default(),
        };
        for person in part.people.iter().chain(&people) {
            touched.take_person(person);
        }
        for company in part.companies.iter().chain(&companies) {
            touched.take_company(company);
        }
        Ok(touched)
    }

    fn take_person(&mut self, person: &GoldenPerson) {
        self.entities.insert(person.id.to_string());
        let addresses = person.emails.iter().map(|it| it.value.clone());
        self.names.addresses.extend(addresses);
        self.take_numbers(&person.phones);
        self.names.domains.extend(person.domain.clone());
    }

    fn take_company(&mut self, company: &GoldenCompany) {
        self.entities.insert(company.id.to_string());
        self.take_numbers(&company.phones);
        self.names.domains.extend(company.domains.iter().cloned());
    }

    fn take_numbers(&mut self, phones: &[Contact]) {
        for phone in phones {
            self.names.take_number(&phone.value);
        }
    }

    /// Returns the companies.
    pub(super) fn companies(&self) -> Vec<String> {
        let is_company =
            |id: &&String| EntityId::parse(id).is_ok_and(|id| id.kind() == EntityKind::Company);
        self.entities.iter().filter(is_company).cloned().collect()
    }

    /// Says whether nobody is.
    pub(super) fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// Says whether there are records of one of these streams that perhaps led to nobody before.
    pub(super) fn is_restated(&self, source: &str, streams: &[&str]) -> bool {
        let mut restated = self.restated.iter();
        restated.any(|it| *it.source == *source && streams.contains(&&*it.stream))
    }

    /// Says whether an id can be that of such a record.
    pub(super) fn restates(&self, source: &str, streams: &[&str], id: &str) -> bool {
        let mut streams = streams.iter();
        streams.any(|stream| self.restated.contains(&RecordRef::new(source, *stream, id)))
    }

    /// Returns the interactions among whose parties, in rows of their table, somebody is touched.
    pub(super) fn interactions<'a>(
        &self,
        batch: &'a RecordBatch,
        seen: &mut Seen<'a>,
    ) -> Result<Vec<&'a str>> {
        let texts = Texts::of(batch, PARTY_COLUMNS)?;
        let rows = (0..batch.num_rows()).map(|row| texts.row(row));
        let touched = rows.filter_map(|[interaction, address, phone, person, company]| {
            let is_told = |id: Option<&str>| id.is_some_and(|id| self.entities.contains(id));
            let is_touched = is_told(person)
                || is_told(company)
                || address.is_some_and(|it| seen.has_address(&self.names, it))
                || phone.is_some_and(|it| seen.has_number(&self.names, it));
            interaction.filter(|_| is_touched)
        });
        Ok(touched.collect())
    }
}

/// The columns of `interaction_parties` that tell who is among the parties.
pub(super) const PARTY_COLUMNS: &[&str; 5] = &[
    "interaction_id",
    "address",
    "phone",
    "person_id",
    "company_id",
];

/// Whether each domain and number that was seen is one of the names.
#[derive(Default)]
pub(super) struct Seen<'a> {
    domains: HashMap<&'a str, bool>,
    numbers: HashMap<&'a str, bool>,
}

impl<'a> Seen<'a> {
    fn has_address(&mut self, names: &Names, address: &'a str) -> bool {
        if names.addresses.contains(address) {
            return true;
        }
        let Some((_, host)) = address.rsplit_once('@') else {
            return false;
        };
        let is_named = || own_domain(host).is_some_and(|it| names.domains.contains(&it));
        *self.domains.entry(host).or_insert_with(is_named)
    }

    fn has_number(&mut self, names: &Names, raw: &'a str) -> bool {
        let is_named = || national(raw).is_some_and(|it| names.numbers.contains(&it));
        *self.numbers.entry(raw).or_insert_with(is_named)
    }
}
