//! How far two values agree, in levels.

use rapidfuzz::distance::jaro_winkler;

use super::evidence::FieldEvidence;
use super::frequency::{Frequency, Rarity, TextRarity};
use super::model::{AddressWeights, NamePartWeights, PeopleWeights};
use super::prepared::{Name, NameOrigin, Place, Symbol, Texts};
use super::sketch::Sketch;

use crate::normalise::name::Nickname;

/// Below this Jaro-Winkler similarity, two texts are different.
const SIMILAR: f64 = 0.88;

/// How much alike two different texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// One is the other's first letter.
    Initial,
    /// One is the start of the other.
    Prefix,
    /// They share a whole word.
    Contained,
    /// One typing error apart, or two in long texts.
    OneEdit,
    /// Alike by Jaro-Winkler.
    Similar,
    /// Nothing of that.
    Different,
}

/// Returns how much alike two texts are that differ and are not empty.
pub(super) fn likeness(one: &str, other: &str) -> Likeness {
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    if short.len() == 1 {
        return if long.starts_with(short) {
            Likeness::Initial
        } else {
            Likeness::Different
        };
    }
    if long.starts_with(short) && short.len() >= 3 {
        return Likeness::Prefix;
    }
    let shares_word = |word: &str| word.len() > 2 && long.split(' ').any(|other| other == word);
    if (short.contains(' ') || long.contains(' ')) && short.split(' ').any(shares_word) {
        return Likeness::Contained;
    }
    let allowed = if short.len() >= 9 { 2 } else { 1 };
    if short.len() > 2
        && long.len() - short.len() <= allowed
        && strsim::osa_distance(short, long) <= allowed
    {
        return Likeness::OneEdit;
    }
    if jaro_winkler::similarity(short.bytes(), long.bytes()) >= SIMILAR {
        return Likeness::Similar;
    }
    Likeness::Different
}

/// What a name is weighed with.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameScale<'a> {
    pub(super) weights: &'a PeopleWeights,
    pub(super) firsts: &'a TextRarity,
    pub(super) lasts: &'a TextRarity,
}

/// How two whole names compare.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameFinding {
    pub(super) first: FieldEvidence,
    pub(super) last: FieldEvidence,
    /// Middle names, generation, order and correlation.
    pub(super) whole: FieldEvidence,
}

impl NameFinding {
    /// Says whether the names cannot be one person's as far as names go.
    pub(super) fn contradicts(&self) -> bool {
        self.first.level == CONFLICT
            || self.last.level == CONFLICT
            || self.whole.level == GENERATION
    }

    /// Returns the sum.
    pub(super) fn bits(&self) -> f32 {
        self.first.bits + self.last.bits + self.whole.bits
    }
}

/// The level of values that cannot be forms of one.
pub(super) const CONFLICT: &str = "conflict";
/// The level of values of which one is missing.
pub(super) const MISSING: &str = "missing";
/// The level of a junior against a senior.
const GENERATION: &str = "generation_conflict";

/// Makes a finding.
pub(super) fn finding(field: &'static str, level: &'static str, bits: f32) -> FieldEvidence {
    FieldEvidence { field, level, bits }
}

/// One part of a name.
#[derive(Debug, Clone, Copy)]
struct Part {
    text: Symbol,
    forms: Nickname,
    sketch: Sketch,
    cut_off: bool,
}

/// Returns a name's parts, given name first.
fn parts(name: &Name) -> (Part, Part) {
    let cut_off = name.origin == NameOrigin::CallerId;
    (
        Part {
            text: name.first,
            forms: name.first_forms,
            sketch: name.first_sketch,
            cut_off,
        },
        Part {
            text: name.last,
            forms: name.last_forms,
            sketch: name.last_sketch,
            cut_off,
        },
    )
}

/// Compares two names, also in swapped order.
pub(super) fn names(texts: &Texts, scale: NameScale<'_>, one: &Name, other: &Name) -> NameFinding {
    let ((first, last), (other_first, other_last)) = (parts(one), parts(other));
    let PeopleWeights {
        first_name,
        last_name,
        ..
    } = &scale.weights;
    let part = |field, parts: (Part, Part), weights, rarities| {
        part_finding(texts, field, parts, PartScale { weights, rarities })
    };
    let straight = (
        part("first_name", (first, other_first), first_name, scale.firsts),
        part("last_name", (last, other_last), last_name, scale.lasts),
    );
    let in_order = straight.0.bits + straight.1.bits;
    let mut chosen = (straight, 0.0, "in_order");
    if straight.0.level == CONFLICT || straight.1.level == CONFLICT || in_order == 0.0 {
        let swapped = (
            part("first_name", (first, other_last), first_name, scale.firsts),
            part("last_name", (last, other_first), last_name, scale.lasts),
        );
        let bits = swapped.0.bits + swapped.1.bits - scale.weights.swapped_off;
        let conflicts = |parts: &(FieldEvidence, FieldEvidence)| {
            u8::from(parts.0.level == CONFLICT) + u8::from(parts.1.level == CONFLICT)
        };
        let no_worse = conflicts(&swapped) < conflicts(&straight).max(1);
        if no_worse && bits > in_order {
            chosen = (swapped, -scale.weights.swapped_off, "swapped");
        }
    }
    let ((first, last), mut bits, mut level) = chosen;
    if first.bits > 0.0 && last.bits > 0.0 {
        bits -= scale.weights.correlation_off;
    }
    if !one.middle.is_empty() && !other.middle.is_empty() {
        bits += middle(texts, scale.weights, one.middle, other.middle);
    }
    if one.generation != 0 && other.generation != 0 && one.generation != other.generation {
        bits += scale.weights.generation_conflict;
        level = GENERATION;
    }
    NameFinding {
        first,
        last,
        whole: finding("name", level, bits),
    }
}

/// Weighs middle names.
fn middle(texts: &Texts, weights: &PeopleWeights, one: Symbol, other: Symbol) -> f32 {
    if one == other || likeness(texts.text(one), texts.text(other)) != Likeness::Different {
        weights.middle_equal
    } else {
        weights.middle_conflict
    }
}

/// What one part of a name is weighed with.
#[derive(Debug, Clone, Copy)]
struct PartScale<'a> {
    weights: &'a NamePartWeights,
    rarities: &'a TextRarity,
}

/// Compares one part of two names.
fn part_finding(
    texts: &Texts,
    field: &'static str,
    (one, other): (Part, Part),
    PartScale { weights, rarities }: PartScale<'_>,
) -> FieldEvidence {
    if one.text.is_empty() || other.text.is_empty() {
        return finding(field, MISSING, 0.0);
    }
    let less = |off: f32| {
        let rarity = rarities.bits(one.text).min(rarities.bits(other.text));
        (rarity.min(weights.rarity_cap) - off).max(0.3)
    };
    if one.text == other.text {
        return finding(field, "equal", less(weights.equal_off));
    }
    if one.forms.meets(other.forms) {
        return finding(field, "nickname", less(weights.nickname_off));
    }
    let both_known = one.forms != Nickname::default() && other.forms != Nickname::default();
    if !one.sketch.may_be_like(other.sketch) {
        return finding(field, CONFLICT, weights.conflict);
    }
    match likeness(texts.text(one.text), texts.text(other.text)) {
        Likeness::Initial => finding(field, "initial", weights.initial),
        Likeness::Prefix if one.cut_off || other.cut_off => {
            finding(field, "truncated", less(weights.truncated_off))
        }
        Likeness::Contained => finding(field, "contained", less(weights.contained_off)),
        // Mary and Mark are one letter apart and two people.
        _ if both_known => finding(field, CONFLICT, weights.conflict),
        Likeness::OneEdit => finding(field, "one_edit", less(weights.one_edit_off)),
        Likeness::Similar | Likeness::Prefix => finding(field, "similar", weights.similar),
        Likeness::Different => finding(field, CONFLICT, weights.conflict),
    }
}

/// What places are weighed with.
#[derive(Debug, Clone)]
pub(super) struct PlaceScale {
    pub(super) postal_codes: Rarity<Symbol>,
    pub(super) cities: Rarity<Symbol>,
}

impl PlaceScale {
    /// Counts postal codes and cities.
    pub(super) fn count(places: impl Iterator<Item = Place> + Clone) -> Self {
        let postal_codes = places.clone().map(|place| place.postal_code);
        let cities = places.map(|place| place.city);
        Self {
            postal_codes: Frequency::of(postal_codes.filter(|code| !code.is_empty())).rarity(1),
            cities: Frequency::of(cities.filter(|city| !city.is_empty())).rarity(1),
        }
    }
}

/// Compares two places.
pub(super) fn places(
    texts: &Texts,
    (scale, weights): (&PlaceScale, &AddressWeights),
    one: &Place,
    other: &Place,
) -> FieldEvidence {
    let both = |one: Symbol, other: Symbol| !one.is_empty() && !other.is_empty();
    let alike = |one: Symbol, other: Symbol| {
        both(one, other)
            && (one == other || likeness(texts.text(one), texts.text(other)) != Likeness::Different)
    };
    let street = alike(one.street, other.street);
    let number = both(one.number, other.number) && one.number == other.number;
    let postal_code =
        both(one.postal_code, other.postal_code) && one.postal_code == other.postal_code;
    let city = alike(one.city, other.city);
    let code_bits = scale
        .postal_codes
        .bits(&one.postal_code)
        .min(scale.postal_codes.bits(&other.postal_code));
    let city_bits = scale
        .cities
        .bits(&one.city)
        .min(scale.cities.bits(&other.city));
    let place = match (postal_code, city) {
        (true, true) => code_bits.max(city_bits).min(weights.place_cap) + 1.0,
        (true, false) => code_bits.min(weights.place_cap),
        (false, true) => (city_bits - 0.5).clamp(0.3, weights.place_cap),
        (false, false) => 0.0,
    };
    let differ = both(one.street, other.street) || both(one.postal_code, other.postal_code);
    match (street, number) {
        (true, true) => finding("address", "house", weights.house + place * 0.5),
        (true, false) => finding("address", "street", weights.street + place * 0.7),
        _ if postal_code || city => {
            finding("address", "place", if differ { place * 0.7 } else { place })
        }
        _ if differ => finding("address", CONFLICT, weights.conflict),
        _ if both(one.city, other.city) => {
            finding("address", "city_conflict", weights.city_conflict)
        }
        _ => finding("address", MISSING, 0.0),
    }
}

/// Says whether two dates of birth, as eight digits each, are of one year, or agree in day and month.
pub(super) fn dates_are_close(one: &str, other: &str) -> bool {
    one.get(..4) == other.get(..4) || one.get(4..) == other.get(4..)
}

/// Says whether two dates of birth, as eight digits each, are one slip of the finger apart.
pub(super) fn dates_are_near(one: &str, other: &str) -> bool {
    let swapped = |date: &str| {
        let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
        Some(format!("{year}{day}{month}"))
    };
    strsim::osa_distance(one, other) <= 1 || swapped(one).as_deref() == Some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_alike_in_levels() {
        for (one, other, expected) in [
            ("m", "maria", Likeness::Initial),
            ("k", "maria", Likeness::Different),
            ("michel", "michelle", Likeness::Prefix),
            ("medina sentosa", "sentosa", Likeness::Contained),
            ("clayton", "clayiton", Likeness::OneEdit),
            ("yonug", "young", Likeness::OneEdit),
            ("smith", "miller", Likeness::Different),
        ] {
            assert_eq!(likeness(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn dates_with_day_and_month_swapped_are_near() {
        for (one, other, near) in [
            ("19781211", "19781112", true),
            ("19710624", "19710524", true),
            ("19710624", "19830912", false),
        ] {
            assert_eq!(dates_are_near(one, other), near);
        }
    }
}
