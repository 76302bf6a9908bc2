//! Salesforce's REST API.

mod activities;
mod answer;
mod describe;
mod id;
mod login;
mod plan;
mod query;
mod routes;
pub(crate) mod schema;
mod soql;

pub(crate) use answer::session_expired;
pub(crate) use id::{id_number, id_text};
pub(crate) use query::Cursor;
pub(crate) use routes::{LIMIT, answer};
