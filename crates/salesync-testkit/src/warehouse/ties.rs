//! Parts, details and groups: rows that belong together.

use std::sync::Arc;

use salesync_core::batch::{Batch, Committed, Note, RowKey, Seen, TableWrite, Tombstone};
use salesync_core::record::{Change, Value};
use salesync_core::run::RunId;
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::warehouse::{Filter, PartOf, Scan, Warehouse};

use super::scene::{at, deleted, name, read, write};

/// Letters in folders, their stamps (details of a letter), and the threads that they are in (groups of them).
struct Mail {
    warehouse: Arc<dyn Warehouse>,
    letters: Arc<Table>,
    stamps: Arc<Table>,
    threads: Arc<Table>,
}

fn table(name: &str, columns: &[&str]) -> Table {
    let text = |column: &&str| Column::new(column, ColumnType::Text, "").unwrap();
    let columns = columns.iter().map(text).collect();
    Table::new(name, "", columns).unwrap()
}

fn row<'a>(key: &'a str, version: i64, values: &[&'a str]) -> Change<'a> {
    Change {
        key: key.into(),
        version: at(version),
        values: values.iter().map(|it| Value::Text((*it).into())).collect(),
        extra: Vec::new(),
        deletion: None,
        replaces: Vec::new(),
    }
}

fn without<'a>(change: Change<'a>, version: i64) -> Change<'a> {
    Change {
        version: at(version),
        deletion: Some(deleted(version)),
        ..change
    }
}

impl Mail {
    async fn new(warehouse: Arc<dyn Warehouse>) -> Self {
        let letters = table("testkit_letters", &["folder", "thread"]);
        let letters = letters.in_parts("folder").unwrap();
        let stamps = table("testkit_stamps", &["folder", "letter"]);
        let stamps = stamps.in_parts("folder").unwrap();
        let stamps = stamps.details_of(&letters, "letter").unwrap();
        let threads = table("testkit_threads", &["folder"]);
        let threads = threads.in_parts("folder").unwrap();
        let threads = threads.groups_of(&letters, "thread").unwrap();
        let [letters, stamps, threads] = [letters, stamps, threads].map(Arc::new);
        for table in [&letters, &stamps, &threads] {
            warehouse.prepare(table).await.unwrap();
        }
        Self {
            warehouse,
            letters,
            stamps,
            threads,
        }
    }

    /// Commits letters, stamps and threads that were read at second `read_at`.
    async fn commit(&self, read_at: i64, changes: [&[Change<'_>]; 3]) -> Vec<Committed> {
        let writes = self.writes(read_at, changes);
        let batch = Batch {
            writes,
            ..Batch::default()
        };
        self.warehouse.commit(batch).await.unwrap()
    }

    fn writes(
        &self,
        read_at: i64,
        [letters, stamps, threads]: [&[Change<'_>]; 3],
    ) -> Vec<TableWrite> {
        let run_id = RunId::new(at(0));
        let tables = [
            (&self.letters, letters),
            (&self.stamps, stamps),
            (&self.threads, threads),
        ];
        let writes = tables.map(|(table, changes)| write(table, &run_id, read_at, changes));
        writes.into()
    }

    /// Returns `folder/id` of the live rows of a table.
    async fn live(&self, table: &Arc<Table>) -> Vec<String> {
        self.found(table, Filter::Live).await
    }

    async fn found(&self, table: &Arc<Table>, filter: Filter) -> Vec<String> {
        let scan = Scan {
            filter,
            ..Scan::of(table.name().clone())
        };
        let rows = read(&*self.warehouse, &scan).await;
        let key = |row: &super::scene::Row| format!("{}/{}", row["folder"], row["id"]);
        let mut keys: Vec<String> = rows.iter().map(key).collect();
        keys.sort();
        keys
    }
}

/// Two parts may hold one id: they are two rows, and what happens to one does not happen to the other.
pub async fn parts_are_kept_apart(warehouse: Arc<dyn Warehouse>) {
    let mail = Mail::new(warehouse).await;
    let first = [row("1", 5, &["a", "t"]), row("1", 7, &["b", "t"])];
    let committed = mail.commit(9, [&first, &[], &[]]).await;
    assert_eq!(committed[0].new, 2);
    let again = [row("1", 5, &["a", "t"]), row("1", 8, &["b", "u"])];
    let committed = mail.commit(10, [&again, &[], &[]]).await;
    assert_eq!((committed[0].unchanged, committed[0].changed), (1, 1));
    let mut writes = mail.writes(11, [&[], &[], &[]]);
    writes[0].tombstones = vec![Tombstone {
        key: RowKey {
            part: Some("a".to_owned()),
            id: "1".to_owned(),
        },
        version: at(9),
        deletion: deleted(9),
    }];
    let batch = Batch {
        writes,
        ..Batch::default()
    };
    let committed = mail.warehouse.commit(batch).await.unwrap();
    assert_eq!(committed[0].marked, 1);
    assert_eq!(mail.live(&mail.letters).await, ["b/1"]);
    let in_a = PartOf {
        column: name("folder"),
        part: "a".to_owned(),
    };
    assert!(
        mail.found(&mail.letters, Filter::LiveIn(in_a))
            .await
            .is_empty()
    );
}

/// What a reading of one part has met says nothing about another part.
pub async fn a_part_is_swept_alone(warehouse: Arc<dyn Warehouse>) {
    let mail = Mail::new(warehouse).await;
    let rows = ["a", "b"].map(|folder| [row("1", 5, &[folder, "t"]), row("2", 5, &[folder, "t"])]);
    mail.commit(9, [&rows.concat(), &[], &[]]).await;
    let met = [row("1", 5, &["a", "t"]), row("2", 5, &["b", "t"])];
    let mut writes = mail.writes(9, [&met, &[], &[]]);
    writes[0].notes = ["a", "b"]
        .map(|part| Note {
            part: Some(part.to_owned()),
            seen: Seen::Begin,
        })
        .into();
    let batch = Batch {
        writes,
        ..Batch::default()
    };
    mail.warehouse.commit(batch).await.unwrap();
    for (part, unseen) in [("a", "a/2"), ("b", "b/1")] {
        let filter = Filter::Unseen {
            before: at(20),
            part: Some(PartOf {
                column: name("folder"),
                part: part.to_owned(),
            }),
        };
        assert_eq!(mail.found(&mail.letters, filter).await, [unseen]);
    }
}

/// A detail that its owner no longer brings is gone, also where that says it in the version that it had; one
/// that comes without its owner stays; one that is older than the owner's state, or whose owner nobody knows,
/// is not believed.
pub async fn details_follow_their_owner(warehouse: Arc<dyn Warehouse>) {
    let mail = Mail::new(warehouse).await;
    let letter = |version| row("1", version, &["a", "t"]);
    let stamp = |key, version| row(key, version, &["a", "1"]);
    mail.commit(9, [&[letter(5)], &[stamp("x", 5), stamp("y", 5)], &[]])
        .await;
    let committed = mail.commit(10, [&[letter(7)], &[stamp("y", 7)], &[]]).await;
    assert_eq!((committed[1].changed, committed[1].marked), (1, 1));
    assert_eq!(mail.live(&mail.stamps).await, ["a/y"]);
    // Alone, newer: it is added. Alone, older than the owner: the owner came later and without it.
    let alone = [stamp("z", 8), stamp("late", 6)];
    let committed = mail.commit(11, [&[], &alone, &[]]).await;
    assert_eq!((committed[1].new, committed[1].older_ignored), (1, 1));
    assert_eq!(mail.live(&mail.stamps).await, ["a/y", "a/z"]);
    // An older state of the owner that comes late takes nothing away.
    mail.commit(12, [&[letter(6)], &[], &[]]).await;
    assert_eq!(mail.live(&mail.stamps).await, ["a/y", "a/z"]);
    // The same version once more, read later: what does not come with it is gone.
    let again = [letter(7)];
    mail.commit(12, [&again, &[stamp("w", 7)], &[]]).await;
    assert_eq!(mail.live(&mail.stamps).await, ["a/w", "a/z"]);
    mail.commit(13, [&again, &[], &[]]).await;
    assert_eq!(mail.live(&mail.stamps).await, ["a/z"]);
    let of_nobody = [row("v", 8, &["a", "2"]), row("u", 8, &["b", "1"])];
    let committed = mail.commit(13, [&[], &of_nobody, &[]]).await;
    assert_eq!((committed[1].new, committed[1].older_ignored), (0, 2));
    mail.commit(13, [&[without(letter(9), 9)], &[], &[]]).await;
    assert!(mail.live(&mail.stamps).await.is_empty());
}

/// The owner may be the part itself: then all of the part's details come with it.
pub async fn details_of_the_part_itself_follow_it(warehouse: Arc<dyn Warehouse>) {
    let folders = table("testkit_folders", &["folder"]);
    let folders = folders.in_parts("folder").unwrap();
    let labels = table("testkit_labels", &["folder", "name"]);
    let labels = labels.in_parts("folder").unwrap();
    let labels = labels.details_of(&folders, "folder").unwrap();
    let tables = [folders, labels].map(Arc::new);
    for table in &tables {
        warehouse.prepare(table).await.unwrap();
    }
    let run_id = RunId::new(at(0));
    let commit = async |version, names: &[&'static str]| {
        let folder = [row("a", version, &["a"])];
        let labels: Vec<_> = names
            .iter()
            .map(|it| row(it, version, &["a", it]))
            .collect();
        let writes = [
            write(&tables[0], &run_id, version, &folder),
            write(&tables[1], &run_id, version, &labels),
        ];
        let batch = Batch {
            writes: writes.into(),
            ..Batch::default()
        };
        warehouse.commit(batch).await.unwrap()[1]
    };
    assert_eq!(commit(5, &["x", "y"]).await.new, 2);
    let committed = commit(6, &["y", "z"]).await;
    assert_eq!((committed.new, committed.marked), (1, 1));
}

/// Details of an owner that is marked as gone by a sweep go with it.
pub async fn details_of_a_marked_owner_are_marked(warehouse: Arc<dyn Warehouse>) {
    let mail = Mail::new(warehouse).await;
    let letters = [row("1", 5, &["a", "t"]), row("2", 5, &["a", "t"])];
    let stamps = [row("x", 5, &["a", "1"]), row("y", 5, &["a", "2"])];
    mail.commit(9, [&letters, &stamps, &[]]).await;
    let mut writes = mail.writes(10, [&[], &[], &[]]);
    writes[0].tombstones = vec![Tombstone {
        key: RowKey {
            part: Some("a".to_owned()),
            id: "1".to_owned(),
        },
        version: at(6),
        deletion: deleted(20),
    }];
    let batch = Batch {
        writes,
        ..Batch::default()
    };
    let committed = mail.warehouse.commit(batch.clone()).await.unwrap();
    assert_eq!((committed[0].marked, committed[1].marked), (1, 1));
    assert_eq!(mail.live(&mail.stamps).await, ["a/y"]);
    let again = mail.warehouse.commit(batch).await.unwrap();
    assert_eq!((again[0].marked, again[1].marked), (0, 0));
}

/// A group lives as long as one of its members, and comes back with a new one.
pub async fn a_group_lives_as_long_as_a_member(warehouse: Arc<dyn Warehouse>) {
    let mail = Mail::new(warehouse).await;
    let letter = |key, version| row(key, version, &["a", "t"]);
    let thread = |version| row("t", version, &["a"]);
    mail.commit(9, [&[letter("1", 5), letter("2", 6)], &[], &[thread(6)]])
        .await;
    mail.commit(10, [&[without(letter("1", 7), 7)], &[], &[]])
        .await;
    assert_eq!(mail.live(&mail.threads).await, ["a/t"]);
    let last = [without(letter("2", 8), 8)];
    let committed = mail.commit(11, [&last, &[], &[]]).await;
    assert_eq!(committed[2].marked, 1);
    assert!(mail.live(&mail.threads).await.is_empty());
    mail.commit(12, [&[letter("3", 9)], &[], &[thread(9)]])
        .await;
    assert_eq!(mail.live(&mail.threads).await, ["a/t"]);
}

/// What is due is what has a time that has come.
pub async fn rows_are_due_when_their_time_has_come(warehouse: Arc<dyn Warehouse>) {
    let columns = vec![Column::new("due_at", ColumnType::Timestamp, "").unwrap()];
    let table = Arc::new(Table::new("testkit_due", "", columns).unwrap());
    warehouse.prepare(&table).await.unwrap();
    let due = |key: &'static str, due_at: Option<i64>| Change {
        values: vec![due_at.map_or(Value::Null, |secs| Value::Timestamp(at(secs)))],
        ..row(key, 1, &[])
    };
    let rows = [
        due("past", Some(9)),
        due("now", Some(10)),
        due("later", Some(11)),
        due("never", None),
        without(due("gone", Some(9)), 2),
    ];
    let batch = Batch::from(write(&table, &RunId::new(at(0)), 5, &rows));
    warehouse.commit(batch).await.unwrap();
    let scan = Scan {
        filter: Filter::Due {
            column: name("due_at"),
            by: at(10),
        },
        newest_by: Some(name("due_at")),
        ..Scan::of(table.name().clone())
    };
    let found = read(&*warehouse, &scan).await;
    let ids: Vec<&str> = found.iter().map(|row| row["id"].as_str()).collect();
    assert_eq!(ids, ["now", "past"]);
}
