//! The warehouse: where rows and cursors become durable together.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;

use crate::batch::{Batch, Committed, Slot, State, StreamId};
use crate::error::Result;
use crate::plain::{NewRows, PlainTable};
use crate::schema::{ColumnType, SchemaChange, Table};
use crate::sets::Sets;
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;

/// The log of cursors: a row per commit, never updated.
pub static SYNC_STATE: PlainTable = PlainTable {
    name: "sync_state",
    comment: "The log of cursors: a row per commit, true by itself; the largest generation, epoch and seq is current",
    columns: &[
        ("source", ColumnType::Text, "The source"),
        ("stream", ColumnType::Text, "The stream"),
        (
            "part",
            ColumnType::Text,
            "The part, of a stream that is read in parts",
        ),
        ("slot", ColumnType::Text, "incremental or full"),
        (
            "generation",
            ColumnType::Int,
            "Rises only when an operator resets the stream",
        ),
        (
            "epoch",
            ColumnType::Int,
            "The number of the run since the reset",
        ),
        (
            "seq",
            ColumnType::Int,
            "The number of the commit in the run",
        ),
        ("run_id", ColumnType::Text, "The run"),
        (
            "cursor",
            ColumnType::Json,
            "Everything below it is durable; null where nothing is",
        ),
        (
            "source_clock",
            ColumnType::Timestamp,
            "The source's clock when the run began",
        ),
        (
            "committed_at",
            ColumnType::Timestamp,
            "When the row was written",
        ),
        (
            "product_version",
            ColumnType::Text,
            "The version of salesync",
        ),
    ],
    key: &[
        "source",
        "stream",
        "part",
        "slot",
        "generation",
        "epoch",
        "seq",
        "run_id",
    ],
};

/// The log of schema changes.
pub static SCHEMA_CHANGES: PlainTable = PlainTable {
    name: "schema_changes",
    comment: "What was changed in a table so that new rows fit",
    columns: &[
        ("changed_at", ColumnType::Timestamp, "When"),
        ("run_id", ColumnType::Text, "The run that did it"),
        ("table_name", ColumnType::Text, "The table"),
        (
            "column_name",
            ColumnType::Text,
            "The column; null where the table was made",
        ),
        ("change", ColumnType::Text, "created, added or widened"),
    ],
    key: &["run_id", "table_name", "column_name", "change"],
};

/// Which rows a scan gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All rows.
    All,
    /// Rows of a raw table whose record is still there.
    Live,
    /// Rows in which each of these columns holds that text.
    Equal(Vec<(SqlIdentifier, String)>),
    /// Rows in which a column holds one of these values.
    Among(Among),
    /// Rows of a raw table that were read, or whose record went, at that time or later.
    ChangedSince(Timestamp),
    /// Live rows of a raw table in one of some shares of about one size. Rows with the same text in a column, but for space
    /// around it, are in one share.
    LiveShare {
        /// The column.
        column: SqlIdentifier,
        /// Which share, from 0, of how many.
        share: (u64, u64),
    },
    /// Live rows of one part of a raw table.
    LiveIn(PartOf),
    /// Live rows of a raw table, read before `before`, whose key the running reading of everything has not
    /// seen.
    Unseen {
        /// When the reading began, by the source's clock.
        before: Timestamp,
        /// The part that is read; `None` in a table without parts.
        part: Option<PartOf>,
    },
    /// Live rows of a raw table in which the time in `column` has come.
    Due {
        /// The column.
        column: SqlIdentifier,
        /// The time up to which rows are due.
        by: Timestamp,
    },
}

/// Some values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Among {
    /// The column.
    pub column: SqlIdentifier,
    /// The values, in any order.
    pub values: Values,
}

/// Values of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// Texts.
    Texts(Vec<String>),
    /// Whole numbers.
    Numbers(Vec<i64>),
}

/// A part of a raw table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOf {
    /// The table's column with the part.
    pub column: SqlIdentifier,
    /// The part.
    pub part: String,
}

/// What to read from a table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The table or view.
    pub table: SqlIdentifier,
    /// The columns, in this order; none means all.
    pub columns: Vec<SqlIdentifier>,
    /// Which rows.
    pub filter: Filter,
    /// The column to order by, the largest first.
    pub newest_by: Option<SqlIdentifier>,
    /// At most so many rows.
    pub limit: Option<u64>,
}

impl Scan {
    /// Returns a scan of all rows and columns of a table.
    #[must_use]
    pub fn of(table: SqlIdentifier) -> Self {
        Self {
            table,
            columns: Vec::new(),
            filter: Filter::All,
            newest_by: None,
            limit: None,
        }
    }
}

/// Where rows and cursors become durable. Every implementation passes the contract suite of
/// `salesync-testkit`; [`crate::memory::MemoryWarehouse`] defines the meaning.
#[async_trait]
pub trait Warehouse: Send + Sync + fmt::Debug {
    /// Returns which warehouse this is, for reports; no secret is in it.
    fn describe(&self) -> String;

    /// Makes the table, or makes it fit: new columns are added, narrower types widened, nothing is
    /// ever dropped. Durable on return; may be repeated.
    ///
    /// # Errors
    /// `ERR_STORE_SCHEMA` where a column can't be made to fit, `ERR_STORE_UNAVAILABLE`.
    async fn prepare(&self, table: &Arc<Table>) -> Result<Vec<SchemaChange>>;

    /// Returns the current state of a stream's cursor, `None` where there never was one.
    ///
    /// # Errors
    /// `ERR_STORE_CORRUPT` where stored state can't be read: never taken for a first run.
    async fn cursor(&self, id: &StreamId, slot: Slot) -> Result<Option<State>>;

    /// Makes a batch durable, all of it or nothing. The only way to move a cursor.
    ///
    /// A row replaces the one of its key when its `_version` is newer, or the same and it was read
    /// later with other content. Repeating a commit changes nothing; two at once harm nothing.
    /// A write without rows, marks and notes needs no prepared table.
    ///
    /// Details (see [`Table::details_of`]) follow their owner: one that is older than its owner's row is
    /// ignored, and one that is there in an older version than an owner that this batch names is marked as
    /// deleted, since the owner came without it.
    ///
    /// Returns what became of each write, in their order.
    ///
    /// # Errors
    /// Nothing is written then. `ERR_STORE_CONFLICT`, `ERR_STORE_UNAVAILABLE`, `ERR_STORE_SCHEMA`.
    ///
    /// # Cancel safety
    /// A dropped commit has happened wholly or not at all.
    async fn commit(&self, batch: Batch) -> Result<Vec<Committed>>;

    /// Returns the names of a table's or view's columns, in their order; none where it does not exist. No row is read.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE`.
    async fn columns(&self, table: &SqlIdentifier) -> Result<Vec<String>>;

    /// Reads rows; a table that does not exist has none.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE`.
    async fn scan(&self, scan: &Scan) -> Result<Vec<RecordBatch>>;

    /// Puts new rows in the place of the outdated ones of these tables, all of them or nothing. Which rows are
    /// outdated each table's [`NewRows`] says; a row whose key stays must be among them.
    ///
    /// # Errors
    /// The old rows stay then. `ERR_STORE_UNAVAILABLE`, or why rows could not be made.
    async fn replace(&self, tables: Vec<NewRows>) -> Result<()>;

    /// Begins a resolve in which the warehouse itself does what is about all records; `None` where it is no engine for
    /// that.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE`.
    async fn sets(&self) -> Result<Option<Box<dyn Sets>>> {
        Ok(None)
    }
}
