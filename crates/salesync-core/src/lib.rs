//! The rules of salesync: how records are read, judged, made durable and resolved.
//!
//! Nothing here knows a vendor, a cloud or a socket, and of SQL only the [`views`] that every warehouse has. Those
//! stand behind six ports:
//! [`source::Source`] and [`source::Stream`], [`warehouse::Warehouse`], [`sets::Sets`], [`queue::Queue`] and
//! [`secret::SecretStore`]; [`memory`] holds a version of each but [`sets::Sets`] in memory, which defines its meaning.
//!
//! The way of a record: fetch → [`record`] → [`validate`] → [`normalise`] → [`batch`] →
//! [`warehouse::Warehouse::commit`] → [`resolve`] → [`publish`].

pub mod error;
pub mod time;

pub mod cursor;
pub mod deal;
pub mod interaction;
pub mod ledger;
pub mod record;
pub mod run;
pub mod schema;
pub mod source;
pub mod token;

pub mod backlog;
pub mod batch;
pub mod dead_letter;
pub mod plain;
pub mod queue;
pub mod secret;
pub mod sets;
pub mod staging;
pub mod views;
pub mod warehouse;

pub mod command;
pub mod continuation;
pub mod redrive;
pub mod relay;
pub mod retry;
pub mod sync;

pub mod normalise;
pub mod publish;
pub mod resolve;
pub mod validate;

pub mod memory;

mod rows;
mod texts;
