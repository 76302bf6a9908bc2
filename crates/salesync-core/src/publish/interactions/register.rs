//! Who a record, an address or a number is, according to what was resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

pub(super) use super::super::directory::At;
use super::super::directory::{Directory, at};
use super::super::merged::Merged;
use super::super::ours::{Ours, national};
use crate::normalise::domain;
use crate::normalise::email;
use crate::resolve::{ColumnField, EntityKind, GoldenCompany, GoldenPerson};
use crate::source::SourceDefinition;

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
    directory: Arc<Directory>,
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
        directory: Arc<Directory>,
        ours: Arc<Ours>,
        merged: Arc<Merged>,
    ) -> Self {
        Self {
            by_address: addresses(&directory, sources),
            by_number: numbers(&directory),
            by_domain: domains(&directory),
            merged,
            directory,
            ours,
        }
    }

    pub(super) fn ours(&self) -> &Ours {
        &self.ours
    }

    pub(super) fn person(&self, at: At) -> Option<&GoldenPerson> {
        self.directory.person(at)
    }

    pub(super) fn company(&self, at: At) -> Option<&GoldenCompany> {
        self.directory.company(at)
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
        let record = [source, stream, id];
        if let Some(person) = self.directory.entity_of(EntityKind::Person, record) {
            let person = self.directory.find_person(person)?;
            return Some(with_company(&self.directory, person));
        }
        let company = self.directory.entity_of(EntityKind::Company, record)?;
        Some(Who {
            company: self.directory.find_company(company),
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
        let known = person.map(|person| with_company(&self.directory, *person));
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

fn with_company(directory: &Directory, person: At) -> Who {
    Who {
        is_ours: false,
        person: Some(person),
        company: directory.employer(person),
    }
}

/// Returns the person of each address: the one who has it, and of several the one whom rows named by the address
/// were found to be.
fn addresses(directory: &Directory, sources: &[&'static SourceDefinition]) -> HashMap<String, At> {
    let mut holders: HashMap<&str, Vec<At>> = HashMap::new();
    for (place, person) in directory.resolution.people.iter().enumerate() {
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
    for member in &directory.resolution.memberships {
        let record = &member.record;
        if record.id.contains('@')
            && by_address(&record.source, &record.stream)
            && let Some(email) = email::normalise(&record.id)
            && let Some(person) = directory.find_person(&member.entity_id)
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
fn numbers(directory: &Directory) -> HashMap<String, Who> {
    let mut holders: HashMap<String, Holders> = HashMap::new();
    for (place, person) in directory.resolution.people.iter().enumerate() {
        for number in person.phones.iter().filter_map(|it| national(&it.value)) {
            let held = holders.entry(number).or_default();
            let kind = match person.full_name {
                Some(_) => &mut held.named,
                None => &mut held.nameless,
            };
            kind.extend(at(place));
        }
    }
    for (place, company) in directory.resolution.companies.iter().enumerate() {
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
        let known = person.map(|person| with_company(directory, person));
        let mut who = known.unwrap_or_default();
        if let [one] = &*held.companies {
            who.company = Some(*one);
        } else if person.is_none() {
            let mut employers: Vec<At> = held
                .named
                .iter()
                .filter_map(|person| with_company(directory, *person).company)
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
fn domains(directory: &Directory) -> HashMap<String, At> {
    let mut claims: HashMap<&str, (usize, At)> = HashMap::new();
    for (place, company) in directory.resolution.companies.iter().enumerate() {
        for domain in &company.domains {
            let Some(at) = at(place) else { continue };
            let claim = claims.entry(domain).or_insert((0, at));
            if company.record_count > claim.0 {
                *claim = (company.record_count, at);
            }
        }
    }
    let mut votes: HashMap<&str, BTreeMap<At, u64>> = HashMap::new();
    for person in &directory.resolution.people {
        let company = person.company_id.as_ref();
        if let Some(at) = company.and_then(|id| directory.find_company(id))
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
