//! Gives every person's record the organisations it belongs to. This turns a name at a company into a key.

use std::num::NonZeroU32;

use hashbrown::HashMap;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;
use twox_hash::XxHash3_64;

use super::cluster::{Cluster, Clustering};
use super::compare;
use super::frequency::{Frequency, count_of};
use super::identity::EntityKind;
use super::learnt::{FactField, Learnt};
use super::prepared::{PerText, Person, Prepared, Span, Symbol, Texts, place};
use crate::normalise::email::EmailClass;

/// Fills in the people's organisations. An organisation is named by a text: where it has company records by the link to
/// the first of them, else by its domain, else by its name.
/// Tells what it went by where it is asked for.
pub(super) fn assign(prepared: &mut Prepared, companies: &Clustering, learnt: Option<&mut Learnt>) {
    let first = |cluster: &Cluster| cluster.members.first().map(|member| place(member.index));
    let firsts: Vec<Option<usize>> = companies.clusters.iter().map(first).collect();
    let link = |at: Option<usize>| {
        let named = prepared.named(prepared.arrival(EntityKind::Company, at?)?);
        named.map(Prepared::link)
    };
    let links: Vec<Option<String>> = firsts.into_iter().map(link).collect();
    let links = links.into_iter().map(Option::unwrap_or_default);
    let links = links.map(|link| prepared.texts.intern(&link)).collect();
    let organisations = Organisations::new(prepared, companies, links);
    if let Some(learnt) = learnt {
        organisations.tell(prepared, &companies.cluster_of, learnt);
    }
    let mut all = Vec::new();
    let mut found = Vec::new();
    let mut spans = Vec::with_capacity(prepared.people.len());
    for person in prepared.people() {
        found.clear();
        organisations.of(&person, &mut found);
        spans.push(Span::push(&mut all, found.iter().copied()));
    }
    for (row, span) in prepared.people.iter_mut().zip(spans) {
        row.organisations = span;
    }
    prepared.organisations = all;
}

/// Fills in the people's organisations by what was learnt before, but of those of whom they are known: `known` tells
/// them, by arrival.
pub(super) fn recall<'a>(
    prepared: &mut Prepared,
    learnt: &Learnt,
    known: impl Fn(u32) -> Option<&'a [Box<str>]>,
) {
    let mut found: Vec<Vec<Box<str>>> = Vec::with_capacity(prepared.people.len());
    for (person, row) in prepared.people().zip(&prepared.people) {
        found.push(match known(row.rank.arrival) {
            Some(known) => known.to_vec(),
            None => recalled(&prepared.texts, &person, learnt),
        });
    }
    for (at, found) in found.into_iter().enumerate() {
        let symbols: Vec<Symbol> = found.iter().map(|it| prepared.texts.intern(it)).collect();
        let span = Span::push(&mut prepared.organisations, symbols);
        if let Some(row) = prepared.people.get_mut(at) {
            row.organisations = span;
        }
    }
}

/// Returns a person's organisations by what was learnt before; what was not heard of is an organisation of its own.
fn recalled(texts: &Texts, person: &Person<'_>, learnt: &Learnt) -> Vec<Box<str>> {
    let mut found: Vec<Box<str>> = Vec::new();
    let domains = own_domains(person).map(|it| (FactField::OrganisationOfDomain, it));
    let link = (FactField::OrganisationOfLink, person.employer);
    let name = (FactField::OrganisationOfName, person.company);
    for (field, symbol) in [link].into_iter().chain(domains).chain([name]) {
        let text = texts.text(symbol);
        let organisation = learnt.organisation(field, text).unwrap_or(text);
        if !symbol.is_empty() && found.iter().all(|known| **known != *organisation) {
            found.push(organisation.into());
        }
    }
    if found.is_empty() {
        let phones = person.phones.iter().map(|phone| texts.text(*phone));
        let known = phones.filter_map(|it| learnt.organisation(FactField::OrganisationOfPhone, it));
        found.extend(known.map(Into::into));
        found.dedup();
    }
    found
}

/// Returns the facts that tell a person's organisations: each as a field and the text that it is looked for by.
pub(super) fn asked<'a>(
    texts: &'a Texts,
    person: &Person<'_>,
) -> impl Iterator<Item = (FactField, &'a str)> + use<'a> {
    let domains = own_domains(person).map(|it| (FactField::OrganisationOfDomain, it));
    let phones = person.phones.iter();
    let phones = phones.map(|it| (FactField::OrganisationOfPhone, *it));
    let rest = [
        (FactField::OrganisationOfLink, person.employer),
        (FactField::OrganisationOfName, person.company),
    ];
    let asked: Vec<(FactField, Symbol)> = domains.chain(phones).chain(rest).collect();
    let asked = asked.into_iter().filter(|(_, text)| !text.is_empty());
    asked.map(|(field, text)| (field, texts.text(text)))
}

/// Which organisation a link, domain, name or phone belongs to.
struct Organisations {
    by_link: HashMap<Symbol, u32>,
    by_domain: Numbers,
    by_name: Numbers,
    by_phone: Numbers,
    /// The text that names each organisation.
    texts: Vec<Symbol>,
}

/// The number of the organisation that a text stands for, plus one; nothing where it stands for none.
type Numbers = PerText<Option<NonZeroU32>>;

/// Returns the number of the organisation that a text stands for.
fn known(numbers: &Numbers, symbol: Symbol) -> Option<u32> {
    Some(numbers.get(symbol)?.get() - 1)
}

/// Lets a text stand for an organisation.
fn note(numbers: &mut Numbers, symbol: Symbol, number: u32) {
    numbers.set(symbol, NonZeroU32::new(number.saturating_add(1)));
}

/// The share of a company name's records that one domain must have to speak for the name.
pub(super) const DOMINANT_PERCENT: u32 = 60;

impl Organisations {
    /// Learns from company records first, then from people's records with both a work mailbox and a company.
    fn new(prepared: &Prepared, companies: &Clustering, links: Vec<Symbol>) -> Self {
        let mut named = links;
        let mut domains = Votes::default();
        let mut names = Votes::default();
        let mut phones = Votes::default();
        let mut by_link = HashMap::new();
        let has_links = prepared.people.iter().any(|row| !row.employer.is_empty());
        let clusters = companies.cluster_of.iter().copied();
        for ((at, company), number) in prepared.companies().enumerate().zip(clusters) {
            let value = |symbols: &[Symbol], votes: &mut Votes| {
                symbols.iter().for_each(|symbol| votes.add(*symbol, number));
            };
            value(company.domains, &mut domains);
            value(company.compact_names, &mut names);
            value(company.phones, &mut phones);
            if has_links
                && let Some(arrival) = prepared.arrival(EntityKind::Company, at)
                && let Some(record) = prepared.named(arrival)
                && let Some(link) = prepared.texts.find(&Prepared::link(record))
            {
                by_link.insert(link, number);
            }
        }
        let texts = &prepared.texts;
        let mut by_domain = domains.winners(texts, 0);
        for (domain, meant) in meant_domains(prepared) {
            let of_meant = known(&by_domain, meant);
            let before = known(&by_domain, domain).or(of_meant);
            let number = before.unwrap_or(count_of(named.len()));
            if before.is_none() {
                named.push(meant);
            }
            note(&mut by_domain, meant, of_meant.unwrap_or(number));
            note(&mut by_domain, domain, number);
        }
        for person in prepared.people() {
            let own = own_domains(&person).filter_map(|domain| known(&by_domain, domain));
            own.for_each(|number| names.add(person.company, number));
        }
        let mut by_name = names.winners(texts, DOMINANT_PERCENT);
        for row in &prepared.people {
            if !row.company.is_empty() && known(&by_name, row.company).is_none() {
                note(&mut by_name, row.company, count_of(named.len()));
                named.push(row.company);
            }
        }
        Self {
            by_link,
            by_domain,
            by_name,
            by_phone: phones.winners(texts, 100),
            texts: named,
        }
    }

    /// Writes down which organisations company records, domains, names and phones belong to, but where that is one of
    /// their own.
    fn tell(&self, prepared: &Prepared, cluster_of: &[u32], learnt: &mut Learnt) {
        let texts = &prepared.texts;
        let organisation = |number: u32| {
            let named = self.texts.get(place(number)).copied();
            texts.text(named.unwrap_or_default())
        };
        for (at, cluster) in cluster_of.iter().enumerate() {
            let arrival = prepared.arrival(EntityKind::Company, at);
            let record = arrival.and_then(|arrival| prepared.named(arrival));
            if let Some(link) = record.map(Prepared::link)
                && link != organisation(*cluster)
            {
                learnt.tell_organisation(
                    FactField::OrganisationOfLink,
                    &link,
                    organisation(*cluster),
                );
            }
        }
        for (field, numbers) in [
            (FactField::OrganisationOfDomain, &self.by_domain),
            (FactField::OrganisationOfName, &self.by_name),
            (FactField::OrganisationOfPhone, &self.by_phone),
        ] {
            for (symbol, text) in texts.numbered() {
                let organisation = known(numbers, symbol).map(organisation);
                if let Some(organisation) = organisation.filter(|it| *it != text) {
                    learnt.tell_organisation(field, text, organisation);
                }
            }
        }
    }

    /// Returns a person's organisations: by link, by domain and by name; by phone only without these.
    fn of(&self, person: &Person<'_>, found: &mut Vec<Symbol>) {
        let text = |number: u32| self.texts.get(place(number)).copied();
        let mut push = |organisation: Option<Symbol>| {
            if let Some(organisation) = organisation.filter(|it| !found.contains(it)) {
                found.push(organisation);
            }
        };
        let of_link = self.by_link.get(&person.employer).copied().and_then(text);
        let employer = Some(person.employer).filter(|employer| !employer.is_empty());
        push(of_link.or(employer));
        let domains = own_domains(person);
        domains.for_each(|domain| push(known(&self.by_domain, domain).and_then(text)));
        push(known(&self.by_name, person.company).and_then(text));
        if found.is_empty() {
            let phones = person.phones.iter();
            let known = phones.filter_map(|phone| known(&self.by_phone, *phone));
            found.extend(known.filter_map(text));
            found.dedup();
        }
    }
}

/// Returns the domains of a person's work mailboxes and employer.
pub(super) fn own_domains(person: &Person<'_>) -> impl Iterator<Item = Symbol> {
    let work = person
        .mailboxes
        .iter()
        .filter(|mailbox| mailbox.class == EmailClass::Work);
    work.map(|mailbox| mailbox.domain)
        .chain([person.site])
        .filter(|domain| !domain.is_empty())
}

/// Returns the same domains, each once.
pub(super) fn distinct_domains(person: &Person<'_>) -> Vec<Symbol> {
    let mut domains: Vec<Symbol> = Vec::new();
    for domain in own_domains(person) {
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

/// On no more records than this a domain may be a typing error.
pub(super) const RARE: u32 = 2;

/// On so many records a domain is meant.
pub(super) const COMMON: u32 = 5;

/// From so many bytes on a domain with a typing error can be told.
pub(super) const TELLING: usize = 8;

/// Returns every domain of the people's records with the one that is meant: a domain on hardly any record, one
/// typing error from one on many, is that one.
fn meant_domains(prepared: &Prepared) -> Vec<(Symbol, Symbol)> {
    let on_companies = prepared.companies().flat_map(|company| company.domains);
    let mut on_people = Vec::new();
    for person in prepared.people() {
        on_people.extend(own_domains(&person));
    }
    let counts = Frequency::of(on_people.into_iter().chain(on_companies.copied()));
    let mut domains: Vec<(&str, Symbol, u32)> = counts
        .iter()
        .map(|(domain, count)| (prepared.texts.text(*domain), *domain, count))
        .collect();
    domains.par_sort_unstable();
    let is_common = |domain: &&(&str, Symbol, u32)| domain.2 >= COMMON && domain.0.len() >= TELLING;
    let mut common: HashMap<u64, (&str, Symbol)> = HashMap::new();
    for (text, domain, _) in domains.iter().filter(is_common) {
        for spelling in with_one_letter_less(text) {
            common.entry(spelling).or_insert((text, *domain));
        }
    }
    let meant = |text: &str, count: u32| {
        if count > RARE || text.len() < TELLING {
            return None;
        }
        let (other, meant) = with_one_letter_less(text).find_map(|it| common.get(&it).copied())?;
        (compare::edits(text, other) <= 1).then_some(meant)
    };
    let domains = domains.par_iter();
    domains
        .map(|(text, domain, count)| (*domain, meant(text, *count).unwrap_or(*domain)))
        .collect()
}

/// Returns a number made of a text, and one of each that it becomes by leaving out one letter.
fn with_one_letter_less(text: &str) -> impl Iterator<Item = u64> {
    let mut spelling = String::with_capacity(text.len());
    let shorter = text.char_indices().filter_map(move |(at, letter)| {
        spelling.clear();
        spelling.push_str(text.get(..at)?);
        spelling.push_str(text.get(at + letter.len_utf8()..)?);
        Some(XxHash3_64::oneshot(spelling.as_bytes()))
    });
    std::iter::once(XxHash3_64::oneshot(text.as_bytes())).chain(shorter)
}

/// Every time that a value was seen with an organisation.
#[derive(Default)]
struct Votes(Vec<(Symbol, u32)>);

impl Votes {
    /// Counts one.
    fn add(&mut self, value: Symbol, number: u32) {
        if !value.is_empty() {
            self.0.push((value, number));
        }
    }

    /// Returns the organisation that each value was seen with most, if it has the share; of equals the first.
    fn winners(mut self, texts: &Texts, percent: u32) -> Numbers {
        self.0.sort_unstable();
        let values = self.0.chunk_by(|one, other| one.0 == other.0);
        let winner = |votes: &[(Symbol, u32)]| {
            let numbers = votes.chunk_by(|one, other| one == other);
            let best =
                numbers.reduce(|best, next| if next.len() > best.len() { next } else { best })?;
            (best.len() * 100 >= votes.len() * place(percent))
                .then(|| best.first().copied())
                .flatten()
        };
        let mut winners = Numbers::of(texts);
        for (value, number) in values.filter_map(winner) {
            note(&mut winners, value, number);
        }
        winners
    }
}
