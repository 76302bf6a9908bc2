//! Dialpad's API.
//!
//! Error bodies, page sizes, the life of a cursor and the limits' `Retry-After` are not published:
//! what is served here is one possibility, and varies so that nobody relies on it.

mod answer;
mod calls;
mod desk;
mod export;
mod listing;
mod login;
mod meter;
mod people;
mod places;
mod routes;
mod stats;
#[cfg(test)]
mod tests;
mod transcripts;
mod wire;

pub(crate) use answer::{expired, unauthorised};
pub(crate) use desk::DialpadDesk;
pub(crate) use routes::{answer, class, limit, serves};
