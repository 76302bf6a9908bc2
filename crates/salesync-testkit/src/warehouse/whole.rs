//! All of it or nothing.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use salesync_core::batch::{Batch, Committed, Slot, State, StreamId, TableWrite};
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::{NewRows, Outdated};
use salesync_core::run::RunId;
use salesync_core::warehouse::{Among, Filter, Scan, Values, Warehouse};

use super::reading::{NOTES, notes, words};
use super::scene::{Scene, absent, at, name, read, said, table};

fn state() -> State {
    State {
        id: StreamId {
            source: "testkit".to_owned(),
            stream: "things".to_owned(),
            part: None,
        },
        slot: Slot::Incremental,
        generation: 0,
        epoch: 1,
        seq: 1,
        run_id: RunId::new(at(0)),
        cursor: Some(Cursor::between_windows(at(1))),
        source_clock: at(1),
        committed_at: at(1),
    }
}

async fn cursor_is_set(scene: &Scene) -> bool {
    scene
        .warehouse
        .cursor(&state().id, Slot::Incremental)
        .await
        .unwrap()
        .is_some()
}

/// Rows that no table of this shape can take.
fn misfit() -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    RecordBatch::try_from_iter([("no_such_column", column)]).unwrap()
}

/// Where the table is missing, and where the last part of a commit fails: no row, no mark, no cursor.
pub async fn a_failed_commit_writes_nothing(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("old", 1, "x")]).await;
    let before = scene.rows().await;
    let write = TableWrite {
        tombstones: vec![absent("old", 20)],
        ..scene.write(9, &[said("new", 1, "x"), said("old", 2, "y")])
    };
    let whole = Batch {
        writes: vec![write.clone()],
        states: vec![state()],
        appends: vec![notes(&[("a", Some(1), "one")])],
    };
    let mut nowhere = whole.clone();
    nowhere.writes = vec![TableWrite {
        table: table("testkit_unprepared", &[]),
        ..write
    }];
    scene.warehouse.commit(nowhere).await.unwrap_err();
    let mut broken = whole.clone();
    broken.appends.push((&NOTES, misfit()));
    let failed = scene.warehouse.commit(broken).await.is_err();
    if failed {
        assert_eq!(scene.rows().await, before);
        assert!(!cursor_is_set(&scene).await);
        assert!(words(&*scene.warehouse).await.is_empty());
        let committed = scene.warehouse.commit(whole).await.unwrap();
        let expected = Committed {
            new: 1,
            changed: 1,
            marked: 1,
            ..Committed::default()
        };
        assert_eq!(committed, [expected]);
        assert!(cursor_is_set(&scene).await);
    }
}

/// Where one of several tables can't be published, none is.
pub async fn a_failed_replace_leaves_the_old_rows(warehouse: Arc<dyn Warehouse>) {
    warehouse
        .replace(vec![notes(&[("a", Some(1), "old")]).into()])
        .await
        .unwrap();
    let broken = vec![
        notes(&[("a", Some(1), "new")]).into(),
        (&NOTES, misfit()).into(),
    ];
    if warehouse.replace(broken).await.is_err() {
        assert_eq!(words(&*warehouse).await, ["old"]);
    }
}

/// Rows of several batches all arrive; where one can't be made, the old rows stay.
pub async fn a_replace_takes_every_batch_or_none(warehouse: Arc<dyn Warehouse>) {
    let batch = |text| Ok(notes(&[(text, Some(1), text)]).1);
    let rows = |batches: Vec<Result<RecordBatch>>| {
        vec![NewRows {
            table: &NOTES,
            outdated: Outdated::All,
            batches: Box::new(batches.into_iter()),
        }]
    };
    let whole = rows(vec![batch("a"), batch("b")]);
    warehouse.replace(whole).await.unwrap();
    assert_eq!(words(&*warehouse).await, ["a", "b"]);
    let failure = Err(Error::new(Code::Internal, "make rows"));
    let broken = rows(vec![batch("c"), failure]);
    assert!(warehouse.replace(broken).await.is_err());
    assert_eq!(words(&*warehouse).await, ["a", "b"]);
}

/// Rows stay in which no column holds a value that is named; a scan finds rows by such values too.
pub async fn a_replace_takes_the_place_of_outdated_rows_only(warehouse: Arc<dyn Warehouse>) {
    let old = [
        ("a", Some(1), "a1"),
        ("b", Some(2), "b2"),
        ("c", Some(3), "c3"),
        ("odd\u{1f}", Some(4), "odd4"),
        ("d", None, "d"),
    ];
    warehouse.replace(vec![notes(&old).into()]).await.unwrap();
    let texts = |texts: &[&str]| Among {
        column: name("topic"),
        values: Values::Texts(texts.iter().map(|text| (*text).to_owned()).collect()),
    };
    let numbers = |numbers: &[i64]| Among {
        column: name("line"),
        values: Values::Numbers(numbers.to_vec()),
    };
    let found = |among: Among| {
        let scan = Scan {
            filter: Filter::Among(among),
            ..Scan::of(name(NOTES.name))
        };
        let warehouse = Arc::clone(&warehouse);
        async move { read(&*warehouse, &scan).await.len() }
    };
    assert_eq!(found(numbers(&[1, 3, 9, -4])).await, 2);
    assert_eq!(found(numbers(&[])).await, 0);
    assert_eq!(found(texts(&["odd\u{1f}", "d", "e"])).await, 2);
    for (outdated, new, left) in [
        (
            vec![],
            ("e", Some(5), "e5"),
            &["a1", "b2", "c3", "d", "e5", "odd4"][..],
        ),
        (
            vec![texts(&["a", "x"]), numbers(&[3, 4])],
            ("a", Some(1), "new"),
            &["b2", "d", "e5", "new"],
        ),
        (
            vec![texts(&["d"])],
            ("d", None, "again"),
            &["again", "b2", "e5", "new"],
        ),
    ] {
        let (table, batch) = notes(&[new]);
        let rows = NewRows {
            table,
            outdated: Outdated::Any(outdated),
            batches: Box::new(std::iter::once(Ok(batch))),
        };
        warehouse.replace(vec![rows]).await.unwrap();
        assert_eq!(words(&*warehouse).await, left);
    }
}

/// Writers that overtake each other leave the newest state, once.
pub async fn commits_at_the_same_time_harm_nothing(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let writers: Vec<_> = (1..=20)
        .map(|version| {
            let text = format!("version {version}");
            let batch = scene.batch(9, &[said("a", version, &text), said("b", 1, "same")]);
            let warehouse = Arc::clone(&scene.warehouse);
            tokio::spawn(async move { warehouse.commit(batch).await.unwrap() })
        })
        .collect();
    let mut sum = Committed::default();
    for writer in writers {
        let committed = writer.await.unwrap()[0];
        sum.new += committed.new;
        sum.unchanged += committed.unchanged;
        sum.changed += committed.changed + committed.older_ignored;
    }
    assert_eq!((sum.new, sum.unchanged, sum.changed), (2, 19, 19));
    assert_eq!(scene.row("a").await["name"], "version 20");
}

/// A commit that nobody waits for any more is there with its cursor, or not at all.
pub async fn a_dropped_commit_has_happened_wholly_or_not_at_all(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let batch = Batch {
        states: vec![state()],
        ..scene.batch(9, &[said("a", 1, "x")])
    };
    let mut commit = scene.warehouse.commit(batch.clone());
    let polled = commit
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    drop(commit);
    let written = scene.rows().await.len() == 1;
    assert_eq!(written, cursor_is_set(&scene).await);
    if let Poll::Ready(outcome) = polled {
        assert!(outcome.is_ok() && written);
    }
    scene.warehouse.commit(batch).await.unwrap();
    assert_eq!(scene.rows().await.len(), 1);
}
