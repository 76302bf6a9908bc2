//! Secrets out of the environment, a folder or a cloud.

mod cloud;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::{Secret, SecretStore};

use crate::settings::secret_name;

pub(crate) use self::cloud::{AwsSecrets, GoogleSecrets};

/// Words that stand in a secret that nobody has filled in yet.
const PLACEHOLDERS: [&str; 6] = [
    "replace_me",
    "replace-me",
    "changeme",
    "change_me",
    "your_token",
    "placeholder",
];

/// Secrets as the program was given them.
#[async_trait]
pub(crate) trait GivenSecrets: SecretStore {
    /// Returns whether a source's secret was given at all.
    ///
    /// # Errors
    /// Where that can't be told: the store does not answer, or must not be asked.
    async fn has(&self, source: &str) -> Result<bool>;

    /// Returns what a source's secret is given as: a setting's name, a file's, or a name in the cloud.
    fn shown(&self, source: &str) -> String;
}

/// Secrets that were given as settings. A rotated one lives as long as the process: say so to the user.
pub(crate) struct EnvironmentSecrets {
    secrets: Mutex<BTreeMap<String, Secret>>,
}

impl EnvironmentSecrets {
    pub(crate) fn new(given: impl Iterator<Item = (String, String)>) -> Self {
        Self {
            secrets: Mutex::new(
                given
                    .map(|(name, text)| (name, Secret::new(text)))
                    .collect(),
            ),
        }
    }
}

impl std::fmt::Debug for EnvironmentSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvironmentSecrets")
    }
}

#[async_trait]
impl SecretStore for EnvironmentSecrets {
    async fn get(&self, name: &str) -> Result<Secret> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let found = secrets.get(name).cloned().ok_or_else(|| {
            Error::new(Code::ConfigInvalid, "read a secret").with("setting", secret_name(name))
        })?;
        check(found, &secret_name(name))
    }

    async fn put_if_unchanged(&self, name: &str, old: &Secret, new: &Secret) -> Result<bool> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        match secrets.get_mut(name) {
            Some(held) if held.expose() == old.expose() => {
                *held = new.clone();
                tracing::warn!(
                    secret = name,
                    "the refresh token was rotated and can't be kept in the environment: use SALESYNC_SECRETS=file:DIR"
                );
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

#[async_trait]
impl GivenSecrets for EnvironmentSecrets {
    async fn has(&self, source: &str) -> Result<bool> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(secrets.contains_key(source))
    }

    fn shown(&self, source: &str) -> String {
        secret_name(source)
    }
}

/// Secrets in a folder, one `<name>.json` each.
#[derive(Debug)]
pub(crate) struct FolderSecrets {
    pub(crate) folder: PathBuf,
}

impl FolderSecrets {
    /// Returns where a secret stands: `<name>.json`, or `<name>` where only that is there, as mounted
    /// secrets often are.
    fn path(folder: &Path, name: &str) -> PathBuf {
        let with_ending = folder.join(format!("{name}.json"));
        let without = folder.join(name);
        if !with_ending.exists() && without.is_file() {
            return without;
        }
        with_ending
    }

    fn read(&self, name: &str) -> Result<String> {
        std::fs::read_to_string(Self::path(&self.folder, name)).map_err(|error| {
            Error::new(Code::ConfigInvalid, "read a secret")
                .with("file", Self::path(&self.folder, name).display())
                .because(error)
        })
    }

    /// Writes beside the old file and then takes its place, so that a crash leaves one of the two.
    fn write(&self, name: &str, text: &str) -> std::io::Result<()> {
        let temporary = self.folder.join(format!(".{name}.json.new"));
        let mut options = std::fs::OpenOptions::new();
        options.create(true).write(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(temporary, Self::path(&self.folder, name))
    }
}

#[async_trait]
impl SecretStore for FolderSecrets {
    async fn get(&self, name: &str) -> Result<Secret> {
        check(
            Secret::new(self.read(name)?),
            &Self::path(&self.folder, name).display().to_string(),
        )
    }

    async fn put_if_unchanged(&self, name: &str, old: &Secret, new: &Secret) -> Result<bool> {
        if self.read(name)? != old.expose() {
            return Ok(false);
        }
        self.write(name, new.expose()).map_err(|error| {
            Error::new(Code::StoreUnavailable, "store a rotated secret").because(error)
        })?;
        Ok(true)
    }
}

#[async_trait]
impl GivenSecrets for FolderSecrets {
    async fn has(&self, source: &str) -> Result<bool> {
        Ok(Self::path(&self.folder, source).exists())
    }

    fn shown(&self, source: &str) -> String {
        Self::path(&self.folder, source).display().to_string()
    }
}

fn check(secret: Secret, shown_as: &str) -> Result<Secret> {
    let lower = secret.expose().to_lowercase();
    if lower.trim().is_empty() || PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return Err(
            Error::new(Code::ConfigSecretPlaceholder, "read a secret").with("secret", shown_as)
        );
    }
    Ok(secret)
}
