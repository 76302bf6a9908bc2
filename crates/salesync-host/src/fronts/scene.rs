//! What tests of the fronts stand on: a source without streams, and a warehouse in a folder of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::source::{Source, SourceDefinition, SourceSettings, Stream};
use salesync_core::time::Timestamp;
use tempfile::TempDir;

use crate::context::Context;
use crate::settings::Settings;
use crate::telemetry::Telemetry;

/// A source that has nothing to read.
pub(super) static SHELF: SourceDefinition = SourceDefinition {
    name: "shelf",
    streams: &[],
    brought: &[],
    after: &[],
    settings: &[],
    base_url: "https://shelf.example",
    identities: &[],
    interactions: &[],
    ours: &[],
    deals: &[],
    connect,
};

fn connect(_: SourceSettings) -> Result<Arc<dyn Source>> {
    Ok(Arc::new(Shelf))
}

#[derive(Debug)]
struct Shelf;

#[async_trait]
impl Source for Shelf {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn open(&self, _: &str, _: Option<&str>) -> Result<Arc<dyn Stream>> {
        Err(Error::new(Code::SourceForbidden, "open a stream"))
    }

    fn clock(&self) -> Timestamp {
        Timestamp::EPOCH
    }
}

/// A context with these settings, and the folder that its warehouse is in.
pub(super) fn context(given: &[(&str, &str)]) -> (Context, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shelf.duckdb");
    let own = [
        ("SALESYNC_WAREHOUSE", format!("duckdb:{}", file.display())),
        ("SALESYNC_SECRET_SHELF", "{}".to_owned()),
    ];
    let mut values: BTreeMap<String, String> =
        own.map(|(name, value)| (name.to_owned(), value)).into();
    values.extend(
        given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let settings = Settings::from_values(values, &[&SHELF]).unwrap();
    let telemetry = Telemetry::new(settings.otlp.clone(), &settings.tenant);
    (Context::new(settings, &[&SHELF], telemetry), folder)
}
