//! What a command works with. What lasts is built once for each start of the program; the time, and how much of it is
//! left, belong to each command.

use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry::trace::SpanContext;
use salesync_core::error::{Code, Error, Result};
use salesync_core::queue::Queue;
use salesync_core::secret::SecretStore;
use salesync_core::source::{Source, SourceDefinition, SourceSettings};
use salesync_core::time::Timestamp;
use salesync_core::warehouse::Warehouse;
use tokio::sync::Mutex;

use crate::adapters::{self, Stores};
use crate::secrets::GivenSecrets;
use crate::settings::Settings;
use crate::telemetry::Telemetry;

/// What a command works with.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) sources: Vec<&'static SourceDefinition>,
    pub(crate) secrets: Arc<dyn GivenSecrets>,
    pub(crate) now: Timestamp,
    /// How long a sync may read.
    pub(crate) allowed: Option<Duration>,
    /// What is measured beside the log.
    pub(crate) telemetry: Telemetry,
    /// The trace that the caller of this command has begun.
    pub(crate) trace: Option<SpanContext>,
    /// How many runs led to this command by themselves.
    pub(crate) hop: u32,
    open: Arc<Mutex<Open>>,
}

/// The stores that commands of this process have open now.
#[derive(Default)]
struct Open {
    warehouse: Option<Weak<dyn Warehouse>>,
    dead_letters: Option<Weak<dyn Queue>>,
}

impl Open {
    fn stores(&self) -> Option<Stores> {
        Some(Stores {
            warehouse: self.warehouse.as_ref()?.upgrade()?,
            dead_letters: self.dead_letters.as_ref()?.upgrade()?,
        })
    }
}

impl Context {
    /// Returns a context for commands that begin now.
    pub(crate) fn new(
        settings: Settings,
        sources: &[&'static SourceDefinition],
        telemetry: Telemetry,
    ) -> Self {
        let now = now();
        let secrets = adapters::secrets(&settings, sources, now);
        Self {
            allowed: settings.deadline,
            settings,
            sources: sources.to_vec(),
            secrets,
            now,
            telemetry,
            trace: None,
            hop: 0,
            open: Arc::default(),
        }
    }

    /// Returns the same for a command that begins now, may read so long, and that so many runs led to.
    pub(crate) fn beginning(&self, allowed: Option<Duration>, hop: u32) -> Self {
        Self {
            now: now(),
            allowed,
            hop,
            ..self.clone()
        }
    }

    /// Returns the same for a command that belongs to a trace of its caller's, where there is one.
    pub(crate) fn traced(self, trace: Option<SpanContext>) -> Self {
        Self { trace, ..self }
    }

    /// Opens the warehouse: only commands that need it do. Commands of one process share it while one of them has it
    /// open, so keep both of the stores until the command is done.
    pub(crate) async fn stores(&self) -> Result<Stores> {
        let mut open = self.open.lock().await;
        if let Some(stores) = open.stores() {
            return Ok(stores);
        }
        let stores = adapters::stores(&self.settings, self.now).await?;
        *open = Open {
            warehouse: Some(Arc::downgrade(&stores.warehouse)),
            dead_letters: Some(Arc::downgrade(&stores.dead_letters)),
        };
        Ok(stores)
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
