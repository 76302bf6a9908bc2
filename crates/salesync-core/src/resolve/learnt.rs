//! What was learnt from all records at one time. It is taken for true of records that come later, until it is learnt
//! anew: so what a record is worth depends on itself and on those that it meets, not on all.

use std::collections::BTreeMap;
use std::ops::Bound;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::frequency::{Rarity, TextRarity};
use super::model::{CompanyWeights, PeopleWeights};
use super::prepared::{Symbol, Texts};

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactField {
    /// How rare a given name is.
    GivenName,
    /// How rare a surname is.
    Surname,
    /// How rare a postal code is on records about people.
    PostalCode,
    /// How rare a city is on records about people.
    City,
    /// How rare a date of birth is.
    BirthDate,
    /// How rare an organisation is among people.
    Organisation,
    /// That somebody bears the text as a given name.
    KnownGivenName,
    /// That somebody bears the text as a surname.
    KnownSurname,
    /// That a company bears the name; it is found by how it begins.
    KnownCompany,
    /// How many records about people name the employer.
    Employer,
    /// The organisation that a company's record belongs to.
    OrganisationOfLink,
    /// The organisation that a domain belongs to.
    OrganisationOfDomain,
    /// The organisation that a company's name stands for.
    OrganisationOfName,
    /// The organisation that a phone belongs to.
    OrganisationOfPhone,
    /// The domain of the people who share a phone with a company.
    DomainOfPhone,
    /// How many companies bear a name, anywhere, in a city or in a zone of calling.
    CompanyName,
    /// How rare the first word of a company's name is.
    FirstWord,
    /// How rare a postal code is on records about companies.
    CompanyPostalCode,
    /// How rare a city is on records about companies.
    CompanyCity,
}

impl FactField {
    /// Returns the word that tables carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GivenName => "given_name",
            Self::Surname => "surname",
            Self::PostalCode => "postal_code",
            Self::City => "city",
            Self::BirthDate => "birth_date",
            Self::Organisation => "organisation",
            Self::KnownGivenName => "known_given_name",
            Self::KnownSurname => "known_surname",
            Self::KnownCompany => "known_company",
            Self::Employer => "employer",
            Self::OrganisationOfLink => "organisation_of_link",
            Self::OrganisationOfDomain => "organisation_of_domain",
            Self::OrganisationOfName => "organisation_of_name",
            Self::OrganisationOfPhone => "organisation_of_phone",
            Self::DomainOfPhone => "domain_of_phone",
            Self::CompanyName => "company_name",
            Self::FirstWord => "first_word",
            Self::CompanyPostalCode => "company_postal_code",
            Self::CompanyCity => "company_city",
        }
    }

    /// Reads the word that tables carry.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::from(word)).ok()
    }

    /// Returns how a text is found: by its beginning where texts are looked for that begin like another, else whole.
    fn found_by(self, text: &str) -> &str {
        match self {
            Self::KnownCompany => text
                .get(..text.floor_char_boundary(COMPANY_STEM))
                .unwrap_or(text),
            _ => text,
        }
    }

    /// Returns the number under which facts about a text are kept.
    pub(super) fn place_of(self, text: &str) -> u64 {
        let found_by = self.found_by(text);
        XxHash3_64::oneshot_with_seed(self.seed(), found_by.as_bytes())
    }

    fn seed(self) -> u64 {
        XxHash3_64::oneshot(self.as_str().as_bytes())
    }
}

/// Known companies are found by so many bytes of their names.
pub(super) const COMPANY_STEM: usize = 6;

/// What was learnt of one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub field: FactField,
    /// The text.
    pub text: Box<str>,
    /// Bits, or how many there are.
    pub number: f32,
    /// The organisation that the text stands for, of phones also the domain; empty of other fields.
    pub organisation: Box<str>,
}

impl Fact {
    /// Returns the number under which it is kept: facts about one text, or texts that begin alike, share it.
    pub fn place(&self) -> u64 {
        self.field.place_of(&self.text)
    }
}

/// What was learnt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    /// The bits of a pair of people before anything is compared.
    pub(super) prior: f32,
    /// What evidence about people is worth.
    pub(super) weights: PeopleWeights,
    /// How many companies there are, more or less.
    pub(super) companies: u32,
    /// What evidence about companies is worth.
    pub(super) company_weights: CompanyWeights,
    /// The bits of a text that came once, by field.
    pub(super) most: BTreeMap<FactField, f32>,
    /// Facts about texts. Kept apart from the rest, since there are as many as records.
    #[serde(skip)]
    asked: HashSet<u64>,
    #[serde(skip)]
    facts: HashMap<FactField, Known>,
}

/// What was learnt of texts: bits or a count, and the organisation that a text stands for.
type Known = BTreeMap<Box<str>, (f32, Box<str>)>;

impl Learnt {
    /// Takes a fact in.
    pub fn add(&mut self, fact: Fact) {
        let Fact {
            field,
            text,
            number,
            organisation,
        } = fact;
        let known = self.facts.entry(field).or_default();
        known.insert(text, (number, organisation));
    }

    /// Returns all facts, in no order, and keeps none.
    pub fn take_facts(&mut self) -> impl Iterator<Item = Fact> + use<> {
        let facts = std::mem::take(&mut self.facts).into_iter();
        facts.flat_map(|(field, known)| {
            known
                .into_iter()
                .map(move |(text, (number, organisation))| Fact {
                    field,
                    text,
                    number,
                    organisation,
                })
        })
    }

    /// Says whether the facts that are kept under a number were not asked for before, and takes note that they are now.
    pub(super) fn asks(&mut self, place: u64) -> bool {
        self.asked.insert(place)
    }

    /// Returns the number that was learnt of a text.
    pub(super) fn number(&self, field: FactField, text: &str) -> Option<f32> {
        Some(self.facts.get(&field)?.get(text)?.0)
    }

    /// Says whether a fact is known of a text.
    pub(super) fn has(&self, field: FactField, text: &str) -> bool {
        self.number(field, text).is_some()
    }

    /// Returns the organisation that a text stands for.
    pub(super) fn organisation(&self, field: FactField, text: &str) -> Option<&str> {
        Some(&self.facts.get(&field)?.get(text)?.1)
    }

    /// Says whether a known company's name begins with a text.
    pub(super) fn begins_company(&self, text: &str) -> bool {
        let known = self.facts.get(&FactField::KnownCompany);
        known.is_some_and(|known| {
            let mut from = known.range::<str, _>((Bound::Included(text), Bound::Unbounded));
            from.next().is_some_and(|(name, _)| name.starts_with(text))
        })
    }

    /// Returns how rare texts are in a field.
    pub(super) fn rarity(&self, field: FactField, texts: &Texts) -> Rarity<Symbol> {
        let most = self.most.get(&field).copied().unwrap_or_default();
        Rarity::of(most, self.known(field, texts))
    }

    /// Returns the same for a field that most texts are of.
    pub(super) fn text_rarity(&self, field: FactField, texts: &Texts) -> TextRarity {
        let most = self.most.get(&field).copied().unwrap_or_default();
        TextRarity::of(texts, most, self.known(field, texts))
    }

    /// Returns the numbers that were learnt of some texts.
    pub(super) fn known(
        &self,
        field: FactField,
        texts: &Texts,
    ) -> impl Iterator<Item = (Symbol, f32)> {
        let known = self.facts.get(&field).into_iter().flatten();
        known.filter_map(|(text, (number, _))| Some((texts.find(text)?, *number)))
    }

    /// Writes down how rare texts are in a field.
    pub(super) fn tell(&mut self, field: FactField, texts: &Texts, rarity: &Rarity<Symbol>) {
        self.most.insert(field, rarity.most());
        self.tell_numbers(
            field,
            texts,
            rarity.iter().map(|(text, bits)| (*text, bits)),
        );
    }

    /// Writes down the same of a field that most texts are of.
    pub(super) fn tell_texts(&mut self, field: FactField, texts: &Texts, rarity: &TextRarity) {
        let most = rarity.most();
        self.most.insert(field, most);
        let rated = texts.numbered().map(|(text, _)| (text, rarity.bits(text)));
        self.tell_numbers(field, texts, rated.filter(|(_, bits)| *bits < most));
    }

    /// Writes down a number of each of some texts.
    pub(super) fn tell_numbers(
        &mut self,
        field: FactField,
        texts: &Texts,
        numbers: impl Iterator<Item = (Symbol, f32)>,
    ) {
        let known = self.facts.entry(field).or_default();
        let numbers = numbers.filter(|(text, _)| !text.is_empty());
        known.extend(numbers.map(|(text, number)| (texts.text(text).into(), (number, "".into()))));
    }

    /// Writes down the organisation that a text stands for.
    pub(super) fn tell_organisation(&mut self, field: FactField, text: &str, organisation: &str) {
        let known = self.facts.entry(field).or_default();
        known.insert(text.into(), (0.0, organisation.into()));
    }
}
