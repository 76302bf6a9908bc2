//! Gives every person's record the organisations it belongs to. This turns a name at a company into a key.

use std::collections::{BTreeMap, HashMap};

use super::cluster::Clustering;
use super::frequency::count_of;
use super::identity::{EntityKind, RecordRef};
use super::prepared::{Person, Prepared, Symbol};
use crate::normalise::email::EmailClass;

/// Fills in the people's organisations. The number of an organisation that has company records is that of its
/// cluster; others have numbers above these.
pub(super) fn assign(prepared: &mut Prepared<'_>, companies: &Clustering) {
    let organisations = Organisations::new(prepared, companies);
    let assigned: Vec<Vec<u32>> = prepared
        .people
        .iter()
        .map(|person| organisations.of(person, employer(prepared, person)))
        .collect();
    for (person, found) in prepared.people.iter_mut().zip(assigned) {
        person.organisations = found;
    }
}

/// Returns the company record that the source links a person's record to.
fn employer<'a>(prepared: &Prepared<'a>, person: &Person) -> Option<&'a RecordRef> {
    prepared
        .identities
        .get(person.identity)
        .and_then(|identity| identity.employer.as_ref())
}

/// Which organisation a link, domain, name or phone belongs to.
struct Organisations<'a> {
    by_record: HashMap<&'a RecordRef, u32>,
    by_domain: BTreeMap<Symbol, u32>,
    by_name: BTreeMap<Symbol, u32>,
    by_phone: BTreeMap<Symbol, u32>,
}

/// The share of a company name's records that one domain must have to speak for the name.
const DOMINANT_PERCENT: u32 = 60;

impl<'a> Organisations<'a> {
    /// Learns from company records first, then from people's records with both a work mailbox and a company.
    fn new(prepared: &Prepared<'a>, companies: &Clustering) -> Self {
        let mut domains = Votes::default();
        let mut names = Votes::default();
        let mut phones = Votes::default();
        let mut by_record = HashMap::new();
        for ((at, company), cluster) in prepared
            .companies
            .iter()
            .enumerate()
            .zip(&companies.cluster_of)
        {
            let number = count_of(*cluster);
            company
                .domains
                .iter()
                .for_each(|domain| domains.add(*domain, number));
            company
                .compact_names
                .iter()
                .for_each(|name| names.add(*name, number));
            company
                .phones
                .iter()
                .for_each(|phone| phones.add(*phone, number));
            by_record.extend(
                prepared
                    .record(EntityKind::Company, at)
                    .map(|record| (record, number)),
            );
        }
        let mut next = count_of(companies.clusters.len());
        let mut by_domain = domains.winners(0);
        for (domain, meant) in meant_domains(prepared) {
            let known = by_domain
                .get(&domain)
                .or_else(|| by_domain.get(&meant))
                .copied();
            let number = known.unwrap_or(next);
            next += u32::from(known.is_none());
            by_domain.entry(meant).or_insert(number);
            by_domain.insert(domain, number);
        }
        for person in &prepared.people {
            let own = own_domains(person).filter_map(|domain| by_domain.get(&domain));
            own.for_each(|number| names.add(person.company, *number));
        }
        let mut by_name = names.winners(DOMINANT_PERCENT);
        for person in &prepared.people {
            if let std::collections::btree_map::Entry::Vacant(free) = by_name.entry(person.company)
            {
                free.insert(next);
                next += 1;
            }
        }
        by_name.remove(&Symbol::EMPTY);
        Self {
            by_record,
            by_domain,
            by_name,
            by_phone: phones.winners(100),
        }
    }

    /// Returns a person's organisations: by link, by domain and by name; by phone only without these.
    fn of(&self, person: &Person, employer: Option<&RecordRef>) -> Vec<u32> {
        let mut found: Vec<u32> = employer
            .and_then(|record| self.by_record.get(record))
            .copied()
            .into_iter()
            .collect();
        found.extend(own_domains(person).filter_map(|domain| self.by_domain.get(&domain)));
        found.extend(self.by_name.get(&person.company));
        if found.is_empty() {
            found.extend(
                person
                    .phones
                    .iter()
                    .filter_map(|phone| self.by_phone.get(phone)),
            );
        }
        let mut unique = Vec::with_capacity(found.len());
        for number in found {
            if !unique.contains(&number) {
                unique.push(number);
            }
        }
        unique
    }
}

/// Returns the domains of a person's work mailboxes and employer.
fn own_domains(person: &Person) -> impl Iterator<Item = Symbol> {
    let work = person
        .mailboxes
        .iter()
        .filter(|mailbox| mailbox.class == EmailClass::Work);
    work.map(|mailbox| mailbox.domain)
        .chain([person.site])
        .filter(|domain| !domain.is_empty())
}

/// Returns every domain of the people's records with the one that is meant: a domain on hardly any record, one
/// typing error from one on many, is that one.
fn meant_domains(prepared: &Prepared<'_>) -> Vec<(Symbol, Symbol)> {
    const RARE: u32 = 2;
    const COMMON: u32 = 5;
    const TELLING: usize = 8;
    let mut counts: BTreeMap<Symbol, u32> = BTreeMap::new();
    let companies = prepared
        .companies
        .iter()
        .flat_map(|company| company.domains.iter().copied());
    for domain in prepared
        .people
        .iter()
        .flat_map(own_domains)
        .chain(companies)
    {
        *counts.entry(domain).or_default() += 1;
    }
    let text = |domain: &Symbol| prepared.texts.text(*domain);
    let mut common: HashMap<String, Symbol> = HashMap::new();
    for (domain, _) in counts
        .iter()
        .filter(|(domain, count)| **count >= COMMON && text(domain).len() >= TELLING)
    {
        for spelling in with_one_letter_less(text(domain)) {
            common.entry(spelling).or_insert(*domain);
        }
    }
    let meant = |domain: &Symbol, count: u32| {
        let rare = count <= RARE && text(domain).len() >= TELLING;
        let mut spellings = with_one_letter_less(text(domain)).filter(|_| rare);
        let found = spellings.find_map(|spelling| common.get(&spelling).copied());
        found
            .filter(|other| strsim::osa_distance(text(domain), text(other)) <= 1)
            .unwrap_or(*domain)
    };
    counts
        .iter()
        .map(|(domain, count)| (*domain, meant(domain, *count)))
        .collect()
}

/// Returns a text and all that it becomes by leaving out one letter.
fn with_one_letter_less(text: &str) -> impl Iterator<Item = String> {
    let shorter = text.char_indices().filter_map(move |(at, letter)| {
        let (head, tail) = (text.get(..at)?, text.get(at + letter.len_utf8()..)?);
        Some(format!("{head}{tail}"))
    });
    std::iter::once(text.to_owned()).chain(shorter)
}

/// How often a value was seen with an organisation.
#[derive(Default)]
struct Votes(BTreeMap<Symbol, BTreeMap<u32, u32>>);

impl Votes {
    /// Counts one.
    fn add(&mut self, value: Symbol, number: u32) {
        if !value.is_empty() {
            *self.0.entry(value).or_default().entry(number).or_default() += 1;
        }
    }

    /// Returns the organisation that each value was seen with most, if it has the share; of equals the first.
    fn winners(&self, percent: u32) -> BTreeMap<Symbol, u32> {
        let winner = |votes: &BTreeMap<u32, u32>| {
            let all: u32 = votes.values().sum();
            let best = votes
                .iter()
                .max_by_key(|(number, count)| (**count, std::cmp::Reverse(**number)))?;
            (u64::from(*best.1) * 100 >= u64::from(all) * u64::from(percent)).then_some(*best.0)
        };
        self.0
            .iter()
            .filter_map(|(value, votes)| Some((*value, winner(votes)?)))
            .collect()
    }
}
