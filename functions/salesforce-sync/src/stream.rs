//! The stream of one object: pages of (SystemModstamp, Id) over closed windows, whatever the object.
//!
//! No locator of the service is ever kept: each page is a query of its own that begins after the last
//! record, so that an expired session, a dead locator or a page cut short costs nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::ledger::Window;
use salesync_core::record::{RawRecord, Reject};
use salesync_core::run::Traffic;
use salesync_core::schema::Table;
use salesync_core::source::{Page, Presence, Progress, Stream, TableChange, WindowPage};
use salesync_core::time::Timestamp;
use salesync_core::token;
use salesync_core::validate::SoqlIdentifier;

use crate::client::Api;
use crate::decode::{self, Fields};
use crate::objects::Object;
use crate::page::{self, Rows};
use crate::place::{Place, Step};
use crate::{describe, id, soql};

/// The most records that the service puts on a page.
const PAGE_ROWS: usize = 2_000;
/// The fewest records that a page is asked for when queries take too long.
const FEWEST_ROWS: usize = 200;
/// How often one page is asked for anew with less in it, or one count with a shorter window.
const NARROWINGS: usize = 4;
/// How far after the source's clock a change time may lie.
const NEWEST: Duration = Duration::from_secs(24 * 60 * 60);
/// `Id` and `SystemModstamp`, which every query asks for.
const KEYS: usize = 2;

/// The records of one object.
pub(crate) struct ObjectStream {
    api: Arc<Api>,
    object: &'static Object,
    name: SoqlIdentifier,
    table: Arc<Table>,
    fields: Mutex<Arc<[SoqlIdentifier]>>,
    opened_at: Timestamp,
}

impl ObjectStream {
    /// Asks for the object's description and returns its stream.
    ///
    /// # Errors
    /// [`Code::SourceForbidden`] with the stream's name where the login does not see the object.
    pub(crate) async fn open(api: Arc<Api>, object: &'static Object) -> Result<Self> {
        let name = SoqlIdentifier::parse(object.name)?;
        let described = describe(&api, &name)
            .await
            .and_then(|it| it.described(object));
        let described = described.map_err(|error| of_stream(error, object))?;
        let opened_at = api.clock();
        let (table, fields) = (
            Arc::new(described.table),
            Mutex::new(described.fields.into()),
        );
        Ok(Self {
            api,
            object,
            name,
            table,
            fields,
            opened_at,
        })
    }

    fn fields(&self) -> Arc<[SoqlIdentifier]> {
        Arc::clone(&self.fields.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets the fields that have been removed or hidden since the description, and says whether there
    /// were any. Their columns stay, and stay empty.
    async fn forget_hidden_fields(&self) -> Result<bool> {
        let described = describe(&self.api, &self.name).await?.names()?;
        let before = self.fields();
        let kept: Arc<[_]> = before
            .iter()
            .filter(|field| described.contains(field))
            .cloned()
            .collect();
        let hidden = before.len() - kept.len();
        tracing::warn!(
            source = "salesforce",
            stream = self.object.stream,
            hidden,
            "fields were hidden"
        );
        *self.fields.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(hidden > 0)
    }

    /// Returns the place to read from, and whether it is the first page that this stream reads of its window.
    fn place(&self, from: Option<&Cursor>) -> Result<(Place, bool)> {
        let place = from.map(Cursor::place::<Place>).transpose()?.flatten();
        Ok(match place {
            Some(place) if place.is_of(self.opened_at) => (place, false),
            Some(place) => (place.taken_over(self.opened_at), true),
            None => (
                Place::open(
                    from.map(Cursor::complete_to),
                    self.api.clock(),
                    self.opened_at,
                ),
                true,
            ),
        })
    }

    /// Asks for the page at `place`. A query that the service has no time for is asked again with less in it.
    async fn rows(&self, place: &mut Place) -> Result<(Rows, usize)> {
        let mut limit = PAGE_ROWS;
        let mut narrowings = 0;
        loop {
            let error = match self.query(place, limit).await {
                Ok(rows) => return Ok((rows, limit)),
                Err(error) => error,
            };
            match error.code() {
                Code::SourceTimeout if narrowings < NARROWINGS => match place.narrowed() {
                    Some(narrowed) => *place = narrowed,
                    None if limit > FEWEST_ROWS => limit = (limit / 2).max(FEWEST_ROWS),
                    None => return Err(error),
                },
                Code::SourceSchemaChanged
                    if narrowings == 0 && self.forget_hidden_fields().await? => {}
                _ => return Err(error),
            }
            narrowings += 1;
        }
    }

    /// Asks for one page, in as many queries as its fields need.
    async fn query(&self, place: &Place, limit: usize) -> Result<Rows> {
        let fields = self.fields();
        let (keys, others) = fields.split_at_checked(KEYS).unwrap_or((&fields, &[]));
        let mut parts = Vec::new();
        for group in soql::groups(keys, others) {
            let statement = soql::page(&self.name, &group, place.start(), place.end(), limit);
            parts.push(self.api.query(&statement, page::rows).await?);
        }
        match <[Rows; 1]>::try_from(parts) {
            Ok([rows]) => Ok(rows),
            Err(parts) => page::merge(parts),
        }
    }

    async fn read_page(&self, from: Option<&Cursor>) -> Result<Page> {
        let (mut place, first) = self.place(from)?;
        let (rows, limit) = self.rows(&mut place).await?;
        let window = place.window();
        let step = place.after(&rows, limit);
        let expected = match first {
            // Below the limit the service says how much the whole window holds, even where it cut the page.
            true if place.end() == window.hi
                && usize::try_from(rows.total).is_ok_and(|total| total < limit) =>
            {
                Some(rows.total)
            }
            true => Some(self.count_in(window).await?),
            false => None,
        };
        let last = step == Step::Finished;
        let progress = if last && place.is_fresh() {
            Progress::CaughtUp
        } else {
            Progress::More
        };
        let next = match step {
            Step::Finished => Cursor::between_windows(place.finished()),
            Step::GoOn(next) => next.cursor(from.map_or(Timestamp::EPOCH, Cursor::complete_to))?,
        };
        let window = Some(WindowPage {
            window,
            expected,
            last,
        });
        Ok(Page {
            records: rows.records,
            next,
            progress,
            window,
            read_at: rows.read_at,
        })
    }

    /// Counts a window, in halves where the service has no time for the whole.
    async fn count_in(&self, window: Window) -> Result<u64> {
        let (mut open, mut total, mut halvings) = (vec![window], 0, 0);
        while let Some(window) = open.pop() {
            let error = match self
                .api
                .query(&soql::count(&self.name, window), page::count)
                .await
            {
                Ok(count) => {
                    total += count;
                    continue;
                }
                Err(error) => error,
            };
            let halves = halves(window)
                .filter(|_| error.code() == Code::SourceTimeout && halvings < NARROWINGS);
            let Some(halves) = halves else {
                return Err(error);
            };
            halvings += 1;
            open.extend(halves);
        }
        Ok(total)
    }

    /// Looks up records by their ids, which are all well-formed.
    async fn look_up(&self, ids: &[&str]) -> Result<Vec<(String, Presence)>> {
        let known = self.fields();
        let wanted = ["Id", "IsDeleted", "MasterRecordId"];
        let fields: Vec<_> = known
            .iter()
            .filter(|field| wanted.contains(&field.as_str()))
            .cloned()
            .collect();
        let statement = soql::by_id(&self.name, &fields, ids);
        self.api
            .query(&statement, |answer| {
                let rows = page::rows(answer)?;
                if !rows.done {
                    return Err(answer.error(Code::SourcePageShape));
                }
                rows.records
                    .iter()
                    .map(|raw| presence_of(raw).ok_or_else(|| answer.error(Code::SourcePageShape)))
                    .collect()
            })
            .await
    }

    async fn presences(&self, keys: &[String]) -> Result<Vec<Presence>> {
        let mut presences = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(soql::IDS_PER_STATEMENT) {
            let ids: Vec<_> = chunk
                .iter()
                .map(String::as_str)
                .filter(|key| id::full(key).is_some())
                .collect();
            let found = if ids.is_empty() {
                Vec::new()
            } else {
                self.look_up(&ids).await?
            };
            presences.extend(chunk.iter().map(|key| {
                let found = found.iter().find(|(id, _)| id::same(id, key));
                found.map_or(Presence::Absent, |(_, presence)| presence.clone())
            }));
        }
        Ok(presences)
    }
}

/// Asks the service to describe an object.
async fn describe(api: &Api, object: &SoqlIdentifier) -> Result<describe::Description> {
    api.get(
        "describe an object",
        &format!("/sobjects/{object}/describe"),
        |answer| answer.json(),
    )
    .await
}

/// Returns the record's id and what has become of it.
fn presence_of(raw: &RawRecord) -> Option<(String, Presence)> {
    let fields: Fields<'_> = raw.parse().ok()?;
    let key = fields.key().ok()?.into_owned();
    let deleted = fields.get("IsDeleted") == Some("true");
    let survivor = fields.get("MasterRecordId").and_then(token::of_token);
    let survivor = survivor.and_then(|id| id::full(&id).map(|id| id.into_owned()));
    Some(match (deleted, survivor) {
        (false, _) => (key, Presence::Present),
        (true, Some(survivor)) => (key, Presence::MergedInto(survivor)),
        (true, None) => (key, Presence::Absent),
    })
}

/// Returns the two halves of a window that can be halved.
fn halves(window: Window) -> Option<[Window; 2]> {
    let half = window.hi.since(window.lo) / 2;
    let middle = Timestamp::from_millis(window.lo.plus(half).millis());
    let next = middle.plus(Duration::from_millis(1));
    let split = window.lo <= middle && next <= window.hi;
    split.then_some([
        Window {
            hi: middle,
            ..window
        },
        Window { lo: next, ..window },
    ])
}

/// Adds the stream's name to an error.
fn of_stream(error: Error, object: &Object) -> Error {
    error.with("stream", object.stream)
}

#[async_trait]
impl Stream for ObjectStream {
    fn table(&self) -> &Arc<Table> {
        &self.table
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        self.read_page(from)
            .await
            .map_err(|error| of_stream(error, self.object))
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        let newest = self.opened_at.plus(NEWEST);
        decode::decode(&self.table, raw, newest).map(TableChange::only)
    }

    async fn count(&self, window: Window) -> Result<u64> {
        self.count_in(window)
            .await
            .map_err(|error| of_stream(error, self.object))
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        self.presences(keys)
            .await
            .map_err(|error| of_stream(error, self.object))
    }

    fn traffic(&self) -> Traffic {
        self.api.traffic()
    }
}

impl fmt::Debug for ObjectStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStream")
            .field("stream", &self.object.stream)
            .finish_non_exhaustive()
    }
}
