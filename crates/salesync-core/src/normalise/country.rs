//! Country names and codes, made two letters.

use std::sync::LazyLock;

use hashbrown::HashMap;

use super::countries::{COUNTRIES, Country};
use super::text;

/// Returns the two-letter code (ISO 3166) of a country given by name or code, in English, its own or a
/// neighbour's language; nothing where it is not known, or where it is `NA`: who types that has no country to tell far more
/// often than Namibia.
pub fn normalise(raw: &str) -> Option<&'static str> {
    let name = key(raw);
    let is_told = name != "na";
    is_told
        .then(|| by_key(&name))
        .flatten()
        .map(|country| country.code)
}

/// Returns the country of a record as a code: the one that it names, else the default.
pub(crate) fn of_record<'a>(named: Option<&str>, default: Option<&'a str>) -> Option<&'a str> {
    named.and_then(normalise).or(default)
}

/// Returns the calling code of a country given as [`normalise`] takes it, such as `44`.
pub(crate) fn calling_code(raw: &str) -> Option<&'static str> {
    find(raw).map(|country| country.calling_code)
}

/// Returns the country of a code or name.
pub(super) fn find(raw: &str) -> Option<&'static Country> {
    by_key(&key(raw))
}

/// Returns a name as it is compared.
fn key(raw: &str) -> String {
    let folded = text::fold(raw).replace('.', "").replace(" & ", " and ");
    folded.trim().to_owned()
}

/// Returns the country of a name as it is compared.
fn by_key(name: &str) -> Option<&'static Country> {
    static BY_NAME: LazyLock<HashMap<String, &Country>> = LazyLock::new(|| {
        let mut by_name = HashMap::new();
        for country in COUNTRIES {
            let names = country.names.iter().map(|name| (*name).to_owned());
            for name in names.chain([country.code.to_lowercase()]) {
                by_name.entry(name).or_insert(country);
            }
        }
        by_name
    });
    let known = |name: &str| BY_NAME.get(name).copied();
    // ISO 3166 sorts by the telling word (`Korea, Republic of`), others say what a place belongs to (`Georgia, USA`).
    let turned = || {
        let (head, tail) = name.split_once(", ")?;
        let is_form =
            (tail.ends_with(" of") || tail == "province of china") && !tail.contains("dem");
        known(&format!("{tail} {head}"))
            .or_else(|| known(tail.trim_end_matches(" sar")))
            .or_else(|| is_form.then(|| known(head)).flatten())
    };
    known(name).or_else(turned)
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
            ("n.a.", None),
            (" N.A. ", None),
            ("Korea, Dem. People's Rep.", None),
            ("China, Hong Kong SAR", Some("HK")),
            ("Georgia, USA", Some("US")),
            ("Palestine, State of", Some("PS")),
            ("Korea, Republic of", Some("KR")),
            ("Korea, Democratic People's Republic of", Some("KP")),
            ("Tanzania, United Republic of", Some("TZ")),
            ("Congo, the Democratic Republic of the", Some("CD")),
            ("Trinidad & Tobago", Some("TT")),
            ("Atlantis", None),
            ("", None),
        ] {
            assert_eq!(normalise(raw), code, "{raw}");
        }
    }

    #[test]
    fn a_record_has_the_default_country_where_it_names_none() {
        for (named, expected) in [
            (None, "NA"),
            (Some("N/A"), "NA"),
            (Some("na"), "NA"),
            (Some("Atlantis"), "NA"),
            (Some("Germany"), "DE"),
        ] {
            let default = normalise("Namibia");
            assert_eq!(of_record(named, default), Some(expected), "{named:?}");
        }
        assert_eq!(find("NA").map(|country| country.code), Some("NA"));
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
