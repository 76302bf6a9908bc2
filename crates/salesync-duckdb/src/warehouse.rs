//! The warehouse port on a DuckDB file.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use salesync_core::batch::{Batch, Committed, Slot, State, StreamId};
use salesync_core::error::Result;
use salesync_core::plain::NewRows;
use salesync_core::schema::{SchemaChange, Table};
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Scan, Warehouse};

use crate::queue::DuckDbQueue;
use crate::settings::DuckDbSettings;
use crate::store::Store;

/// A warehouse in a DuckDB file.
#[derive(Debug, Clone)]
pub struct DuckDbWarehouse {
    store: Store,
}

impl DuckDbWarehouse {
    /// Opens the file, which is made where there is none, and the tenant's schema in it. A file that
    /// another process has open is waited for, up to five seconds. A write-ahead log that can't be
    /// replayed is put aside.
    ///
    /// # Errors
    /// `ERR_RUN_OVERLAP` where the other process does not let go, `ERR_STORE_CORRUPT` where it is no
    /// DuckDB file, `ERR_STORE_SCHEMA` where a newer version wrote it, `ERR_CONFIG_INVALID` where a
    /// setting is wrong or the folder is missing.
    ///
    /// # Cancel safety
    /// A dropped opening leaves at most the empty tables behind.
    pub async fn open(settings: DuckDbSettings) -> Result<Self> {
        Ok(Self {
            store: Store::open(settings).await?,
        })
    }

    /// Returns the queue of dead letters in the same file.
    #[must_use]
    pub fn queue(&self) -> DuckDbQueue {
        DuckDbQueue::new(self.store.clone())
    }
}

#[async_trait]
impl Warehouse for DuckDbWarehouse {
    fn describe(&self) -> String {
        format!("duckdb:{}", self.store.path().display())
    }

    async fn prepare(&self, table: &Arc<Table>) -> Result<Vec<SchemaChange>> {
        let table = Arc::clone(table);
        self.store
            .run(move |database| database.prepare_raw(&table))
            .await
    }

    async fn cursor(&self, id: &StreamId, slot: Slot) -> Result<Option<State>> {
        let id = id.clone();
        self.store
            .run(move |database| database.state(&id, slot))
            .await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Committed>> {
        self.store
            .run(move |database| database.commit(&batch))
            .await
    }

    async fn columns(&self, table: &SqlIdentifier) -> Result<Vec<String>> {
        let table = table.clone();
        self.store
            .run(move |database| database.columns(&table))
            .await
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<RecordBatch>> {
        let scan = scan.clone();
        self.store.run(move |database| database.scan(&scan)).await
    }

    async fn replace(&self, tables: Vec<NewRows>) -> Result<()> {
        self.store
            .run(move |database| database.replace(tables))
            .await
    }
}
