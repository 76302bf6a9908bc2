//! Checked domains.

use std::fmt;

use serde::Serialize;

use crate::normalise::domain::{self, DomainClass, NormalDomain};

/// A domain that one owner registered, in lower-case ASCII.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Domain {
    name: String,
    #[serde(skip)]
    class: DomainClass,
}

/// Why a text is no domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainError {
    /// The text is empty.
    Empty,
    /// The text names no registrable domain.
    Malformed,
    /// The domain was typed to fill a field.
    Placeholder,
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "domain is empty",
            Self::Malformed => "not a registrable domain",
            Self::Placeholder => "domain is a placeholder",
        })
    }
}

impl std::error::Error for DomainError {}

impl Domain {
    /// Checks a domain, host name or URL and keeps the part that one owner registered.
    ///
    /// # Errors
    ///
    /// Where the text holds no such part, or one that nobody owns.
    pub fn parse(raw: &str) -> Result<Self, DomainError> {
        if raw.trim().is_empty() {
            return Err(DomainError::Empty);
        }
        let NormalDomain {
            registrable, class, ..
        } = domain::normalise(raw).ok_or(DomainError::Malformed)?;
        if class == DomainClass::Placeholder {
            return Err(DomainError::Placeholder);
        }
        Ok(Self {
            name: registrable,
            class,
        })
    }

    /// Returns the domain.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Returns whose it is.
    pub fn class(&self) -> DomainClass {
        self.class
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_checked_and_cut_to_its_registered_part() {
        for (raw, expected) in [
            ("https://www.acme.co.uk/x", Ok("acme.co.uk")),
            ("", Err(DomainError::Empty)),
            ("acme", Err(DomainError::Malformed)),
            ("127.0.0.1", Err(DomainError::Malformed)),
            ("example.com", Err(DomainError::Placeholder)),
        ] {
            assert_eq!(
                Domain::parse(raw).as_ref().map(Domain::as_str),
                expected.as_ref().map(|text| *text),
                "{raw}"
            );
        }
    }
}
