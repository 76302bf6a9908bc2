//! Secrets in a cloud's own store, of which none may still be a placeholder. How old a login is stands in the log, for whoever
//! is to make a new one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use salesync_aws::AwsSecretStore;
use salesync_core::error::{Class, Result};
use salesync_core::secret::{Secret, SecretStore};
use salesync_core::time::Timestamp;
use salesync_gcp::{GoogleSecretStore, SecretSettings};

use super::{GivenSecrets, check};
use crate::context::now;

const DAY_SECS: i64 = 86_400;

/// Secrets in Google's Secret Manager. The login is looked for when the first one is read.
///
/// A store that could not be asked is let go, since its client asks no more after some failures: the next command begins
/// with a new one.
#[derive(Debug)]
pub(crate) struct GoogleSecrets {
    settings: SecretSettings,
    store: Mutex<Option<Arc<GoogleSecretStore>>>,
    told: Told,
}

impl GoogleSecrets {
    pub(crate) fn new(settings: SecretSettings) -> Self {
        Self {
            settings,
            store: Mutex::default(),
            told: Told::default(),
        }
    }

    fn store(&self) -> Result<Arc<GoogleSecretStore>> {
        let mut held = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*held {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(GoogleSecretStore::new(&self.settings)?);
        Ok(Arc::clone(held.insert(store)))
    }

    /// Passes an answer of the store on.
    fn heard<T>(&self, answer: Result<T>) -> Result<T> {
        if answer
            .as_ref()
            .is_err_and(|error| error.class() == Class::Retry)
        {
            *self.store.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        answer
    }
}

#[async_trait]
impl SecretStore for GoogleSecrets {
    async fn get(&self, name: &str) -> Result<Secret> {
        let store = self.store()?;
        let secret = check(self.heard(store.get(name).await)?, &self.shown(name))?;
        if self.told.is_wanted(name) {
            tell_age(name, store.created(name).await);
        }
        Ok(secret)
    }

    async fn put_if_unchanged(&self, name: &str, old: &Secret, new: &Secret) -> Result<bool> {
        let store = self.store()?;
        self.heard(store.put_if_unchanged(name, old, new).await)
    }
}

#[async_trait]
impl GivenSecrets for GoogleSecrets {
    async fn has(&self, source: &str) -> Result<bool> {
        let store = self.store()?;
        self.heard(store.has(source).await)
    }

    fn shown(&self, source: &str) -> String {
        self.settings.place.named(source)
    }
}

/// Secrets in AWS Secrets Manager.
#[derive(Debug)]
pub(crate) struct AwsSecrets {
    store: AwsSecretStore,
    told: Told,
}

impl AwsSecrets {
    /// Returns the secrets of a tenant, whose names are `salesync/<tenant>/<source>`.
    pub(crate) fn new(region: &str, tenant: &str) -> Self {
        Self {
            store: AwsSecretStore::new(region, format!("salesync/{tenant}/")),
            told: Told::default(),
        }
    }
}

#[async_trait]
impl SecretStore for AwsSecrets {
    async fn get(&self, name: &str) -> Result<Secret> {
        let secret = check(self.store.get(name).await?, &self.shown(name))?;
        if self.told.is_wanted(name) {
            tell_age(name, self.store.created(name).await);
        }
        Ok(secret)
    }

    async fn put_if_unchanged(&self, name: &str, old: &Secret, new: &Secret) -> Result<bool> {
        self.store.put_if_unchanged(name, old, new).await
    }
}

#[async_trait]
impl GivenSecrets for AwsSecrets {
    async fn has(&self, source: &str) -> Result<bool> {
        self.store.has(source).await
    }

    fn shown(&self, source: &str) -> String {
        self.store.full_name(source)
    }
}

/// The logins whose age was told: once for each start is enough.
#[derive(Debug, Default)]
struct Told(Mutex<BTreeSet<String>>);

impl Told {
    /// Returns whether the age of a login is to be asked for, and takes it for told from then on. It costs a request, so
    /// that it is asked only where the line is written.
    fn is_wanted(&self, name: &str) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tracing::enabled!(tracing::Level::INFO) && told.insert(name.to_owned())
    }
}

fn tell_age(name: &str, created: Result<Timestamp>) {
    match created {
        Ok(created) => {
            let age_secs = now().secs().saturating_sub(created.secs()).max(0);
            let secret_age_days = age_secs / DAY_SECS;
            tracing::info!(source = name, secret_age_days, "a login was read");
        }
        // A role may permit to read it and no more.
        Err(error) => {
            tracing::debug!(source = name, error = %error, "how old a login is can't be told");
        }
    }
}
