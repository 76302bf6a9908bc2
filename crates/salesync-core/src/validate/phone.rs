//! Checked phone numbers.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::Serialize;

use crate::normalise::phone::{self, PhoneClass};

/// A number that could be dialled from anywhere, in E.164: its country exists, and numbers there are built so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

/// Why a text is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneNumberError {
    /// The text is empty.
    Empty,
    /// The number names no country and none was given.
    NoCountry,
    /// Numbers of that country are not built so.
    Malformed,
    /// The number was typed to fill a field.
    Placeholder,
}

impl fmt::Display for PhoneNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "phone number is empty",
            Self::NoCountry => "phone number names no country",
            Self::Malformed => "not a phone number of its country",
            Self::Placeholder => "phone number is a placeholder",
        })
    }
}

impl std::error::Error for PhoneNumberError {}

impl PhoneNumber {
    /// Checks a number that names its country (`+49 30 …`, `0049 30 …`).
    ///
    /// # Errors
    ///
    /// Where the number names no country, cannot exist there, or is a placeholder.
    pub fn parse(raw: &str) -> Result<Self, PhoneNumberError> {
        check(raw, phone::normalise(raw, None))
    }

    /// Checks a number of a record whose country is known, by name or code.
    ///
    /// # Errors
    ///
    /// Where the number cannot exist in the country that it names, or else in the record's, or is a placeholder.
    pub fn parse_in(raw: &str, country: &str) -> Result<Self, PhoneNumberError> {
        check(raw, phone::normalise(raw, Some(country)))
    }

    /// Returns the number in E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Asks the numbering plans of the world about a normalised number.
fn check(raw: &str, normal: phone::NormalPhone) -> Result<PhoneNumber, PhoneNumberError> {
    if raw.trim().is_empty() {
        return Err(PhoneNumberError::Empty);
    }
    match normal.class {
        PhoneClass::Placeholder => return Err(PhoneNumberError::Placeholder),
        PhoneClass::Malformed => return Err(PhoneNumberError::Malformed),
        PhoneClass::Real => {}
    }
    let e164 = normal.e164.ok_or(PhoneNumberError::NoCountry)?;
    let number = PHONE_NUMBER_UTIL
        .parse(&e164, None)
        .map_err(|_| PhoneNumberError::Malformed)?;
    if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
        return Err(PhoneNumberError::Malformed);
    }
    Ok(PhoneNumber(
        PHONE_NUMBER_UTIL
            .format(&number, PhoneNumberFormat::E164)
            .into_owned(),
    ))
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_checked_against_its_countrys_plan() {
        for (raw, country, expected) in [
            ("+1 (704) 847-3758", None, Ok("+17048473758")),
            ("+390221646887", None, Ok("+390221646887")),
            ("704 847 3758", None, Err(PhoneNumberError::NoCountry)),
            ("704 847 3758", Some("USA"), Ok("+17048473758")),
            ("0177/2915533", Some("Germany"), Ok("+491772915533")),
            ("+1 104 847 3758", None, Err(PhoneNumberError::Malformed)),
            (
                "000-000-0000",
                Some("US"),
                Err(PhoneNumberError::Placeholder),
            ),
            (" ", None, Err(PhoneNumberError::Empty)),
        ] {
            let found = country.map_or_else(
                || PhoneNumber::parse(raw),
                |country| PhoneNumber::parse_in(raw, country),
            );
            assert_eq!(
                found.as_ref().map(PhoneNumber::as_str),
                expected.as_ref().map(|text| *text),
                "{raw}"
            );
        }
    }
}
