//! Finds which records are one person.

use std::collections::{HashMap, HashSet};

use super::cluster::{self, Clustering, Edge};
use super::compare::{self, CONFLICT, Comparer, Likeness, MISSING, NameScale, PlaceScale, finding};
use super::evidence::{FieldEvidence, Outcome};
use super::frequency::{Frequency, count_of, log2};
use super::identity::EntityKind;
use super::keys::{self, Key, KeyKind, Keys};
use super::model::{Model, Settings};
use super::prepared::{Mailbox, NameOrigin, Person, Prepared, Symbol, Texts};
use crate::normalise::email::EmailClass;

/// Clusters the records about people.
pub(super) fn cluster(prepared: &Prepared<'_>, settings: &Settings) -> Clustering {
    let model = &settings.model;
    let mut scale = Scale::new(prepared, model);
    let blocks = keys(prepared).into_blocks();
    scale.count_users(&blocks);
    let text = |symbol| prepared.texts.text(symbol).to_owned();
    let met = keys::pairs(&blocks, (model.block_cap, model.block_window), |index| {
        let name = prepared
            .people
            .get(index)
            .map(|person| person.name)
            .unwrap_or_default();
        [text(name.last), text(name.first)]
    });
    let mut edges = Vec::new();
    for (left, right, kind) in &met.pairs {
        let Some(weighed) = scale.weigh(*left, *right) else {
            continue;
        };
        let total = weighed.total();
        if total >= model.accept_bits {
            edges.push(Edge {
                left: *left,
                right: *right,
                key: kind.as_str(),
                fields: weighed.findings(),
                prior: weighed.prior,
                total,
                outcome: Outcome::Joined,
            });
        }
    }
    let mut found = cluster::join(
        EntityKind::Person,
        prepared.people.len(),
        edges,
        model,
        |one, other| scale.contradict(one, other),
    );
    found.candidate_pairs = met.pairs.len();
    found.capped_keys = met.capped;
    found
}

/// Puts every record under its keys.
fn keys(prepared: &Prepared<'_>) -> Keys {
    let mut keys = Keys::default();
    for (at, person) in prepared.people.iter().enumerate() {
        let name = &person.name;
        for mailbox in &person.mailboxes {
            keys.put_numbered(KeyKind::Mailbox, (mailbox.address, 0), at);
            keys.put_numbered(KeyKind::MailboxName, (mailbox.local, 0), at);
        }
        if name.origin == NameOrigin::None {
            person
                .role_mailboxes
                .iter()
                .for_each(|role| keys.put_numbered(KeyKind::RoleMailbox, (*role, 0), at));
        }
        person
            .phones
            .iter()
            .for_each(|phone| keys.put_numbered(KeyKind::Phone, (*phone, 0), at));
        keys.put_numbered(KeyKind::Birth, (person.birth, 0), at);
        keys.put(
            KeyKind::House,
            (person.place.number, person.place.street),
            at,
        );
        keys.put(
            KeyKind::FullName,
            (name.first.min(name.last), name.first.max(name.last)),
            at,
        );
        keys.put_numbered(KeyKind::Surname, (name.last, 0), at);
        if name.last.is_empty() {
            keys.put_numbered(KeyKind::Surname, (name.first, 0), at);
        }
        let year = prepared
            .texts
            .text(person.birth)
            .get(..4)
            .and_then(|year| year.parse().ok());
        for part in [name.first, name.last] {
            if prepared.texts.text(part).len() > 1 {
                person.organisations.iter().for_each(|org| {
                    keys.put_numbered(KeyKind::NameAtOrganisation, (part, *org), at)
                });
                keys.put(KeyKind::NameAndPlace, (part, person.place.postal_code), at);
                keys.put(KeyKind::NameAndPlace, (part, person.place.city), at);
                if let Some(year) = year {
                    keys.put_numbered(KeyKind::NameAndBirthYear, (part, year), at);
                }
            }
        }
        for (groups, surname) in [
            (name.first_groups, name.last),
            (name.last_groups, name.first),
        ] {
            for group in groups {
                keys.put_numbered(
                    KeyKind::NicknameAndSurname,
                    (surname, u32::from(*group)),
                    at,
                );
            }
        }
    }
    keys
}

/// What pairs of people are weighed with.
struct Scale<'a> {
    people: &'a [Person],
    model: &'a Model,
    texts: &'a Texts,
    comparer: Comparer<'a>,
    names: NameScale<'a>,
    places: PlaceScale<'a>,
    births: Frequency<Symbol>,
    organisations: Frequency<u32>,
    company_phones: HashSet<Symbol>,
    /// How many people use a mailbox or phone, by kind of key and value.
    users: HashMap<(KeyKind, u32), u32>,
    prior: f32,
}

/// A pair, weighed.
struct Weighed {
    prior: f32,
    fields: [FieldEvidence; 7],
}

impl Weighed {
    /// Returns the sum.
    fn total(&self) -> f32 {
        self.fields
            .iter()
            .fold(self.prior, |sum, field| sum + field.bits)
    }

    /// Returns the fields that say anything.
    fn findings(&self) -> Vec<FieldEvidence> {
        self.fields
            .iter()
            .filter(|field| field.level != MISSING && field.bits != 0.0)
            .copied()
            .collect()
    }
}

/// Over this many users of a mailbox or phone the exact number does not matter.
const MANY_USERS: usize = 24;

/// How many users a phone has at least that a company's record carries.
const SWITCHBOARD_USERS: u32 = 5;

/// The fewest people that a set stands for: two who share a name in a small set are not one for that alone.
const FEWEST_PEOPLE: u32 = 1_000;

/// Names are taken to be drawn from at least so many, however small the set.
const FEWEST_NAMES: u32 = 64;

/// Dates of birth are taken to be at least so many, however small the set.
const FEWEST_BIRTHS: u32 = 8_000;

impl<'a> Scale<'a> {
    /// Counts names, places, dates and organisations.
    fn new(prepared: &'a Prepared<'_>, model: &'a Model) -> Self {
        let people = prepared.people.as_slice();
        let given = people
            .iter()
            .map(|person| person.name)
            .filter(|name| !name.first.is_empty() && !name.last.is_empty());
        let mut named: Vec<(Symbol, Symbol)> = given.map(|name| (name.first, name.last)).collect();
        named.sort_unstable();
        named.dedup();
        let population = count_of(named.len())
            .max(count_of(people.len() / 4))
            .max(FEWEST_PEOPLE);
        let weights = &model.people;
        let places = || people.iter().map(|person| &person.place);
        Self {
            people,
            model,
            texts: &prepared.texts,
            comparer: Comparer::new(&prepared.texts),
            names: NameScale {
                weights,
                firsts: Frequency::of(named.iter().map(|(first, _)| *first))
                    .among_at_least(FEWEST_NAMES),
                lasts: Frequency::of(named.iter().map(|(_, last)| *last))
                    .among_at_least(FEWEST_NAMES),
            },
            places: PlaceScale {
                weights: &weights.address,
                postal_codes: Frequency::of(
                    places()
                        .map(|place| place.postal_code)
                        .filter(|code| !code.is_empty()),
                ),
                cities: Frequency::of(
                    places()
                        .map(|place| place.city)
                        .filter(|city| !city.is_empty()),
                ),
            },
            births: Frequency::of(people.iter().map(|person| person.birth)),
            organisations: Frequency::of(
                people
                    .iter()
                    .flat_map(|person| person.organisations.iter().copied()),
            ),
            company_phones: prepared
                .companies
                .iter()
                .flat_map(|company| company.phones.iter().copied())
                .collect(),
            users: HashMap::new(),
            prior: weights.prior_offset - log2(population),
        }
    }

    /// Counts the people on every mailbox and phone: names that contradict each other are several.
    fn count_users(&mut self, blocks: &[(Key, Vec<usize>)]) {
        for (key, members) in blocks {
            if !matches!(key.kind, KeyKind::Mailbox | KeyKind::Phone) {
                continue;
            }
            let mut users: Vec<usize> = Vec::new();
            for member in members {
                let Some(person) = self
                    .people
                    .get(*member)
                    .filter(|person| person.name.is_given())
                else {
                    continue;
                };
                let known = users.iter().any(|user| {
                    self.people.get(*user).is_some_and(|user| {
                        !compare::names(&mut self.comparer, &self.names, &user.name, &person.name)
                            .contradicts()
                    })
                });
                if !known {
                    users.push(*member);
                }
                if users.len() >= MANY_USERS {
                    break;
                }
            }
            self.users
                .insert((key.kind, key.one), count_of(users.len()).max(1));
        }
    }

    /// Weighs a pair.
    fn weigh(&mut self, left: usize, right: usize) -> Option<Weighed> {
        let people = self.people;
        let (one, other) = (people.get(left)?, people.get(right)?);
        let name = compare::names(&mut self.comparer, &self.names, &one.name, &other.name);
        let (mut mailbox, phone) = self.contacts(one, other);
        if mailbox.level == "local_typo" && name.contradicts() {
            // Initials of two colleagues look like a slip of the finger.
            mailbox = finding(
                "mailbox",
                "colleagues",
                self.model.people.mailbox_colleagues,
            );
        }
        let (phone, organisation) = match mailbox.level {
            // Who shares a mailbox shares its organisation.
            "shared" | "role" => (phone, finding("organisation", MISSING, 0.0)),
            _ => stronger(phone, self.organisation(one, other)),
        };
        let address = compare::places(&mut self.comparer, &self.places, &one.place, &other.place);
        let birth = self.birth(one.birth, other.birth);
        let derived =
            one.name.origin == NameOrigin::Mailbox || other.name.origin == NameOrigin::Mailbox;
        let name_bits = if derived {
            (name.bits() * 0.8).max(-3.0)
        } else {
            name.bits()
        };
        // A mailbox outlives a change of surname, and its users rarely share a given name.
        let renamed =
            mailbox.level == "shared" && name.last.level == CONFLICT && name.first.bits > 0.0;
        let name_bits = if renamed {
            name_bits - name.last.bits + self.model.people.renamed
        } else {
            name_bits
        };
        let parts = finding("name", name_level(&name), name_bits);
        let order = finding("name_order", name.whole.level, 0.0);
        Some(Weighed {
            prior: self.prior,
            fields: [parts, order, mailbox, phone, organisation, address, birth],
        })
    }

    /// Says whether two records cannot be one person's: their names contradict, and nothing outweighs it.
    fn contradict(&mut self, left: usize, right: usize) -> bool {
        let (Some(one), Some(other)) = (self.people.get(left), self.people.get(right)) else {
            return false;
        };
        let given = one.name.is_given() && other.name.is_given();
        let births = !one.birth.is_empty() && !other.birth.is_empty() && one.birth != other.birth;
        let namesakes = self.are_namesakes(one, other);
        let clash = namesakes
            || (given
                && compare::names(&mut self.comparer, &self.names, &one.name, &other.name)
                    .contradicts());
        let born_apart = births && self.birth(one.birth, other.birth).level == CONFLICT;
        let bound = match (clash, born_apart) {
            (true, false) => self.model.contradiction_bits,
            (_, true) => self.model.birth_contradiction_bits,
            (false, false) => return false,
        };
        self.weigh(left, right)
            .is_some_and(|weighed| weighed.total() < bound)
    }

    /// Says whether two records have mailboxes that differ in a number only, as an organisation gives namesakes.
    fn are_namesakes(&self, one: &Person, other: &Person) -> bool {
        one.mailboxes.iter().any(|left| {
            let shared = other
                .mailboxes
                .iter()
                .any(|right| right.address == left.address);
            !shared
                && other
                    .mailboxes
                    .iter()
                    .any(|right| is_numbered(self.texts, left, right))
        })
    }

    /// Weighs mailboxes and phones. The best shared one takes the place of the prior: among the people who use
    /// it, the chance is one in as many.
    fn contacts(&mut self, one: &Person, other: &Person) -> (FieldEvidence, FieldEvidence) {
        let weights = &self.model.people;
        let nameless = one.name.origin == NameOrigin::None && other.name.origin == NameOrigin::None;
        let line = nameless
            && one.mailboxes.is_empty()
            && other.mailboxes.is_empty()
            && one.role_mailboxes == other.role_mailboxes;
        let prior = self.prior;
        let replaces_prior =
            |users: u32, slack: f32| -prior - (users.saturating_sub(1) as f32 + slack).log2();
        let shared = one.mailboxes.iter().filter(|mailbox| {
            other
                .mailboxes
                .iter()
                .any(|known| known.address == mailbox.address)
        });
        let mailbox_users = shared
            .map(|mailbox| self.users_of(KeyKind::Mailbox, mailbox.address))
            .min();
        let shares_role = nameless
            && one
                .role_mailboxes
                .iter()
                .any(|role| other.role_mailboxes.contains(role));
        let mailbox = match mailbox_users {
            Some(users) => finding(
                "mailbox",
                "shared",
                replaces_prior(if nameless { 1 } else { users }, weights.mailbox_slack),
            ),
            None if shares_role => {
                finding("mailbox", "role", replaces_prior(1, weights.mailbox_slack))
            }
            None => self.different_mailboxes(one, other),
        };
        let shared = one
            .phones
            .iter()
            .filter(|phone| other.phones.contains(phone));
        let phone_users = shared
            .map(|phone| self.users_of(KeyKind::Phone, *phone))
            .min();
        let phone = match phone_users {
            Some(users) => finding(
                "phone",
                "shared",
                replaces_prior(if line { 1 } else { users }, weights.phone_slack),
            ),
            None if one.phones.is_empty() || other.phones.is_empty() => {
                finding("phone", MISSING, 0.0)
            }
            None => finding("phone", "different", 0.0),
        };
        match (
            mailbox_users.is_some() || shares_role,
            phone_users.is_some(),
        ) {
            (true, true) if mailbox.bits >= phone.bits => {
                (mailbox, finding("phone", "second", weights.second_contact))
            }
            (true, true) => (finding("mailbox", "shared", weights.second_contact), phone),
            // A shared contact that says less than nothing, because so many use it, is no evidence at all.
            (false, true) => (
                mailbox,
                FieldEvidence {
                    bits: phone.bits.max(0.0),
                    ..phone
                },
            ),
            _ => (mailbox, phone),
        }
    }

    /// Returns how many people use a mailbox or phone.
    fn users_of(&self, kind: KeyKind, value: Symbol) -> u32 {
        let users = self
            .users
            .get(&(kind, value.number()))
            .copied()
            .unwrap_or(1);
        if kind == KeyKind::Phone && self.company_phones.contains(&value) {
            users.max(SWITCHBOARD_USERS)
        } else {
            users
        }
    }

    /// Weighs mailboxes of which none is shared.
    fn different_mailboxes(&mut self, one: &Person, other: &Person) -> FieldEvidence {
        let mut best = finding("mailbox", MISSING, 0.0);
        for left in &one.mailboxes {
            for right in &other.mailboxes {
                let found = self.two_mailboxes(left, right);
                if best.level == MISSING || found.bits > best.bits {
                    best = found;
                }
            }
        }
        best
    }

    /// Weighs two mailboxes that differ.
    fn two_mailboxes(&mut self, one: &Mailbox, other: &Mailbox) -> FieldEvidence {
        const TELLING: usize = 6;
        let weights = &self.model.people;
        let telling = self.texts.text(one.local).len() >= TELLING;
        if one.local == other.local {
            let typo = self.comparer.likeness(one.domain, other.domain) == Likeness::OneEdit;
            return if typo {
                finding("mailbox", "domain_typo", weights.mailbox_domain_typo)
            } else if telling {
                finding("mailbox", "same_local", weights.mailbox_same_local)
            } else {
                finding("mailbox", "different", 0.0)
            };
        }
        if one.domain == other.domain {
            if is_numbered(self.texts, one, other) {
                return finding("mailbox", "numbered", weights.mailbox_numbered);
            }
            if telling
                && strsim::osa_distance(self.texts.text(one.local), self.texts.text(other.local))
                    <= 1
            {
                return finding("mailbox", "local_typo", weights.mailbox_local_typo);
            }
            if one.class == EmailClass::Work && other.class == EmailClass::Work {
                return finding("mailbox", "colleagues", weights.mailbox_colleagues);
            }
        }
        finding("mailbox", "different", 0.0)
    }

    /// Weighs organisations.
    fn organisation(&self, one: &Person, other: &Person) -> FieldEvidence {
        let weights = &self.model.people;
        if one.organisations.is_empty() || other.organisations.is_empty() {
            return finding("organisation", MISSING, 0.0);
        }
        let shared = one
            .organisations
            .iter()
            .filter(|org| other.organisations.contains(org));
        let bits = shared
            .map(|org| self.organisations.bits(org))
            .max_by(f32::total_cmp);
        match bits {
            Some(bits) => finding("organisation", "equal", bits.min(weights.organisation_cap)),
            None => finding("organisation", CONFLICT, weights.organisation_conflict),
        }
    }

    /// Weighs dates of birth.
    fn birth(&self, one: Symbol, other: Symbol) -> FieldEvidence {
        let weights = &self.model.people;
        if one.is_empty() || other.is_empty() {
            finding("birth_date", MISSING, 0.0)
        } else if one == other {
            let bits = log2(count_of(self.people.len()).max(FEWEST_BIRTHS))
                - log2(self.births.count(&one));
            finding("birth_date", "equal", bits.clamp(0.0, weights.birth_cap))
        } else if compare::dates_are_near(self.texts.text(one), self.texts.text(other)) {
            finding("birth_date", "near", weights.birth_near)
        } else if compare::dates_are_close(self.texts.text(one), self.texts.text(other)) {
            finding("birth_date", "close", weights.birth_close)
        } else {
            finding("birth_date", CONFLICT, weights.birth_conflict)
        }
    }
}

/// Says whether two work mailboxes at one domain differ in a number at the end only.
fn is_numbered(texts: &Texts, one: &Mailbox, other: &Mailbox) -> bool {
    let bare = |mailbox: &Mailbox| {
        texts
            .text(mailbox.local)
            .trim_end_matches(|letter: char| letter.is_ascii_digit())
    };
    one.domain == other.domain
        && one.class == EmailClass::Work
        && one.local != other.local
        && bare(one) == bare(other)
}

/// Keeps the stronger of a shared phone and a shared organisation: a switchboard is its organisation's.
fn stronger(phone: FieldEvidence, organisation: FieldEvidence) -> (FieldEvidence, FieldEvidence) {
    if phone.level != "shared" || organisation.bits <= 0.0 {
        (phone, organisation)
    } else if phone.bits >= organisation.bits {
        (
            phone,
            FieldEvidence {
                bits: 0.0,
                ..organisation
            },
        )
    } else {
        (FieldEvidence { bits: 0.0, ..phone }, organisation)
    }
}

/// Names the level of two whole names.
fn name_level(name: &compare::NameFinding) -> &'static str {
    match (name.first.level, name.last.level) {
        (MISSING, MISSING) => MISSING,
        (CONFLICT, CONFLICT) => CONFLICT,
        (CONFLICT, _) => "other_first_name",
        (_, CONFLICT) => "other_last_name",
        ("equal", "equal") => "equal",
        (MISSING, _) => "last_name_only",
        (_, MISSING) => "first_name_only",
        ("nickname", _) => "nickname",
        ("initial", _) | (_, "initial") => "initial",
        ("truncated", _) | (_, "truncated") => "truncated",
        _ => "similar",
    }
}
