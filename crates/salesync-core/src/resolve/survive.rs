//! Chooses what survives of an entity's records, and keeps what does not.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::cluster::{Cluster, Clustering};
use super::entity::EntityId;
use super::golden::{Contact, ContactKind, GoldenCompany, GoldenPerson, OtherValue};
use super::identity::{EntityKind, Identity};
use super::model::Settings;
use super::prepared::{PerText, Person, Prepared, Symbol, Texts, place};
use super::survivorship::{Criterion, Ranked, Survivorship, Vote, ranked, spelt};
use crate::normalise::country;
use crate::normalise::domain::{self, DomainClass};
use crate::normalise::email::{self, EmailClass, NormalEmail};
use crate::normalise::name::{self, NormalName};
use crate::normalise::phone::{self, PhoneClass};

/// Records as they are compared and as they came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) prepared: &'a Prepared,
    /// By arrival.
    pub(super) identities: &'a [&'a Identity],
    pub(super) settings: &'a Settings,
}

impl<'a> Whole<'a> {
    /// Returns the records of a cluster.
    fn identities(&self, kind: EntityKind, cluster: &Cluster) -> Vec<&'a Identity> {
        let members = cluster.members.iter();
        let arrivals =
            members.filter_map(|member| self.prepared.arrival(kind, place(member.index)));
        let found = arrivals.filter_map(|arrival| self.identities.get(place(arrival)));
        found.copied().collect()
    }
}

/// Makes the golden records of people, by id. `users` says how many use each mailbox and phone, and `employers` which
/// company each organisation is.
pub(super) fn people(
    whole: Whole<'_>,
    clusters: &[Cluster],
    ids: &[EntityId],
    (users, employers): (&PerText<u8>, &HashMap<Symbol, EntityId>),
) -> Vec<GoldenPerson> {
    let spread = Spread {
        texts: &whole.prepared.texts,
        users: Some(users),
    };
    let people = by_id(clusters, ids).into_par_iter();
    people
        .map(|(id, cluster)| person(whole, cluster, id, (spread, employers)))
        .collect()
}

/// Returns clusters in the order of their ids.
fn by_id<'a>(clusters: &'a [Cluster], ids: &'a [EntityId]) -> Vec<(&'a EntityId, &'a Cluster)> {
    let mut sorted: Vec<_> = ids.iter().zip(clusters).collect();
    sorted.par_sort_unstable_by_key(|(id, _)| *id);
    sorted
}

/// Returns the company that each organisation of people is.
pub(super) fn employers(
    prepared: &Prepared,
    companies: &Clustering,
    ids: &[EntityId],
) -> HashMap<Symbol, EntityId> {
    let clusters = companies.clusters.iter().zip(ids);
    let named = clusters.filter_map(|(cluster, id)| {
        let first = place(cluster.members.first()?.index);
        let record = prepared.named(prepared.arrival(EntityKind::Company, first)?)?;
        Some((prepared.texts.find(&Prepared::link(record))?, *id))
    });
    named.collect()
}

/// Makes the golden records of companies, by id.
pub(super) fn companies(
    whole: Whole<'_>,
    clusters: &[Cluster],
    ids: &[EntityId],
) -> Vec<GoldenCompany> {
    let spread = Spread {
        texts: &whole.prepared.texts,
        users: None,
    };
    let companies = by_id(clusters, ids).into_par_iter();
    companies
        .map(|(id, cluster)| company(whole, cluster, id, spread))
        .collect()
}

/// Makes one person's golden record.
fn person(
    whole: Whole<'_>,
    cluster: &Cluster,
    id: &EntityId,
    (spread, company_ids): (Spread<'_>, &HashMap<Symbol, EntityId>),
) -> GoldenPerson {
    let people: Vec<Person<'_>> = cluster
        .members
        .iter()
        .filter_map(|member| whole.prepared.person(place(member.index)))
        .collect();
    let identities = whole.identities(EntityKind::Person, cluster);
    let rules = &whole.settings.survivorship;
    let mut fields = Fields::new(&identities, rules);
    let (first_name, last_name) = fields.person_name(&people);
    let full_name = match (&first_name, &last_name) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.clone().or_else(|| last.clone()),
    };
    let addresses = addresses(&identities);
    let emails = emails(&addresses, (spread, rules));
    let work = addresses.iter().flat_map(|(identity, addresses)| {
        let domains = addresses.iter().filter_map(Address::work_domain);
        rules.votes(identity, domains.collect::<Vec<_>>())
    });
    let employers = people
        .iter()
        .zip(&identities)
        .flat_map(|(person, identity)| {
            let mut known = person
                .organisations
                .iter()
                .filter_map(|it| company_ids.get(it));
            rules.votes(identity, known.next().map(|id| id.to_string()))
        });
    let company_id = fields.first("company_id", ranked(employers, &rules.position));
    let company_id = company_id.and_then(|id| EntityId::parse(&id).ok());
    let domain = fields.first("domain", ranked(work, &rules.position));
    let Seen {
        record_count,
        source_count,
        first_seen,
        last_seen,
    } = Seen::of(&identities);
    GoldenPerson {
        id: *id,
        full_name,
        first_name,
        last_name,
        email: emails.first().map(|contact| contact.value.clone()),
        emails,
        phones: phones(&identities, spread, whole.settings),
        title: fields.choose("title", &rules.position, |it| it.title.as_ref()),
        company: fields.choose("company", &rules.position, |it| it.company.as_ref()),
        company_id,
        domain,
        city: fields.choose("city", &rules.place, |it| it.city.as_ref()),
        country: fields.country(),
        record_count,
        source_count,
        first_seen,
        last_seen,
        confidence: cluster.confidence,
        other_values: fields.others,
    }
}

/// Makes one company's golden record.
fn company(
    whole: Whole<'_>,
    cluster: &Cluster,
    id: &EntityId,
    spread: Spread<'_>,
) -> GoldenCompany {
    let identities = whole.identities(EntityKind::Company, cluster);
    let own = |raw: &String| {
        let host = raw.rsplit('@').next().unwrap_or(raw);
        domain::normalise(host)
            .filter(|domain| domain.class == DomainClass::Own)
            .map(|domain| domain.registrable)
    };
    let rules = &whole.settings.survivorship;
    let mut fields = Fields::new(&identities, rules);
    let domains_of = |identity: &&Identity| {
        let named = identity.websites.iter().chain(&identity.emails);
        let mut domains: Vec<String> = Vec::new();
        for domain in named.filter_map(own) {
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        domains
    };
    let said: Vec<Vec<String>> = identities.iter().map(domains_of).collect();
    // A record's first domain is its main one; the others are votes for being a domain at all.
    let named = |most: usize| {
        let voted = identities
            .iter()
            .zip(&said)
            .flat_map(move |(identity, domains)| {
                let domains = domains.iter().take(most).cloned();
                rules.votes(identity, domains.collect::<Vec<_>>())
            });
        ranked(voted, &rules.contact)
            .into_iter()
            .map(|vote| vote.value)
    };
    let main = named(1).next();
    let others = named(usize::MAX).filter(|domain| Some(domain) != main.as_ref());
    let domains: Vec<String> = main.iter().cloned().chain(others).collect();
    let Seen {
        record_count,
        source_count,
        first_seen,
        last_seen,
    } = Seen::of(&identities);
    GoldenCompany {
        id: *id,
        name: fields.choose("name", &rules.name, |it| it.company.as_ref()),
        domain: domains.first().cloned(),
        domains,
        emails: emails(&addresses(&identities), (spread, rules)),
        phones: phones(&identities, spread, whole.settings),
        city: fields.choose("city", &rules.place, |it| it.city.as_ref()),
        country: fields.country(),
        record_count,
        source_count,
        first_seen,
        last_seen,
        confidence: cluster.confidence,
        other_values: fields.others,
    }
}

/// Which mailboxes and phones several people use.
#[derive(Debug, Clone, Copy)]
struct Spread<'a> {
    texts: &'a Texts,
    users: Option<&'a PerText<u8>>,
}

impl Spread<'_> {
    /// Says whether several use a normalised address or national number.
    fn has(&self, value: &str) -> bool {
        let users = self.users.zip(self.texts.find(value));
        users.is_some_and(|(users, symbol)| users.get(symbol) > 1)
    }
}

/// Chooses the values of fields out of an entity's records, and keeps those that it does not choose.
struct Fields<'a, 'b> {
    identities: &'b [&'a Identity],
    rules: &'b Survivorship,
    others: Vec<OtherValue>,
}

impl<'a, 'b> Fields<'a, 'b> {
    fn new(identities: &'b [&'a Identity], rules: &'b Survivorship) -> Self {
        Self {
            identities,
            rules,
            others: Vec::new(),
        }
    }

    /// Returns the first value, and keeps the others.
    fn first(&mut self, field: &'static str, ranked: Vec<Ranked<'_>>) -> Option<String> {
        let mut ranked = ranked.into_iter();
        let first = ranked.next()?;
        self.others.extend(ranked.map(|other| other.other(field)));
        Some(first.value)
    }

    /// Chooses the value of a field, placeholders passed over.
    fn choose(
        &mut self,
        field: &'static str,
        criteria: &[Criterion],
        value: impl Fn(&'a Identity) -> Option<&'a String>,
    ) -> Option<String> {
        let said = |identity: &&'a Identity| {
            let value = value(identity).map(|value| value.trim().to_owned());
            self.rules
                .votes(identity, value.filter(|value| is_said(value)))
        };
        let ranked = ranked(self.identities.iter().flat_map(said), criteria);
        self.first(field, ranked)
    }

    /// Chooses a country, as a code where it is known.
    fn country(&mut self) -> Option<String> {
        let code = |raw: &String| {
            country::normalise(raw).map_or_else(|| raw.trim().to_owned(), str::to_owned)
        };
        let said = |identity: &&'a Identity| {
            let named = identity.country.as_ref();
            let named = named.filter(|raw| is_said(raw));
            self.rules.votes(identity, named.map(code))
        };
        let ranked = ranked(self.identities.iter().flat_map(said), &self.rules.place);
        self.first("country", ranked)
    }

    /// Chooses given name and surname: of the names with most parts that are more than an initial.
    fn person_name(&mut self, people: &[Person<'_>]) -> (Option<String>, Option<String>) {
        let mut by_wholeness: BTreeMap<std::cmp::Reverse<usize>, Vec<Vote<'a>>> = BTreeMap::new();
        for (person, identity) in people.iter().zip(self.identities) {
            let Some((first, last)) = display_name(identity).filter(|_| person.name.is_given())
            else {
                continue;
            };
            let is_whole = |part: &str| usize::from(part.chars().count() > 2);
            let whole = std::cmp::Reverse(is_whole(&first) + is_whole(&last));
            let name = Some(format!("{first}{BETWEEN}{last}"));
            by_wholeness
                .entry(whole)
                .or_default()
                .extend(self.rules.votes(identity, name));
        }
        let mut names = Vec::new();
        for votes in by_wholeness.into_values() {
            names.extend(ranked(votes.into_iter(), &self.rules.name));
        }
        for other in names.iter_mut().skip(1) {
            other.value = other.value.replace(BETWEEN, " ").trim().to_owned();
        }
        let Some(best) = self.first("full_name", names) else {
            return (None, None);
        };
        let (first, last) = best.split_once(BETWEEN).unwrap_or((&best, ""));
        let filled = |part: &str| (!part.is_empty()).then(|| part.to_owned());
        (filled(first), filled(last))
    }
}

/// Stands between given name and surname where both are one value.
const BETWEEN: char = '\u{1f}';

/// Says whether a value says anything.
fn is_said(value: &str) -> bool {
    !value.is_empty() && !name::says_nothing(value)
}

/// Returns a record's given name and surname as a person would write them; its own spelling where it has one.
fn display_name(identity: &Identity) -> Option<(String, String)> {
    let part = |value: &Option<String>| {
        value
            .as_deref()
            .map(str::trim)
            .unwrap_or_default()
            .to_owned()
    };
    let (first, last) = (part(&identity.first_name), part(&identity.last_name));
    let plain =
        |value: &str| value.is_empty() || (is_said(value) && value.chars().any(char::is_lowercase));
    if (!first.is_empty() || !last.is_empty())
        && plain(&first)
        && plain(&last)
        && !last.contains(',')
    {
        return Some((first, last));
    }
    let full_name = if first.is_empty() && last.is_empty() {
        part(&identity.full_name)
    } else {
        format!("{first} {last}")
    };
    let mut words = full_name.split_whitespace();
    if let (Some(first), Some(last), None) = (words.next(), words.next(), words.next())
        && plain(&full_name)
        && full_name.chars().all(|letter| {
            letter.is_alphabetic() || letter.is_whitespace() || "'-.".contains(letter)
        })
    {
        return Some((first.to_owned(), last.to_owned()));
    }
    let NormalName { first, last, .. } = name::normalise(&full_name);
    let display = (capitalised(&first), capitalised(&last));
    (!display.0.is_empty() || !display.1.is_empty()).then_some(display)
}

/// Writes every word of a folded name with a capital.
fn capitalised(folded: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect()
        })
    };
    folded
        .split(' ')
        .map(word)
        .collect::<Vec<String>>()
        .join(" ")
}

/// An e-mail address of a record.
struct Address {
    email: NormalEmail,
    /// The domain, if it is one organisation's own.
    own_domain: Option<String>,
}

impl Address {
    fn read(raw: &str) -> Option<Self> {
        let mut own_domain = None;
        let email = email::normalise_with(raw, |host| {
            let domain = domain::normalise(host)?;
            own_domain = (domain.class == DomainClass::Own).then_some(domain.registrable);
            Some(domain.class)
        })?;
        Some(Self { email, own_domain })
    }

    /// Returns the domain of a work mailbox.
    fn work_domain(&self) -> Option<String> {
        let is_work = matches!(self.email.class, EmailClass::Work | EmailClass::Role);
        self.own_domain.clone().filter(|_| is_work)
    }
}

/// Returns the addresses of each record.
fn addresses<'a>(identities: &[&'a Identity]) -> Vec<(&'a Identity, Vec<Address>)> {
    let read = |identity: &&'a Identity| {
        let addresses = identity.emails.iter().filter_map(|raw| Address::read(raw));
        (*identity, addresses.collect())
    };
    identities.iter().map(read).collect()
}

/// Lists e-mail addresses, the best first.
fn emails(
    said: &[(&Identity, Vec<Address>)],
    (spread, rules): (Spread<'_>, &Survivorship),
) -> Vec<Contact> {
    let is_somebodys =
        |email: &&NormalEmail| !matches!(email.class, EmailClass::Placeholder | EmailClass::System);
    let read = said.iter().flat_map(|(_, addresses)| addresses);
    let classes: BTreeMap<&str, EmailClass> = read
        .map(|it| (it.email.address.as_str(), it.email.class))
        .collect();
    let said = said.iter().flat_map(|(identity, addresses)| {
        let emails = addresses.iter().map(|it| &it.email).filter(is_somebodys);
        rules.votes(
            identity,
            emails.map(|it| it.address.clone()).collect::<Vec<_>>(),
        )
    });
    let kind = |address: &str| match classes.get(address) {
        _ if spread.has(address) => ContactKind::Shared,
        Some(EmailClass::Work) => ContactKind::Work,
        Some(EmailClass::Free) => ContactKind::Personal,
        _ => ContactKind::Shared,
    };
    let contacts = ranked(said, &rules.contact).into_iter();
    let mut contacts: Vec<Contact> = contacts
        .map(|ranked| Contact {
            kind: kind(&ranked.value),
            value: ranked.value,
            record_count: ranked.count,
        })
        .collect();
    contacts.sort_by_key(|contact| contact.kind);
    contacts
}

/// Lists phone numbers, the best first; a number known with and without its country is one.
fn phones(identities: &[&Identity], spread: Spread<'_>, settings: &Settings) -> Vec<Contact> {
    let (rules, country) = (&settings.survivorship, settings.default_country.as_deref());
    let mut by_number: BTreeMap<String, Vec<Vote<'_>>> = BTreeMap::new();
    for identity in identities {
        let country = country::of_record(identity.country.as_deref(), country);
        for raw in &identity.phones {
            let phone = phone::normalise(raw, country);
            if phone.class == PhoneClass::Real {
                let value = phone.e164.unwrap_or_else(|| phone.national.clone());
                let votes = by_number.entry(phone.national).or_default();
                votes.extend(rules.votes(identity, Some(value)));
            }
        }
    }
    let mut numbers: Vec<(ContactKind, Ranked<'_>)> = Vec::new();
    for (national, mut votes) in by_number {
        let with_country = votes
            .iter()
            .filter(|vote| vote.value.starts_with('+'))
            .max_by_key(|vote| vote.changed_at);
        if let Some(e164) = with_country.map(|vote| vote.value.clone()) {
            votes
                .iter_mut()
                .filter(|vote| !vote.value.starts_with('+'))
                .for_each(|vote| vote.value.clone_from(&e164));
        }
        let kind = if spread.has(&national) {
            ContactKind::Shared
        } else {
            ContactKind::Personal
        };
        numbers.extend(spelt(votes, &rules.contact).map(|ranked| (kind, ranked)));
    }
    numbers.sort_by(|(kind, a), (other_kind, b)| {
        kind.cmp(other_kind)
            .then_with(|| a.order(b, &rules.contact))
    });
    let contacts = numbers.into_iter().map(|(kind, ranked)| Contact {
        value: ranked.value,
        kind,
        record_count: ranked.count,
    });
    contacts.collect()
}

/// How much an entity stands on.
struct Seen {
    record_count: usize,
    source_count: usize,
    first_seen: i64,
    last_seen: i64,
}

impl Seen {
    /// Counts records and sources and finds the first and last time.
    fn of(identities: &[&Identity]) -> Self {
        let sources: BTreeSet<&str> = identities
            .iter()
            .map(|identity| identity.record.source.as_ref())
            .collect();
        let times = identities
            .iter()
            .flat_map(|identity| [identity.created_at, identity.changed_at]);
        Self {
            record_count: identities.len(),
            source_count: sources.len(),
            first_seen: times.filter(|time| *time != 0).min().unwrap_or(0),
            last_seen: identities
                .iter()
                .map(|identity| identity.changed_at)
                .max()
                .unwrap_or(0),
        }
    }
}
