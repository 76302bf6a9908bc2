//! What is learnt of what an engine of sets counted.

use super::super::frequency::{count_of, log2};
use super::super::learn::{Agreement, Namesakes};
use super::super::learnt::{FactField, Learnt};
use super::super::lessons::{Contradictions, Forms, Households, Moves, PairLesson};
use super::super::model::{Model, PeopleWeights};
use super::super::{companies, people};
use crate::error::{Code, Error, Result};

/// What was counted over all records about companies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompanyCounts {
    /// Names.
    pub names: usize,
    /// Names, each in its words.
    pub worded_names: usize,
    /// Records with a postal code.
    pub postal_codes: usize,
    /// Records with a city.
    pub cities: usize,
}

/// What was counted over all records about people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeopleCounts {
    /// Records.
    pub records: usize,
    /// Whole names.
    pub names: usize,
    /// Whole names, each as often as another mailbox, phone or date of birth tells its bearers apart.
    pub bearers: usize,
    /// Records with a postal code.
    pub postal_codes: usize,
    /// Records with a city.
    pub cities: usize,
    /// Organisations of records.
    pub organisations: usize,
}

/// What pairs of records that share a key teach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// In how many forms a name is written: the first two who share a mailbox.
    Forms,
    /// How often people move: the first two who share a date of birth.
    Moves,
    /// What it says to share a house: the first and the last who do, in the order of names.
    Households,
    /// How often phones and legal forms of one company differ: the first two that share a domain.
    Contradictions,
}

/// Pairs of records that share a key, by their levels: of people those of given name, surname, address and date of birth,
/// of companies those of phone and legal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelCount {
    /// The levels.
    pub levels: Vec<String>,
    /// How many pairs.
    pub pairs: u64,
}

/// Pairs of records that bear one name, by what else agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamesakeCount {
    /// The bucket that the name is in.
    pub bucket: usize,
    /// What is known of mailbox, phone and organisation, each in the word for it.
    pub agreements: [String; 3],
    /// So many pairs of the name were looked at.
    pub looked_at: u64,
    /// So many it has.
    pub all: u64,
    /// How many such pairs.
    pub pairs: u64,
}

/// Returns the levels of pairs, each with how many pairs have them.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share of pairs needs no more than its first digits"
)]
fn levels<const N: usize>(counts: &[LevelCount]) -> Result<Vec<([&str; N], f64)>> {
    let of_each = counts.iter().map(|LevelCount { levels, pairs }| {
        let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
        let levels = levels.try_into().map_err(|levels: Vec<&str>| {
            Error::new(Code::Internal, "learn from pairs")
                .with("levels", levels.len())
                .with("must be", N)
        })?;
        Ok((levels, *pairs as f64))
    });
    of_each.collect()
}

/// Returns the weights with what pairs of people's records teach.
fn taught<L: PairLesson>(counts: &[LevelCount], weights: &PeopleWeights) -> Result<PeopleWeights> {
    let mut lesson = L::default();
    for (levels, pairs) in levels(counts)? {
        lesson.count(levels, pairs);
    }
    Ok(lesson.teach(weights))
}

impl Learnt {
    /// Learns how rare is what companies' records say, and takes the weights for what they are worth.
    pub fn count_companies(&mut self, counts: &CompanyCounts, model: &Model) {
        self.companies = companies::population(counts.names);
        self.company_weights = model.companies.clone();
        for (field, total) in [
            (FactField::FirstWord, counts.worded_names),
            (FactField::CompanyPostalCode, counts.postal_codes),
            (FactField::CompanyCity, counts.cities),
        ] {
            self.most.insert(field, log2(count_of(total)));
        }
    }

    /// Learns how rare is what people's records say, and takes the weights for what they are worth.
    pub fn count_people(&mut self, counts: &PeopleCounts, model: &Model) {
        let population = people::population(counts.names, counts.records);
        self.prior = model.people.prior_offset - log2(population);
        self.weights = model.people.clone();
        let bearers = count_of(counts.bearers).max(people::FEWEST_NAMES);
        for (field, total) in [
            (FactField::GivenName, bearers),
            (FactField::Surname, bearers),
            (FactField::PostalCode, count_of(counts.postal_codes)),
            (FactField::City, count_of(counts.cities)),
            (
                FactField::BirthDate,
                count_of(counts.records).max(people::FEWEST_BIRTHS),
            ),
            (
                FactField::Organisation,
                count_of(counts.organisations).max(people::FEWEST_EMPLOYED),
            ),
        ] {
            self.most.insert(field, log2(total));
        }
    }

    /// Returns the bits of a text of a field that came once.
    fn most(&self, field: FactField) -> f32 {
        self.most.get(&field).copied().unwrap_or_default()
    }

    /// Returns what is known of a text that came so many times: bits, of a company's name how many companies bear it.
    pub fn rate(&self, field: FactField, times: u32) -> f32 {
        match field {
            FactField::CompanyName => times as f32,
            _ => self.most(field) - log2(times),
        }
    }

    /// Learns what pairs of records teach.
    ///
    /// # Errors
    /// [`Code::Internal`] where pairs have more or fewer levels than those of the lesson: who compared them is of another
    /// version.
    pub fn learn(&mut self, lesson: Lesson, counts: &[LevelCount]) -> Result<()> {
        match lesson {
            Lesson::Forms => self.weights = taught::<Forms>(counts, &self.weights)?,
            Lesson::Moves => self.weights = taught::<Moves>(counts, &self.weights)?,
            Lesson::Households => self.weights = taught::<Households>(counts, &self.weights)?,
            Lesson::Contradictions => {
                let mut found = Contradictions::default();
                for (levels, pairs) in levels(counts)? {
                    found.count(levels, pairs);
                }
                self.company_weights = found.teach(&self.company_weights);
            }
        }
        Ok(())
    }

    /// Learns what evidence is worth beside a name.
    pub fn learn_namesakes(&mut self, counts: &[NamesakeCount]) {
        let mut namesakes = Namesakes::new();
        for count in counts {
            let parsed = count
                .agreements
                .each_ref()
                .map(|word| Agreement::parse(word));
            if let [Some(mailbox), Some(phone), Some(organisation)] = parsed {
                let weight = ((count.looked_at, count.all), count.pairs);
                namesakes.count_all(count.bucket, [mailbox, phone, organisation], weight);
            }
        }
        self.weights = namesakes.teach(self.prior, &self.weights);
    }

    /// Says whether it helps to know how many others of one person a record has.
    pub fn wants_partners(&self) -> bool {
        self.weights.namesakes.is_empty()
    }

    /// Takes note of how many pairs of so many records speak for being one person.
    pub fn learn_partners(&mut self, pairs: usize, records: usize) {
        let partners = 2.0 * count_of(pairs) as f32 / count_of(records.max(1)) as f32;
        let bits = partners.max(1.0).log2();
        self.prior += bits.min(self.weights.partners_cap);
    }
}
