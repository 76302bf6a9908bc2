//! Compares companies' names: the words, the legal form, and where so many bear one name, how many do so at one place.

use super::super::compare::{CONFLICT, Likeness, MISSING, finding};
use super::super::evidence::FieldEvidence;
use super::super::frequency::log2;
use super::super::prepared::{Company, Symbol};
use super::scale::Scale;

/// Names as long as this are one in spite of a typing error.
const LONG_NAME: usize = 7;

/// One name of a company.
#[derive(Debug, Clone, Copy)]
struct OneName<'a> {
    words: Symbol,
    first_word: Symbol,
    /// Without spaces.
    compact: Symbol,
    /// The name in the company's city, and in its zone of calling.
    at: &'a [Symbol],
}

/// Returns a company's names.
fn each_name<'a>(company: &Company<'a>) -> impl Iterator<Item = OneName<'a>> + use<'a> {
    let names = company.names.iter().zip(company.first_words);
    let names = names.zip(company.compact_names);
    let names = names.zip(company.names_at.chunks(2));
    names.map(|(((words, first_word), compact), at)| OneName {
        words: *words,
        first_word: *first_word,
        compact: *compact,
        at,
    })
}

/// Returns a company's legal forms.
fn legal_forms<'a>(company: &Company<'a>) -> impl Iterator<Item = Symbol> + use<'a> {
    let forms = company.legal_forms.iter().copied();
    forms.filter(|form| !form.is_empty())
}

/// The smallest place that two companies of one name share, with what it adds to the name: how many of those who bear it
/// are elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) enum Nearer {
    /// They are in one city.
    InCity(f32),
    /// Calls to both have one code.
    InZone(f32),
}

impl Scale<'_> {
    /// Weighs names: the best pair of them.
    pub(super) fn name(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        let mut best = finding("name", MISSING, 0.0);
        for left in each_name(one) {
            for right in each_name(other) {
                let found = if left.compact == right.compact {
                    finding("name", "equal", self.rarity(left.compact))
                } else {
                    self.two_names(left, right)
                };
                if best.level == MISSING || found.bits > best.bits {
                    best = found;
                }
            }
        }
        best
    }

    /// Returns how many bits a name gives that both records bear.
    fn rarity(&self, compact: Symbol) -> f32 {
        let bearers = self.bearers(compact);
        self.replaces_prior(bearers, self.known.weights.name_slack)
    }

    /// Returns how many companies bear a name, anywhere or at a place.
    fn bearers(&self, name: Symbol) -> f32 {
        self.known.bearers.get(&name).copied().unwrap_or(1.0)
    }

    /// Returns what a place adds that companies share beside a name which several bear; nothing where they share none. Of
    /// several names that of the fewest counts.
    pub(super) fn nearer(&self, one: &Company<'_>, other: &Company<'_>) -> Option<Nearer> {
        let pairs = each_name(one).filter_map(|left| {
            let mut others = each_name(other);
            let right = others.find(|right| right.compact == left.compact)?;
            Some((self.bearers(left.compact), left, right))
        });
        let (bearers, left, right) = pairs.min_by(|(one, ..), (other, ..)| one.total_cmp(other))?;
        let slack = self.known.weights.name_slack;
        let bits = |place: usize| {
            let (one, other) = (left.at.get(place)?, right.at.get(place)?);
            let others_here = self.bearers(*one) - 1.0 + slack;
            let shared = one == other && !one.is_empty() && bearers > 1.0;
            // Where nobody of the name has a domain, phones may tell of more.
            shared.then(|| ((bearers - 1.0 + slack) / others_here).log2().max(0.0))
        };
        let in_city = bits(0).map(Nearer::InCity);
        in_city.or_else(|| bits(1).map(Nearer::InZone))
    }

    /// Weighs two names that differ.
    fn two_names(&self, one: OneName<'_>, other: OneName<'_>) -> FieldEvidence {
        let weights = &self.known.weights;
        let (left, right) = (self.texts.text(one.words), self.texts.text(other.words));
        let (short, long) = if left.len() <= right.len() {
            (left, right)
        } else {
            (right, left)
        };
        let contained = short
            .split(' ')
            .all(|word| long.split(' ').any(|other| other == word));
        let same_start = one.first_word == other.first_word;
        let start_bits = self
            .known
            .starts
            .bits(&one.first_word)
            .min(log2(self.known.population))
            .min(weights.name_cap);
        if contained && same_start {
            return finding(
                "name",
                "contained",
                (start_bits - weights.name_contained_off).max(0.3),
            );
        }
        match self.likeness(one.compact, other.compact) {
            Likeness::OneEdit if short.len() >= LONG_NAME => {
                let rarity = self.rarity(one.compact).min(self.rarity(other.compact));
                finding(
                    "name",
                    "one_edit",
                    (rarity - weights.name_one_edit_off).max(0.3),
                )
            }
            Likeness::OneEdit => finding("name", "similar", weights.name_similar),
            _ if same_start => finding(
                "name",
                "first_word",
                (start_bits - weights.name_first_word_off).max(-1.0),
            ),
            _ if contained => finding("name", "contained", weights.name_similar),
            Likeness::Similar | Likeness::Prefix => {
                finding("name", "similar", weights.name_similar)
            }
            _ => finding("name", CONFLICT, weights.name_conflict),
        }
    }

    /// Weighs legal forms: they differ where neither holds all parts of the other.
    pub(super) fn legal_form(&self, one: &Company<'_>, other: &Company<'_>) -> FieldEvidence {
        const FIELD: &str = "legal_form";
        let mut found = finding(FIELD, MISSING, 0.0);
        for left in legal_forms(one) {
            for right in legal_forms(other) {
                if self.holds(left, right) || self.holds(right, left) {
                    return finding(FIELD, "equal", 0.0);
                }
                found = finding(FIELD, CONFLICT, self.known.weights.legal_form_conflict);
            }
        }
        found
    }

    /// Says whether a text has all words of another.
    fn holds(&self, long: Symbol, short: Symbol) -> bool {
        let (long, short) = (self.texts.text(long), self.texts.text(short));
        let mut words = short.split(' ');
        words.all(|word| long.split(' ').any(|other| other == word))
    }
}
