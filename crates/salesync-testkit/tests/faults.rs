//! A script of faults does what it says, to the call that it names.
#![expect(clippy::unwrap_used, reason = "these are the helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use salesync_core::batch::{Slot, StreamId};
use salesync_core::error::Code;
use salesync_core::memory::MemoryWarehouse;
use salesync_core::schema::Table;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Scan, Warehouse};
use salesync_testkit::faults::{Fault, FaultyWarehouse, Operation, Script};

fn table() -> Arc<Table> {
    Arc::new(Table::new("things", "", Vec::new()).unwrap())
}

#[tokio::test]
async fn an_error_before_the_call_leaves_no_effect_and_one_after_it_does() {
    let script = Script::new()
        .on(Operation::Prepare, 1, Fault::Before(Code::StoreUnavailable))
        .on(Operation::Prepare, 2, Fault::After(Code::StoreConflict));
    let warehouse = FaultyWarehouse::new(Arc::new(MemoryWarehouse::new()), script);
    let first = warehouse.prepare(&table()).await.unwrap_err();
    assert_eq!(first.code(), Code::StoreUnavailable);
    let second = warehouse.prepare(&table()).await.unwrap_err();
    assert_eq!(second.code(), Code::StoreConflict);
    // The second call had made the table: the third has nothing to change.
    assert_eq!(warehouse.prepare(&table()).await.unwrap(), []);
    assert_eq!(warehouse.script().calls(Operation::Prepare), 3);
    assert_eq!(warehouse.script().calls(Operation::Commit), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_can_be_dropped_while_it_waits() {
    let hour = Duration::from_secs(3_600);
    let script = Script::new().on(Operation::Cursor, 1, Fault::SlowBefore(hour));
    let warehouse = FaultyWarehouse::new(Arc::new(MemoryWarehouse::new()), script);
    let id = StreamId {
        source: "s".into(),
        stream: "t".into(),
        part: None,
    };
    let call = warehouse.cursor(&id, Slot::Full);
    assert!(
        tokio::time::timeout(Duration::from_secs(1), call)
            .await
            .is_err()
    );
    assert!(warehouse.cursor(&id, Slot::Full).await.unwrap().is_none());
    let things = Scan::of(SqlIdentifier::parse("things").unwrap());
    assert!(warehouse.scan(&things).await.unwrap().is_empty());
}
