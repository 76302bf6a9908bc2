//! Voicemails and texts, which Dialpad gives out as files of whole days only: an export is asked for, waited
//! for, fetched and read.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::ledger::Window;
use salesync_core::record::{Change, RawRecord, Reject};
use salesync_core::run::Traffic;
use salesync_core::schema::Table;
use salesync_core::source::{Page, Presence, Progress, Stream, TableChange};
use salesync_core::time::Timestamp;
use salesync_http::{
    Answer, Client, ClientSettings, Expected, Request, Transport, Verdict, segment,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, json};
use sha2::{Digest, Sha256};

use crate::client::{API, classify};
use crate::kinds::{Columns, TEXTS, VOICEMAILS, table};
use crate::row::Members;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How often the last days are exported again.
const EVERY: Duration = Duration::from_secs(3 * 3_600);
/// How many days before the last one are exported again.
const AGAIN_DAYS: i64 = 2;
/// How many days one export holds at most.
const RANGE_DAYS: i64 = 90;
/// How long the first pause is before an export is asked after, and how long all pauses are together.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// A kind of records that is exported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Export {
    pub(crate) stream: &'static str,
    comment: &'static str,
    columns: Columns,
    /// The columns that together name a record; where the first is missing, the whole row does.
    id: &'static [&'static str],
}

/// The kinds that are exported.
pub(crate) const EXPORTS: [Export; 2] = [
    Export {
        stream: "voicemails",
        comment: "Voicemails",
        columns: VOICEMAILS,
        id: &["call_id", "target_id"],
    },
    Export {
        stream: "texts",
        comment: "Text messages",
        columns: TEXTS,
        id: &["message_id"],
    },
];

/// A kind of records of one company.
pub(crate) struct ExportStream {
    http: Client,
    export: &'static Export,
    table: Arc<Table>,
    first_days: i64,
    /// Where files may lie beside the API's own origin, and who fetches them there: nobody's credentials go.
    elsewhere: Option<(String, Transport)>,
}

/// A place in the days that are exported, as days since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
enum Place {
    Exporting {
        next_day: i64,
        last_day: i64,
        began: Timestamp,
    },
    Exported {
        exported_at: Timestamp,
    },
}

#[derive(Deserialize)]
struct Started<'a> {
    #[serde(borrow)]
    request_id: &'a RawValue,
}

#[derive(Deserialize)]
struct Standing {
    status: String,
    download_url: Option<String>,
}

impl ExportStream {
    pub(crate) fn new(
        http: Client,
        export: &'static Export,
        (first_days, origin): (i64, Option<&str>),
        now: Timestamp,
    ) -> Result<Self> {
        let elsewhere = origin.map(|origin| {
            let transport = Transport::new(ClientSettings::new("dialpad_export", origin, now))?;
            Ok::<_, Error>((origin.to_owned(), transport))
        });
        Ok(Self {
            http,
            export,
            table: Arc::new(table(export.stream, export.comment, export.columns)?),
            first_days,
            elsewhere: elsewhere.transpose()?,
        })
    }

    /// Begins with the days that were not exported yet, and the last ones once more.
    fn begin(&self, from: Option<&Cursor>) -> Place {
        let now = self.http.clock();
        let today = day_of(now);
        let first = from.map_or(today - self.first_days, |from| {
            day_of(from.complete_to()) - AGAIN_DAYS
        });
        Place::Exporting {
            next_day: first.max(0).min(today),
            last_day: today,
            began: now,
        }
    }

    /// Exports a range of days, both included, and returns its rows.
    async fn export(&self, first: i64, last: i64) -> Result<Vec<RawRecord>> {
        let today = day_of(self.http.clock());
        let ago = |day: i64| (today - day).max(0);
        let request = Request::post("ask for an export", "/api/v2/stats", API).json(&json!({
            "stat_type": self.export.stream,
            "export_type": "records",
            "days_ago_start": ago(last),
            "days_ago_end": ago(first),
            "timezone": "UTC",
        }))?;
        let id = self
            .http
            .read(&request, |answer| {
                let started: Started<'_> = answer.json()?;
                Ok(started.request_id.get().trim_matches('"').to_owned())
            })
            .await?;
        let url = self.wait(&id).await?;
        self.file(&url).await
    }

    /// Waits until an export is ready and returns where its file is.
    async fn wait(&self, id: &str) -> Result<String> {
        let id = segment(id);
        let (mut pause, mut waited) = (FIRST_PAUSE, Duration::ZERO);
        loop {
            let request = Request::get("ask after an export", format!("/api/v2/stats/{id}"), API);
            let standing: Standing = self.http.read(&request, |answer| answer.json()).await?;
            match (standing.status.as_str(), standing.download_url) {
                ("complete", Some(url)) => return Ok(url),
                ("failed", _) => {
                    return Err(Error::new(Code::SourceStatus5xx, "ask after an export"));
                }
                _ if waited >= PATIENCE => {
                    return Err(Error::new(Code::SourceTimeout, "ask after an export"));
                }
                _ => {}
            }
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Fetches a file and returns its rows.
    async fn file(&self, url: &str) -> Result<Vec<RawRecord>> {
        let read = |answer: &Answer| rows(answer);
        let elsewhere = self.elsewhere.as_ref();
        if let Some((origin, transport)) = elsewhere
            && let Some(target) = url.strip_prefix(origin.as_str())
            && target.starts_with('/')
        {
            let request =
                Request::get("fetch an export", target, API).expecting(Expected::Anything);
            let answer = transport.send(&request, of_file).await?;
            return read(&answer);
        }
        // Where the link leads elsewhere, this says so.
        let target = self.http.link(url)?;
        let request = Request::get("fetch an export", target, API).expecting(Expected::Anything);
        self.http.read(&request, read).await
    }
}

/// Says what the answer to a file's request means.
fn of_file(answer: &Answer) -> Verdict {
    match answer.status {
        401 | 403 => Verdict::Permanent(Code::SourceForbidden),
        _ => classify(answer),
    }
}

/// Reads a file: each row becomes an object by the names in the first one.
fn rows(answer: &Answer) -> Result<Vec<RawRecord>> {
    let shape = |_| answer.error(Code::SourcePageShape);
    let body = answer
        .body
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(&answer.body);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
    let names = reader.byte_headers().map_err(shape)?.clone();
    let mut records = Vec::new();
    for row in reader.byte_records() {
        let row = row.map_err(shape)?;
        let mut members = Map::new();
        for (index, value) in row.iter().enumerate() {
            let name = names.get(index).map(String::from_utf8_lossy);
            let name = name.unwrap_or(Cow::Owned(format!("column_{index}")));
            let value = String::from_utf8_lossy(value).into_owned();
            members.insert(name.into_owned(), value.into());
        }
        let text = serde_json::Value::Object(members).to_string();
        records.push(RawRecord::new(text.into_bytes()));
    }
    Ok(records)
}

#[async_trait]
impl Stream for ExportStream {
    fn table(&self) -> &Arc<Table> {
        &self.table
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        let complete_to = from.map_or(Timestamp::EPOCH, Cursor::complete_to);
        let read_at = self.http.clock();
        let place = match from.map(Cursor::place).transpose()?.flatten() {
            Some(Place::Exported { exported_at }) if read_at.since(exported_at) < EVERY => {
                return Ok(Page {
                    records: Vec::new(),
                    next: Cursor::inside(complete_to, &Place::Exported { exported_at })?,
                    progress: Progress::CaughtUp,
                    window: None,
                    read_at,
                });
            }
            Some(exporting @ Place::Exporting { .. }) => exporting,
            _ => self.begin(from),
        };
        let Place::Exporting {
            next_day,
            last_day,
            began,
        } = place
        else {
            return Err(Error::new(Code::Internal, "export"));
        };
        let last = (next_day + RANGE_DAYS - 1).min(last_day);
        let records = self.export(next_day, last).await?;
        let (next, progress) = if last >= last_day {
            let exported = Place::Exported { exported_at: began };
            (
                Cursor::inside(began.max(complete_to), &exported)?,
                Progress::CaughtUp,
            )
        } else {
            let exporting = Place::Exporting {
                next_day: last + 1,
                last_day,
                began,
            };
            (Cursor::inside(complete_to, &exporting)?, Progress::More)
        };
        Ok(Page {
            records,
            next,
            progress,
            window: None,
            read_at,
        })
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        let members = Members::of(raw)?;
        let part = |name| members.text(name).filter(|text| !text.trim().is_empty());
        let parts = || self.export.id.iter().filter_map(|name| part(name));
        let first = self.export.id.first().and_then(|name| part(name));
        let key = first.map_or_else(|| hash(raw), |_| parts().collect::<Vec<_>>().join(":"));
        let row = members.keyed(&self.table, key.into())?;
        Ok(TableChange::only(Change {
            key: row.key,
            // A file states no change time: of one version the state that was read later stays.
            version: Timestamp::EPOCH,
            values: row.values,
            extra: row.extra,
            deletion: None,
            replaces: Vec::new(),
        }))
    }

    async fn count(&self, _: Window) -> Result<u64> {
        // No window is ever told.
        Ok(0)
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        // An export holds days, not records: what is not in the one at hand may be in another.
        Ok(keys.iter().map(|_| Presence::Present).collect())
    }

    fn traffic(&self) -> Traffic {
        self.http.traffic()
    }
}

/// Returns a name for a row that has none: the same for the same row.
fn hash(raw: &RawRecord) -> String {
    let hash = Sha256::digest(raw.bytes());
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn day_of(time: Timestamp) -> i64 {
    time.secs()
        .div_euclid(i64::try_from(DAY.as_secs()).unwrap_or(86_400))
}

impl fmt::Debug for ExportStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportStream")
            .field("stream", &self.export.stream)
            .finish_non_exhaustive()
    }
}
