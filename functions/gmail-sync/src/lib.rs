//! Gmail as a source: the messages of many mailboxes, who is named in them, their labels and threads.
//!
//! What is true of Gmail and of no other vendor is here: how it is asked ([`crate::SOURCE`]), what it permits,
//! how it refuses. The README beside this crate says what the login needs.

mod account;
mod batch;
mod client;
mod decode;
mod gmail;
mod happened;
mod interactions;
mod load;
mod login;
mod mail;
mod mailbox;
mod place;
mod quota;
mod record;
mod settings;
mod stream;
mod tables;

use salesync_core::source::{Brought, SourceDefinition};

/// Gmail, as the host knows it.
pub const SOURCE: SourceDefinition = SourceDefinition {
    name: "gmail",
    streams: &[
        "mailboxes",
        "labels",
        "threads",
        "messages",
        "message_participants",
        "message_labels",
        "attachments",
        "history",
    ],
    brought: &[Brought {
        streams: &[
            "mailboxes",
            "labels",
            "threads",
            "message_participants",
            "message_labels",
            "attachments",
            "history",
        ],
        by: "messages",
    }],
    after: &[],
    settings: settings::SETTINGS,
    base_url: "https://gmail.googleapis.com",
    identities: interactions::IDENTITIES,
    interactions: interactions::INTERACTIONS,
    ours: interactions::OURS,
    deals: &[],
    connect: gmail::connect,
};
