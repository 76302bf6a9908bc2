//! What is known of all records about companies: how rare names and places are, and what evidence is worth.

use hashbrown::{HashMap, HashSet};

use super::super::compare::PlaceScale;
use super::super::frequency::{Frequency, Rarity, count_of};
use super::super::learnt::{FactField, Learnt};
use super::super::model::CompanyWeights;
use super::super::prepared::{Company, CompanyRow, Prepared, Symbol, Texts};
use super::FEWEST_COMPANIES;
use super::lend::borrows_by;

/// What is known of all.
#[derive(Debug)]
pub(in super::super) struct Known {
    pub(super) places: PlaceScale,
    /// How many companies bear a name, anywhere or at a place, where it is more than one: as many as it has domains;
    /// phones where it has none.
    pub(super) bearers: HashMap<Symbol, f32>,
    /// How many different names start with a word.
    pub(super) starts: Rarity<Symbol>,
    /// How many companies there are, more or less.
    pub(super) population: u32,
    pub(super) weights: CompanyWeights,
}

impl Known {
    /// Counts names and places.
    pub(super) fn count(prepared: &Prepared, weights: &CompanyWeights) -> Self {
        let mut words: HashMap<Symbol, Symbol> = HashMap::new();
        let mut names: HashSet<Symbol> = HashSet::new();
        let (mut with_domains, mut with_phones) = (Vec::new(), Vec::new());
        for company in prepared.companies() {
            words.extend(company.names.iter().zip(company.first_words));
            names.extend(company.compact_names);
            let [lent, _] = company.lent;
            let lent = Some(lent).filter(|domain| !domain.is_empty());
            let domain = company.domains.first().copied().or(lent);
            let phone = company.phones.first().copied();
            let borne = company.compact_names.iter().chain(company.names_at);
            for name in borne.filter(|name| !name.is_empty()) {
                with_domains.extend(domain.map(|domain| (*name, domain)));
                with_phones.extend(phone.map(|phone| (*name, phone)));
            }
        }
        let mut bearers = counted(with_phones);
        bearers.extend(counted(with_domains));
        bearers.retain(|_, count| *count > 1.0);
        Self {
            places: PlaceScale::count(prepared.companies.iter().map(|row| row.place)),
            bearers,
            starts: Frequency::of(words.into_values()).rarity(1),
            population: population(names.len()),
            weights: weights.clone(),
        }
    }

    /// Takes what was learnt before for what is known.
    pub(in super::super) fn recall(prepared: &Prepared, learnt: &Learnt) -> Self {
        let texts = &prepared.texts;
        let bearers = learnt.known(FactField::CompanyName, texts);
        Self {
            places: PlaceScale {
                postal_codes: learnt.rarity(FactField::CompanyPostalCode, texts),
                cities: learnt.rarity(FactField::CompanyCity, texts),
            },
            bearers: bearers.collect(),
            starts: learnt.rarity(FactField::FirstWord, texts),
            population: learnt.companies,
            weights: learnt.company_weights.clone(),
        }
    }

    /// Writes down what is known, for records that come later.
    pub(super) fn tell(&self, texts: &Texts, learnt: &mut Learnt) {
        learnt.companies = self.population;
        learnt.company_weights = self.weights.clone();
        let bearers = self.bearers.iter().map(|(name, count)| (*name, *count));
        learnt.tell_numbers(FactField::CompanyName, texts, bearers);
        learnt.tell(FactField::FirstWord, texts, &self.starts);
        learnt.tell(
            FactField::CompanyPostalCode,
            texts,
            &self.places.postal_codes,
        );
        learnt.tell(FactField::CompanyCity, texts, &self.places.cities);
    }
}

/// Returns how many values each name comes with.
fn counted(mut pairs: Vec<(Symbol, Symbol)>) -> HashMap<Symbol, f32> {
    pairs.sort_unstable();
    pairs.dedup();
    let of_names = pairs.chunk_by(|one, other| one.0 == other.0);
    let counts = of_names.filter_map(|of_name| {
        let (name, _) = of_name.first()?;
        Some((*name, count_of(of_name.len()) as f32))
    });
    counts.collect()
}

/// Returns how many companies there are, more or less, by how many names.
pub(in super::super) fn population(names: usize) -> u32 {
    count_of(names).max(FEWEST_COMPANIES)
}

/// Returns the facts that tell how rare is what a company's record says, and what others lend it; texts may be missing.
pub(in super::super) fn rarities_of<'a>(
    row: &CompanyRow,
    company: &Company<'a>,
) -> impl Iterator<Item = (FactField, Symbol)> + use<'a> {
    let names = company.compact_names.iter().chain(company.names_at);
    let names = names.map(|name| (FactField::CompanyName, *name));
    let words = company.first_words.iter();
    let words = words.map(|word| (FactField::FirstWord, *word));
    let lent = borrows_by(company).map(|phone| (FactField::DomainOfPhone, phone));
    let place = [
        (FactField::CompanyPostalCode, row.place.postal_code),
        (FactField::CompanyCity, row.place.city),
    ];
    names.chain(words).chain(lent).chain(place)
}
