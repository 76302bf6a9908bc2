//! What a sandbox is started with. Every setting has a default that suits a test.

use std::time::Duration;

/// How a [`crate::Sandbox`] is started.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Records over HubSpot and Salesforce together, about: HubSpot contacts 30 %, companies 8 %, deals
    /// 12 %; Salesforce contacts 22 %, leads 5 %, accounts 8 %, opportunities 15 %. On top come
    /// owners and users (a dozen each) and activities: HubSpot calls 2.5 %, emails 3.5 %, meetings
    /// 1.5 %, notes 1.5 %, tasks 1 %; Salesforce tasks 4 %, events 2 %.
    pub records: usize,
    /// Mailboxes at Gmail: those of so many of our own team.
    pub mailboxes: usize,
    /// Different messages at Gmail; none means half of `records`, at most 20,000. Without records
    /// there are none.
    pub messages: Option<usize>,
    /// What Gmail's methods cost.
    pub gmail_quota: GmailQuota,
    /// Conversations that Dialpad knows of, of one or more calls each; none means a twentieth of
    /// `records`, at most 5,000. Without records there are none.
    pub calls: Option<usize>,
    /// The same seed gives the same people, companies and ids; only times follow the start.
    pub seed: u64,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Whether the vendors' limits are enforced.
    pub limits: Limits,
    /// How long an access token or a session lives; Gmail's live twice as long, an hour by default.
    pub token_ttl: Duration,
    /// How long after its change a HubSpot record becomes visible in search.
    pub index_lag: Duration,
    /// Added to each answer.
    pub latency: Duration,
    /// One request in so many is told to come back in two seconds; none means none.
    pub disturb: Option<u64>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            records: 2_000,
            mailboxes: 6,
            messages: None,
            gmail_quota: GmailQuota::Legacy,
            calls: None,
            seed: 7,
            port: 0,
            limits: Limits::Off,
            token_ttl: Duration::from_secs(30 * 60),
            index_lag: Duration::ZERO,
            latency: Duration::ZERO,
            disturb: None,
        }
    }
}

/// What Gmail's methods cost, and how many units a mailbox has per minute. A project has 1,200,000
/// units per minute either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GmailQuota {
    /// Projects that used the API before May 2026: 15,000 units; a message costs 5, a thread 10.
    Legacy,
    /// New projects: 6,000 units; a message costs 20, a thread 40.
    New,
}

/// Whether the vendors' limits are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// Nothing is refused for being too much; the rate headers are still sent.
    Off,
    /// HubSpot: 190 requests in any 10 s (110 for a refreshed token), 5 searches in any second,
    /// 650,000 a day. Salesforce: 100,000 calls a day, 25 requests running for 20 s or more.
    /// Gmail: quota units per minute for each mailbox ([`GmailQuota`]) and for the project.
    /// Dialpad: 20 requests in any second and 1,200 in any minute, of these 10 for single calls
    /// and 12 for recaps; 200 exports in any hour.
    Vendor,
}
