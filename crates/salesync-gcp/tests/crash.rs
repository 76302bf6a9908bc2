//! A commit that ends before or after any of its requests, and one whose answers are lost: nothing is lost, nothing is
//! there twice. Where SALESYNC_TEST_BIGQUERY names no emulator, each test says so and passes over it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are the helpers of tests"
)]

#[cfg(test)]
#[expect(dead_code, reason = "others of the adapter's tests need more of it")]
mod emulator;
#[cfg(test)]
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use emulator::Dataset;
use futures::future::join_all;
use salesync_core::batch::{Batch, RowBuffer, Slot, State, StreamId};
use salesync_core::cursor::Cursor;
use salesync_core::record::{Change, Value};
use salesync_core::run::RunId;
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::time::Timestamp;
use salesync_core::warehouse::{Scan, Warehouse};
use salesync_gcp::{BigQuerySettings, BigQueryWarehouse, Merging};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wire::read_request;

/// What goes wrong between the warehouse and BigQuery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// From this request on nothing arrives.
    Before(u32),
    /// This request arrives, its answer does not, and nothing after it.
    After(u32),
    /// This request arrives and its answer is lost; all is well after that.
    Lost(u32),
}

/// Forwards requests to an emulator until something goes wrong.
struct Between {
    url: String,
    seen: Arc<AtomicU32>,
}

impl Between {
    async fn start(emulator: &str, fault: Option<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let host = emulator.trim_start_matches("http://").to_owned();
        let seen = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (host, seen) = (host.clone(), Arc::clone(&counted));
                tokio::spawn(async move { forward(socket, &host, &seen, fault).await });
            }
        });
        Self { url, seen }
    }
}

/// Forwards the one request of a connection; the answer ends it.
async fn forward(
    mut socket: TcpStream,
    host: &str,
    seen: &AtomicU32,
    fault: Option<Fault>,
) -> Option<()> {
    let request = read_request(&mut socket).await?;
    let number = seen.fetch_add(1, Ordering::SeqCst) + 1;
    let is_gone = match fault {
        Some(Fault::Before(last)) => number >= last,
        Some(Fault::After(last)) => number > last,
        _ => false,
    };
    if is_gone {
        return None;
    }
    let mut there = TcpStream::connect(host).await.ok()?;
    there.write_all(&request).await.ok()?;
    let mut answer = Vec::new();
    there.read_to_end(&mut answer).await.ok()?;
    match fault {
        Some(Fault::After(which) | Fault::Lost(which)) if number == which => None,
        _ => socket.write_all(&answer).await.ok(),
    }
}

async fn open(url: &str, place: &BigQuerySettings) -> BigQueryWarehouse {
    let settings = BigQuerySettings {
        emulator: Some(url.to_owned()),
        ..place.clone()
    };
    BigQueryWarehouse::open(&settings).await.unwrap()
}

fn table() -> Arc<Table> {
    let columns = vec![Column::new("name", ColumnType::Text, "").unwrap()];
    Arc::new(Table::new("crash_things", "What the test writes", columns).unwrap())
}

/// Returns a batch of so many rows in that version, with the cursor that goes with it.
fn batch(rows: usize, version: i64) -> Batch {
    let run_id = RunId::new(Timestamp::from_millis(version));
    let (table, at) = (table(), Timestamp::from_millis(version));
    let mut buffer = RowBuffer::new(&table, &run_id).unwrap();
    for number in 0..rows {
        let change = Change {
            key: format!("{number}").into(),
            version: at,
            values: vec![Value::Text(format!("version {version}").into())],
            extra: Vec::new(),
            deletion: None,
            replaces: Vec::new(),
        };
        buffer.push(&change, at, 1).unwrap();
    }
    let state = State {
        id: stream(),
        slot: Slot::Incremental,
        generation: 0,
        epoch: u64::try_from(version).unwrap(),
        seq: 0,
        run_id,
        cursor: Some(Cursor::between_windows(at)),
        source_clock: at,
        committed_at: at,
    };
    Batch {
        states: vec![state],
        ..buffer.finish().unwrap().into()
    }
}

fn stream() -> StreamId {
    StreamId {
        source: "crash".to_owned(),
        stream: "things".to_owned(),
        part: None,
    }
}

/// Returns how many rows there are, and up to where the cursor says that nothing is missing. Whoever is gone may have
/// left a script that still runs: what is read in two steps counts when nothing changed between them.
async fn state_of(warehouse: &BigQueryWarehouse) -> (usize, i64) {
    let cursor = async || {
        let state = warehouse.cursor(&stream(), Slot::Incremental).await;
        let cursor = state.unwrap().and_then(|state| state.cursor).unwrap();
        cursor.complete_to().millis()
    };
    loop {
        let before = cursor().await;
        let rows = warehouse.scan(&Scan::of(table().name().clone())).await;
        let rows: usize = rows.unwrap().iter().map(|it| it.num_rows()).sum();
        if cursor().await == before {
            return (rows, before);
        }
    }
}

/// Commits 10 rows in version 1, then more of them in version 2 with a fault on the way; fails unless the second commit
/// has happened wholly or not at all, and is there once when it is repeated.
async fn survives(place: Dataset, rows: usize, fault: Fault) {
    let emulator = place.emulator.clone().unwrap();
    let before = open(&emulator, &place).await;
    before.prepare(&table()).await.unwrap();
    before.commit(batch(10, 1)).await.unwrap();
    // What opening asks is not counted.
    let between = Between::start(&emulator, None).await;
    drop(open(&between.url, &place).await);
    let opening = between.seen.load(Ordering::SeqCst);
    let fault = match fault {
        Fault::Before(number) => Fault::Before(opening + number),
        Fault::After(number) => Fault::After(opening + number),
        Fault::Lost(number) => Fault::Lost(opening + number),
    };
    let between = Between::start(&emulator, Some(fault)).await;
    let outcome = open(&between.url, &place)
        .await
        .commit(batch(rows, 2))
        .await;
    if let Fault::Lost(_) = fault {
        let committed = outcome.unwrap()[0];
        let counted = (committed.new, committed.changed);
        let expected = (u64::try_from(rows - 10).unwrap(), 10);
        assert_eq!(counted, expected, "{fault:?}");
    } else {
        let found = state_of(&before).await;
        let (all, none) = ((rows, 2), (10, 1));
        assert!(found == all || found == none, "{fault:?}: {found:?}");
        assert!(outcome.is_err() || found == all, "{fault:?}: {found:?}");
    }
    before.commit(batch(rows, 2)).await.unwrap();
    assert_eq!(state_of(&before).await, (rows, 2), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_ends_at_any_of_its_requests_is_whole_or_absent_and_may_be_repeated() {
    // A large commit looks at two tables, loads rows and runs one script; a small one whose rows land looks for
    // partitions first.
    let faults = |last: u32| {
        let each = 1..=last;
        each.flat_map(|number| {
            [
                Fault::Before(number),
                Fault::After(number),
                Fault::Lost(number),
            ]
        })
    };
    let large = faults(7).map(|fault| (600, Merging::Whole, fault));
    let landing = faults(8).filter(|fault| !matches!(fault, Fault::Lost(_)));
    let landing = landing.map(|fault| (20, Merging::Daily, fault));
    let all = large.chain(landing).filter_map(|(rows, merging, fault)| {
        // What goes wrong is put between us and an emulator.
        let mut place = emulator::new_dataset("crash").filter(|it| it.emulator.is_some())?;
        place.0.merging = merging;
        Some(survives(place, rows, fault))
    });
    join_all(all).await;
}
