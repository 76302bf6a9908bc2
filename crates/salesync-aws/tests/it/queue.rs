//! What SQS has beyond the port: limits of size, batches, hidden messages, redrive policies, copies.

use std::sync::Arc;

use salesync_aws::{MOST_BYTES, QueueUrl, SqsQueue};
use salesync_core::error::{Class, Code};
use salesync_core::memory::MemoryQueue;
use salesync_core::queue::{Message, Outcome, Queue};

use crate::account::{Account, new_name};

fn message(id: &str, body: impl Into<String>) -> Message {
    Message {
        id: id.to_owned(),
        body: body.into(),
    }
}

/// Returns a message that SQS counts as so many bytes.
fn of_bytes(id: &str, size_bytes: usize) -> Message {
    let rest = "\"\"".len() + "id".len() + "String".len() + id.len();
    message(id, format!("\"{}\"", "x".repeat(size_bytes - rest)))
}

async fn received(queue: &SqsQueue, limit: usize) -> Vec<String> {
    let messages = queue.receive(limit).await.unwrap();
    messages.into_iter().map(|message| message.id).collect()
}

#[tokio::test]
async fn a_message_of_any_size_arrives_whole() {
    let Some(account) = Account::here().await else {
        return;
    };
    for most_bytes in [1_024, MOST_BYTES] {
        let url = account.make_queue(most_bytes).await;
        let home = Arc::new(MemoryQueue::default());
        let queue = account.open(&url).beside(home.clone());
        let messages = [
            of_bytes("small", 200),
            of_bytes("just-fits", most_bytes),
            of_bytes("too-large", most_bytes + 1),
            of_bytes("huge", 3 * MOST_BYTES),
            message("odd", format!("\"{}\"", "😀".repeat(most_bytes / 4))),
        ];
        home.publish(&messages).await.unwrap();
        queue.publish(&messages).await.unwrap();
        assert_eq!(queue.receive(10).await.unwrap(), messages);
        assert_eq!(
            queue.find(&["too".to_owned()]).await.unwrap(),
            messages[2..3]
        );
        // What does not fit is read at home; what is settled there comes no more.
        home.settle("huge", Outcome::Done).await.unwrap();
        assert_eq!(queue.receive(10).await.unwrap().len(), 4);
        for message in &messages {
            queue.settle(&message.id, Outcome::Done).await.unwrap();
        }
        assert_eq!(account.count(&url).await, 0);
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_and_has_no_other_way_is_refused_and_not_tried_again() {
    let Some(account) = Account::here().await else {
        return;
    };
    let url = account.make_queue(1_024).await;
    let queue = account.open(&url);
    let messages = [of_bytes("small", 200), of_bytes("large", 1_025)];
    let error = queue.publish(&messages).await.unwrap_err();
    assert_eq!(error.class(), Class::Decide, "{error}");
    assert!(error.to_string().contains("1025"), "{error}");
    assert_eq!(account.count(&url).await, 0);
}

#[tokio::test]
async fn many_messages_go_and_come_in_batches_and_in_order() {
    let Some(account) = Account::here().await else {
        return;
    };
    let (url, _) = account.make_moving_queue(100).await;
    let queue = account.open(&url);
    let ids: Vec<String> = (0..25)
        .map(|number| format!("message-{number:02}"))
        .collect();
    let messages: Vec<Message> = ids.iter().map(|id| of_bytes(id, 100_000)).collect();
    queue.publish(&messages).await.unwrap();
    assert_eq!(account.count(&url).await, 25);
    assert_eq!(received(&queue, 12).await, ids[..12]);
    assert_eq!(received(&queue, 100).await, ids);
    for id in &ids {
        queue.settle(id, Outcome::Done).await.unwrap();
    }
    assert_eq!(account.count(&url).await, 0);
}

#[tokio::test]
async fn many_messages_are_settled_in_one_pass_and_the_others_are_shown_again() {
    let Some(account) = Account::here().await else {
        return;
    };
    let (url, parked) = account.make_moving_queue(100).await;
    let queue = account.open(&url);
    let ids: Vec<String> = (0..23)
        .map(|number| format!("message-{number:02}"))
        .collect();
    let messages: Vec<Message> = ids.iter().map(|id| message(id, "1")).collect();
    queue.publish(&messages).await.unwrap();
    for _ in 0..3 {
        queue.settle(&ids[0], Outcome::Failed).await.unwrap();
    }
    let outcome = |number: usize| match number {
        3 => Outcome::Failed,
        0..12 => Outcome::Done,
        _ => Outcome::Discarded,
    };
    let settled = ids[..15].iter().enumerate();
    let settled: Vec<(String, Outcome)> = settled
        .map(|(number, id)| (id.clone(), outcome(number)))
        .collect();
    for _ in 0..2 {
        queue.settle_all(&settled).await.unwrap();
        assert_eq!(account.count(&url).await, 9);
        assert_eq!(account.count(&parked).await, 0);
    }
    let another = account.open(&url);
    let rest = [&ids[3..4], &ids[15..]].concat();
    assert_eq!(received(&another, 100).await, rest);
}

#[tokio::test]
async fn copies_of_a_message_are_settled_together() {
    let Some(account) = Account::here().await else {
        return;
    };
    let url = account.make_queue(MOST_BYTES).await;
    let queue = account.open(&url);
    let copies = vec![message("one", "1"); 23];
    queue.publish(&copies).await.unwrap();
    assert_eq!(account.count(&url).await, 23);
    assert_eq!(received(&queue, 10).await, ["one"]);
    queue.settle("one", Outcome::Done).await.unwrap();
    assert_eq!(account.count(&url).await, 0);
    // A copy that comes later goes without being shown.
    queue.publish(&copies[..1]).await.unwrap();
    assert!(received(&queue, 10).await.is_empty());
    assert_eq!(account.count(&url).await, 0);
}

#[tokio::test]
async fn what_one_reader_has_is_hidden_from_another_until_it_failed() {
    let Some(account) = Account::here().await else {
        return;
    };
    let (url, _) = account.make_moving_queue(100).await;
    let (first, second) = (account.open(&url), account.open(&url));
    first
        .publish(&[message("one", "1"), message("two", "2")])
        .await
        .unwrap();
    assert_eq!(received(&first, 10).await, ["one", "two"]);
    assert!(received(&second, 10).await.is_empty());
    first.settle("two", Outcome::Failed).await.unwrap();
    assert_eq!(received(&second, 10).await, ["two"]);
    assert_eq!(received(&first, 10).await, ["one"]);
}

#[tokio::test]
async fn a_message_that_was_received_three_times_is_parked_and_can_be_taken_from_there() {
    let Some(account) = Account::here().await else {
        return;
    };
    let (url, parked) = account.make_moving_queue(3).await;
    let queue = account.open(&url);
    queue
        .publish(&[message("one", "1"), message("two", "2")])
        .await
        .unwrap();
    for _ in 0..3 {
        // Each time another process.
        let reader = account.open(&url);
        assert_eq!(received(&reader, 1).await, ["one"]);
        for id in ["one", "two"] {
            reader.settle(id, Outcome::Failed).await.unwrap();
        }
    }
    assert!(received(&queue, 10).await.is_empty());
    assert_eq!(account.count(&parked).await, 2);
    let named = ["one".to_owned(), "two".to_owned()];
    assert_eq!(queue.find(&named).await.unwrap().len(), 2);
    queue.settle("one", Outcome::Done).await.unwrap();
    let another = account.open(&url);
    queue.settle("two", Outcome::Failed).await.unwrap();
    another.settle("two", Outcome::Discarded).await.unwrap();
    assert_eq!(account.count(&parked).await, 0);
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_an_error_that_names_it() {
    let Some(account) = Account::here().await else {
        return;
    };
    let url = account.make_queue(MOST_BYTES).await;
    let missing = new_name("missing");
    let url = QueueUrl::parse(&url.as_str().replace(url.name(), &missing)).unwrap();
    let error = account.open(&url).check().await.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid, "{error}");
    assert!(error.to_string().contains(&missing), "{error}");
}
