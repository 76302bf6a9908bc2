//! A page of a listing. It may be empty, or lack its list, although more follow.

use salesync_core::error::{Code, Error, Result};
use salesync_core::record::RawRecord;
use salesync_core::time::Timestamp;
use salesync_http::{Answer, Client, Expected, LimitClass, Request, segment};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{API, GO_ON, LOOK_UP};
use crate::row::Members;

/// A page of a listing.
pub(crate) struct Listed {
    pub(crate) records: Vec<RawRecord>,
    /// Where the next page begins; `None` at the last one.
    pub(crate) cursor: Option<String>,
    pub(crate) read_at: Timestamp,
}

#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    cursor: Option<String>,
}

impl Listed {
    fn read(answer: &Answer) -> Result<Self> {
        let shape: Shape<'_> = answer.json()?;
        Ok(Self {
            records: RawRecord::slices(&answer.body, &shape.items.unwrap_or_default())?,
            cursor: shape.cursor.filter(|cursor| !cursor.is_empty()),
            read_at: answer.sent_at,
        })
    }
}

/// Reads a page: of `target`, a path with or without a query.
pub(crate) async fn list(http: &Client, target: &str, cursor: Option<&str>) -> Result<Listed> {
    let operation = if cursor.is_some() { GO_ON } else { "list" };
    let mut request = Request::get(operation, target, API);
    if let Some(cursor) = cursor {
        request = request.query("cursor", cursor);
    }
    http.read(&request, Listed::read).await
}

/// Returns the id of a listed record, to tell what is still there.
///
/// # Errors
/// `ERR_SOURCE_PAGE_SHAPE` where it can't be read: it may be any of those that are looked for.
pub(crate) fn id_of(record: &RawRecord, member: &'static str) -> Result<String> {
    let id = Members::of(record).ok().and_then(|it| it.text(member));
    let unreadable = || Error::new(Code::SourcePageShape, "read the id of a record");
    Ok(id.ok_or_else(unreadable)?.into_owned())
}

/// Asks for one record by its id, at `path`, which ends with a slash, and returns whether it is there.
pub(crate) async fn is_there(
    http: &Client,
    path: &str,
    id: &str,
    class: LimitClass,
) -> Result<bool> {
    let target = format!("{path}{}", segment(id));
    let request = Request::get(LOOK_UP, target, class).expecting(Expected::Anything);
    http.read(&request, |answer| Ok(answer.status != 404)).await
}
