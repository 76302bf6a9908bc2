//! Checked e-mail addresses.

use std::fmt;

use serde::Serialize;

use crate::normalise::email::{self, EmailClass, NormalEmail};

/// An address that a letter could be sent to, in its one spelling: lower case, no plus tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Email {
    address: String,
    #[serde(skip)]
    class: EmailClass,
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmailError {
    /// The text is empty.
    Empty,
    /// The text is longer than the 254 characters that an address may have.
    TooLong,
    /// The text has no mailbox, no registrable domain, or not exactly one `@`.
    Malformed,
    /// The address was typed to fill a field.
    Placeholder,
}

impl fmt::Display for EmailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "e-mail address is empty",
            Self::TooLong => "e-mail address is longer than 254 characters",
            Self::Malformed => "not an e-mail address",
            Self::Placeholder => "e-mail address is a placeholder",
        })
    }
}

impl std::error::Error for EmailError {}

impl Email {
    /// Checks an address and brings it into its one spelling.
    ///
    /// # Errors
    ///
    /// Where the text is not an address, or is one that nobody reads.
    pub fn parse(raw: &str) -> Result<Self, EmailError> {
        const LONGEST: usize = 254;
        if raw.trim().is_empty() {
            return Err(EmailError::Empty);
        }
        let NormalEmail { address, class, .. } =
            email::normalise(raw).ok_or(EmailError::Malformed)?;
        if address.len() > LONGEST {
            return Err(EmailError::TooLong);
        }
        if class == EmailClass::Placeholder {
            return Err(EmailError::Placeholder);
        }
        Ok(Self { address, class })
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// Returns what the mailbox is good for.
    pub fn class(&self) -> EmailClass {
        self.class
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_and_spelt_in_one_way() {
        for (raw, expected) in [
            ("Maria@Acme.com", Ok("maria@acme.com")),
            ("", Err(EmailError::Empty)),
            ("maria", Err(EmailError::Malformed)),
            ("maria@acme", Err(EmailError::Malformed)),
            ("test@test.com", Err(EmailError::Placeholder)),
        ] {
            assert_eq!(
                Email::parse(raw).as_ref().map(Email::as_str),
                expected.as_ref().map(|text| *text),
                "{raw}"
            );
        }
    }
}
