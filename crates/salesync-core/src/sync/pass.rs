//! Reading: three stages side by side, joined by queues that hold one or two pages. All parts of a stream share
//! the second and the third, so that a commit carries rows of many.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use futures::StreamExt;
use futures::stream;
use tokio::sync::{mpsc, watch};

use super::decode::{Decoder, Gathered, Missing, PartReading};
use super::fetch::{self, PageSender};
use super::stream::StreamRun;
use super::{Observation, SyncContext, sweep};
use crate::backlog::{ATTEMPTS, Backlog, DUE_AT, Due, SINCE};
use crate::batch::{Batch, Slot};
use crate::command::Effect;
use crate::cursor::Cursor;
use crate::error::{Code, Error, Result};
use crate::run::Counts;
use crate::source::{Page, Stream};
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Scan};

/// So many parts are read at one time.
const PARTS_AT_ONCE: usize = 256;

/// So much that is due is known at one time.
const DUE_AT_MOST: u64 = 10_000;

/// What one part is read from.
enum From {
    Cursor(Option<Cursor>),
    /// What is due, the cursor before it, and the one after it.
    Due(Vec<Due>, Cursor, Cursor),
}

impl StreamRun<'_> {
    /// Reads these parts until each has caught up or something ends it.
    pub(super) async fn pass(&mut self, indices: Vec<usize>) -> Result<()> {
        let mut asked = HashSet::new();
        loop {
            let (mut reads, mut is_backlog) = (Vec::new(), false);
            for index in &indices {
                let Some(part) = self.parts.get(*index) else {
                    continue;
                };
                let (stream, cursor) = (Arc::clone(&part.stream), part.position.cursor.clone());
                let from = match stream.backlog() {
                    None => From::Cursor(cursor),
                    Some(backlog) => {
                        is_backlog = true;
                        let now = part.position.cap;
                        let before = cursor.unwrap_or(Cursor::between_windows(Timestamp::EPOCH));
                        let mut due = self.due(backlog, now).await?;
                        // Once a run: what could not even be written down stays for the next one.
                        due.retain(|due| asked.insert(due.id.clone()));
                        if due.is_empty() {
                            self.parts_end(vec![(*index, Ok(()))]);
                            continue;
                        }
                        From::Due(due, before, Cursor::between_windows(now))
                    }
                };
                reads.push((*index, stream, from));
            }
            if reads.is_empty() {
                return Ok(());
            }
            self.flow(reads).await?;
            let goes_on = |index: &usize| {
                let part = self.parts.get(*index);
                part.is_some_and(|part| matches!(part.ended, Some(Ok(()))))
            };
            // What was missed or came late may be followed by more that is due.
            if !is_backlog || !indices.iter().all(goes_on) {
                return Ok(());
            }
        }
    }

    /// Lets pages flow from the source into the warehouse.
    async fn flow(&mut self, reads: Vec<PartRead>) -> Result<()> {
        let cx = self.cx;
        let (sender, pages) = mpsc::channel(2);
        let (batches, mut received) = mpsc::channel::<Gathered>(1);
        let (answered, has_answered) = watch::channel(false);
        let order: Vec<usize> = reads.iter().map(|(index, ..)| *index).collect();
        let parts = self.readings(&order);
        let decoder = Decoder::new(cx, self.source, self.name, parts)?;

        let reading = read(cx, reads, sender, (&answered, has_answered));
        let decoding = decode(
            cx,
            decoder,
            (self.source, self.name),
            (pages, batches),
            &answered,
        );
        // Each block owns its ends of the queues, so that one that fails lets the others end.
        let committed_order = order.clone();
        let committing = async move {
            while let Some(gathered) = received.recv().await {
                self.commit(gathered, &committed_order).await?;
            }
            Ok::<_, Error>(self)
        };
        let (ended, decoded, committed) = tokio::join!(reading, decoding, committing);
        let this = committed?;
        let flowed = decoded?;
        for run in &mut this.runs {
            run.pages += flowed.pages;
        }
        for (place, index) in order.iter().enumerate() {
            if let Some(part) = this.parts.get_mut(*index) {
                part.missing = flowed.missing.get(place).copied().flatten();
                part.began_at = flowed.began_at.get(&place).copied();
            }
        }
        this.parts_end(ended);
        Ok(())
    }

    fn parts_end(&mut self, ended: Vec<(usize, Result<()>)>) {
        for (index, result) in ended {
            if let Some(part) = self.parts.get_mut(index) {
                part.ended = Some(result);
            }
        }
    }

    fn readings(&self, order: &[usize]) -> Vec<PartReading> {
        let parts = order.iter().filter_map(|index| self.parts.get(*index));
        parts
            .map(|part| {
                let name = part.part().map(str::to_owned);
                PartReading::new(name, Arc::clone(&part.stream), part.position.cap)
            })
            .collect()
    }

    /// Makes what was gathered durable; `order` says which part each cursor is of.
    async fn commit(&mut self, gathered: Gathered, order: &[usize]) -> Result<()> {
        if self.command.effect == Effect::DryRun {
            for (table, counts) in gathered.counts.iter().enumerate() {
                let counts = Counts {
                    unchanged: counts.fetched - counts.rejected - counts.duplicate,
                    ..*counts
                };
                self.count(table, &counts);
            }
            return Ok(());
        }
        let now = (&self.cx.run_id, self.cx.now);
        let (mut states, mut notes) = (Vec::new(), Vec::new());
        for (place, next) in gathered.next {
            let index = order.get(place).copied().unwrap_or(usize::MAX);
            let Some(part) = self.parts.get_mut(index) else {
                return Err(Error::new(Code::Internal, "commit a part"));
            };
            states.push(part.position.advance(Some(next), now));
            notes.extend(part.note());
        }
        let mut writes = gathered.writes;
        if let Some(own) = writes.first_mut() {
            own.notes = notes;
        }
        let appends = [gathered.letters.finish()?, gathered.windows.finish()?];
        let batch = Batch {
            writes,
            states,
            appends: appends
                .into_iter()
                .filter(|(_, rows)| rows.num_rows() > 0)
                .collect(),
        };
        let committed = self.write(batch).await?;
        for (table, (counts, committed)) in gathered.counts.iter().zip(&committed).enumerate() {
            self.count(table, &counts.with(committed));
        }
        Ok(())
    }

    fn count(&mut self, table: usize, counts: &Counts) {
        if let Some(run) = self.run_of(table) {
            run.counts.add(counts);
        }
    }

    /// Ends a part that was read to its end: records that are missing are looked for, what is gone is marked.
    pub(super) async fn close(&mut self, index: usize) -> Result<()> {
        let Some(part) = self.parts.get(index) else {
            return Ok(());
        };
        if !matches!(part.ended, Some(Ok(()))) {
            return Ok(());
        }
        if let Some(missing) = part.missing {
            if !part.begins_set_back {
                self.go_back(index, missing.since).await?;
            }
            let code = Code::SourcePageCount;
            return Err(Error::new(code, "close the ledger").with("missing", missing.records));
        }
        if part.reads_everything() {
            sweep::finish(self, index).await?;
        }
        Ok(())
    }

    /// Lets the next run begin before records that appeared behind this one's back: they may be older than
    /// what a run reads once more in any case. After a full sync that is the next run of either kind.
    async fn go_back(&mut self, index: usize, since: Timestamp) -> Result<()> {
        if self.command.effect == Effect::DryRun {
            return Ok(());
        }
        let (warehouse, now) = (&self.cx.warehouse, (&self.cx.run_id, self.cx.now));
        let Some(part) = self.parts.get_mut(index) else {
            return Ok(());
        };
        let mut states = vec![part.position.go_back(since, now)];
        if part.position.slot == Slot::Full {
            let mut incremental = part.position.beside(warehouse.as_ref()).await?;
            states.push(incremental.go_back(since, now));
        }
        let batch = Batch {
            states,
            ..Batch::default()
        };
        self.write(batch).await.map(|_| ())
    }

    /// Returns what is due, the newest first.
    async fn due(&self, backlog: &Backlog, now: Timestamp) -> Result<Vec<Due>> {
        let columns = ["id", ATTEMPTS, SINCE].map(SqlIdentifier::parse);
        let scan = Scan {
            columns: columns.into_iter().collect::<Result<_>>()?,
            filter: Filter::Due {
                column: SqlIdentifier::parse(DUE_AT)?,
                by: now,
            },
            newest_by: Some(SqlIdentifier::parse(SINCE)?),
            limit: Some(DUE_AT_MOST),
            ..Scan::of(backlog.table().name().clone())
        };
        let batches = self.cx.warehouse.scan(&scan).await?;
        Ok(batches.iter().flat_map(due_of).collect())
    }
}

/// A part's number, its stream, and what it is read from.
type PartRead = (usize, Arc<dyn Stream>, From);

/// The first stage. One part proves that the source answers before all others ask at once.
async fn read(
    cx: &SyncContext,
    reads: Vec<PartRead>,
    sender: mpsc::Sender<(usize, Page)>,
    (answered, has_answered): (&watch::Sender<bool>, watch::Receiver<bool>),
) -> Vec<(usize, Result<()>)> {
    let readers = reads.into_iter().enumerate().map(|(place, read)| {
        let pages = PageSender {
            index: place,
            pages: sender.clone(),
        };
        let mut turn = has_answered.clone();
        async move {
            if place > 0 {
                // The sender outlives the readers.
                drop(turn.wait_for(|answered| *answered).await);
            }
            let (index, stream, from) = read;
            let stream = stream.as_ref();
            let ended = match from {
                From::Cursor(cursor) => fetch::pages(cx, stream, cursor, pages).await,
                From::Due(due, from, to) => fetch::due(cx, stream, (due, from, to), pages).await,
            };
            answered.send_replace(true);
            (index, ended)
        }
    });
    let readers: Vec<_> = readers.collect();
    drop(sender);
    let ended = stream::iter(readers).buffer_unordered(PARTS_AT_ONCE);
    ended.collect().await
}

/// The second stage.
async fn decode(
    cx: &SyncContext,
    mut decoder: Decoder<'_>,
    (source, name): (&'static str, &'static str),
    (mut pages, batches): (mpsc::Receiver<(usize, Page)>, mpsc::Sender<Gathered>),
    answered: &watch::Sender<bool>,
) -> Result<Flowed> {
    let mut flowed = Flowed::default();
    while let Some((place, page)) = pages.recv().await {
        answered.send_replace(true);
        flowed.note(place, &page);
        decoder.take(place, page).await?;
        let (expected, delivered) = decoder.window_progress();
        (cx.observe)(&Observation {
            source,
            stream: name.to_owned(),
            fetched: flowed.records,
            written: 0,
            expected,
            delivered,
            done: false,
        });
        if decoder.is_due(&cx.limits) && batches.send(decoder.hand_over()?).await.is_err() {
            break;
        }
    }
    decoder.abandon_windows();
    if !decoder.is_empty() {
        // The receiver is gone only when the commit failed, and then it says why.
        drop(batches.send(decoder.hand_over()?).await);
    }
    flowed.missing = decoder.missing();
    Ok(flowed)
}

/// What flowed beside the rows.
#[derive(Default)]
struct Flowed {
    pages: u64,
    records: u64,
    missing: Vec<Option<Missing>>,
    /// When the first page of each part was asked for.
    began_at: HashMap<usize, Timestamp>,
}

impl Flowed {
    fn note(&mut self, place: usize, page: &Page) {
        self.pages += 1;
        self.records += u64::try_from(page.records.len()).unwrap_or(0);
        self.began_at.entry(place).or_insert(page.read_at);
    }
}

fn due_of(batch: &RecordBatch) -> Vec<Due> {
    let ids = batch
        .column_by_name("id")
        .and_then(|it| it.as_string_opt::<i32>());
    let attempts = batch
        .column_by_name(ATTEMPTS)
        .and_then(|it| it.as_primitive_opt::<Int64Type>());
    let since = batch
        .column_by_name(SINCE)
        .and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>());
    let (Some(ids), Some(attempts), Some(since)) = (ids, attempts, since) else {
        return Vec::new();
    };
    let rows = (0..batch.num_rows()).filter(|row| ids.is_valid(*row));
    rows.map(|row| Due {
        id: ids.value(row).to_owned(),
        attempts: u32::try_from(attempts.value(row)).unwrap_or(0),
        since: Timestamp::from_micros(since.value(row)),
    })
    .collect()
}
