//! What each method costs in quota units, and how many units a mailbox and a project are permitted. Google's
//! page on quotas of 1 May 2026: projects that used the API between November 2025 and April 2026 keep the old
//! prices.

use std::time::Duration;

use salesync_http::{Limit, LimitClass};

/// Every request takes units of the mailbox and of the project.
pub(crate) const UNITS: LimitClass = LimitClass("units");

const MINUTE: Duration = Duration::from_secs(60);
/// What a project is permitted in any minute, under either model.
const PROJECT_PER_MINUTE: u32 = 1_200_000;

/// Which prices hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quota {
    /// Those of new projects.
    New,
    /// Those of projects that used the API before.
    Legacy,
}

impl Quota {
    pub(crate) const PROFILE: u32 = 1;
    pub(crate) const LABELS: u32 = 1;
    pub(crate) const HISTORY: u32 = 2;
    pub(crate) const LIST: u32 = 5;

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "new" => Some(Self::New),
            "legacy" => Some(Self::Legacy),
            _ => None,
        }
    }

    /// Returns what a message costs.
    pub(crate) fn message(self) -> u32 {
        match self {
            Self::New => 20,
            Self::Legacy => 5,
        }
    }

    /// Returns what a whole thread costs: two messages' worth, under either model.
    pub(crate) fn thread(self) -> u32 {
        self.message() * 2
    }

    /// Returns the most units of one batch: so few that the pace stays even (1.5 % of a minute's), and no more
    /// calls than Google advises.
    pub(crate) fn batch(self) -> u32 {
        match self {
            Self::New => 80,
            Self::Legacy => 225,
        }
    }

    /// Returns the limit of one mailbox.
    pub(crate) fn of_mailbox(self) -> Limit {
        let permitted = match self {
            Self::New => 6_000,
            Self::Legacy => 15_000,
        };
        Limit {
            class: UNITS,
            permitted,
            per: MINUTE,
        }
    }

    /// Returns the limit of all mailboxes together.
    pub(crate) fn of_project() -> Limit {
        Limit {
            class: UNITS,
            permitted: PROJECT_PER_MINUTE,
            per: MINUTE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_small_enough_for_an_even_pace_and_as_google_advises() {
        for quota in [Quota::New, Quota::Legacy] {
            let permitted = quota.of_mailbox().permitted;
            assert!(f64::from(quota.batch()) <= f64::from(permitted) * 0.015);
            assert!(quota.batch() / quota.message() <= 50);
            assert!(quota.batch() >= quota.thread());
        }
    }
}
