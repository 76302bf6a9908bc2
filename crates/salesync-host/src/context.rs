//! What a command works with, built once.

use std::sync::Arc;

use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::SecretStore;
use salesync_core::source::{Source, SourceDefinition, SourceSettings};
use salesync_core::time::Timestamp;

use crate::adapters::{self, Stores};
use crate::secrets::GivenSecrets;
use crate::settings::Settings;

/// What a command works with.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) sources: Vec<&'static SourceDefinition>,
    pub(crate) secrets: Arc<dyn GivenSecrets>,
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

    /// Connects a source; nothing is sent yet.
    pub(crate) fn connect(&self, definition: &'static SourceDefinition) -> Result<Arc<dyn Source>> {
        let base_url = self.settings.base_urls.get(definition.name).cloned();
        let secrets: Arc<dyn SecretStore> = self.secrets.clone();
        (definition.connect)(SourceSettings {
            base_url: base_url.unwrap_or_else(|| definition.base_url.to_owned()),
            secrets,
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
