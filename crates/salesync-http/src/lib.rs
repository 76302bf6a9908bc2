//! The polite HTTP client of salesync: it stays below the vendor's limits, tries again only what can heal,
//! waits as long as it is asked to, and believes only the host that was configured.
//!
//! A vendor's folder says *what* to ask ([`Request`]), *who* is asking ([`Authenticator`]) and *how the vendor
//! refuses* ([`Classify`]); everything else is here, once for all vendors:
//!
//! ```text
//! send ─ token (one login for all) ─ breaker ─ concurrency ─ pace of the class ─ call, body counted ─┐
//!   ▲                                                                                             verdict
//!   └─ at most 3 more attempts, out of the run's budget, after a jittered wait ◀──────────────────────┘
//! ```
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use async_trait::async_trait;
//! use salesync_core::error::{Code, Result};
//! use salesync_core::time::Timestamp;
//! use salesync_http::{
//!     Answer, Authenticator, Client, ClientSettings, Limit, LimitClass, Request, Token, Transport, Verdict,
//! };
//!
//! const API: LimitClass = LimitClass("api");
//!
//! struct Key;
//!
//! #[async_trait]
//! impl Authenticator for Key {
//!     async fn token(&self, _: &Transport) -> Result<Token> {
//!         Ok(Token::bearer("key"))
//!     }
//! }
//!
//! fn classify(answer: &Answer) -> Verdict {
//!     match answer.status {
//!         200..=299 => Verdict::Ok,
//!         401 => Verdict::RefreshToken,
//!         429 => Verdict::Throttled { wait: None },
//!         500..=599 => Verdict::Transient(Code::SourceStatus5xx),
//!         _ => Verdict::Permanent(Code::SourceRefused),
//!     }
//! }
//!
//! # async fn example() -> Result<()> {
//! let mut settings = ClientSettings::new("example", "https://api.example.com", Timestamp::EPOCH);
//! settings.limits.push(Limit { class: API, permitted: 100, per: Duration::from_secs(10) });
//! let client = Client::new(settings, Arc::new(Key), classify)?;
//! let answer = client.send(&Request::get("list things", "/v1/things", API).query("limit", 100)).await?;
//! # drop(answer);
//! # Ok(())
//! # }
//! ```

mod answer;
mod auth;
mod body;
mod breaker;
mod client;
mod clock;
mod origin;
mod pace;
mod request;
mod settings;
mod transport;

pub use answer::{Answer, Classify, Verdict};
pub use auth::{Authenticator, Token};
pub use client::Client;
pub use request::{Expected, Request, segment};
pub use settings::{ClientSettings, Limit, LimitClass, QuotaUsed, Timeouts};
pub use transport::Transport;

#[cfg(test)]
mod tests;
