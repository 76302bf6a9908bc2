//! The second stage: pages become batches, bad records become dead letters, windows become ledger rows.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::time::Instant;

use super::{BatchLimits, SyncContext};
use crate::batch::{RowBuffer, RowKey, TableWrite};
use crate::cursor::Cursor;
use crate::dead_letter::{DEAD_LETTER_EVENTS, DeadLetter};
use crate::error::{Code, Error, Result};
use crate::ledger::{LedgerEntry, SYNC_WINDOWS, Window};
use crate::plain::PlainRows;
use crate::record::RawRecord;
use crate::run::Counts;
use crate::source::{Page, Stream, TableChange, WindowPage, tables};
use crate::time::Timestamp;

/// A batch of fewer records is never judged as a whole: where little changes, a few bad records are many.
const JUDGED_RECORDS: u64 = 200;

/// What the decoder has gathered since the last commit, and what it must remember between pages.
pub(super) struct Decoder<'a> {
    cx: &'a SyncContext,
    source: &'static str,
    name: &'a str,
    parts: Vec<PartReading>,
    /// The stream's own table, then those beside it.
    tables: Vec<TableBuffer>,
    letters: Vec<DeadLetter>,
    rejected: Vec<RowKey>,
    letter_bytes: usize,
    since: Instant,
    closed: Vec<LedgerEntry>,
}

/// What is gathered for one table.
struct TableBuffer {
    rows: RowBuffer,
    counts: Counts,
}

/// One part of the stream, as the decoder reads it.
pub(super) struct PartReading {
    pub(super) part: Option<String>,
    pub(super) stream: Arc<dyn Stream>,
    /// What changed after this instant may still change: no cursor and no proof goes beyond it.
    pub(super) cap: Timestamp,
    window: Option<OpenWindow>,
    missing: Option<Missing>,
    next: Option<Cursor>,
}

impl PartReading {
    pub(super) fn new(part: Option<String>, stream: Arc<dyn Stream>, cap: Timestamp) -> Self {
        Self {
            part,
            stream,
            cap,
            window: None,
            missing: None,
            next: None,
        }
    }
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

/// What one commit carries besides the run.
pub(super) struct Gathered {
    /// One for each table, without notes.
    pub(super) writes: Vec<TableWrite>,
    pub(super) letters: PlainRows,
    pub(super) windows: PlainRows,
    /// One for each table.
    pub(super) counts: Vec<Counts>,
    /// Where reading goes on, for each part that a page came of.
    pub(super) next: Vec<(usize, Cursor)>,
}

impl<'a> Decoder<'a> {
    /// Returns a decoder of the pages of these parts, of which there is at least one.
    pub(super) fn new(
        cx: &'a SyncContext,
        source: &'static str,
        name: &'a str,
        parts: Vec<PartReading>,
    ) -> Result<Self> {
        let tables = parts.first().map(|part| tables(part.stream.as_ref()));
        let tables = tables.unwrap_or_default().into_iter().map(|table| {
            Ok(TableBuffer {
                rows: RowBuffer::new(&table, &cx.run_id)?,
                counts: Counts::default(),
            })
        });
        Ok(Self {
            cx,
            source,
            name,
            parts,
            tables: tables.collect::<Result<_>>()?,
            letters: Vec::new(),
            rejected: Vec::new(),
            letter_bytes: 0,
            since: Instant::now(),
            closed: Vec::new(),
        })
    }

    /// Takes a page of a part in; a window that ends with it is closed with the source's own count.
    pub(super) async fn take(&mut self, index: usize, page: Page) -> Result<()> {
        let Some(part) = self.parts.get_mut(index) else {
            return Err(Error::new(Code::Internal, "decode a page"));
        };
        if let Some(window) = &page.window {
            self.closed.extend(part.open(window));
        }
        for raw in &page.records {
            self.record(index, raw, page.read_at, page.window.is_some())?;
        }
        let Some(part) = self.parts.get_mut(index) else {
            return Ok(());
        };
        part.next = Some(page.next);
        if page.window.is_some_and(|window| window.last) {
            self.closed.extend(part.close(self.cx.now).await?);
        }
        Ok(())
    }

    fn record(
        &mut self,
        index: usize,
        raw: &RawRecord,
        read_at: Timestamp,
        in_window: bool,
    ) -> Result<()> {
        let Some(part) = self.parts.get_mut(index) else {
            return Ok(());
        };
        match part.stream.decode(raw) {
            Ok(changes) => {
                let mut size_bytes = raw.bytes().len();
                for TableChange { table, change } in &changes {
                    if *table == 0
                        && in_window
                        && let Some(window) = &mut part.window
                    {
                        window.deliver(&change.key, change.version, part.cap);
                        window.entry.tombstoned += u64::from(change.deletion.is_some());
                    }
                    let Some(buffer) = self.tables.get_mut(*table) else {
                        return Err(Error::new(Code::Internal, "decode a record"));
                    };
                    // The record weighs once, however many rows it becomes.
                    let size_bytes = std::mem::take(&mut size_bytes);
                    let twice = buffer.rows.push(change, read_at, size_bytes)?;
                    buffer.counts.fetched += 1;
                    buffer.counts.duplicate += u64::from(twice);
                }
            }
            Err(reject) => {
                let at = (&self.cx.run_id, self.cx.now);
                let letter = DeadLetter::new((self.source, self.name), raw, reject, at);
                if in_window && let Some(window) = &mut part.window {
                    window.reject(letter.record_id.as_deref());
                }
                if let Some(buffer) = self.tables.first_mut() {
                    buffer.counts.fetched += 1;
                    buffer.counts.rejected += 1;
                }
                self.rejected
                    .extend(letter.record_id.clone().map(|id| RowKey {
                        part: part.part.clone(),
                        id,
                    }));
                self.letter_bytes += raw.bytes().len();
                self.letters.push(letter);
            }
        }
        Ok(())
    }

    /// Writes windows that the run could not end into the ledger as they stand: unproven.
    pub(super) fn abandon_windows(&mut self) {
        let open = self.parts.iter_mut().filter_map(|part| part.window.take());
        self.closed.extend(open.map(|open| open.entry));
    }

    /// Returns how many records the present windows hold and how many of them came.
    pub(super) fn window_progress(&self) -> (Option<u64>, u64) {
        let open: Vec<_> = self
            .parts
            .iter()
            .filter_map(|part| part.window.as_ref())
            .collect();
        let expected = open.iter().filter_map(|open| open.expected);
        let delivered = open.iter().map(|open| open.entry.delivered);
        (expected.reduce(|sum, more| sum + more), delivered.sum())
    }

    /// Returns what is known to be missing from the windows closed so far, part by part.
    pub(super) fn missing(&self) -> Vec<Option<Missing>> {
        self.parts.iter().map(|part| part.missing).collect()
    }

    pub(super) fn is_due(&self, limits: &BatchLimits) -> bool {
        let rows = self.tables.iter().map(|table| table.rows.len());
        let size_bytes = self.tables.iter().map(|table| table.rows.size_bytes());
        rows.sum::<usize>() >= limits.rows
            || size_bytes.sum::<usize>() + self.letter_bytes >= limits.size_bytes
            || self.since.elapsed() >= limits.age
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.iter().all(|table| table.rows.is_empty())
            && self.letters.is_empty()
            && self.closed.is_empty()
            && self.parts.iter().all(|part| part.next.is_none())
    }

    /// Hands over what was gathered, unless so much of it is bad that the fault must be elsewhere.
    pub(super) fn hand_over(&mut self) -> Result<Gathered> {
        let counts: Vec<Counts> = self
            .tables
            .iter_mut()
            .map(|table| std::mem::take(&mut table.counts))
            .collect();
        self.letter_bytes = 0;
        self.judge(&counts)?;
        let mut letters = PlainRows::new(&DEAD_LETTER_EVENTS)?;
        let mut known = HashSet::new();
        for letter in self.letters.drain(..) {
            if known.insert(letter.dead_id.clone()) {
                letter.append_to(&mut letters, 0)?;
            }
        }
        let mut windows = PlainRows::new(&SYNC_WINDOWS)?;
        for entry in self.closed.drain(..) {
            entry.append_to(&mut windows, &self.cx.run_id, (self.source, self.name))?;
        }
        let mut writes = Vec::with_capacity(self.tables.len());
        for table in &mut self.tables {
            writes.push(table.rows.finish()?);
        }
        if let Some(own) = writes.first_mut() {
            own.rejected = std::mem::take(&mut self.rejected);
        }
        self.since = Instant::now();
        let parts = self.parts.iter_mut().enumerate();
        let next = parts
            .filter_map(|(index, part)| Some((index, part.next.take()?)))
            .collect();
        Ok(Gathered {
            writes,
            letters,
            windows,
            counts,
            next,
        })
    }

    fn judge(&self, counts: &[Counts]) -> Result<()> {
        let own = counts.first().copied().unwrap_or_default();
        if own.fetched < JUDGED_RECORDS || own.rejected <= 10 || own.rejected * 5 <= own.fetched {
            return Ok(());
        }
        let first = self.letters.first();
        Err(Error::new(Code::BatchDeadRatio, "decode a batch")
            .with("rejected", own.rejected)
            .with("of", own.fetched)
            .with(
                "first reason",
                first.map_or("", |letter| letter.code.as_str()),
            ))
    }
}

impl PartReading {
    /// Opens the window of a page, where it is not open; returns the one that it takes the place of, which the
    /// run could not end.
    fn open(&mut self, page: &WindowPage) -> Option<LedgerEntry> {
        let open = self.window.as_ref();
        if open.is_some_and(|open| open.entry.window == page.window) {
            return None;
        }
        let entry = LedgerEntry {
            part: self.part.clone(),
            ..LedgerEntry::open(page.window, page.expected.unwrap_or(0))
        };
        let left = self.window.replace(OpenWindow {
            entry,
            settled: 0,
            expected: page.expected,
            edge: Timestamp::EPOCH,
            at_edge: HashSet::new(),
            rejected: HashSet::new(),
        });
        left.map(|left| left.entry)
    }

    /// Closes the open window with the source's own count.
    async fn close(&mut self, now: Timestamp) -> Result<Option<LedgerEntry>> {
        let Some(open) = self.window.take() else {
            return Ok(None);
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
        let missing = entry.close(delivered, has, now);
        if missing > 0 {
            let known = self.missing.get_or_insert(Missing {
                records: 0,
                since: entry.window.lo,
            });
            known.records += missing;
            known.since = known.since.min(entry.window.lo);
        }
        Ok(Some(entry))
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
