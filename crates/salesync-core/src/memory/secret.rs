//! Secrets in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::error::{Code, Error, Result};
use crate::secret::{Secret, SecretStore};

/// Secrets that live as long as the process.
#[derive(Debug, Default)]
pub struct MemorySecretStore {
    secrets: Mutex<HashMap<String, Secret>>,
}

impl MemorySecretStore {
    /// Returns a store that holds these secrets by name.
    #[must_use]
    pub fn holding<const N: usize>(secrets: [(&str, String); N]) -> Self {
        let secrets = secrets
            .into_iter()
            .map(|(name, text)| (name.to_owned(), Secret::new(text)));
        Self {
            secrets: Mutex::new(secrets.collect()),
        }
    }
}

#[async_trait]
impl SecretStore for MemorySecretStore {
    async fn get(&self, name: &str) -> Result<Secret> {
        lock(&self.secrets)
            .get(name)
            .cloned()
            .ok_or_else(|| Error::new(Code::ConfigInvalid, "read a secret").with("secret", name))
    }

    async fn put_if_unchanged(&self, name: &str, old: &Secret, new: &Secret) -> Result<bool> {
        let mut secrets = lock(&self.secrets);
        match secrets.get_mut(name) {
            Some(held) if held.expose() == old.expose() => {
                *held = new.clone();
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
