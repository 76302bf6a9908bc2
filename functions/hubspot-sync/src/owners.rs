//! The owners: the people of one's own company whom records belong to.
//!
//! HubSpot can't say which owners changed, so each run lists them all, the archived ones last. There are few,
//! and no window is counted for them: a listing either ends or is an error.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::ledger::Window;
use salesync_core::record::{RawRecord, Reject};
use salesync_core::run::Traffic;
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::source::{Page, Presence, Progress, Stream, TableChange};
use salesync_core::time::Timestamp;
use salesync_http::{Client, Request};
use serde::{Deserialize, Serialize};

use crate::client::{API, GO_ON_LISTING};
use crate::decode::decode_owner;
use crate::page::{Listed, Stamp};
use crate::place::{Place as Windows, end_of};

/// The stream's name.
pub(crate) const STREAM: &str = "owners";

/// The fields of an owner, in the order of the table. The two times come first, as in every table of HubSpot.
const COLUMNS: &[(&str, ColumnType, &str)] = &[
    (
        "createdAt",
        ColumnType::Timestamp,
        "When the owner was made",
    ),
    (
        "updatedAt",
        ColumnType::Timestamp,
        "When the owner was last updated",
    ),
    ("email", ColumnType::Text, "E-mail address"),
    ("firstName", ColumnType::Text, "First name"),
    ("lastName", ColumnType::Text, "Last name"),
    ("type", ColumnType::Text, "PERSON or QUEUE"),
    (
        "userId",
        ColumnType::Int,
        "The user behind the owner, while that user is active",
    ),
    (
        "userIdIncludingInactive",
        ColumnType::Int,
        "The user behind the owner",
    ),
    ("teams", ColumnType::Json, "The teams that the owner is in"),
];

/// A place in the two listings of owners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    shelf: Shelf,
    after: Option<String>,
    /// When the first listing began.
    started: Timestamp,
}

/// Which owners are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shelf {
    Active,
    Archived,
}

/// The owners of one account.
pub(crate) struct OwnerStream {
    http: Arc<Client>,
    table: Arc<Table>,
}

impl OwnerStream {
    pub(crate) fn open(http: Arc<Client>) -> Result<Self> {
        let table = Table::new(
            "hubspot_owners",
            "HubSpot's owners: whom records belong to",
            Column::list(COLUMNS)?,
        )?;
        Ok(Self {
            http,
            table: Arc::new(table),
        })
    }

    async fn list(&self, shelf: Shelf, after: Option<&str>) -> Result<Listed> {
        let operation = if after.is_some() {
            GO_ON_LISTING
        } else {
            "list owners"
        };
        let archived = if shelf == Shelf::Archived {
            "true"
        } else {
            "false"
        };
        let mut request = Request::get(operation, "/crm/v3/owners", API)
            .query("limit", 100)
            .query("archived", archived);
        if let Some(after) = after {
            request = request.query("after", after);
        }
        self.http.read(&request, Listed::read).await
    }

    /// Reads all owners there are.
    async fn all(&self) -> Result<Vec<RawRecord>> {
        let mut owners = Vec::new();
        for shelf in [Shelf::Active, Shelf::Archived] {
            let mut after = None;
            loop {
                let listed = self.list(shelf, after.as_deref()).await?;
                owners.extend(listed.records);
                if listed.after.is_none() || listed.after == after {
                    break;
                }
                after = listed.after;
            }
        }
        Ok(owners)
    }
}

#[async_trait]
impl Stream for OwnerStream {
    fn table(&self) -> &Arc<Table> {
        &self.table
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        let now = self.http.clock();
        let begin = || Place {
            shelf: Shelf::Active,
            after: None,
            started: now,
        };
        let complete_to = from.map_or(Timestamp::EPOCH, Cursor::complete_to);
        let mut place = from
            .map(Cursor::place)
            .transpose()?
            .flatten()
            .unwrap_or_else(begin);
        let listed = match self.list(place.shelf, place.after.as_deref()).await {
            Err(error) if error.code() == Code::SourceCursorExpired && place.after.is_some() => {
                place = begin();
                self.list(Shelf::Active, None).await?
            }
            listed => listed?,
        };
        let next = match (listed.after, place.shelf) {
            (Some(after), _) => Some(Place {
                after: Some(after),
                ..place
            }),
            (None, Shelf::Active) => Some(Place {
                shelf: Shelf::Archived,
                after: None,
                ..place
            }),
            (None, Shelf::Archived) => None,
        };
        let (next, progress) = match next {
            Some(next) => (Cursor::inside(complete_to, &next)?, Progress::More),
            None => {
                let complete_to = Windows::complete_after(end_of(place.started));
                (Cursor::between_windows(complete_to), Progress::CaughtUp)
            }
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
        decode_owner(raw, &self.table, self.http.clock()).map(TableChange::only)
    }

    async fn count(&self, window: Window) -> Result<u64> {
        let owners = self.all().await?;
        let changed = |owner: &&RawRecord| {
            let change = decode_owner(owner, &self.table, self.http.clock()).ok();
            let version = change.map(|change| change.version);
            version.is_some_and(|version| (window.lo..=window.hi).contains(&version))
        };
        Ok(u64::try_from(owners.iter().filter(changed).count()).unwrap_or(u64::MAX))
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        let owners = self.all().await?;
        let ids: Vec<_> = owners
            .iter()
            .map(|owner| Some(Stamp::read(owner)?.id))
            .collect::<Option<_>>()
            .ok_or_else(|| Error::new(Code::SourcePageShape, "look up owners"))?;
        let presence = |key: &String| {
            if ids.iter().any(|id| id == key) {
                Presence::Present
            } else {
                Presence::Absent
            }
        };
        Ok(keys.iter().map(presence).collect())
    }

    fn traffic(&self) -> Traffic {
        self.http.traffic()
    }
}

impl fmt::Debug for OwnerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnerStream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use salesync_core::record::{DeletionReason, Value};
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn the_fixture_is_a_page_whose_owners_all_become_rows() {
        #[derive(Deserialize)]
        struct Owners {
            results: Vec<Box<RawValue>>,
        }
        let table = Table::new("hubspot_owners", "", Column::list(COLUMNS).unwrap()).unwrap();
        let page: Owners =
            serde_json::from_str(include_str!("../fixtures/owners/page.json")).unwrap();
        let rows: Vec<RawRecord> = page
            .results
            .iter()
            .map(|owner| RawRecord::new(owner.get().as_bytes().to_vec()))
            .collect();
        let now = Timestamp::from_millis(1_800_000_000_000);
        let changes: Vec<_> = rows
            .iter()
            .map(|row| decode_owner(row, &table, now).unwrap())
            .collect();
        let value =
            |row: usize, name: &str| changes[row].values[table.position(name).unwrap()].clone();
        assert_eq!(changes[0].key, "41629779");
        assert_eq!(value(0, "firstName"), Value::Text("Ingrid".into()));
        assert_eq!(value(0, "userId"), Value::Int(9_586_504));
        assert!(matches!(value(0, "teams"), Value::Text(json) if json.starts_with("[{")));
        assert_eq!(value(1, "userId"), Value::Null);
        assert_eq!(
            changes[1].deletion.as_ref().unwrap().reason,
            DeletionReason::Archived
        );
        assert!(changes.iter().all(|change| change.extra.is_empty()));
    }
}
