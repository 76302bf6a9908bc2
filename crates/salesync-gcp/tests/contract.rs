//! A BigQuery dataset keeps every promise of the ports. Where SALESYNC_TEST_BIGQUERY names no BigQuery, each test says so
//! and passes over it.
#![expect(clippy::unwrap_used, reason = "these are the helpers of tests")]

#[cfg(test)]
#[expect(dead_code, reason = "others of the adapter's tests need more of it")]
mod emulator;

use std::sync::Arc;

use emulator::Dataset;
use salesync_core::queue::Queue;
use salesync_core::warehouse::Warehouse;
use salesync_gcp::{BigQuerySettings, BigQueryWarehouse, Merging, Road};

/// Opens a new dataset that is used so.
async fn open(change: impl FnOnce(&mut BigQuerySettings)) -> Option<(BigQueryWarehouse, Dataset)> {
    let mut dataset = emulator::new_dataset("contract")?;
    change(&mut dataset.0);
    let warehouse = BigQueryWarehouse::open(&dataset).await.unwrap();
    Some((warehouse, dataset))
}

async fn merged(merging: Merging) -> Option<(Arc<dyn Warehouse>, Dataset)> {
    let (warehouse, dataset) = open(|settings| settings.merging = merging).await?;
    Some((Arc::new(warehouse), dataset))
}

mod warehouse {
    use super::*;

    async fn make() -> Option<(Arc<dyn Warehouse>, Dataset)> {
        merged(Merging::Whole).await
    }

    salesync_testkit::warehouse_contract!(make);
    salesync_testkit::each_promise! { make, warehouse: an_unreadable_cursor_is_an_error, }
}

/// What has to do with the rows of a table, for the other ways to merge them.
macro_rules! promises_of_rows {
    ($make:path) => {
        salesync_testkit::each_promise! { $make, warehouse:
            the_newest_version_wins_in_every_order_and_batching,
            of_one_version_the_later_reading_wins,
            the_counts_of_a_mixed_commit_add_up,
            a_large_commit_over_a_large_table_adds_up,
            a_mark_is_set_once,
            a_marked_row_stays_gone_when_an_older_version_comes_late,
            a_mark_without_a_row_keeps_older_versions_out,
            a_chain_of_merges_ends_at_the_survivor,
            a_narrow_type_is_widened_and_the_rows_stay,
            unseen_rows_are_those_that_a_full_sync_has_not_met,
            parts_are_kept_apart,
            details_follow_their_owner,
            details_of_a_marked_owner_are_marked,
            a_group_lives_as_long_as_a_member,
            rows_kept_by_another_day_obey_the_same_rule,
            commits_at_the_same_time_harm_nothing,
        }
    };
}

/// Where only the partitions are read that a commit needs.
mod by_partitions {
    use super::*;

    async fn make() -> Option<(Arc<dyn Warehouse>, Dataset)> {
        merged(Merging::Partitions).await
    }

    promises_of_rows!(make);
}

/// Where rows land beside their table, to be merged once a day.
mod daily {
    use super::*;

    async fn make() -> Option<(Arc<dyn Warehouse>, Dataset)> {
        merged(Merging::Daily).await
    }

    promises_of_rows!(make);
}

/// Where many rows come by the Storage Write API.
mod by_write_api {
    use super::*;

    async fn make() -> Option<(Arc<dyn Warehouse>, Dataset)> {
        let (warehouse, dataset) = open(|settings| settings.road = Road::WriteApi).await?;
        Some((Arc::new(warehouse), dataset))
    }

    salesync_testkit::each_promise! { make, warehouse:
        a_large_commit_over_a_large_table_adds_up,
        values_come_back_exactly,
        a_megabyte_of_text_comes_back,
        columns_may_be_named_like_keywords,
        many_rows_of_every_type_come_back_exactly,
    }
}

mod queue {
    use super::*;

    async fn make() -> Option<(Arc<dyn Queue>, Dataset)> {
        let (warehouse, dataset) = open(|_| {}).await?;
        Some((Arc::new(warehouse.queue()), dataset))
    }

    salesync_testkit::queue_contract!(make);
    salesync_testkit::each_promise! { make, queue: a_forwarded_message_is_kept_and_no_longer_delivered, }
}
