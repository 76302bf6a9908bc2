//! Stops asking a source that fails every time.

use std::sync::atomic::{AtomicU32, Ordering};

use salesync_core::error::{Code, Error, Result};

/// How many failures in a row open it.
const FAILURES: u32 = 5;

/// Opens after five failed attempts in a row and stays open: the run is over, a later one tries again.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: AtomicU32,
}

impl Breaker {
    /// Returns whether a call may be made.
    pub(crate) fn check(&self, operation: &'static str) -> Result<()> {
        if !self.is_open() {
            return Ok(());
        }
        Err(Error::new(Code::SourceBreakerOpen, operation).with("failures", FAILURES))
    }

    /// Returns whether it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= FAILURES
    }

    /// Notes that the source failed.
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the source is alive, whatever it answered. An open breaker stays open.
    pub(crate) fn alive(&self) {
        let below = |failures| (failures < FAILURES).then_some(0);
        // Where nothing is updated it is open, which is how it stays.
        let _before = self
            .failures
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, below);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it_for_good_and_one_answer_between_starts_the_count_anew() {
        let breaker = Breaker::default();
        (0..4).for_each(|_| breaker.failed());
        breaker.alive();
        (0..4).for_each(|_| breaker.failed());
        assert!(breaker.check("call").is_ok());
        breaker.failed();
        assert_eq!(
            breaker.check("call").unwrap_err().code(),
            Code::SourceBreakerOpen
        );
        breaker.alive();
        assert!(breaker.check("call").is_err());
    }
}
