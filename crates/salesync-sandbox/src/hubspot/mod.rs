//! HubSpot's API.

mod answer;
mod associations;
mod engagements;
mod filter;
mod login;
mod records;
mod routes;
pub(crate) mod schema;
mod search;

pub(crate) use answer::{expired, unauthorised};
pub(crate) use routes::{answer, limit};
