//! What a command works with, built once.

use std::sync::Arc;

use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::SecretStore;
use salesync_core::source::{Source, SourceDefinition, SourceSettings};
use salesync_core::time::Timestamp;

use crate::adapters::{self, Stores};
use crate::secrets::FolderSecrets;
use crate::settings::{SecretsChoice, Settings, secret_name};

/// What a command works with.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) sources: Vec<&'static SourceDefinition>,
    pub(crate) secrets: Arc<dyn SecretStore>,
    pub(crate) now: Timestamp,
}

impl Context {
    pub(crate) fn new(settings: Settings, sources: &[&'static SourceDefinition]) -> Self {
        let secrets = adapters::secrets(&settings, sources);
        Self {
            settings,
            sources: sources.to_vec(),
            secrets,
            now: now(),
        }
    }

    /// Opens the warehouse: only commands that need it do.
    pub(crate) async fn stores(&self) -> Result<Stores> {
        adapters::stores(&self.settings, self.now).await
    }

    /// Returns the sources that a command names: one, or all.
    pub(crate) fn select(&self, name: &str) -> Result<Vec<&'static SourceDefinition>> {
        if name == "all" {
            return Ok(self.sources.clone());
        }
        let found = self.sources.iter().find(|source| source.name == name);
        found.map(|source| vec![*source]).ok_or_else(|| {
            let known: Vec<&str> = self.sources.iter().map(|source| source.name).collect();
            Error::new(Code::RequestInvalid, "select a source")
                .with("unknown source", name)
                .with("sources", format!("{}, all", known.join(", ")))
        })
    }

    /// Returns whether a source's secret was given at all.
    pub(crate) fn has_secret(&self, source: &str) -> bool {
        match &self.settings.secrets {
            SecretsChoice::Environment => self.settings.given(&secret_name(source)).is_some(),
            SecretsChoice::Folder(folder) => FolderSecrets::path(folder, source).exists(),
        }
    }

    /// Returns what a source's secret is given as: a setting's name or a file's.
    pub(crate) fn secret_shown(&self, source: &str) -> String {
        match &self.settings.secrets {
            SecretsChoice::Environment => secret_name(source),
            SecretsChoice::Folder(folder) => {
                FolderSecrets::path(folder, source).display().to_string()
            }
        }
    }

    /// Connects a source; nothing is sent yet.
    pub(crate) fn connect(&self, definition: &'static SourceDefinition) -> Result<Arc<dyn Source>> {
        let base_url = self.settings.base_urls.get(definition.name).cloned();
        (definition.connect)(SourceSettings {
            base_url: base_url.unwrap_or_else(|| definition.base_url.to_owned()),
            secrets: Arc::clone(&self.secrets),
            now: self.now,
            values: self
                .settings
                .of_sources
                .get(definition.name)
                .cloned()
                .unwrap_or_default(),
        })
    }
}

/// Returns the time, for a command that starts now.
pub(crate) fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the time is asked"
    )]
    let now = chrono::Utc::now();
    Timestamp::from(now)
}
