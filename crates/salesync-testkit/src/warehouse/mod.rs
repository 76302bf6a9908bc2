//! The promises of [`Warehouse`](salesync_core::warehouse::Warehouse).

mod marks;
mod merge;
mod reading;
mod scene;
mod shape;
mod state;
mod ties;
mod whole;

pub use marks::*;
pub use merge::*;
pub use reading::*;
pub use scene::{Row, Scene, read, read_by_key};
pub use shape::*;
pub use state::*;
pub use ties::*;
pub use whole::*;

/// Makes a test of every promise of the warehouse port.
///
/// `$make` is an async function that returns a fresh, empty warehouse in an `Arc` and a value that lives
/// as long as the test (a temporary folder, say).
#[macro_export]
macro_rules! warehouse_contract {
    ($make:path) => {
        $crate::each_promise! { $make, warehouse:
            a_first_load_is_all_new,
            the_newest_version_wins_in_every_order_and_batching,
            repeating_a_commit_changes_nothing,
            of_one_version_the_later_reading_wins,
            of_one_version_the_earlier_reading_is_ignored,
            a_newer_version_is_a_change_even_with_the_same_content,
            an_older_version_is_ignored,
            the_counts_of_a_mixed_commit_add_up,
            a_large_commit_over_a_large_table_adds_up,
            a_mark_keeps_the_values_of_its_row,
            a_mark_is_set_once,
            a_mark_is_not_set_on_a_newer_row,
            a_marked_row_stays_gone_when_an_older_version_comes_late,
            a_mark_without_a_row_keeps_older_versions_out,
            a_newer_version_brings_a_marked_row_back,
            a_deleted_record_is_counted_as_tombstoned,
            a_chain_of_merges_ends_at_the_survivor,
            a_merge_that_is_read_again_changes_nothing,
            a_circle_of_merges_ends,
            preparing_twice_changes_nothing,
            a_new_column_is_added_and_the_rows_stay,
            a_narrow_type_is_widened_and_the_rows_stay,
            a_type_that_nothing_is_wider_than_becomes_text,
            rows_of_a_narrower_shape_fit_a_wider_table,
            column_names_ignore_case,
            columns_may_be_named_like_keywords,
            values_come_back_exactly,
            many_rows_of_every_type_come_back_exactly,
            rows_kept_by_another_day_obey_the_same_rule,
            a_megabyte_of_text_comes_back,
            a_stream_without_a_state_has_none,
            the_current_state_is_the_largest_by_generation_epoch_seq_and_run,
            a_cursor_comes_back_unchanged,
            slots_streams_and_parts_are_kept_apart,
            a_forgotten_slot_has_a_state_without_a_cursor,
            a_table_that_does_not_exist_has_no_rows,
            columns_are_told_in_their_order,
            a_scan_filters_orders_and_limits,
            the_shares_of_a_table_are_its_live_rows,
            changed_rows_are_those_that_were_read_or_went_since,
            unseen_rows_are_those_that_a_full_sync_has_not_met,
            notes_of_a_full_sync_are_forgotten,
            parts_are_kept_apart,
            a_part_is_swept_alone,
            details_follow_their_owner,
            details_of_the_part_itself_follow_it,
            details_of_a_marked_owner_are_marked,
            a_group_lives_as_long_as_a_member,
            rows_are_due_when_their_time_has_come,
            an_appended_row_is_there_once,
            a_replaced_table_holds_only_the_new_rows,
            a_failed_commit_writes_nothing,
            a_failed_replace_leaves_the_old_rows,
            a_replace_takes_every_batch_or_none,
            a_replace_takes_the_place_of_outdated_rows_only,
            commits_at_the_same_time_harm_nothing,
            a_dropped_commit_has_happened_wholly_or_not_at_all,
        }
    };
}

/// Makes one test of each promise; the suites' macros are built on it.
#[doc(hidden)]
#[macro_export]
macro_rules! each_promise {
    ($make:path, $suite:ident: $($promise:ident,)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                if let Some((made, _kept)) = $crate::Made::made($make().await) {
                    $crate::$suite::$promise(made).await;
                }
            }
        )+
    };
}
