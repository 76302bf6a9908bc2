//! One mailbox: its copies of messages by id, its threads, its history.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::gmail_labels::{LabelSet, Labels};
use crate::store::DAY_MS;

/// How far back history reaches.
const HISTORY_KEPT_MS: i64 = 7 * DAY_MS;
/// History ids rise by at most this much.
const HISTORY_GAP_MAX: u64 = 60;

/// One message as it lies in one mailbox.
#[derive(Debug)]
pub(crate) struct Copy {
    /// The message's id in this mailbox.
    pub(crate) id: u64,
    /// The id of the thread's first message in this mailbox.
    pub(crate) thread: u64,
    /// Place of the letter.
    pub(crate) letter: u32,
    /// The labels on it.
    pub(crate) labels: LabelSet,
    /// The last record of history that changed it.
    pub(crate) history_id: u64,
    /// False once it is deleted for good.
    pub(crate) live: bool,
}

/// What happened to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It came.
    Added,
    /// It was deleted for good.
    Deleted,
    /// Labels were put on it.
    Labelled(Vec<u16>),
    /// Labels were taken off.
    Unlabelled(Vec<u16>),
}

/// What happened to one message, and how it stood then.
#[derive(Debug)]
pub(crate) struct Change {
    /// The message's id.
    pub(crate) message: u64,
    /// The thread's id.
    pub(crate) thread: u64,
    /// The labels after the change.
    pub(crate) labels: LabelSet,
    /// What happened.
    pub(crate) happening: Happening,
}

/// One record of history.
#[derive(Debug)]
pub(crate) struct Event {
    /// Its id: rising, with gaps.
    pub(crate) id: u64,
    at_ms: i64,
    /// What happened, one or more messages' worth.
    pub(crate) changes: Vec<Change>,
}

/// Whether a mailbox may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may.
    Open,
    /// The token endpoint refuses to act for it.
    DelegationRefused,
    /// The API refuses every call.
    Forbidden,
}

/// One mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// The owner's address.
    pub(crate) address: String,
    /// Whether it may be read.
    pub(crate) standing: Standing,
    /// The labels.
    pub(crate) labels: Labels,
    /// The copies, also deleted ones, by id.
    copies: Vec<Copy>,
    /// The ids in each thread, ascending.
    threads: HashMap<u64, Vec<u64>>,
    history: VecDeque<Event>,
    history_id: u64,
    /// No start below this is good any more.
    kept_from: u64,
    raws: HashMap<u64, Arc<str>>,
}

impl Mailbox {
    /// Makes an empty mailbox whose history begins at an id.
    pub(crate) fn new(address: String, history_id: u64) -> Self {
        Self {
            address,
            standing: Standing::Open,
            labels: Labels::system(),
            copies: Vec::new(),
            threads: HashMap::new(),
            history: VecDeque::new(),
            history_id,
            kept_from: history_id,
            raws: HashMap::new(),
        }
    }

    /// The copies, by id: that is by time.
    pub(crate) fn copies(&self) -> &[Copy] {
        &self.copies
    }

    /// The copies that are not deleted.
    pub(crate) fn live(&self) -> impl DoubleEndedIterator<Item = &Copy> {
        self.copies.iter().filter(|copy| copy.live)
    }

    /// The copies with lower ids, newest first.
    pub(crate) fn before(&self, id: u64) -> impl Iterator<Item = &Copy> {
        let end = self.copies.partition_point(|copy| copy.id < id);
        let older = self.copies.get(..end).unwrap_or_default();
        older.iter().rev().filter(|copy| copy.live)
    }

    /// Finds a copy that is not deleted.
    pub(crate) fn find(&self, id: u64) -> Option<&Copy> {
        let place = self.place(id)?;
        self.copies.get(place).filter(|copy| copy.live)
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.copies.binary_search_by_key(&id, |copy| copy.id).ok()
    }

    /// The copies of a thread that are not deleted, oldest first.
    pub(crate) fn thread(&self, id: u64) -> Vec<&Copy> {
        let ids = self.threads.get(&id).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.find(*id)).collect()
    }

    /// The ids of threads with messages in them, ascending.
    pub(crate) fn thread_ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = self.live().map(|copy| copy.thread).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The id of the latest record of history.
    pub(crate) fn history_id(&self) -> u64 {
        self.history_id
    }

    /// The records after a start, or none if some of them are no longer kept.
    pub(crate) fn history_after(&self, start: u64, now_ms: i64) -> Option<Vec<&Event>> {
        let oldest_ms = now_ms.saturating_sub(HISTORY_KEPT_MS);
        let kept = self
            .history
            .partition_point(|event| event.at_ms < oldest_ms);
        let forgotten = kept
            .checked_sub(1)
            .and_then(|last| self.history.get(last))
            .map_or(0, |event| event.id);
        if start < self.kept_from.max(forgotten) || start > self.history_id {
            return None;
        }
        let first = self.history.partition_point(|event| event.id <= start);
        Some(self.history.range(first..).collect())
    }

    /// Forgets all history; a new id is the only good start.
    pub(crate) fn expire_history(&mut self) {
        self.history.clear();
        self.kept_from = self.next_history_id();
    }

    fn next_history_id(&mut self) -> u64 {
        let mixed = self.history_id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        self.history_id += 1 + mixed % HISTORY_GAP_MAX;
        self.history_id
    }

    /// Puts a new copy in its place and notes that it came.
    pub(crate) fn add(&mut self, copy: Copy, at_ms: i64, now_ms: i64) {
        let history_id = self.next_history_id();
        let change = Change {
            message: copy.id,
            thread: copy.thread,
            labels: copy.labels.clone(),
            happening: Happening::Added,
        };
        self.threads.entry(copy.thread).or_default().push(copy.id);
        if let Some(ids) = self.threads.get_mut(&copy.thread) {
            ids.sort_unstable();
        }
        let place = self.copies.partition_point(|known| known.id < copy.id);
        self.copies.insert(place, Copy { history_id, ..copy });
        // What is older than the log reaches is not noted at all.
        if at_ms >= now_ms.saturating_sub(HISTORY_KEPT_MS) {
            self.note(history_id, at_ms, vec![change]);
        } else {
            self.kept_from = history_id;
        }
    }

    fn note(&mut self, id: u64, at_ms: i64, changes: Vec<Change>) {
        self.history.push_back(Event { id, at_ms, changes });
    }

    /// Changes labels of messages in one record of history. Returns false if nothing changed.
    pub(crate) fn relabel(&mut self, ids: &[u64], moves: (&[u16], &[u16]), at_ms: i64) -> bool {
        let (put, taken) = moves;
        let mut changes = Vec::new();
        for id in ids {
            let Some(copy) = self.place(*id).and_then(|place| self.copies.get_mut(place)) else {
                continue;
            };
            if !copy.live {
                continue;
            }
            let added: Vec<u16> = missing(put, |number| copy.labels.has(number));
            let removed: Vec<u16> = missing(taken, |number| !copy.labels.has(number));
            copy.labels = copy.labels.with(&added).without(&removed);
            let happenings = [
                (Happening::Labelled(added.clone()), added.is_empty()),
                (Happening::Unlabelled(removed.clone()), removed.is_empty()),
            ];
            for (happening, is_none) in happenings {
                if !is_none {
                    changes.push(Change {
                        message: copy.id,
                        thread: copy.thread,
                        labels: copy.labels.clone(),
                        happening,
                    });
                }
            }
        }
        self.record(changes, at_ms)
    }

    /// Deletes a message for good. Returns false if there is no such message.
    pub(crate) fn delete(&mut self, id: u64, at_ms: i64) -> bool {
        let Some(copy) = self.place(id).and_then(|place| self.copies.get_mut(place)) else {
            return false;
        };
        if !copy.live {
            return false;
        }
        copy.live = false;
        let change = Change {
            message: copy.id,
            thread: copy.thread,
            labels: copy.labels.clone(),
            happening: Happening::Deleted,
        };
        self.record(vec![change], at_ms)
    }

    fn record(&mut self, changes: Vec<Change>, at_ms: i64) -> bool {
        if changes.is_empty() {
            return false;
        }
        let history_id = self.next_history_id();
        for change in &changes {
            if let Some(copy) = self
                .place(change.message)
                .and_then(|place| self.copies.get_mut(place))
            {
                copy.history_id = history_id;
            }
        }
        self.note(history_id, at_ms, changes);
        true
    }

    /// Serves a message as arbitrary JSON text, or no longer.
    pub(crate) fn set_raw(&mut self, id: u64, raw: Option<Arc<str>>) -> bool {
        if self.place(id).is_none() {
            return false;
        }
        match raw {
            Some(raw) => {
                self.raws.insert(id, raw);
                true
            }
            None => self.raws.remove(&id).is_some(),
        }
    }

    /// The text to serve instead of a message.
    pub(crate) fn raw(&self, id: u64) -> Option<&str> {
        self.raws.get(&id).map(AsRef::as_ref)
    }

    /// The first id from `id` on, in steps, that no message has.
    pub(crate) fn free_id(&self, mut id: u64, step: u64) -> u64 {
        while self.place(id).is_some() {
            id += step;
        }
        id
    }
}

fn missing(numbers: &[u16], already: impl Fn(u16) -> bool) -> Vec<u16> {
    let mut found: Vec<u16> = numbers
        .iter()
        .copied()
        .filter(|number| !already(*number))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
