//! The first load of a mailbox: what there was when it began, thread by thread.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use salesync_core::error::Result;
use salesync_core::ledger::Window;
use salesync_core::record::RawRecord;
use salesync_core::source::WindowPage;
use salesync_core::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::mailbox::{Ask, Mailbox, Name, number};
use crate::record::{self, Gone};

/// So many messages make a page: few enough that a killed run loses little, many enough for even batches.
const PAGE_MESSAGES: usize = 50;
/// A thread with more messages is not asked for whole: its answer could be too large.
const THREAD_MESSAGES_MAX: usize = 100;
/// How often a listing is read again that is shorter than what the mailbox says it holds.
const LISTINGS_MAX: usize = 3;

/// What is left to load.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The history that the load began with: which load this is.
    history_id: u64,
    threads: VecDeque<Thread>,
    /// All messages that were to be loaded.
    pub(crate) ids: HashSet<String>,
    expected: u64,
    /// Whether no page of it was read yet.
    begins: bool,
}

#[derive(Debug, Clone)]
struct Thread {
    id: String,
    messages: Vec<String>,
}

/// A page of the load.
pub(crate) struct Loaded {
    pub(crate) records: Vec<RawRecord>,
    /// The thread that was loaded last.
    pub(crate) below: Option<String>,
    pub(crate) last: bool,
    pub(crate) window: Option<WindowPage>,
}

/// Where a load stands, as its place says.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) history_id: u64,
    pub(crate) started: Timestamp,
    pub(crate) total: u64,
    pub(crate) below: Option<&'a str>,
    pub(crate) since: Option<Timestamp>,
}

impl Plan {
    pub(crate) fn is_of(&self, history_id: u64) -> bool {
        self.history_id == history_id
    }

    /// Lists what is left to load. A listing that is shorter than what the mailbox says it holds is read again.
    pub(crate) async fn make(mailbox: &Mailbox, load: Load<'_>) -> Result<Self> {
        let mut least = load.total;
        let mut names = mailbox.list_all().await?;
        for _ in 1..LISTINGS_MAX {
            if count(names.len()) >= least {
                break;
            }
            // Some may have been deleted meanwhile.
            least = least.min(mailbox.profile().await?.messages_total);
            if count(names.len()) < least {
                names = mailbox.list_all().await?;
            }
        }
        let listed: HashSet<Name> = names.into_iter().collect();
        let short = least.saturating_sub(count(listed.len()));
        let mut threads: HashMap<String, Vec<String>> = HashMap::new();
        let is_left = |name: &Name| {
            load.below
                .is_none_or(|below| name.thread_id.as_str() < below)
        };
        let (mut ids, mut left) = (HashSet::new(), 0_u64);
        for name in listed.into_iter().filter(is_left) {
            left += 1;
            ids.insert(name.id.clone());
            threads.entry(name.thread_id).or_default().push(name.id);
        }
        let mut threads: Vec<Thread> = threads
            .into_iter()
            .map(|(id, messages)| Thread { id, messages })
            .collect();
        threads.sort_by(|a, b| b.id.cmp(&a.id));
        Ok(Self {
            history_id: load.history_id,
            threads: threads.into(),
            ids,
            // What the mailbox holds and would not list is missing, and is named so.
            expected: left + short,
            begins: true,
        })
    }

    /// Loads the next page.
    pub(crate) async fn next(&mut self, mailbox: &Mailbox, load: Load<'_>) -> Result<Loaded> {
        // They are left in the plan until they are loaded: a page that fails is asked for again.
        let threads = self.page();
        let below = threads.last().map(|thread| thread.id.clone());
        let whole_from = mailbox.whole_thread_from();
        let is_whole = |thread: &Thread| {
            let size = thread.messages.len();
            whole_from.is_some_and(|from| size >= from) && size <= THREAD_MESSAGES_MAX
        };
        let asks: Vec<Ask> = threads
            .iter()
            .flat_map(|thread| match is_whole(thread) {
                true => vec![Ask::Thread(thread.id.clone())],
                false => thread.messages.iter().cloned().map(Ask::Message).collect(),
            })
            .collect();
        let mut got = mailbox.get(&asks).await?;
        let mut found = Found::new(mailbox, load);
        let mut left = Vec::new();
        for thread in &threads {
            let whole = got.remove(&Ask::Thread(thread.id.clone())).flatten();
            left.push((thread, found.whole(thread, whole)?));
        }
        // What a thread did not show is asked for alone: a bad message may have spoilt its thread.
        let ids = left.iter().flat_map(|(_, ids)| ids);
        let asks = ids.map(|id| Ask::Message((*id).clone()));
        let asks = asks.filter(|ask| !got.contains_key(ask));
        got.extend(mailbox.get(&asks.collect::<Vec<_>>()).await?);
        for (thread, ids) in left {
            for id in ids {
                let body = got.remove(&Ask::Message(id.clone())).flatten();
                found.message(&thread.id, id, body)?;
            }
        }
        self.threads.drain(..threads.len());
        let last = self.threads.is_empty();
        let window = WindowPage {
            window: Window {
                lo: Timestamp::EPOCH,
                hi: load.started,
            },
            expected: std::mem::take(&mut self.begins).then_some(self.expected),
            last,
        };
        Ok(Loaded {
            records: found.records,
            below,
            last,
            // Of a part of the mailbox nobody knows how many messages there should be.
            window: load.since.is_none().then_some(window),
        })
    }

    /// Returns the threads of the next page.
    fn page(&self) -> Vec<Thread> {
        let (mut threads, mut messages) = (Vec::new(), 0);
        for thread in &self.threads {
            messages += thread.messages.len();
            if messages > PAGE_MESSAGES && !threads.is_empty() {
                break;
            }
            threads.push(thread.clone());
        }
        threads
    }
}

/// The records of a page, as they are found.
struct Found<'a> {
    mailbox: &'a Mailbox,
    load: Load<'a>,
    records: Vec<RawRecord>,
}

impl<'a> Found<'a> {
    fn new(mailbox: &'a Mailbox, load: Load<'a>) -> Self {
        Self {
            mailbox,
            load,
            records: Vec::new(),
        }
    }

    /// Adds a message, or what is known of one that has gone since it was listed.
    fn message(&mut self, thread: &str, id: &str, body: Option<bytes::Bytes>) -> Result<()> {
        let Some(body) = body else {
            let gone = Gone {
                id: id.to_owned(),
                thread_id: thread.to_owned(),
                history_id: self.load.history_id,
                at: self.load.started,
            };
            self.records.push(record::gone(self.mailbox, gone)?);
            return Ok(());
        };
        if self.is_wanted(&body) {
            self.records.push(record::message(self.mailbox, id, &body)?);
        }
        Ok(())
    }

    /// Adds the messages of a thread that was read whole, as far as they were planned: others are newer than the
    /// load, and come after it. Returns those that it did not show.
    fn whole<'t>(
        &mut self,
        thread: &'t Thread,
        body: Option<bytes::Bytes>,
    ) -> Result<Vec<&'t String>> {
        #[derive(Deserialize)]
        struct Shape<'b> {
            #[serde(borrow, default)]
            messages: Vec<&'b RawValue>,
        }
        #[derive(Deserialize)]
        struct Id<'b> {
            #[serde(borrow)]
            id: Cow<'b, str>,
        }
        let mut left: BTreeSet<&String> = thread.messages.iter().collect();
        let body = body.unwrap_or_default();
        if let Ok(shape) = serde_json::from_slice::<Shape<'_>>(&body) {
            for raw in shape.messages {
                let id = serde_json::from_str::<Id<'_>>(raw.get());
                if let Ok(Id { id }) = id
                    && let Some(id) = left.take(&id.into_owned())
                {
                    let bytes = bytes::Bytes::copy_from_slice(raw.get().as_bytes());
                    self.message(&thread.id, id, Some(bytes))?;
                }
            }
        }
        Ok(left.into_iter().collect())
    }

    /// Returns whether a message is one of those that were asked for; what can't be read is not passed over.
    fn is_wanted(&self, body: &[u8]) -> bool {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Dated {
            internal_date: String,
        }
        let Some(since) = self.load.since else {
            return true;
        };
        let dated = serde_json::from_slice::<Dated>(body).ok();
        let millis = dated.and_then(|it| number(&it.internal_date));
        millis
            .and_then(|it| i64::try_from(it).ok())
            .is_none_or(|it| it >= since.millis())
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
