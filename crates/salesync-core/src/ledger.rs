//! The ledger: one row for every stretch of time read from a source, so that a gap has a name.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::plain::{PlainRows, PlainTable, count, text};
use crate::record::Value;
use crate::run::RunId;
use crate::schema::ColumnType;
use crate::time::Timestamp;

/// A closed stretch of change times, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The earliest change time.
    pub lo: Timestamp,
    /// The latest change time.
    pub hi: Timestamp,
}

/// What a window held and what became of it.
///
/// ```text
/// lo ──────────── settled ──────────── cap ── open tick ── hi
/// ```
///
/// `expected` is the source's own count when the window was opened. A record that is edited while the
/// window is read moves out of it, into the next one; one that changes in the tick that was still open
/// when the run began may move in. So the proof is about the settled part alone: of what the source still
/// has there when the window is closed, every record must have been delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The part that was read, of a stream that is read in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The stretch of time.
    pub window: Window,
    /// How many records the source said there are.
    pub expected: u64,
    /// How many different records arrived, rejected ones included.
    pub delivered: u64,
    /// How many of those went to the dead letters.
    pub rejected: u64,
    /// How many were edited meanwhile and belong to the next window.
    pub moved_out: u64,
    /// How many were marked as gone.
    pub tombstoned: u64,
    /// When the counts were found to agree; `None` names a gap.
    pub proven_at: Option<Timestamp>,
}

impl LedgerEntry {
    /// Returns the entry of a window that was just opened.
    #[must_use]
    pub fn open(window: Window, expected: u64) -> Self {
        Self {
            part: None,
            window,
            expected,
            delivered: 0,
            rejected: 0,
            moved_out: 0,
            tombstoned: 0,
            proven_at: None,
        }
    }

    /// Closes the window and returns how many records are missing: of the settled part, what the source
    /// has now less what was delivered.
    pub fn close(&mut self, delivered_settled: u64, has_settled: u64, now: Timestamp) -> u64 {
        self.moved_out = self.expected.saturating_sub(self.delivered);
        let missing = has_settled.saturating_sub(delivered_settled);
        self.proven_at = (missing == 0).then_some(now);
        missing
    }
}

/// The ledger of windows.
pub static SYNC_WINDOWS: PlainTable = PlainTable {
    name: "sync_windows",
    comment: "The ledger: one row for each stretch of time that was read from a source",
    columns: &[
        ("run_id", ColumnType::Text, "The run that closed the window"),
        ("source", ColumnType::Text, "The source"),
        ("stream", ColumnType::Text, "The stream"),
        (
            "part",
            ColumnType::Text,
            "The part, of a stream that is read in parts",
        ),
        ("lo", ColumnType::Timestamp, "The earliest change time"),
        ("hi", ColumnType::Timestamp, "The latest change time"),
        (
            "expected",
            ColumnType::Int,
            "How many records the source said there are",
        ),
        (
            "delivered",
            ColumnType::Int,
            "How many different records arrived",
        ),
        (
            "rejected",
            ColumnType::Int,
            "How many of those went to the dead letters",
        ),
        (
            "moved_out",
            ColumnType::Int,
            "How many were edited meanwhile and belong to the next window",
        ),
        (
            "tombstoned",
            ColumnType::Int,
            "How many were marked as gone",
        ),
        (
            "proven_at",
            ColumnType::Timestamp,
            "When the counts were found to agree; null names a gap",
        ),
    ],
    key: &["run_id", "source", "stream", "part", "lo", "hi"],
};

impl LedgerEntry {
    /// Appends the entry to rows of [`SYNC_WINDOWS`].
    ///
    /// # Errors
    /// [`crate::error::Code::Internal`] where the row does not fit the table.
    pub fn append_to(
        &self,
        rows: &mut PlainRows,
        run_id: &RunId,
        (source, stream): (&str, &str),
    ) -> Result<()> {
        rows.push(&[
            text(Some(run_id.as_str())),
            text(Some(source)),
            text(Some(stream)),
            text(self.part.as_deref()),
            Value::Timestamp(self.window.lo),
            Value::Timestamp(self.window.hi),
            count(self.expected),
            count(self.delivered),
            count(self.rejected),
            count(self.moved_out),
            count(self.tombstoned),
            self.proven_at.map_or(Value::Null, Value::Timestamp),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_proven_by_what_the_source_still_has_in_its_settled_part() {
        // expected, delivered, of them settled, at the source now → moved out, missing
        let cases = [
            (10, 10, 10, 10, 0, 0),
            (10, 8, 8, 8, 2, 0),
            (10, 8, 8, 10, 2, 2),
            (10, 10, 10, 7, 0, 0),
            (10, 11, 9, 9, 0, 0),
        ];
        for (expected, delivered, settled, now, moved_out, missing) in cases {
            let window = Window {
                lo: Timestamp::EPOCH,
                hi: Timestamp::from_millis(1),
            };
            let mut entry = LedgerEntry::open(window, expected);
            entry.delivered = delivered;
            assert_eq!(
                entry.close(settled, now, Timestamp::from_millis(2)),
                missing
            );
            assert_eq!(
                (entry.moved_out, entry.proven_at.is_some()),
                (moved_out, missing == 0)
            );
        }
    }
}
