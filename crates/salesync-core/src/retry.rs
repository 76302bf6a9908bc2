//! Decides when to try again: full jitter, a floor that the source names, a budget per run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::RngExt;

use crate::time::Timestamp;

/// How often one call is tried again.
pub const MAX_RETRIES: u32 = 3;
/// A wait longer than this is not waited for: the run ends and a later one goes on.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Returns how long to wait before retry number `retry` (0, 1, 2, …): a random time up to 1, 2, 4, … s
/// (at most 60), never less than what the source asked for, plus up to a tenth of that.
///
/// `None` where the source asks for more than [`LONGEST_WAIT`].
#[must_use]
pub fn wait_before(retry: u32, asked: Option<Duration>) -> Option<Duration> {
    let ceiling =
        Duration::from_secs(1_u64.checked_shl(retry.min(6)).unwrap_or(64)).min(LONGEST_WAIT);
    let jittered = ceiling.mul_f64(rand::rng().random_range(0.0..1.0));
    match asked {
        None => Some(jittered),
        Some(asked) if asked > LONGEST_WAIT => None,
        Some(asked) => Some(jittered.max(asked.mul_f64(1.0 + rand::rng().random_range(0.0..0.1)))),
    }
}

/// Reads a `Retry-After` header: seconds or an HTTP date. Anything else is no wait.
#[must_use]
pub fn parse_retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        return header.parse().ok().map(Duration::from_secs);
    }
    let date = chrono::DateTime::parse_from_rfc2822(header).ok()?;
    Some(Timestamp::from(date.to_utc()).since(now))
}

/// How many retries a run may spend: ten, and one more for every ten calls that went well.
#[derive(Debug, Default)]
pub struct Budget {
    went_well: AtomicU64,
    spent: AtomicU64,
}

impl Budget {
    /// Notes a call that went well.
    pub fn earn(&self) {
        self.went_well.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one retry out of the budget, and says whether there was one.
    #[must_use]
    pub fn spend(&self) -> bool {
        let allowed = 10 + self.went_well.load(Ordering::Relaxed) / 10;
        self.spent
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| {
                (spent < allowed).then_some(spent + 1)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_lies_between_the_floor_and_the_ceiling() {
        for retry in 0..40 {
            let wait = wait_before(retry, None).unwrap();
            assert!(wait <= Duration::from_secs(1 << retry.min(6)).min(LONGEST_WAIT));
            let asked = Duration::from_secs(7);
            assert!(wait_before(retry, Some(asked)).unwrap() >= asked);
        }
        assert_eq!(wait_before(0, Some(Duration::from_secs(61))), None);
    }

    #[test]
    fn a_retry_after_header_is_seconds_or_a_date_and_nothing_else() {
        let now = Timestamp::from_millis(784_111_777_000);
        let cases = [
            ("5", Some(5)),
            (" 12 ", Some(12)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(0)),
            ("-1", None),
            ("", None),
            ("soon", None),
            ("99999999999999999999", None),
        ];
        for (header, secs) in cases {
            assert_eq!(
                parse_retry_after(header, now),
                secs.map(Duration::from_secs),
                "{header}"
            );
        }
    }

    #[test]
    fn the_budget_is_ten_and_a_tenth_of_what_went_well() {
        let budget = Budget::default();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
        (0..50).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 5);
    }
}
