//! Raw records as they travel: what Gmail sent, and whose mailbox it is of. Nothing else says so, and a record
//! that was set aside must still be whole.

use bytes::Bytes;
use salesync_core::error::{Code, Error, Result};
use salesync_core::record::RawRecord;
use salesync_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

use crate::mailbox::Mailbox;

/// What was read of a mailbox; one of the fields beside the mailbox is there.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct Sent<'a> {
    /// Its address.
    #[serde(borrow)]
    pub(crate) mailbox: Cow<'a, str>,
    /// A message, as Gmail sent it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<&'a RawValue>,
    /// A message that is no JSON.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) unreadable: Option<Unreadable<'a>>,
    /// A message that is no longer there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gone: Option<Gone>,
    /// A label that was put on a message or taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) labelled: Option<Labelled>,
    /// The mailbox's profile and all of its labels.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<Account<'a>>,
    /// A record of the history, as Gmail sent it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<&'a RawValue>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Unreadable<'a> {
    /// The id that was asked for.
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    /// What came.
    #[serde(borrow)]
    pub(crate) text: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Gone {
    pub(crate) id: String,
    pub(crate) thread_id: String,
    /// The history in which it was found to be gone.
    pub(crate) history_id: u64,
    pub(crate) at: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Labelled {
    pub(crate) id: String,
    pub(crate) label_id: String,
    pub(crate) change: LabelChange,
    pub(crate) history_id: u64,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LabelChange {
    Added,
    Removed,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Account<'a> {
    #[serde(borrow)]
    pub(crate) profile: &'a RawValue,
    #[serde(borrow)]
    pub(crate) labels: Vec<&'a RawValue>,
}

impl<'a> Sent<'a> {
    /// Returns nothing yet of a mailbox.
    pub(crate) fn of(mailbox: &'a str) -> Self {
        Self {
            mailbox: Cow::Borrowed(mailbox),
            ..Self::default()
        }
    }

    /// Returns it as a raw record.
    pub(crate) fn raw(&self) -> Result<RawRecord> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Error::new(Code::Internal, "write a record").because(error))?;
        Ok(RawRecord::new(bytes))
    }
}

/// Returns as a raw record that a message is no longer there.
pub(crate) fn gone(mailbox: &Mailbox, gone: Gone) -> Result<RawRecord> {
    let sent = Sent {
        gone: Some(gone),
        ..Sent::of(&mailbox.address)
    };
    sent.raw()
}

/// Returns the message of that id as a raw record. What is no JSON goes along as a text, and is set aside with
/// its reason.
pub(crate) fn message(mailbox: &Mailbox, id: &str, body: &Bytes) -> Result<RawRecord> {
    let sent = Sent::of(&mailbox.address);
    match serde_json::from_slice(body) {
        Ok(message) => Sent {
            message: Some(message),
            ..sent
        }
        .raw(),
        Err(_) => Sent {
            unreadable: Some(Unreadable {
                id: Cow::Borrowed(id),
                text: String::from_utf8_lossy(body),
            }),
            ..sent
        }
        .raw(),
    }
}
