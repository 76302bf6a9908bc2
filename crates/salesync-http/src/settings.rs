//! What a client is told once, when it is built.

use std::time::Duration;

use salesync_core::time::Timestamp;

use crate::answer::Answer;

/// The settings of one client: one credential at one origin.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Who is asked, as logs and metrics name it: `hubspot`.
    pub name: &'static str,
    /// Scheme, host and port: `https://api.hubapi.com`. Plain http only to a loopback address.
    pub origin: String,
    /// What the vendor permits, by class of request; a class that is not listed is not limited.
    pub limits: Vec<Limit>,
    /// How long a call may take; a request can bring its own.
    pub timeouts: Timeouts,
    /// The most bytes that a body may have, decompressed.
    pub max_body_bytes: usize,
    /// The time of the run: the source's clock until the source has answered.
    pub now: Timestamp,
    /// The most calls that are under way at one time.
    pub concurrency: usize,
    /// Reads out of an answer how much of its quota the source says is used.
    pub quota_used: QuotaUsed,
}

/// Reads out of an answer how much of its quota the source says is used, in percent; nothing where it does not say.
pub type QuotaUsed = fn(&Answer) -> Option<u64>;

impl ClientSettings {
    /// Returns the settings that fit every vendor: no limits yet, bodies of at most 32 MiB, 6 calls at a time,
    /// nothing said of a quota.
    #[must_use]
    pub fn new(name: &'static str, origin: impl Into<String>, now: Timestamp) -> Self {
        Self {
            name,
            origin: origin.into(),
            limits: Vec::new(),
            timeouts: Timeouts::default(),
            max_body_bytes: 32 * 1024 * 1024,
            now,
            concurrency: 6,
            quota_used: |_| None,
        }
    }
}

/// The name of a class of requests that share one limit: `search`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LimitClass(pub &'static str);

/// What a vendor permits for one class: no stretch of `per` ever holds more than `permitted` units. A request
/// takes one unit, or as many as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The class.
    pub class: LimitClass,
    /// How many units are permitted; the client stays 1.5 % below.
    pub permitted: u32,
    /// The length of the sliding window.
    pub per: Duration,
}

/// How long the parts of one call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands; it is the client's, a request can't change it.
    pub connect: Duration,
    /// From sending until the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// The whole call.
    pub whole: Duration,
}

impl Timeouts {
    /// What a login may take.
    pub const LOGIN: Self = Self {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_secs(15),
        idle: Duration::from_secs(15),
        whole: Duration::from_secs(15),
    };
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(30),
            idle: Duration::from_secs(15),
            whole: Duration::from_secs(60),
        }
    }
}
