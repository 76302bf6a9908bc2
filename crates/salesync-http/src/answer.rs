//! What came back, and what a vendor makes of it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use salesync_core::error::{Code, Error, Result};
use salesync_core::retry::parse_retry_after;
use salesync_core::time::Timestamp;
use serde::Deserialize;

/// One answer, read to its end. Its `Debug` shows status and sizes, never headers or body.
#[derive(Clone)]
pub struct Answer {
    /// The operation that was asked for.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    /// When the request was sent, by the source's clock.
    pub sent_at: Timestamp,
    /// What the source's clock says now.
    pub answered_at: Timestamp,
}

impl Answer {
    /// Returns a header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the wait that the `Retry-After` header asks for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        parse_retry_after(self.header("retry-after")?, self.answered_at)
    }

    /// Reads the body as JSON of the shape `T`.
    ///
    /// # Errors
    /// [`Code::SourceBodyMalformed`] where it is no JSON, [`Code::SourcePageShape`] where it is of another shape.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // The parser's own message would quote the body.
            let code = if error.is_data() {
                Code::SourcePageShape
            } else {
                Code::SourceBodyMalformed
            };
            self.error(code).with("column", error.column())
        })
    }

    /// Returns an error of `code` that names this answer by operation, status and size.
    #[must_use]
    pub fn error(&self, code: Code) -> Error {
        Error::new(code, self.operation)
            .with("status", self.status)
            .with("bytes", self.body.len())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What an answer means. Every answer is exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is good; its body is still checked for what was expected.
    Ok,
    /// We ask too fast: the whole class waits, then the request is sent again.
    /// A longer `Retry-After` header counts in place of `wait`.
    Throttled {
        /// How long to wait at least.
        wait: Option<Duration>,
    },
    /// The token has expired: one login, then the request is sent again.
    RefreshToken,
    /// It may heal: the request is sent again after a pause (never before a `Retry-After`); if that does not
    /// help, the error has this code.
    Transient(Code),
    /// The source no longer knows a position in a listing: `ERR_SOURCE_CURSOR_EXPIRED`.
    RestartFromCursor,
    /// It will not heal by asking again; the error has this code.
    Permanent(Code),
    /// The day's quota is used up: `ERR_SOURCE_QUOTA_EXHAUSTED`.
    QuotaExhausted,
}

impl Verdict {
    /// Returns what an answer means of whoever says all by its status, and asks for no login.
    #[must_use]
    pub fn by_status(answer: &Answer) -> Self {
        match answer.status {
            200..=299 => Self::Ok,
            429 => Self::Throttled { wait: None },
            500..=599 => Self::Transient(Code::SourceStatus5xx),
            _ => Self::Permanent(Code::SourceRefused),
        }
    }
}

/// Decides, per vendor, what an answer means: from its status *and* its body.
/// Redirects never get here: they are `ERR_SOURCE_REDIRECT`.
pub type Classify = fn(&Answer) -> Verdict;
