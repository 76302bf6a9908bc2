//! Which state of a record stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use salesync_core::batch::{Committed, Note, RowBuffer, Seen, TableWrite};
use salesync_core::record::{Change, Deletion};
use salesync_core::run::RunId;
use salesync_core::warehouse::Warehouse;

use super::scene::{Scene, at, deleted, gone, micros, said};

/// Rows that were not there before are new, and hold what was committed.
pub async fn a_first_load_is_all_new(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let committed = scene
        .commit(9, &[said("a", 1, "x"), said("b", 2, "y")])
        .await;
    assert_eq!(
        committed,
        Committed {
            new: 2,
            ..Committed::default()
        }
    );
    let row = scene.row("b").await;
    assert_eq!(row["name"], "y");
    assert_eq!(row["_version"], micros(2));
    assert_eq!(row["_synced_at"], micros(9));
    assert_eq!(row["_run_id"].len(), 26);
    assert!(!row.contains_key("_deleted_at"));
}

/// Five states of a record, among them a deletion and a return, in each of their 120 orders and cut
/// into commits in each of the 16 ways: the newest always stays.
pub async fn the_newest_version_wins_in_every_order_and_batching(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    // Version, when it was read, text, mark. The last two share a version: the later reading stays.
    let history: [(i64, i64, &str, Option<Deletion>); 5] = [
        (1, 11, "made", None),
        (2, 12, "edited", None),
        (3, 13, "edited", Some(deleted(3))),
        (4, 14, "restored", None),
        (4, 15, "recalculated", None),
    ];
    let orders = orders_of(5);
    let mut commits: BTreeMap<usize, Vec<(String, usize)>> = BTreeMap::new();
    for (order_index, order) in orders.iter().enumerate() {
        for cuts in 0_usize..16 {
            let mut commit = 0;
            for (position, state) in order.iter().enumerate() {
                commits
                    .entry(commit)
                    .or_default()
                    .push((format!("{order_index}-{cuts}"), *state));
                commit += usize::from(cuts >> position & 1 == 1);
            }
        }
    }
    for states in commits.values() {
        let mut buffer = RowBuffer::new(&scene.table, &RunId::new(at(0))).unwrap();
        for (key, state) in states {
            let (version, read_at, text, deletion) = &history[*state];
            let change = Change {
                deletion: deletion.clone(),
                ..said(key, *version, text)
            };
            buffer.push(&change, at(*read_at), 1).unwrap();
        }
        scene.commit_write(buffer.finish().unwrap()).await;
    }
    let rows = scene.rows().await;
    assert_eq!(rows.len(), orders.len() * 16);
    for (key, row) in rows {
        assert_eq!(row["name"], "recalculated", "{key}");
        assert!(!row.contains_key("_deleted_at"), "{key}");
    }
}

fn orders_of(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders_of(count - 1);
    let insert = |order: &Vec<usize>, place: usize| {
        let mut longer = order.clone();
        longer.insert(place, count - 1);
        longer
    };
    shorter
        .iter()
        .flat_map(|order| (0..count).map(move |place| insert(order, place)))
        .collect()
}

/// The same batch a second time writes nothing and says so.
pub async fn repeating_a_commit_changes_nothing(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let changes = [said("a", 1, "x"), gone("b", 2, "y"), said("c", 3, "")];
    let batch = scene.batch(9, &changes);
    scene.warehouse.commit(batch.clone()).await.unwrap();
    let before = scene.rows().await;
    let again = scene.warehouse.commit(batch).await.unwrap();
    assert_eq!(
        again[0],
        Committed {
            unchanged: 3,
            ..Committed::default()
        }
    );
    assert_eq!(scene.rows().await, before);
    let later = scene.commit(10, &changes).await;
    assert_eq!(
        later,
        Committed {
            unchanged: 3,
            ..Committed::default()
        }
    );
    assert_eq!(scene.rows().await, before);
}

/// Formulas change a record without changing its version.
pub async fn of_one_version_the_later_reading_wins(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 1, "x")]).await;
    let committed = scene.commit(10, &[said("a", 1, "y")]).await;
    assert_eq!(
        committed,
        Committed {
            changed: 1,
            ..Committed::default()
        }
    );
    assert_eq!(scene.row("a").await["name"], "y");
}

/// A run that was overtaken brings nothing back.
pub async fn of_one_version_the_earlier_reading_is_ignored(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(10, &[said("a", 1, "y")]).await;
    let committed = scene.commit(9, &[said("a", 1, "x")]).await;
    assert_eq!(
        committed,
        Committed {
            older_ignored: 1,
            ..Committed::default()
        }
    );
    assert_eq!(scene.row("a").await["name"], "y");
}

/// The row then says when the source last changed the record.
pub async fn a_newer_version_is_a_change_even_with_the_same_content(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 1, "x")]).await;
    let committed = scene.commit(9, &[said("a", 2, "x")]).await;
    assert_eq!(
        committed,
        Committed {
            changed: 1,
            ..Committed::default()
        }
    );
    assert_eq!(scene.row("a").await["_version"], micros(2));
}

/// An older version is counted and dropped, however late it was read.
pub async fn an_older_version_is_ignored(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 2, "new")]).await;
    let committed = scene.commit(99, &[said("a", 1, "old")]).await;
    assert_eq!(
        committed,
        Committed {
            older_ignored: 1,
            ..Committed::default()
        }
    );
    assert_eq!(scene.row("a").await["name"], "new");
}

/// One commit with one row of every kind.
pub async fn the_counts_of_a_mixed_commit_add_up(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let before = [
        "changed",
        "unchanged",
        "older",
        "deleted",
        "restored",
        "recalculated",
    ];
    let first: Vec<Change<'_>> = before
        .iter()
        .map(|key| {
            if *key == "restored" {
                gone(key, 5, "x")
            } else {
                said(key, 5, "x")
            }
        })
        .collect();
    scene.commit(9, &first).await;
    let second = [
        said("new", 1, "x"),
        gone("new-and-gone", 1, "x"),
        said("changed", 6, "y"),
        said("unchanged", 5, "x"),
        said("older", 4, "w"),
        gone("deleted", 6, "x"),
        said("restored", 6, "x"),
        said("recalculated", 5, "z"),
    ];
    let committed = scene.commit(10, &second).await;
    let expected = Committed {
        new: 1,
        changed: 3,
        unchanged: 1,
        older_ignored: 1,
        tombstoned: 2,
        marked: 0,
        bytes_billed: 0,
    };
    assert_eq!(committed, expected);
    assert_eq!(scene.rows().await.len(), 8);
    assert_eq!(scene.row("older").await["name"], "x");
    assert!(!scene.row("restored").await.contains_key("_deleted_at"));
}

/// Thousands of rows, more than any engine handles at once, still add up.
pub async fn a_large_commit_over_a_large_table_adds_up(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let keys: Vec<String> = (0..5_000).map(|n| format!("key-{n:05}")).collect();
    let first: Vec<Change<'_>> = keys[..4_000].iter().map(|key| said(key, 5, "x")).collect();
    scene.commit(9, &first).await;
    // 1,000 older, 1,000 unchanged, 1,000 changed, 1,000 new; the first 1,000 are not touched.
    let second: Vec<Change<'_>> = keys[1_000..]
        .iter()
        .enumerate()
        .map(|(n, key)| said(key, 4 + i64::try_from(n / 1_000).unwrap().min(2), "x"))
        .collect();
    let note = Note {
        part: None,
        seen: Seen::Begin,
    };
    let write = TableWrite {
        notes: vec![note],
        ..scene.write(10, &second)
    };
    let committed = scene.commit_write(write).await;
    let expected = Committed {
        new: 1_000,
        changed: 1_000,
        unchanged: 1_000,
        older_ignored: 1_000,
        ..Committed::default()
    };
    assert_eq!(committed, expected);
    assert_eq!(scene.rows().await.len(), 5_000);
}
