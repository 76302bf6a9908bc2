//! Scans, the notes of a full sync, and tables without versions.

use std::sync::Arc;

use arrow::array::RecordBatch;
use salesync_core::batch::{Batch, Note, Seen, TableWrite};
use salesync_core::plain::{PlainRows, PlainTable, text};
use salesync_core::record::Value;
use salesync_core::schema::ColumnType;
use salesync_core::warehouse::{Among, Filter, Scan, Values, Warehouse};

use super::scene::{Scene, absent, at, gone, name, read, said};

/// A table without versions that is keyed by two columns, one of which may be null.
pub(super) static NOTES: PlainTable = PlainTable {
    name: "testkit_notes",
    comment: "What the contract suite appends",
    columns: &[
        ("topic", ColumnType::Text, "What it is about"),
        ("line", ColumnType::Int, "Which line"),
        ("written_at", ColumnType::Timestamp, "When"),
        ("words", ColumnType::Text, "What it says"),
    ],
    key: &["topic", "line"],
};

/// Returns rows of [`NOTES`].
pub(super) fn notes(lines: &[(&str, Option<i64>, &str)]) -> (&'static PlainTable, RecordBatch) {
    let mut rows = PlainRows::new(&NOTES).unwrap();
    for (topic, line, words) in lines {
        let line = line.map_or(Value::Null, Value::Int);
        rows.push(&[
            text(Some(topic)),
            line,
            Value::Timestamp(at(1)),
            text(Some(words)),
        ])
        .unwrap();
    }
    rows.finish().unwrap()
}

/// Returns what [`NOTES`] holds, sorted.
pub(super) async fn words(warehouse: &dyn Warehouse) -> Vec<String> {
    let rows = read(warehouse, &Scan::of(name(NOTES.name))).await;
    let mut words: Vec<String> = rows
        .into_iter()
        .map(|mut row| row.remove("words").unwrap())
        .collect();
    words.sort();
    words
}

/// Reading before anything was written is not an error.
pub async fn a_table_that_does_not_exist_has_no_rows(warehouse: Arc<dyn Warehouse>) {
    let scan = Scan {
        limit: Some(5),
        ..Scan::of(name("testkit_nothing"))
    };
    assert!(read(&*warehouse, &scan).await.is_empty());
}

/// What columns a table has is known without reading a row, also where there is none; of no table there are none.
pub async fn columns_are_told_in_their_order(warehouse: Arc<dyn Warehouse>) {
    assert!(
        warehouse
            .columns(&name("testkit_nothing"))
            .await
            .unwrap()
            .is_empty()
    );
    let scene = Scene::new(Arc::clone(&warehouse)).await;
    let raw = scene
        .table
        .all_columns()
        .map(|(name, _, _)| name.to_owned());
    let raw: Vec<String> = raw.collect();
    assert_eq!(warehouse.columns(scene.table.name()).await.unwrap(), raw);
    let batch = Batch {
        appends: vec![notes(&[("a", Some(1), "x")])],
        ..Batch::default()
    };
    warehouse.commit(batch).await.unwrap();
    let plain = NOTES.columns.iter().map(|(name, _, _)| (*name).to_owned());
    let plain: Vec<String> = plain.collect();
    let told = || async { warehouse.columns(&name(NOTES.name)).await.unwrap() };
    assert_eq!(told().await, plain);
    warehouse.replace(vec![notes(&[]).into()]).await.unwrap();
    assert_eq!(told().await, plain);
}

/// Columns in the order that was asked for; values that look like SQL are only values.
pub async fn a_scan_filters_orders_and_limits(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let odd = "x' OR '1'='1";
    let changes = [
        said("a", 1, "x"),
        said("b", 3, odd),
        said("c", 2, "x"),
        gone("d", 4, "x"),
        said("e", 9, "y"),
    ];
    scene.commit(9, &changes).await;
    assert_eq!(scene.keys(Filter::All).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(scene.keys(Filter::Live).await, ["a", "b", "c", "e"]);
    let named = |text: &str| Filter::Equal(vec![(name("name"), text.to_owned())]);
    assert_eq!(scene.keys(named("x")).await, ["a", "c", "d"]);
    assert_eq!(scene.keys(named(odd)).await, ["b"]);
    assert!(scene.keys(named("X")).await.is_empty());
    let both = Filter::Equal(vec![
        (name("name"), "x".to_owned()),
        (name("_deleted_reason"), "deleted".to_owned()),
    ]);
    assert_eq!(scene.keys(both).await, ["d"]);
    let among = |texts: &[&str]| {
        Filter::Among(Among {
            column: name("name"),
            values: Values::Texts(texts.iter().map(|text| (*text).to_owned()).collect()),
        })
    };
    assert_eq!(scene.keys(among(&["y", odd, "z", ""])).await, ["b", "e"]);
    assert!(scene.keys(among(&["x\u{1f}y"])).await.is_empty());
    assert!(scene.keys(among(&[])).await.is_empty());
    let scan = Scan {
        columns: vec![name("name"), name("id")],
        newest_by: Some(name("_version")),
        limit: Some(3),
        ..scene.scan(Filter::All)
    };
    let batches = scene.warehouse.scan(&scan).await.unwrap();
    let schema = batches[0].schema();
    let fields: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(fields, ["name", "id"]);
    let rows = read(&*scene.warehouse, &scan).await;
    let keys: Vec<&str> = rows.iter().map(|row| row["id"].as_str()).collect();
    assert_eq!(keys, ["e", "d", "b"]);
}

/// Whoever reads share by share reads all live rows, each once, and those that say the same together.
pub async fn the_shares_of_a_table_are_its_live_rows(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let keys: Vec<String> = (0..60).map(|at| format!("k{at:02}")).collect();
    let names: Vec<String> = (0..20).map(|at| format!("name {at}")).collect();
    let rows = keys.iter().zip(names.iter().cycle());
    let mut changes: Vec<_> = rows.map(|(key, name)| said(key, 1, name)).collect();
    changes.extend([said("space", 1, " name 0 "), gone("gone", 2, "name 1")]);
    scene.commit(9, &changes).await;
    let (mut all, mut with_first) = (Vec::new(), Vec::new());
    for at in 0..3 {
        let share = Filter::LiveShare {
            column: name("name"),
            share: (at, 3),
        };
        let found = scene.keys(share).await;
        assert!((1..50).contains(&found.len()), "{}", found.len());
        if found.iter().any(|key| key == "k00") {
            with_first.clone_from(&found);
        }
        all.extend(found);
    }
    for key in ["k20", "k40", "space"] {
        assert!(with_first.iter().any(|found| found == key), "{key}");
    }
    all.sort();
    let expected: Vec<&str> = keys.iter().map(String::as_str).chain(["space"]).collect();
    assert_eq!(all, expected);
}

/// Whatever was read or went since, in rows of whatever age.
pub async fn changed_rows_are_those_that_were_read_or_went_since(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let changes = [
        said("kept", 1, "x"),
        said("gone", 1, "x"),
        said("new", 1, "x"),
    ];
    scene.commit(9, &changes).await;
    scene
        .commit(30, &[said("new", 2, "y"), said("newer", 1, "y")])
        .await;
    scene.mark(vec![absent("gone", 40)]).await;
    for (since, changed) in [
        (9, &["gone", "kept", "new", "newer"][..]),
        (10, &["gone", "new", "newer"]),
        (30, &["gone", "new", "newer"]),
        (31, &["gone"]),
        (41, &[]),
    ] {
        assert_eq!(
            scene.keys(Filter::ChangedSince(at(since))).await,
            changed,
            "{since}"
        );
    }
}

/// Live, read before the full sync began, and neither fetched nor rejected since.
pub async fn unseen_rows_are_those_that_a_full_sync_has_not_met(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let keys = ["met", "unchanged", "rejected", "missing", "gone", "older"];
    let changes: Vec<_> = keys
        .iter()
        .map(|key| {
            if *key == "gone" {
                gone(key, 5, "x")
            } else {
                said(key, 5, "x")
            }
        })
        .collect();
    scene.commit(9, &changes).await;
    scene.commit(50, &[said("written-since", 6, "x")]).await;
    let first = scene.write(21, &[said("met", 6, "y"), said("older", 4, "x")]);
    let first = TableWrite {
        notes: vec![note(Seen::Begin)],
        ..first
    };
    scene.commit_write(first).await;
    let second = TableWrite {
        notes: vec![note(Seen::Add)],
        rejected: vec!["rejected".into()],
        ..scene.write(22, &[said("unchanged", 5, "x")])
    };
    for _ in 0..2 {
        scene.commit_write(second.clone()).await;
    }
    scene.commit(23, &[said("other-run", 1, "x")]).await;
    let unseen = || scene.keys(unseen_before(20));
    assert_eq!(unseen().await, ["missing"]);
    scene.mark(vec![absent("missing", 20)]).await;
    assert!(unseen().await.is_empty());
}

fn note(seen: Seen) -> Note {
    Note { part: None, seen }
}

fn unseen_before(secs: i64) -> Filter {
    Filter::Unseen {
        before: at(secs),
        part: None,
    }
}

/// A full sync that begins anew, or has ended, remembers nothing of the one before.
pub async fn notes_of_a_full_sync_are_forgotten(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene
        .commit(9, &[said("a", 1, "x"), said("b", 1, "x")])
        .await;
    let unseen = || scene.keys(unseen_before(20));
    let met = |key, seen| TableWrite {
        notes: vec![note(seen)],
        ..scene.write(9, &[said(key, 1, "x")])
    };
    scene.commit_write(met("a", Seen::Begin)).await;
    assert_eq!(unseen().await, ["b"]);
    scene.commit_write(met("b", Seen::Begin)).await;
    assert_eq!(unseen().await, ["a"]);
    scene.commit_write(met("b", Seen::Forget)).await;
    assert_eq!(unseen().await, ["a", "b"]);
}

/// A row whose key is there already is not appended again, also where part of the key is null.
pub async fn an_appended_row_is_there_once(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let append = |lines: &[(&str, Option<i64>, &str)]| Batch {
        appends: vec![notes(lines)],
        ..scene.batch(0, &[])
    };
    let first = append(&[
        ("a", Some(1), "one"),
        ("a", None, "none"),
        ("b", Some(1), "two"),
    ]);
    scene.warehouse.commit(first.clone()).await.unwrap();
    scene.warehouse.commit(first).await.unwrap();
    let second = append(&[
        ("a", Some(1), "again"),
        ("a", None, "again"),
        ("b", Some(2), "three"),
    ]);
    scene.warehouse.commit(second).await.unwrap();
    assert_eq!(
        words(&*scene.warehouse).await,
        ["none", "one", "three", "two"]
    );
}

/// Publishing again leaves nothing of what was published before.
pub async fn a_replaced_table_holds_only_the_new_rows(warehouse: Arc<dyn Warehouse>) {
    let old = notes(&[("a", Some(1), "old"), ("a", Some(2), "older")]);
    warehouse.replace(vec![old.into()]).await.unwrap();
    assert_eq!(words(&*warehouse).await, ["old", "older"]);
    warehouse
        .replace(vec![notes(&[("a", Some(1), "new")]).into()])
        .await
        .unwrap();
    assert_eq!(words(&*warehouse).await, ["new"]);
    warehouse.replace(vec![notes(&[]).into()]).await.unwrap();
    assert!(words(&*warehouse).await.is_empty());
}
