//! What the server remembers of Gmail's callers: tokens, units, failures to come.

use std::collections::HashMap;

use super::units::Units;
use crate::SandboxConfig;

/// What a token lets its bearer see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Headers and labels: `gmail.metadata`, alone or beside others.
    Metadata,
    /// Bodies as well: `gmail.readonly`.
    Bodies,
}

/// What a token was given out for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    /// Place of the mailbox; none if the service account asked for itself.
    pub(crate) place: Option<usize>,
    /// What it lets its bearer see.
    pub(crate) reach: Reach,
}

/// A failure of calls inside batches.
#[derive(Debug)]
struct PartFailure {
    status: u16,
    reason: String,
    matching: String,
    left: usize,
}

/// What the server remembers of Gmail's callers.
#[derive(Debug)]
pub(crate) struct MailDesk {
    /// The units used.
    pub(crate) units: Units,
    /// Whether the user has taken back what the refresh token was for.
    pub(crate) refresh_revoked: bool,
    grants: HashMap<String, Grant>,
    failures: Vec<PartFailure>,
    served: u64,
}

impl MailDesk {
    /// Starts with nothing seen and nothing used.
    pub(crate) fn new(config: &SandboxConfig) -> Self {
        Self {
            units: Units::new(config.limits, config.gmail_quota),
            refresh_revoked: false,
            grants: HashMap::new(),
            failures: Vec::new(),
            served: 0,
        }
    }

    /// Notes what a token is for.
    pub(crate) fn grant(&mut self, token: String, grant: Grant) {
        self.grants.insert(token, grant);
    }

    /// Says what a token is for.
    pub(crate) fn granted(&self, token: &str) -> Option<Grant> {
        self.grants.get(token).copied()
    }

    /// A number that never comes again.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.served = self.served.wrapping_add(1);
        self.served
    }

    /// Lets the next `times` matching calls inside batches fail.
    pub(crate) fn fail_parts(&mut self, problem: (u16, &str), matching: &str, times: usize) {
        if times > 0 {
            self.failures.push(PartFailure {
                status: problem.0,
                reason: problem.1.to_owned(),
                matching: matching.to_owned(),
                left: times,
            });
        }
    }

    /// Takes the failure of a call inside a batch.
    pub(crate) fn take_failure(&mut self, target: &str) -> Option<(u16, String)> {
        let place = self
            .failures
            .iter()
            .position(|failure| target.contains(&failure.matching))?;
        let failure = self.failures.get_mut(place)?;
        let taken = (failure.status, failure.reason.clone());
        failure.left = failure.left.saturating_sub(1);
        if failure.left == 0 {
            self.failures.remove(place);
        }
        Some(taken)
    }

    /// Takes all failures back.
    pub(crate) fn clear_failures(&mut self) {
        self.failures.clear();
    }
}
