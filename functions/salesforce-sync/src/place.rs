//! Where in a window reading stands, and where it goes on: pure arithmetic over (time, id).

use std::time::Duration;

use salesync_core::cursor::Cursor;
use salesync_core::error::Result;
use salesync_core::ledger::Window;
use salesync_core::record::RawRecord;
use salesync_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decode::Fields;
use crate::page::Rows;
use crate::soql::Start;

/// How far before the end of the last window the next one begins. Long transactions commit with a stamp
/// from before; production readers of this API stay five minutes behind or re-read as much.
pub(crate) const OVERLAP: Duration = Duration::from_secs(5 * 60);
/// Change times have whole seconds, so the second in which a window was opened may still change.
const OPEN_TICK: Duration = Duration::from_secs(1);
const SECOND: Duration = Duration::from_secs(1);

/// A place inside a window, as it is stored in a cursor.
///
/// ```text
///  lo            time, id                hi
///  ├─ delivered ────┼─── still unread ────┤   hi = the clock at `opened`, rounded up
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The earliest change time of the window, or of the part of it that `reader` reads.
    lo: Timestamp,
    /// The latest change time of the window.
    hi: Timestamp,
    /// The source's clock when the window was opened.
    opened: Timestamp,
    /// Who reads: when its stream was opened. Another reader begins a part of its own.
    reader: Timestamp,
    /// Everything that changed before it, at or after `lo`, has been delivered.
    time: Timestamp,
    /// Of what changed at `time`, the ids up to this one have been delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// How much of the window one query asks for, where the service had no time for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stride_secs: Option<u64>,
}

/// What a page leaves to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its window has been read to the end.
    Finished,
    /// Reading goes on from here.
    GoOn(Place),
}

impl Place {
    /// Opens the window that follows `complete_to`, or the first one of all.
    pub(crate) fn open(
        complete_to: Option<Timestamp>,
        clock: Timestamp,
        reader: Timestamp,
    ) -> Self {
        let lo = complete_to.map_or(Timestamp::EPOCH, |complete_to| complete_to.minus(OVERLAP));
        let whole = Timestamp::from_micros(clock.secs().saturating_mul(1_000_000));
        let hi = if whole == clock {
            whole
        } else {
            whole.plus(SECOND)
        };
        Self {
            lo,
            hi: hi.max(lo),
            opened: clock,
            reader,
            time: lo,
            id: None,
            stride_secs: None,
        }
    }

    /// Returns the place as `reader` goes on from it, where another one left it.
    ///
    /// The part of the window that is still unread becomes a window of its own, so that its count can be
    /// proven: it begins with the whole second that the other one stopped in. Only where not even that
    /// second was finished by one reader does the next go on inside it.
    pub(crate) fn taken_over(mut self, reader: Timestamp) -> Self {
        if self.lo < self.time {
            self.id = None;
            self.lo = self.time;
        } else if self.id.is_some() {
            self.lo = self.time.plus(Duration::from_millis(1));
        }
        self.reader = reader;
        self
    }

    /// Returns whether `reader` has read from here before.
    pub(crate) fn is_of(&self, reader: Timestamp) -> bool {
        self.reader == reader
    }

    /// Returns whether the window was opened by its present reader, and so reaches up to the run's start.
    pub(crate) fn is_fresh(&self) -> bool {
        self.opened >= self.reader
    }

    /// Returns the window.
    pub(crate) fn window(&self) -> Window {
        Window {
            lo: self.lo,
            hi: self.hi,
        }
    }

    /// Returns where the next page begins.
    pub(crate) fn start(&self) -> Start<'_> {
        match &self.id {
            Some(id) => Start::After(self.time, id),
            None => Start::At(self.time),
        }
    }

    /// Returns the latest change time of the next page.
    pub(crate) fn end(&self) -> Timestamp {
        match self.stride_secs {
            Some(secs) => self.time.plus(Duration::from_secs(secs)).min(self.hi),
            None => self.hi,
        }
    }

    /// Returns the place with half as much of the window to be asked for; `None` where a second is left.
    pub(crate) fn narrowed(&self) -> Option<Self> {
        let half = self.end().since(self.time).as_secs() / 2;
        (half > 0).then(|| Self {
            stride_secs: Some(half),
            ..self.clone()
        })
    }

    /// Returns what is to be done after a page that was asked for with this LIMIT.
    pub(crate) fn after(&self, rows: &Rows, limit: usize) -> Step {
        let end = self.end();
        if rows.done && rows.sent < limit {
            if end == self.hi {
                return Step::Finished;
            }
            let stride_secs = self.stride_secs.map(|secs| secs.saturating_mul(2));
            return Step::GoOn(Self {
                time: end,
                id: None,
                stride_secs,
                ..self.clone()
            });
        }
        let keys = rows.records.iter().rev().filter_map(key);
        let last = keys
            .into_iter()
            .find(|(time, _)| (self.time..=end).contains(time));
        Step::GoOn(match last {
            Some((time, id)) => Self {
                time,
                id: Some(id),
                ..self.clone()
            },
            None => self.clone(),
        })
    }

    /// Returns the cursor inside the window. It claims what lies before the last record's time only, and
    /// never the second in which the window was opened.
    ///
    /// # Errors
    /// As [`Cursor::inside`].
    pub(crate) fn cursor(&self, complete_to: Timestamp) -> Result<Cursor> {
        let delivered = self
            .time
            .minus(Duration::from_micros(1))
            .min(self.finished());
        Cursor::inside(delivered.max(complete_to), self)
    }

    /// Returns what is complete when the window has been read to its end.
    pub(crate) fn finished(&self) -> Timestamp {
        self.opened.minus(OPEN_TICK)
    }
}

/// Returns change time and id of a good record.
fn key(raw: &RawRecord) -> Option<(Timestamp, String)> {
    let fields: Fields<'_> = raw.parse().ok()?;
    Some((fields.changed_at().ok()?, fields.key().ok()?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: Timestamp = Timestamp::from_millis(1_000_000_000);
    const CLOCK: Timestamp = Timestamp::from_millis(1_000_000_250);

    fn secs(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn rows(done: bool, records: &[(&str, &str)]) -> Rows {
        let records: Vec<_> = records
            .iter()
            .map(|(id, time)| {
                let text = format!(r#"{{"Id":{id},"SystemModstamp":"{time}"}}"#);
                RawRecord::new(text.into_bytes())
            })
            .collect();
        let sent = records.len();
        Rows {
            records,
            sent,
            total: 0,
            done,
            read_at: CLOCK,
        }
    }

    #[test]
    fn a_window_begins_with_the_overlap_and_ends_with_the_sources_clock() {
        let first = Place::open(None, CLOCK, READER);
        assert_eq!(
            first.window(),
            Window {
                lo: Timestamp::EPOCH,
                hi: secs(1_000_001)
            }
        );
        assert_eq!(first.start(), Start::At(Timestamp::EPOCH));
        let next = Place::open(Some(secs(900)), CLOCK, READER);
        assert_eq!(next.window().lo, secs(600));
        assert_eq!(
            Place::open(None, READER, READER).window().hi,
            secs(1_000_000)
        );
        assert_eq!(next.finished(), Timestamp::from_millis(999_999_250));
        assert!(next.is_fresh());
    }

    #[test]
    fn reading_goes_on_after_the_last_record_that_can_be_trusted() {
        let place = Place::open(Some(secs(900)), CLOCK, READER);
        let good = (r#""000000000000001AAA""#, "1970-01-01T00:15:00.000+0000");
        let poison = [
            ("null", "1970-01-01T00:16:00.000+0000"),
            (r#""000000000000002AAA""#, "9999-01-01T00:00:00.000+0000"),
            (r#""000000000000002AAA""#, "1969-01-01T00:00:00.000+0000"),
            (r#""000000000000002AAA""#, "soon"),
            (r#""x""#, "1970-01-01T00:16:00.000+0000"),
        ];
        for bad in poison {
            let Step::GoOn(next) = place.after(&rows(true, &[good, bad]), 2) else {
                panic!()
            };
            assert_eq!(
                next.start(),
                Start::After(secs(900), "000000000000001AAA"),
                "{bad:?}"
            );
            assert_eq!(
                place.after(&rows(true, &[bad]), 1),
                Step::GoOn(place.clone()),
                "{bad:?}"
            );
        }
        // A page that the service cut short does not end the window; a shorter one than the limit does.
        assert!(matches!(
            place.after(&rows(false, &[good]), 2_000),
            Step::GoOn(_)
        ));
        assert_eq!(place.after(&rows(true, &[good]), 2_000), Step::Finished);
        assert_eq!(place.after(&rows(true, &[]), 2_000), Step::Finished);
    }

    #[test]
    fn a_cursor_claims_only_what_lies_before_the_last_record() {
        let place = Place::open(Some(secs(900)), CLOCK, READER);
        let page = rows(
            true,
            &[(r#""000000000000001AAA""#, "1970-01-02T00:00:00.000+0000")],
        );
        let Step::GoOn(next) = place.after(&page, 1) else {
            panic!()
        };
        let cursor = next.cursor(secs(900)).unwrap();
        assert_eq!(
            cursor.complete_to(),
            Timestamp::from_micros(86_400_000_000 - 1)
        );
        assert_eq!(cursor.place::<Place>().unwrap(), Some(next.clone()));
        // What was complete before stays so.
        assert_eq!(place.cursor(secs(900)).unwrap().complete_to(), secs(900));
        let at_hi = Place {
            time: place.hi,
            ..next
        };
        assert_eq!(
            at_hi.cursor(secs(900)).unwrap().complete_to(),
            place.finished()
        );
    }

    #[test]
    fn another_reader_begins_with_the_second_the_last_one_stopped_in_and_then_moves_on_inside() {
        let place = Place::open(None, CLOCK, READER);
        let page = rows(
            true,
            &[(r#""000000000000001AAA""#, "1970-01-01T00:15:00.000+0000")],
        );
        let Step::GoOn(place) = place.after(&page, 1) else {
            panic!()
        };
        let later = READER.plus(Duration::from_secs(60));
        assert!(place.is_of(READER) && !place.is_of(later));

        let taken = place.taken_over(later);
        assert_eq!(
            (taken.start(), taken.window().lo),
            (Start::At(secs(900)), secs(900))
        );
        assert!(!taken.is_fresh());

        let Step::GoOn(place) = taken.after(&page, 1) else {
            panic!()
        };
        let taken = place.taken_over(later.plus(SECOND));
        assert_eq!(taken.start(), Start::After(secs(900), "000000000000001AAA"));
        assert_eq!(taken.window().lo, secs(900).plus(Duration::from_millis(1)));
    }

    #[test]
    fn a_query_that_takes_too_long_asks_for_half_and_then_again_for_more() {
        let place = Place::open(Some(secs(1_000_000 + 300 - 8)), READER, READER);
        let window = place.window();
        assert_eq!((window.lo, window.hi), (secs(999_992), secs(1_000_000)));
        let half = place.narrowed().unwrap();
        assert_eq!(
            (half.end(), half.narrowed().unwrap().end()),
            (secs(999_996), secs(999_994))
        );
        let Step::GoOn(next) = half.narrowed().unwrap().after(&rows(true, &[]), 9) else {
            panic!()
        };
        assert_eq!(
            (next.start(), next.end()),
            (Start::At(secs(999_994)), secs(999_998))
        );
        let Step::GoOn(next) = next.after(&rows(true, &[]), 9) else {
            panic!()
        };
        assert_eq!(
            (next.end(), next.after(&rows(true, &[]), 9)),
            (secs(1_000_000), Step::Finished)
        );
        let second = half.narrowed().unwrap().narrowed().unwrap();
        assert_eq!((second.end(), second.narrowed()), (secs(999_993), None));
    }
}
