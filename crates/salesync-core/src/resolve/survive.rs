//! Chooses what survives of an entity's records: the most frequent value, then the newest, then the longest.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use super::cluster::{Cluster, Clustering};
use super::entity::EntityId;
use super::golden::{Contact, ContactKind, GoldenCompany, GoldenPerson};
use super::identity::{EntityKind, Identity};
use super::keep::Kept;
use super::prepared::{Person, Prepared, Symbol, Texts, place};
use crate::normalise::domain::{self, DomainClass};
use crate::normalise::email::{self, EmailClass};
use crate::normalise::name::{self, NormalName};
use crate::normalise::phone::{self, PhoneClass};
use crate::normalise::{country, text};

/// Records as they are compared and as they came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) prepared: &'a Prepared,
    /// By arrival.
    pub(super) identities: &'a [&'a Identity],
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

/// Makes the golden records of people, by id.
pub(super) fn people(whole: Whole<'_>, found: &Clustering, kept: &Kept) -> Vec<GoldenPerson> {
    let spread = Spread::new(whole.prepared, found);
    let mut people: Vec<GoldenPerson> = found
        .clusters
        .iter()
        .zip(&kept.person_ids)
        .map(|(cluster, id)| person(whole, cluster, id, (&spread, &kept.company_ids)))
        .collect();
    people.sort_by(|a, b| a.id.cmp(&b.id));
    people
}

/// Makes the golden records of companies, by id.
pub(super) fn companies(
    whole: Whole<'_>,
    found: &Clustering,
    ids: &[EntityId],
) -> Vec<GoldenCompany> {
    let spread = Spread::nobody_elses(whole.prepared);
    let mut companies: Vec<GoldenCompany> = found
        .clusters
        .iter()
        .zip(ids)
        .map(|(cluster, id)| company(whole, cluster, id, &spread))
        .collect();
    companies.sort_by(|a, b| a.id.cmp(&b.id));
    companies
}

/// Makes one person's golden record.
fn person(
    whole: Whole<'_>,
    cluster: &Cluster,
    id: &EntityId,
    (spread, company_ids): (&Spread<'_>, &[EntityId]),
) -> GoldenPerson {
    let people: Vec<Person<'_>> = cluster
        .members
        .iter()
        .filter_map(|member| whole.prepared.person(place(member.index)))
        .collect();
    let identities = whole.identities(EntityKind::Person, cluster);
    let (first_name, last_name) = best_name(&people, &identities);
    let full_name = match (&first_name, &last_name) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.clone().or_else(|| last.clone()),
    };
    let emails = emails(&identities, spread);
    let work = identities.iter().flat_map(|identity| {
        votes(
            identity,
            identity.emails.iter().filter_map(|raw| work_domain(raw)),
        )
    });
    let employers = people
        .iter()
        .zip(&identities)
        .flat_map(|(person, identity)| {
            let known = person.organisations.iter().map(|number| place(*number));
            votes(
                identity,
                known
                    .filter_map(|number| company_ids.get(number))
                    .map(|id| id.as_str().to_owned())
                    .take(1),
            )
        });
    let company_id = choose(employers).and_then(|id| EntityId::parse(&id).ok());
    let Seen {
        record_count,
        source_count,
        first_seen,
        last_seen,
    } = Seen::of(&identities);
    GoldenPerson {
        id: id.clone(),
        full_name,
        first_name,
        last_name,
        email: emails.first().map(|contact| contact.value.clone()),
        emails,
        phones: phones(&identities, spread),
        title: field(&identities, |identity| identity.title.as_ref()),
        company: field(&identities, |identity| identity.company.as_ref()),
        company_id,
        domain: choose(work),
        city: field(&identities, |identity| identity.city.as_ref()),
        country: countries(&identities),
        record_count,
        source_count,
        first_seen,
        last_seen,
        confidence: cluster.confidence,
    }
}

/// Makes one company's golden record.
fn company(
    whole: Whole<'_>,
    cluster: &Cluster,
    id: &EntityId,
    spread: &Spread<'_>,
) -> GoldenCompany {
    let identities = whole.identities(EntityKind::Company, cluster);
    let own = |raw: &String| {
        let host = raw.rsplit('@').next().unwrap_or(raw);
        domain::normalise(host)
            .filter(|domain| domain.class == DomainClass::Own)
            .map(|domain| domain.registrable)
    };
    let named = identities.iter().flat_map(|identity| {
        votes(
            identity,
            identity
                .website
                .iter()
                .chain(&identity.emails)
                .filter_map(own),
        )
    });
    let domains: Vec<String> = ranked(named).into_iter().map(|vote| vote.value).collect();
    let Seen {
        record_count,
        source_count,
        first_seen,
        last_seen,
    } = Seen::of(&identities);
    GoldenCompany {
        id: id.clone(),
        name: field(&identities, |identity| identity.company.as_ref()),
        domain: domains.first().cloned(),
        domains,
        emails: emails(&identities, spread),
        phones: phones(&identities, spread),
        city: field(&identities, |identity| identity.city.as_ref()),
        country: countries(&identities),
        record_count,
        source_count,
        first_seen,
        last_seen,
        confidence: cluster.confidence,
    }
}

/// Which mailboxes and phones are on several entities.
struct Spread<'a> {
    texts: &'a Texts,
    shared: HashSet<Symbol>,
}

impl<'a> Spread<'a> {
    /// Takes every mailbox and phone for one entity's.
    fn nobody_elses(prepared: &'a Prepared) -> Self {
        Self {
            texts: &prepared.texts,
            shared: HashSet::new(),
        }
    }

    /// Looks at all people's mailboxes and phones.
    fn new(prepared: &'a Prepared, found: &Clustering) -> Self {
        let mut owners: HashMap<Symbol, u32> = HashMap::new();
        let mut spread = Self::nobody_elses(prepared);
        for (person, cluster) in prepared.people().zip(&found.cluster_of) {
            let addresses = person.mailboxes.iter().map(|mailbox| mailbox.address);
            for value in addresses.chain(person.phones.iter().copied()) {
                if owners.entry(value).or_insert(*cluster) != cluster {
                    spread.shared.insert(value);
                }
            }
        }
        let switchboards = prepared.companies().flat_map(|company| company.phones);
        spread.shared.extend(switchboards);
        spread
    }

    /// Says whether a normalised address or national number is on several entities.
    fn has(&self, value: &str) -> bool {
        let symbol = self.texts.find(value);
        symbol.is_some_and(|symbol| self.shared.contains(&symbol))
    }
}

/// One record's word for a value.
struct Vote {
    value: String,
    changed_at: i64,
}

/// Makes votes of a record's values.
fn votes<V: Iterator<Item = String>>(
    identity: &Identity,
    values: V,
) -> impl Iterator<Item = Vote> + use<V> {
    let changed_at = identity.changed_at;
    values.map(move |value| Vote { value, changed_at })
}

/// A value with the support it has.
struct Ranked {
    value: String,
    count: usize,
    newest: i64,
}

/// Ranks values: the most frequent first, then the newest, then the longest, then by letter. Spellings that fold
/// to one value count together, and the best spelling stands for them.
fn ranked(mut votes: impl Iterator<Item = Vote>) -> Vec<Ranked> {
    let (Some(first), second) = (votes.next(), votes.next()) else {
        return Vec::new();
    };
    let Some(second) = second else {
        return vec![Ranked {
            value: first.value,
            count: 1,
            newest: first.changed_at,
        }];
    };
    let mut by_key: BTreeMap<String, Vec<Vote>> = BTreeMap::new();
    for vote in [first, second].into_iter().chain(votes) {
        by_key
            .entry(text::fold(&vote.value))
            .or_default()
            .push(vote);
    }
    let mut values: Vec<Ranked> = by_key.into_values().filter_map(spelt).collect();
    sort(&mut values);
    values
}

/// Returns the best spelling of one value, with the support of all.
fn spelt(votes: Vec<Vote>) -> Option<Ranked> {
    let count = votes.len();
    let newest = votes.iter().map(|vote| vote.changed_at).max()?;
    let mut spellings: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for vote in votes {
        let support = spellings.entry(vote.value).or_insert((0, i64::MIN));
        support.0 += 1;
        support.1 = support.1.max(vote.changed_at);
    }
    let mut values: Vec<Ranked> = spellings
        .into_iter()
        .map(|(value, (count, newest))| Ranked {
            value,
            count,
            newest,
        })
        .collect();
    sort(&mut values);
    values.into_iter().next().map(|best| Ranked {
        value: best.value,
        count,
        newest,
    })
}

/// Sorts by the rule.
fn sort(values: &mut [Ranked]) {
    values.sort_by(|a, b| {
        let support = (b.count, b.newest, b.value.len()).cmp(&(a.count, a.newest, a.value.len()));
        support.then_with(|| a.value.cmp(&b.value))
    });
}

/// Returns the value that the rule puts first.
fn choose(votes: impl Iterator<Item = Vote>) -> Option<String> {
    ranked(votes).into_iter().next().map(|ranked| ranked.value)
}

/// Chooses the value of a field, placeholders passed over.
fn field<'a>(
    identities: &[&'a Identity],
    value: impl Fn(&'a Identity) -> Option<&'a String>,
) -> Option<String> {
    let said = |identity: &&'a Identity| {
        let value = value(identity).map(|value| value.trim().to_owned());
        votes(identity, value.filter(|value| is_said(value)).into_iter())
    };
    choose(identities.iter().flat_map(said))
}

/// Says whether a value says anything.
fn is_said(value: &str) -> bool {
    !value.is_empty() && !name::says_nothing(value)
}

/// Chooses a country.
fn countries(identities: &[&Identity]) -> Option<String> {
    let code =
        |raw: &String| country::normalise(raw).map_or_else(|| raw.trim().to_owned(), str::to_owned);
    let said = identities.iter().flat_map(|identity| {
        votes(
            identity,
            identity
                .country
                .iter()
                .filter(|raw| !raw.trim().is_empty())
                .map(code),
        )
    });
    choose(said)
}

/// Chooses a name: the most frequent whole one that is not an initial, then the best spelling of its parts.
fn best_name(people: &[Person<'_>], identities: &[&Identity]) -> (Option<String>, Option<String>) {
    let mut spelt: Vec<(usize, Vote)> = Vec::new();
    for (person, identity) in people.iter().zip(identities) {
        let Some((first, last)) = display_name(identity).filter(|_| person.name.is_given()) else {
            continue;
        };
        let whole = usize::from(first.chars().count() > 2) + usize::from(last.chars().count() > 2);
        let value = format!("{first}\u{1f}{last}");
        let changed_at = identity.changed_at;
        spelt.push((whole, Vote { value, changed_at }));
    }
    let most_whole = spelt.iter().map(|(whole, _)| *whole).max();
    let spelt = spelt.into_iter();
    let best = choose(
        spelt
            .filter(|(whole, _)| Some(*whole) == most_whole)
            .map(|(_, vote)| vote),
    );
    let Some(best) = best else {
        return (None, None);
    };
    let (first, last) = best.split_once('\u{1f}').unwrap_or((&best, ""));
    let filled = |part: &str| (!part.is_empty()).then(|| part.to_owned());
    (filled(first), filled(last))
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

/// Returns the domain of a work mailbox.
fn work_domain(raw: &str) -> Option<String> {
    let email = email::normalise(raw)?;
    let own = matches!(email.class, EmailClass::Work | EmailClass::Role);
    own.then(|| domain::normalise(&email.domain))
        .flatten()
        .filter(|domain| domain.class == DomainClass::Own)
        .map(|domain| domain.registrable)
}

/// Lists e-mail addresses, the best first.
fn emails(identities: &[&Identity], spread: &Spread<'_>) -> Vec<Contact> {
    let read = |raw: &String| {
        email::normalise(raw)
            .filter(|email| !matches!(email.class, EmailClass::Placeholder | EmailClass::System))
    };
    let said = identities.iter().flat_map(|identity| {
        votes(
            identity,
            identity
                .emails
                .iter()
                .filter_map(read)
                .map(|email| email.address),
        )
    });
    let kind = |address: &str| match email::normalise(address).map(|email| email.class) {
        _ if spread.has(address) => ContactKind::Shared,
        Some(EmailClass::Work) => ContactKind::Work,
        Some(EmailClass::Free) => ContactKind::Personal,
        _ => ContactKind::Shared,
    };
    let contacts = ranked(said).into_iter();
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
fn phones(identities: &[&Identity], spread: &Spread<'_>) -> Vec<Contact> {
    let mut votes: BTreeMap<String, Vec<Vote>> = BTreeMap::new();
    for identity in identities {
        for raw in &identity.phones {
            let phone = phone::normalise(raw, identity.country.as_deref());
            if phone.class == PhoneClass::Real {
                let value = phone.e164.unwrap_or_else(|| phone.national.clone());
                let changed_at = identity.changed_at;
                let vote = Vote { value, changed_at };
                votes.entry(phone.national).or_default().push(vote);
            }
        }
    }
    let mut values: Vec<(String, Ranked)> = Vec::new();
    for (national, mut votes) in votes {
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
        values.extend(spelt(votes).map(|ranked| (national, ranked)));
    }
    let mut contacts: Vec<(Contact, i64)> = values
        .into_iter()
        .map(
            |(
                national,
                Ranked {
                    value,
                    count,
                    newest,
                },
            )| {
                let kind = if spread.has(&national) {
                    ContactKind::Shared
                } else {
                    ContactKind::Personal
                };
                (
                    Contact {
                        value,
                        kind,
                        record_count: count,
                    },
                    newest,
                )
            },
        )
        .collect();
    contacts.sort_by(|(a, a_time), (b, b_time)| {
        let order = a
            .kind
            .cmp(&b.kind)
            .then((b.record_count, b_time).cmp(&(a.record_count, a_time)));
        order.then_with(|| a.value.cmp(&b.value))
    });
    contacts.into_iter().map(|(contact, _)| contact).collect()
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
