//! Secrets in AWS Secrets Manager, which keeps versions of each and calls one of them the current one.
//!
//! A rotated secret takes the old one's place in two steps, so that of two writers one learns that it was late:
//!
//! ```text
//! versions    A               A   B              A            B
//! stages      AWSCURRENT      AWSCURRENT         AWSPREVIOUS  AWSCURRENT
//!                                 AWSPENDING                  AWSPENDING
//!             ── put B as pending ──▶ ── move AWSCURRENT from A to B ──▶
//! ```
//!
//! The second step is refused where `AWSCURRENT` is not at A any more. Who is killed between the two leaves the new
//! secret under `AWSPENDING`, where a person finds it; what is current is whole at any time.

use std::fmt;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::{Secret, SecretStore};
use salesync_core::time::Timestamp;
use tokio::sync::OnceCell;

use crate::failure::failure;
use crate::login::AwsLogin;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";
const READ: &str = "read a secret";
const STORE: &str = "store a rotated secret";

/// Secrets in AWS Secrets Manager. Nothing is sent before the first one is asked for.
pub struct AwsSecretStore {
    region: String,
    prefix: String,
    client: OnceCell<Client>,
}

/// A version of a secret.
struct Version {
    id: String,
    secret: Secret,
    created: Option<Timestamp>,
}

impl AwsSecretStore {
    /// Returns the secrets of a region whose names begin with `prefix`, which ends with its own separator.
    #[must_use]
    pub fn new(region: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            prefix: prefix.into(),
            client: OnceCell::new(),
        }
    }

    /// Returns the same secrets, read with this login.
    #[must_use]
    pub fn with_login(self, login: &AwsLogin) -> Self {
        Self {
            client: OnceCell::from(Client::new(login.config())),
            ..self
        }
    }

    /// Returns the name under which AWS knows a secret.
    #[must_use]
    pub fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Returns whether there is a secret of that name.
    ///
    /// # Errors
    /// As [`SecretStore::get`], but for a secret that is not there.
    pub async fn has(&self, name: &str) -> Result<bool> {
        Ok(self.current(name).await?.is_some())
    }

    /// Returns when the current version of a secret was made.
    ///
    /// # Errors
    /// As [`SecretStore::get`], and where AWS does not say it.
    pub async fn created(&self, name: &str) -> Result<Timestamp> {
        let created = self
            .current(name)
            .await?
            .and_then(|version| version.created);
        created.ok_or_else(|| self.absent(name))
    }

    async fn client(&self) -> Result<&Client> {
        let connect = || async {
            let login = AwsLogin::find(Some(&self.region)).await?;
            Ok::<_, Error>(Client::new(login.config()))
        };
        self.client.get_or_try_init(connect).await
    }

    /// Returns the current version; none where there is no such secret, or no version of it is current.
    async fn current(&self, name: &str) -> Result<Option<Version>> {
        let request = self
            .client()
            .await?
            .get_secret_value()
            .secret_id(self.full_name(name))
            .version_stage(CURRENT);
        let answer = match Box::pin(request.send()).await {
            Ok(answer) => answer,
            Err(error) => {
                let refusal = error.as_service_error();
                if refusal.is_some_and(GetSecretValueError::is_resource_not_found_exception) {
                    return Ok(None);
                }
                return Err(failure(READ, error).with("secret", self.full_name(name)));
            }
        };
        match (answer.version_id(), answer.secret_string()) {
            (Some(id), Some(text)) => Ok(Some(Version {
                id: id.to_owned(),
                secret: Secret::new(text),
                created: answer
                    .created_date()
                    .map(|date| Timestamp::from_millis(date.secs().saturating_mul(1_000))),
            })),
            _ => Err(Error::new(Code::ConfigInvalid, READ)
                .with("secret", self.full_name(name))
                .with("must be", "a text, not binary")),
        }
    }

    /// Stores a version that is not current yet. Returns its id.
    async fn put_pending(&self, name: &str, new: &Secret) -> Result<String> {
        // The SDK gives the request a token of its own, which becomes the version's id: sent twice, it is one version.
        let request = self
            .client()
            .await?
            .put_secret_value()
            .secret_id(self.full_name(name))
            .secret_string(new.expose())
            .version_stages(PENDING);
        let answer = Box::pin(request.send()).await;
        let answer = answer.map_err(|error| self.unstored(name, failure(STORE, error)))?;
        let id = answer.version_id().map(str::to_owned);
        id.ok_or_else(|| self.unstored(name, Error::new(Code::StoreUnavailable, STORE)))
    }

    /// Makes the version `new` the current one in the place of `old`.
    async fn promote(&self, name: &str, (old, new): (&str, &str)) -> Result<()> {
        let request = self
            .client()
            .await?
            .update_secret_version_stage()
            .secret_id(self.full_name(name))
            .version_stage(CURRENT)
            .remove_from_version_id(old)
            .move_to_version_id(new);
        let answer = Box::pin(request.send()).await;
        let answer = answer.map(drop);
        answer.map_err(|error| self.unstored(name, failure(STORE, error)))
    }

    /// Takes the stage away from a version that came too late: with it, AWS would think that a rotation is at work.
    async fn withdraw(&self, name: &str, id: &str) -> Result<()> {
        let request = self
            .client()
            .await?
            .update_secret_version_stage()
            .secret_id(self.full_name(name))
            .version_stage(PENDING)
            .remove_from_version_id(id);
        let answer = Box::pin(request.send()).await;
        let answer = answer.map(drop);
        answer.map_err(|error| self.unstored(name, failure(STORE, error)))
    }

    fn absent(&self, name: &str) -> Error {
        Error::new(Code::ConfigInvalid, READ).with("secret", self.full_name(name))
    }

    fn unstored(&self, name: &str, error: Error) -> Error {
        error.with("secret", self.full_name(name))
    }
}

impl fmt::Debug for AwsSecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSecretStore")
            .field("region", &self.region)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SecretStore for AwsSecretStore {
    async fn get(&self, name: &str) -> Result<Secret> {
        let found = self.current(name).await?.map(|version| version.secret);
        found.ok_or_else(|| self.absent(name))
    }

    async fn put_if_unchanged(&self, name: &str, old: &Secret, new: &Secret) -> Result<bool> {
        let replaced = match self.current(name).await? {
            Some(version) if version.secret.expose() == old.expose() => version.id,
            _ => return Ok(false),
        };
        let pending = self.put_pending(name, new).await?;
        let Err(refusal) = self.promote(name, (&replaced, &pending)).await else {
            return Ok(true);
        };
        // Another one was quicker, or it was done and the answer got lost.
        let current = self.current(name).await?.map(|version| version.id);
        if current.as_ref() == Some(&pending) {
            return Ok(true);
        }
        if current.as_ref() == Some(&replaced) {
            return Err(refusal);
        }
        if let Err(error) = self.withdraw(name, &pending).await {
            // Somebody else's stage by now, most likely.
            tracing::debug!(error = %error, "a version that came too late may still be called pending");
        }
        Ok(false)
    }
}
