//! What happened in a mailbox since it was last read: the pages of its history, collapsed.

use std::collections::{BTreeMap, VecDeque};

use salesync_core::error::{Code, Error, Result};
use salesync_core::record::RawRecord;
use salesync_core::time::Timestamp;

use crate::decode::HistoryRecord;
use crate::mailbox::{Ask, HistoryPage, Mailbox, Name, number};
use crate::record::{self, Gone, LabelChange, Labelled, Sent};

/// So many changed messages are read of the history before they are got.
const CHANGED_MAX: usize = 5_000;
/// So many messages make a page.
const PAGE_MESSAGES: usize = 50;

/// What happened, and what of it is still to be got.
#[derive(Debug)]
pub(crate) struct Happened {
    /// The history that it follows.
    pub(crate) after: u64,
    /// The history up to which it is all that happened.
    pub(crate) up_to: u64,
    /// When that was asked.
    pub(crate) read_at: Timestamp,
    /// Whether more happened, which is read next.
    pub(crate) goes_on: bool,
    /// Whether labels may have changed.
    pub(crate) labels_changed: bool,
    /// What needs no further request.
    told: Vec<RawRecord>,
    /// Whether a page of it was read.
    pub(crate) was_begun: bool,
    to_get: VecDeque<Name>,
    /// How many messages it brings: those that were added and those that are gone.
    pub(crate) messages: u64,
}

/// What became of one message.
#[derive(Debug, Default)]
struct Fate {
    thread_id: String,
    was_added: bool,
    gone_in: Option<u64>,
    labels: Vec<(String, LabelChange, u64)>,
}

impl Happened {
    pub(crate) fn is_after(&self, history_id: u64) -> bool {
        self.after == history_id
    }

    /// Reads what happened after `start`. A page token that dies begins it anew, once.
    ///
    /// # Errors
    /// `ERR_SOURCE_CURSOR_EXPIRED` where that is too long ago.
    pub(crate) async fn read(mailbox: &Mailbox, start: u64) -> Result<Self> {
        let first = mailbox.history(start, None).await?;
        match Self::follow(mailbox, start, first).await {
            // If it is the history that is too old, its first page says so.
            Err(error) if error.code() == Code::SourceCursorExpired => {
                let first = mailbox.history(start, None).await?;
                Self::follow(mailbox, start, first).await
            }
            happened => happened,
        }
    }

    /// Reads what happened after `start`, of which `first` is the first page.
    async fn follow(mailbox: &Mailbox, start: u64, first: HistoryPage) -> Result<Self> {
        let mut happened = Self {
            after: start,
            // What happens while the pages are read may be missing from the last one: up to the first one's end
            // nothing is.
            up_to: first.history_id.max(start),
            read_at: first.read_at,
            goes_on: false,
            labels_changed: false,
            told: Vec::new(),
            was_begun: false,
            to_get: VecDeque::new(),
            messages: 0,
        };
        let mut fates: BTreeMap<String, Fate> = BTreeMap::new();
        let mut page = first;
        loop {
            let mut last_id = start;
            for raw in &page.records {
                let told = Sent {
                    history: Some(raw),
                    ..Sent::of(&mailbox.address)
                };
                happened.told.push(told.raw()?);
                // Of a record that can't be read nobody knows which messages it was about: as if it had expired.
                let record = serde_json::from_str::<HistoryRecord>(raw.get()).ok();
                let numbered = record.and_then(|record| Some((number(&record.id)?, record)));
                let Some((id, record)) = numbered else {
                    return Err(Error::new(
                        Code::SourceCursorExpired,
                        "read a record of the history",
                    ));
                };
                last_id = last_id.max(id);
                note(&mut fates, id, &record);
            }
            let Some(token) = page.next_page_token else {
                break;
            };
            if fates.len() >= CHANGED_MAX && last_id > start {
                happened.up_to = last_id;
                happened.goes_on = true;
                break;
            }
            page = mailbox.history(start, Some(&token)).await?;
        }
        happened.settle(mailbox, fates)?;
        Ok(happened)
    }

    /// Says what is known of each message, and which are to be got.
    fn settle(&mut self, mailbox: &Mailbox, fates: BTreeMap<String, Fate>) -> Result<()> {
        for (id, fate) in fates {
            self.labels_changed |= !fate.labels.is_empty();
            if let Some(history_id) = fate.gone_in {
                self.messages += 1;
                let name = Name {
                    id,
                    thread_id: fate.thread_id,
                };
                self.told.push(self.gone(mailbox, name, history_id)?);
            } else if fate.was_added {
                self.messages += 1;
                self.to_get.push_back(Name {
                    id,
                    thread_id: fate.thread_id,
                });
            } else {
                for (label_id, change, history_id) in fate.labels {
                    let labelled = Labelled {
                        id: id.clone(),
                        label_id,
                        change,
                        history_id,
                        at: self.read_at,
                    };
                    let sent = Sent {
                        labelled: Some(labelled),
                        ..Sent::of(&mailbox.address)
                    };
                    self.told.push(sent.raw()?);
                }
            }
        }
        Ok(())
    }

    fn gone(&self, mailbox: &Mailbox, name: Name, history_id: u64) -> Result<RawRecord> {
        let gone = Gone {
            id: name.id,
            thread_id: name.thread_id,
            history_id,
            at: self.read_at,
        };
        record::gone(mailbox, gone)
    }

    /// Returns whether all of it was read.
    pub(crate) fn is_done(&self) -> bool {
        self.told.is_empty() && self.to_get.is_empty()
    }

    /// Returns the next page of it. A message that has gone since is a deletion, which the history will tell.
    pub(crate) async fn next(&mut self, mailbox: &Mailbox) -> Result<Vec<RawRecord>> {
        let size = PAGE_MESSAGES.min(self.to_get.len());
        let names: Vec<Name> = self.to_get.iter().take(size).cloned().collect();
        let asks: Vec<Ask> = names
            .iter()
            .map(|name| Ask::Message(name.id.clone()))
            .collect();
        let got = mailbox.get(&asks).await?;
        let mut records = std::mem::take(&mut self.told);
        for name in names {
            match got.get(&Ask::Message(name.id.clone())).cloned().flatten() {
                Some(body) => records.push(record::message(mailbox, &name.id, &body)?),
                None => records.push(self.gone(mailbox, name, self.up_to)?),
            }
        }
        self.to_get.drain(..size);
        self.was_begun = true;
        Ok(records)
    }
}

/// Notes what a record of the history says of its messages.
fn note(fates: &mut BTreeMap<String, Fate>, id: u64, record: &HistoryRecord) {
    for event in &record.messages_added {
        let fate = of(fates, &event.message);
        fate.was_added = true;
        fate.gone_in = None;
    }
    for (events, change) in [
        (&record.labels_added, LabelChange::Added),
        (&record.labels_removed, LabelChange::Removed),
    ] {
        for event in events {
            let fate = of(fates, &event.message);
            for label in &event.label_ids {
                fate.labels.retain(|(known, ..)| known != label);
                fate.labels.push((label.clone(), change, id));
            }
        }
    }
    for event in &record.messages_deleted {
        of(fates, &event.message).gone_in = Some(id);
    }
}

fn of<'a>(fates: &'a mut BTreeMap<String, Fate>, name: &Name) -> &'a mut Fate {
    let fate = fates.entry(name.id.clone()).or_default();
    fate.thread_id.clone_from(&name.thread_id);
    fate
}
