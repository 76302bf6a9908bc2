//! A table that is merged once a day, and one that is too large to be read for every commit. Where
//! SALESYNC_TEST_BIGQUERY names no emulator, each test says so and passes over it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are the helpers of tests"
)]

#[cfg(test)]
mod emulator;

use std::collections::BTreeMap;
use std::sync::Arc;

use emulator::{bytes_read, query, scripts};
use salesync_core::batch::{Batch, RowBuffer, RowKey, TableWrite, Tombstone};
use salesync_core::record::{Change, Deletion, DeletionReason, Value};
use salesync_core::run::RunId;
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::time::Timestamp;
use salesync_core::warehouse::{Scan, Warehouse};
use salesync_gcp::{BigQuerySettings, BigQueryWarehouse, Merging};
use salesync_testkit::warehouse::{Row, read_by_key};

const DAY_MS: i64 = 86_400_000;

fn day(number: i64) -> Timestamp {
    Timestamp::from_millis((20_000 + number) * DAY_MS)
}

fn things(columns: &[&str]) -> Arc<Table> {
    let columns = columns
        .iter()
        .map(|name| Column::new(name, ColumnType::Text, "").unwrap());
    Arc::new(Table::new("things", "What the test writes", columns.collect()).unwrap())
}

fn rows(table: &Arc<Table>, read_at: i64, rows: &[(&str, i64, &str)]) -> TableWrite {
    let run_id = RunId::new(Timestamp::EPOCH);
    let mut buffer = RowBuffer::new(table, &run_id).unwrap();
    for (key, version, text) in rows {
        let change = Change {
            key: (*key).into(),
            version: day(*version),
            values: vec![Value::Text((*text).into()); table.columns().len()],
            extra: Vec::new(),
            deletion: None,
            replaces: Vec::new(),
        };
        buffer.push(&change, day(read_at), 1).unwrap();
    }
    buffer.finish().unwrap()
}

fn mark(key: &str, version: i64, merged_into: Option<&str>) -> Tombstone {
    let reason = match merged_into {
        None => DeletionReason::Deleted,
        Some(_) => DeletionReason::MergedInto,
    };
    Tombstone {
        key: RowKey::from(key),
        version: day(version),
        deletion: Deletion {
            at: day(version),
            reason,
            merged_into: merged_into.map(str::to_owned),
        },
    }
}

async fn open(settings: &BigQuerySettings, merging: Merging) -> BigQueryWarehouse {
    let settings = BigQuerySettings {
        merging,
        ..settings.clone()
    };
    BigQueryWarehouse::open(&settings).await.unwrap()
}

async fn commit(warehouse: &BigQueryWarehouse, write: TableWrite) {
    warehouse.commit(Batch::from(write)).await.unwrap();
}

async fn all(warehouse: &BigQueryWarehouse, table: &Arc<Table>) -> BTreeMap<String, Row> {
    read_by_key(warehouse, &Scan::of(table.name().clone())).await
}

async fn count(settings: &BigQuerySettings, table: &str) -> String {
    let dataset = &settings.dataset;
    let rows = query(
        settings,
        &format!(
            "SELECT COUNT(*) FROM `{}.{dataset}.{table}`",
            settings.project
        ),
    )
    .await;
    rows[0][0].as_str().unwrap().to_owned()
}

/// Writes rows, newer ones, marks, and a chain of merges.
async fn write_all(warehouse: &BigQueryWarehouse, table: &Arc<Table>) {
    let first = [
        ("a", 1, "x"),
        ("b", 2, "x"),
        ("c", 3, "x"),
        ("d", 4, "x"),
        ("e", 5, "x"),
    ];
    commit(warehouse, rows(table, 10, &first)).await;
    commit(
        warehouse,
        rows(table, 11, &[("a", 6, "y"), ("b", 1, "late")]),
    )
    .await;
    // Read again later, with other content in the same version.
    commit(warehouse, rows(table, 12, &[("b", 2, "z")])).await;
    let marks = TableWrite {
        tombstones: vec![
            mark("c", 7, None),
            mark("d", 7, Some("e")),
            mark("f", 7, None),
        ],
        ..rows(table, 13, &[])
    };
    commit(warehouse, marks).await;
    let chain = TableWrite {
        tombstones: vec![mark("e", 8, Some("a"))],
        ..rows(table, 14, &[])
    };
    commit(warehouse, chain).await;
}

#[tokio::test]
async fn what_landed_is_read_at_once_and_is_the_same_when_it_was_merged() {
    let Some(settings) = emulator::new_dataset("landing") else {
        return;
    };
    let table = things(&["name"]);
    let daily = open(&settings, Merging::Daily).await;
    daily.prepare(&table).await.unwrap();
    write_all(&daily, &table).await;
    let landed = all(&daily, &table).await;
    assert_eq!(landed["a"]["name"], "y");
    assert_eq!(landed["b"]["name"], "z");
    assert_eq!(landed["d"]["_merged_into"], "a");
    assert_eq!(landed["f"]["_deleted_reason"], "deleted");
    assert_eq!(count(&settings, "things").await, "0");

    // On the same day nothing is merged; on the next one all of it, and once.
    daily.prepare(&table).await.unwrap();
    assert_eq!(count(&settings, "things").await, "0");
    let dataset = &settings.dataset;
    query(
        &settings,
        &format!(
            "UPDATE `{}.{dataset}._landing_things` \
             SET _landed = TIMESTAMP_SUB(_landed, INTERVAL 1 DAY) WHERE TRUE",
            settings.project
        ),
    )
    .await;
    daily.prepare(&table).await.unwrap();
    assert_eq!(count(&settings, "things").await, "6");
    assert_eq!(count(&settings, "_landing_things").await, "0");
    assert_eq!(all(&daily, &table).await, landed);

    // What lands on what was merged obeys the same rule, also in a wider table.
    let wider = things(&["name", "more"]);
    daily.prepare(&wider).await.unwrap();
    commit(
        &daily,
        rows(
            &wider,
            15,
            &[("a", 5, "old"), ("b", 9, "new"), ("g", 9, "new")],
        ),
    )
    .await;
    let newest = all(&daily, &wider).await;
    assert_eq!(newest["a"]["name"], "y");
    assert_eq!(newest["b"]["more"], "new");
    assert_eq!(newest.len(), 7);

    // Where rows no longer land, what is left is merged at once.
    let at_once = open(&settings, Merging::Partitions).await;
    at_once.prepare(&wider).await.unwrap();
    assert_eq!(count(&settings, "things").await, "7");
    assert_eq!(all(&at_once, &wider).await, newest);
    commit(&at_once, rows(&wider, 16, &[("b", 10, "newer")])).await;
    assert_eq!(all(&at_once, &wider).await["b"]["name"], "newer");
    assert_eq!(count(&settings, "_landing_things").await, "0");
}

const ROWS: usize = 10_000_000;

/// Puts rows into a table, the same number on each of a thousand days.
async fn fill(settings: &BigQuerySettings, whole: &str) {
    query(
        settings,
        &format!(
            "INSERT INTO {whole} (id, name, _version, _synced_at, _run_id) \
             SELECT CAST(n AS STRING), 'old', TIMESTAMP_MILLIS((20000 + MOD(n, 1000)) * {DAY_MS}), \
               TIMESTAMP_MILLIS(20000 * {DAY_MS}), '' \
             FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS n"
        ),
    )
    .await;
}

/// 100,000 changes of three days, in a table of 10 million rows over a thousand days.
#[tokio::test]
async fn changes_of_a_large_table_read_only_the_partitions_that_they_touch() {
    const CHANGES: usize = 100_000;
    let Some(settings) = emulator::new_dataset("large") else {
        return;
    };
    let table = things(&["name"]);
    let warehouse = open(&settings, Merging::Partitions).await;
    warehouse.prepare(&table).await.unwrap();
    let whole = format!("`{}.{}.things`", settings.project, settings.dataset);
    fill(&settings, &whole).await;
    // Those of the days 17, 18 and 419, which change on day 1,000.
    let keys: Vec<String> = (1..=ROWS)
        .filter(|number| [17, 18, 419].contains(&(number % 1_000)))
        .map(|number| number.to_string())
        .collect();
    let mut changes: Vec<(&str, i64, &str)> =
        keys.iter().map(|it| (it.as_str(), 1_000, "new")).collect();
    let new: Vec<String> = (0..CHANGES - changes.len())
        .map(|it| format!("n{it}"))
        .collect();
    changes.extend(new.iter().map(|it| (it.as_str(), 1_000, "new")));
    let mut write = rows(&table, 1_001, &changes);
    write.tombstones = vec![mark("500", 1_000, None)];
    let days = [17, 18, 419, 500, 1_000].map(|number| {
        let day = day(number).to_string();
        format!("TIMESTAMP '{} 00:00:00+00'", day.split('T').next().unwrap())
    });
    let within = format!(
        "TIMESTAMP_TRUNC(_t.`_version`, DAY) IN ({})",
        days.join(", ")
    );
    let held = query(
        &settings,
        &format!("SELECT COUNT(*) FROM {whole} AS _t WHERE {within}"),
    )
    .await;
    assert_eq!(held[0][0], "40000", "of 10,000,000 rows");

    let committed = warehouse.commit(Batch::from(write)).await.unwrap()[0];
    assert_eq!(committed.new, u64::try_from(new.len()).unwrap());
    assert_eq!(committed.changed, u64::try_from(keys.len()).unwrap());
    assert_eq!(committed.marked, 1);
    let scripts = scripts(&settings).await;
    let script = scripts
        .iter()
        .find(|it| it.contains("BEGIN TRANSACTION"))
        .unwrap();
    // Each statement that reads rows of the table or changes them names the days as constants, by which BigQuery leaves
    // out all other partitions. The proofs that no row has moved read the columns of key and day alone.
    let statements = script.split(";\n").filter(|it| it.contains(&whole));
    let mut bounded = 0;
    for statement in statements {
        match statement.starts_with("ASSERT") {
            true => assert!(
                statement.contains("SELECT _t.`_version` AS day FROM"),
                "{statement}"
            ),
            false => {
                let named = statement.matches(&whole).count();
                let held = statement.matches(&within).count();
                assert_eq!(held, named, "{statement}");
                bounded += 1;
            }
        }
    }
    assert_eq!(
        bounded, 3,
        "the verdicts, the merge and the marks:\n{script}"
    );

    // The merge alone, of all staged rows, as BigQuery would plan it. An emulator says no bytes.
    let mut merges = script.split(";\n").filter(|it| it.starts_with("MERGE"));
    let (begin, rest) = merges
        .next()
        .unwrap()
        .split_once(" JOIN verdicts_")
        .unwrap();
    let (_, end) = rest.split_once("_v.writes AND TRUE").unwrap();
    let planned = bytes_read(&settings, &format!("{begin}{end}")).await;
    let of_all = bytes_read(&settings, &format!("SELECT * FROM {whole}")).await;
    println!("the merge reads {planned} bytes; the table has {of_all}");
    // The partitions held 0.4 % of the rows, and the staged rows are 1 % more.
    assert!(planned <= of_all / 50, "{planned} of {of_all}");
    BigQueryWarehouse::remove(&settings).await.unwrap();
}
