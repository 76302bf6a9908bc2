//! Messages as SQS takes them: none larger than it allows, none with a letter that it refuses, in batches.

use std::collections::HashMap;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use salesync_core::error::Result;
use salesync_core::queue::Message;

use crate::failure::unbuilt;

/// The most bytes that a message, or a batch of them, may have in all: 1 MiB (API reference of SQS, SendMessageBatch;
/// 256 KiB until August 2025). A queue may be set to less.
pub const MOST_BYTES: usize = 1_048_576;
/// The most messages in one request (API reference of SQS).
pub(crate) const MOST_MESSAGES: usize = 10;

/// The attribute that holds the message's id.
pub(crate) const ID: &str = "id";
/// The attribute that a message has whose body is elsewhere.
pub(crate) const SPILLED: &str = "spilled";
/// The type of both attributes.
const TEXT: &str = "String";

/// A message that is ready to be sent.
pub(crate) struct Outgoing {
    body: String,
    attributes: Vec<(&'static str, String)>,
}

impl Outgoing {
    /// Returns the message with its body.
    pub(crate) fn whole(message: &Message) -> Self {
        Self {
            body: permitted(&message.body),
            attributes: vec![(ID, message.id.clone())],
        }
    }

    /// Returns the message without its body, which has been made durable elsewhere.
    pub(crate) fn spilled(message: &Message) -> Self {
        let body = serde_json::json!({SPILLED: message.id});
        Self {
            body: body.to_string(),
            attributes: vec![(ID, message.id.clone()), (SPILLED, "yes".to_owned())],
        }
    }

    /// Returns how many bytes SQS counts: the body and the attributes' names, types and values.
    pub(crate) fn size_bytes(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, value)| name.len() + TEXT.len() + value.len());
        self.body.len() + attributes.sum::<usize>()
    }

    /// Returns the message as the entry with this number of a batch; `once` is the id by which a queue that keeps
    /// order knows that it has the message already.
    ///
    /// Such a queue hands out no message of a group while another one of it is in somebody's hand: each message is a
    /// group of its own.
    pub(crate) fn entry(
        self,
        number: usize,
        once: Option<String>,
    ) -> Result<SendMessageBatchRequestEntry> {
        const OPERATION: &str = "put a message together";
        let mut attributes = HashMap::new();
        for (name, value) in self.attributes {
            let value = MessageAttributeValue::builder()
                .data_type(TEXT)
                .string_value(value)
                .build()
                .map_err(unbuilt(OPERATION))?;
            attributes.insert(name.to_owned(), value);
        }
        SendMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .message_body(self.body)
            .set_message_attributes(Some(attributes))
            .set_message_deduplication_id(once.clone())
            .set_message_group_id(once)
            .build()
            .map_err(unbuilt(OPERATION))
    }

    /// Returns the message's id.
    pub(crate) fn id(&self) -> &str {
        self.attributes
            .first()
            .map_or("", |(_, value)| value.as_str())
    }
}

/// Splits messages into batches that SQS takes.
pub(crate) fn batches(messages: Vec<Outgoing>) -> Vec<Vec<Outgoing>> {
    let mut batches: Vec<Vec<Outgoing>> = Vec::new();
    let mut size_bytes = 0;
    for message in messages {
        let own = message.size_bytes();
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST_MESSAGES && size_bytes + own <= MOST_BYTES => {
                size_bytes += own;
                batch.push(message);
            }
            _ => {
                size_bytes = own;
                batches.push(vec![message]);
            }
        }
    }
    batches
}

/// Spells the two letters that SQS refuses as JSON spells any: U+FFFE and U+FFFF. What else it refuses can't stand in
/// JSON as it is.
fn permitted(json: &str) -> String {
    json.replace('\u{fffe}', "\\ufffe")
        .replace('\u{ffff}', "\\uffff")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, body: String) -> Message {
        Message {
            id: id.to_owned(),
            body,
        }
    }

    #[test]
    fn no_batch_has_more_than_ten_messages_or_more_bytes_than_sqs_takes() {
        let sizes: Vec<usize> = (0..64).map(|n| (n * 37_123) % 400_000).collect();
        let messages: Vec<Outgoing> = sizes
            .iter()
            .map(|size| Outgoing::whole(&message("0123456789abcdef", "x".repeat(*size))))
            .collect();
        let whole: usize = messages.iter().map(Outgoing::size_bytes).sum();
        let batches = batches(messages);
        let size = |batch: &Vec<Outgoing>| batch.iter().map(Outgoing::size_bytes).sum::<usize>();
        assert!(
            batches
                .iter()
                .all(|batch| (1..=MOST_MESSAGES).contains(&batch.len()))
        );
        assert!(batches.iter().all(|batch| size(batch) <= MOST_BYTES));
        assert_eq!(batches.iter().map(size).sum::<usize>(), whole);
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), sizes.len());
    }

    #[test]
    fn a_letter_that_sqs_refuses_is_spelt_so_that_json_means_the_same() {
        let body = serde_json::json!({"name": "a\u{fffe}b\u{ffff}c\u{1}\u{7f}😀"}).to_string();
        let sent = permitted(&body);
        let is_taken = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
        assert!(!body.chars().all(is_taken));
        assert!(sent.chars().all(is_taken));
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&sent), read(&body));
    }

    #[test]
    fn a_message_without_its_body_names_where_to_look() {
        let sent = Outgoing::spilled(&message("7", "x".repeat(2 * MOST_BYTES)));
        assert_eq!(
            (sent.id(), sent.body.as_str()),
            ("7", "{\"spilled\":\"7\"}")
        );
        assert!(sent.size_bytes() < 100);
    }
}
