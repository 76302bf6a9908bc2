//! The queue that goes with a front: of SQS, as moto serves it, or of Pub/Sub, as Google's emulator does. It is looked at
//! with plain requests, as no code of the product does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::function::Front;
use crate::aws::Moto;
use crate::forwarding::Topic;
use crate::harness::Bench;

/// A message that was taken from a queue.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
}

impl Message {
    /// Returns the document that it holds.
    pub(super) fn document(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A queue of one of the clouds.
pub(super) enum Queue {
    Sqs(Moto, String),
    PubSub(Topic),
}

impl Queue {
    /// Makes the queue that a function with this front uses; none where no stand-in for its cloud is here.
    pub(super) fn of(front: Front, name: &str) -> Option<Self> {
        if front == Front::Http {
            return Topic::new(name).map(Self::PubSub);
        }
        let moto = Moto::here()?;
        let url = moto.make_queue(name);
        Some(Self::Sqs(moto, url))
    }

    /// The same for dead letters, as the infrastructure makes it: at AWS one that keeps order.
    pub(super) fn of_letters(front: Front, name: &str) -> Option<Self> {
        if front == Front::Http {
            return Self::of(front, name);
        }
        let moto = Moto::here()?;
        let asked = json!({
            "QueueName": format!("{name}-{}.fifo", std::process::id()),
            "Attributes": {"FifoQueue": "true"},
        });
        let made = moto.ask("sqs", "AmazonSQS.CreateQueue", &asked);
        let url = made["QueueUrl"].as_str().unwrap().to_owned();
        Some(Self::Sqs(moto, url))
    }

    /// Lets the programs of a bench use it under a setting.
    pub(super) fn lend(&self, bench: &mut Bench, setting: &str) {
        match self {
            Self::Sqs(moto, url) => {
                moto.lend(bench);
                bench.set(setting, format!("sqs:{url}"));
            }
            Self::PubSub(topic) => {
                bench.set("PUBSUB_EMULATOR_HOST", topic.host.as_str());
                bench.set(setting, format!("pubsub:p/{}", topic.name));
            }
        }
    }

    /// Returns how many messages wait for anyone.
    pub(super) fn waiting(&self) -> usize {
        match self {
            Self::Sqs(moto, url) => moto.count(url).parse().unwrap(),
            Self::PubSub(topic) => topic.waiting().len(),
        }
    }

    /// Takes messages away, as whoever brings them to a function does.
    pub(super) fn take(&self) -> Vec<Message> {
        match self {
            Self::Sqs(moto, url) => take_from_sqs(moto, url),
            Self::PubSub(topic) => take_from_pubsub(topic),
        }
    }
}

fn take_from_sqs(moto: &Moto, url: &str) -> Vec<Message> {
    let asked = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60});
    let answer = moto.ask("sqs", "AmazonSQS.ReceiveMessage", &asked);
    let received = answer["Messages"].as_array().cloned().unwrap_or_default();
    if received.is_empty() {
        return Vec::new();
    }
    let entries = received
        .iter()
        .enumerate()
        .map(|(at, it)| json!({"Id": at.to_string(), "ReceiptHandle": it["ReceiptHandle"]}));
    let entries: Vec<Value> = entries.collect();
    let asked = json!({"QueueUrl": url, "Entries": entries});
    moto.ask("sqs", "AmazonSQS.DeleteMessageBatch", &asked);
    let message = |it: &Value| Message {
        id: it["MessageId"].as_str().unwrap().to_owned(),
        body: it["Body"].as_str().unwrap().to_owned(),
    };
    received.iter().map(message).collect()
}

fn take_from_pubsub(topic: &Topic) -> Vec<Message> {
    let path = |verb: &str| format!("subscriptions/{}-pull:{verb}", topic.name);
    let asked = json!({"maxMessages": 10, "returnImmediately": true});
    let answer = topic.ask("POST", &path("pull"), &asked);
    let received = answer["receivedMessages"].as_array().cloned();
    let received = received.unwrap_or_default();
    let ack_ids: Vec<&Value> = received.iter().map(|it| &it["ackId"]).collect();
    if !ack_ids.is_empty() {
        let asked = json!({"ackIds": ack_ids});
        topic.ask("POST", &path("acknowledge"), &asked);
    }
    let message = |it: &Value| {
        let message = &it["message"];
        let body = STANDARD.decode(message["data"].as_str().unwrap());
        Message {
            id: message["messageId"].as_str().unwrap().to_owned(),
            body: String::from_utf8(body.unwrap()).unwrap(),
        }
    };
    received.iter().map(message).collect()
}
