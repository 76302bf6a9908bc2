//! The tables of a mailbox, and which is which in a change.

use std::sync::Arc;

use salesync_core::error::Result;
use salesync_core::schema::{Column, ColumnType, Table};

use ColumnType::{Bool, Int, Json, Text, Timestamp};

/// The column with the mailbox: the first part of every key.
pub(crate) const MAILBOX: &str = "mailbox";

/// The places of the tables: the stream's own, then those beside it in this order.
pub(crate) const MESSAGES: usize = 0;
pub(crate) const PARTICIPANTS: usize = 1;
pub(crate) const MESSAGE_LABELS: usize = 2;
pub(crate) const ATTACHMENTS: usize = 3;
pub(crate) const THREADS: usize = 4;
pub(crate) const MAILBOXES: usize = 5;
pub(crate) const LABELS: usize = 6;
pub(crate) const HISTORY: usize = 7;

/// How many columns a message has, its mailbox among them.
pub(crate) const MESSAGE_WIDTH: usize = 1 + MESSAGE_COLUMNS.len();

type Columns = &'static [(&'static str, ColumnType, &'static str)];

const MESSAGE_COLUMNS: Columns = &[
    ("threadId", Text, "The thread that the message is in"),
    (
        "historyId",
        Text,
        "The mailbox's history when the message last changed before it was read; labels that moved since are in \
         gmail_message_labels",
    ),
    ("internalDate", Timestamp, "When Google took the message in"),
    ("sizeEstimate", Int, "Its size in bytes, about"),
    (
        "rfc822_message_id",
        Text,
        "The Message-ID header, the same in every mailbox; without angle brackets",
    ),
    ("in_reply_to", Text, "The Message-ID that it answers"),
    (
        "references",
        Json,
        "The Message-IDs of the conversation, the oldest first",
    ),
    ("subject", Text, "The subject, decoded"),
    ("date", Timestamp, "The Date header: the sender's clock"),
    (
        "body_text",
        Text,
        "The text, at most 1 MiB; null unless texts are read",
    ),
    (
        "body_kind",
        Text,
        "plain or html: what the text was taken from",
    ),
    ("body_charset", Text, "The charset that the text was in"),
    (
        "body_truncated",
        Bool,
        "Whether the text goes on where it ends here",
    ),
    (
        "snippet",
        Text,
        "Google's beginning of the text; null unless texts are read",
    ),
    (
        "repairs",
        Json,
        "What had to be mended while the message was read; null where nothing had",
    ),
];
const PARTICIPANT_COLUMNS: Columns = &[
    ("message_id", Text, "The message in gmail_messages"),
    ("role", Text, "from, sender, reply_to, to, cc or bcc"),
    (
        "position",
        Int,
        "The place among those of the same role, from 0",
    ),
    (
        "address",
        Text,
        "The address in lower case; null where what stands there is none",
    ),
    ("spelling", Text, "The address as it was written"),
    ("display_name", Text, "The name beside the address"),
    (
        "group_name",
        Text,
        "The name of the group that it stands in",
    ),
    ("internalDate", Timestamp, "When Google took the message in"),
];
const MESSAGE_LABEL_COLUMNS: Columns = &[
    ("message_id", Text, "The message in gmail_messages"),
    ("label_id", Text, "The label in gmail_labels"),
];
const ATTACHMENT_COLUMNS: Columns = &[
    ("message_id", Text, "The message in gmail_messages"),
    ("part_id", Text, "The part's place in the message"),
    ("filename", Text, "Its name"),
    ("mime_type", Text, "Its type"),
    ("size_bytes", Int, "Its size, decoded"),
    ("content_id", Text, "The id that a text refers to it by"),
    ("disposition", Text, "attachment or inline"),
];
const THREAD_COLUMNS: Columns = &[(
    "historyId",
    Text,
    "The mailbox's history when the newest of its messages that was read last changed",
)];
const MAILBOX_COLUMNS: Columns = &[
    ("emailAddress", Text, "The mailbox's address"),
    ("messagesTotal", Int, "How many messages it holds"),
    ("threadsTotal", Int, "How many threads it holds"),
    ("historyId", Text, "Its history when that was read"),
];
const LABEL_COLUMNS: Columns = &[
    ("name", Text, "The name that people see"),
    ("type", Text, "system or user"),
    ("messageListVisibility", Text, "show or hide"),
    (
        "labelListVisibility",
        Text,
        "labelShow, labelShowIfUnread or labelHide",
    ),
    ("color", Json, "Its colours"),
];
const HISTORY_COLUMNS: Columns = &[
    ("historyId", Text, "The mailbox's history at that moment"),
    (
        "event",
        Text,
        "message_added, message_deleted, label_added or label_removed",
    ),
    ("message_id", Text, "The message in gmail_messages"),
    ("threadId", Text, "Its thread"),
    (
        "label_ids",
        Json,
        "The labels that were put on or taken off",
    ),
];

/// The tables of all mailboxes.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) messages: Arc<Table>,
    pub(crate) beside: Vec<Arc<Table>>,
}

impl Tables {
    pub(crate) fn new() -> Result<Self> {
        let messages = table(
            "messages",
            "Messages, a row for each mailbox that holds one",
            MESSAGE_COLUMNS,
        )?
        .by_day("internalDate")?;
        let of_message = |name, comment, columns| {
            table(name, comment, columns)?.details_of(&messages, "message_id")
        };
        let participants = of_message(
            "message_participants",
            "Who is named in a message: a row for each address in each role",
            PARTICIPANT_COLUMNS,
        )?
        .by_day("internalDate")?;
        let message_labels = of_message(
            "message_labels",
            "Which labels are on a message",
            MESSAGE_LABEL_COLUMNS,
        )?;
        let attachments = of_message(
            "attachments",
            "What hangs on a message: names and sizes, never the bytes; only where texts are read",
            ATTACHMENT_COLUMNS,
        )?;
        let threads = table("threads", "Threads of messages", THREAD_COLUMNS)?
            .groups_of(&messages, "threadId")?;
        let mailboxes = table("mailboxes", "The mailboxes that are read", MAILBOX_COLUMNS)?;
        let labels = table("labels", "The labels of each mailbox", LABEL_COLUMNS)?
            .details_of(&mailboxes, MAILBOX)?;
        let history = table(
            "history",
            "What happened in a mailbox, since it is read",
            HISTORY_COLUMNS,
        )?;
        let beside = [
            participants,
            message_labels,
            attachments,
            threads,
            mailboxes,
            labels,
            history,
        ];
        Ok(Self {
            messages: Arc::new(messages),
            beside: beside.map(Arc::new).into(),
        })
    }
}

fn table(stream: &str, comment: &str, columns: Columns) -> Result<Table> {
    let mailbox = (MAILBOX, Text, "The mailbox: the first part of the key");
    let columns = Column::list(&[&[mailbox], columns].concat())?;
    Table::new(&format!("gmail_{stream}"), comment, columns)?.in_parts(MAILBOX)
}
