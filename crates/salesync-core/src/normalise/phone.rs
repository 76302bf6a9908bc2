//! Phone numbers: E.164 where the country is known, and a key that both forms share.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::HashMap;

use super::countries::{COUNTRIES, Country};
use super::country;

/// What a phone number is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneClass {
    /// Somebody's number, as far as its digits tell.
    Real,
    /// Typed to fill a field: too few different digits, or a sequence.
    Placeholder,
    /// Fewer than seven digits, or more than a number can have.
    Malformed,
}

/// A phone number in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalPhone {
    /// `+`, calling code and national number, where the country is known.
    pub e164: Option<String>,
    /// The calling code, where known.
    pub calling_code: Option<&'static str>,
    /// The national number without leading zeros: the same with and without country and trunk prefix.
    pub national: String,
    /// The extension's digits.
    pub extension: Option<String>,
    /// What the number is good for.
    pub class: PhoneClass,
}

/// Normalises a phone number. `country` is the country of the record, by name or code, where one is known;
/// it is believed only for numbers that do not name their own.
pub fn normalise(raw: &str, country: Option<&str>) -> NormalPhone {
    let (number, extension) = split_extension(raw);
    let (e164, calling_code, national) = match find(&number, country) {
        Ok(Found {
            country: Some(country),
            national,
        }) => {
            let e164 = format!("+{}{national}", country.calling_code);
            (Some(e164), Some(country.calling_code), national)
        }
        Ok(Found {
            country: None,
            national,
        }) => (Some(format!("+{national}")), None, national),
        Err(digits) => (None, None, digits),
    };
    let national = national.trim_start_matches('0').to_owned();
    let class = classify(&national);
    NormalPhone {
        e164,
        calling_code,
        national,
        extension,
        class,
    }
}

/// Returns the national number that [`normalise`] finds, where it is [`PhoneClass::Real`].
pub(crate) fn national(raw: &str, country: Option<&str>) -> Option<String> {
    let (number, _) = split_extension(raw);
    let mut national = match find(&number, country) {
        Ok(found) => found.national,
        Err(digits) => digits,
    };
    let zeros = national.len() - national.trim_start_matches('0').len();
    national.drain(..zeros);
    (classify(&national) == PhoneClass::Real).then_some(national)
}

/// Finds the country and the national number; the digits where no country can be told.
fn find(number: &str, country: Option<&str>) -> Result<Found, String> {
    let number = if number.contains("(0)") {
        Cow::Owned(number.replace("(0)", ""))
    } else {
        Cow::Borrowed(number)
    };
    let digits: String = number.chars().filter_map(ascii_digit).take(24).collect();
    if number.trim_start().starts_with(['+', '＋']) {
        return Ok(international(&digits).unwrap_or(Found {
            country: None,
            national: digits,
        }));
    }
    let home = country.and_then(country::find);
    exit_code(&digits, home)
        .or_else(|| home.and_then(|home| at_home(&digits, home)))
        .or_else(|| without_country(&digits))
        .ok_or(digits)
}

/// A number whose country was recognised, or that has an unknown calling code.
struct Found {
    country: Option<&'static Country>,
    national: String,
}

/// Returns the digit that a character stands for, full-width ones too.
fn ascii_digit(character: char) -> Option<char> {
    match character {
        '0'..='9' => Some(character),
        '０'..='９' => char::from_digit(u32::from(character) - u32::from('０'), 10),
        _ => None,
    }
}

/// Parts a number from its extension (`x12`, `ext. 12`, `#12`, `;ext=12`).
fn split_extension(raw: &str) -> (Cow<'_, str>, Option<String>) {
    let marks = |byte: u8| byte.is_ascii_alphabetic() || b"#;,".contains(&byte);
    if raw.len() <= 64 && raw.is_ascii() && !raw.bytes().any(marks) {
        return (Cow::Borrowed(raw), None);
    }
    let lower: String = raw.chars().take(64).flat_map(char::to_lowercase).collect();
    let lower = lower.trim_start_matches("tel:").to_owned();
    let seen_digits = |head: &str| head.chars().filter(char::is_ascii_digit).count() >= 6;
    let mark = lower.char_indices().find_map(|(at, character)| {
        let head = lower.get(..at)?;
        (matches!(character, 'e' | 'x' | '#' | ';' | ',' | 'p' | 'd') && seen_digits(head))
            .then_some(at)
    });
    let Some((number, tail)) = mark.and_then(|at| lower.split_at_checked(at)) else {
        return (Cow::Owned(lower), None);
    };
    let extension: String = tail.chars().filter(char::is_ascii_digit).take(8).collect();
    (
        Cow::Owned(number.to_owned()),
        (!extension.is_empty()).then_some(extension),
    )
}

/// The most digits of a calling code.
const LONGEST_CODE: usize = 3;

/// Returns the countries of a calling code, in the order of the table.
fn by_calling_code(code: &str) -> &'static [&'static Country] {
    static BY_CODE: LazyLock<HashMap<&str, Vec<&Country>>> = LazyLock::new(|| {
        let mut by_code: HashMap<&str, Vec<&Country>> = HashMap::new();
        for country in COUNTRIES {
            by_code
                .entry(country.calling_code)
                .or_default()
                .push(country);
        }
        by_code
    });
    BY_CODE.get(code).map_or(&[], Vec::as_slice)
}

/// Reads digits that start with a calling code.
fn international(digits: &str) -> Option<Found> {
    (1..=LONGEST_CODE).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        by_calling_code(code).iter().find_map(|country| {
            fit(rest, country).map(|national| Found {
                country: Some(country),
                national,
            })
        })
    })
}

/// Reads digits after an international exit code: `00`, or `011` where that is not a home number.
fn exit_code(digits: &str, home: Option<&'static Country>) -> Option<Found> {
    if let Some(rest) = digits.strip_prefix("00") {
        return international(rest);
    }
    if digits.len() < 12 {
        return None;
    }
    match home {
        None => digits.strip_prefix("011").and_then(unmarked),
        Some(home) if home.calling_code == "1" => {
            digits.strip_prefix("011").and_then(international)
        }
        Some(_) => None,
    }
}

/// Reads digits as a number of the country, with or without its trunk prefix or calling code.
fn at_home(digits: &str, home: &'static Country) -> Option<Found> {
    let national = fit(digits, home).or_else(|| {
        digits
            .strip_prefix(home.calling_code)
            .and_then(|rest| fit(rest, home))
    })?;
    Some(Found {
        country: Some(home),
        national,
    })
}

/// Reads digits that name no country but can only be meant in one way.
fn without_country(digits: &str) -> Option<Found> {
    let american = digits.len() == 11 && digits.starts_with('1') && is_american(digits);
    // Hardly any country's national numbers have twelve digits with the first not 0.
    let with_calling_code = digits.len() >= 12 && !digits.starts_with('0');
    if american || with_calling_code {
        unmarked(digits)
    } else {
        None
    }
}

/// Calling codes that digits are believed to start with where nothing marks them. Others are far more often the first
/// digits of a number at home, such as one with its extension.
const UNMARKED_CODES: [&str; 70] = [
    "1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45",
    "46", "47", "48", "49", "51", "52", "54", "55", "56", "57", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "94", "233", "234", "254", "351", "352", "353",
    "354", "358", "359", "370", "371", "372", "380", "381", "385", "386", "420", "421", "423",
    "506", "598", "852", "855", "880", "886", "966", "971", "972", "974",
];

/// Reads digits that start with a calling code though nothing says so.
fn unmarked(digits: &str) -> Option<Found> {
    let found = international(digits)?;
    let code = found.country?.calling_code;
    UNMARKED_CODES.contains(&code).then_some(found)
}

/// Says whether the digits after a leading 1 are built as North American numbers are.
fn is_american(digits: &str) -> bool {
    let starts_block = |at: usize| digits.chars().nth(at).is_some_and(|digit| digit >= '2');
    starts_block(1) && starts_block(4)
}

/// Returns the national number if it has as many digits as the country's numbers have.
fn fit(digits: &str, country: &Country) -> Option<String> {
    let (fewest, most) = country.digits;
    let fits = |national: &str| (fewest..=most).contains(&national.len());
    if country.calling_code == "52" && digits.len() == 11 && digits.starts_with('1') {
        return digits.strip_prefix('1').map(str::to_owned); // Mexico's mobile prefix of before 2019
    }
    let without_trunk = match country.trunk {
        "" => None,
        trunk => digits.strip_prefix(trunk).filter(|national| fits(national)),
    };
    let plain =
        (fits(digits) && (country.trunk != "0" || !digits.starts_with('0'))).then_some(digits);
    without_trunk
        .filter(|_| country.trunk == "0" || plain.is_none())
        .or(plain)
        .map(str::to_owned)
}

/// Says what a national number is good for.
fn classify(national: &str) -> PhoneClass {
    if !(7..=15).contains(&national.len()) {
        let filler = national.is_empty() || distinct_digits(national) <= 2;
        return if filler {
            PhoneClass::Placeholder
        } else {
            PhoneClass::Malformed
        };
    }
    let sequence = is_sequence(national);
    let tail = national
        .get(national.len().saturating_sub(7)..)
        .unwrap_or(national);
    if sequence || distinct_digits(national) <= 2 || distinct_digits(tail) <= 1 {
        return PhoneClass::Placeholder;
    }
    PhoneClass::Real
}

/// Says whether each digit is the one before plus one, or each the one before less one; 9 and 0 are neighbours.
fn is_sequence(number: &str) -> bool {
    let steps = |step: u8| {
        let digits = number.as_bytes().windows(2);
        digits.into_iter().all(|pair| match pair {
            [one, other] => (one.wrapping_sub(b'0') + step) % 10 == other.wrapping_sub(b'0'),
            _ => true,
        })
    };
    number.bytes().all(|byte| byte.is_ascii_digit()) && (steps(1) || steps(9))
}

/// Counts the different digits of a number.
fn distinct_digits(number: &str) -> u32 {
    let seen = number.bytes().fold(0u16, |seen, byte| match byte {
        b'0'..=b'9' => seen | 1 << (byte - b'0'),
        _ => seen,
    });
    seen.count_ones()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_national_number_is_that_of_the_whole_normalisation(
            raw in "[+(]?[0-9]{0,4}[) ./-]{0,2}[0-9]{0,9}(x[0-9]{2})?",
            country in proptest::sample::select(&[None, Some("DE"), Some("IT"), Some("USA")][..]),
        ) {
            let whole = normalise(&raw, country);
            let real = (whole.class == PhoneClass::Real).then_some(whole.national);
            prop_assert_eq!(national(&raw, country), real);
        }
    }

    #[test]
    fn numbers_become_e164_where_the_country_is_known() {
        for (raw, country, e164, national) in [
            (
                "+1 (704) 847-3758",
                None,
                Some("+17048473758"),
                "7048473758",
            ),
            (
                "(202) 938-7824",
                Some("USA"),
                Some("+12029387824"),
                "2029387824",
            ),
            ("12816026368", None, Some("+12816026368"), "2816026368"),
            ("001 614 591 9978", None, Some("+16145919978"), "6145919978"),
            (
                "011 44 20 2354 3132",
                None,
                Some("+442023543132"),
                "2023543132",
            ),
            ("01133656120", None, None, "1133656120"),
            (
                "011 3365 6120",
                Some("BR"),
                Some("+551133656120"),
                "1133656120",
            ),
            (
                "+44 (0)775 276 09 87",
                None,
                Some("+447752760987"),
                "7752760987",
            ),
            (
                "0205 896 96 05",
                Some("UK"),
                Some("+442058969605"),
                "2058969605",
            ),
            ("442023543132", None, Some("+442023543132"), "2023543132"),
            (
                "026 977 05 41",
                Some("IT"),
                Some("+390269770541"),
                "269770541",
            ),
            (
                "+39 026 977 05 41",
                None,
                Some("+390269770541"),
                "269770541",
            ),
            ("00491772915533", None, Some("+491772915533"), "1772915533"),
            (
                "0177/2915533",
                Some("Germany"),
                Some("+491772915533"),
                "1772915533",
            ),
            ("082 572 725", None, None, "82572725"),
            ("+46 8 257 27 25", None, Some("+4682572725"), "82572725"),
            (
                "+52 1 55 1097 3703",
                None,
                Some("+525510973703"),
                "5510973703",
            ),
            (
                "8 (4812) 85-62-34",
                Some("RU"),
                Some("+74812856234"),
                "4812856234",
            ),
        ] {
            let phone = normalise(raw, country);
            assert_eq!(phone.e164.as_deref(), e164, "{raw}");
            assert_eq!(phone.national, national, "{raw}");
            assert_eq!(phone.class, PhoneClass::Real, "{raw}");
        }
    }

    #[test]
    fn extensions_are_kept_apart() {
        for (raw, extension) in [
            ("704.702.6030x961", Some("961")),
            ("+1-704-702-6030 ext. 856", Some("856")),
            ("12816026368 ext 461", Some("461")),
            ("+14155550123;ext=9", Some("9")),
            ("+1 415 555 0123", None),
        ] {
            let phone = normalise(raw, None);
            assert_eq!(phone.extension.as_deref(), extension, "{raw}");
            assert_eq!(phone.national.len(), 10, "{raw}");
        }
    }

    #[test]
    fn digits_that_nothing_marks_are_no_far_countrys() {
        for (raw, country, e164) in [
            ("(011) 98765-4321", None, None),
            ("954-555-0123-22", None, None),
            ("212-555-0123-22", None, None),
            ("38344123456", None, None),
            ("38344123456", Some("XK"), Some("+38344123456")),
            ("+383 44 123 456", None, Some("+38344123456")),
            ("00383 44 123 456", None, Some("+38344123456")),
            ("380441234567", None, Some("+380441234567")),
        ] {
            assert_eq!(normalise(raw, country).e164.as_deref(), e164, "{raw}");
        }
    }

    #[test]
    fn numbers_of_every_region_are_read_as_its_numbering_plan_has_them() {
        use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};

        let mut wrong = Vec::new();
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            let code = region.to_string();
            let calling_code = PHONE_NUMBER_UTIL.get_country_code_for_region(region);
            let known = COUNTRIES.iter().find(|country| country.code == code);
            let known = known.expect("a known region");
            assert_eq!(
                calling_code.map(|it| it.to_string()).as_deref(),
                Some(known.calling_code)
            );
            for kind in [PhoneNumberType::FixedLine, PhoneNumberType::Mobile] {
                let example =
                    PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind);
                let Ok(example) = example else { continue };
                let written = |format| PHONE_NUMBER_UTIL.format(&example, format).into_owned();
                let e164 = written(PhoneNumberFormat::E164);
                for spelling in [
                    written(PhoneNumberFormat::International),
                    written(PhoneNumberFormat::National),
                ] {
                    let found = normalise(&spelling, known.names.first().copied()).e164;
                    if found.as_deref() != Some(e164.as_str()) {
                        wrong.push(format!("{code}: {spelling} is {e164}, not {found:?}"));
                    }
                }
            }
        }
        // Where the 15 of a mobile number at home stands, only a list of Argentina's area codes tells.
        let argentina = "AR: 011 15-2345-6789 is +5491123456789, not None";
        assert_eq!(wrong, [argentina]);
    }

    #[test]
    fn placeholders_are_no_numbers() {
        for (raw, class) in [
            ("000-000-0000", PhoneClass::Placeholder),
            ("1234567890", PhoneClass::Placeholder),
            ("999 999 9999", PhoneClass::Placeholder),
            ("+1 (111) 111-1111", PhoneClass::Placeholder),
            ("n/a", PhoneClass::Placeholder),
            ("", PhoneClass::Placeholder),
            ("12345", PhoneClass::Malformed),
            ("4155550123", PhoneClass::Real),
        ] {
            assert_eq!(normalise(raw, None).class, class, "{raw}");
        }
    }
}
