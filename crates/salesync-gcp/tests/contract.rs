//! A BigQuery dataset keeps every promise of the ports, as an emulator shows it. Where SALESYNC_TEST_BIGQUERY names
//! no emulator, each test says so and passes over it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "these are the helpers of tests"
)]

mod emulator;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use salesync_core::queue::Queue;
use salesync_core::time::Timestamp;
use salesync_core::warehouse::Warehouse;
use salesync_gcp::{BigQuerySettings, BigQueryWarehouse, Merging};

static DATASETS: AtomicU32 = AtomicU32::new(0);

/// Opens a new dataset into which rows are merged so.
async fn open(merging: Merging) -> Option<BigQueryWarehouse> {
    let emulator = emulator::emulator()?;
    let number = DATASETS.fetch_add(1, Ordering::Relaxed);
    let dataset = format!("contract_{}_{number}", std::process::id());
    let settings = BigQuerySettings {
        emulator: Some(emulator),
        merging,
        ..BigQuerySettings::new("p", dataset, Timestamp::EPOCH)
    };
    Some(BigQueryWarehouse::open(&settings).await.unwrap())
}

mod warehouse {
    use super::*;

    async fn make() -> Option<(Arc<dyn Warehouse>, ())> {
        Some((Arc::new(open(Merging::Whole).await?), ()))
    }

    salesync_testkit::warehouse_contract!(make);
    salesync_testkit::each_promise! { make, warehouse: an_unreadable_cursor_is_an_error, }
}

/// Where only the partitions are read that a commit needs.
mod by_partitions {
    use super::*;

    async fn make() -> Option<(Arc<dyn Warehouse>, ())> {
        Some((Arc::new(open(Merging::Partitions).await?), ()))
    }

    salesync_testkit::warehouse_contract!(make);
}

/// Where rows land beside their table, to be merged once a day.
mod daily {
    use super::*;

    async fn make() -> Option<(Arc<dyn Warehouse>, ())> {
        Some((Arc::new(open(Merging::Daily).await?), ()))
    }

    salesync_testkit::warehouse_contract!(make);
}

mod queue {
    use super::*;

    async fn make() -> Option<(Arc<dyn Queue>, ())> {
        Some((Arc::new(open(Merging::BySize).await?.queue()), ()))
    }

    salesync_testkit::queue_contract!(make);
}
