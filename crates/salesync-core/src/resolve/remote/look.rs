//! Records as an engine of sets keeps them.

use std::collections::BTreeMap;

use super::super::derived::Derived;
use super::super::entity::EntityId;
use super::super::identity::{EntityKind, Identity};
use super::super::increment::ready::{Purpose, Ready, facts_about, rarities_of};
use super::super::index::{self, Number};
use super::super::keys::KeyKind;
use super::super::learnt::{Fact, FactField, Learnt};
use super::super::model::Settings;
use super::super::prepare::Preparation;
use super::super::prepared::{Name, PersonRow, Place, Prepared, Rank, Symbol, place};
use super::super::{companies, organisation, people};
use super::row::Row;
use super::unread::Unread;
use crate::error::{Code, Error, Result};

/// What is kept of a record for an engine of sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The record's number.
    pub record: Number,
    /// What it is about.
    pub kind: EntityKind,
    /// The record as other records link to it.
    pub link: String,
    /// The id of an entity that begins with it, if that id was never in use.
    pub first_id: EntityId,
    /// By these two, then by its number, it is in order.
    pub order: [String; 2],
    /// Where too many share a key, those meet that share one of these.
    pub names: [String; 2],
    /// Those that have the same here are called the same.
    pub name_key: Number,
    /// Whether it names somebody.
    pub is_named: bool,
    /// Whether it names a person wholly, or a company.
    pub is_whole: bool,
    /// Its keys: of which kind each is, and its number.
    pub keys: Vec<(&'static str, Number)>,
    /// Of a company: the keys of people who share one of its phones.
    pub lines: Vec<Number>,
    /// What is counted over all records.
    pub values: Vec<Counted>,
    /// The facts that tell more about it.
    pub asks: Vec<(FactField, String)>,
    /// What [`answer`](super::answer()) reads; nothing at the first look at a person.
    pub row: Option<String>,
    /// What was found out about it in the light of others.
    pub derived: Derived,
}

/// A value that is counted over all records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// What it is of.
    pub of: &'static str,
    /// The how many-eth of its kind on the record.
    pub at: i64,
    /// The value.
    pub text: String,
    /// What goes with it.
    pub with: [String; 2],
}

/// Looks at records for the first time. Of a company that tells all; of a person what its name and organisations follow
/// from, once all records are known.
///
/// # Errors
/// [`Code::Internal`] where a record can't be written down.
pub async fn first_look(
    kind: EntityKind,
    identities: &[Identity],
    settings: &Settings,
) -> Result<Vec<Look>> {
    match kind {
        EntityKind::Company => {
            let ready = ready(kind, identities, (settings, Vec::new())).await?;
            looks(&ready)
        }
        EntityKind::Person => {
            let mut preparation = Preparation::new(settings.default_country.clone());
            identities
                .iter()
                .for_each(|identity| preparation.add(&identity.said()));
            let prepared = preparation.raw();
            let rows = prepared.people.iter();
            Ok(rows
                .filter_map(|row| Look::of_unnamed(&prepared, row))
                .collect())
        }
    }
}

/// Looks at people's records again, by the facts that the first look asked for.
///
/// # Errors
/// As [`first_look`].
pub async fn second_look(
    identities: &[Identity],
    facts: Vec<Fact>,
    settings: &Settings,
) -> Result<Vec<Look>> {
    let ready = ready(EntityKind::Person, identities, (settings, facts)).await?;
    looks(&ready)
}

async fn ready(
    kind: EntityKind,
    identities: &[Identity],
    (settings, facts): (&Settings, Vec<Fact>),
) -> Result<Ready> {
    let mut learnt = Learnt::default();
    facts.into_iter().for_each(|fact| learnt.add(fact));
    let said: Vec<_> = identities.iter().map(|identity| (identity, None)).collect();
    Ready::of(
        (kind, Purpose::Keys),
        &said,
        (&Unread::default(), settings, &mut learnt),
    )
    .await
}

/// Returns what is kept of records that are ready.
fn looks(ready: &Ready) -> Result<Vec<Look>> {
    let prepared = &ready.prepared;
    let mut keys: BTreeMap<u32, Vec<(&'static str, Number)>> = BTreeMap::new();
    for key in ready.keys() {
        let keys = keys.entry(key.index).or_default();
        let key = (key.kind.as_str(), key.number);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let derived = prepared
        .derived()
        .map(|(row, derived)| (row.rank.order, derived));
    let mut derived: BTreeMap<Number, Derived> = derived.collect();
    let rows = Row::of(prepared, ready.kind);
    let mut looks = Vec::with_capacity(rows.len());
    for (index, row) in (0..).zip(rows) {
        let number = ready.number(index);
        let name_key = row.name_key();
        let row = serde_json::to_string(&row).map_err(unwritten)?;
        let look = match ready.kind {
            EntityKind::Person => Look::of_person(prepared, index),
            EntityKind::Company => Look::of_company(prepared, index),
        };
        looks.extend(look.map(|look| Look {
            keys: keys.remove(&index).unwrap_or_default(),
            derived: derived.remove(&number).unwrap_or_default(),
            row: Some(row),
            name_key,
            ..look
        }));
    }
    Ok(looks)
}

impl Look {
    /// What is known of a record before it is looked at.
    fn bare(prepared: &Prepared, kind: EntityKind, rank: Rank) -> Option<Self> {
        let record = prepared.named(rank.arrival)?;
        Some(Self {
            record: rank.order,
            kind,
            link: Prepared::link(record),
            first_id: EntityId::mint(kind, record, 0),
            order: Default::default(),
            names: Default::default(),
            name_key: 0,
            is_named: false,
            is_whole: false,
            keys: Vec::new(),
            lines: Vec::new(),
            values: Vec::new(),
            asks: Vec::new(),
            row: None,
            derived: Derived::default(),
        })
    }

    /// What is to be known of a person's record before its name and organisations are.
    fn of_unnamed(prepared: &Prepared, row: &PersonRow) -> Option<Self> {
        let texts = &prepared.texts;
        let person = prepared.person_of(row);
        let mut look = Self::bare(prepared, EntityKind::Person, row.rank)?;
        look.is_whole = row.name.is_whole();
        if look.is_whole {
            let last = [row.name.last, Symbol::EMPTY];
            look.count_with(prepared, ("whole_name", row.name.first), last);
        }
        look.count(prepared, "employer", [row.company]);
        let label = texts.text(row.label.compact);
        if !label.is_empty() {
            let flag = |is: bool, word: &str| if is { word } else { "" }.to_owned();
            let with = [
                flag(row.label.in_capitals, "in_capitals"),
                flag(row.label.has_legal_form, "has_legal_form"),
            ];
            look.values.push(Counted {
                of: "label",
                at: 0,
                text: label.to_owned(),
                with,
            });
        }
        look.count(prepared, "domain", organisation::own_domains(&person));
        for phone in person.phones {
            for domain in organisation::distinct_domains(&person) {
                look.count_with(prepared, ("line", *phone), [domain, Symbol::EMPTY]);
            }
        }
        let asks = facts_about(prepared, row);
        look.asks = asks.map(|(field, text)| (field, text.to_owned())).collect();
        Some(look)
    }

    fn of_person(prepared: &Prepared, index: u32) -> Option<Self> {
        let row = prepared.people.get(place(index))?;
        let person = prepared.person_of(row);
        let mut look = Self::bare(prepared, EntityKind::Person, row.rank)?;
        look.order = texts_of(prepared, people::names(prepared, index));
        look.names.clone_from(&look.order);
        look.is_named = row.name.is_given();
        look.is_whole = row.name.is_whole();
        let Name { first, last, .. } = row.name;
        if !first.is_empty() && !last.is_empty() {
            let bearer = people::bearer(prepared, row).unwrap_or_default();
            look.count_with(prepared, ("bearer", first), [last, bearer]);
        }
        look.count(prepared, "birth_date", [row.birth]);
        let organisations = person.organisations.iter().copied();
        look.count(prepared, "organisation", organisations);
        look.count_contacts(prepared, person.phones, &row.place);
        look.ask(prepared, rarities_of(row, &person));
        Some(look)
    }

    fn of_company(prepared: &Prepared, index: u32) -> Option<Self> {
        let row = prepared.companies.get(place(index))?;
        let company = prepared.company_of(row);
        let mut look = Self::bare(prepared, EntityKind::Company, row.rank)?;
        look.names = texts_of(prepared, companies::names(prepared, index));
        look.is_named = !company.names.is_empty();
        look.is_whole = look.is_named;
        let names = company.names.iter().zip(company.first_words);
        for ((words, first), compact) in names.zip(company.compact_names) {
            look.count_with(prepared, ("name", *compact), [*words, *first]);
        }
        look.count(prepared, "name_at", company.names_at.iter().copied());
        look.count(prepared, "domain", company.domains.iter().copied());
        look.count_contacts(prepared, company.phones, &row.place);
        let line = |phone: &Symbol| {
            let phone = prepared.texts.text(*phone);
            index::text_key(EntityKind::Person, KeyKind::Phone, phone)
        };
        look.lines = company.phones.iter().map(line).collect();
        look.ask(prepared, companies::rarities_of(row, &company));
        Some(look)
    }

    /// Notes what records of both kinds say.
    fn count_contacts(&mut self, prepared: &Prepared, phones: &[Symbol], place: &Place) {
        self.count(prepared, "phone", phones.iter().copied());
        self.count(prepared, "postal_code", [place.postal_code]);
        self.count(prepared, "city", [place.city]);
    }

    /// Notes values, but for missing ones.
    fn count(
        &mut self,
        prepared: &Prepared,
        of: &'static str,
        values: impl IntoIterator<Item = Symbol>,
    ) {
        for value in values {
            self.count_with(prepared, (of, value), [Symbol::EMPTY; 2]);
        }
    }

    /// Notes a value, unless it is missing, with what goes with it.
    fn count_with(
        &mut self,
        prepared: &Prepared,
        (of, value): (&'static str, Symbol),
        with: [Symbol; 2],
    ) {
        if value.is_empty() {
            return;
        }
        let before = self.values.iter().filter(|known| known.of == of).count();
        self.values.push(Counted {
            of,
            at: i64::try_from(before).unwrap_or(i64::MAX),
            text: prepared.texts.text(value).to_owned(),
            with: texts_of(prepared, with),
        });
    }

    /// Notes which facts tell how rare is what the record says.
    fn ask(&mut self, prepared: &Prepared, asks: impl Iterator<Item = (FactField, Symbol)>) {
        let asks = asks.filter(|(_, text)| !text.is_empty());
        self.asks = asks
            .map(|(field, text)| (field, prepared.texts.text(text).to_owned()))
            .collect();
        self.asks.sort_unstable();
        self.asks.dedup();
    }
}

fn texts_of(prepared: &Prepared, symbols: [Symbol; 2]) -> [String; 2] {
    symbols.map(|symbol| prepared.texts.text(symbol).to_owned())
}

pub(super) fn unwritten(error: serde_json::Error) -> Error {
    Error::new(Code::Internal, "write a record down").because(error)
}
