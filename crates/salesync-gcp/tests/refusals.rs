//! What an emulator can't show of Pub/Sub: permissions and quotas, told by a server that answers as a test says, in the
//! forms of Google's discovery document of the API, v1.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "these are the helpers of tests"
)]

#[cfg(test)]
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use salesync_core::error::Code;
use salesync_core::queue::{Message, Queue};
use salesync_core::time::Timestamp;
use salesync_gcp::{PubSubPlace, PubSubQueue, PubSubSettings};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use wire::read_request;

/// Returns a queue whose server gives these answers in turn, the last one for ever, and how many it gave.
async fn answered(answers: &'static [(u16, &'static str)]) -> (PubSubQueue, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            if read_request(&mut socket).await.is_none() {
                continue;
            }
            let turn = counted.fetch_add(1, Ordering::SeqCst);
            let (status, body) = answers[turn.min(answers.len() - 1)];
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} As planned\r\ncontent-type: application/json\r\n\
                 connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            drop(socket.write_all(answer.as_bytes()).await);
        }
    });
    let settings = PubSubSettings {
        emulator: Some(origin),
        ..PubSubSettings::new(PubSubPlace::parse("p/letters").unwrap(), Timestamp::EPOCH)
    };
    (PubSubQueue::new(&settings).unwrap(), count)
}

fn letter() -> [Message; 1] {
    [Message {
        id: "a".to_owned(),
        body: "{}".to_owned(),
    }]
}

#[tokio::test]
async fn a_missing_permission_is_for_a_person_and_its_message_is_not_repeated() {
    let (queue, count) = answered(&[(
        403,
        r#"{"error":{"code":403,"message":"hunter2","status":"PERMISSION_DENIED"}}"#,
    )])
    .await;
    let error = queue.publish(&letter()).await.unwrap_err();
    assert_eq!(error.code(), Code::SourceForbidden);
    assert!(error.to_string().contains("projects/p/topics/letters"));
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let error = queue.receive(1).await.unwrap_err();
    assert_eq!(error.code(), Code::SourceForbidden);
}

#[tokio::test]
async fn a_quota_that_is_used_up_for_a_moment_is_waited_for() {
    let (queue, count) = answered(&[
        (
            429,
            r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}"#,
        ),
        (200, r#"{"messageIds":["1"]}"#),
    ])
    .await;
    queue.publish(&letter()).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_outage_is_left_to_the_next_run() {
    let (queue, _) = answered(&[(503, r#"{"error":{"code":503,"status":"UNAVAILABLE"}}"#)]).await;
    let error = queue.publish(&letter()).await.unwrap_err();
    assert_eq!(error.code(), Code::QueuePublish);
    let error = queue.receive(1).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
}
