//! The source's clock, as far as its answers tell.

use std::sync::{Mutex, PoisonError};

use salesync_core::time::Timestamp;
use tokio::time::Instant;

/// The newest `Date` header, carried on by our own steady clock.
///
/// The header has whole seconds, cut off, and travels to us: so this clock is behind the source's by up to
/// one second and one way of the answer, and never ahead of it. Once the source has answered, it never goes
/// back, also where the hosts behind one name disagree about the time.
#[derive(Debug)]
pub(crate) struct SourceClock {
    run: Timestamp,
    anchor: Mutex<Option<(Timestamp, Instant)>>,
}

impl SourceClock {
    pub(crate) fn new(run: Timestamp) -> Self {
        Self {
            run,
            anchor: Mutex::new(None),
        }
    }

    /// Takes note of a `Date` header; one that can't be read says nothing.
    pub(crate) fn note(&self, date: &str) {
        let Ok(date) = chrono::DateTime::parse_from_rfc2822(date) else {
            return;
        };
        let (date, now) = (Timestamp::from(date.to_utc()), Instant::now());
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newer = anchor.is_none_or(|(then, at)| then.plus(now.duration_since(at)) < date);
        if is_newer {
            *anchor = Some((date, now));
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let anchor = *self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        anchor.map_or(self.run, |(then, at)| then.plus(at.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_is_the_sources_runs_on_and_never_goes_back() {
        let clock = SourceClock::new(Timestamp::from_millis(5));
        clock.note("yesterday");
        assert_eq!(clock.now(), Timestamp::from_millis(5));
        clock.note("Sun, 06 Nov 1994 08:49:37 GMT");
        tokio::time::advance(Duration::from_millis(2_500)).await;
        assert_eq!(clock.now(), Timestamp::from_millis(784_111_779_500));
        clock.note("Sun, 06 Nov 1994 08:49:39 GMT");
        assert_eq!(clock.now(), Timestamp::from_millis(784_111_779_500));
        clock.note("Sun, 06 Nov 1994 08:49:41 GMT");
        assert_eq!(clock.now(), Timestamp::from_millis(784_111_781_000));
    }
}
