//! Reading calls by when they began: stretches of time, several side by side, each from its end backwards.

use futures::future::try_join_all;
use salesync_core::error::{Code, Error, Result};
use salesync_core::record::RawRecord;
use salesync_http::Client;
use serde::{Deserialize, Serialize};

use crate::page::list;
use crate::row::Members;

/// Before Dialpad there were no calls in it.
pub(crate) const FIRST_MS: i64 = 1_293_840_000_000;
const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// So many slices are read at one time: rate times latency, and one to spare.
const AT_ONCE: usize = 6;
/// So many pages of a slice are read before what came is made durable.
const PAGES: usize = 10;

/// A stretch of beginnings that is not read yet, both ends included, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slice {
    lo: i64,
    hi: i64,
}

/// What is left of a stretch of time: slices that are under way, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slices {
    open: Vec<Slice>,
    next: i64,
    end: i64,
}

impl Slices {
    /// Returns all of a stretch, both ends included.
    pub(crate) fn of(lo: i64, hi: i64) -> Self {
        Self {
            open: Vec::new(),
            next: lo,
            end: hi,
        }
    }

    /// Returns whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.next > self.end
    }

    /// Returns where the next slice ends. The older, the longer: a company's calls lie where it is young, and an
    /// empty slice costs a request.
    fn cut(&self) -> i64 {
        let days = match self.end.saturating_sub(self.next) / DAY_MS {
            730.. => 365,
            90.. => 60,
            _ => 10,
        };
        self.next.saturating_add(days * DAY_MS - 1).min(self.end)
    }

    /// Reads the next pages and returns their calls.
    pub(crate) async fn read(&mut self, http: &Client) -> Result<Vec<RawRecord>> {
        while self.open.len() < AT_ONCE && self.next <= self.end {
            let hi = self.cut();
            self.open.push(Slice { lo: self.next, hi });
            self.next = hi.saturating_add(1);
        }
        let read = try_join_all(self.open.iter().map(|slice| pages(http, *slice))).await?;
        let mut records = Vec::new();
        self.open.clear();
        for (calls, left) in read {
            records.extend(calls);
            self.open.extend(left);
        }
        Ok(records)
    }
}

/// Reads the latest calls of a slice, and returns with them what is left of it.
///
/// A cursor is used only within the slice's pages; what is left is told by time, since nobody says how long a
/// cursor lives.
async fn pages(http: &Client, slice: Slice) -> Result<(Vec<RawRecord>, Option<Slice>)> {
    // Both bounds are exclusive.
    let target = format!(
        "/api/v2/call?started_after={}&started_before={}",
        slice.lo.saturating_sub(1),
        slice.hi.saturating_add(1)
    );
    let (mut records, mut cursor, mut restarts) = (Vec::new(), None, 0);
    let mut earliest = slice.hi;
    let mut page = 0;
    loop {
        let listed = match list(http, &target, cursor.as_deref()).await {
            // The cursor is unknown by now: the slice begins anew, once.
            Err(error) if error.code() == Code::SourceCursorExpired && restarts == 0 => {
                restarts += 1;
                cursor = None;
                continue;
            }
            Err(error) if error.code() == Code::SourceCursorExpired => {
                return Err(Error::new(Code::SourceRefused, "list calls").because(error));
            }
            listed => listed?,
        };
        let began = listed.records.iter().filter_map(began);
        let inside = began.filter(|began| (slice.lo..=slice.hi).contains(began));
        earliest = inside.min().unwrap_or(earliest).min(earliest);
        records.extend(listed.records);
        page += 1;
        match listed.cursor {
            None => return Ok((records, None)),
            next if next == cursor => {
                return Err(Error::new(Code::SourcePageLoop, "list calls"));
            }
            // What began in that same millisecond is read once more.
            Some(_) if page >= PAGES && earliest < slice.hi => {
                let left = Slice {
                    lo: slice.lo,
                    hi: earliest,
                };
                return Ok((records, Some(left)));
            }
            next => cursor = next,
        }
    }
}

/// Returns when a call began, where that can be read.
fn began(record: &RawRecord) -> Option<i64> {
    Members::of(record)
        .ok()?
        .text("date_started")?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_a_stretch_without_a_gap_and_are_few_where_it_is_old() {
        let (lo, hi) = (FIRST_MS, FIRST_MS + 16 * 365 * DAY_MS);
        let mut slices = Slices::of(lo, hi);
        let (mut next, mut count) = (lo, 0);
        while slices.next <= slices.end {
            assert_eq!(slices.next, next);
            let end = slices.cut();
            assert!(end >= next);
            next = end + 1;
            slices.next = next;
            count += 1;
        }
        assert_eq!(next, hi + 1);
        assert!(count < 50, "{count}");
        assert!(slices.is_empty());
        assert!(!Slices::of(1, 1).is_empty());
    }
}
