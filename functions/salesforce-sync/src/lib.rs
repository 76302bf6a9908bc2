//! Salesforce as a source of salesync: accounts, contacts, leads, opportunities, users, tasks and events.
//!
//! Every record that changed is delivered, deleted and merged ones included, with its custom fields in
//! columns of the described type. Windows of change times are read to their end by (SystemModstamp, Id),
//! five minutes of each are read again by the next, and the service's own count closes them.
//! `README.md` beside this folder's manifest names permissions, secrets and limits.

mod objects;

mod deals;
mod interactions;

mod client;
mod credentials;
mod login;

mod decode;
mod describe;
mod page;
mod place;
mod soql;
mod stream;

mod id;
mod instant;

use salesync_core::source::SourceDefinition;

/// Salesforce.
pub const SOURCE: SourceDefinition = SourceDefinition {
    name: "salesforce",
    streams: objects::STREAMS,
    brought: &[],
    after: &[],
    settings: &[],
    base_url: "https://login.salesforce.com",
    identities: objects::IDENTITIES,
    interactions: interactions::INTERACTIONS,
    ours: interactions::OURS,
    deals: deals::DEALS,
    connect: client::connect,
};

#[cfg(test)]
mod tests;
