//! Who a record, an address or a number is, according to what was resolved.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::super::merged::Merged;
use super::super::ours::{Ours, national};
use crate::normalise::domain;
use crate::normalise::email;
use crate::resolve::{ColumnField, EntityId, EntityKind, GoldenCompany, GoldenPerson, Resolution};
use crate::source::SourceDefinition;

/// Where an entity stands among the people or companies, counted from one.
pub(super) type At = NonZeroU32;

/// The share of a domain's people that one company must have to have the domain, in percent.
const DOMINANT_PERCENT: u64 = 60;

/// Who somebody is, as far as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) is_ours: bool,
    pub(super) person: Option<At>,
    pub(super) company: Option<At>,
}

impl Who {
    /// One of us.
    pub(super) const OURS: Self = Self {
        is_ours: true,
        person: None,
        company: None,
    };

    /// Returns who it is where two of their values are known; the first counts for more, but a person for more than
    /// a company.
    pub(super) fn or(self, other: Self) -> Self {
        if self.is_ours || other.is_ours {
            return Self::OURS;
        }
        let (first, second) = match (self.person, other.person) {
            (None, Some(_)) => (other, self),
            _ => (self, other),
        };
        Self {
            is_ours: false,
            person: first.person,
            company: first.company.or(second.company),
        }
    }
}

/// Everybody who was resolved, by what they are known by.
#[derive(Debug)]
pub(super) struct Register {
    resolution: Arc<Resolution>,
    ours: Arc<Ours>,
    by_address: HashMap<String, At>,
    by_number: HashMap<String, Who>,
    by_domain: HashMap<String, At>,
    merged: Arc<Merged>,
}

impl Register {
    /// Lists everybody who was resolved.
    pub(super) fn new(
        sources: &[&'static SourceDefinition],
        resolution: Arc<Resolution>,
        ours: Arc<Ours>,
        merged: Arc<Merged>,
    ) -> Self {
        Self {
            by_address: addresses(&resolution, sources),
            by_number: numbers(&resolution),
            by_domain: domains(&resolution),
            merged,
            resolution,
            ours,
        }
    }

    pub(super) fn ours(&self) -> &Ours {
        &self.ours
    }

    pub(super) fn person(&self, at: At) -> Option<&GoldenPerson> {
        self.resolution.people.get(index(at)?)
    }

    pub(super) fn company(&self, at: At) -> Option<&GoldenCompany> {
        self.resolution.companies.get(index(at)?)
    }

    /// Returns the person or company of a record, or of the one that it was merged into; of several streams that of
    /// the first that has it.
    pub(super) fn of_record(&self, source: &str, streams: &[&str], id: &str) -> Option<Who> {
        let mut streams = streams.iter();
        streams.find_map(|stream| {
            let known = self.of_live_record(source, stream, id);
            known.or_else(|| {
                let survivor = self.merged.survivor(source, stream, id)?;
                self.of_live_record(source, stream, survivor)
            })
        })
    }

    fn of_live_record(&self, source: &str, stream: &str, id: &str) -> Option<Who> {
        let record = (source, stream, id);
        if let Some(person) = self.resolution.entity_of(EntityKind::Person, record) {
            let person = find_person(&self.resolution, person)?;
            return Some(with_company(&self.resolution, person));
        }
        let company = self.resolution.entity_of(EntityKind::Company, record)?;
        Some(Who {
            company: find_company(&self.resolution, company),
            ..Who::default()
        })
    }

    /// Returns whose an address is, and its one spelling.
    pub(super) fn of_address(&self, raw: &str) -> (String, Who) {
        let Some(email) = email::normalise(raw) else {
            return (raw.to_lowercase(), Who::default());
        };
        if self.ours.has_address(&email) {
            return (email.address, Who::OURS);
        }
        let person = self.by_address.get(&email.address);
        let known = person.map(|person| with_company(&self.resolution, *person));
        let mut who = known.unwrap_or_default();
        if who.company.is_none()
            && let Some(domain) = domain::normalise(&email.domain)
        {
            who.company = self.by_domain.get(&domain.registrable).copied();
        }
        (email.address, who)
    }

    /// Returns whose a number is.
    pub(super) fn of_number(&self, raw: &str) -> Who {
        let Some(number) = national(raw) else {
            return Who::default();
        };
        if self.ours.has_number(&number) {
            return Who::OURS;
        }
        self.by_number.get(&number).copied().unwrap_or_default()
    }
}

fn index(at: At) -> Option<usize> {
    usize::try_from(at.get()).ok()?.checked_sub(1)
}

fn at(index: usize) -> Option<At> {
    At::new(u32::try_from(index).ok()?.checked_add(1)?)
}

fn find_person(resolution: &Resolution, id: &EntityId) -> Option<At> {
    let people = &resolution.people;
    at(people.binary_search_by(|person| person.id.cmp(id)).ok()?)
}

fn find_company(resolution: &Resolution, id: &EntityId) -> Option<At> {
    let companies = &resolution.companies;
    at(companies
        .binary_search_by(|company| company.id.cmp(id))
        .ok()?)
}

fn with_company(resolution: &Resolution, person: At) -> Who {
    let golden = index(person).and_then(|index| resolution.people.get(index));
    let company = golden.and_then(|golden| golden.company_id.as_ref());
    Who {
        is_ours: false,
        person: Some(person),
        company: company.and_then(|id| find_company(resolution, id)),
    }
}

/// Returns the person of each address: the one who has it, and of several the one whom rows named by the address
/// were found to be.
fn addresses(
    resolution: &Resolution,
    sources: &[&'static SourceDefinition],
) -> HashMap<String, At> {
    let mut holders: HashMap<&str, Vec<At>> = HashMap::new();
    for (place, person) in resolution.people.iter().enumerate() {
        for contact in &person.emails {
            let holders = holders.entry(&contact.value).or_default();
            holders.extend(at(place).filter(|at| holders.last() != Some(at)));
        }
    }
    let by_address = |source: &str, stream: &str| {
        let source = sources.iter().find(|known| known.name == source);
        let mut declared = source.iter().flat_map(|source| source.identities);
        declared.any(|declared| {
            declared.stream == stream
                && declared
                    .columns
                    .contains(&(ColumnField::Email, declared.named_by))
        })
    };
    let mut owners: HashMap<String, At> = HashMap::new();
    for member in &resolution.memberships {
        let record = &member.record;
        if record.id.contains('@')
            && by_address(&record.source, &record.stream)
            && let Some(email) = email::normalise(&record.id)
            && let Some(person) = find_person(resolution, &member.entity_id)
            && let Some(holders) = holders.get(&*email.address)
            && holders.contains(&person)
        {
            owners.entry(email.address).or_insert(person);
        }
    }
    for (address, holders) in holders {
        if let [one] = *holders {
            owners.insert(address.to_owned(), one);
        }
    }
    owners
}

/// How many people and companies have a number.
#[derive(Default)]
struct Holders {
    named: Vec<At>,
    nameless: Vec<At>,
    companies: Vec<At>,
}

/// Returns who each number leads to: a person where it is nobody else's, and the company.
fn numbers(resolution: &Resolution) -> HashMap<String, Who> {
    let mut holders: HashMap<String, Holders> = HashMap::new();
    for (place, person) in resolution.people.iter().enumerate() {
        for number in person.phones.iter().filter_map(|it| national(&it.value)) {
            let held = holders.entry(number).or_default();
            let kind = match person.full_name {
                Some(_) => &mut held.named,
                None => &mut held.nameless,
            };
            kind.extend(at(place));
        }
    }
    for (place, company) in resolution.companies.iter().enumerate() {
        for number in company.phones.iter().filter_map(|it| national(&it.value)) {
            holders
                .entry(number)
                .or_default()
                .companies
                .extend(at(place));
        }
    }
    let who = |(number, mut held): (String, Holders)| {
        held.companies.dedup();
        let person = match (&*held.companies, &*held.named, &*held.nameless) {
            ([], [one], _) | ([], [], [one]) => Some(*one),
            _ => None,
        };
        let known = person.map(|person| with_company(resolution, person));
        let mut who = known.unwrap_or_default();
        if let [one] = &*held.companies {
            who.company = Some(*one);
        } else if person.is_none() {
            let mut employers: Vec<At> = held
                .named
                .iter()
                .filter_map(|person| with_company(resolution, *person).company)
                .collect();
            employers.sort_unstable();
            employers.dedup();
            who.company = match &*employers {
                [one] => Some(*one),
                _ => None,
            };
        }
        (number, who)
    };
    holders.into_iter().map(who).collect()
}

/// Returns the company of each domain: the one with most records, or else the one at which most of its people are.
fn domains(resolution: &Resolution) -> HashMap<String, At> {
    let mut claims: HashMap<&str, (usize, At)> = HashMap::new();
    for (place, company) in resolution.companies.iter().enumerate() {
        for domain in &company.domains {
            let Some(at) = at(place) else { continue };
            let claim = claims.entry(domain).or_insert((0, at));
            if company.record_count > claim.0 {
                *claim = (company.record_count, at);
            }
        }
    }
    let mut votes: HashMap<&str, BTreeMap<At, u64>> = HashMap::new();
    for person in &resolution.people {
        let company = person.company_id.as_ref();
        if let Some(at) = company.and_then(|id| find_company(resolution, id))
            && let Some(domain) = person.domain.as_deref()
            && !claims.contains_key(domain)
        {
            *votes.entry(domain).or_default().entry(at).or_default() += 1;
        }
    }
    let winner = |(domain, votes): (&str, BTreeMap<At, u64>)| {
        let all: u64 = votes.values().sum();
        let (at, most) = votes.into_iter().max_by_key(|(_, count)| *count)?;
        (most * 100 >= all * DOMINANT_PERCENT).then(|| (domain.to_owned(), at))
    };
    let mut domains: HashMap<String, At> = votes.into_iter().filter_map(winner).collect();
    let claims = claims.into_iter();
    domains.extend(claims.map(|(domain, (_, at))| (domain.to_owned(), at)));
    domains
}
