//! A source that fails by script.

use std::sync::Arc;

use async_trait::async_trait;
use salesync_core::backlog::{Backlog, Due};
use salesync_core::cursor::Cursor;
use salesync_core::error::Result;
use salesync_core::ledger::Window;
use salesync_core::record::{RawRecord, Reject};
use salesync_core::run::Traffic;
use salesync_core::schema::Table;
use salesync_core::source::{Page, Presence, Reading, Source, Stream, TableChange};
use salesync_core::time::Timestamp;

use super::{Operation, Script};

/// A source whose calls, and those of its streams, go through one [`Script`].
#[derive(Debug)]
pub struct FaultySource {
    inner: Arc<dyn Source>,
    script: Arc<Script>,
}

impl FaultySource {
    /// Wraps a source.
    #[must_use]
    pub fn new(inner: Arc<dyn Source>, script: Script) -> Self {
        Self {
            inner,
            script: Arc::new(script),
        }
    }

    /// Returns the script, which counts the calls.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.script
    }
}

#[async_trait]
impl Source for FaultySource {
    async fn check(&self) -> Result<()> {
        self.script.play(Operation::Check, self.inner.check()).await
    }

    async fn parts(&self, stream: &str) -> Result<Vec<String>> {
        self.inner.parts(stream).await
    }

    async fn open(&self, stream: &str, part: Option<&str>) -> Result<Arc<dyn Stream>> {
        let inner = self
            .script
            .play(Operation::Open, self.inner.open(stream, part))
            .await?;
        Ok(Arc::new(FaultyStream {
            inner,
            script: Arc::clone(&self.script),
        }))
    }

    fn clock(&self) -> Timestamp {
        self.inner.clock()
    }
}

/// A stream of a [`FaultySource`].
#[derive(Debug)]
pub struct FaultyStream {
    inner: Arc<dyn Stream>,
    script: Arc<Script>,
}

#[async_trait]
impl Stream for FaultyStream {
    fn table(&self) -> &Arc<Table> {
        self.inner.table()
    }

    fn beside(&self) -> &[Arc<Table>] {
        self.inner.beside()
    }

    fn reading(&self) -> Reading {
        self.inner.reading()
    }

    fn backlog(&self) -> Option<&Backlog> {
        self.inner.backlog()
    }

    async fn look_up(&self, due: &[Due]) -> Result<Page> {
        self.script
            .play(Operation::Fetch, self.inner.look_up(due))
            .await
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        self.script
            .play(Operation::Fetch, self.inner.fetch(from))
            .await
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        self.inner.decode(raw)
    }

    async fn count(&self, window: Window) -> Result<u64> {
        self.script
            .play(Operation::Count, self.inner.count(window))
            .await
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        self.script
            .play(Operation::Presence, self.inner.presence(keys))
            .await
    }

    fn traffic(&self) -> Traffic {
        self.inner.traffic()
    }
}
