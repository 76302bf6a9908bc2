//! What becomes of rows whose record is gone.

use std::sync::Arc;

use salesync_core::batch::Committed;
use salesync_core::record::{Change, Deletion, DeletionReason};
use salesync_core::warehouse::{Filter, Warehouse};

use super::scene::{Scene, absent, at, gone, merged, micros, said};

const ONE_MARK: Committed = Committed {
    new: 0,
    changed: 0,
    unchanged: 0,
    older_ignored: 0,
    tombstoned: 0,
    marked: 1,
    bytes_billed: 0,
};

/// What the record said last can still be read.
pub async fn a_mark_keeps_the_values_of_its_row(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene
        .commit(9, &[said("a", 1, "x"), said("b", 1, "y")])
        .await;
    assert_eq!(scene.mark(vec![absent("a", 20)]).await, ONE_MARK);
    let row = scene.row("a").await;
    assert_eq!(row["name"], "x");
    assert_eq!(row["_deleted_at"], micros(20));
    assert_eq!(row["_deleted_reason"], "absent");
    assert_eq!(row["_version"], micros(20));
    assert_eq!(row["_synced_at"], micros(9));
    assert_eq!(scene.keys(Filter::Live).await, ["b"]);
}

/// A repeated commit does not count a mark again.
pub async fn a_mark_is_set_once(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 1, "x")]).await;
    let marks = vec![
        absent("a", 20),
        absent("never-seen", 20),
        merged("b", "a", 20),
    ];
    assert_eq!(scene.mark(marks.clone()).await.marked, 3);
    let before = scene.rows().await;
    assert_eq!(scene.mark(marks).await, Committed::default());
    assert_eq!(
        scene.mark(vec![absent("a", 30)]).await,
        Committed::default()
    );
    assert_eq!(scene.rows().await, before);
}

/// A record that was edited after it was missed is there.
pub async fn a_mark_is_not_set_on_a_newer_row(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 21, "x")]).await;
    assert_eq!(
        scene.mark(vec![absent("a", 20)]).await,
        Committed::default()
    );
    assert_eq!(scene.keys(Filter::Live).await, ["a"]);
}

/// A run that was overtaken does not bring a row back.
pub async fn a_marked_row_stays_gone_when_an_older_version_comes_late(
    warehouse: Arc<dyn Warehouse>,
) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 1, "x")]).await;
    scene.mark(vec![absent("a", 20)]).await;
    let committed = scene.commit(99, &[said("a", 19, "late")]).await;
    assert_eq!(
        committed,
        Committed {
            older_ignored: 1,
            ..Committed::default()
        }
    );
    assert!(scene.keys(Filter::Live).await.is_empty());
}

/// The mark may come before the record that it is about.
pub async fn a_mark_without_a_row_keeps_older_versions_out(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    assert_eq!(scene.mark(vec![merged("a", "b", 20)]).await, ONE_MARK);
    let row = scene.row("a").await;
    assert_eq!(row["_merged_into"], "b");
    assert!(!row.contains_key("name"));
    let committed = scene.commit(99, &[said("a", 19, "late")]).await;
    assert_eq!(
        committed,
        Committed {
            older_ignored: 1,
            ..Committed::default()
        }
    );
    assert!(scene.keys(Filter::Live).await.is_empty());
}

/// What is restored at the source is live again.
pub async fn a_newer_version_brings_a_marked_row_back(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 1, "x")]).await;
    scene.mark(vec![absent("a", 20), absent("b", 20)]).await;
    let committed = scene
        .commit(30, &[said("a", 21, "back"), said("b", 21, "back")])
        .await;
    assert_eq!(
        committed,
        Committed {
            changed: 2,
            ..Committed::default()
        }
    );
    assert_eq!(scene.keys(Filter::Live).await, ["a", "b"]);
    assert!(!scene.row("a").await.contains_key("_deleted_reason"));
}

/// A record that comes with its mark is counted as tombstoned when the row was live or not there.
pub async fn a_deleted_record_is_counted_as_tombstoned(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene.commit(9, &[said("a", 1, "x")]).await;
    let committed = scene
        .commit(10, &[gone("a", 2, "x"), gone("b", 2, "y")])
        .await;
    assert_eq!(
        committed,
        Committed {
            tombstoned: 2,
            ..Committed::default()
        }
    );
    let committed = scene.commit(11, &[gone("a", 3, "z")]).await;
    assert_eq!(
        committed,
        Committed {
            changed: 1,
            ..Committed::default()
        }
    );
    let row = scene.row("a").await;
    assert_eq!(
        (row["name"].as_str(), row["_deleted_reason"].as_str()),
        ("z", "deleted")
    );
}

/// A → B, then B → C, then C → D, in one commit or in several: all name D.
pub async fn a_chain_of_merges_ends_at_the_survivor(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let records: Vec<Change<'_>> = ["a", "b", "c", "d"].map(|key| said(key, 1, key)).into();
    scene.commit(9, &records).await;
    scene.mark(vec![merged("a", "b", 20)]).await;
    scene
        .mark(vec![merged("b", "c", 21), merged("c", "d", 22)])
        .await;
    let rows = scene.rows().await;
    for key in ["a", "b", "c"] {
        assert_eq!(rows[key]["_merged_into"], "d", "{key}");
        assert_eq!(rows[key]["name"], key);
    }
    assert_eq!(scene.keys(Filter::Live).await, ["d"]);
}

/// A record that names its merge is read again with every overlap.
pub async fn a_merge_that_is_read_again_changes_nothing(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let into_b = Deletion {
        at: at(3),
        reason: DeletionReason::MergedInto,
        merged_into: Some("b".to_owned()),
    };
    let changes = [
        Change {
            deletion: Some(into_b),
            ..said("a", 3, "x")
        },
        said("b", 3, "y"),
        Change {
            replaces: vec!["b".to_owned()],
            ..said("c", 5, "z")
        },
    ];
    let write = scene.write(9, &changes);
    scene.commit_write(write.clone()).await;
    let before = scene.rows().await;
    assert_eq!(before["a"]["_merged_into"], "c");
    assert_eq!(before["b"]["_merged_into"], "c");
    scene.commit_write(write).await;
    assert_eq!(scene.rows().await, before);
}

/// Marks that contradict each other neither hang a commit nor let a row name itself.
pub async fn a_circle_of_merges_ends(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    scene
        .commit(
            9,
            &[said("a", 1, "x"), said("b", 1, "y"), said("c", 1, "z")],
        )
        .await;
    let circle = vec![
        merged("a", "b", 20),
        merged("b", "c", 20),
        merged("c", "a", 20),
    ];
    scene.mark(circle).await;
    for (key, row) in scene.rows().await {
        assert_ne!(row["_merged_into"], key);
    }
}
