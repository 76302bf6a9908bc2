//! Postal addresses in one spelling.

use super::text;

/// The parts of an address that tell places apart; any may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NormalAddress {
    /// House number or box number.
    pub number: String,
    /// Street name without its type (`street`, `avenue`).
    pub street: String,
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

/// Normalises an address. `street` may be a whole address in one line; what the other fields do not say is
/// then taken from it.
pub fn normalise(street: &str, city: &str, postal_code: &str) -> NormalAddress {
    let folded = text::fold(street);
    let lines = folded
        .split(',')
        .map(|line| number_and_name(&text::words(line)));
    let whole = lines
        .into_iter()
        .find(|(number, street)| !number.is_empty() && !street.is_empty());
    let (number, street) = whole.unwrap_or_else(|| number_and_name(&text::words(&folded)));
    let mut postal_code = text::words(&text::fold(postal_code)).concat();
    if postal_code.is_empty() {
        postal_code = trailing_code(&folded).unwrap_or_default();
    }
    if postal_code.len() == 9 && postal_code.bytes().all(|byte| byte.is_ascii_digit()) {
        postal_code.truncate(5); // ZIP+4
    }
    let city = text::words(&text::fold(city)).join(" ");
    NormalAddress {
        number,
        street,
        postal_code,
        city,
    }
}

/// Finds the house number and the street's own words.
fn number_and_name(words: &[String]) -> (String, String) {
    let has_digit = |word: &String| word.bytes().any(|byte| byte.is_ascii_digit());
    let after_unit = |at: usize| {
        at.checked_sub(1)
            .and_then(|before| words.get(before))
            .is_some_and(|word| UNITS.contains(&word.as_str()))
    };
    let number_at =
        (0..words.len()).find(|at| words.get(*at).is_some_and(has_digit) && !after_unit(*at));
    let number = number_at
        .and_then(|at| words.get(at))
        .cloned()
        .unwrap_or_default();
    let kept =
        |word: &&String| !STREET_TYPES.contains(&word.as_str()) && !UNITS.contains(&word.as_str());
    let tail = number_at
        .and_then(|at| words.get(at + 1..))
        .unwrap_or(words);
    let end = tail
        .iter()
        .position(|word| STREET_TYPES.contains(&word.as_str()))
        .filter(|at| *at > 0);
    let name: Vec<&str> = tail
        .iter()
        .take(end.unwrap_or(4))
        .filter(kept)
        .map(String::as_str)
        .collect();
    if name.is_empty() {
        let head = number_at.and_then(|at| words.get(..at)).unwrap_or_default();
        let name: Vec<&str> = head.iter().filter(kept).map(String::as_str).collect();
        return (number, name.join(" "));
    }
    (number, name.join(" "))
}

/// Returns the last run of five or six digits of a one-line address that does not start with it.
fn trailing_code(folded: &str) -> Option<String> {
    let words = text::words(folded);
    let is_code = |word: &&String| {
        (5..=6).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    words.iter().skip(1).rev().find(is_code).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_falls_into_its_parts() {
        for (street, city, code, expected) in [
            (
                "123 Main Street, Las Vegas NV 89132",
                "",
                "",
                ["123", "main", "89132", ""],
            ),
            (
                "123 Main St",
                "Las Vegas",
                "89132-1234",
                ["123", "main", "89132", "las vegas"],
            ),
            (
                "11 melbourne avenue",
                "bray park",
                "2621",
                ["11", "melbourne", "2621", "bray park"],
            ),
            (
                "Hardenbergstraße 87",
                "Köln",
                "66879",
                ["87", "hardenbergstrasse", "66879", "koln"],
            ),
            (
                "Suite 900, 1450 N City Rd",
                "",
                "",
                ["1450", "n city", "", ""],
            ),
            ("", "", "", ["", "", "", ""]),
        ] {
            let address = normalise(street, city, code);
            let found = [
                &address.number,
                &address.street,
                &address.postal_code,
                &address.city,
            ];
            assert_eq!(found, expected.map(str::to_owned).each_ref(), "{street}");
        }
    }
}
