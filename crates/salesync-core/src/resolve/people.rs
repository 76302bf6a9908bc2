//! Finds which records are one person.

use hashbrown::HashSet;

use super::cluster::{self, Clustering, Edge, Reasons};
use super::compare::{self, CONFLICT, Likeness, MISSING, NameScale, PlaceScale, finding};
use super::evidence::{FieldEvidence, Outcome};
use super::frequency::{Frequency, Rarities, count_of, log2};
use super::identity::EntityKind;
use super::keys::{self, Blocks, KeyKind, Pairs};
use super::model::{Model, Settings};
use super::records::{Mailbox, Name, NameOrigin, Person, Prepared, Symbol, Texts, place};
use crate::normalise::email::EmailClass;

/// Clusters the records about people; with the reasons of every edge used if `explained`.
pub(super) fn cluster(prepared: &Prepared, settings: &Settings, explained: bool) -> Clustering {
    let model = &settings.model;
    let mut scale = Scale::new(prepared, model);
    let mut met = Pairs::new(model.block_cap, model.block_window);
    let mut blocks = Blocks::default();
    for kind in KINDS {
        blocks.clear();
        for (index, person) in (0..).zip(prepared.people()) {
            put_keys(kind, &person, &prepared.texts, |value| {
                blocks.put(value, index);
            });
        }
        blocks.sort();
        if matches!(kind, KeyKind::Mailbox | KeyKind::Phone) {
            scale.count_users(&blocks);
        }
        met.meet(kind, &blocks, |index| {
            let row = prepared.people.get(place(index));
            row.map_or([0; 2], |row| row.rank.letters)
        });
    }
    drop(blocks);
    scale.mark_switchboards();
    let capped_keys = met.capped;
    let met = met.into_sorted();
    let mut edges = Vec::new();
    for (left, right, key) in met.iter() {
        let total = scale.weigh(left, right).map(|weighed| weighed.total());
        if let Some(total) = total.filter(|total| *total >= model.accept_bits) {
            edges.push(Edge {
                left,
                right,
                key,
                outcome: Outcome::Joined,
                total,
            });
        }
    }
    let candidate_pairs = met.len();
    drop(met);
    let count = prepared.people.len();
    let mut found = cluster::join(EntityKind::Person, count, edges, model, |one, other| {
        scale.contradict(one, other)
    });
    if explained {
        let reasons = found.edges.iter().map(|edge| scale.reasons(edge));
        found.reasons = reasons.collect();
    }
    found.candidate_pairs = candidate_pairs;
    found.capped_keys = capped_keys;
    found
}

/// The kinds of keys under which people meet, in the order in which they count.
const KINDS: [KeyKind; 12] = [
    KeyKind::Mailbox,
    KeyKind::RoleMailbox,
    KeyKind::Phone,
    KeyKind::MailboxName,
    KeyKind::NameAtOrganisation,
    KeyKind::FullName,
    KeyKind::NicknameAndSurname,
    KeyKind::Birth,
    KeyKind::House,
    KeyKind::NameAndPlace,
    KeyKind::NameAndBirthYear,
    KeyKind::Surname,
];

/// Puts a record under its keys of a kind.
fn put_keys(kind: KeyKind, person: &Person<'_>, texts: &Texts, mut put: impl FnMut(Option<u64>)) {
    let Person { name, place, .. } = person;
    // An initial says too little to be a key.
    let parts = [name.first, name.last]
        .into_iter()
        .filter(|part| texts.text(*part).len() > 1);
    match kind {
        KeyKind::Mailbox => person
            .mailboxes
            .iter()
            .for_each(|mailbox| put(keys::numbered(mailbox.address, 0))),
        KeyKind::MailboxName => person
            .mailboxes
            .iter()
            .for_each(|mailbox| put(keys::numbered(mailbox.local, 0))),
        KeyKind::RoleMailbox if name.origin == NameOrigin::None => person
            .role_mailboxes
            .iter()
            .for_each(|role| put(keys::numbered(*role, 0))),
        KeyKind::Phone => person
            .phones
            .iter()
            .for_each(|phone| put(keys::numbered(*phone, 0))),
        KeyKind::NameAtOrganisation => parts.for_each(|part| {
            let organisations = person.organisations.iter();
            organisations.for_each(|org| put(keys::numbered(part, *org)));
        }),
        KeyKind::FullName => put(keys::both(
            name.first.min(name.last),
            name.first.max(name.last),
        )),
        KeyKind::NicknameAndSurname => {
            for (forms, surname) in [(name.first_forms, name.last), (name.last_forms, name.first)] {
                let groups = forms.groups().iter();
                groups.for_each(|group| put(keys::numbered(surname, u32::from(*group))));
            }
        }
        KeyKind::Birth => put(keys::numbered(person.birth, 0)),
        KeyKind::House => put(keys::both(place.number, place.street)),
        KeyKind::NameAndPlace => {
            parts.for_each(|part| put(keys::both(part, place.postal_code)));
            put(keys::both(name.last, place.city));
        }
        KeyKind::NameAndBirthYear => {
            let year = texts.text(person.birth).get(..4);
            if let Some(year) = year.and_then(|year| year.parse().ok()) {
                parts.for_each(|part| put(keys::numbered(part, year)));
            }
        }
        KeyKind::Surname => {
            put(keys::numbered(name.last, 0));
            if name.last.is_empty() {
                put(keys::numbered(name.first, 0));
            }
        }
        _ => {}
    }
}

/// What pairs of people are weighed with.
struct Scale<'a> {
    prepared: &'a Prepared,
    model: &'a Model,
    texts: &'a Texts,
    names: NameScale<'a>,
    places: PlaceScale<'a>,
    births: Frequency<Symbol>,
    organisations: Frequency<u32>,
    /// How many people use a mailbox or phone, by its number; 0 where they were not counted, and
    /// [`MANY_USERS`] where they are as many or more.
    users: Vec<u8>,
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
const MANY_USERS: u8 = 24;

/// How many users a phone has at least that a company's record carries.
const SWITCHBOARD_USERS: u8 = 5;

/// The fewest people that a set stands for: two who share a name in a small set are not one for that alone.
const FEWEST_PEOPLE: u32 = 1_000;

/// Names are taken to be drawn from at least so many, however small the set.
const FEWEST_NAMES: u32 = 64;

/// Dates of birth are taken to be at least so many, however small the set.
const FEWEST_BIRTHS: u32 = 8_000;

impl<'a> Scale<'a> {
    /// Counts names, places, dates and organisations.
    fn new(prepared: &'a Prepared, model: &'a Model) -> Self {
        let people = prepared.people.as_slice();
        let given = people
            .iter()
            .map(|person| person.name)
            .filter(|name| !name.first.is_empty() && !name.last.is_empty());
        let named: HashSet<(Symbol, Symbol)> = given.map(|name| (name.first, name.last)).collect();
        let population = count_of(named.len())
            .max(count_of(people.len() / 4))
            .max(FEWEST_PEOPLE);
        let weights = &model.people;
        let places = || people.iter().map(|person| &person.place);
        Self {
            prepared,
            model,
            texts: &prepared.texts,
            names: NameScale {
                weights,
                firsts: Rarities::of(
                    &prepared.texts,
                    named.iter().map(|(first, _)| *first),
                    FEWEST_NAMES,
                ),
                lasts: Rarities::of(
                    &prepared.texts,
                    named.iter().map(|(_, last)| *last),
                    FEWEST_NAMES,
                ),
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
                prepared
                    .people()
                    .flat_map(|person| person.organisations)
                    .copied(),
            ),
            users: vec![0; prepared.texts.len() + 1],
            prior: weights.prior_offset - log2(population),
        }
    }

    /// Counts the people on every mailbox or phone: names that contradict each other are several.
    fn count_users(&mut self, blocks: &Blocks) {
        let people = self.prepared.people.as_slice();
        let mut users: Vec<Name> = Vec::new();
        for block in blocks.shared() {
            users.clear();
            let rows = block
                .iter()
                .filter_map(|(_, index)| people.get(place(*index)));
            for name in rows.map(|row| row.name).filter(Name::is_given) {
                let known = users.iter().any(|user| {
                    !compare::names(self.texts, &self.names, user, &name).contradicts()
                });
                if !known {
                    users.push(name);
                }
                if users.len() >= usize::from(MANY_USERS) {
                    break;
                }
            }
            let used = block.first().map(|(value, _)| keys::text_of(*value));
            if let Some(place) = used.and_then(|text| self.users.get_mut(place(text))) {
                *place = u8::try_from(users.len()).unwrap_or(MANY_USERS).max(1);
            }
        }
    }

    /// Takes the phones on companies' records for those of many.
    fn mark_switchboards(&mut self) {
        for phone in self.prepared.companies().flat_map(|company| company.phones) {
            if let Some(users) = self.users.get_mut(phone.place()) {
                *users = SWITCHBOARD_USERS.max(*users);
            }
        }
    }

    fn likeness(&self, one: Symbol, other: Symbol) -> Likeness {
        compare::likeness(self.texts.text(one), self.texts.text(other))
    }

    /// Weighs a pair.
    fn weigh(&self, left: u32, right: u32) -> Option<Weighed> {
        let prepared = self.prepared;
        let (one, other) = (
            &prepared.person(place(left))?,
            &prepared.person(place(right))?,
        );
        let name = compare::names(self.texts, &self.names, &one.name, &other.name);
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
        let address = compare::places(self.texts, &self.places, &one.place, &other.place);
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

    /// Returns what speaks for and against an edge.
    fn reasons(&self, edge: &Edge) -> Reasons {
        let weighed = self.weigh(edge.left, edge.right);
        Reasons {
            prior: self.prior,
            fields: weighed.map_or_else(Vec::new, |weighed| weighed.findings()),
        }
    }

    /// Says whether two records cannot be one person's: their names contradict, and nothing outweighs it.
    fn contradict(&self, left: u32, right: u32) -> bool {
        let prepared = self.prepared;
        let (Some(one), Some(other)) =
            (prepared.person(place(left)), prepared.person(place(right)))
        else {
            return false;
        };
        let given = one.name.is_given() && other.name.is_given();
        let births = !one.birth.is_empty() && !other.birth.is_empty() && one.birth != other.birth;
        let namesakes = self.are_namesakes(&one, &other);
        let clash = namesakes
            || (given
                && compare::names(self.texts, &self.names, &one.name, &other.name).contradicts());
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
    fn are_namesakes(&self, one: &Person<'_>, other: &Person<'_>) -> bool {
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
    fn contacts(&self, one: &Person<'_>, other: &Person<'_>) -> (FieldEvidence, FieldEvidence) {
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
        let mailbox_users = shared.map(|mailbox| self.users_of(mailbox.address)).min();
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
        let phone_users = shared.map(|phone| self.users_of(*phone)).min();
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
    fn users_of(&self, value: Symbol) -> u32 {
        let users = self.users.get(value.place()).copied();
        u32::from(users.unwrap_or(1).max(1))
    }

    /// Weighs mailboxes of which none is shared.
    fn different_mailboxes(&self, one: &Person<'_>, other: &Person<'_>) -> FieldEvidence {
        let mut best = finding("mailbox", MISSING, 0.0);
        for left in one.mailboxes {
            for right in other.mailboxes {
                let found = self.two_mailboxes(left, right);
                if best.level == MISSING || found.bits > best.bits {
                    best = found;
                }
            }
        }
        best
    }

    /// Weighs two mailboxes that differ.
    fn two_mailboxes(&self, one: &Mailbox, other: &Mailbox) -> FieldEvidence {
        const TELLING: usize = 6;
        let weights = &self.model.people;
        let telling = self.texts.text(one.local).len() >= TELLING;
        if one.local == other.local {
            let typo = self.likeness(one.domain, other.domain) == Likeness::OneEdit;
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
    fn organisation(&self, one: &Person<'_>, other: &Person<'_>) -> FieldEvidence {
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
            let bits = log2(count_of(self.prepared.people.len()).max(FEWEST_BIRTHS))
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
