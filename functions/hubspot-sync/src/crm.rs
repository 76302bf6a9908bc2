//! A stream of one kind of CRM object: everything by id the first time, then windows of changes, and after
//! each of them a sweep over the archived records.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Result};
use salesync_core::ledger::Window;
use salesync_core::record::{RawRecord, Reject};
use salesync_core::run::Traffic;
use salesync_core::schema::Table;
use salesync_core::source::{Page, Presence, Progress, Stream, TableChange, WindowPage};
use salesync_core::time::Timestamp;
use salesync_http::Client;

use crate::decode::decode;
use crate::objects::CrmObject;
use crate::page::{Found, Stamp};
use crate::place::{EARLIEST, OVERLAP, Place, end_of, whole_millis};
use crate::properties::{Layout, describe};
use crate::records::{Filter, Records, Shelf};

/// One kind of CRM object of one account.
pub(crate) struct CrmStream {
    records: Records,
    /// The source's clock when the stream was opened.
    opened_at: Timestamp,
    /// The window whose count has been told. Only a window that is read from its beginning is counted, so one
    /// that an earlier run left half read is cut at the place where reading goes on.
    told: Mutex<Option<Window>>,
    /// Whether the listing was begun anew already.
    restarted: AtomicBool,
}

/// What one fetch found, and where reading goes on.
struct Step {
    records: Vec<RawRecord>,
    next: Next,
    window: Option<WindowPage>,
    read_at: Timestamp,
}

/// Where reading goes on.
enum Next {
    Inside(Place),
    /// Nothing is left: the stream is complete up to here.
    CompleteTo(Timestamp),
}

impl CrmStream {
    /// Asks for the object's properties and returns its stream.
    pub(crate) async fn open(http: Arc<Client>, object: &'static CrmObject) -> Result<Self> {
        let layout = Layout::new(object, &describe(&http, object).await?)?;
        let opened_at = http.clock();
        Ok(Self {
            records: Records {
                http,
                object,
                layout,
            },
            opened_at,
            told: Mutex::new(None),
            restarted: AtomicBool::new(false),
        })
    }

    /// Counts what a listing should bring. An account that lists but does not search is read all the same,
    /// without the proof.
    async fn count_of_listing(&self, window: Window) -> Result<Option<u64>> {
        match self.records.count(window).await {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.code() == Code::SourceRefused => {
                tracing::warn!(source = "hubspot", error = %error, "the listing can't be counted");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads one page of the listing. Its records are those that had changed by the time it began; what
    /// changes while it is read is the next window's.
    async fn list(&self, after: Option<&str>, started: Timestamp) -> Result<Step> {
        let window = Window {
            lo: Timestamp::EPOCH,
            hi: end_of(started),
        };
        let expected = match after {
            None => self.count_of_listing(window).await?,
            Some(_) => None,
        };
        let listed = match self.records.list(after, Shelf::Live).await {
            // The token of the next page is unknown by now: the listing begins anew.
            // Once: a token that is refused again and again would be read for ever.
            Err(error)
                if error.code() == Code::SourceCursorExpired
                    && after.is_some()
                    && !self.restarted.swap(true, Ordering::Relaxed) =>
            {
                let next = Next::Inside(Place::listing(self.records.http.clock()));
                return Ok(Step {
                    records: Vec::new(),
                    next,
                    window: None,
                    read_at: self.records.http.clock(),
                });
            }
            listed => listed?,
        };
        let last = listed.after.is_none();
        let is_counted = self.tell(window, expected.is_some());
        let next = match listed.after {
            Some(after) => Place::Listing {
                after: Some(after),
                started,
            },
            None => {
                let lo = whole_millis(started.minus(OVERLAP)).max(EARLIEST);
                Place::Changed {
                    lo,
                    hi: end_of(self.records.http.clock()),
                    from: lo,
                }
            }
        };
        let window = is_counted.then_some(WindowPage {
            window,
            expected,
            last,
        });
        Ok(Step {
            records: listed.records,
            next: Next::Inside(next),
            window,
            read_at: listed.read_at,
        })
    }

    /// Reads the page of a window that begins with change time `from`.
    async fn changed(&self, window: Window, from: Timestamp) -> Result<Step> {
        let is_first = from == window.lo || !self.tell(window, false);
        let window = if is_first {
            Window {
                lo: from,
                hi: window.hi,
            }
        } else {
            window
        };
        let found = self
            .records
            .search(Filter::Changed(Window {
                lo: from,
                hi: window.hi,
            }))
            .await?;
        self.tell(window, is_first);
        let last = found.is_all();
        let place = if last {
            Place::after_window(window.hi)
        } else {
            self.place_after(&found, window, from)
        };
        let expected = is_first.then_some(found.total);
        let window = Some(WindowPage {
            window,
            expected,
            last,
        });
        let read_at = found.read_at;
        Ok(Step {
            records: found.into_records(),
            next: Next::Inside(place),
            window,
            read_at,
        })
    }

    /// Returns the place after a full page of a window: the change time of its last record whose time can be
    /// read and lies in the window. Where that is the time that the page began with, one millisecond fills
    /// the page, and its records are read by id.
    fn place_after(&self, found: &Found, window: Window, from: Timestamp) -> Place {
        let time_of = |record| {
            Stamp::read(record)?
                .time(self.records.object.changed_by)
                .map(whole_millis)
        };
        let is_inside = |time: &Timestamp| (from..=window.hi).contains(time);
        match found
            .records
            .iter()
            .rev()
            .filter_map(time_of)
            .find(is_inside)
        {
            Some(time) if time > from => Place::Changed {
                lo: window.lo,
                hi: window.hi,
                from: time,
            },
            _ => Place::Draining {
                lo: window.lo,
                hi: window.hi,
                time: from,
                last_id: 0,
            },
        }
    }

    /// Reads the records of one millisecond whose ids come after `last_id`.
    async fn drained(&self, window: Window, time: Timestamp, last_id: u64) -> Result<Step> {
        let found = self
            .records
            .search(Filter::At {
                time,
                after_id: last_id,
            })
            .await?;
        let place = if found.is_all() {
            Place::after_millisecond(window, time)
        } else {
            let id_of = |record| Stamp::read(record)?.id.parse::<u64>().ok();
            // Without an id beyond the last one, the place stays, and the run finds that nothing moves.
            let last_id = found
                .records
                .iter()
                .filter_map(id_of)
                .max()
                .map_or(last_id, |id| id.max(last_id));
            Place::Draining {
                lo: window.lo,
                hi: window.hi,
                time,
                last_id,
            }
        };
        let last = matches!(place, Place::Archived { .. });
        let is_counted = self.tell(window, false);
        let window = is_counted.then_some(WindowPage {
            window,
            expected: None,
            last,
        });
        let read_at = found.read_at;
        Ok(Step {
            records: found.into_records(),
            next: Next::Inside(place),
            window,
            read_at,
        })
    }

    /// Reads one page of the archived records. HubSpot can't filter them by time, so each run reads them all.
    async fn archived(&self, after: Option<&str>, complete_to: Timestamp) -> Result<Step> {
        let listed = match self.records.list(after, Shelf::Archived).await {
            Err(error) if error.code() == Code::SourceCursorExpired && after.is_some() => {
                self.records.list(None, Shelf::Archived).await?
            }
            listed => listed?,
        };
        let next = match listed.after {
            Some(after) => Next::Inside(Place::Archived {
                after: Some(after),
                complete_to,
            }),
            None => Next::CompleteTo(complete_to),
        };
        Ok(Step {
            records: listed.records,
            next,
            window: None,
            read_at: listed.read_at,
        })
    }

    /// Returns whether `window` is the one whose count was told; `is_first` makes it that.
    fn tell(&self, window: Window, is_first: bool) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if is_first {
            *told = Some(window);
        }
        *told == Some(window)
    }
}

#[async_trait]
impl Stream for CrmStream {
    fn table(&self) -> &Arc<Table> {
        &self.records.layout.table
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        let now = self.records.http.clock();
        let complete_to = from.map_or(Timestamp::EPOCH, Cursor::complete_to);
        let place = match from {
            None => Place::listing(now),
            Some(cursor) => cursor
                .place()?
                .unwrap_or_else(|| Place::window(complete_to, now)),
        };
        let step = match place {
            Place::Listing { after, started } => self.list(after.as_deref(), started).await?,
            Place::Changed { lo, hi, from } => self.changed(Window { lo, hi }, from).await?,
            Place::Draining {
                lo,
                hi,
                time,
                last_id,
            } => self.drained(Window { lo, hi }, time, last_id).await?,
            Place::Archived { after, complete_to } => {
                self.archived(after.as_deref(), complete_to).await?
            }
        };
        let (next, progress) = match step.next {
            Next::Inside(place) => (Cursor::inside(complete_to, &place)?, Progress::More),
            Next::CompleteTo(instant) => {
                let is_caught_up = Place::covers(instant, self.opened_at);
                let progress = if is_caught_up {
                    Progress::CaughtUp
                } else {
                    Progress::More
                };
                (Cursor::between_windows(instant), progress)
            }
        };
        Ok(Page {
            records: step.records,
            next,
            progress,
            window: step.window,
            read_at: step.read_at,
        })
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        decode(
            raw,
            self.records.object,
            &self.records.layout,
            self.records.http.clock(),
        )
        .map(TableChange::only)
    }

    async fn count(&self, window: Window) -> Result<u64> {
        self.records.count(window).await
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        self.records.presence(keys).await
    }

    fn traffic(&self) -> Traffic {
        self.records.http.traffic()
    }
}

impl fmt::Debug for CrmStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrmStream")
            .field("stream", &self.records.object.stream)
            .finish_non_exhaustive()
    }
}
