//! Dead letters: records that were set aside, whole, with the reason, ready to be sent through again.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};
use crate::plain::{PlainRows, PlainTable, count, text};
use crate::queue::Message;
use crate::record::{RawRecord, Reject, Value};
use crate::run::RunId;
use crate::schema::ColumnType;
use crate::time::Timestamp;

/// How a dead letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// It waits for someone to redrive or discard it.
    Open,
    /// It waits on another queue, which delivers it.
    Forwarded,
    /// It went through when it was sent again.
    Redriven,
    /// It failed three times when it was sent again, and waits for a person.
    Parked,
    /// Someone decided that it is not needed.
    Discarded,
}

impl LetterState {
    /// Returns the state as it stands in `dead_letters`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Forwarded => "forwarded",
            Self::Redriven => "redriven",
            Self::Parked => "parked",
            Self::Discarded => "discarded",
        }
    }

    /// Returns the state that is spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Open,
            Self::Forwarded,
            Self::Redriven,
            Self::Parked,
            Self::Discarded,
        ]
        .into_iter()
        .find(|s| s.as_str() == text)
    }
}

/// A record that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The letter's id: the same record, rejected for the same reason, has the same one.
    pub dead_id: String,
    /// The source that sent the record.
    pub source: String,
    /// The stream it belongs to.
    pub stream: String,
    /// The record's key, where it could be read.
    pub record_id: Option<String>,
    /// Why it was set aside: a code of class record.
    pub code: String,
    /// The field that broke the rule.
    pub field: Option<String>,
    /// The rule that was broken, without values.
    pub message: String,
    /// How often it was sent through again.
    pub attempt: u32,
    /// How it stands.
    pub state: LetterState,
    /// The run that set it aside.
    pub run_id: RunId,
    /// When it was set aside.
    pub seen_at: Timestamp,
    /// The record, as the source sent it; what is not clean text is hexadecimal.
    pub payload: String,
    /// `json` or `hex`.
    pub payload_encoding: String,
}

impl DeadLetter {
    /// Returns the letter that a message is.
    ///
    /// # Errors
    /// [`Code::QueuePublish`] where the message is no letter, or another one than its id says.
    pub fn in_message(message: &Message) -> Result<Self> {
        let refused =
            || Error::new(Code::QueuePublish, "read a dead letter").with("id", &message.id);
        let letter: Self =
            serde_json::from_str(&message.body).map_err(|error| refused().because(error))?;
        match letter.dead_id == message.id {
            true => Ok(letter),
            false => Err(refused()),
        }
    }

    /// Returns the letter as a message, whose id is the letter's.
    ///
    /// # Errors
    /// [`Code::Internal`] where it can not be written as JSON.
    pub fn to_message(&self) -> Result<Message> {
        let body = serde_json::to_string(self)
            .map_err(|error| Error::new(Code::Internal, "write a dead letter").because(error))?;
        Ok(Message {
            id: self.dead_id.clone(),
            body,
        })
    }

    /// Returns the letter of a record that was rejected.
    #[must_use]
    pub fn new(
        (source, stream): (&str, &str),
        raw: &RawRecord,
        reject: Reject,
        (run_id, now): (&RunId, Timestamp),
    ) -> Self {
        let mut hash = Sha256::new();
        for part in [
            source.as_bytes(),
            stream.as_bytes(),
            raw.bytes(),
            reject.code.as_str().as_bytes(),
        ] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let dead_id = hash
            .finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (payload, payload_encoding) = match std::str::from_utf8(raw.bytes()) {
            Ok(text) if !text.contains('\0') => (text.to_owned(), "json"),
            _ => (hex(raw.bytes()), "hex"),
        };
        Self {
            dead_id,
            source: source.to_owned(),
            stream: stream.to_owned(),
            record_id: reject.record_id,
            code: reject.code.as_str().to_owned(),
            field: reject.field,
            message: reject.rule.to_owned(),
            attempt: 0,
            state: LetterState::Open,
            run_id: run_id.clone(),
            seen_at: now,
            payload,
            payload_encoding: payload_encoding.to_owned(),
        }
    }

    /// Returns the record as the source sent it.
    #[must_use]
    pub fn raw(&self) -> RawRecord {
        if self.payload_encoding == "hex" {
            return RawRecord::new(unhex(&self.payload));
        }
        RawRecord::new(self.payload.clone().into_bytes())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks_exact(2)
        .filter_map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
}

/// The log of dead letters: a row when a record is set aside and one for whatever is done about it.
pub static DEAD_LETTER_EVENTS: PlainTable = PlainTable {
    name: "dead_letter_events",
    comment: "Records that were set aside and what was done about them; dead_letters shows how each stands",
    columns: &[
        (
            "dead_id",
            ColumnType::Text,
            "The letter: the same for the same record and reason",
        ),
        (
            "event",
            ColumnType::Int,
            "0 when it was set aside, then one more for each thing done",
        ),
        (
            "source",
            ColumnType::Text,
            "The source that sent the record",
        ),
        ("stream", ColumnType::Text, "The stream it belongs to"),
        (
            "record_id",
            ColumnType::Text,
            "The record's key, where it could be read",
        ),
        ("code", ColumnType::Text, "Why it was set aside"),
        ("field", ColumnType::Text, "The field that broke the rule"),
        ("message", ColumnType::Text, "The rule that was broken"),
        (
            "attempt",
            ColumnType::Int,
            "How often it was sent through again",
        ),
        (
            "state",
            ColumnType::Text,
            "open, forwarded, redriven, parked or discarded",
        ),
        ("run_id", ColumnType::Text, "The run that wrote this row"),
        (
            "seen_at",
            ColumnType::Timestamp,
            "When this row was written",
        ),
        (
            "payload",
            ColumnType::Text,
            "The record as the source sent it; null but in the first row",
        ),
        (
            "payload_encoding",
            ColumnType::Text,
            "json, or hex where the record is no clean text",
        ),
        ("payload_bytes", ColumnType::Int, "The record's size"),
    ],
    key: &["dead_id", "event"],
};

impl DeadLetter {
    /// Appends the letter's present state to rows of [`DEAD_LETTER_EVENTS`]; `event` 0 carries the record.
    ///
    /// # Errors
    /// [`crate::error::Code::Internal`] where the row does not fit the table.
    pub fn append_to(&self, rows: &mut PlainRows, event: u32) -> Result<()> {
        let payload = if event == 0 {
            text(Some(&self.payload))
        } else {
            Value::Null
        };
        rows.push(&[
            text(Some(&self.dead_id)),
            Value::Int(i64::from(event)),
            text(Some(&self.source)),
            text(Some(&self.stream)),
            text(self.record_id.as_deref()),
            text(Some(&self.code)),
            text(self.field.as_deref()),
            text(Some(&self.message)),
            Value::Int(i64::from(self.attempt)),
            text(Some(self.state.as_str())),
            text(Some(self.run_id.as_str())),
            Value::Timestamp(self.seen_at),
            payload,
            text(Some(&self.payload_encoding)),
            count(u64::try_from(self.raw().bytes().len()).unwrap_or(u64::MAX)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_letter_gives_back_the_record_byte_for_byte() {
        for bytes in [&b"{\"a\":1}"[..], &b"\xff\xfe"[..], &b"a\0b"[..], &b""[..]] {
            let raw = RawRecord::new(bytes.to_vec());
            let reject = Reject::new(Code::RecordMalformed, "rule");
            let run_id = RunId::new(Timestamp::EPOCH);
            let letter = DeadLetter::new(("s", "t"), &raw, reject, (&run_id, Timestamp::EPOCH));
            assert_eq!(letter.raw(), raw);
        }
    }
}
