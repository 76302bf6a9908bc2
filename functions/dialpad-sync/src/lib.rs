//! Dialpad as a source: calls, recordings, transcripts, voicemails and texts, and whom they are with.
//!
//! What is true of Dialpad and of no other vendor is here: how it is asked ([`crate::SOURCE`]), what it permits,
//! how it refuses. The README beside this crate says what the login needs.

mod calls;
mod client;
mod dialpad;
mod export;
mod interactions;
mod kinds;
mod listing;
mod login;
mod page;
mod row;
mod settings;
mod slices;
mod transcripts;

use salesync_core::source::{Brought, SourceDefinition};

/// Dialpad, as the host knows it.
pub const SOURCE: SourceDefinition = SourceDefinition {
    name: "dialpad",
    streams: &[
        "calls",
        "recordings",
        "transcripts",
        "voicemails",
        "texts",
        "contacts",
        "users",
        "offices",
        "departments",
        "call_centers",
        "numbers",
    ],
    brought: &[Brought {
        streams: &["recordings"],
        by: "calls",
    }],
    after: &[("transcripts", "calls")],
    settings: settings::SETTINGS,
    base_url: "https://dialpad.com",
    identities: interactions::IDENTITIES,
    interactions: interactions::INTERACTIONS,
    ours: interactions::OURS,
    deals: &[],
    connect: dialpad::connect,
};
