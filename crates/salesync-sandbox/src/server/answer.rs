//! One answer before it is sent.

use serde_json::Value;

use crate::PageServed;

/// One answer before it is sent.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
    /// Headers beside the usual ones.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The page of records that it carries.
    pub(crate) page: Option<PageServed>,
}

impl Answer {
    /// Makes an answer from JSON text.
    pub(crate) fn text(status: u16, body: String) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
            page: None,
        }
    }

    /// Makes an answer from a JSON value.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, body.to_string())
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says which records it carries.
    pub(crate) fn page(mut self, page: PageServed) -> Self {
        self.page = Some(page);
        self
    }
}
