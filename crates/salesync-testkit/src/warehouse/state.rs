//! The log of cursors.

use std::sync::Arc;

use salesync_core::batch::{Batch, Slot, State, StreamId};
use salesync_core::cursor::Cursor;
use salesync_core::error::Code;
use salesync_core::plain::{PlainRows, text};
use salesync_core::record::Value;
use salesync_core::run::RunId;
use salesync_core::time::Timestamp;
use salesync_core::warehouse::{SYNC_STATE, Warehouse};

use super::scene::{Scene, at};

fn stream() -> StreamId {
    StreamId {
        source: "testkit".to_owned(),
        stream: "things".to_owned(),
        part: None,
    }
}

fn state(order: (u64, u64, u64), complete_to: i64) -> State {
    let (generation, epoch, seq) = order;
    State {
        id: stream(),
        slot: Slot::Incremental,
        generation,
        epoch,
        seq,
        run_id: RunId::new(at(0)),
        cursor: Some(Cursor::between_windows(at(complete_to))),
        source_clock: at(100),
        committed_at: Timestamp::from_micros(1_700_000_000_123_456),
    }
}

async fn log(scene: &Scene, states: Vec<State>) {
    scene
        .warehouse
        .commit(Batch {
            states,
            ..scene.batch(0, &[])
        })
        .await
        .unwrap();
}

/// A first run is told so.
pub async fn a_stream_without_a_state_has_none(warehouse: Arc<dyn Warehouse>) {
    assert_eq!(
        warehouse
            .cursor(&stream(), Slot::Incremental)
            .await
            .unwrap(),
        None
    );
}

/// Not the last written row counts, and not the one that is furthest.
pub async fn the_current_state_is_the_largest_by_generation_epoch_seq_and_run(
    warehouse: Arc<dyn Warehouse>,
) {
    let scene = Scene::new(warehouse).await;
    let orders = [
        (0, 1, 0),
        (0, 9, 9),
        (1, 2, 3),
        (1, 2, 10),
        (1, 1, 99),
        (0, 2, 0),
        (1, 2, 4),
    ];
    for (index, order) in orders.into_iter().enumerate() {
        log(
            &scene,
            vec![state(order, 100 - i64::try_from(index).unwrap())],
        )
        .await;
    }
    let current = scene
        .warehouse
        .cursor(&stream(), Slot::Incremental)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((current.generation, current.epoch, current.seq), (1, 2, 10));
    let mut rival = state((1, 2, 10), 1);
    rival.run_id = RunId::new(at(1_000));
    log(&scene, vec![rival.clone(), state((1, 2, 9), 2)]).await;
    let current = scene
        .warehouse
        .cursor(&stream(), Slot::Incremental)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(current, rival);
}

/// Every part of a state is stored exactly, and writing it twice is writing it once.
pub async fn a_cursor_comes_back_unchanged(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let mut written = state((3, 2, 1), 5);
    let place = serde_json::json!({"after": "it's \"here\" 😀", "n": i64::MAX});
    let complete_to = Timestamp::from_micros(1_700_000_000_123_457);
    written.cursor = Some(Cursor::inside(complete_to, &place).unwrap());
    for _ in 0..2 {
        log(&scene, vec![written.clone()]).await;
        let read = scene
            .warehouse
            .cursor(&stream(), Slot::Incremental)
            .await
            .unwrap();
        assert_eq!(read, Some(written.clone()));
    }
}

/// A full sync has a cursor of its own, and so has every stream, and every part of one.
pub async fn slots_streams_and_parts_are_kept_apart(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let full = State {
        slot: Slot::Full,
        ..state((0, 2, 0), 2)
    };
    let other_id = StreamId {
        stream: "others".to_owned(),
        ..stream()
    };
    let part_id = StreamId {
        part: Some("a".to_owned()),
        ..stream()
    };
    let part = State {
        id: part_id.clone(),
        ..state((0, 4, 0), 4)
    };
    let other = State {
        id: other_id.clone(),
        ..state((0, 3, 0), 3)
    };
    let own = state((0, 1, 0), 1);
    let states = [&own, &full, &other, &part].map(State::clone);
    log(&scene, states.into()).await;
    let warehouse = &scene.warehouse;
    let of_part = warehouse.cursor(&part_id, Slot::Incremental).await;
    assert_eq!(of_part.unwrap(), Some(part));
    assert_eq!(
        warehouse
            .cursor(&stream(), Slot::Incremental)
            .await
            .unwrap(),
        Some(own)
    );
    assert_eq!(
        warehouse.cursor(&stream(), Slot::Full).await.unwrap(),
        Some(full)
    );
    assert_eq!(
        warehouse
            .cursor(&other_id, Slot::Incremental)
            .await
            .unwrap(),
        Some(other)
    );
    assert_eq!(warehouse.cursor(&other_id, Slot::Full).await.unwrap(), None);
}

/// The log only grows: forgetting is a row too.
pub async fn a_forgotten_slot_has_a_state_without_a_cursor(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let kept = State {
        slot: Slot::Full,
        ..state((0, 1, 4), 9)
    };
    let forgotten = State {
        slot: Slot::Full,
        cursor: None,
        ..state((0, 1, 5), 0)
    };
    log(&scene, vec![kept]).await;
    log(&scene, vec![forgotten.clone()]).await;
    let read = scene.warehouse.cursor(&stream(), Slot::Full).await.unwrap();
    assert_eq!(read, Some(forgotten));
}

/// For warehouses whose log of cursors is a table: a cursor that can't be read is an error and never
/// taken for a first run.
pub async fn an_unreadable_cursor_is_an_error(warehouse: Arc<dyn Warehouse>) {
    let scene = Scene::new(warehouse).await;
    let id = stream();
    for (seq, cursor) in [
        (1, "{}"),
        (2, "{\"complete_to\":\"soon\"}"),
        (3, "broken {"),
    ] {
        let mut rows = PlainRows::new(&SYNC_STATE).unwrap();
        let row = [
            text(Some(&id.source)),
            text(Some(&id.stream)),
            text(None),
            text(Some("incremental")),
            Value::Int(0),
            Value::Int(1),
            Value::Int(seq),
            text(Some("run")),
            text(Some(cursor)),
            Value::Timestamp(at(1)),
            Value::Timestamp(at(1)),
            Value::Null,
        ];
        rows.push(&row).unwrap();
        let appends = vec![rows.finish().unwrap()];
        scene
            .warehouse
            .commit(Batch {
                appends,
                ..scene.batch(0, &[])
            })
            .await
            .unwrap();
        let error = scene
            .warehouse
            .cursor(&id, Slot::Incremental)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::StoreCorrupt, "{cursor}");
    }
}
