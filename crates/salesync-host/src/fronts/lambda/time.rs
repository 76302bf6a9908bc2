//! How much time an invocation has left, as the platform says; it may say nothing of use.

use std::time::Duration;

use salesync_core::time::Timestamp;

/// So much of the time is for the last commit and the answer, at most.
const RESERVE: Duration = Duration::from_secs(60);
/// Less than this, and nothing new is begun.
const LEAST: Duration = Duration::from_secs(15);

/// The time until an invocation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeLeft {
    deadline_ms: u64,
}

impl TimeLeft {
    /// Returns the time until a deadline, in milliseconds since 1970.
    pub(super) fn until(deadline_ms: u64) -> Self {
        Self { deadline_ms }
    }

    /// Returns how long a sync may read from now on, `None` where the deadline says nothing.
    ///
    /// | the invocation ends in | reading ends after |
    /// |---|---|
    /// | 900 s | 840 s |
    /// | 40 s | 30 s |
    /// | the past: an emulator's deadline is a constant | not said |
    pub(super) fn to_read(self, now: Timestamp) -> Option<Duration> {
        let left = self.left(now)?;
        Some(left - RESERVE.min(left / 4))
    }

    /// Returns whether there is time to begin something.
    pub(super) fn suffices(self, now: Timestamp) -> bool {
        self.left(now).is_none_or(|left| left >= LEAST)
    }

    fn left(self, now: Timestamp) -> Option<Duration> {
        let now_ms = u64::try_from(now.millis()).ok()?;
        let left_ms = self.deadline_ms.checked_sub(now_ms)?;
        (left_ms > 0).then(|| Duration::from_millis(left_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment in 2026.
    const NOW_MS: i64 = 1_795_700_000_000;

    fn at(ahead_ms: i64) -> (TimeLeft, Timestamp) {
        let deadline_ms = u64::try_from(NOW_MS + ahead_ms).unwrap();
        (TimeLeft::until(deadline_ms), Timestamp::from_millis(NOW_MS))
    }

    #[test]
    fn reading_ends_before_the_invocation_does() {
        let cases = [
            (900_000, 840_000),
            (540_000, 480_000),
            (40_000, 30_000),
            (4, 3),
        ];
        for (ahead_ms, expected_ms) in cases {
            let (time, now) = at(ahead_ms);
            assert_eq!(time.to_read(now), Some(Duration::from_millis(expected_ms)));
        }
    }

    #[test]
    fn a_deadline_that_has_long_passed_says_nothing_and_stops_nothing() {
        for time in [
            TimeLeft::until(600_000),
            TimeLeft::until(0),
            at(-1).0,
            at(0).0,
        ] {
            let now = Timestamp::from_millis(NOW_MS);
            assert_eq!(time.to_read(now), None);
            assert!(time.suffices(now));
        }
    }

    #[test]
    fn nothing_is_begun_that_could_not_commit() {
        let (time, now) = at(14_999);
        assert!(!time.suffices(now));
        let (time, now) = at(15_000);
        assert!(time.suffices(now));
    }
}
