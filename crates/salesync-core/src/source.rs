//! What a vendor's folder provides: a source with its streams.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::backlog::{Backlog, Due};
use crate::cursor::Cursor;
use crate::deal::DealColumns;
use crate::error::{Code, Error, Result};
use crate::interaction::{InteractionColumns, OurColumns};
use crate::ledger::Window;
use crate::record::{Change, RawRecord, Reject};
use crate::resolve::{ColumnField, EntityKind};
use crate::run::Traffic;
use crate::schema::Table;
use crate::secret::SecretStore;
use crate::time::Timestamp;

/// A vendor: its name, its streams and how to reach it. One constant per vendor's folder.
#[derive(Clone, Copy)]
pub struct SourceDefinition {
    /// The source's name: `hubspot`.
    pub name: &'static str,
    /// The names of its streams, in the order in which they are read.
    pub streams: &'static [&'static str],
    /// Streams that others bring along: their records come with the other's and are never asked for alone.
    pub brought: &'static [Brought],
    /// Streams that are read when another one has been: (this one, after that one).
    pub after: &'static [(&'static str, &'static str)],
    /// The settings that only this source has.
    pub settings: &'static [SourceSetting],
    /// The origin that it is reached at where no setting says otherwise.
    pub base_url: &'static str,
    /// Which columns of which stream say who a person or company is.
    pub identities: &'static [IdentityColumns],
    /// Which columns of which stream tell of interactions.
    pub interactions: &'static [InteractionColumns],
    /// Which columns of which stream say who we are.
    pub ours: &'static [OurColumns],
    /// Which columns of which stream tell of deals.
    pub deals: &'static [DealColumns],
    /// Logs in lazily: no request is sent before the source is used.
    pub connect: fn(SourceSettings) -> Result<Arc<dyn Source>>,
}

impl fmt::Debug for SourceDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceDefinition")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Which columns of a stream's table say who a person or company is. Wherever a column is named, a member of a
/// JSON column can be named too: `contact.name` is the member `name` of the object in `contact`.
#[derive(Debug, Clone, Copy)]
pub struct IdentityColumns {
    /// The stream.
    pub stream: &'static str,
    /// What its records are about.
    pub kind: EntityKind,
    /// What each column says.
    pub columns: &'static [(ColumnField, &'static str)],
    /// The column with the id of the employer's record, and the stream of that record.
    pub employer: Option<(&'static str, &'static str)>,
    /// The column that names the person or company. Rows with the same value are one record: of each column the
    /// newest value counts, and the value itself is the record's id. Addresses and numbers of ours, of machines and
    /// of nobody name nobody.
    pub named_by: &'static str,
    /// The column with the time at which the row says it.
    pub said_at: &'static str,
    /// The rows that say nothing.
    pub except: Option<Except>,
}

/// Rows that another table sets aside: those of what was marked there as a draft, or as unwanted.
#[derive(Debug, Clone, Copy)]
pub struct Except {
    /// The other table's stream.
    pub stream: &'static str,
    /// What its rows are about: a column there, and the column here with the same value.
    pub about: &'static [(&'static str, &'static str)],
    /// The column, there, that tells.
    pub column: &'static str,
    /// The values that it has in rows that set something aside.
    pub values: &'static [&'static str],
}

impl IdentityColumns {
    /// Returns a declaration that says nothing but the stream and the kind, to be filled in: each row is a record,
    /// named by its key, and says what it says as of its version.
    #[must_use]
    pub const fn of(stream: &'static str, kind: EntityKind) -> Self {
        Self {
            stream,
            kind,
            columns: &[],
            employer: None,
            named_by: "id",
            said_at: "_version",
            except: None,
        }
    }
}

/// Streams that another one brings along, each in a table of its own.
#[derive(Debug, Clone, Copy)]
pub struct Brought {
    /// The streams.
    pub streams: &'static [&'static str],
    /// The one that is read.
    pub by: &'static str,
}

impl SourceDefinition {
    /// Returns the stream that brings this one: itself, where it is read alone.
    #[must_use]
    pub fn reads(&self, stream: &'static str) -> &'static str {
        let bringer = self.brought.iter().find(|it| it.streams.contains(&stream));
        bringer.map_or(stream, |it| it.by)
    }
}

/// A setting that only one source has.
#[derive(Debug, Clone, Copy)]
pub struct SourceSetting {
    /// Its name after the source's: `MAILBOXES`.
    pub name: &'static str,
    /// Its value where nothing is given.
    pub default: &'static str,
    /// What it is, for people.
    pub meaning: &'static str,
    /// Returns the rule that a value breaks, if it breaks one.
    pub check: fn(&str) -> Option<&'static str>,
}

/// What a source needs from the outside.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// The origin to talk to, and the only one.
    pub base_url: String,
    /// Where its secret (under the source's name) is kept.
    pub secrets: Arc<dyn SecretStore>,
    /// The time of the run.
    pub now: Timestamp,
    /// The values of all settings that only this source has, by their names: checked, and the default where
    /// nothing was given.
    pub values: BTreeMap<&'static str, String>,
}

impl SourceSettings {
    /// Returns the value of a setting that only this source has; empty where it has no such setting.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }
}

/// A vendor that records are read from.
#[async_trait]
pub trait Source: Send + Sync + fmt::Debug {
    /// Proves the credentials with one cheap call.
    ///
    /// # Errors
    /// Says what a person must do: `ERR_SOURCE_AUTH_REVOKED`, `ERR_SOURCE_FORBIDDEN`, …
    async fn check(&self) -> Result<()>;

    /// Returns the parts in which a stream is read, side by side, each with a cursor of its own; none where it
    /// is read as one.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` where the settings that name them are missing.
    async fn parts(&self, stream: &str) -> Result<Vec<String>> {
        let _ = stream;
        Ok(Vec::new())
    }

    /// Asks the vendor to describe a stream, or one part of it, and returns it, ready to be read.
    ///
    /// # Errors
    /// `ERR_SOURCE_FORBIDDEN` where the login may not read it.
    async fn open(&self, stream: &str, part: Option<&str>) -> Result<Arc<dyn Stream>>;

    /// Returns the source's clock: its answers' own time, carried on by ours. Before the first answer
    /// it is the time of the run.
    fn clock(&self) -> Timestamp;
}

/// A page of records and what it says about where reading stands.
#[derive(Debug)]
pub struct Page {
    /// The records.
    pub records: Vec<RawRecord>,
    /// Where reading goes on. Everything that changed at or before it has been delivered.
    pub next: Cursor,
    /// Whether the stream has more to say now.
    pub progress: Progress,
    /// The window that the page belongs to; `None` for listings without change times (archives).
    pub window: Option<WindowPage>,
    /// When the page was asked for, by the source's clock.
    pub read_at: Timestamp,
}

/// What a page says about its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowPage {
    /// The window.
    pub window: Window,
    /// How many records the source says it holds, on the window's first page of this run.
    pub expected: Option<u64>,
    /// Whether it was the window's last page.
    pub last: bool,
}

/// Whether a stream has more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Another page follows.
    More,
    /// Everything up to the source's clock at the run's start has been delivered.
    CaughtUp,
}

/// What has become of a record that a full sync did not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It is there, perhaps archived.
    Present,
    /// It lives on in another record.
    MergedInto(String),
    /// The source does not have it.
    Absent,
    /// The source did not have it in that version; for sources whose versions are no times.
    AbsentIn(Timestamp),
}

/// How a stream tells what is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// By changes: what is not mentioned is as it was. Only a full sync finds out what is gone without a trace.
    Changes,
    /// By listing everything there is each time: what is missing is gone.
    Snapshot,
}

/// A change of a row in one of a stream's tables.
#[derive(Debug, Clone, PartialEq)]
pub struct TableChange<'a> {
    /// Which table: 0 is the stream's own, n the n-th of [`Stream::beside`].
    pub table: usize,
    /// The change.
    pub change: Change<'a>,
}

impl<'a> TableChange<'a> {
    /// Returns a change of a row in the stream's own table, and of no other.
    #[must_use]
    pub fn only(change: Change<'a>) -> Vec<Self> {
        vec![Self { table: 0, change }]
    }
}

/// A stream of records. It knows no mode: reading from nothing is reading without a cursor.
#[async_trait]
pub trait Stream: Send + Sync + fmt::Debug {
    /// Returns the table that the stream fills.
    fn table(&self) -> &Arc<Table>;

    /// Returns the further tables that its records fill; a table of details comes after its owner's.
    fn beside(&self) -> &[Arc<Table>] {
        &[]
    }

    /// Returns how it tells what is gone.
    fn reading(&self) -> Reading {
        Reading::Changes
    }

    /// Returns where it notes what to ask for and when, where it is read so: by [`Stream::look_up`], and never
    /// by [`Stream::fetch`].
    fn backlog(&self) -> Option<&Backlog> {
        None
    }

    /// Asks for what is due and returns the answers; the page's cursor says nothing.
    ///
    /// # Errors
    /// As [`Stream::fetch`].
    ///
    /// # Cancel safety
    /// As [`Stream::fetch`].
    async fn look_up(&self, due: &[Due]) -> Result<Page> {
        let _ = due;
        Err(Error::new(Code::Internal, "look up side records"))
    }

    /// Reads the page after `from`; `None` is the beginning.
    ///
    /// A record may come twice, never be skipped: all that changed at or before the returned cursor
    /// has been delivered. May be repeated.
    ///
    /// # Errors
    /// Whatever the source answers, after the retries that its class allows.
    ///
    /// # Cancel safety
    /// A dropped fetch leaves nothing behind.
    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page>;

    /// Turns a record into changes of rows: one, or as many as its tables need. Pure.
    ///
    /// A change of a row that has details speaks for all of them: those that do not come with it are gone. A
    /// detail that comes alone is of a row that is there; otherwise it is passed over.
    ///
    /// # Errors
    /// A reject with the rule that the record broke.
    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject>;

    /// Returns how many records the source holds in a window now.
    ///
    /// # Errors
    /// As [`Stream::fetch`].
    async fn count(&self, window: Window) -> Result<u64>;

    /// Returns what has become of each of these records, in their order.
    ///
    /// # Errors
    /// As [`Stream::fetch`].
    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>>;

    /// Returns what was sent for this stream so far, its description included, logins not.
    fn traffic(&self) -> Traffic;
}

/// Returns a stream's own table and those beside it.
#[must_use]
pub fn tables(stream: &dyn Stream) -> Vec<Arc<Table>> {
    let beside = stream.beside().iter();
    std::iter::once(stream.table())
        .chain(beside)
        .map(Arc::clone)
        .collect()
}
