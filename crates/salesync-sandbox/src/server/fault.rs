//! Faults that a test scripts.

use std::collections::VecDeque;
use std::time::Duration;

use super::Asked;

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The answer is this status and body.
    Status {
        /// The HTTP status.
        code: u16,
        /// The body; JSON, or whatever is to be seen.
        body: String,
        /// The `Retry-After` header in seconds.
        retry_after: Option<u64>,
    },
    /// A gateway answers 502 with a page of HTML.
    Html502,
    /// The right answer stops half way through its body.
    Truncated,
    /// The answer is 200 with `{}`.
    EmptyObject,
    /// The right answer comes this much later.
    Slow(Duration),
    /// The connection is cut without an answer.
    Disconnect,
    /// The right answer, but its paging link leads to another host. (It has none if it was the
    /// last page.)
    ForeignLink,
    /// The answer is 307 to this address.
    Redirect(String),
    /// The answer is a small gzip body that unpacks to about this many bytes of spaces.
    GzipBomb(usize),
    /// The token is refused as expired, in the vendor's own body.
    ExpiredToken,
    /// The token is refused as unknown, in the vendor's own body.
    WrongToken,
}

/// The faults to come.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    scripted: VecDeque<(Fault, String, usize)>,
}

impl Faults {
    /// Adds a fault for the next `times` requests that match.
    pub(crate) fn push(&mut self, fault: Fault, matching: &str, times: usize) {
        if times > 0 {
            self.scripted.push_back((fault, matching.to_owned(), times));
        }
    }

    /// Takes the first fault that matches a request.
    pub(crate) fn take(&mut self, asked: &Asked) -> Option<Fault> {
        if self.scripted.is_empty() {
            return None;
        }
        let target = format!("{}?{}", asked.path, asked.query);
        let place = self
            .scripted
            .iter()
            .position(|(_, part, _)| target.contains(part))?;
        let (fault, _, left) = self.scripted.get_mut(place)?;
        let fault = fault.clone();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.scripted.remove(place);
        }
        Some(fault)
    }

    /// Takes all faults back.
    pub(crate) fn clear(&mut self) {
        self.scripted.clear();
    }
}
