//! What is known of all records about people: how rare names, places, dates and organisations are, and what evidence
//! is worth.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::super::compare::PlaceScale;
use super::super::frequency::{Frequency, Rarity, TextRarity, count_of, log2};
use super::super::learnt::{FactField, Learnt};
use super::super::model::PeopleWeights;
use super::super::prepared::{PersonRow, Prepared, Symbol, Texts};

/// What is known of all.
#[derive(Debug)]
pub(in super::super) struct Known {
    pub(super) firsts: TextRarity,
    pub(super) lasts: TextRarity,
    pub(super) places: PlaceScale,
    pub(super) births: Rarity<Symbol>,
    pub(super) organisations: Rarity<Symbol>,
    /// The bits of a pair before anything is compared.
    pub(super) prior: f32,
    pub(super) weights: PeopleWeights,
}

/// The fewest people that a set stands for: two who share a name in a small set are not one for that alone.
const FEWEST_PEOPLE: u32 = 1_000;

/// Names are taken to be drawn from at least so many, however small the set.
pub(in super::super) const FEWEST_NAMES: u32 = 64;

/// Organisations are taken to be drawn from at least so many people's, however small the set: a name at an employer
/// tells also where all work for one.
pub(in super::super) const FEWEST_EMPLOYED: u32 = 128;

/// Dates of birth are taken to be at least so many, however small the set.
pub(in super::super) const FEWEST_BIRTHS: u32 = 8_000;

impl Known {
    /// Counts names, places, dates and organisations.
    pub(super) fn count(prepared: &Prepared, weights: &PeopleWeights) -> Self {
        let people = prepared.people.as_slice();
        let texts = &prepared.texts;
        let of_names = || {
            let bearers = bearers(prepared);
            let named = bearers.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
            let population = population(named.count(), people.len());
            let firsts = bearers.iter().map(|(first, ..)| *first);
            let lasts = bearers.iter().map(|(_, last, _)| *last);
            let firsts = TextRarity::count(texts, firsts, FEWEST_NAMES);
            (
                population,
                firsts,
                TextRarity::count(texts, lasts, FEWEST_NAMES),
            )
        };
        let of_the_rest = || {
            let births = people.iter().map(|person| person.birth);
            let organisations = prepared.people().flat_map(|person| person.organisations);
            (
                PlaceScale::count(people.iter().map(|row| row.place)),
                Frequency::of(births).rarity(FEWEST_BIRTHS),
                Frequency::of(organisations.copied()).rarity(FEWEST_EMPLOYED),
            )
        };
        let ((population, firsts, lasts), (places, births, organisations)) =
            rayon::join(of_names, of_the_rest);
        Self {
            firsts,
            lasts,
            places,
            births,
            organisations,
            prior: weights.prior_offset - log2(population),
            weights: weights.clone(),
        }
    }

    /// Takes what was learnt before for what is known.
    pub(in super::super) fn recall(prepared: &Prepared, learnt: &Learnt) -> Self {
        let texts = &prepared.texts;
        Self {
            firsts: learnt.text_rarity(FactField::GivenName, texts),
            lasts: learnt.text_rarity(FactField::Surname, texts),
            places: PlaceScale {
                postal_codes: learnt.rarity(FactField::PostalCode, texts),
                cities: learnt.rarity(FactField::City, texts),
            },
            births: learnt.rarity(FactField::BirthDate, texts),
            organisations: learnt.rarity(FactField::Organisation, texts),
            prior: learnt.prior,
            weights: learnt.weights.clone(),
        }
    }

    /// Writes down what is known, for records that come later.
    pub(in super::super) fn tell(&self, texts: &Texts, learnt: &mut Learnt) {
        learnt.prior = self.prior;
        learnt.weights = self.weights.clone();
        learnt.tell_texts(FactField::GivenName, texts, &self.firsts);
        learnt.tell_texts(FactField::Surname, texts, &self.lasts);
        learnt.tell(FactField::PostalCode, texts, &self.places.postal_codes);
        learnt.tell(FactField::City, texts, &self.places.cities);
        learnt.tell(FactField::BirthDate, texts, &self.births);
        learnt.tell(FactField::Organisation, texts, &self.organisations);
    }
}

/// Returns every given name and surname that go together, with what tells their bearers apart, each once and in order.
fn bearers(prepared: &Prepared) -> Vec<(Symbol, Symbol, Symbol)> {
    let rows = prepared.people.par_iter();
    let whole = rows.filter(|row| !row.name.first.is_empty() && !row.name.last.is_empty());
    let bearers = whole.map(|row| {
        let bearer = bearer(prepared, row).unwrap_or_default();
        (row.name.first, row.name.last, bearer)
    });
    let mut bearers: Vec<_> = bearers.collect();
    bearers.par_sort_unstable();
    bearers.dedup();
    bearers
}

/// Returns what tells the bearers of one name apart: with several mailboxes, phones or dates of birth these are several
/// people, more or less.
pub(in super::super) fn bearer(prepared: &Prepared, row: &PersonRow) -> Option<Symbol> {
    let mailbox = row.mailboxes.of(&prepared.mailboxes).first();
    let phone = || row.phones.of(&prepared.symbols).first().copied();
    let birth = (!row.birth.is_empty()).then_some(row.birth);
    mailbox
        .map(|mailbox| mailbox.address)
        .or_else(phone)
        .or(birth)
}

/// Returns how many people there are, more or less, by how many names and records.
pub(in super::super) fn population(names: usize, records: usize) -> u32 {
    count_of(names)
        .max(count_of(records / 4))
        .max(FEWEST_PEOPLE)
}
