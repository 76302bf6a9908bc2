//! What is promised about the file: who may open it, what damage it survives, what its views show.
#![expect(clippy::unwrap_used, reason = "these are the helpers of tests")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::AsArray;
use salesync_core::batch::{Batch, RowBuffer, Slot, State, StreamId};
use salesync_core::cursor::Cursor;
use salesync_core::error::Code;
use salesync_core::plain::{NewRows, Outdated, PlainRows, PlainTable};
use salesync_core::publish::{COMPANIES, DEALS, INTERACTION_PARTIES, INTERACTIONS, PEOPLE};
use salesync_core::record::{Change, Value};
use salesync_core::run::{Counts, RUN_EVENTS, Run, RunId, RunStatus, Traffic};
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::time::Timestamp;
use salesync_core::validate::{SqlIdentifier, parse_timestamp, parse_value};
use salesync_core::warehouse::{Scan, Warehouse};
use salesync_duckdb::{DuckDbSettings, DuckDbWarehouse};
use salesync_testkit::warehouse::read;

/// Names the file that a second process of this test holds open.
const HELD: &str = "SALESYNC_TEST_HELD_FILE";

async fn open(path: &Path) -> DuckDbWarehouse {
    DuckDbWarehouse::open(DuckDbSettings::new(path))
        .await
        .unwrap()
}

async fn refusal(path: &Path) -> Code {
    DuckDbWarehouse::open(DuckDbSettings::new(path))
        .await
        .unwrap_err()
        .code()
}

fn table() -> Arc<Table> {
    let columns = vec![Column::new("name", ColumnType::Text, "A name").unwrap()];
    Arc::new(Table::new("test_things", "Things", columns).unwrap())
}

fn stream() -> StreamId {
    StreamId {
        source: "test".to_owned(),
        stream: "things".to_owned(),
        part: None,
    }
}

/// The `seq`th commit of a run: one new row, and a cursor that stands for it.
fn batch(seq: u64) -> Batch {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let run_id = RunId::new(now);
    let mut buffer = RowBuffer::new(&table(), &run_id).unwrap();
    let change = Change {
        key: format!("key-{seq}").into(),
        version: now,
        values: vec![Value::Text("x".repeat(200).into())],
        extra: Vec::new(),
        deletion: None,
        replaces: Vec::new(),
    };
    buffer.push(&change, now, 1).unwrap();
    let state = State {
        id: stream(),
        slot: Slot::Incremental,
        generation: 0,
        epoch: 1,
        seq,
        run_id,
        cursor: Some(Cursor::between_windows(now)),
        source_clock: now,
        committed_at: now,
    };
    Batch {
        states: vec![state],
        ..Batch::from(buffer.finish().unwrap())
    }
}

async fn count(warehouse: &DuckDbWarehouse, table: &str) -> u64 {
    let scan = Scan::of(SqlIdentifier::parse(table).unwrap());
    let batches = warehouse.scan(&scan).await.unwrap();
    batches
        .iter()
        .map(|rows| u64::try_from(rows.num_rows()).unwrap())
        .sum()
}

async fn texts(warehouse: &DuckDbWarehouse, table: &str, column: &str) -> Vec<String> {
    let name = |text| SqlIdentifier::parse(text).unwrap();
    let scan = Scan {
        columns: vec![name(column)],
        ..Scan::of(name(table))
    };
    let batches = warehouse.scan(&scan).await.unwrap();
    let columns = batches.iter().map(|rows| rows.column(0).as_string::<i32>());
    let mut texts: Vec<String> = columns
        .flat_map(|column| column.iter().flatten().map(str::to_owned))
        .collect();
    texts.sort();
    texts
}

async fn seq(warehouse: &DuckDbWarehouse) -> u64 {
    let state = warehouse
        .cursor(&stream(), Slot::Incremental)
        .await
        .unwrap();
    state.map_or(0, |state| state.seq)
}

#[tokio::test]
async fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let warehouse = open(&path).await;
    warehouse.prepare(&table()).await.unwrap();
    warehouse.commit(batch(1)).await.unwrap();
    drop(warehouse);
    let warehouse = open(&path).await;
    assert!(warehouse.prepare(&table()).await.unwrap().is_empty());
    assert_eq!(
        (
            count(&warehouse, "test_things").await,
            seq(&warehouse).await
        ),
        (1, 1)
    );
    assert_eq!(warehouse.commit(batch(1)).await.unwrap()[0].unchanged, 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_open_once_in_a_process_and_free_when_it_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let warehouse = open(&path).await;
    let queue = warehouse.queue();
    assert_eq!(refusal(&path).await, Code::RunOverlap);
    drop(warehouse);
    assert_eq!(refusal(&path).await, Code::RunOverlap);
    drop(queue);
    open(&path).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_another_process_holds_is_an_overlap_until_it_lets_go() {
    if let Some(path) = std::env::var_os(HELD) {
        let _held = open(Path::new(&path)).await;
        println!("\nheld");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // DuckDB's refusal names the path: its words must not be taken for DuckDB's own.
    let path = folder.path().join("WAL file").join("a.duckdb");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("a_file_that_another_process_holds_is_an_overlap_until_it_lets_go")
        .env(HELD, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(output.any(|line| line.unwrap() == "held"));
    assert_eq!(refusal(&path).await, Code::RunOverlap);
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.any(|name| name.contains("damaged")));
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    open(&path).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_path_has_a_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "these are notes, and no database at all. ".repeat(500),
    )
    .unwrap();
    assert_eq!(refusal(&text).await, Code::StoreCorrupt);
    let error = DuckDbWarehouse::open(DuckDbSettings::new(&text))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("these are notes")
    );
    assert_eq!(refusal(folder.path()).await, Code::ConfigInvalid);
    assert_eq!(
        refusal(&folder.path().join("no/such/a.duckdb")).await,
        Code::ConfigInvalid
    );
}

/// Ten commits, then the power fails and the log is damaged in one of many ways: the file opens, and the
/// cursor never stands for a row that is not there.
#[tokio::test]
async fn a_damaged_log_costs_commits_but_never_tears_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let warehouse = open(&path).await;
    warehouse.prepare(&table()).await.unwrap();
    for number in 1..=10 {
        warehouse.commit(batch(number)).await.unwrap();
    }
    let file = std::fs::read(&path).unwrap();
    let log = std::fs::read(folder.path().join("a.duckdb.wal")).unwrap();
    drop(warehouse);

    let mut damaged: Vec<(String, Vec<u8>)> = vec![("whole".to_owned(), log.clone())];
    for tenth in 0..10 {
        let place = log.len() * tenth / 10;
        damaged.push((format!("cut at {tenth}/10"), log[..place].to_vec()));
        let mut flipped = log.clone();
        flipped[place] ^= 0x10;
        damaged.push((format!("flipped at {tenth}/10"), flipped));
    }
    damaged.push(("noise".to_owned(), vec![0xA5; log.len()]));
    let mut put_aside = 0;
    for (index, (damage, log)) in damaged.into_iter().enumerate() {
        let path = folder.path().join(format!("{index}.duckdb"));
        std::fs::write(&path, &file).unwrap();
        std::fs::write(folder.path().join(format!("{index}.duckdb.wal")), log).unwrap();
        let warehouse = open(&path).await;
        let (rows, seq) = (
            count(&warehouse, "test_things").await,
            seq(&warehouse).await,
        );
        assert_eq!(rows, seq, "{damage}");
        assert!(damage != "whole" || rows == 10);
        // The next run reads again what was lost.
        for number in 1..=10 {
            warehouse.commit(batch(number)).await.unwrap();
        }
        assert_eq!(count(&warehouse, "test_things").await, 10, "{damage}");
        put_aside += usize::from(
            folder
                .path()
                .join(format!("{index}.duckdb.wal.damaged-1"))
                .exists(),
        );
    }
    assert!(put_aside > 0, "no damage was bad enough to put a log aside");
}

#[tokio::test]
async fn a_file_does_not_grow_when_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let mut sizes = Vec::new();
    for _ in 0..6 {
        let warehouse = open(&path).await;
        warehouse.prepare(&table()).await.unwrap();
        for number in 1..=5 {
            warehouse.commit(batch(number)).await.unwrap();
        }
        drop(warehouse);
        sizes.push(std::fs::metadata(&path).unwrap().len());
    }
    assert!(sizes[5] <= sizes[1] + 300_000, "{sizes:?}");
}

fn run(started: i64, status: RunStatus, run_id: &RunId) -> Run {
    let started_at = Timestamp::from_millis(started);
    Run {
        run_id: run_id.clone(),
        source: "test".to_owned(),
        stream: "things".to_owned(),
        parts: Vec::new(),
        mode: "incremental".to_owned(),
        started_at,
        took_ms: None,
        status,
        code: None,
        generation: 0,
        epoch: 1,
        cursor_from: None,
        cursor_to: None,
        pages: 0,
        traffic: Traffic::default(),
        counts: Counts::default(),
        adapters: "test".to_owned(),
    }
}

#[tokio::test]
async fn the_views_show_how_runs_stand_and_how_fresh_a_stream_is() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&folder.path().join("a.duckdb")).await;
    warehouse.prepare(&table()).await.unwrap();
    let ids: Vec<RunId> = (1..=3)
        .map(|n| RunId::new(Timestamp::from_millis(n)))
        .collect();
    let events = [
        run(1, RunStatus::Running, &ids[0]),
        run(2, RunStatus::Running, &ids[1]),
        run(2, RunStatus::Succeeded, &ids[1]),
        run(3, RunStatus::Running, &ids[2]),
    ];
    let mut rows = PlainRows::new(&RUN_EVENTS).unwrap();
    events
        .iter()
        .for_each(|event| event.append_to(&mut rows).unwrap());
    let appends = vec![rows.finish().unwrap()];
    warehouse
        .commit(Batch {
            appends,
            ..batch(1)
        })
        .await
        .unwrap();
    let statuses = texts(&warehouse, "etl_runs", "status").await;
    assert_eq!(statuses, ["abandoned", "running", "succeeded"]);
    let succeeded = texts(&warehouse, "data_freshness", "last_succeeded_run_id").await;
    assert_eq!(succeeded, [ids[1].as_str()]);
    let name = |text| SqlIdentifier::parse(text).unwrap();
    let scan = Scan {
        columns: vec![name("complete_to")],
        ..Scan::of(name("data_freshness"))
    };
    let fresh = warehouse.scan(&scan).await.unwrap();
    let complete_to = fresh[0]
        .column(0)
        .as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
    assert_eq!(complete_to.value(0), 1_700_000_000_000_000);
    assert_eq!(count(&warehouse, "dead_letters").await, 0);
}

#[tokio::test]
async fn a_persons_timeline_is_there_before_the_first_resolve_and_has_each_interaction_once() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&folder.path().join("a.duckdb")).await;
    assert_eq!(count(&warehouse, "person_timeline").await, 0);
    let rows = |table: &'static PlainTable, rows: &[&[(&str, Value<'static>)]]| {
        let mut plain = PlainRows::new(table).unwrap();
        for row in rows {
            let cell = |name: &str| row.iter().find(|(own, _)| *own == name);
            let value = |name| cell(name).map_or(Value::Null, |(_, value)| value.clone());
            let values: Vec<_> = table.columns.iter().map(|it| value(it.0)).collect();
            plain.push(&values).unwrap();
        }
        NewRows::from(plain.finish().unwrap())
    };
    let text = |value: &'static str| Value::Text(value.into());
    let party = |interaction, position, role, person| {
        [
            ("interaction_id", text(interaction)),
            ("position", Value::Int(position)),
            ("role", text(role)),
            ("person_id", person),
        ]
    };
    let interaction = |id| [("interaction_id", text(id)), ("company_id", text("com_1"))];
    let tables = vec![
        rows(
            &INTERACTIONS,
            &[&interaction("int_1"), &interaction("int_2")],
        ),
        rows(
            &INTERACTION_PARTIES,
            &[
                &party("int_1", 0, "from", text("per_1")),
                &party("int_1", 1, "to", text("per_2")),
                &party("int_1", 2, "cc", text("per_1")),
                &party("int_2", 0, "about", text("per_1")),
                &party("int_2", 1, "with", Value::Null),
            ],
        ),
    ];
    warehouse.replace(tables).await.unwrap();
    let mut roles = texts(&warehouse, "person_timeline", "role").await;
    roles.sort();
    assert_eq!(roles, ["about", "from", "to"]);
    let companies = texts(&warehouse, "person_timeline", "company_id").await;
    assert_eq!(companies, ["com_1"; 3]);
}

/// What a batch takes is free before the next: no number of them is too many.
#[tokio::test]
async fn rows_of_many_batches_are_published_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let settings = DuckDbSettings {
        memory_limit_mb: 64,
        ..DuckDbSettings::new(folder.path().join("a.duckdb"))
    };
    let warehouse = DuckDbWarehouse::open(settings).await.unwrap();
    let batch = |number: usize| {
        let rows: Vec<String> = (0..500).map(|row| format!("per_{number}_{row}")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let mut batches = written(&PEOPLE, "person_id", &rows).batches;
        batches.next().unwrap()
    };
    let rows = NewRows {
        table: &PEOPLE,
        outdated: Outdated::All,
        batches: Box::new((0..400).map(batch)),
    };
    warehouse.replace(vec![rows]).await.unwrap();
    assert_eq!(count(&warehouse, "people").await, 200_000);
}

#[tokio::test]
async fn texts_that_are_looked_up_a_few_at_a_time_are_not_packed() {
    const OLD: &[(&str, ColumnType, &str)] = &[("says", ColumnType::Json, "")];
    const NEW: &[(&str, ColumnType, &str)] = &[
        ("says", ColumnType::Json, ""),
        ("more", ColumnType::Text, ""),
    ];
    static INDEX: [PlainTable; 2] = [indexed("_match_notes", OLD), indexed("_match_notes", NEW)];
    static READ_WHOLE: PlainTable = indexed("notes", NEW);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.duckdb");
    let rows: Vec<String> = (0..5_000)
        .map(|row| format!("[\"what somebody said\",{row}]|what somebody said {row}"))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let warehouse = open(&path).await;
    for table in INDEX.iter().chain([&READ_WHOLE]) {
        let rows = written(table, "says|more", &rows);
        warehouse.replace(vec![rows]).await.unwrap();
    }
    drop(warehouse);
    let connection = duckdb::Connection::open(&path).unwrap();
    connection.execute_batch("CHECKPOINT").unwrap();
    for (table, is_packed) in [("_match_notes", false), ("notes", true)] {
        let sql = format!(
            "SELECT count(*) FILTER (compression <> 'Uncompressed') > 0 \
             FROM pragma_storage_info('sales.{table}') \
             WHERE segment_type IN ('VARCHAR', 'JSON')"
        );
        let found: bool = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(found, is_packed, "{table}");
    }
}

/// A table of one key for this test.
const fn indexed(
    name: &'static str,
    columns: &'static [(&'static str, ColumnType, &'static str)],
) -> PlainTable {
    PlainTable {
        name,
        comment: "",
        columns,
        key: &["says"],
    }
}

/// Returns rows for a published table: the names of columns, and the cells of each row. An empty one is null.
fn written(table: &'static PlainTable, names: &str, rows: &[&str]) -> NewRows {
    let mut plain = PlainRows::new(table).unwrap();
    for row in rows {
        let cell = |name: &str, column_type| {
            let mut cells = names.split('|').zip(row.split('|'));
            let (_, cell) = cells.find(|(own, cell)| *own == name && !cell.is_empty())?;
            Some(parse_value(column_type, cell.into()).unwrap())
        };
        let cells = table.columns.iter().map(|it| cell(it.0, it.1));
        let values: Vec<_> = cells.map(|cell| cell.unwrap_or(Value::Null)).collect();
        plain.push(&values).unwrap();
    }
    NewRows::from(plain.finish().unwrap())
}

/// Three companies, of which the first has people and deals, and what happened with them.
fn accounts() -> Vec<NewRows> {
    vec![
        written(
            &COMPANIES,
            "company_id|name|domain|city|country",
            &["com_1|Quarry Ltd|quarry.io|Leeds|GB", "com_2", "com_3"],
        ),
        written(
            &PEOPLE,
            "person_id|company_id",
            &["per_1|com_1", "per_2|com_1", "per_3|"],
        ),
        written(
            &INTERACTIONS,
            "interaction_id|kind|direction|happened_at|company_id",
            &[
                "1|email|inbound|2025-01-31T23:30:00Z|com_1",
                "2|call|outbound|2025-02-01T00:00:00Z|com_1",
                "3|email|outbound|2025-02-03T00:00:00Z|",
                "4|task|outbound|2999-01-01T00:00:00Z|com_1",
                "5|note|||com_1",
            ],
        ),
        written(
            &INTERACTION_PARTIES,
            "interaction_id|position|company_id",
            &["1|0|com_1", "1|1|com_2", "3|0|com_1", "3|1|com_1"],
        ),
        written(
            &DEALS,
            "deal_id|source|company_id|amount|currency|is_open|is_won|closes_at",
            &[
                "1|shop|com_1|1200.5|EUR|true|false|2026-06-01",
                "2|shop|com_1|0.25|EUR|true|false|2026-05-01",
                "3|shop|com_1|10|USD|true|false|",
                "4|shop|com_1||JPY|true|false|",
                "5|shop|com_1|-0.005||true|false|2026-07-01",
                "6|shop|com_1|99|EUR|false|true|2026-01-01",
                "7|shop|com_1|99|EUR|false|false|2026-01-01",
                "8|shop||7|EUR|true|false|2026-01-01",
            ],
        ),
    ]
}

#[tokio::test]
async fn an_account_overview_adds_each_currency_apart_and_counts_what_has_happened_once() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&folder.path().join("a.duckdb")).await;
    assert_eq!(count(&warehouse, "account_overview").await, 0);
    warehouse.replace(accounts()).await.unwrap();
    let scan = Scan::of(SqlIdentifier::parse("account_overview").unwrap());
    let mut rows = read(&warehouse, &scan).await;
    rows.sort_by_key(|row| row["company_id"].clone());
    let cells = |row: usize, names: &[&str]| -> Vec<String> {
        let cell = |name: &&str| rows[row].get(*name).cloned();
        names.iter().filter_map(cell).collect()
    };
    let says = ["name", "domain", "city", "country"];
    assert_eq!(cells(0, &says), ["Quarry Ltd", "quarry.io", "Leeds", "GB"]);
    let counts = ["people_count", "open_deals", "won_deals", "interactions"];
    assert_eq!(cells(0, &counts), ["2", "5", "1", "3"]);
    assert_eq!(cells(1, &counts), ["0", "0", "0", "1"]);
    assert_eq!(cells(2, &counts), ["0"; 4]);
    let lists = ["open_amounts", "interactions_by_month"];
    let amounts = r#"{"EUR":1200.75,"USD":10,"unknown in shop":-0.005}"#;
    let months = r#"{"2025-02":{"call":1,"email":1},"2025-01":{"email":1}}"#;
    assert_eq!(cells(0, &lists), [amounts, months]);
    assert_eq!(cells(1, &lists), [r#"{"2025-01":{"email":1}}"#]);
    let times = [
        "next_close_at",
        "last_inbound_at",
        "last_outbound_at",
        "last_touch_at",
    ];
    let known = [
        "2026-05-01T00:00:00Z",
        "2025-01-31T23:30:00Z",
        "2025-02-03T00:00:00Z",
        "2025-02-03T00:00:00Z",
    ];
    let micros = known.map(|time| parse_timestamp(time).unwrap().micros().to_string());
    assert_eq!(cells(0, &times), micros);
    assert!(cells(2, &times).is_empty() && cells(2, &lists).is_empty());
}
