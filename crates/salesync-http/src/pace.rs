//! Keeps each class of requests below what the vendor permits, and still when it says that we are too fast.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use salesync_core::error::{Code, Error, Result};
use salesync_core::retry::LONGEST_WAIT;
use tokio::time::{Instant, sleep_until};

use crate::settings::{Limit, LimitClass};

/// How far below the permitted rate we stay.
const HEADROOM: f64 = 0.985;
/// How much closer together than they were sent the first and the last request of a limit's time may arrive.
const JITTER: Duration = Duration::from_millis(30);
/// How much of what [`HEADROOM`] leaves may make up for turns that were taken late, as a share of the limit's time.
const LATENESS: f64 = 0.0075;

/// The pace of all classes of one credential. A class without a limit only stands still when it is told to.
#[derive(Debug)]
pub(crate) struct Pace {
    classes: Mutex<HashMap<LimitClass, Arc<Gate>>>,
}

/// One class: evenly spaced turns, without a burst. A turn takes as many intervals as it costs units.
///
/// With `interval = per / (0.985 · permitted)` or more, a stretch of `per` holds at most `cost + 0.985 · permitted` units,
/// rounded down: never more than `permitted`, wherever it begins, as long as no turn costs more than 1.5 % of it.
///
/// Whoever waits for a turn wakes a little late on a busy machine. The next turn is counted from when this one could
/// have been taken, if that is no longer ago than `slack`; which is at most one interval and half of what is left
/// below the limit, so that the sentence above holds.
#[derive(Debug, Default)]
struct Gate {
    interval: Duration,
    slack: Duration,
    /// Callers stand in line here, so that they go in the order in which they came.
    line: tokio::sync::Mutex<()>,
    opens: Mutex<Option<Instant>>,
}

impl Pace {
    pub(crate) fn new(limits: &[Limit]) -> Result<Self> {
        let mut classes = HashMap::new();
        for limit in limits {
            if limit.permitted == 0 || limit.per.is_zero() {
                return Err(
                    Error::new(Code::ConfigInvalid, "set a limit").with("class", limit.class.0)
                );
            }
            let interval = limit.per.div_f64(HEADROOM).max(limit.per + JITTER) / limit.permitted;
            let gate = Gate {
                interval,
                slack: interval.min(limit.per.mul_f64(LATENESS)),
                ..Gate::default()
            };
            classes.insert(limit.class, Arc::new(gate));
        }
        Ok(Self {
            classes: Mutex::new(classes),
        })
    }

    /// Waits for the class's next turn and returns how long that took; the turn takes `cost` units. A wait above a
    /// minute, which only the source can have asked for, is an error.
    pub(crate) async fn turn(&self, class: LimitClass, cost: u32) -> Result<Duration> {
        let gate = self.gate(class);
        let came = Instant::now();
        let _place = gate.line.lock().await;
        loop {
            let now = Instant::now();
            match gate.try_pass(now, cost) {
                None => return Ok(now.duration_since(came)),
                Some(opens) if opens.duration_since(now) > LONGEST_WAIT => {
                    let wait = opens.duration_since(now);
                    return Err(Error::new(Code::SourceRateLimited, "wait for the source")
                        .with("class", class.0)
                        .after(wait));
                }
                Some(opens) => sleep_until(opens).await,
            }
        }
    }

    /// Holds the whole class back for `wait`, because the source said so.
    pub(crate) fn hold(&self, class: LimitClass, wait: Duration) {
        let gate = self.gate(class);
        let until = Instant::now() + wait;
        let mut opens = gate.opens.lock().unwrap_or_else(PoisonError::into_inner);
        *opens = Some(opens.map_or(until, |opens| opens.max(until)));
    }

    fn gate(&self, class: LimitClass) -> Arc<Gate> {
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(classes.entry(class).or_default())
    }
}

impl Gate {
    /// Takes the turn if the gate is open at `now`; otherwise says when it opens.
    fn try_pass(&self, now: Instant, cost: u32) -> Option<Instant> {
        let mut opens = self.opens.lock().unwrap_or_else(PoisonError::into_inner);
        match *opens {
            Some(then) if then > now => Some(then),
            then => {
                let earliest = now.checked_sub(self.slack).unwrap_or(now);
                let counts_from = then.map_or(now, |then| then.max(earliest));
                *opens = Some(counts_from + self.interval.saturating_mul(cost));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: LimitClass = LimitClass("search");

    fn pace(permitted: u32, per_ms: u64) -> Pace {
        Pace::new(&[Limit {
            class: CLASS,
            permitted,
            per: Duration::from_millis(per_ms),
        }])
        .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_ever_holds_more_than_permitted_and_little_is_given_away() {
        for (permitted, per_ms) in [
            (1, 1_000),
            (5, 1_000),
            (190, 10_000),
            (100, 10_000),
            (20, 60_000),
        ] {
            let pace = pace(permitted, per_ms);
            let calls = usize::try_from(permitted).unwrap() * 6;
            let start = Instant::now();
            let turn = async |_| {
                pace.turn(CLASS, 1).await.unwrap();
                Instant::now()
            };
            let mut turns = futures::future::join_all((0..calls).map(turn)).await;
            turns.sort();
            let per = Duration::from_millis(per_ms);
            for (index, first) in turns.iter().enumerate() {
                let window = turns[index..]
                    .iter()
                    .take_while(|turn| **turn - *first <= per);
                assert!(window.count() <= usize::try_from(permitted).unwrap());
            }
            // Six windows' worth of calls takes no more than 5 % longer than permitted.
            assert!(start.elapsed() <= per.mul_f64(6.0 * 1.05), "{permitted}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn turns_of_many_units_keep_to_the_same_limit() {
        for (permitted, cost) in [(6_000, 80), (15_000, 225)] {
            let pace = pace(permitted, 60_000);
            let per = Duration::from_secs(60);
            let start = Instant::now();
            let mut turns = Vec::new();
            while start.elapsed() < per * 4 {
                pace.turn(CLASS, cost).await.unwrap();
                turns.push(Instant::now());
            }
            for (index, first) in turns.iter().enumerate() {
                let window = turns[index..]
                    .iter()
                    .take_while(|turn| **turn - *first < per);
                assert!(u32::try_from(window.count()).unwrap() * cost <= permitted);
            }
            let spent = u32::try_from(turns.len()).unwrap() * cost;
            assert!(f64::from(spent) >= f64::from(permitted) * 4.0 * 0.97);
        }
    }

    #[test]
    fn turns_taken_late_are_made_up_for_and_no_window_holds_more_for_it() {
        let mut seed = 7_u64;
        let mut below = |end: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005) + 1;
            (seed >> 33) % end
        };
        // Up to four milliseconds late at each turn, and in the second half now and then by a second.
        for (permitted, per_ms, costs, pauses) in [
            (5_u32, 1_000, [1, 1], false),
            (20, 1_000, [1, 1], false),
            (190, 10_000, [1, 1], false),
            (15_000, 60_000, [5, 225], false),
            (20, 1_000, [1, 1], true),
            (190, 10_000, [1, 1], true),
            (6_000, 60_000, [1, 80], true),
        ] {
            let pace = pace(permitted, per_ms);
            let gate = pace.gate(CLASS);
            let (per, start) = (Duration::from_millis(per_ms), Instant::now());
            let (mut now, mut turns) = (start, Vec::new());
            while now < start + per * 40 {
                let cost = costs[usize::from(below(2) == 1)];
                while let Some(opens) = gate.try_pass(now, cost) {
                    let is_paused = pauses && below(100) == 0;
                    now = opens + Duration::from_millis(below(if is_paused { 1_000 } else { 5 }));
                }
                turns.push((now, cost));
            }
            for (index, (first, _)) in turns.iter().enumerate() {
                let window = turns[index..].iter();
                let window = window.take_while(|(turn, _)| *turn - *first < per);
                let spent: u32 = window.map(|(_, cost)| cost).sum();
                assert!(spent <= permitted, "{spent} of {permitted}");
            }
            let spent: u32 = turns.iter().map(|(_, cost)| cost).sum();
            let share = f64::from(spent) / f64::from(permitted * 40);
            let (jitter, per) = (JITTER.as_secs_f64(), per.as_secs_f64());
            let least = 0.98_f64.min(per / (per + jitter) - 0.005);
            assert!(pauses || share >= least, "{share} of {permitted}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_class_waits_as_a_whole_and_other_classes_do_not() {
        let pace = pace(100, 1_000);
        let start = Instant::now();
        pace.hold(CLASS, Duration::from_secs(7));
        pace.turn(LimitClass("other"), 1).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        let waited = pace.turn(CLASS, 1).await.unwrap();
        assert!(waited >= Duration::from_secs(7) && start.elapsed() >= Duration::from_secs(7));
        // One without a limit as well.
        pace.hold(LimitClass("other"), Duration::from_secs(7));
        let waited = pace.turn(LimitClass("other"), 1).await.unwrap();
        assert!(waited >= Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_above_a_minute_is_not_waited_for() {
        let pace = pace(100, 1_000);
        pace.hold(CLASS, Duration::from_secs(3_600));
        let error = pace.turn(CLASS, 1).await.unwrap_err();
        assert_eq!(error.code(), Code::SourceRateLimited);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    }

    #[test]
    fn a_limit_that_permits_nothing_is_refused() {
        let limit = Limit {
            class: CLASS,
            permitted: 0,
            per: Duration::from_secs(1),
        };
        assert_eq!(Pace::new(&[limit]).unwrap_err().code(), Code::ConfigInvalid);
    }
}
