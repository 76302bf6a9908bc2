//! One mailbox as a stream: its messages, and with them participants, labels, attachments, threads, the
//! mailbox itself and what happened in it, each in a table of its own. They are read together, since they come
//! together: an idle mailbox costs one request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::cursor::Cursor;
use salesync_core::error::Result;
use salesync_core::ledger::Window;
use salesync_core::record::{RawRecord, Reject};
use salesync_core::run::Traffic;
use salesync_core::schema::Table;
use salesync_core::source::{Page, Presence, Progress, Stream, TableChange, WindowPage};
use salesync_core::time::Timestamp;
use std::collections::HashSet;
use tokio::sync::Mutex;

use crate::decode::{decode, version_of};
use crate::happened::Happened;
use crate::load::{Load, Plan};
use crate::mailbox::{Mailbox, Profile};
use crate::place::Place;
use crate::record::{Account, Sent};
use crate::tables::Tables;

/// How long labels and counts are believed while the history says nothing of them.
const LOOK_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// One mailbox.
pub(crate) struct MailboxStream {
    mailbox: Mailbox,
    tables: Arc<Tables>,
    /// What was planned and is not read yet; it can be planned again from the place alone.
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    load: Option<Plan>,
    happened: Option<Happened>,
    /// The mailbox as it was listed to find out what is gone.
    present: Option<(HashSet<String>, Timestamp)>,
}

/// What one fetch found.
struct Step {
    records: Vec<RawRecord>,
    next: Place,
    progress: Progress,
    complete_to: Timestamp,
    window: Option<WindowPage>,
    read_at: Timestamp,
}

impl MailboxStream {
    pub(crate) fn new(mailbox: Mailbox, tables: Arc<Tables>) -> Self {
        Self {
            mailbox,
            tables,
            work: Mutex::default(),
        }
    }

    /// Reads the mailbox's profile and its labels.
    async fn look(&self) -> Result<(Profile, RawRecord)> {
        let profile = self.mailbox.profile().await?;
        let labels = self.mailbox.labels().await?;
        let account = Account {
            profile: &profile.raw,
            labels: labels.iter().map(AsRef::as_ref).collect(),
        };
        let sent = Sent {
            account: Some(account),
            ..Sent::of(&self.mailbox.address)
        };
        let record = sent.raw()?;
        Ok((profile, record))
    }

    /// Begins a load: what the mailbox's history is now, before anything is listed.
    async fn begin(&self, from: Option<&Cursor>) -> Result<Step> {
        let (profile, account) = self.look().await?;
        let since = from
            .map(Cursor::complete_to)
            .filter(|since| *since > Timestamp::EPOCH);
        let earlier = match from.map(Cursor::left::<Place>).transpose()?.flatten() {
            Some(Place::History { history_id, .. }) => Some(history_id),
            // Sent back while it was being sent back: what it left then is still to be gone on from.
            Some(Place::Loading { earlier, .. }) => earlier,
            None => None,
        };
        Ok(Step {
            records: vec![account],
            next: Place::Loading {
                history_id: profile.history_id,
                started: profile.read_at,
                total: profile.messages_total,
                below: None,
                since,
                earlier,
                step: 0,
            },
            progress: Progress::More,
            complete_to: Timestamp::EPOCH,
            window: None,
            read_at: profile.read_at,
        })
    }

    /// Loads a page of the messages that there were when the load began.
    async fn load(&self, load: Load<'_>, earlier: Option<u64>, step: u64) -> Result<Step> {
        let mut work = self.work.lock().await;
        let plan = match work.load.take().filter(|plan| plan.is_of(load.history_id)) {
            Some(plan) => plan,
            None => Plan::make(&self.mailbox, load).await?,
        };
        let plan = work.load.insert(plan);
        let read_at = self.mailbox.http.clock();
        let loaded = plan.next(&self.mailbox, load).await?;
        let next = if loaded.last {
            Place::History {
                history_id: earlier.unwrap_or(load.history_id),
                looked_at: load.started,
                step: 0,
            }
        } else {
            Place::Loading {
                history_id: load.history_id,
                started: load.started,
                total: load.total,
                below: loaded.below,
                since: load.since,
                earlier,
                step: step + 1,
            }
        };
        Ok(Step {
            records: loaded.records,
            next,
            progress: Progress::More,
            complete_to: Timestamp::EPOCH,
            window: loaded.window,
            read_at,
        })
    }

    /// Reads a page of what happened after `history_id`, at which the mailbox was read `before`.
    async fn happened(
        &self,
        (history_id, before): (u64, Timestamp),
        looked_at: Timestamp,
        step: u64,
    ) -> Result<Step> {
        let mut work = self.work.lock().await;
        work.load = None;
        let happened = match work.happened.take().filter(|it| it.is_after(history_id)) {
            Some(happened) => happened,
            None => Happened::read(&self.mailbox, history_id).await?,
        };
        let happened = work.happened.insert(happened);
        let is_first = !happened.was_begun;
        let mut records = happened.next(&self.mailbox).await?;
        let mut looked_at = looked_at;
        let is_done = happened.is_done();
        let is_stale = happened.read_at.since(looked_at) >= LOOK_EVERY;
        if is_done && (happened.labels_changed || happened.messages > 0 || is_stale) {
            let (profile, account) = self.look().await?;
            looked_at = profile.read_at;
            records.push(account);
        }
        let window = (happened.messages > 0).then_some(WindowPage {
            window: Window {
                lo: before.min(happened.read_at),
                hi: happened.read_at,
            },
            expected: is_first.then_some(happened.messages),
            last: is_done,
        });
        let (read_at, up_to, goes_on) = (happened.read_at, happened.up_to, happened.goes_on);
        let is_caught_up = is_done && !goes_on;
        if is_done {
            work.happened = None;
        }
        let next = Place::History {
            history_id: if is_done { up_to } else { history_id },
            looked_at,
            step: if is_done { 0 } else { step + 1 },
        };
        Ok(Step {
            records,
            next,
            progress: if is_caught_up {
                Progress::CaughtUp
            } else {
                Progress::More
            },
            complete_to: if is_caught_up {
                read_at
            } else {
                Timestamp::EPOCH
            },
            window,
            read_at,
        })
    }
}

#[async_trait]
impl Stream for MailboxStream {
    fn table(&self) -> &Arc<Table> {
        &self.tables.messages
    }

    fn beside(&self) -> &[Arc<Table>] {
        &self.tables.beside
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        let before = from.map_or(Timestamp::EPOCH, Cursor::complete_to);
        let step = match from.map(Cursor::place).transpose()?.flatten() {
            None => self.begin(from).await?,
            Some(Place::Loading {
                history_id,
                started,
                total,
                below,
                since,
                earlier,
                step,
            }) => {
                let load = Load {
                    history_id,
                    started,
                    total,
                    below: below.as_deref(),
                    since,
                };
                self.load(load, earlier, step).await?
            }
            Some(Place::History {
                history_id,
                looked_at,
                step,
            }) => self.happened((history_id, before), looked_at, step).await?,
        };
        Ok(Page {
            records: step.records,
            next: Cursor::inside(step.complete_to.max(before), &step.next)?,
            progress: step.progress,
            window: step.window,
            read_at: step.read_at,
        })
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        decode(raw)
    }

    async fn count(&self, _: Window) -> Result<u64> {
        let names = self.mailbox.list_all().await?;
        let work = self.work.lock().await;
        let is_planned = |id: &String| {
            let plan = work.load.as_ref();
            plan.is_some_and(|plan| plan.ids.contains(id))
        };
        let present = names.iter().filter(|name| is_planned(&name.id)).count();
        Ok(u64::try_from(present).unwrap_or(u64::MAX))
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        let mut work = self.work.lock().await;
        let present = match work.present.take() {
            Some(present) => present,
            None => {
                let profile = self.mailbox.profile().await?;
                let names = self.mailbox.list_all().await?;
                let version = version_of(profile.history_id).unwrap_or(Timestamp::EPOCH);
                (names.into_iter().map(|name| name.id).collect(), version)
            }
        };
        let (ids, version) = work.present.insert(present);
        let of = |key: &String| match ids.contains(key) {
            true => Presence::Present,
            false => Presence::AbsentIn(*version),
        };
        Ok(keys.iter().map(of).collect())
    }

    fn traffic(&self) -> Traffic {
        self.mailbox.http.traffic()
    }
}

impl fmt::Debug for MailboxStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailboxStream").finish_non_exhaustive()
    }
}
