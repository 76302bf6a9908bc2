//! BigQuery's quotas of a table, kept as a vendor's limits are. Facts from Google's page of quotas: a table's definition
//! may change five times in ten seconds, load jobs among the changes; a day has room for 1,500 load jobs into it; two
//! statements may change its rows at once, and cancel one another where both are of transactions, so that here it is
//! one.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use salesync_core::error::{Code, Error, Result};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep};

/// How often a table may change within [`SHORT`], with one change to spare for others.
const IN_SHORT: usize = 4;
const SHORT: Duration = Duration::from_secs(10);
/// How often it may within [`LONG`].
const IN_LONG: usize = 1_500;
const LONG: Duration = Duration::from_secs(24 * 3_600);

/// The quotas of all tables, as far as this process uses them.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    tables: Mutex<HashMap<String, Arc<OfTable>>>,
}

#[derive(Debug, Default)]
struct OfTable {
    writing: Arc<tokio::sync::Mutex<()>>,
    /// When the table was changed, the oldest first; at most [`LONG`] ago.
    changes: Mutex<VecDeque<Instant>>,
}

impl Quotas {
    /// Waits until nobody else here changes the rows of these tables; the turn lasts as long as what is returned.
    pub(crate) async fn rows(&self, tables: BTreeSet<&str>) -> Vec<OwnedMutexGuard<()>> {
        let mut turns = Vec::with_capacity(tables.len());
        // In one order for all, so that no two wait for each other.
        for table in tables {
            turns.push(Arc::clone(&self.of(table).writing).lock_owned().await);
        }
        turns
    }

    /// Waits until a table may be changed once more: its definition, or its rows by a load job.
    ///
    /// # Errors
    /// `ERR_STORE_UNAVAILABLE` where a day's changes are used up, with the time after which there is one again.
    pub(crate) async fn change(&self, table: &str) -> Result<()> {
        let own = self.of(table);
        loop {
            match own.try_change(Instant::now()) {
                None => return Ok(()),
                Some(wait) if wait > SHORT => {
                    return Err(Error::new(Code::StoreUnavailable, "change a table")
                        .with("table", table)
                        .with("changes of a day", IN_LONG)
                        .after(wait));
                }
                Some(wait) => sleep(wait).await,
            }
        }
    }

    fn of(&self, table: &str) -> Arc<OfTable> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        match tables.get(table) {
            Some(own) => Arc::clone(own),
            None => Arc::clone(tables.entry(table.to_owned()).or_default()),
        }
    }
}

impl OfTable {
    /// Notes a change; where there may be none yet, says how long that lasts.
    fn try_change(&self, now: Instant) -> Option<Duration> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        while changes
            .front()
            .is_some_and(|then| now.duration_since(*then) >= LONG)
        {
            changes.pop_front();
        }
        let last = |count: usize| {
            let place = changes.len().checked_sub(count)?;
            changes.get(place).copied()
        };
        let until = |count, period: Duration| {
            let free = last(count)? + period;
            (free > now).then(|| free.duration_since(now))
        };
        let wait = until(IN_LONG, LONG).or_else(|| until(IN_SHORT, SHORT));
        if wait.is_none() {
            changes.push_back(now);
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_ten_seconds_hold_more_changes_of_a_table_than_they_may() {
        let quotas = Quotas::default();
        let mut changes = Vec::new();
        for _ in 0..25 {
            quotas.change("t").await.unwrap();
            changes.push(Instant::now());
            quotas.change("other").await.unwrap();
        }
        for (index, first) in changes.iter().enumerate() {
            let within = changes[index..].iter();
            let within = within.take_while(|then| **then - *first < SHORT);
            assert!(within.count() <= IN_SHORT);
        }
        assert!(changes[24] - changes[0] <= SHORT * 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_day_that_is_used_up_is_said_and_the_next_one_begins_anew() {
        let quotas = Quotas::default();
        for _ in 0..IN_LONG {
            quotas.change("t").await.unwrap();
        }
        let error = quotas.change("t").await.unwrap_err();
        assert_eq!(error.code(), Code::StoreUnavailable);
        let wait = error.retry_after().unwrap();
        assert!(wait > LONG / 2 && wait < LONG, "{wait:?}");
        sleep(wait).await;
        quotas.change("t").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_rows_of_a_table_are_changed_by_one_at_a_time_and_other_tables_do_not_wait() {
        let quotas = Quotas::default();
        let both = quotas.rows(BTreeSet::from(["a", "b"])).await;
        let free = quotas.rows(BTreeSet::from(["c"])).await;
        assert_eq!((both.len(), free.len()), (2, 1));
        let waits = tokio::time::timeout(SHORT, quotas.rows(BTreeSet::from(["b"])));
        assert!(waits.await.is_err());
        drop(both);
        assert_eq!(quotas.rows(BTreeSet::from(["b", "a"])).await.len(), 2);
    }
}
