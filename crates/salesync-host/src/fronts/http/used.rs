//! Triggers that were used: each is good for one run.
//!
//! They are kept in this process until they would be refused anyway, [`MOST`] at most. A service that has one instance
//! thus refuses a replay until it is started anew; what a replay after that can cost is one more run, which changes
//! nothing that the first has written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use salesync_core::error::{Code, Error, Result};
use salesync_core::time::Timestamp;
use sha2::{Digest as _, Sha256};

/// So many are kept; where there are more, those that end first are forgotten.
const MOST: usize = 10_000;

/// What a trigger is known by: a hash, so that no token is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mark([u8; 32]);

impl Mark {
    /// Returns the mark of some texts in their order.
    pub(super) fn of(texts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update(text.len().to_string().as_bytes());
            hash.update(b":");
            hash.update(text);
        }
        Self(hash.finalize().into())
    }

    /// Returns the hash.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A mark and when it need not be kept any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Until {
    pub(super) mark: Mark,
    pub(super) end: Timestamp,
}

impl Until {
    /// Returns a mark that is kept for an hour: schedulers and queues try no longer than that.
    pub(super) fn an_hour(mark: Mark, now: Timestamp) -> Self {
        let end = now.plus(Duration::from_secs(3_600));
        Self { mark, end }
    }
}

/// The triggers that were used.
#[derive(Debug, Default)]
pub(super) struct Used(Mutex<HashMap<Mark, Timestamp>>);

impl Used {
    /// Uses a trigger that is known by these marks.
    ///
    /// # Errors
    /// [`Code::RunDuplicateTrigger`] where one of them was used before; none is used then.
    pub(super) fn take(&self, marks: &[Until], now: Timestamp) -> Result<()> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_used = |until: &Until| used.get(&until.mark).is_some_and(|end| *end > now);
        if marks.iter().any(is_used) {
            return Err(Error::new(Code::RunDuplicateTrigger, "take a trigger"));
        }
        if used.len() + marks.len() > MOST {
            used.retain(|_, end| *end > now);
        }
        while used.len() + marks.len() > MOST {
            let first = used.iter().min_by_key(|(_, end)| **end);
            let Some(first) = first.map(|(mark, _)| *mark) else {
                break;
            };
            used.remove(&first);
        }
        used.extend(marks.iter().map(|until| (until.mark, until.end)));
        Ok(())
    }

    /// Takes it back that a trigger was used: nothing came of it, and it may come again.
    pub(super) fn forget(&self, marks: &[Until]) {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for until in marks {
            used.remove(&until.mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_secs(secs))
    }

    fn until(number: usize, end: u64) -> Until {
        Until {
            mark: Mark::of(&[number.to_string().as_bytes()]),
            end: at(end),
        }
    }

    #[test]
    fn a_trigger_is_used_once_until_it_has_ended() {
        let used = Used::default();
        used.take(&[until(1, 10)], at(0)).unwrap();
        let error = used.take(&[until(2, 10), until(1, 10)], at(9)).unwrap_err();
        assert_eq!(error.code(), Code::RunDuplicateTrigger);
        used.take(&[until(2, 20)], at(9)).unwrap();
        used.take(&[until(1, 30)], at(10)).unwrap();
        used.forget(&[until(1, 30)]);
        used.take(&[until(1, 30)], at(11)).unwrap();
    }

    #[test]
    fn so_many_are_kept_and_no_more() {
        let used = Used::default();
        for number in 0..MOST {
            let end = 1_000 + u64::try_from(number).unwrap();
            used.take(&[until(number, end)], at(0)).unwrap();
        }
        used.take(&[until(MOST, 90_000)], at(0)).unwrap();
        assert!(used.take(&[until(1, 90_000)], at(0)).is_err(), "it is kept");
        used.take(&[until(0, 90_000)], at(0)).unwrap();
    }

    #[test]
    fn where_one_text_ends_and_the_next_begins_counts() {
        assert_ne!(Mark::of(&[b"ab", b"c"]), Mark::of(&[b"a", b"bc"]));
    }
}
