//! Reads a request's body: JSON, no larger than its route allows, within [`TIME`]. What it holds is in no error.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures::StreamExt as _;
use salesync_core::error::{Code, Error, Result};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// A command has at most so many bytes.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// A message that Pub/Sub pushes has at most so many: its 10 MB are base64 there.
pub(super) const MOST_PUSHED_BYTES: usize = 14 * 1024 * 1024;
/// A body comes within this time.
const TIME: Duration = Duration::from_secs(10);

/// Reads a body to its end.
///
/// # Errors
/// [`Code::RequestTooLarge`], [`Code::RequestInvalid`] where it does not come in time or is cut off.
pub(super) async fn read(headers: &HeaderMap, body: Body, most_bytes: usize) -> Result<Vec<u8>> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most_bytes) {
        return Err(too_large(most_bytes));
    }
    timeout(TIME, gather(body, most_bytes))
        .await
        .map_err(|_| invalid("sent within ten seconds"))?
}

async fn gather(body: Body, most_bytes: usize) -> Result<Vec<u8>> {
    let mut pieces = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| invalid("sent to its end"))?;
        if bytes.len() + piece.len() > most_bytes {
            return Err(too_large(most_bytes));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Reads a body as JSON of the shape `T`.
///
/// # Errors
/// [`Code::RequestUnsupportedType`] where it is not called JSON, [`Code::RequestInvalid`] where it is none, or of
/// another shape.
pub(super) fn json<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T> {
    if !is_called_json(headers) {
        return Err(Error::new(Code::RequestUnsupportedType, "read a request"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // The parser's own message would quote the body.
        let rule = if error.is_data() {
            "of known members, each of its kind"
        } else {
            "JSON"
        };
        invalid(rule)
            .with("line", error.line())
            .with("column", error.column())
    })
}

/// The same where a body without anything means one without members.
///
/// # Errors
/// As [`json`].
pub(super) fn json_or_nothing<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T> {
    if bytes.trim_ascii().is_empty() {
        return serde_json::from_str("{}").map_err(|_| invalid("there"));
    }
    json(headers, bytes)
}

fn is_called_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let kind = content_type.and_then(|value| value.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn too_large(most_bytes: usize) -> Error {
    Error::new(Code::RequestTooLarge, "read a request").with("bytes allowed", most_bytes)
}

fn invalid(rule: &'static str) -> Error {
    Error::new(Code::RequestInvalid, "read a request").with("a body must be", rule)
}
