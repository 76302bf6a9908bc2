//! Reads a body: decompressed bytes are counted as they come, and each pause between them is timed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use reqwest::Response;
use salesync_core::error::{Code, Error, Result};
use tokio::time::timeout;

use crate::request::Expected;

/// How much of a body is allocated before any of it has come.
const FIRST_ALLOCATION: usize = 64 * 1024;

/// Reads a body to its end.
pub(crate) async fn read(
    response: Response,
    operation: &'static str,
    max_bytes: usize,
    idle: Duration,
) -> Result<Bytes> {
    let status = response.status().as_u16();
    let error = |code, bytes: usize| {
        Error::new(code, operation)
            .with("status", status)
            .with("bytes", bytes)
    };
    let mut pieces = response.bytes_stream();
    let mut body = BytesMut::with_capacity(FIRST_ALLOCATION.min(max_bytes));
    loop {
        let next = timeout(idle, pieces.next()).await;
        match next.map_err(|_| error(Code::SourceTimeout, body.len()).with("timeout", "idle"))? {
            None => return Ok(body.freeze()),
            Some(Err(cause)) => {
                return Err(
                    error(Code::SourceBodyTruncated, body.len()).because(cause.without_url())
                );
            }
            Some(Ok(piece)) if body.len() + piece.len() > max_bytes => {
                return Err(error(Code::SourceBodyTooLarge, body.len() + piece.len())
                    .with("allowed", max_bytes));
            }
            Some(Ok(piece)) => body.extend_from_slice(&piece),
        }
    }
}

/// Returns whether a good answer's body can be what was expected. It looks at both ends only: an empty body,
/// a page of HTML or a document that was cut off never pass; the rest shows when the body is parsed.
pub(crate) fn is_plausible(body: &[u8], expected: Expected) -> bool {
    let trimmed = body.trim_ascii();
    match expected {
        Expected::Anything => true,
        Expected::Csv => trimmed.first().is_some_and(|first| !b"<{[".contains(first)),
        Expected::Json => matches!(
            (trimmed.first(), trimmed.last()),
            (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_something_else_is_seen_at_its_ends() {
        let cases: [(&[u8], Expected, bool); 10] = [
            (b" {\"a\":1}\n", Expected::Json, true),
            (b"[]", Expected::Json, true),
            (b"", Expected::Json, false),
            (b"null", Expected::Json, false),
            (b"<html></html>", Expected::Json, false),
            (b"{\"results\":[{\"id\":", Expected::Json, false),
            (b"\"Id\",\"Name\"\n", Expected::Csv, true),
            (b"<html></html>", Expected::Csv, false),
            (b"", Expected::Csv, false),
            (b"", Expected::Anything, true),
        ];
        for (body, expected, plausible) in cases {
            assert_eq!(
                is_plausible(body, expected),
                plausible,
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }
}
