//! Sends dead letters through decode again. A replay is an ordinary commit: doing it twice changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::batch::{Batch, RowBuffer};
use crate::command::Redrive;
use crate::dead_letter::DeadLetter;
use crate::error::{Code, Error, Result};
use crate::queue::{Message, Outcome, Queue};
use crate::run::RunId;
use crate::source::{Source, Stream, TableChange, tables};
use crate::warehouse::Warehouse;

/// So many letters are taken from the queue at once.
const LETTERS_AT_ONCE: usize = 10_000;

/// Returns whether a redrive means this letter.
#[must_use]
pub fn takes(selection: &Redrive, letter: &DeadLetter) -> bool {
    selection
        .source
        .as_ref()
        .is_none_or(|source| *source == letter.source)
        && (selection.ids.is_empty()
            || selection
                .ids
                .iter()
                .any(|id| letter.dead_id.starts_with(id)))
}

/// What became of the letters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Redriven {
    /// Letters that were sent through again.
    pub tried: u64,
    /// Letters whose record is now in its table, or is there in a newer state already.
    pub redriven: u64,
    /// Letters that were rejected again; after three times a letter is parked.
    pub rejected: u64,
}

impl Redriven {
    /// Adds the letters of another source.
    pub fn add(&mut self, other: &Self) {
        self.tried += other.tried;
        self.redriven += other.redriven;
        self.rejected += other.rejected;
    }
}

/// Returns the open letters that `selection` means; one that is named may also be parked. The others are for whoever asks
/// next.
///
/// # Errors
/// [`Code::StoreCorrupt`] where a letter can't be read, or what the queue says.
pub async fn letters(queue: &dyn Queue, selection: &Redrive) -> Result<Vec<DeadLetter>> {
    let messages = if selection.ids.is_empty() {
        queue.receive(LETTERS_AT_ONCE).await?
    } else {
        queue.find(&selection.ids).await?
    };
    let letters = messages
        .iter()
        .map(read_letter)
        .collect::<Result<Vec<_>>>()?;
    let (meant, others): (Vec<DeadLetter>, Vec<DeadLetter>) = letters
        .into_iter()
        .partition(|letter| takes(selection, letter));
    let others = others.into_iter().map(|letter| letter.dead_id);
    let released: Vec<_> = others.map(|id| (id, Outcome::Released)).collect();
    queue.settle_all(&released).await?;
    Ok(meant)
}

fn read_letter(message: &Message) -> Result<DeadLetter> {
    serde_json::from_str(&message.body)
        .map_err(|error| Error::new(Code::StoreCorrupt, "read a dead letter").because(error))
}

/// Sends letters of one source through again.
///
/// # Errors
/// What the source says when it describes a stream, or the warehouse when it commits; letters that
/// were not settled stay open.
pub async fn redrive(
    (warehouse, queue): (&dyn Warehouse, &dyn Queue),
    source: &Arc<dyn Source>,
    letters: &[DeadLetter],
    run_id: &RunId,
) -> Result<Redriven> {
    let mut by_stream: BTreeMap<&str, Vec<&DeadLetter>> = BTreeMap::new();
    for letter in letters {
        by_stream.entry(&letter.stream).or_default().push(letter);
    }
    let mut total = Redriven::default();
    for (name, letters) in by_stream {
        let stream = source.open(name, None).await?;
        for table in tables(stream.as_ref()) {
            warehouse.prepare(&table).await?;
        }
        let outcomes = commit(warehouse, stream.as_ref(), &letters, run_id).await?;
        queue.settle_all(&outcomes).await?;
        for (_, outcome) in outcomes {
            total.tried += 1;
            match outcome {
                Outcome::Done => total.redriven += 1,
                Outcome::Failed => total.rejected += 1,
                Outcome::Discarded | Outcome::Forwarded | Outcome::Released => {}
            }
        }
    }
    Ok(total)
}

/// Commits what decodes now, and says of each letter what became of it.
async fn commit(
    warehouse: &dyn Warehouse,
    stream: &dyn Stream,
    letters: &[&DeadLetter],
    run_id: &RunId,
) -> Result<Vec<(String, Outcome)>> {
    let tables = tables(stream);
    let rows = tables.iter().map(|table| RowBuffer::new(table, run_id));
    let mut rows = rows.collect::<Result<Vec<_>>>()?;
    let mut outcomes = Vec::with_capacity(letters.len());
    for letter in letters {
        let raw = letter.raw();
        let outcome = match stream.decode(&raw) {
            Ok(changes) => {
                for TableChange { table, change } in &changes {
                    let internal = || Error::new(Code::Internal, "decode a dead letter");
                    let rows = rows.get_mut(*table).ok_or_else(internal)?;
                    rows.push(change, letter.seen_at, raw.bytes().len())?;
                }
                Outcome::Done
            }
            Err(_) => Outcome::Failed,
        };
        outcomes.push((letter.dead_id.clone(), outcome));
    }
    let writes = rows.iter_mut().map(RowBuffer::finish);
    let batch = Batch {
        writes: writes.collect::<Result<_>>()?,
        ..Batch::default()
    };
    warehouse.commit(batch).await?;
    Ok(outcomes)
}
