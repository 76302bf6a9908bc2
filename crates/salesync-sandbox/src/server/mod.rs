//! The one server: it takes requests, lets scripted faults happen, asks the vendor's side for an
//! answer, tells the page hook, writes the log, and sends.

mod answer;
mod asked;
mod bomb;
mod desk;
mod fault;
mod handler;
mod log;
mod logins;
mod meter;
mod pace;

pub(crate) use answer::Answer;
pub(crate) use asked::Asked;
pub(crate) use desk::Desk;
pub use fault::Fault;
pub(crate) use handler::{App, router};
pub use log::{RequestClass, RequestSeen};
pub(crate) use logins::Access;
pub(crate) use meter::{HubSpotUse, Refused};
pub use pace::Pace;
