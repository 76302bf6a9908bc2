//! A DuckDB file keeps every promise of the ports.
#![expect(clippy::unwrap_used, reason = "these are the helpers of tests")]

use std::sync::Arc;

use salesync_core::queue::Queue;
use salesync_core::warehouse::Warehouse;
use salesync_duckdb::{DuckDbSettings, DuckDbWarehouse};
use tempfile::TempDir;

async fn open() -> (DuckDbWarehouse, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sales.duckdb");
    (
        DuckDbWarehouse::open(DuckDbSettings::new(path))
            .await
            .unwrap(),
        folder,
    )
}

mod warehouse {
    use super::*;

    async fn make() -> (Arc<dyn Warehouse>, TempDir) {
        let (warehouse, folder) = open().await;
        (Arc::new(warehouse), folder)
    }

    salesync_testkit::warehouse_contract!(make);
    salesync_testkit::each_promise! { make, warehouse: an_unreadable_cursor_is_an_error, }
}

mod queue {
    use super::*;

    async fn make() -> (Arc<dyn Queue>, TempDir) {
        let (warehouse, folder) = open().await;
        (Arc::new(warehouse.queue()), folder)
    }

    salesync_testkit::queue_contract!(make);
    salesync_testkit::each_promise! { make, queue:
        a_forwarded_message_is_kept_and_no_longer_delivered,
        large_messages_come_a_few_at_a_time,
    }
}
