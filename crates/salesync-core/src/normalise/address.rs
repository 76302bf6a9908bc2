//! Postal addresses in one spelling.

use super::text::{self, is_number};

/// The parts of an address that tell places apart; any may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormalAddress {
    /// House number or box number.
    pub number: String,
    /// Street name without its type (`street`, `avenue`).
    pub street: String,
    /// What the address says in a line beside that of the street, without spaces: a building or a farm. Flats and floors are left out.
    pub building: String,
    /// Postal code without spaces.
    pub postal_code: String,
    /// City.
    pub city: String,
}

/// Words for kinds of street and of flat, which are often left out or abbreviated.
const STREET_TYPES: &[&str] = &[
    "street",
    "st",
    "str",
    "strasse",
    "avenue",
    "ave",
    "av",
    "road",
    "rd",
    "drive",
    "dr",
    "lane",
    "ln",
    "place",
    "pl",
    "court",
    "ct",
    "circuit",
    "cct",
    "crescent",
    "cres",
    "cr",
    "close",
    "cl",
    "boulevard",
    "blvd",
    "way",
    "terrace",
    "tce",
    "highway",
    "hwy",
    "parkway",
    "pkwy",
    "square",
    "sq",
    "rue",
    "via",
    "calle",
    "rua",
    "plaza",
    "grove",
    "gr",
    "parade",
    "pde",
    "loop",
    "row",
    "walk",
    "rise",
    "ul",
    "ulica",
    "straat",
    "laan",
    "weg",
];

/// Words before a house number that are no street name.
const UNITS: &[&str] = &[
    "apt",
    "apartment",
    "suite",
    "ste",
    "unit",
    "flat",
    "floor",
    "fl",
    "room",
    "no",
    "bld",
    "building",
    "level",
];

/// Numbers of streets in words, from the first on.
const ORDINALS: [(&str, &str); 12] = [
    ("first", "1st"),
    ("second", "2nd"),
    ("third", "3rd"),
    ("fourth", "4th"),
    ("fifth", "5th"),
    ("sixth", "6th"),
    ("seventh", "7th"),
    ("eighth", "8th"),
    ("ninth", "9th"),
    ("tenth", "10th"),
    ("eleventh", "11th"),
    ("twelfth", "12th"),
];

/// Words of cities that are often abbreviated.
const CITY_WORDS: &[(&str, &str)] = &[
    ("st", "saint"),
    ("sankt", "saint"),
    ("ste", "sainte"),
    ("mt", "mount"),
    ("ft", "fort"),
    ("pt", "port"),
    ("n", "north"),
    ("s", "south"),
    ("e", "east"),
    ("w", "west"),
];

/// Normalises an address. `street` may be several lines, of which any may be that of the street, or a whole address in
/// one line; what the other fields do not say is then taken from it.
pub fn normalise(street: &str, city: &str, postal_code: &str) -> NormalAddress {
    let lines = street.lines().map(text::fold);
    let mut lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let mut postal_code = text::words(&text::fold(postal_code)).concat();
    if postal_code.is_empty() {
        let mut codes = lines.iter().rev().map(|line| trailing_code(line));
        postal_code = codes.find_map(|code| code).unwrap_or_default();
    }
    if postal_code.len() == 9 && is_number(&postal_code) {
        postal_code.truncate(5); // ZIP+4
    }
    let (mut number, street) = take_street(&mut lines);
    let mut building = String::new();
    for line in lines.iter().filter(|line| trailing_code(line).is_none()) {
        let mut words = without_units(text::words(line));
        if number.is_empty() && words.first().is_some_and(|word| is_number(word)) {
            number = words.remove(0);
        }
        if building.is_empty() {
            building = words.concat();
        }
    }
    let city = text::words(&text::fold(city));
    let city: Vec<&str> = city.iter().map(|word| written_out(word)).collect();
    let city = city.join(" ");
    NormalAddress {
        number,
        street,
        building,
        postal_code,
        city,
    }
}

/// Takes the street's line out, which ends in a word for a kind of street or has a number and a name, and returns its
/// number and name.
fn take_street(lines: &mut Vec<String>) -> (String, String) {
    let read = lines.iter().map(|line| number_and_street(line));
    let ranked = read.enumerate().min_by_key(|(at, (number, street))| {
        let ends_in_type = lines.get(*at).is_some_and(|line| ends_in_type(line));
        match (ends_in_type, !number.is_empty(), !street.is_empty()) {
            (true, true, true) => 0,
            (true, false, true) => 1,
            (false, true, true) => 2,
            _ => 3,
        }
    });
    let Some((at, street)) = ranked else {
        return Default::default();
    };
    lines.remove(at);
    street
}

/// Says whether a folded line ends in a word for a kind of street after others.
fn ends_in_type(line: &str) -> bool {
    let words = text::words(line);
    words.len() > 1 && words.last().is_some_and(|word| is_type(word))
}

/// Finds the house number and the street's own words in a folded line, which may be a whole address.
fn number_and_street(line: &str) -> (String, String) {
    let parts = line
        .split(',')
        .map(|part| number_and_name(&text::words(part)));
    let whole = parts
        .into_iter()
        .find(|(number, street)| !number.is_empty() && !street.is_empty());
    whole.unwrap_or_else(|| number_and_name(&text::words(line)))
}

/// Says whether a word is one for a kind of street.
fn is_type(word: &str) -> bool {
    STREET_TYPES.contains(&word)
}

/// Says whether a word is one for a flat or floor.
fn is_unit(word: &str) -> bool {
    UNITS.contains(&word)
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Drops flats and floors with their numbers: these tell nobody's building.
fn without_units(words: Vec<String>) -> Vec<String> {
    let beside = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let after = words.get(at + 1);
        [before, after]
            .into_iter()
            .flatten()
            .any(|word| is_unit(word))
    };
    let kept = words
        .iter()
        .enumerate()
        .filter(|(at, word)| !(is_unit(word) || has_digit(word) && beside(*at)));
    kept.map(|(_, word)| word.clone()).collect()
}

/// Finds the house number and the street's own words.
fn number_and_name(words: &[String]) -> (String, String) {
    let after_unit = |at: usize| {
        at.checked_sub(1)
            .and_then(|before| words.get(before))
            .is_some_and(|word| is_unit(word))
    };
    let number_at = (0..words.len())
        .find(|at| words.get(*at).is_some_and(|word| has_digit(word)) && !after_unit(*at));
    let number = number_at
        .and_then(|at| words.get(at))
        .cloned()
        .unwrap_or_default();
    let kept = |word: &&String| !is_type(word) && !is_unit(word);
    let tail = number_at
        .and_then(|at| words.get(at + 1..))
        .unwrap_or(words);
    let end = tail
        .iter()
        .position(|word| is_type(word))
        .filter(|at| *at > 0);
    let name: Vec<&str> = tail
        .iter()
        .take(end.unwrap_or(4))
        .filter(kept)
        .map(|word| in_digits(word))
        .collect();
    if name.is_empty() {
        let head = number_at.and_then(|at| words.get(..at)).unwrap_or_default();
        let name: Vec<&str> = head.iter().filter(kept).map(String::as_str).collect();
        return (number, name.join(" "));
    }
    (number, name.join(" "))
}

/// Returns a street's number in digits; other words stay.
fn in_digits(word: &str) -> &str {
    let number = ORDINALS.iter().find(|(ordinal, _)| *ordinal == word);
    number.map_or(word, |(_, digits)| digits)
}

/// Returns a word of a city as it is where it is not abbreviated.
fn written_out(word: &str) -> &str {
    let known = CITY_WORDS.iter().find(|(short, _)| *short == word);
    known.map_or(word, |(_, long)| long)
}

/// Returns the last run of five or six digits of a one-line address that does not start with it.
fn trailing_code(folded: &str) -> Option<String> {
    let words = text::words(folded);
    let is_code = |word: &&String| (5..=6).contains(&word.len()) && is_number(word);
    words.iter().skip(1).rev().find(is_code).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_cities_are_written_out() {
        for (city, expected) in [
            ("St. Louis", "saint louis"),
            ("Sankt Gallen", "saint gallen"),
            ("Ft Worth", "fort worth"),
            ("N. Charleston", "north charleston"),
            ("Las Vegas", "las vegas"),
        ] {
            assert_eq!(normalise("", city, "").city, expected);
        }
    }

    #[test]
    fn an_address_falls_into_its_parts() {
        for (street, city, code, expected) in [
            (
                "123 Main Street, Las Vegas NV 89132",
                "",
                "",
                ["123", "main", "", "89132", ""],
            ),
            (
                "123 Main St",
                "Las Vegas",
                "89132-1234",
                ["123", "main", "", "89132", "las vegas"],
            ),
            ("747 Ninth Ave", "", "", ["747", "9th", "", "", ""]),
            (
                "11 melbourne avenue",
                "bray park",
                "2621",
                ["11", "melbourne", "", "2621", "bray park"],
            ),
            (
                "Hardenbergstraße 87",
                "Köln",
                "66879",
                ["87", "hardenbergstrasse", "", "66879", "koln"],
            ),
            (
                "Suite 900, 1450 N City Rd",
                "",
                "",
                ["1450", "n city", "", "", ""],
            ),
            (
                "1 Market Street\r\nSuite 200",
                "",
                "",
                ["1", "market", "", "", ""],
            ),
            (
                "Attn: Dr Jones\nRose Farm\n12 Broadway\nLas Vegas NV 89132",
                "",
                "",
                ["12", "broadway", "attndrjones", "89132", ""],
            ),
            (
                "Flat 3 Elm Court\n12 High Street",
                "",
                "",
                ["12", "high", "elmcourt", "", ""],
            ),
            (
                "121 Elmham Farm\nBlackbutt Street",
                "",
                "3088",
                ["121", "blackbutt", "elmhamfarm", "3088", ""],
            ),
            ("", "", "", ["", "", "", "", ""]),
        ] {
            let address = normalise(street, city, code);
            let found = [
                &address.number,
                &address.street,
                &address.building,
                &address.postal_code,
                &address.city,
            ];
            assert_eq!(found, expected.map(str::to_owned).each_ref(), "{street}");
        }
    }
}
