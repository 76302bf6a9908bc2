//! Thousands of schedules of one sync, each decided by a seed: records change between any two requests,
//! requests fail, commits fail before or after they took effect, runs overlap. Whatever happens, two
//! undisturbed runs later the table is the source, and every record is accounted for.

mod dice;
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{Array, AsArray};
use async_trait::async_trait;
use salesync_core::batch::{Batch, Committed, Slot, State, StreamId};
use salesync_core::command::{Absent, Mode, Sync};
use salesync_core::error::{Code, Error, Result};
use salesync_core::memory::MemoryWarehouse;
use salesync_core::plain::NewRows;
use salesync_core::run::{Run, RunId, RunStatus};
use salesync_core::schema::{SchemaChange, Table};
use salesync_core::source::{Source, SourceDefinition};
use salesync_core::sync::{self, BatchLimits, SyncContext};
use salesync_core::time::Timestamp;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Scan, Warehouse};
use tokio::sync::watch;
use world::{World, WorldSource};

static DEFINITION: SourceDefinition = SourceDefinition {
    name: "world",
    streams: &["rows"],
    brought: &[],
    after: &[],
    settings: &[],
    base_url: "https://example.invalid",
    identities: &[],
    interactions: &[],
    ours: &[],
    deals: &[],
    connect: |_| {
        Err(Error::new(
            Code::Internal,
            "the simulation holds its source itself",
        ))
    },
};

/// A warehouse whose commits fail before or after they took effect.
#[derive(Debug)]
struct Troubled {
    inner: MemoryWarehouse,
    world: Arc<Mutex<World>>,
}

impl Troubled {
    fn strike(&self) -> Result<()> {
        match self.world.lock().unwrap().trouble() {
            true => Err(Error::new(Code::StoreUnavailable, "commit")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Warehouse for Troubled {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn prepare(&self, table: &Arc<Table>) -> Result<Vec<SchemaChange>> {
        self.inner.prepare(table).await
    }

    async fn cursor(&self, id: &StreamId, slot: Slot) -> Result<Option<State>> {
        self.inner.cursor(id, slot).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Committed>> {
        self.strike()?;
        tokio::task::yield_now().await;
        let committed = self.inner.commit(batch).await?;
        self.strike()?;
        Ok(committed)
    }

    async fn columns(&self, table: &SqlIdentifier) -> Result<Vec<String>> {
        self.inner.columns(table).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<arrow::array::RecordBatch>> {
        self.inner.scan(scan).await
    }

    async fn replace(&self, tables: Vec<NewRows>) -> Result<()> {
        self.inner.replace(tables).await
    }
}

/// One schedule: the world, the warehouse and how often something ran.
struct Schedule {
    world: Arc<Mutex<World>>,
    warehouse: Arc<Troubled>,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let world = Arc::new(Mutex::new(World::new(seed)));
        let warehouse = Arc::new(Troubled {
            inner: MemoryWarehouse::new(),
            world: Arc::clone(&world),
        });
        Self { world, warehouse }
    }

    async fn run(&self, mode: Mode) -> Run {
        let (_keep, stop) = watch::channel(false);
        let now = Timestamp::from_millis(self.world.lock().unwrap().clock);
        let cx = SyncContext {
            warehouse: Arc::clone(&self.warehouse) as Arc<dyn Warehouse>,
            run_id: RunId::new(now),
            now,
            started: tokio::time::Instant::now(),
            deadline: None,
            stop,
            limits: BatchLimits {
                rows: 10,
                size_bytes: usize::MAX,
                age: Duration::from_secs(3_600),
            },
            observe: Arc::new(|_| {}),
            adapters: "simulation".to_owned(),
        };
        let source: Arc<dyn Source> = Arc::new(WorldSource {
            world: Arc::clone(&self.world),
        });
        let command = Sync {
            source: "world".to_owned(),
            mode,
            absent: Absent::Confirmed,
            ..Sync::default()
        };
        sync::run(&cx, &DEFINITION, &source, &command)
            .await
            .unwrap()
            .remove(0)
    }

    /// Lets disturbed runs happen, some of them two at a time, until nothing more goes wrong.
    async fn disturbed(&self) {
        for round in 0..60 {
            let (troubles, overlap, full) = {
                let mut world = self.world.lock().unwrap();
                (world.troubles, world.dice.one_in(3), world.dice.one_in(4))
            };
            if troubles == 0 {
                return;
            }
            if round > 40 {
                self.world.lock().unwrap().troubles = 0;
            }
            let mode = if full { Mode::Full } else { Mode::Incremental };
            let runs = match overlap {
                true => {
                    let (one, other) = tokio::join!(self.run(mode), self.run(Mode::Incremental));
                    vec![one, other]
                }
                false => vec![self.run(mode).await],
            };
            for run in runs {
                assert!(run.counts.add_up(), "{run:?}");
            }
        }
    }

    async fn undisturbed(&self, seed: u64, mode: Mode) {
        self.world.lock().unwrap().clock += 5_000;
        let run = self.run(mode).await;
        assert_eq!(run.status, RunStatus::Succeeded, "seed {seed}: {run:?}");
    }

    /// Every record of the source is in the table, once, in its last state.
    async fn nothing_is_lost(&self, seed: u64) {
        let table = self.table().await;
        let world = self.world.lock().unwrap();
        for row in world.rows.values().filter(|row| !row.poison) {
            let found: Vec<_> = table.iter().filter(|(id, ..)| *id == row.id).collect();
            let wanted = (row.id.clone(), Some(row.v.clone()), row.gone);
            assert_eq!(found, [&wanted], "seed {seed}: lost, old or twice");
        }
    }

    /// No row is live whose record the source no longer has.
    async fn nothing_is_a_ghost(&self, seed: u64) {
        let table = self.table().await;
        let world = self.world.lock().unwrap();
        for (id, _, gone) in &table {
            assert!(
                *gone || world.rows.contains_key(id),
                "seed {seed}: a ghost, {id}"
            );
        }
    }

    /// Returns what the table says: key, content, whether the record is gone.
    async fn table(&self) -> Vec<(String, Option<String>, bool)> {
        let scan = Scan {
            columns: ["id", "v", "_deleted_at"]
                .map(|name| SqlIdentifier::parse(name).unwrap())
                .to_vec(),
            ..Scan::of(SqlIdentifier::parse("world_rows").unwrap())
        };
        let mut rows = Vec::new();
        for batch in self.warehouse.scan(&scan).await.unwrap() {
            let text = |column: usize, row: usize| {
                let column = batch.column(column).as_string::<i32>();
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            for row in 0..batch.num_rows() {
                rows.push((
                    text(0, row).unwrap(),
                    text(1, row),
                    batch.column(2).is_valid(row),
                ));
            }
        }
        rows.sort();
        rows
    }
}

async fn check(seed: u64) {
    let schedule = Schedule::new(seed);
    schedule.disturbed().await;
    schedule.undisturbed(seed, Mode::Incremental).await;
    schedule.nothing_is_lost(seed).await;
    // A full sync that an earlier run left half done is continued; the second begins from nothing.
    schedule.undisturbed(seed, Mode::Full).await;
    schedule.undisturbed(seed, Mode::Full).await;
    schedule.nothing_is_lost(seed).await;
    schedule.nothing_is_a_ghost(seed).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_or_overlaps_nothing_is_lost_doubled_or_resurrected() {
    for seed in 1..=1_500 {
        check(seed).await;
    }
}
