//! Events in the platform's documented shapes, and what is answered to them.

use lambda_runtime::Context as Invocation;
use salesync_core::command::Mode;
use tempfile::TempDir;

use super::*;
use crate::fronts::scene;

/// The constant that an emulator of the runtime gives as the deadline.
const LONG_PAST_MS: u64 = 600_000;

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn front(given: &[(&str, &str)]) -> (Front, watch::Sender<bool>, TempDir) {
    let (cx, folder) = scene::context(given);
    let (sender, stop) = watch::channel(false);
    (Front::new(cx, stop), sender, folder)
}

fn invoked(payload: Value, deadline_ms: u64) -> LambdaEvent<Value> {
    let mut invocation = Invocation::default();
    invocation.deadline = deadline_ms;
    LambdaEvent::new(payload, invocation)
}

#[test]
fn an_event_is_known_by_its_shape() {
    let is = |text: &str| match read(document(text)) {
        Ok(Event::Batch(batch)) => format!("{} messages", batch.records.len()),
        Ok(Event::One(Asked::Command(Command::Sync(sync)))) => {
            format!("{} {}", sync.mode.as_str(), sync.source)
        }
        Ok(Event::One(asked)) => format!("{asked:?}"),
        Err(error) => error.code().to_string(),
    };
    let cases = [
        (
            include_str!("fixtures/schedule_with_command.json"),
            "full shelf",
        ),
        (
            include_str!("fixtures/schedule_without_input.json"),
            "incremental all",
        ),
        (include_str!("fixtures/rule.json"), "incremental all"),
        (include_str!("fixtures/batch.json"), "4 messages"),
        (
            r#"{"detail-type":"x","source":"y","detail":"{\"sync\":{\"source\":\"shelf\"}}"}"#,
            "incremental shelf",
        ),
        (
            r#"{"detail-type":"x","source":"y","detail":{"sync":{"source":"shelf"}}}"#,
            "incremental shelf",
        ),
        (
            r#"{"Records":[{"eventSource":"aws:s3"}]}"#,
            "ERR_REQUEST_INVALID",
        ),
        (r#"{"Records":7}"#, "ERR_REQUEST_INVALID"),
        (r#"{"hello":"world"}"#, "ERR_REQUEST_INVALID"),
        ("[]", "ERR_REQUEST_INVALID"),
    ];
    for (text, expected) in cases {
        assert_eq!(is(text), expected, "{text}");
    }
    let direct = is(include_str!("fixtures/direct.json"));
    assert!(
        direct.contains("Check") && direct.contains("shelf"),
        "{direct}"
    );
}

#[tokio::test]
async fn a_direct_invoke_is_answered_with_a_report_whatever_the_deadline_says() {
    for deadline_ms in [LONG_PAST_MS, 0, u64::MAX] {
        let (front, _sender, _folder) = front(&[]);
        let sync = document(include_str!("fixtures/schedule_with_command.json"));
        let answer = front.answer(invoked(sync, deadline_ms)).await.unwrap();
        assert_eq!(answer["runs"], json!([]), "{answer}");
        let check = document(include_str!("fixtures/direct.json"));
        let answer = front.answer(invoked(check, deadline_ms)).await.unwrap();
        assert_eq!(answer["checks"][0]["ok"], true, "{answer}");
    }
}

#[tokio::test]
async fn a_command_that_is_none_is_a_failure_with_a_code_and_a_fixed_text() {
    let (front, _sender, _folder) = front(&[]);
    let cases = [
        json!({"sync": {"source": "canary"}}),
        json!({"sync": {"source": "shelf", "canary": 1}}),
        json!({"Records": "canary"}),
    ];
    for payload in cases {
        let failed = front
            .answer(invoked(payload, LONG_PAST_MS))
            .await
            .unwrap_err();
        assert_eq!(failed.error_type, "ERR_REQUEST_INVALID");
        assert!(!failed.error_message.contains("canary"), "{failed:?}");
    }
}

#[tokio::test]
async fn of_a_batch_only_those_messages_come_again_that_must() {
    let (front, _sender, _folder) = front(&[]);
    let batch = document(include_str!("fixtures/batch.json"));
    let answer = front.answer(invoked(batch, LONG_PAST_MS)).await.unwrap();
    // The second can't be read, and the letter's source can't be asked; the first has gone on, and the last names no
    // source of ours.
    assert_eq!(
        answer,
        json!({"batchItemFailures": [
            {"itemIdentifier": "22222222-2222-4222-8222-222222222222"},
            {"itemIdentifier": "33333333-3333-4333-8333-333333333333"},
        ]})
    );
}

#[tokio::test]
async fn what_the_time_does_not_suffice_for_comes_again_untouched() {
    let (front, _sender, folder) = front(&[]);
    let batch = document(include_str!("fixtures/batch.json"));
    let soon_ms = u64::try_from(now().millis()).unwrap() + 5_000;
    let answer = front.answer(invoked(batch, soon_ms)).await.unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert_eq!(failures.len(), 4, "{answer}");
    assert_eq!(
        folder.path().read_dir().unwrap().count(),
        0,
        "no warehouse was opened"
    );
}

#[test]
fn a_sync_may_read_as_long_as_the_invocation_and_the_setting_allow() {
    let secs = Duration::from_secs;
    let in_600_s = TimeLeft::until(u64::try_from(now().millis()).unwrap() + 600_000);
    let past = TimeLeft::until(LONG_PAST_MS);
    let (mut front, _sender, _folder) = front(&[]);
    front.cx.allowed = Some(secs(480));
    let allowed = front.allowed(in_600_s).unwrap();
    assert!(allowed > secs(530) && allowed <= secs(540), "{allowed:?}");
    assert_eq!(front.allowed(past), Some(secs(480)));
    let (front, _sender, _folder) = self::front(&[("SALESYNC_DEADLINE_SECS", "100")]);
    assert_eq!(front.allowed(in_600_s), Some(secs(100)));
    assert_eq!(front.allowed(past), Some(secs(100)));
}

#[test]
fn a_continuation_keeps_what_it_reads_and_how() {
    let batch = document(include_str!("fixtures/batch.json"));
    let body = batch["Records"][0]["body"].as_str().unwrap();
    let Ok(Asked::GoOn(left)) = Asked::read_text(body) else {
        panic!("the first message is a continuation");
    };
    assert_eq!((left.sync.mode, left.hop), (Mode::Full, 2));
}
