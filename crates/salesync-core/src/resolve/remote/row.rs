//! Records in their one spelling, as they travel to where they are weighed.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::super::index::Number;
use super::super::prepared::{
    CompanyRow, Mailbox, Name, NameOrigin, PersonRow, Place, Prepared, Rank, Span, Symbol, Texts,
};
use super::super::{identity::EntityKind, prepare, sketch::Sketch};
use crate::normalise::email::EmailClass;
use crate::normalise::name::Nickname;

/// A record of either kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Row {
    Person(PersonParts),
    Company(CompanyParts),
}

/// A number as it travels, with a sign: engines of sets know no other.
pub(super) type Signed = i64;

/// What a person's record is compared by, in a list without the names of the fields: there is one for every record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PersonParts(
    Signed,
    NameParts,
    Vec<MailboxParts>,
    /// Mailboxes of functions, phones and organisations.
    [Vec<String>; 3],
    PlaceParts,
    /// Date of birth.
    String,
);

/// A name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NameParts(
    /// Given name, middle name and surname.
    [String; 3],
    /// Generation, and where the name is from.
    (u8, u8),
    /// The short forms of given name and surname.
    [Nickname; 2],
);

/// A mailbox: its address and registrable domain, how long the part before the `@` is, and whether it is one for work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct MailboxParts(String, String, u8, bool);

/// A place: number, street, building, postal code and city; and the two letters of the country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PlaceParts([String; 5], [u8; 2]);

/// What a company's record is compared by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CompanyParts(
    Signed,
    /// Names: as words, the first word, without spaces, the legal form, and the name in the city and in the zone of
    /// calling.
    Vec<[String; 6]>,
    /// Domains with their cores.
    Vec<[String; 2]>,
    /// Phones.
    Vec<String>,
    PlaceParts,
);

/// Where a name can be from, by the number that travels.
const ORIGINS: [NameOrigin; 4] = [
    NameOrigin::None,
    NameOrigin::Fields,
    NameOrigin::CallerId,
    NameOrigin::Mailbox,
];

impl Row {
    /// Returns the records of a kind, in their order.
    pub(super) fn of(prepared: &Prepared, kind: EntityKind) -> Vec<Self> {
        match kind {
            EntityKind::Person => {
                let rows = prepared.people.iter();
                rows.map(|row| Self::Person(PersonParts::of(prepared, row)))
                    .collect()
            }
            EntityKind::Company => {
                let rows = prepared.companies.iter();
                rows.map(|row| Self::Company(CompanyParts::of(prepared, row)))
                    .collect()
            }
        }
    }

    /// Returns a number for what the record is called by: of records with one number, the names are the same.
    pub(super) fn name_key(&self) -> Number {
        let name = match self {
            Self::Person(PersonParts(_, name, ..)) => serde_json::to_vec(name),
            Self::Company(CompanyParts(_, names, ..)) => {
                let names = names
                    .iter()
                    .map(|[words, first, compact, ..]| [words, first, compact]);
                serde_json::to_vec(&names.collect::<Vec<_>>())
            }
        };
        XxHash3_64::oneshot(&name.unwrap_or_default())
    }

    /// Puts the record with others, which [`Prepared::sort`] brings into their order.
    pub(super) fn put(self, prepared: &mut Prepared) {
        match self {
            Self::Person(parts) => parts.put(prepared),
            Self::Company(parts) => parts.put(prepared),
        }
    }
}

impl PersonParts {
    fn of(prepared: &Prepared, row: &PersonRow) -> Self {
        let (person, texts) = (prepared.person_of(row), &prepared.texts);
        let mailbox = |it: &Mailbox| {
            let is_work = it.class == EmailClass::Work;
            MailboxParts(
                text(texts, it.address),
                text(texts, it.domain),
                it.local_len,
                is_work,
            )
        };
        let name = &person.name;
        let origin = ORIGINS.iter().position(|origin| *origin == name.origin);
        let origin = origin.and_then(|at| u8::try_from(at).ok());
        let lists = [person.role_mailboxes, person.phones, person.organisations];
        Self(
            row.rank.order.cast_signed(),
            NameParts(
                [name.first, name.middle, name.last].map(|part| text(texts, part)),
                (name.generation, origin.unwrap_or_default()),
                [name.first_forms, name.last_forms],
            ),
            person.mailboxes.iter().map(mailbox).collect(),
            lists.map(|list| list.iter().map(|it| text(texts, *it)).collect()),
            PlaceParts::of(texts, &person.place),
            text(texts, person.birth),
        )
    }

    fn put(self, prepared: &mut Prepared) {
        let Self(order, name, mailboxes, [roles, phones, organisations], place, birth) = self;
        let Prepared { texts, .. } = prepared;
        let mailbox = |MailboxParts(address, domain, local_len, is_work): MailboxParts| {
            let local = address.get(..usize::from(local_len)).unwrap_or_default();
            Mailbox {
                local: prepare::local_number(local),
                local_len,
                class: if is_work {
                    EmailClass::Work
                } else {
                    EmailClass::Free
                },
                domain: texts.intern(&domain),
                address: texts.intern(&address),
            }
        };
        let mailboxes: Vec<Mailbox> = mailboxes.into_iter().map(mailbox).collect();
        let row = PersonRow {
            rank: Rank {
                order: order.cast_unsigned(),
                ..Rank::default()
            },
            name: name.into_name(texts),
            mailboxes: Span::push(&mut prepared.mailboxes, mailboxes),
            role_mailboxes: span(texts, &mut prepared.symbols, &roles),
            phones: span(texts, &mut prepared.symbols, &phones),
            organisations: span(texts, &mut prepared.organisations, &organisations),
            place: place.into_place(texts),
            birth: texts.intern(&birth),
            ..PersonRow::default()
        };
        prepared.people.push(row);
    }
}

impl NameParts {
    fn into_name(self, texts: &mut Texts) -> Name {
        let Self([first, middle, last], (generation, origin), [first_forms, last_forms]) = self;
        Name {
            first_sketch: Sketch::of(&first),
            last_sketch: Sketch::of(&last),
            first: texts.intern(&first),
            middle: texts.intern(&middle),
            last: texts.intern(&last),
            generation,
            origin: ORIGINS
                .get(usize::from(origin))
                .copied()
                .unwrap_or_default(),
            first_forms,
            last_forms,
        }
    }
}

impl PlaceParts {
    fn of(texts: &Texts, place: &Place) -> Self {
        let parts = [
            place.number,
            place.street,
            place.building,
            place.postal_code,
            place.city,
        ];
        Self(parts.map(|part| text(texts, part)), place.country)
    }

    fn into_place(self, texts: &mut Texts) -> Place {
        let Self(parts, country) = self;
        let [number, street, building, postal_code, city] = parts.map(|part| texts.intern(&part));
        Place {
            number,
            street,
            building,
            postal_code,
            city,
            country,
        }
    }
}

impl CompanyParts {
    fn of(prepared: &Prepared, row: &CompanyRow) -> Self {
        let (company, texts) = (prepared.company_of(row), &prepared.texts);
        let names = company.names.iter().zip(company.first_words);
        let names = names.zip(company.compact_names.iter().zip(company.legal_forms));
        let names = names.zip(company.names_at.chunks_exact(2));
        let names = names.filter_map(|(((words, first), (compact, form)), at)| {
            let [city, zone] = at.first_chunk()?;
            Some([*words, *first, *compact, *form, *city, *zone])
        });
        let domains = company.domains.iter().zip(company.domain_cores);
        let domains = domains.map(|(domain, core)| [*domain, *core]);
        Self(
            row.rank.order.cast_signed(),
            names
                .map(|name| name.map(|part| text(texts, part)))
                .collect(),
            domains
                .map(|domain| domain.map(|part| text(texts, part)))
                .collect(),
            company.phones.iter().map(|it| text(texts, *it)).collect(),
            PlaceParts::of(texts, &company.place),
        )
    }

    fn put(self, prepared: &mut Prepared) {
        let Self(order, names, domains, phones, place) = self;
        let Prepared { texts, symbols, .. } = prepared;
        let mut column = |values: &mut dyn Iterator<Item = &String>| {
            let values: Vec<Symbol> = values.map(|it| texts.intern(it)).collect();
            Span::push(symbols, values)
        };
        let row = CompanyRow {
            rank: Rank {
                order: order.cast_unsigned(),
                ..Rank::default()
            },
            names: column(&mut names.iter().map(|[words, ..]| words)),
            first_words: column(&mut names.iter().map(|[_, first, ..]| first)),
            compact_names: column(&mut names.iter().map(|[_, _, compact, ..]| compact)),
            legal_forms: column(&mut names.iter().map(|[_, _, _, form, ..]| form)),
            names_at: column(&mut names.iter().flat_map(|[.., city, zone]| [city, zone])),
            domains: column(&mut domains.iter().map(|[domain, _]| domain)),
            domain_cores: column(&mut domains.iter().map(|[_, core]| core)),
            lent: Default::default(),
            phones: column(&mut phones.iter()),
            place: place.into_place(texts),
        };
        prepared.companies.push(row);
    }
}

fn text(texts: &Texts, symbol: Symbol) -> String {
    texts.text(symbol).to_owned()
}

fn span(texts: &mut Texts, list: &mut Vec<Symbol>, values: &[String]) -> Span {
    let symbols: Vec<Symbol> = values.iter().map(|it| texts.intern(it)).collect();
    Span::push(list, symbols)
}
