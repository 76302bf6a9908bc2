//! What requests do, and what is wrong with those that do nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use salesync_core::command::{Command, Sync};
use salesync_core::dead_letter::DeadLetter;
use salesync_core::record::{RawRecord, Reject};
use salesync_core::run::RunId;
use salesync_core::time::Timestamp;

use super::*;

const SHELF: &str = r#"{"source":"shelf"}"#;

async fn post(scene: &Scene, path: &str, body: &str) -> Answered {
    scene.ask(Method::POST, path, body).await
}

#[tokio::test]
async fn each_route_answers_with_its_report() {
    let scene = Scene::with_secret();
    let synced = post(&scene, "/v1/syncs", SHELF).await;
    assert_eq!(synced.status, 200, "{synced:?}");
    assert_eq!(synced.header("content-type"), "application/json");
    let expected = json!({"runs": [], "not_configured": [], "continued": []});
    assert_eq!(synced.document(), expected);
    for body in ["", "{}"] {
        let resolved = post(&scene, "/v1/resolve", body).await;
        assert_eq!(resolved.status, 200, "{resolved:?}");
        assert_eq!(resolved.document()["people"], 0);
        let redriven = post(&scene, "/v1/dlq/redrive", body).await;
        assert_eq!(redriven.document()["tried"], 0, "{redriven:?}");
    }
    let get = async |path: &str| scene.ask(Method::GET, path, "").await;
    assert_eq!(
        get("/v1/runs?limit=5").await.document(),
        json!({"runs": []})
    );
    assert_eq!(
        get("/v1/runs?source=shelf").await.document(),
        json!({"runs": []})
    );
    assert_eq!(
        get("/v1/dlq?state=parked").await.document(),
        json!({"letters": []})
    );
    assert_eq!(get("/ready").await.document()["status"], "ready");
    let metrics = get("/metrics").await;
    assert!(
        metrics.text.contains("# TYPE sync_runs_total counter"),
        "{metrics:?}"
    );
    assert!(get("/openapi.yaml").await.text.starts_with("openapi: 3."));
}

#[tokio::test]
async fn a_body_that_is_not_a_command_is_refused_with_a_code() {
    let scene = Scene::with_secret();
    let invalid = (400, "ERR_REQUEST_INVALID");
    let cases = [
        ("/v1/syncs", "", invalid),
        ("/v1/syncs", "canary", invalid),
        ("/v1/syncs", "{}", invalid),
        ("/v1/syncs", r#"{"source":"shelf","canary":1}"#, invalid),
        ("/v1/syncs", r#"{"source":7}"#, invalid),
        ("/v1/syncs", r#"{"source":"canary"}"#, invalid),
        (
            "/v1/syncs",
            r#"{"source":"shelf","streams":["canary"]}"#,
            invalid,
        ),
        ("/v1/syncs", r#"{"source":"shelf","mode":"both"}"#, invalid),
        ("/v1/syncs", r#"{"source":"shelf","since":"soon"}"#, invalid),
        (
            "/v1/syncs",
            r#"{"source":"shelf","mode":"full","since":"2026-01-01"}"#,
            invalid,
        ),
        (
            "/v1/syncs",
            r#"{"source":"shelf","absent":"confirmed"}"#,
            invalid,
        ),
        ("/v1/syncs", r#"{"source":"shelf"} {}"#, invalid),
        ("/v1/resolve", r#"{"full":"yes"}"#, invalid),
        ("/v1/resolve", "[1]", invalid),
        ("/v1/dlq/redrive", r#"{"ids":[""]}"#, invalid),
        (
            "/v1/dlq/redrive",
            r#"{"ids":["nothing hexadecimal"]}"#,
            invalid,
        ),
        ("/v1/dlq/redrive", r#"{"ids":["00ff"]}"#, invalid),
        ("/v1/dlq/redrive", r#"{"source":"canary"}"#, invalid),
        ("/v1/continuations", "{}", invalid),
        ("/v1/continuations", r#"{"message":{}}"#, invalid),
    ];
    for (path, body, (status, code)) in cases {
        let answered = post(&scene, path, body).await;
        assert_eq!(answered.status, status, "{path} {body}: {answered:?}");
        assert_eq!(answered.code(), code, "{path} {body}");
        let error = &answered.document()["error"];
        assert_eq!(error["retryable"], false);
        assert_eq!(error["message"], Code::RequestInvalid.meaning());
    }
}

#[tokio::test]
async fn a_query_that_is_none_is_refused() {
    let scene = Scene::with_secret();
    for path in [
        "/v1/runs?limit=0",
        "/v1/runs?limit=501",
        "/v1/runs?limit=many",
        "/v1/runs?source=nobody",
        "/v1/runs?order=up",
        "/v1/dlq?state=lost",
        "/v1/dlq?state=open&state=open",
    ] {
        let answered = scene.ask(Method::GET, path, "").await;
        assert_eq!(answered.status, 400, "{path}: {answered:?}");
        assert_eq!(answered.code(), "ERR_REQUEST_INVALID");
    }
}

#[tokio::test]
async fn a_body_is_capped_and_called_json() {
    let scene = Scene::with_secret();
    let padded = |bytes: usize| format!("{SHELF}{}", " ".repeat(bytes - SHELF.len()));
    let fits = post(&scene, "/v1/syncs", &padded(64 * 1024)).await;
    assert_eq!(fits.status, 200, "{fits:?}");
    let large = post(&scene, "/v1/syncs", &padded(64 * 1024 + 1)).await;
    assert_eq!(large.status, 413);
    assert_eq!(large.code(), "ERR_REQUEST_TOO_LARGE");
    let announced = request(Method::POST, "/v1/syncs")
        .header("authorization", format!("Bearer {SECRET}"))
        .header("content-length", "10000000");
    let announced = scene.send(announced.body(Body::empty()).unwrap()).await;
    assert_eq!(announced.status, 413, "it is not waited for");
    for kind in [
        "text/plain",
        "application/octet-stream",
        "application/jsonp",
        "",
    ] {
        let asked = request(Method::POST, "/v1/syncs")
            .header("authorization", format!("Bearer {SECRET}"))
            .header("content-type", kind);
        let answered = scene.send(asked.body(Body::from(SHELF)).unwrap()).await;
        assert_eq!(answered.status, 415, "{kind}");
        assert_eq!(answered.code(), "ERR_REQUEST_UNSUPPORTED_TYPE");
    }
    let asked = request(Method::POST, "/v1/syncs")
        .header("authorization", format!("Bearer {SECRET}"))
        .header("content-type", "Application/JSON; charset=utf-8");
    let answered = scene.send(asked.body(Body::from(SHELF)).unwrap()).await;
    assert_eq!(answered.status, 200);
}

#[tokio::test]
async fn a_schedules_time_or_a_persons_key_is_good_for_one_run() {
    let scene = Scene::with_secret();
    let send = async |name: &'static str, value: &'static str| {
        let asked = request(Method::POST, "/v1/syncs")
            .header("authorization", format!("Bearer {SECRET}"))
            .header("content-type", "application/json")
            .header("x-cloudscheduler-jobname", "shelf-incremental-sync")
            .header(name, value);
        scene
            .send(asked.body(Body::from(SHELF)).unwrap())
            .await
            .status
    };
    for (name, one, other) in [
        (
            "x-cloudscheduler-scheduletime",
            "2026-11-26T03:00:00Z",
            "2026-11-26T04:00:00Z",
        ),
        ("idempotency-key", "one", "other"),
    ] {
        assert_eq!(send(name, one).await, 200, "{name}");
        assert_eq!(send(name, one).await, 409, "{name}");
        assert_eq!(send(name, other).await, 200, "{name}");
    }
    for _ in 0..2 {
        let answered = post(&scene, "/v1/syncs", SHELF).await;
        assert_eq!(
            answered.status, 200,
            "without a key each is a trigger of its own"
        );
    }
}

#[tokio::test]
async fn what_is_at_work_is_not_begun_again_and_its_trigger_stays_good() {
    let scene = Scene::with_secret();
    let sync = Command::Sync(Sync {
        source: "all".to_owned(),
        ..Sync::default()
    });
    let lease = scene.front.leases.take(&scene.front.cx, &sync).unwrap();
    let person = post(&scene, "/v1/syncs", SHELF).await;
    assert_eq!(person.status, 409);
    assert_eq!(person.code(), "ERR_RUN_OVERLAP");
    let scheduled = async || {
        let asked = request(Method::POST, "/v1/syncs")
            .header("authorization", format!("Bearer {SECRET}"))
            .header("content-type", "application/json")
            .header("x-cloudscheduler-scheduletime", "2026-11-26T03:00:00Z");
        scene.send(asked.body(Body::from(SHELF)).unwrap()).await
    };
    let answered = scheduled().await;
    assert_eq!(answered.status, 200, "a scheduler has nothing to mend");
    assert_eq!(answered.document(), json!({"skipped": "ERR_RUN_OVERLAP"}));
    assert_eq!(
        post(&scene, "/v1/resolve", "").await.status,
        200,
        "other work goes on"
    );
    drop(lease);
    assert_eq!(scheduled().await.document()["runs"], json!([]));
}

fn pushed(id: &str, text: &str) -> String {
    let data = STANDARD.encode(text);
    json!({
        "message": {
            "attributes": {}, "data": data,
            "messageId": id, "message_id": id,
            "publishTime": "2026-11-26T03:00:00Z", "publish_time": "2026-11-26T03:00:00Z",
        },
        "subscription": "projects/my-project/subscriptions/continuations",
        "deliveryAttempt": 1,
    })
    .to_string()
}

#[tokio::test]
async fn a_pushed_message_goes_on_once() {
    let scene = Scene::with_secret();
    let left = r#"{"continue":{"source":"shelf"},"hop":4,"after":"01JDM6X0ZP8W6T3Q8N4V5R7S9A"}"#;
    let first = post(&scene, "/v1/continuations", &pushed("1", left)).await;
    assert_eq!(first.document()["runs"], json!([]), "{first:?}");
    let again = post(&scene, "/v1/continuations", &pushed("1", left)).await;
    assert_eq!(
        again.document(),
        json!({"skipped": "ERR_RUN_DUPLICATE_TRIGGER"})
    );
    let next = post(&scene, "/v1/continuations", &pushed("2", left)).await;
    assert_eq!(next.document()["runs"], json!([]), "{next:?}");
}

#[tokio::test]
async fn a_pushed_message_comes_again_while_the_run_that_left_it_is_at_work() {
    let scene = Scene::with_secret();
    let sync = Command::Sync(Sync {
        source: "shelf".to_owned(),
        ..Sync::default()
    });
    let lease = scene.front.leases.take(&scene.front.cx, &sync).unwrap();
    let left = r#"{"continue":{"source":"shelf"},"hop":1,"after":"01JDM6X0ZP8W6T3Q8N4V5R7S9A"}"#;
    let left = pushed("1", left);
    for _ in 0..2 {
        let answered = post(&scene, "/v1/continuations", &left).await;
        assert_eq!(answered.status, 409, "{answered:?}");
        assert_eq!(answered.code(), "ERR_RUN_OVERLAP");
    }
    drop(lease);
    let answered = post(&scene, "/v1/continuations", &left).await;
    assert_eq!(answered.document()["runs"], json!([]), "{answered:?}");
}

#[tokio::test]
async fn a_pushed_letter_comes_again_until_it_went_through() {
    let scene = Scene::with_secret();
    let payload = "x".repeat(100_000);
    let raw = RawRecord::new(json!({"id": 1, "text": payload}).to_string().into_bytes());
    let reject = Reject::new(Code::RecordType, "a value is of its type");
    let seen = (&RunId::new(Timestamp::EPOCH), Timestamp::EPOCH);
    let letter = DeadLetter::new(("shelf", "things"), &raw, reject, seen);
    let letter = pushed("1", &letter.to_message().unwrap().body);
    // The shelf's own streams can't be opened.
    for _ in 0..2 {
        let answered = post(&scene, "/v1/continuations", &letter).await;
        assert_eq!(answered.status, 503, "{answered:?}");
    }
}

#[tokio::test]
async fn a_pushed_message_that_is_of_no_use_does_not_come_again() {
    let scene = Scene::with_secret();
    let discarded = json!({"discarded": "ERR_REQUEST_INVALID"});
    for (id, text) in [("1", "canary"), ("2", "{}"), ("3", r#"{"continue":{}}"#)] {
        let answered = post(&scene, "/v1/continuations", &pushed(id, text)).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        assert_eq!(answered.document(), discarded);
    }
    let bad_data = r#"{"message":{"messageId":"4","data":"%%%"}}"#;
    let answered = post(&scene, "/v1/continuations", bad_data).await;
    assert_eq!(answered.document(), discarded);
    let unwanted = [
        ("5", r#"{"check":{"source":"shelf"}}"#),
        (
            "6",
            r#"{"continue":{"source":"nobody"},"hop":1,"after":"x"}"#,
        ),
    ];
    for (id, text) in unwanted {
        let answered = post(&scene, "/v1/continuations", &pushed(id, text)).await;
        assert_eq!(
            answered.document(),
            json!({"skipped": "ERR_REQUEST_INVALID"})
        );
    }
}
