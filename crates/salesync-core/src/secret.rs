//! Secrets: values that no log, Debug or error ever shows.

use std::fmt;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::error::Result;

/// A secret text. Its `Debug` says nothing; [`Secret::expose`] is the only way to it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// Returns the secret itself, to be put where it belongs and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Where secrets are kept.
#[async_trait]
pub trait SecretStore: Send + Sync + fmt::Debug {
    /// Returns the JSON document of that name.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` where there is none, `ERR_CONFIG_SECRET_PLACEHOLDER` where it was never set.
    async fn get(&self, name: &str) -> Result<Secret>;

    /// Stores `new` in the place of `old`, and says whether `old` still stood there.
    /// A rotated refresh token is stored so before it is used. Durable on return.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE` where it can't be stored.
    async fn put_if_unchanged(&self, name: &str, old: &Secret, new: &Secret) -> Result<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_form_of_a_secret_says_nothing() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}
