//! What the server itself remembers: requests, faults to come, tokens, calls used.

use super::fault::Faults;
use super::log::Log;
use super::logins::Logins;
use super::meter::Meter;
use super::pace::Paces;
use crate::SandboxConfig;
use crate::clock::millis;
use crate::dialpad::DialpadDesk;
use crate::gmail::MailDesk;

/// What the server itself remembers.
#[derive(Debug)]
pub(crate) struct Desk {
    /// The requests seen.
    pub(crate) log: Log,
    /// The faults to come.
    pub(crate) faults: Faults,
    /// The tokens given out.
    pub(crate) logins: Logins,
    /// The calls used.
    pub(crate) meter: Meter,
    /// How fast the vendors were asked.
    pub(crate) paces: Paces,
    /// What Gmail's side remembers.
    pub(crate) gmail: MailDesk,
    /// What Dialpad's side remembers.
    pub(crate) dialpad: DialpadDesk,
}

impl Desk {
    /// Starts with nothing seen and nothing used.
    pub(crate) fn new(config: &SandboxConfig) -> Self {
        Self {
            log: Log::default(),
            faults: Faults::default(),
            logins: Logins::new(millis(config.token_ttl)),
            meter: Meter::new(config.limits),
            paces: Paces::default(),
            gmail: MailDesk::new(config),
            dialpad: DialpadDesk::new(config),
        }
    }
}
