//! The second stage: pages become batches, bad records become dead letters, windows become ledger rows.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::time::Instant;

use super::{BatchLimits, SyncContext};
use crate::batch::RowBuffer;
use crate::cursor::Cursor;
use crate::dead_letter::{DEAD_LETTER_EVENTS, DeadLetter};
use crate::error::{Code, Error, Result};
use crate::ledger::{LedgerEntry, SYNC_WINDOWS, Window};
use crate::plain::PlainRows;
use crate::record::RawRecord;
use crate::run::Counts;
use crate::source::{Page, Stream, WindowPage};
use crate::time::Timestamp;

/// A batch of fewer records is never judged as a whole: where little changes, a few bad records are many.
const JUDGED_RECORDS: u64 = 200;

/// What the decoder has gathered since the last commit, and what it must remember between pages.
pub(super) struct Decoder<'a> {
    cx: &'a SyncContext,
    source: &'static str,
    name: &'a str,
    stream: Arc<dyn Stream>,
    rows: RowBuffer,
    letters: Vec<DeadLetter>,
    letter_bytes: usize,
    pub(super) counts: Counts,
    since: Instant,
    window: Option<OpenWindow>,
    /// What changed after this instant may still change: no cursor and no proof goes beyond it.
    cap: Timestamp,
    missing: Option<Missing>,
    closed: Vec<LedgerEntry>,
    pub(super) next: Option<Cursor>,
}

/// A window that is being read, and the keys that could come a second time on its next page.
struct OpenWindow {
    entry: LedgerEntry,
    /// How many of the delivered records lie in the settled part.
    settled: u64,
    expected: Option<u64>,
    edge: Timestamp,
    at_edge: HashSet<u64>,
    rejected: HashSet<u64>,
}

/// Records that the source counts in windows that were read to their ends, and that did not come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing {
    pub(super) records: u64,
    /// The beginning of the earliest such window.
    pub(super) since: Timestamp,
}

/// What one commit carries besides cursor and run.
pub(super) struct Gathered {
    pub(super) rows: arrow::array::RecordBatch,
    pub(super) tombstones: Vec<crate::batch::Tombstone>,
    pub(super) rejected_keys: Vec<String>,
    pub(super) letters: PlainRows,
    pub(super) windows: PlainRows,
    pub(super) counts: Counts,
    pub(super) next: Option<Cursor>,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(
        cx: &'a SyncContext,
        source: &'static str,
        name: &'a str,
        (stream, cap): (Arc<dyn Stream>, Timestamp),
    ) -> Result<Self> {
        let rows = RowBuffer::new(stream.table(), &cx.run_id)?;
        Ok(Self {
            cx,
            source,
            name,
            stream,
            rows,
            letters: Vec::new(),
            letter_bytes: 0,
            counts: Counts::default(),
            since: Instant::now(),
            window: None,
            cap,
            missing: None,
            closed: Vec::new(),
            next: None,
        })
    }

    /// Takes a page in; a window that ends with it is closed with the source's own count.
    pub(super) async fn take(&mut self, page: Page) -> Result<()> {
        if let Some(window) = &page.window {
            self.open(window);
        }
        for raw in &page.records {
            self.record(raw, page.read_at, page.window.is_some())?;
        }
        self.next = Some(page.next);
        if page.window.is_some_and(|window| window.last) {
            self.close().await?;
        }
        Ok(())
    }

    fn record(&mut self, raw: &RawRecord, read_at: Timestamp, in_window: bool) -> Result<()> {
        self.counts.fetched += 1;
        match self.stream.decode(raw) {
            Ok(change) => {
                if in_window && let Some(window) = &mut self.window {
                    window.deliver(&change.key, change.version, self.cap);
                    window.entry.tombstoned += u64::from(change.deletion.is_some());
                }
                let twice = self.rows.push(&change, read_at, raw.bytes().len())?;
                self.counts.duplicate += u64::from(twice);
            }
            Err(reject) => {
                let at = (&self.cx.run_id, self.cx.now);
                let letter = DeadLetter::new((self.source, self.name), raw, reject, at);
                if in_window && let Some(window) = &mut self.window {
                    window.reject(letter.record_id.as_deref());
                }
                self.counts.rejected += 1;
                self.letter_bytes += raw.bytes().len();
                self.letters.push(letter);
            }
        }
        Ok(())
    }

    fn open(&mut self, page: &WindowPage) {
        if self
            .window
            .as_ref()
            .is_some_and(|open| open.entry.window == page.window)
        {
            return;
        }
        self.abandon_window();
        self.window = Some(OpenWindow {
            entry: LedgerEntry::open(page.window, page.expected.unwrap_or(0)),
            settled: 0,
            expected: page.expected,
            edge: Timestamp::EPOCH,
            at_edge: HashSet::new(),
            rejected: HashSet::new(),
        });
    }

    async fn close(&mut self) -> Result<()> {
        let Some(open) = self.window.take() else {
            return Ok(());
        };
        let mut entry = open.entry;
        let (delivered, has) = if open.expected == Some(entry.delivered) {
            (entry.delivered, entry.delivered)
        } else {
            let settled = Window {
                lo: entry.window.lo,
                hi: entry.window.hi.min(self.cap).max(entry.window.lo),
            };
            (open.settled, self.stream.count(settled).await?)
        };
        entry.expected = open.expected.unwrap_or(has);
        let missing = entry.close(delivered, has, self.cx.now);
        if missing > 0 {
            let known = self.missing.get_or_insert(Missing {
                records: 0,
                since: entry.window.lo,
            });
            known.records += missing;
            known.since = known.since.min(entry.window.lo);
        }
        self.closed.push(entry);
        Ok(())
    }

    /// Writes a window that the run could not end into the ledger as it stands: unproven.
    pub(super) fn abandon_window(&mut self) {
        if let Some(open) = self.window.take() {
            self.closed.push(open.entry);
        }
    }

    /// Returns how many records the present window holds and how many of them came.
    pub(super) fn window_progress(&self) -> (Option<u64>, u64) {
        self.window
            .as_ref()
            .map_or((None, 0), |open| (open.expected, open.entry.delivered))
    }

    /// Returns what is known to be missing from the windows closed so far.
    pub(super) fn missing(&self) -> Option<Missing> {
        self.missing
    }

    pub(super) fn is_due(&self, limits: &BatchLimits) -> bool {
        self.rows.len() >= limits.rows
            || self.rows.size_bytes() + self.letter_bytes >= limits.size_bytes
            || self.since.elapsed() >= limits.age
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.letters.is_empty()
            && self.closed.is_empty()
            && self.next.is_none()
    }

    /// Hands over what was gathered, unless so much of it is bad that the fault must be elsewhere.
    pub(super) fn hand_over(&mut self) -> Result<Gathered> {
        let counts = std::mem::take(&mut self.counts);
        self.letter_bytes = 0;
        if counts.fetched >= JUDGED_RECORDS
            && counts.rejected > 10
            && counts.rejected * 5 > counts.fetched
        {
            let first = self
                .letters
                .first()
                .map_or("", |letter| letter.code.as_str());
            return Err(Error::new(Code::BatchDeadRatio, "decode a batch")
                .with("rejected", counts.rejected)
                .with("of", counts.fetched)
                .with("first reason", first));
        }
        let mut letters = PlainRows::new(&DEAD_LETTER_EVENTS)?;
        let mut rejected_keys = Vec::new();
        let mut known = HashSet::new();
        for letter in self.letters.drain(..) {
            if known.insert(letter.dead_id.clone()) {
                letter.append_to(&mut letters, 0)?;
            }
            rejected_keys.extend(letter.record_id);
        }
        let mut windows = PlainRows::new(&SYNC_WINDOWS)?;
        for entry in self.closed.drain(..) {
            entry.append_to(&mut windows, &self.cx.run_id, (self.source, self.name))?;
        }
        let (rows, tombstones) = self.rows.finish()?;
        self.since = Instant::now();
        let next = self.next.take();
        Ok(Gathered {
            rows,
            tombstones,
            rejected_keys,
            letters,
            windows,
            counts,
            next,
        })
    }
}

impl OpenWindow {
    /// Counts a record once, although pages that begin at the last one's final instant send it twice.
    fn deliver(&mut self, key: &str, version: Timestamp, cap: Timestamp) {
        if version != self.edge {
            self.edge = version;
            self.at_edge.clear();
        }
        let first = u64::from(self.at_edge.insert(hash(key)));
        self.entry.delivered += first;
        self.settled += if version <= cap { first } else { 0 };
    }

    /// Counts a rejected record once where its id is known; records without one can't be told apart.
    fn reject(&mut self, id: Option<&str>) {
        let first = id.is_none_or(|id| self.rejected.insert(hash(id)));
        let first = u64::from(first);
        self.entry.delivered += first;
        self.entry.rejected += first;
        self.settled += first;
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
