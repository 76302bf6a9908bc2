//! Measures what commits cost: `cargo run --release -p salesync-duckdb --example measure -- [rows]`.
//!
//! A first load in commits of 20,000 rows, the same once more unchanged, then 2,000 changed rows spread
//! over the whole table, an incremental sync and one in which nothing changed.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what the program is for"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use salesync_core::batch::{Batch, Committed, RowBuffer, Slot, State, StreamId};
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::record::{Change, Value};
use salesync_core::run::RunId;
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::time::Timestamp;
use salesync_core::warehouse::Warehouse;
use salesync_duckdb::{DuckDbSettings, DuckDbWarehouse};

const ROWS_PER_COMMIT: u64 = 20_000;

#[tokio::main]
async fn main() -> Result<()> {
    let rows = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(500_000_u64);
    let folder = tempfile::tempdir().map_err(io)?;
    let path = folder.path().join("measure.duckdb");
    let table = table()?;
    let all: Vec<u64> = (0..rows).collect();
    let spread: Vec<u64> = (0..2_000).map(|n| n * rows / 2_000).collect();
    let recent: Vec<u64> = (rows.saturating_sub(2_000)..rows).collect();

    let warehouse = DuckDbWarehouse::open(DuckDbSettings::new(&path)).await?;
    warehouse.prepare(&table).await?;
    measure("first load", &path, load(&warehouse, &table, &all, 1)).await?;
    measure(
        "all of it unchanged",
        &path,
        load(&warehouse, &table, &all, 1),
    )
    .await?;
    measure(
        "all of it unchanged, again",
        &path,
        load(&warehouse, &table, &all, 1),
    )
    .await?;
    measure(
        "2,000 changed, spread",
        &path,
        load(&warehouse, &table, &spread, 2),
    )
    .await?;
    measure(
        "2,000 unchanged, spread",
        &path,
        load(&warehouse, &table, &spread, 2),
    )
    .await?;
    measure(
        "2,000 unchanged, recent",
        &path,
        load(&warehouse, &table, &recent, 1),
    )
    .await?;
    measure(
        "2,000 changed, recent",
        &path,
        load(&warehouse, &table, &recent, 2),
    )
    .await?;
    let close = async {
        drop(warehouse);
        Ok(Committed::default())
    };
    measure("close", &path, close).await?;
    measure(
        "sync of one changed row, opened and closed",
        &path,
        one_run(&path, &table, &[7], 3),
    )
    .await?;
    measure(
        "sync in which nothing changed",
        &path,
        one_run(&path, &table, &[], 3),
    )
    .await?;
    Ok(())
}

async fn one_run(path: &Path, table: &Arc<Table>, keys: &[u64], version: i64) -> Result<Committed> {
    let warehouse = DuckDbWarehouse::open(DuckDbSettings::new(path)).await?;
    warehouse.prepare(table).await?;
    load(&warehouse, table, keys, version).await
}

fn table() -> Result<Arc<Table>> {
    let money = ColumnType::Decimal {
        precision: 18,
        scale: 2,
    };
    let mut columns = Vec::new();
    for (name, column_type) in [
        ("email", ColumnType::Text),
        ("first_name", ColumnType::Text),
        ("last_name", ColumnType::Text),
        ("company", ColumnType::Text),
        ("phone", ColumnType::Text),
        ("stage", ColumnType::Text),
        ("owner", ColumnType::Int),
        ("calls", ColumnType::Int),
        ("amount", money),
        ("subscribed", ColumnType::Bool),
        ("created", ColumnType::Timestamp),
        ("birthday", ColumnType::Date),
        ("note", ColumnType::Text),
        ("score", ColumnType::NUMBER),
        ("tags", ColumnType::Json),
    ] {
        columns.push(Column::new(name, column_type, "A column to measure with")?);
    }
    Ok(Arc::new(Table::new(
        "measure_contacts",
        "Rows to measure with",
        columns,
    )?))
}

/// A row that differs from version to version, in an order of keys that is not the order of rows.
fn change(n: u64, version: i64) -> Change<'static> {
    let number = i64::try_from(n).unwrap_or(0);
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let text = |text: String| Value::Text(text.into());
    Change {
        key: format!("{mixed:016x}").into(),
        version: Timestamp::from_millis(1_700_000_000_000 + number * 10 + version),
        values: vec![
            text(format!("person.{n}@example-{}.com", n % 5_000)),
            text(format!("First{}", n % 900)),
            text(format!("Last{}", mixed % 20_000)),
            text(format!("Company {}", n % 5_000)),
            text(format!("+49 30 {}", mixed % 10_000_000)),
            text(
                if n.is_multiple_of(3) {
                    "customer"
                } else {
                    "lead"
                }
                .to_owned(),
            ),
            Value::Int(number % 40),
            Value::Int(version),
            Value::Decimal(i128::from(mixed % 100_000_000)),
            Value::Bool(n.is_multiple_of(2)),
            Value::Timestamp(Timestamp::from_millis(1_600_000_000_000 + number)),
            Value::Date(i32::try_from(n % 20_000).unwrap_or(0)),
            if n.is_multiple_of(4) {
                text(format!("met at fair {}", mixed % 1_000))
            } else {
                Value::Null
            },
            Value::Decimal(i128::from(mixed)),
            text(format!("[\"tag-{}\"]", n % 30)),
        ],
        extra: Vec::new(),
        deletion: None,
        replaces: Vec::new(),
    }
}

async fn load(
    warehouse: &DuckDbWarehouse,
    table: &Arc<Table>,
    keys: &[u64],
    version: i64,
) -> Result<Committed> {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let run_id = RunId::new(now);
    let mut sum = Committed::default();
    let size = usize::try_from(ROWS_PER_COMMIT).unwrap_or(1);
    let mut chunks: Vec<&[u64]> = keys.chunks(size).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    for (seq, chunk) in (0..).zip(chunks) {
        let mut buffer = RowBuffer::new(table, &run_id)?;
        for key in chunk {
            buffer.push(&change(*key, version), now, 300)?;
        }
        let write = buffer.finish()?;
        let state = State {
            id: StreamId {
                source: "measure".into(),
                stream: "contacts".into(),
                part: None,
            },
            slot: Slot::Incremental,
            generation: 0,
            epoch: 1,
            seq,
            run_id: run_id.clone(),
            cursor: Some(Cursor::between_windows(now)),
            source_clock: now,
            committed_at: now,
        };
        let batch = Batch {
            states: vec![state],
            ..Batch::from(write)
        };
        for committed in warehouse.commit(batch).await? {
            sum.add(&committed);
        }
    }
    Ok(sum)
}

async fn measure(
    what: &str,
    path: &Path,
    work: impl Future<Output = Result<Committed>>,
) -> Result<()> {
    let (wall, cpu) = (Instant::now(), cpu_ms()?);
    let done = work.await?;
    let (wall_ms, cpu_ms) = (wall.elapsed().as_millis(), cpu_ms()? - cpu);
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len()) / 1_000;
    println!(
        "{what}: {cpu_ms} ms CPU, {wall_ms} ms, file {} kB, log {} kB, peak {} MB; new {}, changed {}, unchanged {}",
        size(path),
        size(&path.with_extension("duckdb.wal")),
        peak_mb()?,
        done.new,
        done.changed,
        done.unchanged,
    );
    Ok(())
}

/// The processor time of this process so far, as Linux counts it, in ticks of 10 ms.
fn cpu_ms() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(io)?;
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Ok(ticks * 10)
}

/// The most memory that this process ever held.
fn peak_mb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(io)?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or_default();
    Ok(line
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .unwrap_or(0)
        / 1_000)
}

fn io(error: std::io::Error) -> Error {
    Error::new(Code::Internal, "measure").because(error)
}
