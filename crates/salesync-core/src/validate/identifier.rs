//! Names that may stand in a statement.

use std::fmt;

use crate::error::{Code, Error, Result};

/// A name that may stand in SQL: at most 128 letters, digits and `_`, not beginning with a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqlIdentifier(String);

impl SqlIdentifier {
    /// Checks a name.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] where it is no identifier.
    pub fn parse(text: &str) -> Result<Self> {
        if is_identifier(text, 128) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            Error::new(Code::ConfigInvalid, "read a table or column name").with(
                "rule",
                "letters, digits and _, not beginning with a digit, at most 128",
            ),
        )
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SqlIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a Salesforce object or field that may stand in SOQL: at most 80 letters, digits and `_`,
/// beginning with a letter (the rule of Salesforce's API names, a namespace prefix included).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SoqlIdentifier(String);

impl SoqlIdentifier {
    /// Checks a name.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] where it is no API name.
    pub fn parse(text: &str) -> Result<Self> {
        if is_identifier(text, 80) && text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            Error::new(Code::ConfigInvalid, "read an object or field name").with(
                "rule",
                "letters, digits and _, beginning with a letter, at most 80",
            ),
        )
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SoqlIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a source, a stream or a tenant: `^[a-z][a-z0-9_]{0,62}$`.
///
/// # Errors
/// [`Code::RequestInvalid`] where it is none.
pub fn check_name(what: &'static str, text: &str) -> Result<()> {
    let fits = text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if fits {
        return Ok(());
    }
    Err(Error::new(Code::RequestInvalid, "read a name")
        .with(what, "lower-case letters, digits and _"))
}

fn is_identifier(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_identifiers() {
        for good in ["id", "hs_object_id", "_extra", "Custom__c", "A1"] {
            assert_eq!(SqlIdentifier::parse(good).unwrap().as_str(), good);
        }
        let long = "x".repeat(129);
        for bad in [
            "",
            "1a",
            "a b",
            "a;b",
            "a\"b",
            "a'b",
            "ä",
            "a-b",
            "a.b",
            "a\0",
            long.as_str(),
        ] {
            assert_eq!(
                SqlIdentifier::parse(bad).unwrap_err().code(),
                Code::ConfigInvalid
            );
            assert!(SoqlIdentifier::parse(bad).is_err());
        }
        assert!(SoqlIdentifier::parse("_x").is_err());
    }

    #[test]
    fn names_of_sources_and_tenants_are_lower_case() {
        assert!(check_name("tenant", "acme_1").is_ok());
        for bad in ["", "Acme", "1a", "a-b", "a b", "a'"] {
            assert!(check_name("tenant", bad).is_err());
        }
    }
}
