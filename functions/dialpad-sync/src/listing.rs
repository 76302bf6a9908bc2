//! Streams that are listed whole each time: what is missing from the list is gone.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::future::try_join_all;
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::ledger::Window;
use salesync_core::record::{Change, Deletion, DeletionReason, RawRecord, Reject, Value};
use salesync_core::run::Traffic;
use salesync_core::schema::Table;
use salesync_core::source::{Page, Presence, Progress, Reading, Stream, TableChange};
use salesync_core::time::Timestamp;
use salesync_http::Client;
use serde::{Deserialize, Serialize};

use crate::client::API;
use crate::kinds::Kind;
use crate::page::{id_of, is_there, list};
use crate::row::Members;

/// So many are looked up by id; more are looked for in a second listing.
const LOOKED_UP_MAX: usize = 50;

/// A kind of records of one company.
pub(crate) struct ListingStream {
    http: Client,
    kind: &'static Kind,
    table: Arc<Table>,
    restarted: AtomicBool,
}

/// A place in a listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    cursor: Option<String>,
    began: Timestamp,
    /// Rises with each page: a cursor may come again after an empty page.
    step: u64,
}

impl ListingStream {
    pub(crate) fn new(http: Client, kind: &'static Kind) -> Result<Self> {
        Ok(Self {
            http,
            kind,
            table: kind.table()?,
            restarted: AtomicBool::new(false),
        })
    }

    /// Returns the ids of all there are.
    async fn all_ids(&self) -> Result<HashSet<String>> {
        let (mut ids, mut cursor, mut restarted) = (HashSet::new(), None, false);
        loop {
            let listed = match list(&self.http, self.kind.target, cursor.as_deref()).await {
                // The cursor is unknown by now: the listing begins anew, once.
                Err(error) if error.code() == Code::SourceCursorExpired && !restarted => {
                    (cursor, restarted) = (None, true);
                    continue;
                }
                Err(error) if error.code() == Code::SourceCursorExpired => {
                    return Err(Error::new(Code::SourceRefused, "list once more").because(error));
                }
                listed => listed?,
            };
            for record in &listed.records {
                ids.insert(id_of(record, self.kind.id)?);
            }
            match listed.cursor {
                None => return Ok(ids),
                next if next == cursor => {
                    return Err(Error::new(Code::SourcePageLoop, "list once more"));
                }
                next => cursor = next,
            }
        }
    }
}

#[async_trait]
impl Stream for ListingStream {
    fn table(&self) -> &Arc<Table> {
        &self.table
    }

    fn reading(&self) -> Reading {
        Reading::Snapshot
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        let begin = || Place {
            cursor: None,
            began: self.http.clock(),
            step: 0,
        };
        let complete_to = from.map_or(Timestamp::EPOCH, Cursor::complete_to);
        let place = from.map(Cursor::place).transpose()?.flatten();
        let mut place: Place = place.unwrap_or_else(begin);
        let listed = match list(&self.http, self.kind.target, place.cursor.as_deref()).await {
            // The cursor is unknown by now: the listing begins anew, once.
            Err(error)
                if error.code() == Code::SourceCursorExpired
                    && !self.restarted.swap(true, Ordering::Relaxed) =>
            {
                place = begin();
                list(&self.http, self.kind.target, None).await?
            }
            Err(error) if error.code() == Code::SourceCursorExpired => {
                return Err(Error::new(Code::SourceRefused, "list").because(error));
            }
            listed => listed?,
        };
        // Before the first answer the clock is ours: what is complete is so by the source's.
        let began = if place.cursor.is_none() {
            listed.read_at
        } else {
            place.began
        };
        let (next, progress) = match listed.cursor {
            Some(cursor) => {
                let next = Place {
                    cursor: Some(cursor),
                    began,
                    step: place.step + 1,
                };
                (Cursor::inside(complete_to, &next)?, Progress::More)
            }
            None => (Cursor::between_windows(began), Progress::CaughtUp),
        };
        Ok(Page {
            records: listed.records,
            next,
            progress,
            window: None,
            read_at: listed.read_at,
        })
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        let members = Members::of(raw)?;
        let row = members.row(&self.table, self.kind.id)?;
        // A number that was ported out of Dialpad is still listed, as deleted.
        let is_gone = row.get(&self.table, "state") == Some(&Value::Text("deleted".into()))
            || row.get(&self.table, "deleted") == Some(&Value::Bool(true));
        let deletion = is_gone.then(|| Deletion {
            at: latest(&row.values),
            reason: DeletionReason::Deleted,
            merged_into: None,
        });
        Ok(TableChange::only(Change {
            key: row.key,
            // Dialpad states no change time: of one version the state that was read later stays.
            version: Timestamp::EPOCH,
            values: row.values,
            extra: row.extra,
            deletion,
            replaces: Vec::new(),
        }))
    }

    async fn count(&self, _: Window) -> Result<u64> {
        Ok(u64::try_from(self.all_ids().await?.len()).unwrap_or(u64::MAX))
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        let there: Vec<bool> = match self.kind.by_id {
            Some(path) if keys.len() <= LOOKED_UP_MAX => {
                let keys = keys.iter().map(String::as_str);
                try_join_all(keys.map(|key| is_there(&self.http, path, key, API))).await?
            }
            _ => {
                let ids = self.all_ids().await?;
                keys.iter().map(|key| ids.contains(key)).collect()
            }
        };
        let presence = |is_there| match is_there {
            true => Presence::Present,
            false => Presence::AbsentIn(Timestamp::EPOCH),
        };
        Ok(there.into_iter().map(presence).collect())
    }

    fn traffic(&self) -> Traffic {
        self.http.traffic()
    }
}

/// Returns the latest time that a record states. Dialpad does not say when somebody was deleted; it was not
/// before that.
fn latest(values: &[Value<'_>]) -> Timestamp {
    let times = values.iter().filter_map(|value| match value {
        Value::Timestamp(time) => Some(*time),
        _ => None,
    });
    times.max().unwrap_or(Timestamp::EPOCH)
}

impl fmt::Debug for ListingStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListingStream")
            .field("stream", &self.kind.stream)
            .finish_non_exhaustive()
    }
}
