//! Who is who in an answer, found at once.

use std::num::NonZeroU32;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::resolve::{EntityId, EntityKind, GoldenCompany, GoldenPerson, Resolution};

use super::index::{number_of, numbered};

/// Where an entity stands among the people or companies, counted from one.
pub(super) type At = NonZeroU32;

/// An answer in which records and entities are looked up.
#[derive(Debug)]
pub(super) struct Directory {
    /// The answer itself.
    pub(super) resolution: Arc<Resolution>,
    /// By the record's number, which tells records apart as it does in the index.
    entities: HashMap<u64, EntityId>,
    people: HashMap<EntityId, At>,
    companies: HashMap<EntityId, At>,
}

impl Directory {
    /// Makes an answer ready to be looked up in.
    pub(super) fn of(resolution: Arc<Resolution>) -> Self {
        let members = resolution.memberships.iter();
        let entities = members.map(|it| (number_of(it.kind, &it.record), it.entity_id));
        let people = resolution.people.iter().map(|it| it.id);
        let companies = resolution.companies.iter().map(|it| it.id);
        Self {
            entities: entities.collect(),
            people: places(people),
            companies: places(companies),
            resolution,
        }
    }

    /// Returns the entity of that kind that a record belongs to: of a source, its stream, and the record's id there.
    pub(super) fn entity_of(&self, kind: EntityKind, record: [&str; 3]) -> Option<&EntityId> {
        self.entities.get(&numbered(kind, record))
    }

    /// Returns where a person stands.
    pub(super) fn find_person(&self, id: &EntityId) -> Option<At> {
        self.people.get(id).copied()
    }

    /// Returns where a company stands.
    pub(super) fn find_company(&self, id: &EntityId) -> Option<At> {
        self.companies.get(id).copied()
    }

    /// Returns the person who stands there.
    pub(super) fn person(&self, at: At) -> Option<&GoldenPerson> {
        self.resolution.people.get(index(at)?)
    }

    /// Returns the company that stands there.
    pub(super) fn company(&self, at: At) -> Option<&GoldenCompany> {
        self.resolution.companies.get(index(at)?)
    }

    /// Returns where the employer of a person stands.
    pub(super) fn employer(&self, person: At) -> Option<At> {
        self.find_company(self.person(person)?.company_id.as_ref()?)
    }
}

/// Returns where each of some entities stands.
fn places(ids: impl Iterator<Item = EntityId>) -> HashMap<EntityId, At> {
    let places = ids.enumerate();
    places
        .filter_map(|(index, id)| Some((id, at(index)?)))
        .collect()
}

fn index(at: At) -> Option<usize> {
    usize::try_from(at.get()).ok()?.checked_sub(1)
}

/// Returns the place of an index.
pub(super) fn at(index: usize) -> Option<At> {
    At::new(u32::try_from(index).ok()?.checked_add(1)?)
}
