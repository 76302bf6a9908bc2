//! Identities in their one spelling, every text a number.

use std::collections::{BTreeSet, HashMap};

use super::frequency::Frequency;
use super::identity::{EntityKind, Identity, RecordRef};
use super::model::Settings;
use crate::normalise::address;
use crate::normalise::company;
use crate::normalise::domain::{self, DomainClass, NormalDomain};
use crate::normalise::email::{self, EmailClass};
use crate::normalise::name::{self, NameShape, NormalName};
use crate::normalise::phone::{self, PhoneClass};
use crate::normalise::{country, date, text};
pub(super) use crate::texts::{Symbol, Texts};

/// Where a person's name is from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum NameOrigin {
    /// There is none.
    #[default]
    None,
    /// The record's name fields.
    Fields,
    /// The record's name fields, as a caller id that may be cut off.
    CallerId,
    /// The local part of a mailbox.
    Mailbox,
}

/// A person's name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Name {
    pub(super) first: Symbol,
    pub(super) middle: Symbol,
    pub(super) last: Symbol,
    pub(super) generation: u8,
    pub(super) origin: NameOrigin,
    /// The nickname groups of the given name, and of the surname in case they are swapped.
    pub(super) first_groups: &'static [u16],
    pub(super) last_groups: &'static [u16],
}

impl Name {
    /// Says whether the record names a person at all.
    pub(super) fn is_given(&self) -> bool {
        matches!(self.origin, NameOrigin::Fields | NameOrigin::CallerId)
    }
}

/// A mailbox that one person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) address: Symbol,
    pub(super) local: Symbol,
    /// The registrable domain.
    pub(super) domain: Symbol,
    pub(super) class: EmailClass,
}

/// A place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) number: Symbol,
    pub(super) street: Symbol,
    pub(super) postal_code: Symbol,
    pub(super) city: Symbol,
    pub(super) country: Option<&'static str>,
}

/// One record about a person.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Its place among the identities.
    pub(super) identity: usize,
    pub(super) name: Name,
    pub(super) mailboxes: Vec<Mailbox>,
    /// Mailboxes of functions.
    pub(super) role_mailboxes: Vec<Symbol>,
    /// National numbers.
    pub(super) phones: Vec<Symbol>,
    /// The employer's name without spaces and legal form.
    pub(super) company: Symbol,
    /// The employer's domain, from the web site field.
    pub(super) site: Symbol,
    pub(super) place: Place,
    pub(super) birth: Symbol,
    /// The organisations it belongs to, filled in by `organisation`.
    pub(super) organisations: Vec<u32>,
}

/// One record about a company.
#[derive(Debug, Default)]
pub(super) struct Company {
    /// Its place among the identities.
    pub(super) identity: usize,
    /// Names without legal form, as words.
    pub(super) names: Vec<Symbol>,
    /// The same names without spaces, in the same order.
    pub(super) compact_names: Vec<Symbol>,
    /// Domains of its own.
    pub(super) domains: Vec<Symbol>,
    /// The domains' cores, in the same order.
    pub(super) domain_cores: Vec<Symbol>,
    pub(super) phones: Vec<Symbol>,
    pub(super) place: Place,
}

/// Everything that is compared.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub(super) identities: &'a [&'a Identity],
    pub(super) texts: Texts,
    pub(super) people: Vec<Person>,
    pub(super) companies: Vec<Company>,
    domains: HashMap<String, Option<NormalDomain>>,
    default_country: Option<&'a str>,
}

impl<'a> Prepared<'a> {
    /// Normalises identities that are in order.
    pub(super) fn new(identities: &'a [&'a Identity], settings: &'a Settings) -> Self {
        let mut prepared = Self {
            identities,
            texts: Texts::default(),
            people: Vec::new(),
            companies: Vec::new(),
            domains: HashMap::new(),
            default_country: settings.default_country.as_deref(),
        };
        for (at, identity) in identities.iter().enumerate() {
            match identity.kind {
                EntityKind::Person => {
                    let person = prepared.person(at, identity);
                    prepared.people.push(person);
                }
                EntityKind::Company => {
                    let company = prepared.company(at, identity);
                    prepared.companies.push(company);
                }
            }
        }
        prepared.unname_companies_and_functions();
        prepared.name_from_mailboxes();
        prepared
    }

    /// Returns the identity behind a person or company.
    pub(super) fn identity(&self, kind: EntityKind, index: usize) -> Option<&'a Identity> {
        let at = match kind {
            EntityKind::Person => self.people.get(index)?.identity,
            EntityKind::Company => self.companies.get(index)?.identity,
        };
        self.identities.get(at).copied()
    }

    /// Returns the record behind a person or company.
    pub(super) fn record(&self, kind: EntityKind, index: usize) -> Option<&'a RecordRef> {
        self.identity(kind, index).map(|identity| &identity.record)
    }

    /// Normalises one person's record.
    fn person(&mut self, at: usize, identity: &Identity) -> Person {
        let mut person = Person {
            identity: at,
            name: self.name(&person_name(identity)),
            ..Person::default()
        };
        for raw in &identity.emails {
            let Some(email) = email::normalise(raw) else {
                continue;
            };
            let address = self.texts.intern(&email.address);
            match email.class {
                EmailClass::Role => push_new(&mut person.role_mailboxes, address),
                EmailClass::Free | EmailClass::Work => {
                    let named = self.domain(&email.domain);
                    let registrable = named.map_or(email.domain, |named| named.registrable);
                    let domain = self.texts.intern(&registrable);
                    let local = self.texts.intern(&email.local);
                    push_new(
                        &mut person.mailboxes,
                        Mailbox {
                            address,
                            local,
                            domain,
                            class: email.class,
                        },
                    );
                }
                EmailClass::Placeholder | EmailClass::System => {}
            }
        }
        person.phones = self.phones(identity);
        let company = identity.company.as_deref().and_then(company::normalise);
        person.company =
            company.map_or(Symbol::EMPTY, |company| self.texts.intern(&company.compact));
        person.site = identity
            .website
            .as_deref()
            .map_or(Symbol::EMPTY, |site| self.own_domain(site).0);
        person.place = self.place(identity);
        let birth = identity.birth_date.as_deref().and_then(date::normalise);
        person.birth = birth.map_or(Symbol::EMPTY, |birth| self.texts.intern(&birth));
        person
    }

    /// Normalises one company's record.
    fn company(&mut self, at: usize, identity: &Identity) -> Company {
        let mut company = Company {
            identity: at,
            ..Company::default()
        };
        for raw in identity.company.iter().chain(&identity.other_company) {
            if let Some(normal) = company::normalise(raw) {
                let compact = self.texts.intern(&normal.compact);
                if !company.compact_names.contains(&compact) {
                    company.compact_names.push(compact);
                    company.names.push(self.texts.intern(&normal.core));
                }
            }
        }
        let mail_domains = identity
            .emails
            .iter()
            .filter_map(|raw| email::normalise(raw))
            .map(|email| email.domain);
        for raw in identity.website.iter().cloned().chain(mail_domains) {
            let (domain, core) = self.own_domain(&raw);
            if !domain.is_empty() && !company.domains.contains(&domain) {
                company.domains.push(domain);
                company.domain_cores.push(core);
            }
        }
        company.phones = self.phones(identity);
        company.place = self.place(identity);
        company
    }

    /// Interns a person's name.
    fn name(&mut self, name: &NormalName) -> Name {
        let origin = match name.shape {
            NameShape::Missing | NameShape::Placeholder => return Name::default(),
            NameShape::Real => NameOrigin::Fields,
            NameShape::CallerId => NameOrigin::CallerId,
        };
        Name {
            first: self.texts.intern(&text::skeleton(&name.first)),
            middle: self.texts.intern(&name.middle),
            last: self.texts.intern(&text::skeleton(&name.last)),
            generation: name.generation,
            origin,
            first_groups: name::nickname_groups(&name.first),
            last_groups: name::nickname_groups(&name.last),
        }
    }

    /// Normalises an identity's phones: national numbers that somebody could have.
    fn phones(&mut self, identity: &Identity) -> Vec<Symbol> {
        let country = identity.country.as_deref().or(self.default_country);
        let mut phones = Vec::new();
        for raw in &identity.phones {
            let phone = phone::normalise(raw, country);
            if phone.class == PhoneClass::Real {
                let national = self.texts.intern(&phone.national);
                push_new(&mut phones, national);
            }
        }
        phones
    }

    /// Normalises an identity's address.
    fn place(&mut self, identity: &Identity) -> Place {
        let street = identity.street.as_deref().unwrap_or_default();
        let city = identity.city.as_deref().unwrap_or_default();
        let postal_code = identity.postal_code.as_deref().unwrap_or_default();
        let country = identity.country.as_deref().and_then(country::normalise);
        if street.is_empty() && city.is_empty() && postal_code.is_empty() {
            return Place {
                country,
                ..Place::default()
            };
        }
        let address = address::normalise(street, city, postal_code);
        Place {
            number: self.texts.intern(&address.number),
            street: self.texts.intern(&address.street),
            postal_code: self.texts.intern(&address.postal_code),
            city: self.texts.intern(&address.city),
            country,
        }
    }

    /// Normalises a domain, each spelling once.
    fn domain(&mut self, raw: &str) -> Option<NormalDomain> {
        if let Some(known) = self.domains.get(raw) {
            return known.clone();
        }
        let normal = domain::normalise(raw);
        self.domains.insert(raw.to_owned(), normal.clone());
        normal
    }

    /// Returns a domain and its core if it is one organisation's own.
    fn own_domain(&mut self, raw: &str) -> (Symbol, Symbol) {
        match self.domain(raw) {
            Some(domain) if domain.class == DomainClass::Own => (
                self.texts.intern(&domain.registrable),
                self.texts.intern(&domain.core),
            ),
            _ => (Symbol::EMPTY, Symbol::EMPTY),
        }
    }

    /// Takes the name off records that name a company as a caller id does, or a function.
    fn unname_companies_and_functions(&mut self) {
        let own = self
            .companies
            .iter()
            .flat_map(|company| company.compact_names.iter().copied());
        let employers = self.people.iter().map(|person| person.company);
        let known: BTreeSet<&str> = own
            .chain(employers.clone())
            .map(|symbol| self.texts.text(symbol))
            .collect();
        let staff = Frequency::of(employers);
        let mut nameless = Vec::new();
        for (at, person) in self.people.iter().enumerate() {
            let identity = self.identities.get(person.identity);
            let Some(full_name) = identity.and_then(|identity| identity.full_name.as_deref())
            else {
                continue;
            };
            if self.names_company(full_name, &known, &staff)
                || names_function(full_name, !person.role_mailboxes.is_empty())
            {
                nameless.push(at);
            }
        }
        for at in nameless {
            if let Some(person) = self.people.get_mut(at) {
                person.name = Name::default();
            }
        }
    }

    /// Says whether a name is that of a known company: with its legal form, in capitals as a caller id shows it and
    /// perhaps cut off, or as several people's records name their employer.
    fn names_company(
        &self,
        full_name: &str,
        known: &BTreeSet<&str>,
        staff: &Frequency<Symbol>,
    ) -> bool {
        const TELLING: usize = 6;
        const SEVERAL: u32 = 3;
        let Some(company) = company::normalise(full_name) else {
            return false;
        };
        let compact = company.compact.as_str();
        if full_name.chars().any(char::is_lowercase) {
            let employer = self
                .texts
                .find(compact)
                .is_some_and(|symbol| staff.count(&symbol) >= SEVERAL);
            return employer || (!company.legal_form.is_empty() && known.contains(compact));
        }
        let starts = || {
            known
                .range(compact..)
                .next()
                .is_some_and(|name| name.starts_with(compact))
        };
        known.contains(compact) || (compact.len() >= TELLING && starts())
    }

    /// Gives records without a name, or with half of one, the one that their mailbox spells.
    fn name_from_mailboxes(&mut self) {
        let whole =
            |name: &Name| name.is_given() && !name.first.is_empty() && !name.last.is_empty();
        let given = self.people.iter().map(|person| person.name).filter(whole);
        let (firsts, lasts): (BTreeSet<Symbol>, BTreeSet<Symbol>) =
            given.map(|name| (name.first, name.last)).unzip();
        let mut found = Vec::new();
        for (at, person) in self.people.iter().enumerate() {
            if whole(&person.name) && self.texts.text(person.name.first).len() > 1 {
                continue;
            }
            let known = |set: &BTreeSet<Symbol>, word: &str| {
                word.len() > 1
                    && self
                        .texts
                        .find(word)
                        .is_some_and(|symbol| set.contains(&symbol))
            };
            let locals = person
                .mailboxes
                .iter()
                .map(|mailbox| self.texts.text(mailbox.local));
            let mut names = locals.into_iter().filter_map(|local| {
                spelt_name(local, &|word| known(&firsts, word), &|word| {
                    known(&lasts, word)
                })
            });
            let name = names.find(|(first, last)| self.completes(&person.name, first, last));
            found.extend(name.map(|name| (at, name)));
        }
        for (at, (first, last)) in found {
            let normal = NormalName {
                first,
                last,
                shape: NameShape::Real,
                ..NormalName::default()
            };
            let spelt = self.name(&normal);
            if let Some(person) = self.people.get_mut(at) {
                let origin = if person.name.is_given() {
                    person.name.origin
                } else {
                    NameOrigin::Mailbox
                };
                person.name = Name {
                    origin,
                    middle: person.name.middle,
                    generation: person.name.generation,
                    ..spelt
                };
            }
        }
    }

    /// Says whether a name out of a mailbox agrees with the part of a name that a record gives.
    fn completes(&self, name: &Name, first: &str, last: &str) -> bool {
        if !name.is_given() {
            return true;
        }
        let (own_first, own_last) = (self.texts.text(name.first), self.texts.text(name.last));
        match (own_first, own_last) {
            ("", own) => own == last,
            (own, "") => first.len() > 1 && (name::are_nicknames(own, first) || own == last),
            (initial, own) => own == last && first.starts_with(initial),
        }
    }
}

/// Appends a value that is not there yet.
fn push_new<T: PartialEq>(values: &mut Vec<T>, value: T) {
    if !values.contains(&value) {
        values.push(value);
    }
}

/// Normalises a person's name fields: parts before the whole, unless the parts say nothing.
fn person_name(identity: &Identity) -> NormalName {
    let field = |value: &Option<String>| value.clone().unwrap_or_default();
    let parts = name::normalise_parts(
        &field(&identity.first_name),
        &field(&identity.middle_name),
        &field(&identity.last_name),
    );
    match (&identity.full_name, parts.shape) {
        (Some(full_name), NameShape::Missing | NameShape::Placeholder) => {
            name::normalise(full_name)
        }
        _ => parts,
    }
}

/// Says whether a name is that of a function (`Sales`, and `Acme Info` on a function's mailbox).
fn names_function(full_name: &str, has_role_mailbox: bool) -> bool {
    let words = text::words(&text::fold(full_name));
    let is_role = words.last().is_some_and(|word| email::is_role_word(word));
    is_role && (has_role_mailbox || words.len() == 1)
}

/// Reads a name out of a mailbox's local part; both words must be known, or follow a full stop.
fn spelt_name(
    local: &str,
    is_first: &dyn Fn(&str) -> bool,
    is_last: &dyn Fn(&str) -> bool,
) -> Option<(String, String)> {
    let bare = local.trim_end_matches(|character: char| character.is_ascii_digit());
    if !bare
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || b"._-".contains(&byte))
    {
        return None;
    }
    let words: Vec<&str> = bare
        .split(['.', '_', '-'])
        .filter(|word| !word.is_empty())
        .collect();
    if let [one, .., two] = words.as_slice() {
        let swapped =
            (is_last(one) && !is_first(one)) || (is_first(two) && !is_last(two)) || two.len() == 1;
        let (first, last) = if swapped { (two, one) } else { (one, two) };
        return (last.len() > 1).then(|| ((*first).to_owned(), (*last).to_owned()));
    }
    let joined = words.concat();
    let splits = (1..joined.len()).filter_map(|at| joined.split_at_checked(at));
    splits.into_iter().find_map(|(one, two)| {
        let initial_first = one.len() == 1 && two.len() > 3 && is_last(two);
        let initial_last = two.len() <= 2 && one.len() > 3 && is_last(one);
        if initial_first || (is_first(one) && is_last(two)) {
            Some((one.to_owned(), two.to_owned()))
        } else if initial_last {
            Some((two.chars().take(1).collect(), one.to_owned()))
        } else if is_last(one) && is_first(two) {
            Some((two.to_owned(), one.to_owned()))
        } else {
            None
        }
    })
}
