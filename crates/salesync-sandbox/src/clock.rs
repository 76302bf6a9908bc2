//! The sandbox's clock: real time plus an offset that only grows.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// Real time plus an offset.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// Gives the sandbox's time in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        real_ms().saturating_add(self.offset_ms.load(Ordering::Relaxed))
    }

    /// Moves the clock ahead.
    pub(crate) fn advance(&self, by: Duration) {
        self.offset_ms.fetch_add(millis(by), Ordering::Relaxed);
    }
}

/// Gives a duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Gives an instant as a date and time; absurd values become 1970.
pub(crate) fn date_time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox plays the vendor, who owns a clock"
)]
fn real_ms() -> i64 {
    Utc::now().timestamp_millis()
}
