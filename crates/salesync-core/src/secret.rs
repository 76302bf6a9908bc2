//! Secrets: values that no log, Debug or error ever shows.

use std::fmt;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Code, Error, Result};

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

/// Stores a rotated refresh token in the document `name`, in the place of the one in `old`; the caller does so
/// before the access token that came with it is used. Where another program has changed the document meanwhile,
/// its own stays, and a warning says so.
///
/// # Errors
/// `ERR_CONFIG_INVALID` where `old` is no JSON object, `ERR_STORE_UNAVAILABLE` where the new one can't be stored.
pub async fn keep_refresh_token(
    secrets: &dyn SecretStore,
    name: &str,
    old: &Secret,
    refresh_token: &Secret,
) -> Result<()> {
    // The parser's own message could quote the secret.
    let mut document: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(old.expose())
            .map_err(|_| Error::new(Code::ConfigInvalid, "read a secret").with("secret", name))?;
    document.insert("refresh_token".to_owned(), refresh_token.expose().into());
    let new = Secret::new(serde_json::Value::Object(document).to_string());
    if !secrets.put_if_unchanged(name, old, &new).await? {
        tracing::warn!(
            source = name,
            "another program renewed the login at the same time"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemorySecretStore;

    #[tokio::test]
    async fn a_refresh_token_replaces_its_own_predecessor_and_nothing_else() {
        let text = |it: Secret| it.expose().to_owned();
        let old = Secret::new(r#"{"client_id":"a","refresh_token":"one"}"#);
        let store = MemorySecretStore::holding([("crm", old.expose().to_owned())]);
        let kept = keep_refresh_token(&store, "crm", &old, &Secret::new("two")).await;
        kept.unwrap();
        let two = text(store.get("crm").await.unwrap());
        assert_eq!(two, r#"{"client_id":"a","refresh_token":"two"}"#);
        // Somebody else was quicker: theirs stays.
        let late = keep_refresh_token(&store, "crm", &old, &Secret::new("three")).await;
        late.unwrap();
        assert_eq!(text(store.get("crm").await.unwrap()), two);
        let none = keep_refresh_token(&store, "crm", &Secret::new("hunter2"), &old).await;
        let error = none.unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn the_debug_form_of_a_secret_says_nothing() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}
