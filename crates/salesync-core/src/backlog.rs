//! Side data that is asked for record by record, when it is due: a row of a table says what and when.
//!
//! Who makes the rows is another stream, with the records that have side data; who asks writes down what came
//! of it. So nothing is forgotten however long it takes, and nothing is kept in a cursor.
//!
//! ```text
//! since ── steps[0] ──▶ first try ── steps[1] - steps[0] ──▶ second ── … ──▶ given up
//! ```

use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::record::{Change, Value};
use crate::schema::{Column, ColumnType, Table};
use crate::time::Timestamp;

/// The column by which rows are due.
pub const DUE_AT: &str = "due_at";
/// The column by which the newest come first.
pub const SINCE: &str = "since";
/// The column that counts the tries.
pub const ATTEMPTS: &str = "attempts";

/// Something to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The id of the record whose side data it is.
    pub id: String,
    /// How often it was asked for.
    pub attempts: u32,
    /// Since when the side data may be there.
    pub since: Timestamp,
}

/// A table of what is waited for.
#[derive(Debug, Clone)]
pub struct Backlog {
    table: Arc<Table>,
    steps: &'static [Duration],
}

impl Backlog {
    /// Returns the backlog in the table of that name. `steps` says how long after `since` each try is due; after
    /// the last one nothing is asked for any more.
    ///
    /// # Errors
    /// [`crate::error::Code::ConfigInvalid`] where the name is no SQL identifier.
    pub fn new(name: &str, comment: impl Into<String>, steps: &'static [Duration]) -> Result<Self> {
        let columns = vec![
            Column::new("state", ColumnType::Text, "waiting, arrived or given_up")?,
            Column::new(ATTEMPTS, ColumnType::Int, "How often it was asked for")?,
            Column::new(SINCE, ColumnType::Timestamp, "Since when it may be there")?,
            Column::new(
                DUE_AT,
                ColumnType::Timestamp,
                "When it is asked for next; null where it is not",
            )?,
        ];
        Ok(Self {
            table: Arc::new(Table::new(name, comment, columns)?),
            steps,
        })
    }

    /// Returns the table.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Returns the row of something that was not asked for yet. Making it again changes nothing.
    #[must_use]
    pub fn waiting(&self, id: String, since: Timestamp) -> Change<'static> {
        let due_at = self.steps.first().map(|step| since.plus(*step));
        let due = Due {
            id,
            attempts: 0,
            since,
        };
        row(due, "waiting", due_at, since)
    }

    /// Returns the row of something that was asked for in vain at `at`.
    #[must_use]
    pub fn missed(&self, due: Due, at: Timestamp) -> Change<'static> {
        let tried = usize::try_from(due.attempts).unwrap_or(usize::MAX);
        let next = self.steps.get(tried).zip(self.steps.get(tried + 1));
        let due_at = next.map(|(this, next)| at.plus(next.saturating_sub(*this)));
        let state = if due_at.is_some() {
            "waiting"
        } else {
            "given_up"
        };
        row(asked(due), state, due_at, at)
    }

    /// Returns the row of something that arrived at `at`.
    #[must_use]
    pub fn arrived(&self, due: Due, at: Timestamp) -> Change<'static> {
        row(asked(due), "arrived", None, at)
    }
}

fn asked(due: Due) -> Due {
    Due {
        attempts: due.attempts.saturating_add(1),
        ..due
    }
}

fn row(
    due: Due,
    state: &'static str,
    due_at: Option<Timestamp>,
    version: Timestamp,
) -> Change<'static> {
    Change {
        key: due.id.into(),
        version,
        values: vec![
            Value::Text(state.into()),
            Value::Int(i64::from(due.attempts)),
            Value::Timestamp(due.since),
            due_at.map_or(Value::Null, Value::Timestamp),
        ],
        extra: Vec::new(),
        deletion: None,
        replaces: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Duration; 3] = [
        Duration::from_secs(120),
        Duration::from_secs(600),
        Duration::from_secs(3_600),
    ];

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    #[test]
    fn each_try_is_due_a_step_later_and_after_the_last_none_is() {
        let backlog = Backlog::new("t", "", &STEPS).unwrap();
        let due = |attempts| Due {
            id: "1".to_owned(),
            attempts,
            since: at(0),
        };
        let due_at = |change: Change<'static>| change.values[3].clone();
        assert_eq!(
            due_at(backlog.waiting("1".to_owned(), at(0))),
            Value::Timestamp(at(120))
        );
        // A try that came late moves those after it, so that none is skipped.
        assert_eq!(
            due_at(backlog.missed(due(0), at(9_000))),
            Value::Timestamp(at(9_480))
        );
        assert_eq!(
            due_at(backlog.missed(due(1), at(700))),
            Value::Timestamp(at(3_700))
        );
        let last = backlog.missed(due(2), at(9_999));
        assert_eq!(last.values[0], Value::Text("given_up".into()));
        assert_eq!(due_at(last), Value::Null);
        assert_eq!(due_at(backlog.arrived(due(0), at(1))), Value::Null);
    }
}
