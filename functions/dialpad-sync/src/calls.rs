//! Calls. One appears when it ends, with the time when it began, and Dialpad says nothing of later changes: so
//! each reading looks back by the longest call, and once a day by two days.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use salesync_core::backlog::Backlog;
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Result};
use salesync_core::ledger::Window;
use salesync_core::record::{Change, RawRecord, Reject, Value};
use salesync_core::run::Traffic;
use salesync_core::schema::Table;
use salesync_core::source::{Page, Presence, Progress, Stream, TableChange};
use salesync_core::time::Timestamp;
use salesync_http::{Client, Request};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::client::{API, CALL};
use crate::kinds::{CALLS, RECORDINGS, table};
use crate::page::{id_of, is_there};
use crate::row::{Members, Row};
use crate::settings::{Settings, Transcripts};
use crate::slices::{FIRST_MS, Slices};
use crate::transcripts::backlog;

/// How much longer than the longest call each reading looks back: for clocks, and for lists that lag.
const OVERLAP: Duration = Duration::from_secs(10 * 60);
/// How far back labels, recaps and recordings are looked for, and how often.
const DEEP: Duration = Duration::from_secs(48 * 3_600);
const DEEP_EVERY: Duration = Duration::from_secs(24 * 3_600);
/// How far ahead of the source's clock a call is still looked for.
const AHEAD: Duration = Duration::from_secs(24 * 3_600);
/// So many calls are looked up by id, which is limited to ten a minute; more are looked for in a second listing.
const LOOKED_UP_MAX: usize = 10;

/// The calls of one company, with their recordings.
pub(crate) struct CallStream {
    http: Client,
    settings: Settings,
    table: Arc<Table>,
    /// Recordings, and what transcripts are waited for.
    beside: Vec<Arc<Table>>,
    backlog: Backlog,
}

/// A place in the calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum Place {
    Reading {
        slices: Slices,
        began: Timestamp,
        deep_at: Timestamp,
    },
    /// Between two readings; the last one that looked two days back was then.
    Read { deep_at: Timestamp },
}

impl CallStream {
    pub(crate) fn new(http: Client, settings: Settings) -> Result<Self> {
        let calls = table("calls", "Calls, a row for each leg", CALLS)?;
        let recordings = table(
            "recordings",
            "Recordings of calls: what there is",
            RECORDINGS,
        )?
        .details_of(&calls, "call_id")?;
        let backlog = backlog()?;
        Ok(Self {
            http,
            settings,
            table: Arc::new(calls),
            beside: vec![Arc::new(recordings), Arc::clone(backlog.table())],
            backlog,
        })
    }

    /// Begins a reading: of everything, or of what may have ended since the last one.
    async fn begin(&self, from: Option<&Cursor>, deep_at: Timestamp) -> Result<Place> {
        // Before the first answer the clock is ours: what is complete is so by Dialpad's.
        let request = Request::get("ask for the time", latest(&self.http), API);
        self.http.send(&request).await?;
        let now = self.http.clock();
        let is_deep = now.since(deep_at) >= DEEP_EVERY;
        let back = match is_deep {
            true => DEEP.max(self.settings.longest_call),
            false => self.settings.longest_call,
        };
        let lo = from.map_or(FIRST_MS, |from| {
            let lo = from.complete_to().minus(back.saturating_add(OVERLAP));
            lo.millis().max(FIRST_MS)
        });
        Ok(Place::Reading {
            slices: Slices::of(lo, now.plus(AHEAD).millis().max(lo)),
            began: now,
            deep_at: if is_deep { now } else { deep_at },
        })
    }

    /// Returns the ids of all calls that began within a window.
    async fn ids(&self, lo: i64, hi: i64) -> Result<HashSet<String>> {
        let mut slices = Slices::of(lo, hi);
        let mut ids = HashSet::new();
        while !slices.is_empty() {
            for record in slices.read(&self.http).await? {
                ids.insert(id_of(&record, "call_id")?);
            }
        }
        Ok(ids)
    }

    /// Returns the recordings that a call names.
    fn recordings<'a>(
        &self,
        call: &str,
        details: &'a RawValue,
        version: Timestamp,
    ) -> Result<Vec<TableChange<'a>>, Reject> {
        let rule = "recordings are a list of objects";
        let malformed = |_| Reject::new(Code::RecordType, rule).in_field("recording_details");
        let Some(table) = self.beside.first() else {
            return Ok(Vec::new());
        };
        let details: Vec<Members<'a>> = serde_json::from_str(details.get()).map_err(malformed)?;
        let rows = details.into_iter().map(|members| {
            let mut row = members.row(table, "id")?;
            // Two legs may list the same recording: it is a row of each.
            let id = std::mem::take(&mut row.key);
            row.key = format!("{call}:{id}").into();
            row.set(table, "recording_id", Value::Text(id));
            row.set(table, "call_id", Value::Text(call.to_owned().into()));
            Ok(TableChange {
                table: 1,
                change: change(row, version),
            })
        });
        rows.collect()
    }
}

#[async_trait]
impl Stream for CallStream {
    fn table(&self) -> &Arc<Table> {
        &self.table
    }

    fn beside(&self) -> &[Arc<Table>] {
        &self.beside
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        let complete_to = from.map_or(Timestamp::EPOCH, Cursor::complete_to);
        let place = match from.map(Cursor::place).transpose()?.flatten() {
            Some(Place::Read { deep_at }) => self.begin(from, deep_at).await?,
            Some(reading) => reading,
            None => self.begin(from, Timestamp::EPOCH).await?,
        };
        let Place::Reading {
            mut slices,
            began,
            deep_at,
        } = place
        else {
            return Err(salesync_core::error::Error::new(
                Code::Internal,
                "read calls",
            ));
        };
        let read_at = self.http.clock();
        let records = slices.read(&self.http).await?;
        let (next, progress) = if slices.is_empty() {
            let read = Place::Read { deep_at };
            // All that had ended when the reading began has come.
            (
                Cursor::inside(began.max(complete_to), &read)?,
                Progress::CaughtUp,
            )
        } else {
            let reading = Place::Reading {
                slices,
                began,
                deep_at,
            };
            (Cursor::inside(complete_to, &reading)?, Progress::More)
        };
        Ok(Page {
            records,
            next,
            progress,
            // Dialpad does not count its calls.
            window: None,
            read_at,
        })
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        let members = Members::of(raw)?;
        let details = members.raw("recording_details");
        let leg = |name| members.text(name).filter(|id| !id.trim().is_empty());
        // The leg that knows its operator and has no master is the master itself, wherever the call came in.
        let entry = || match leg("operator_call_id") {
            None => leg("entry_point_call_id"),
            Some(_) => None,
        };
        let conversation = leg("master_call_id")
            .or_else(entry)
            .or_else(|| leg("call_id"));
        let inside = |name| serde_json::from_str::<Members<'a>>(members.raw(name)?.get()).ok();
        let (contact, target) = (inside("contact"), inside("target"));
        let mut row = members.row(&self.table, "call_id")?;
        let key = row.key.clone();
        let of_record = |reject: Reject| reject.of_record(&key);
        let version = ended(&row, &self.table).map_err(of_record)?;
        for (name, inside, member) in [
            ("contact_name", &contact, "name"),
            ("target_name", &target, "name"),
            ("target_email", &target, "email"),
            ("target_type", &target, "type"),
        ] {
            let text = inside
                .as_ref()
                .and_then(|it| it.text(member))
                .filter(|it| !it.is_empty());
            row.set(&self.table, name, text.map_or(Value::Null, Value::Text));
        }
        row.set(
            &self.table,
            "conversation_id",
            conversation.map_or(Value::Null, Value::Text),
        );
        let mut changes = Vec::new();
        if let Some(details) = details.filter(|raw| raw.get() != "null") {
            let recordings = self.recordings(&key, details, version);
            changes.extend(recordings.map_err(of_record)?);
        }
        if self.settings.transcripts == Transcripts::On && was_spoken(&row, &self.table) {
            changes.push(TableChange {
                table: 2,
                change: self.backlog.waiting(key.to_string(), version),
            });
        }
        changes.insert(
            0,
            TableChange {
                table: 0,
                change: change(row, version),
            },
        );
        Ok(changes)
    }

    async fn count(&self, window: Window) -> Result<u64> {
        let ids = self.ids(window.lo.millis(), window.hi.millis()).await?;
        Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        let there: Vec<bool> = if keys.len() <= LOOKED_UP_MAX {
            let keys = keys.iter().map(String::as_str);
            try_join_all(keys.map(|key| is_there(&self.http, "/api/v2/call/", key, CALL))).await?
        } else {
            let hi = self.http.clock().plus(AHEAD).millis();
            let ids = self.ids(FIRST_MS, hi).await?;
            keys.iter().map(|key| ids.contains(key)).collect()
        };
        let presence = |is_there| match is_there {
            true => Presence::Present,
            false => Presence::Absent,
        };
        Ok(there.into_iter().map(presence).collect())
    }

    fn traffic(&self) -> Traffic {
        self.http.traffic()
    }
}

/// Returns what lists the calls of this very moment: next to nothing, if one may list calls at all.
pub(crate) fn latest(http: &Client) -> String {
    format!("/api/v2/call?started_after={}", http.clock().millis())
}

/// Returns when a call ended: its version, since nothing says when it changed after that.
fn ended(row: &Row<'_>, table: &Table) -> Result<Timestamp, Reject> {
    let time = |name| match row.get(table, name) {
        Some(Value::Timestamp(time)) => Some(*time),
        _ => None,
    };
    let rule = "a call has ended, or has begun at least";
    time("date_ended")
        .or_else(|| time("date_started"))
        .ok_or_else(|| Reject::new(Code::RecordVersion, rule).in_field("date_ended"))
}

/// Returns whether something may have been said in a call, so that there may be a transcript of it: somebody was
/// connected, for longer than no time at all. A length that is missing or has no place in its column says nothing.
fn was_spoken(row: &Row<'_>, table: &Table) -> bool {
    let is_connected = matches!(row.get(table, "date_connected"), Some(Value::Timestamp(_)));
    let took_no_time =
        matches!(row.get(table, "duration"), Some(Value::Decimal(duration)) if *duration <= 0);
    is_connected && !took_no_time
}

fn change(row: Row<'_>, version: Timestamp) -> Change<'_> {
    Change {
        key: row.key,
        version,
        values: row.values,
        extra: row.extra,
        deletion: None,
        replaces: Vec::new(),
    }
}

impl fmt::Debug for CallStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallStream").finish_non_exhaustive()
    }
}
