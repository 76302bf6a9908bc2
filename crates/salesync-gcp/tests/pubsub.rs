//! A queue on Pub/Sub keeps every promise of the port, with Google's own emulator, and Google's own client on the other
//! end. Where SALESYNC_TEST_PUBSUB names no emulator, each test says so and passes over it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "these are the helpers of tests"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use google_cloud_auth::credentials::{Credentials, anonymous};
use google_cloud_pubsub::client::{Publisher, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::Message as Published;
use salesync_core::error::Code;
use salesync_core::memory::MemoryQueue;
use salesync_core::queue::{Message, Outcome, Queue};
use salesync_core::relay::RelayedQueue;
use salesync_core::time::Timestamp;
use salesync_gcp::{PubSubPlace, PubSubQueue, PubSubSettings};
use tokio::time::{sleep, timeout};

static TOPICS: AtomicU32 = AtomicU32::new(0);

/// A queue that is there, and its names at Pub/Sub.
struct Made {
    settings: PubSubSettings,
    origin: String,
    topic: String,
    subscription: String,
}

fn nobody() -> Credentials {
    anonymous::Builder::new().build()
}

/// Makes a topic with a subscription; none where there is no emulator, which is said.
async fn made() -> Option<Made> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where tests ask is no setting of the program"
    )]
    let named = std::env::var("SALESYNC_TEST_PUBSUB").ok();
    let Some(place) = named.filter(|text| !text.is_empty()) else {
        eprintln!("passed over: SALESYNC_TEST_PUBSUB names no emulator of Pub/Sub");
        return None;
    };
    let origin = format!("http://{place}");
    let number = TOPICS.fetch_add(1, Ordering::Relaxed);
    let name = format!("p/letters-{}-{number}", std::process::id());
    let place = PubSubPlace::parse(&name).unwrap();
    let topic = format!("projects/{}/topics/{}", place.project, place.topic);
    let subscription = format!(
        "projects/{}/subscriptions/{}",
        place.project, place.subscription
    );
    let topics = TopicAdmin::builder()
        .with_endpoint(origin.clone())
        .with_credentials(nobody());
    let topics = topics.build().await.unwrap();
    let create = topics.create_topic().set_name(topic.clone());
    create.send().await.unwrap();
    let subscriptions = SubscriptionAdmin::builder()
        .with_endpoint(origin.clone())
        .with_credentials(nobody());
    let subscriptions = subscriptions.build().await.unwrap();
    let create = subscriptions
        .create_subscription()
        .set_name(subscription.clone())
        .set_topic(topic.clone())
        .set_ack_deadline_seconds(10);
    create.send().await.unwrap();
    Some(Made {
        settings: PubSubSettings {
            emulator: Some(origin.clone()),
            ..PubSubSettings::new(place, Timestamp::EPOCH)
        },
        origin,
        topic,
        subscription,
    })
}

impl Made {
    fn queue(&self) -> PubSubQueue {
        PubSubQueue::new(&self.settings).unwrap()
    }
}

fn message(id: &str, body: &str) -> Message {
    Message {
        id: id.to_owned(),
        body: body.to_owned(),
    }
}

async fn ids(queue: &PubSubQueue) -> Vec<String> {
    let received = queue.receive(100).await.unwrap();
    received.into_iter().map(|message| message.id).collect()
}

mod queue {
    use super::*;

    async fn make() -> Option<(Arc<dyn Queue>, ())> {
        let made = made().await?;
        Some((Arc::new(made.queue()), ()))
    }

    salesync_testkit::queue_contract!(make);
}

/// Letters that a log keeps and Pub/Sub delivers, as a deployment has them.
mod relayed {
    use super::*;

    async fn make() -> Option<(Arc<dyn Queue>, ())> {
        let made = made().await?;
        let log = Arc::new(MemoryQueue::default());
        let relayed = RelayedQueue::new(log, Arc::new(made.queue()));
        Some((Arc::new(relayed), ()))
    }

    salesync_testkit::queue_contract!(make);
}

#[tokio::test]
async fn googles_own_client_reads_what_we_publish_and_we_receive_what_it_publishes() {
    let Some(made) = made().await else { return };
    let queue = made.queue();
    let publisher = Publisher::builder(made.topic.clone())
        .with_endpoint(made.origin.clone())
        .with_credentials(nobody());
    let publisher = publisher.build().await.unwrap();
    let theirs = Published::new()
        .set_data("from elsewhere")
        .set_attributes([("id", "theirs")]);
    publisher.publish(theirs).await.unwrap();
    let received = queue.receive(10).await.unwrap();
    assert_eq!(received, [message("theirs", "from elsewhere")]);
    queue.settle("theirs", Outcome::Done).await.unwrap();

    queue.publish(&[message("ours", "{}")]).await.unwrap();
    let client = Subscriber::builder()
        .with_endpoint(made.origin.clone())
        .with_credentials(nobody());
    let client = client.build().await.unwrap();
    let mut stream = client.subscribe(made.subscription.clone()).build();
    let next = timeout(Duration::from_secs(30), stream.next());
    let (delivered, handler) = next.await.unwrap().unwrap().unwrap();
    assert_eq!(delivered.attributes["id"], "ours");
    assert_eq!(delivered.data.as_ref(), b"{}");
    handler.ack();
    stream.shutdown_token().shutdown().await;
    assert!(ids(&queue).await.is_empty());
}

/// A request may publish 10 MB.
#[tokio::test]
async fn a_message_that_is_larger_than_any_request_comes_back_whole() {
    let Some(made) = made().await else { return };
    let body: String = (0..1_500_000).map(|n| format!("{n:010}")).collect();
    let (large, small) = (message("large", &body), message("small", "{}"));
    made.queue()
        .publish(&[large.clone(), small.clone()])
        .await
        .unwrap();
    let queue = made.queue();
    // One pull brings as much as one answer holds; nothing is given up.
    let mut received = Vec::new();
    for _ in 0..10 {
        received = queue.receive(10).await.unwrap();
        if received.len() == 2 {
            break;
        }
    }
    assert!(received == [large, small], "{} came", received.len());
    let outcomes = ["large", "small"].map(|id| (id.to_owned(), Outcome::Done));
    queue.settle_all(&outcomes).await.unwrap();
    assert!(ids(&made.queue()).await.is_empty());
}

#[tokio::test]
async fn more_messages_than_a_request_takes_are_published_received_and_settled() {
    let Some(made) = made().await else { return };
    let queue = made.queue();
    let messages: Vec<Message> = (0..1_200)
        .map(|n| message(&format!("m{n}"), "{}"))
        .collect();
    queue.publish(&messages).await.unwrap();
    let received = queue.receive(2_000).await.unwrap();
    assert_eq!(received.len(), 1_200);
    let outcomes: Vec<(String, Outcome)> = received
        .into_iter()
        .map(|message| (message.id, Outcome::Done))
        .collect();
    queue.settle_all(&outcomes).await.unwrap();
    assert!(ids(&made.queue()).await.is_empty());
}

#[tokio::test]
async fn what_failed_is_given_back_to_others_at_once() {
    let Some(made) = made().await else { return };
    let (first, second) = (made.queue(), made.queue());
    first.publish(&[message("a", "{}")]).await.unwrap();
    assert_eq!(ids(&first).await, ["a"]);
    assert!(ids(&second).await.is_empty());
    first.settle("a", Outcome::Failed).await.unwrap();
    assert_eq!(ids(&second).await, ["a"]);
}

/// The shortest lease is ten seconds, and no emulator's clock can be set.
#[tokio::test]
async fn what_is_held_is_kept_from_others_while_work_goes_on_and_comes_to_them_when_it_ends() {
    let Some(mut made) = made().await else { return };
    made.settings.lease = Duration::from_secs(10);
    let (first, second) = (made.queue(), made.queue());
    let messages = ["a", "b", "c"].map(|id| message(id, "{}"));
    first.publish(&messages).await.unwrap();
    assert_eq!(ids(&first).await.len(), 3);
    sleep(Duration::from_secs(6)).await;
    first.settle("a", Outcome::Done).await.unwrap();
    sleep(Duration::from_secs(6)).await;
    assert!(ids(&second).await.is_empty());
    sleep(Duration::from_secs(11)).await;
    let mut left = ids(&second).await;
    left.sort_unstable();
    assert_eq!(left, ["b", "c"]);
    // Whoever comes late with an outcome harms nothing.
    first.settle("b", Outcome::Done).await.unwrap();
    second.settle("b", Outcome::Done).await.unwrap();
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_an_error_that_names_it_and_that_a_person_must_mend() {
    let Some(mut made) = made().await else { return };
    made.settings.place = PubSubPlace::parse("p/no-such-topic").unwrap();
    let queue = made.queue();
    let error = queue.publish(&[message("a", "{}")]).await.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(
        error
            .to_string()
            .contains("projects/p/topics/no-such-topic")
    );
    let error = queue.receive(1).await.unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(error.to_string().contains("no-such-topic-pull"));
}
