//! What a vendor's folder provides: a source with its streams.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::cursor::Cursor;
use crate::error::Result;
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
    /// The origin that it is reached at where no setting says otherwise.
    pub base_url: &'static str,
    /// Which columns of which stream say who a person or company is.
    pub identities: &'static [IdentityColumns],
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

/// Which columns of a stream's table say who a person or company is.
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
}

/// A vendor that records are read from.
#[async_trait]
pub trait Source: Send + Sync + fmt::Debug {
    /// Proves the credentials with one cheap call.
    ///
    /// # Errors
    /// Says what a person must do: `ERR_SOURCE_AUTH_REVOKED`, `ERR_SOURCE_FORBIDDEN`, …
    async fn check(&self) -> Result<()>;

    /// Asks the vendor to describe a stream and returns it, ready to be read.
    ///
    /// # Errors
    /// `ERR_SOURCE_FORBIDDEN` where the login may not read it.
    async fn open(&self, stream: &str) -> Result<Arc<dyn Stream>>;

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
}

/// A stream of records. It knows no mode: reading from nothing is reading without a cursor.
#[async_trait]
pub trait Stream: Send + Sync + fmt::Debug {
    /// Returns the table that the stream fills.
    fn table(&self) -> &Arc<Table>;

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

    /// Turns a record into a change of a row. Pure.
    ///
    /// # Errors
    /// A reject with the rule that the record broke.
    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Change<'a>, Reject>;

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
