//! How far two values agree, in levels.

use rapidfuzz::distance::{jaro_winkler, osa};

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
    /// Two typing errors apart, where that is more than may be expected of so many letters.
    TwoEdits,
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
    let (few, most) = match short.len() {
        0..3 => (0, 0),
        3..5 => (1, 1),
        5..9 => (1, 2),
        _ => (2, 2),
    };
    let found = (long.len() - short.len() <= most).then(|| edits(short, long));
    let apart = |bound: usize| found.is_some_and(|found| found <= bound);
    if apart(few) {
        Likeness::OneEdit
    } else if jaro_winkler::similarity(short.bytes(), long.bytes()) >= SIMILAR {
        Likeness::Similar
    } else if apart(most) {
        Likeness::TwoEdits
    } else {
        Likeness::Different
    }
}

/// Returns how many typing errors two texts are apart: letters that are wrong, missing or too many, and neighbours that
/// have changed places.
pub(super) fn edits(one: &str, other: &str) -> usize {
    osa::distance(one.chars(), other.chars())
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
    if are_alike(texts, one, other) {
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
        Likeness::TwoEdits => finding(field, "two_edits", weights.two_edits),
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
    let alike = |one, other| both(one, other) && are_alike(texts, one, other);
    let number = both(one.number, other.number) && one.number == other.number;
    let (same_street, building) = (
        alike(one.street, other.street),
        alike(one.building, other.building),
    );
    let street = same_street || building;
    let other_street = both(one.street, other.street) && !same_street;
    let city = alike(one.city, other.city);
    // The codes of neighbouring places differ in one digit too.
    let postal_code = both(one.postal_code, other.postal_code)
        && (one.postal_code == other.postal_code
            || (street && are_one_slip_apart(texts, one.postal_code, other.postal_code)));
    let known = both(one.city, other.city) || both(one.postal_code, other.postal_code);
    let elsewhere = known && !city && !postal_code;
    let house = street && !other_street && !elsewhere && (number || (same_street && building));
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
    match (house, street) {
        (true, _) => finding("address", "house", weights.house + place * 0.5),
        (_, true) => finding("address", "street", weights.street + place * 0.7),
        _ if postal_code || (city && differ) => {
            finding("address", "place", if differ { place * 0.7 } else { place })
        }
        _ if city => finding("address", "city", place),
        _ if differ => finding("address", CONFLICT, weights.conflict),
        _ if both(one.city, other.city) => {
            finding("address", "city_conflict", weights.city_conflict)
        }
        _ => finding("address", MISSING, 0.0),
    }
}

/// Says whether one of some national numbers is one slip of the finger from one of others, or ends like it: it may have
/// its country's code before it where no country was known.
pub(super) fn are_near(texts: &Texts, ones: &[Symbol], others: &[Symbol]) -> bool {
    const SHORTEST: usize = 8;
    let is_near = |one: &str, other: &str| {
        one.len().min(other.len()) >= SHORTEST
            && (one.ends_with(other)
                || other.ends_with(one)
                || (one.len().abs_diff(other.len()) <= 1 && edits(one, other) <= 1))
    };
    ones.iter().map(|one| texts.text(*one)).any(|one| {
        let mut others = others.iter().map(|other| texts.text(*other));
        others.any(|other| is_near(one, other))
    })
}

/// Says whether two texts are equal, or one with a typing error or in other words; what has digits is equal or not.
fn are_alike(texts: &Texts, one: Symbol, other: Symbol) -> bool {
    let (left, right) = (texts.text(one), texts.text(other));
    let numbered = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    let found = || match likeness(left, right) {
        Likeness::Different | Likeness::TwoEdits => false,
        // Rose Bay and Oyster Bay share a word, and are two.
        Likeness::Contained => {
            holds(left, right) || holds(right, left) || are_alike_without_spaces(left, right)
        }
        _ => true,
    };
    one == other || (!numbered(left) && !numbered(right) && found())
}

/// Says whether a text has all words of another.
fn holds(text: &str, other: &str) -> bool {
    other
        .split(' ')
        .all(|word| text.split(' ').any(|held| held == word))
}

/// Says whether two texts are one with a typing error, wherever their words end.
fn are_alike_without_spaces(one: &str, other: &str) -> bool {
    let (one, other) = (one.replace(' ', ""), other.replace(' ', ""));
    one == other
        || !matches!(
            likeness(&one, &other),
            Likeness::Different | Likeness::TwoEdits
        )
}

/// Says whether two codes of one length are one slip of the finger apart.
fn are_one_slip_apart(texts: &Texts, one: Symbol, other: Symbol) -> bool {
    let (one, other) = (texts.text(one), texts.text(other));
    one.len() == other.len() && one.len() > 3 && edits(one, other) <= 1
}

/// How much alike two different dates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateLikeness {
    /// They are one typing error apart, or day and month have changed places.
    Near,
    /// Two of year, month and day agree.
    TwoParts,
    /// They are not much more than a year apart.
    WithinYear,
    /// Nothing of that.
    Different,
}

/// Returns how much alike two dates are that differ, as eight digits each, year first.
pub(super) fn date_likeness(one: &str, other: &str) -> DateLikeness {
    let (Some(parts), Some(other_parts)) = (date_parts(one), date_parts(other)) else {
        return DateLikeness::Different;
    };
    let ([year, month, day], [other_year, other_month, other_day]) = (parts, other_parts);
    let swapped = year == other_year && month == other_day && day == other_month;
    let days = days(parts).zip(days(other_parts));
    let agreeing = parts.iter().zip(&other_parts);
    match agreeing.filter(|(one, other)| one == other).count() {
        _ if swapped || edits(one, other) <= 1 => DateLikeness::Near,
        2 => DateLikeness::TwoParts,
        _ if days.is_some_and(|(one, other)| one.abs_diff(other) <= ABOUT_A_YEAR) => {
            DateLikeness::WithinYear
        }
        _ => DateLikeness::Different,
    }
}

/// The days of a month, of which every one is taken to have as many.
const LONGEST_MONTH: u32 = 31;

/// The days of a year and a month.
const ABOUT_A_YEAR: u32 = 13 * LONGEST_MONTH;

/// Returns how many days there were before a date, where every month has as many; dates need not be in a calendar.
fn days(parts: [&str; 3]) -> Option<u32> {
    let [year, month, day] = parts.map(|part| part.parse::<u32>().ok());
    Some((year? * 12 + month?) * LONGEST_MONTH + day?)
}

/// Returns the year, month and day of eight digits.
fn date_parts(date: &str) -> Option<[&str; 3]> {
    let (year, month_and_day) = date.split_at_checked(4)?;
    let (month, day) = month_and_day.split_at_checked(2)?;
    Some([year, month, day])
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
            ("eloilt", "telliot", Likeness::Different),
            ("boyle", "doyla", Likeness::TwoEdits),
            ("abernathy", "abernethie", Likeness::Similar),
            ("christensen", "christiansson", Likeness::Similar),
            ("stephens", "stevenson", Likeness::Different),
            ("smith", "miller", Likeness::Different),
        ] {
            assert_eq!(likeness(one, other), expected, "{one} {other}");
        }
    }

    /// The values are those that DuckDB 1.5 gives for `jaro_winkler_similarity`.
    #[test]
    fn similarity_is_that_of_duckdb() {
        for (one, other, similarity) in [
            ("martha", "marhta", 0.961_111_111_111_111_1),
            ("dwayne", "duane", 0.840_000_000_000_000_1),
            ("dixon", "dicksonx", 0.813_333_333_333_333_2),
            ("christensen", "christiansson", 0.902_097_902_097_902_1),
            ("fernandes", "hernandez", 0.851_851_851_851_851_7),
        ] {
            let found = jaro_winkler::similarity(one.bytes(), other.bytes());
            assert!((found - similarity).abs() < 1e-12, "{one} {other} {found}");
        }
    }

    #[test]
    fn places_are_alike_in_levels() {
        let mut texts = Texts::default();
        let mut place = |[number, street, building, postal_code, city]: [&str; 5]| Place {
            number: texts.intern(number),
            street: texts.intern(street),
            building: texts.intern(building),
            postal_code: texts.intern(postal_code),
            city: texts.intern(city),
            country: [0; 2],
        };
        let home = place(["12", "elm", "rosefarm", "3088", "maitland"]);
        let others = [
            (["12", "elm", "", "", ""], "house"),
            (["", "elm", "rosefarn", "", ""], "house"),
            (["14", "elm", "", "", ""], "street"),
            (["12", "oak", "rosefarm", "", ""], "street"),
            (["12", "oak", "", "3088", ""], "place"),
            (["14", "elm", "", "3089", "sorrento"], "street"),
            (["12", "elm", "", "9000", "sorrento"], "street"),
            (["12", "elm", "", "9000", ""], "street"),
            (["12", "elm", "", "", "sorrento"], "street"),
            (["12", "oak", "", "3089", "maitlnd"], "place"),
            (["", "", "", "", "maitlnd"], "city"),
            (["12", "oak", "", "3089", "sorrento"], CONFLICT),
            (["", "", "", "", "sorrento"], "city_conflict"),
            (["", "", "", "", ""], MISSING),
        ];
        let others = others.map(|(parts, level)| (place(parts), level));
        let scale = PlaceScale::count([home].into_iter());
        let weights = AddressWeights::default();
        for (other, level) in others {
            let found = places(&texts, (&scale, &weights), &home, &other);
            assert_eq!(found.level, level, "{other:?}");
        }
    }

    #[test]
    fn names_in_several_words_are_one_where_one_holds_the_other_or_their_letters_are_alike() {
        let mut texts = Texts::default();
        for (one, other, expected) in [
            ("frankfurt", "frankfurt am main", true),
            ("sunny brae", "sunnybrae", true),
            ("redbank plains", "redbank qplains", true),
            ("crescent head", "crescnet head", true),
            ("rose bay", "oyster bay", false),
            ("new york", "new orleans", false),
            ("maria jose", "maria luisa", false),
            ("suite 12", "suite 13", false),
        ] {
            let [left, right] = [one, other].map(|name| texts.intern(name));
            assert_eq!(are_alike(&texts, left, right), expected, "{one} {other}");
        }
    }

    #[test]
    fn phones_are_near_by_one_slip_or_a_code_before_them() {
        let mut texts = Texts::default();
        for (one, other, expected) in [
            ("701234567", "701234576", true),
            ("701234567", "70123456", true),
            ("46701234567", "701234567", true),
            ("701234567", "701234599", false),
            ("5550123", "5550124", false),
            ("701234567", "234567", false),
        ] {
            let [left, right] = [one, other].map(|phone| texts.intern(phone));
            assert_eq!(
                are_near(&texts, &[left], &[right]),
                expected,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn dates_are_alike_in_levels() {
        for (one, other, expected) in [
            ("19781211", "19781112", DateLikeness::Near),
            ("19710624", "19710524", DateLikeness::Near),
            ("19710624", "19170624", DateLikeness::Near),
            ("19710624", "19850624", DateLikeness::TwoParts),
            ("19710624", "19710613", DateLikeness::TwoParts),
            ("19710624", "19710912", DateLikeness::WithinYear),
            ("19710624", "19720724", DateLikeness::WithinYear),
            ("19710624", "19720725", DateLikeness::Different),
            ("19710624", "19721224", DateLikeness::Different),
            ("19710624", "19830612", DateLikeness::Different),
            ("197", "19710624", DateLikeness::Different),
        ] {
            assert_eq!(date_likeness(one, other), expected, "{one} {other}");
        }
    }
}
