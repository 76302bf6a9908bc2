//! Country names and codes, made two letters.

use std::sync::LazyLock;

use hashbrown::HashMap;

use super::countries::{COUNTRIES, Country};
use super::text;

/// Returns the two-letter code (ISO 3166) of a country given by name or code, in English, its own or a
/// neighbour's language; nothing where it is not known.
pub fn normalise(raw: &str) -> Option<&'static str> {
    find(raw).map(|country| country.code)
}

/// Returns the calling code of a country given as [`normalise`] takes it, such as `44`.
pub(crate) fn calling_code(raw: &str) -> Option<&'static str> {
    find(raw).map(|country| country.calling_code)
}

/// Returns the country of a code or name.
pub(super) fn find(raw: &str) -> Option<&'static Country> {
    static BY_NAME: LazyLock<HashMap<String, &Country>> = LazyLock::new(|| {
        let mut by_name = HashMap::new();
        for country in COUNTRIES {
            let names = country.names.iter().map(|name| (*name).to_owned());
            for name in names.chain([country.code.to_lowercase()]) {
                by_name.entry(name).or_insert(country);
            }
        }
        // Who types `NA` has no country to tell far more often than Namibia.
        by_name.remove("na");
        by_name
    });
    let folded = text::fold(raw);
    let name = folded.replace('.', "");
    BY_NAME.get(name.trim()).copied()
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
            ("Namibia", Some("NA")),
            ("NA", None),
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
