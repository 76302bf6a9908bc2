//! Country names and codes, made two letters.

use super::countries::{COUNTRIES, Country};
use super::text;

/// Returns the two-letter code (ISO 3166) of a country given by name or code, in English, its own or a
/// neighbour's language; nothing where it is not known.
pub fn normalise(raw: &str) -> Option<&'static str> {
    find(raw).map(|country| country.code)
}

/// Returns the country of a code or name.
pub(super) fn find(raw: &str) -> Option<&'static Country> {
    let folded = text::fold(raw);
    let name = folded.replace('.', "");
    let name = name.trim();
    COUNTRIES
        .iter()
        .find(|country| country.code.eq_ignore_ascii_case(name) || country.names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_become_two_letters() {
        for (raw, code) in [
            ("U.S.", Some("US")),
            ("usa", Some("US")),
            ("México", Some("MX")),
            ("The Netherlands", Some("NL")),
            ("Deutschland", Some("DE")),
            ("England", Some("GB")),
            ("AUS", Some("AU")),
            ("Atlantis", None),
            ("", None),
        ] {
            assert_eq!(normalise(raw), code, "{raw}");
        }
    }

    #[test]
    fn no_name_stands_for_two_countries() {
        let mut names: Vec<&str> = COUNTRIES
            .iter()
            .flat_map(|country| country.names)
            .copied()
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
