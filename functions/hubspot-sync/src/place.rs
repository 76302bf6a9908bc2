//! Where in an account's records a stream stands between two pages.

use std::time::Duration;

use salesync_core::ledger::Window;
use salesync_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How much of the time before the last complete instant is read once more. HubSpot's search sees a change
/// only after a while; other readers of this API were bitten by several minutes.
pub(crate) const OVERLAP: Duration = Duration::from_secs(10 * 60);

/// The earliest instant in a filter: HubSpot answers a filter from 1970-01-01T00:00:00Z with an error 500.
pub(crate) const EARLIEST: Timestamp = Timestamp::from_millis(1_000);

/// How far before a window's end a stream counts as complete: one second for the rounding of the end, one for
/// the rounding of the clock.
const SLACK: Duration = Duration::from_secs(2);

/// One millisecond: the step of HubSpot's change times.
const STEP: Duration = Duration::from_millis(1);

/// A place inside an unfinished listing, window or sweep.
///
/// ```text
/// nothing ─▶ Listing ─▶ Changed ⇄ Draining ─▶ Archived ─▶ between windows
///                          ▲                                    │
///                          └────────────────────────────────────┘
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub(crate) enum Place {
    /// In the listing of all records, by id.
    Listing {
        /// HubSpot's token of the next page; `None` at the first.
        after: Option<String>,
        /// When the listing began.
        started: Timestamp,
    },
    /// In a window of changes, by change time.
    Changed {
        /// The window's beginning.
        lo: Timestamp,
        /// The window's end.
        hi: Timestamp,
        /// The change time that the next page begins with.
        from: Timestamp,
    },
    /// In the records of one millisecond of a window, by id, because they fill more than a page.
    Draining {
        /// The window's beginning.
        lo: Timestamp,
        /// The window's end.
        hi: Timestamp,
        /// The millisecond.
        time: Timestamp,
        /// The last id that was delivered.
        last_id: u64,
    },
    /// In the listing of archived records, by id.
    Archived {
        /// HubSpot's token of the next page; `None` at the first.
        after: Option<String>,
        /// How far the stream is complete when the sweep has ended.
        complete_to: Timestamp,
    },
}

impl Place {
    /// Returns the beginning of a listing of everything.
    pub(crate) fn listing(now: Timestamp) -> Self {
        Self::Listing {
            after: None,
            started: now,
        }
    }

    /// Returns the beginning of a window of what changed since `complete_to`.
    pub(crate) fn window(complete_to: Timestamp, now: Timestamp) -> Self {
        let lo = whole_millis(complete_to.minus(OVERLAP)).max(EARLIEST);
        Self::Changed {
            lo,
            hi: end_of(now),
            from: lo,
        }
    }

    /// Returns the place after a window that ends at `hi`.
    pub(crate) fn after_window(hi: Timestamp) -> Self {
        Self::Archived {
            after: None,
            complete_to: Self::complete_after(hi),
        }
    }

    /// Returns how far a stream is complete when everything up to `hi`, the end of a window, was read.
    pub(crate) fn complete_after(hi: Timestamp) -> Timestamp {
        hi.minus(SLACK)
    }

    /// Returns the place after the millisecond `time` of a window.
    pub(crate) fn after_millisecond(window: Window, time: Timestamp) -> Self {
        let from = time.plus(STEP);
        if from > window.hi {
            return Self::after_window(window.hi);
        }
        Self::Changed {
            lo: window.lo,
            hi: window.hi,
            from,
        }
    }

    /// Returns whether a sweep that makes the stream complete up to `complete_to` covers all that had changed
    /// at `instant`.
    pub(crate) fn covers(complete_to: Timestamp, instant: Timestamp) -> bool {
        complete_to.plus(SLACK) >= instant
    }
}

/// Returns the end of a window that is opened now: the next whole second, since the source's clock is known to
/// the second. What changes in that second is read once more by the overlap.
pub(crate) fn end_of(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.secs().saturating_add(1).saturating_mul(1_000))
}

/// Returns the instant at the beginning of its millisecond.
pub(crate) fn whole_millis(instant: Timestamp) -> Timestamp {
    Timestamp::from_millis(instant.millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_window_reaches_back_by_the_overlap_and_never_to_the_epoch() {
        let hour = at(3_600_000);
        assert_eq!(
            Place::window(hour, at(7_200_400)),
            Place::Changed {
                lo: at(3_000_000),
                hi: at(7_201_000),
                from: at(3_000_000)
            }
        );
        assert_eq!(
            Place::window(Timestamp::EPOCH, at(5_000)),
            Place::Changed {
                lo: at(1_000),
                hi: at(6_000),
                from: at(1_000)
            }
        );
    }

    #[test]
    fn a_window_that_was_opened_after_an_instant_covers_it() {
        for millis in [7_200_000, 7_200_001, 7_200_999] {
            let opened = at(millis);
            let Place::Archived { complete_to, .. } = Place::after_window(end_of(opened)) else {
                panic!()
            };
            assert!(Place::covers(complete_to, opened));
            assert!(complete_to < opened);
            assert!(!Place::covers(
                complete_to,
                opened.plus(Duration::from_millis(1_001))
            ));
        }
    }

    #[test]
    fn a_place_is_stored_and_read_back_unchanged() {
        let places = [
            Place::listing(at(1)),
            Place::Listing {
                after: Some("x".to_owned()),
                started: at(1),
            },
            Place::window(at(1), at(2)),
            Place::Draining {
                lo: at(1),
                hi: at(9),
                time: at(5),
                last_id: u64::MAX,
            },
            Place::after_window(at(5)),
        ];
        for place in places {
            let text = serde_json::to_string(&place).unwrap();
            assert_eq!(
                serde_json::from_str::<Place>(&text).unwrap(),
                place,
                "{text}"
            );
        }
    }

    #[test]
    fn after_the_last_millisecond_the_window_is_over() {
        let window = Window {
            lo: at(1),
            hi: at(9),
        };
        assert_eq!(
            Place::after_millisecond(window, at(8)),
            Place::Changed {
                lo: at(1),
                hi: at(9),
                from: at(9)
            }
        );
        assert_eq!(
            Place::after_millisecond(window, at(9)),
            Place::after_window(at(9))
        );
    }
}
