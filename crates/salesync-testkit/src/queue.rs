//! The promises of [`Queue`]. Messages are dead letters: some queues take nothing else.

use std::sync::Arc;

use salesync_core::dead_letter::DeadLetter;
use salesync_core::error::Code;
use salesync_core::queue::{Message, Outcome, Queue, RECEIVED_BYTES};
use salesync_core::record::{RawRecord, Reject};
use salesync_core::run::RunId;
use salesync_core::time::Timestamp;

/// Makes a test of every promise of the queue port.
///
/// `$make` is an async function that returns a fresh, empty queue in an `Arc` and a value that lives as
/// long as the test.
#[macro_export]
macro_rules! queue_contract {
    ($make:path) => {
        $crate::each_promise! { $make, queue:
            what_was_published_is_received_unchanged,
            publishing_twice_is_publishing_once,
            the_oldest_message_comes_first,
            a_message_stays_until_it_is_settled,
            a_message_that_is_done_or_discarded_is_gone,
            a_message_that_failed_three_times_is_parked,
            what_is_named_is_found_even_when_it_is_parked,
            what_was_released_is_delivered_again_and_has_not_failed,
            settling_may_be_repeated,
        }
    };
}

/// Returns a letter about record `n`, set aside at second `n`.
fn letter(n: i64) -> DeadLetter {
    let body = format!("{{\"id\":{n},\"name\":\"it's 😀\"}}");
    let raw = RawRecord::new(body.into_bytes());
    let now = Timestamp::from_millis(1_700_000_000_000 + n * 1_000);
    let reject = Reject::new(Code::RecordType, "a value is of its type")
        .in_field("name")
        .of_record(&n.to_string());
    DeadLetter::new(("testkit", "things"), &raw, reject, (&RunId::new(now), now))
}

fn message(letter: &DeadLetter) -> Message {
    Message {
        id: letter.dead_id.clone(),
        body: serde_json::to_string(letter).unwrap(),
    }
}

async fn ids(queue: &dyn Queue, limit: usize) -> Vec<String> {
    queue
        .receive(limit)
        .await
        .unwrap()
        .into_iter()
        .map(|message| message.id)
        .collect()
}

/// The whole letter comes back, and the record in it byte for byte.
pub async fn what_was_published_is_received_unchanged(queue: Arc<dyn Queue>) {
    let hostile = RawRecord::new(&b"\xff\0 not text"[..]);
    let now = Timestamp::from_micros(1_700_000_000_123_456);
    let reject = Reject::new(Code::RecordMalformed, "a record is JSON");
    let odd = DeadLetter::new(
        ("testkit", "things"),
        &hostile,
        reject,
        (&RunId::new(now), now),
    );
    for letter in [letter(1), odd] {
        queue.publish(&[message(&letter)]).await.unwrap();
        let received = queue.receive(10).await.unwrap();
        let own = received
            .iter()
            .find(|message| message.id == letter.dead_id)
            .unwrap();
        assert_eq!(
            serde_json::from_str::<DeadLetter>(&own.body).unwrap(),
            letter
        );
    }
    assert!(ids(&*queue, 10).await.len() == 2);
}

/// The same id is one message, in one call and in two.
pub async fn publishing_twice_is_publishing_once(queue: Arc<dyn Queue>) {
    let (one, two) = (message(&letter(1)), message(&letter(2)));
    queue.publish(&[one.clone(), one.clone()]).await.unwrap();
    queue.publish(&[one, two]).await.unwrap();
    queue.publish(&[]).await.unwrap();
    assert_eq!(ids(&*queue, 10).await.len(), 2);
}

/// Messages come in the order in which they were set aside, at most so many as were asked for.
pub async fn the_oldest_message_comes_first(queue: Arc<dyn Queue>) {
    let letters: Vec<DeadLetter> = (1..=5).map(letter).collect();
    for letter in &letters {
        queue.publish(&[message(letter)]).await.unwrap();
    }
    let wanted: Vec<&str> = letters[..3]
        .iter()
        .map(|letter| letter.dead_id.as_str())
        .collect();
    assert_eq!(ids(&*queue, 3).await, wanted);
    assert!(ids(&*queue, 0).await.is_empty());
}

/// Receiving takes nothing away.
pub async fn a_message_stays_until_it_is_settled(queue: Arc<dyn Queue>) {
    queue.publish(&[message(&letter(1))]).await.unwrap();
    assert_eq!(ids(&*queue, 10).await, ids(&*queue, 10).await);
}

/// Either outcome takes the message away, and publishing it again does not bring it back.
pub async fn a_message_that_is_done_or_discarded_is_gone(queue: Arc<dyn Queue>) {
    let letters = [letter(1), letter(2), letter(3)];
    let messages = letters.each_ref().map(message);
    queue.publish(&messages).await.unwrap();
    queue
        .settle(&letters[0].dead_id, Outcome::Done)
        .await
        .unwrap();
    queue
        .settle(&letters[1].dead_id, Outcome::Discarded)
        .await
        .unwrap();
    queue.publish(&messages).await.unwrap();
    assert_eq!(ids(&*queue, 10).await, [letters[2].dead_id.clone()]);
}

/// Twice it is delivered again; the third time a person must look at it.
pub async fn a_message_that_failed_three_times_is_parked(queue: Arc<dyn Queue>) {
    let letter = letter(1);
    queue.publish(&[message(&letter)]).await.unwrap();
    for _ in 0..2 {
        queue
            .settle(&letter.dead_id, Outcome::Failed)
            .await
            .unwrap();
        assert_eq!(
            ids(&*queue, 10).await,
            std::slice::from_ref(&letter.dead_id)
        );
    }
    queue
        .settle(&letter.dead_id, Outcome::Failed)
        .await
        .unwrap();
    assert!(ids(&*queue, 10).await.is_empty());
}

/// The beginning of an id is enough, a parked message is found, and one that is gone is not.
pub async fn what_is_named_is_found_even_when_it_is_parked(queue: Arc<dyn Queue>) {
    let letters = [letter(1), letter(2), letter(3)];
    queue
        .publish(&letters.each_ref().map(message))
        .await
        .unwrap();
    for _ in 0..3 {
        let failed = queue.settle(&letters[0].dead_id, Outcome::Failed);
        failed.await.unwrap();
    }
    let gone = queue.settle(&letters[2].dead_id, Outcome::Done);
    gone.await.unwrap();
    let named = letters
        .each_ref()
        .map(|letter| letter.dead_id.chars().take(9).collect::<String>());
    let found = queue.find(&named).await.unwrap();
    let mut found: Vec<&str> = found.iter().map(|message| message.id.as_str()).collect();
    let mut wanted = [letters[0].dead_id.as_str(), letters[1].dead_id.as_str()];
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    let parked = queue.settle(&letters[0].dead_id, Outcome::Discarded);
    parked.await.unwrap();
    assert_eq!(queue.find(&named).await.unwrap().len(), 1);
    assert!(
        queue
            .find(&["nothing".to_owned()])
            .await
            .unwrap()
            .is_empty()
    );
}

/// However often.
pub async fn what_was_released_is_delivered_again_and_has_not_failed(queue: Arc<dyn Queue>) {
    let letters = [letter(1), letter(2)];
    queue
        .publish(&letters.each_ref().map(message))
        .await
        .unwrap();
    let all = letters.each_ref().map(|letter| letter.dead_id.clone());
    for _ in 0..4 {
        assert_eq!(ids(&*queue, 10).await.len(), 2);
        let released = all.clone().map(|id| (id, Outcome::Released));
        queue.settle_all(&released).await.unwrap();
    }
    queue.settle(&all[0], Outcome::Done).await.unwrap();
    assert_eq!(ids(&*queue, 10).await, [all[1].clone()]);
}

/// A message that is gone, or never was, can be settled.
pub async fn settling_may_be_repeated(queue: Arc<dyn Queue>) {
    let letter = letter(1);
    queue.publish(&[message(&letter)]).await.unwrap();
    for outcome in [Outcome::Done, Outcome::Done, Outcome::Failed] {
        queue.settle(&letter.dead_id, outcome).await.unwrap();
    }
    queue
        .settle("never-seen", Outcome::Discarded)
        .await
        .unwrap();
    assert!(ids(&*queue, 10).await.is_empty());
}

/// A log keeps what another queue delivers: it is found by name and settled like any other, and a failure leaves it
/// where it is.
pub async fn a_forwarded_message_is_kept_and_no_longer_delivered(queue: Arc<dyn Queue>) {
    let letters = [letter(1), letter(2), letter(3)];
    queue
        .publish(&letters.each_ref().map(message))
        .await
        .unwrap();
    let [first, second, third] = letters.each_ref().map(|letter| letter.dead_id.clone());
    let outcomes = [&first, &second].map(|id| (id.clone(), Outcome::Forwarded));
    for _ in 0..2 {
        queue.settle_all(&outcomes).await.unwrap();
    }
    assert_eq!(ids(&*queue, 10).await, std::slice::from_ref(&third));
    queue.settle(&first, Outcome::Failed).await.unwrap();
    assert_eq!(ids(&*queue, 10).await, std::slice::from_ref(&third));
    let named = [first.clone(), second.clone(), third];
    assert_eq!(queue.find(&named).await.unwrap().len(), 3);
    let outcomes = [(first, Outcome::Done), (second, Outcome::Discarded)];
    queue.settle_all(&outcomes).await.unwrap();
    assert_eq!(queue.find(&named).await.unwrap().len(), 1);
}

/// What is large comes in more than one call, and nothing is left out. For queues to which such letters are soon written.
pub async fn large_messages_come_a_few_at_a_time(queue: Arc<dyn Queue>) {
    let body = |n| {
        format!(
            "{{\"id\":{n},\"name\":\"{}\"}}",
            "x".repeat(RECEIVED_BYTES / 2)
        )
    };
    let messages: Vec<Message> = (0..4)
        .map(|n| {
            let now = Timestamp::from_millis(1_700_000_000_000 + n);
            let reject = Reject::new(Code::RecordType, "a value is of its type");
            let raw = RawRecord::new(body(n).into_bytes());
            let run = (&RunId::new(now), now);
            message(&DeadLetter::new(("testkit", "things"), &raw, reject, run))
        })
        .collect();
    for message in &messages {
        queue.publish(std::slice::from_ref(message)).await.unwrap();
    }
    let mut received = Vec::new();
    loop {
        let few = queue.receive(10).await.unwrap();
        if few.is_empty() {
            break;
        }
        assert!(few.len() <= 2, "{} at once", few.len());
        for message in few {
            queue.settle(&message.id, Outcome::Done).await.unwrap();
            received.push(message.id);
        }
    }
    let published: Vec<String> = messages.into_iter().map(|message| message.id).collect();
    assert_eq!(received, published);
}
