//! What is asked of SQS, in its own words: ten messages at most in one request.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message as Delivery,
    MessageSystemAttributeName, QueueAttributeName,
};
use salesync_core::error::{Code, Error, Result};
use tokio::time::Instant;

use crate::failure::{entry_failure, failure, unbuilt};
use crate::hand::{Body, HIDDEN, Held, Place};
use crate::login::AwsLogin;
use crate::queue_url::QueueUrl;
use crate::send::{ID, MOST_BYTES, MOST_MESSAGES, Outgoing, SPILLED};

const OPEN: &str = "look at an SQS queue";
const RECEIVE: &str = "receive from SQS";
const SETTLE: &str = "settle at SQS";
/// What is done when messages are sent.
pub(crate) const PUBLISH: &str = "publish to SQS";

/// How long SQS looks for a message before it says that there is none; without a wait it asks only some of its servers.
const WAIT_SECS: i32 = 1;

/// What a queue says about itself.
pub(crate) struct Description {
    /// The most bytes that it takes in one message.
    pub(crate) most_bytes: usize,
    /// The ARN of the queue in which its redrive policy parks messages, if it has one.
    pub(crate) parked_arn: Option<String>,
}

/// SQS, with a login.
pub(crate) struct Api(Client);

impl Api {
    pub(crate) fn new(login: &AwsLogin) -> Self {
        Self(Client::new(login.config()))
    }

    /// Asks a queue about itself.
    pub(crate) async fn describe(&self, url: &QueueUrl) -> Result<Description> {
        let request = self
            .0
            .get_queue_attributes()
            .queue_url(url.as_str())
            .attribute_names(QueueAttributeName::MaximumMessageSize)
            .attribute_names(QueueAttributeName::RedrivePolicy);
        let answer = Box::pin(request.send()).await;
        let answer = answer.map_err(|error| failure(OPEN, error).with("queue", url.name()))?;
        let attribute =
            |name: QueueAttributeName| answer.attributes().and_then(|all| all.get(&name));
        let most_bytes = attribute(QueueAttributeName::MaximumMessageSize);
        let most_bytes = most_bytes.and_then(|text| text.parse::<usize>().ok());
        let policy = attribute(QueueAttributeName::RedrivePolicy);
        Ok(Description {
            most_bytes: most_bytes.unwrap_or(MOST_BYTES).min(MOST_BYTES),
            parked_arn: policy.and_then(|policy| parked_arn(policy)),
        })
    }

    /// Asks for the URL of the queue with that ARN: `arn:aws:sqs:REGION:ACCOUNT:NAME`.
    pub(crate) async fn find(&self, arn: &str) -> Result<Arc<str>> {
        let mut parts = arn.split(':').skip(4);
        let account = parts.next().map(str::to_owned);
        let name = parts.next().unwrap_or_default();
        let request = self
            .0
            .get_queue_url()
            .queue_name(name)
            .set_queue_owner_aws_account_id(account);
        let answer = Box::pin(request.send()).await;
        let answer = answer.map_err(|error| failure(OPEN, error).with("queue", name))?;
        let url = answer.queue_url().map(Arc::<str>::from);
        url.ok_or_else(|| Error::new(Code::StoreUnavailable, OPEN).with("queue", name))
    }

    /// Sends a batch of messages.
    pub(crate) async fn send(&self, url: &QueueUrl, batch: Vec<Outgoing>) -> Result<()> {
        let mut request = self.0.send_message_batch().queue_url(url.as_str());
        for (number, message) in batch.into_iter().enumerate() {
            let once = url.is_fifo().then(|| message.id().to_owned());
            request = request.entries(message.entry(number, once)?);
        }
        let answer = Box::pin(request.send()).await;
        let answer = answer.map_err(|error| failure(PUBLISH, error))?;
        match answer.failed().first() {
            Some(entry) => Err(entry_failure(PUBLISH, entry)),
            None => Ok(()),
        }
    }

    /// Receives up to ten messages, which are hidden from others from now on.
    pub(crate) async fn receive(&self, url: &Arc<str>, place: Place) -> Result<Vec<Held>> {
        let request = self
            .0
            .receive_message()
            .queue_url(&**url)
            .max_number_of_messages(i32::try_from(MOST_MESSAGES).unwrap_or(1))
            .visibility_timeout(i32::try_from(HIDDEN.as_secs()).unwrap_or(i32::MAX))
            .wait_time_seconds(WAIT_SECS)
            .message_attribute_names(ID)
            .message_attribute_names(SPILLED)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let answer = Box::pin(request.send()).await;
        let answer = answer.map_err(|error| failure(RECEIVE, error))?;
        let deliveries = answer.messages().iter();
        let held = deliveries.filter_map(|delivery| held(delivery, url, place));
        Ok(held.collect())
    }

    /// Deletes messages.
    pub(crate) async fn delete(&self, deliveries: &[Held]) -> Result<()> {
        for (url, batch) in by_queue(deliveries) {
            let mut request = self.0.delete_message_batch().queue_url(url);
            for (number, held) in batch.into_iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(&held.receipt)
                    .build()
                    .map_err(unbuilt(SETTLE))?;
                request = request.entries(entry);
            }
            let answer = Box::pin(request.send()).await;
            let answer = answer.map_err(|error| failure(SETTLE, error))?;
            if let Some(entry) = answer.failed().first() {
                return Err(entry_failure(SETTLE, entry));
            }
        }
        Ok(())
    }

    /// Shows messages to whoever asks next.
    pub(crate) async fn show_again(&self, deliveries: &[Held]) -> Result<()> {
        for (url, batch) in by_queue(deliveries) {
            let mut request = self.0.change_message_visibility_batch().queue_url(url);
            for (number, held) in batch.into_iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(&held.receipt)
                    .visibility_timeout(0)
                    .build()
                    .map_err(unbuilt(SETTLE))?;
                request = request.entries(entry);
            }
            let answer = Box::pin(request.send()).await;
            let answer = answer.map_err(|error| failure(SETTLE, error))?;
            if let Some(entry) = answer.failed().first() {
                return Err(entry_failure(SETTLE, entry));
            }
        }
        Ok(())
    }
}

/// Reads the queue that a redrive policy names.
fn parked_arn(policy: &str) -> Option<String> {
    let policy: serde_json::Value = serde_json::from_str(policy).ok()?;
    let arn = policy.get("deadLetterTargetArn")?.as_str()?;
    Some(arn.to_owned())
}

/// Reads a delivery; none where it has no receipt, by which alone it could be settled. What others have sent has no id
/// of ours, and goes by SQS's.
fn held(delivery: &Delivery, queue_url: &Arc<str>, place: Place) -> Option<Held> {
    let attribute = |name: &str| delivery.message_attributes()?.get(name)?.string_value();
    let sent = MessageSystemAttributeName::SentTimestamp;
    let sent_ms = delivery.attributes().and_then(|all| all.get(&sent));
    let sent_id = delivery.message_id()?;
    Some(Held {
        id: attribute(ID).unwrap_or(sent_id).to_owned(),
        body: match attribute(SPILLED) {
            Some(_) => Body::Spilled,
            None => Body::Here(delivery.body().unwrap_or_default().to_owned()),
        },
        place,
        sent_id: sent_id.to_owned(),
        sent_ms: sent_ms.and_then(|text| text.parse().ok()).unwrap_or(0),
        receipt: delivery.receipt_handle()?.to_owned(),
        queue_url: Arc::clone(queue_url),
        taken: Instant::now(),
    })
}

/// Splits deliveries into batches, each of one queue.
fn by_queue(deliveries: &[Held]) -> Vec<(&str, Vec<&Held>)> {
    let mut queues: BTreeMap<&str, Vec<&Held>> = BTreeMap::new();
    for held in deliveries {
        queues.entry(&held.queue_url).or_default().push(held);
    }
    let mut batches = Vec::new();
    for (url, all) in queues {
        let of_queue = all.chunks(MOST_MESSAGES);
        batches.extend(of_queue.map(|batch| (url, batch.to_vec())));
    }
    batches
}
