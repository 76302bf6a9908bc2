//! Gmail's API and Google's token endpoint.
//!
//! Lists give ids alone, newest first; history ascends with gaps and is forgotten after a week;
//! each mailbox and the project have their quota units per minute. Sources: Gmail's discovery
//! document, guides and quota page.

mod answer;
mod batch;
mod body;
mod desk;
mod given;
mod history;
mod labels;
mod letter;
mod login;
mod mail;
mod messages;
mod paging;
mod routes;
mod search;
#[cfg(test)]
mod tests;
mod threads;
mod units;
mod wire;
mod words;

pub(crate) use answer::unauthorised;
pub(crate) use desk::MailDesk;
pub(crate) use given::{Setting, given};
pub(crate) use letter::{Given, id_of, parties, subject_of};
pub(crate) use messages::{mail_of, view};
pub(crate) use routes::{answer, class, limit, serves};
