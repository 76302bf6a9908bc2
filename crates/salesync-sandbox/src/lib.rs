//! HubSpot's, Salesforce's, Gmail's and Dialpad's APIs served on loopback, with invented people who
//! appear in all of them under different spellings.
//!
//! Every answer comes from one [`World`]: what tests change there is what the next request sees,
//! and what the world says at the end is the truth that a warehouse can be compared with. The
//! server keeps the vendors' paging, caps, errors, limits and index lag; faults are scripted with
//! [`World::fail_next`]. Nothing is read from or written to anything but memory, and the server
//! listens on 127.0.0.1 only.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use salesync_sandbox::{Sandbox, SandboxConfig};
//!
//! let sandbox = Sandbox::start(SandboxConfig::default()).await?;
//! let id = sandbox.world().hubspot_create("contacts", &serde_json::json!({"firstname": "Ada"}));
//! println!("{} now also serves contact {id}", sandbox.url());
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```

mod clock;
mod config;
mod credentials;
mod dialpad;
mod gmail;
mod hubspot;
mod invent;
mod salesforce;
mod sandbox;
mod server;
mod store;
#[cfg(test)]
mod tests;
mod world;

pub use config::{GmailQuota, Limits, SandboxConfig};
pub use credentials::{
    DIALPAD_API_KEY, DIALPAD_CLIENT_ID, DIALPAD_CLIENT_SECRET, DIALPAD_REFRESH_TOKEN,
    dialpad_refresh_secret, dialpad_secret,
};
pub use credentials::{
    GMAIL_CLIENT_EMAIL, GMAIL_CLIENT_ID, GMAIL_CLIENT_SECRET, GMAIL_REFRESH_TOKEN, GMAIL_TOKEN_URI,
    gmail_refresh_secret, gmail_secret,
};
pub use credentials::{
    HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN, HUBSPOT_TOKEN,
    SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET, SALESFORCE_REFRESH_TOKEN, SALESFORCE_USERNAME,
    hubspot_oauth_secret, hubspot_secret, salesforce_refresh_secret, salesforce_secret,
};
pub use sandbox::Sandbox;
pub use server::{Fault, Pace, RequestClass, RequestSeen};
pub use world::{PageServed, TruthRow, Vendor, World};
