//! Pub/Sub's REST API, as far as a queue needs it: publish, pull, acknowledge, and how long a message is held. Facts from
//! Google's discovery document of the API, v1, revision 20261027.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use salesync_core::error::{Code, Error, Result};
use salesync_core::queue::Message;
use salesync_core::time::Timestamp;
use salesync_core::validate::parse_timestamp;
use salesync_http::{Answer, Client, Expected, Request, segment};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::held::Received;
use super::settings::PubSubSettings;
use crate::rest::{self, REST, Service};

const PUBSUB: Service = Service {
    name: "pubsub",
    origin: "https://pubsub.googleapis.com",
    scope: "https://www.googleapis.com/auth/pubsub",
};
/// A request may publish 10 MB in 1,000 messages. Base64 makes 4 bytes of 3.
const PIECE_BYTES: usize = 6 * 1024 * 1024;
const REQUEST_BYTES: usize = 9 * 1024 * 1024;
const REQUEST_MESSAGES: usize = 1_000;
/// What the rest of a message in a request takes at most: names, quotes, and attributes.
const AROUND_BYTES: usize = 2 * 1024;
/// A request that acknowledges may be 512 KiB; an ack id has some 200 bytes.
const ACK_IDS: usize = 1_000;

/// The attributes that a message is published with.
const ID: &str = "id";
const PIECE: &str = "piece";
const PIECES: &str = "pieces";

/// A topic and a subscription at Pub/Sub.
pub(super) struct Api {
    http: Client,
    topic: String,
    subscription: String,
    is_emulator: bool,
}

/// A message as it is published.
#[derive(Serialize)]
struct Published {
    #[serde(rename = "data")]
    text: String,
    attributes: HashMap<&'static str, String>,
}

impl Published {
    fn size_bytes(&self) -> usize {
        self.text.len() + AROUND_BYTES
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pulled {
    #[serde(default)]
    received_messages: Vec<Delivery>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    ack_id: String,
    message: Delivered,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivered {
    #[serde(default, rename = "data")]
    text: String,
    #[serde(default)]
    attributes: HashMap<String, String>,
    message_id: String,
    #[serde(default)]
    publish_time: String,
}

impl Api {
    /// Returns the API; nothing is asked yet.
    pub(super) fn new(settings: &PubSubSettings) -> Result<Self> {
        let place = &settings.place;
        let emulator = settings.emulator.as_deref();
        let project = segment(&place.project);
        Ok(Self {
            http: PUBSUB.client(emulator, settings.now)?,
            topic: format!("projects/{project}/topics/{}", segment(&place.topic)),
            subscription: format!(
                "projects/{project}/subscriptions/{}",
                segment(&place.subscription)
            ),
            is_emulator: emulator.is_some(),
        })
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Publishes messages in their order, in as many requests as they need.
    pub(super) async fn publish(&self, messages: &[Message]) -> Result<()> {
        for request in requests(messages) {
            let body = json!({"messages": request});
            self.post(&self.topic, "publish", &body).await?;
        }
        Ok(())
    }

    /// Returns up to `most` pieces of messages that nobody holds. None does not say that there are none: Pub/Sub looks
    /// into a part of its stores only.
    pub(super) async fn pull(&self, most: u32) -> Result<Vec<Received>> {
        // It would otherwise wait for a message for a time that it does not tell; a function pays for waiting.
        let body = json!({"maxMessages": most, "returnImmediately": true});
        let answer = self.post(&self.subscription, "pull", &body).await?;
        let pulled: Pulled = answer
            .json()
            .map_err(|error| Error::new(Code::StoreUnavailable, answer.operation).because(error))?;
        pulled.received_messages.into_iter().map(received).collect()
    }

    /// Says that deliveries are done with; they may be so already.
    pub(super) async fn acknowledge(&self, ack_ids: &[String]) -> Result<()> {
        for ack_ids in ack_ids.chunks(ACK_IDS) {
            let body = json!({"ackIds": ack_ids});
            self.post(&self.subscription, "acknowledge", &body).await?;
        }
        Ok(())
    }

    /// Says how long deliveries are held from now on; no time gives them back.
    pub(super) async fn hold(&self, ack_ids: &[String], time: Duration) -> Result<()> {
        for ack_ids in ack_ids.chunks(ACK_IDS) {
            let body = json!({"ackIds": ack_ids, "ackDeadlineSeconds": time.as_secs()});
            let done = self.post(&self.subscription, "modifyAckDeadline", &body);
            done.await?;
        }
        Ok(())
    }

    /// Asks whether we may publish.
    pub(super) async fn check_topic(&self) -> Result<()> {
        self.check(&self.topic, "pubsub.topics.publish").await
    }

    /// Asks whether we may receive.
    pub(super) async fn check_subscription(&self) -> Result<()> {
        let permission = "pubsub.subscriptions.consume";
        self.check(&self.subscription, permission).await
    }

    /// Asks for a permission; an emulator knows of none.
    async fn check(&self, place: &str, permission: &str) -> Result<()> {
        #[derive(Deserialize)]
        struct Granted {
            #[serde(default)]
            permissions: Vec<String>,
        }
        if self.is_emulator {
            return Ok(());
        }
        let body = json!({"permissions": [permission]});
        let answer = self.post(place, "testIamPermissions", &body).await?;
        let granted: Granted = answer.json()?;
        match granted.permissions.iter().any(|it| it == permission) {
            true => Ok(()),
            false => Err(Error::new(Code::SourceForbidden, "check a queue")
                .with("no permission", permission)
                .with("for, or there is no", place)),
        }
    }

    async fn post(&self, place: &str, verb: &'static str, body: &Value) -> Result<Answer> {
        let request = Request::post(verb, format!("/v1/{place}:{verb}"), REST)
            .json(body)?
            .expecting(Expected::Anything);
        let answer = rest::ask(&self.http, &request, "ask Pub/Sub").await?;
        rest::good(&answer, place)?;
        Ok(answer)
    }
}

/// Cuts messages into pieces that each fit into a request, and puts as many into one as it takes.
fn requests(messages: &[Message]) -> impl Iterator<Item = Vec<Published>> {
    let mut pieces = messages.iter().flat_map(pieces).peekable();
    std::iter::from_fn(move || {
        let first = pieces.next()?;
        let mut size_bytes = first.size_bytes();
        let mut request = vec![first];
        while request.len() < REQUEST_MESSAGES
            && let Some(piece) =
                pieces.next_if(|piece| size_bytes + piece.size_bytes() <= REQUEST_BYTES)
        {
            size_bytes += piece.size_bytes();
            request.push(piece);
        }
        Some(request)
    })
}

fn pieces(message: &Message) -> Vec<Published> {
    let mut bytes: Vec<&[u8]> = message.body.as_bytes().chunks(PIECE_BYTES).collect();
    if bytes.is_empty() {
        bytes.push(&[]);
    }
    let of = bytes.len();
    let pieces = bytes.into_iter().enumerate().map(|(number, bytes)| {
        let mut attributes = HashMap::from([(ID, message.id.clone())]);
        if of > 1 {
            attributes.insert(PIECE, number.to_string());
            attributes.insert(PIECES, of.to_string());
        }
        Published {
            text: STANDARD.encode(bytes),
            attributes,
        }
    });
    pieces.collect()
}

/// Reads a delivery. What others have published has no id of ours; Pub/Sub's own serves as well.
fn received(delivery: Delivery) -> Result<Received> {
    let Delivery { ack_id, message } = delivery;
    let bytes = STANDARD
        .decode(&message.text)
        .map_err(|_| Error::new(Code::StoreUnavailable, "pull").with("must be", "base64"))?;
    let number = |name: &str| message.attributes.get(name)?.parse::<u32>().ok();
    let piece = match (number(PIECE), number(PIECES)) {
        (Some(piece), Some(pieces)) if piece < pieces => (piece, pieces),
        _ => (0, 1),
    };
    let id = message.attributes.get(ID).unwrap_or(&message.message_id);
    Ok(Received {
        ack_id,
        id: id.clone(),
        published: parse_timestamp(&message.publish_time).unwrap_or(Timestamp::EPOCH),
        name: message.message_id,
        piece,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, size_bytes: usize) -> Message {
        Message {
            id: id.to_owned(),
            body: "x".repeat(size_bytes),
        }
    }

    #[test]
    fn no_request_is_larger_than_it_may_be_and_nothing_is_left_out() {
        let messages = [
            message("a", 40_000_000),
            message("b", 0),
            message("c", PIECE_BYTES),
            message("d", PIECE_BYTES + 1),
        ];
        let mut sizes: HashMap<String, usize> = HashMap::new();
        for request in requests(&messages) {
            let body = json!({"messages": request}).to_string();
            assert!(body.len() <= 10_000_000, "{}", body.len());
            for piece in request {
                let bytes = STANDARD.decode(&piece.text).unwrap();
                *sizes.entry(piece.attributes[ID].clone()).or_default() += bytes.len();
            }
        }
        for message in messages {
            assert_eq!(sizes[&message.id], message.body.len(), "{}", message.id);
        }
        let many: Vec<Message> = (0..2_500).map(|n| message(&n.to_string(), 1)).collect();
        let counts: Vec<usize> = requests(&many).map(|request| request.len()).collect();
        assert_eq!(counts, [1_000, 1_000, 500]);
        assert!(requests(&[]).next().is_none());
    }
}
