//! What a sandbox is started with. Every setting has a default that suits a test.

use std::time::Duration;

/// How a [`crate::Sandbox`] is started.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Records over both vendors together, about: HubSpot contacts 30 %, companies 8 %, deals
    /// 12 %; Salesforce contacts 22 %, leads 5 %, accounts 8 %, opportunities 15 %. Owners and
    /// users come on top (a dozen each).
    pub records: usize,
    /// The same seed gives the same people, companies and ids; only times follow the start.
    pub seed: u64,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Whether the vendors' limits are enforced.
    pub limits: Limits,
    /// How long an access token or a session lives.
    pub token_ttl: Duration,
    /// How long after its change a HubSpot record becomes visible in search.
    pub index_lag: Duration,
    /// Added to each answer.
    pub latency: Duration,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            records: 2_000,
            seed: 7,
            port: 0,
            limits: Limits::Off,
            token_ttl: Duration::from_secs(30 * 60),
            index_lag: Duration::ZERO,
            latency: Duration::ZERO,
        }
    }
}

/// Whether the vendors' limits are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// Nothing is refused for being too much; the rate headers are still sent.
    Off,
    /// HubSpot: 190 requests in any 10 s (110 for a refreshed token), 5 searches in any second,
    /// 650,000 a day. Salesforce: 100,000 calls a day, 25 requests running for 20 s or more.
    Vendor,
}
