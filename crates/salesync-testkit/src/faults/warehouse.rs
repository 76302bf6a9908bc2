//! A warehouse that fails by script.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use salesync_core::batch::{Batch, Committed, Slot, State, StreamId};
use salesync_core::error::Result;
use salesync_core::plain::NewRows;
use salesync_core::schema::{SchemaChange, Table};
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Scan, Warehouse};

use super::{Operation, Script};

/// A warehouse whose calls go through a [`Script`].
#[derive(Debug)]
pub struct FaultyWarehouse {
    inner: Arc<dyn Warehouse>,
    script: Script,
}

impl FaultyWarehouse {
    /// Wraps a warehouse.
    #[must_use]
    pub fn new(inner: Arc<dyn Warehouse>, script: Script) -> Self {
        Self { inner, script }
    }

    /// Returns the script, which counts the calls.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.script
    }
}

#[async_trait]
impl Warehouse for FaultyWarehouse {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn prepare(&self, table: &Arc<Table>) -> Result<Vec<SchemaChange>> {
        self.script
            .play(Operation::Prepare, self.inner.prepare(table))
            .await
    }

    async fn cursor(&self, id: &StreamId, slot: Slot) -> Result<Option<State>> {
        self.script
            .play(Operation::Cursor, self.inner.cursor(id, slot))
            .await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Committed>> {
        self.script
            .play(Operation::Commit, self.inner.commit(batch))
            .await
    }

    async fn columns(&self, table: &SqlIdentifier) -> Result<Vec<String>> {
        self.script
            .play(Operation::Scan, self.inner.columns(table))
            .await
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<RecordBatch>> {
        self.script
            .play(Operation::Scan, self.inner.scan(scan))
            .await
    }

    async fn replace(&self, tables: Vec<NewRows>) -> Result<()> {
        self.script
            .play(Operation::Replace, self.inner.replace(tables))
            .await
    }
}
