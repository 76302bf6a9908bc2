//! What is asked: an operation of ours, a target on the client's origin, and what the answer should be.

use std::fmt;

use bytes::Bytes;
use reqwest::Method;
use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::Secret;
use serde::Serialize;
use url::form_urlencoded;

use crate::settings::{LimitClass, Timeouts};

/// What a good answer's body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A JSON document; anything else is `ERR_SOURCE_BODY_MALFORMED` and asked for again.
    Json,
    /// A CSV document.
    Csv,
    /// Anything, also nothing.
    Anything,
}

impl Expected {
    /// Returns the value of the `Accept` header.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Anything => "*/*",
        }
    }
}

/// Whether a request that may have reached the source may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing there, so it may.
    Safe,
    /// It would do its work twice.
    Never,
}

/// One request. Its `Debug` shows the operation and the path, never query, headers or body.
#[derive(Clone)]
pub struct Request {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) secret_headers: Vec<(String, Secret)>,
    pub(crate) body: Option<(&'static str, Bytes)>,
    pub(crate) class: LimitClass,
    pub(crate) cost: u32,
    pub(crate) expected: Expected,
    pub(crate) repeat: Repeat,
    pub(crate) timeouts: Option<Timeouts>,
}

/// Returns an id as one segment of a path: what would end the segment or the path is encoded.
#[must_use]
pub fn segment(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

impl Request {
    /// Returns a GET of `target`, a path with or without a query, or what `Client::link` returned.
    /// `operation` is a few words of ours for errors and logs.
    #[must_use]
    pub fn get(operation: &'static str, target: impl Into<String>, class: LimitClass) -> Self {
        Self::new(Method::GET, operation, target.into(), class)
    }

    /// Returns a POST to `target`. It counts as repeatable: see [`Request::sent_once`].
    #[must_use]
    pub fn post(operation: &'static str, target: impl Into<String>, class: LimitClass) -> Self {
        Self::new(Method::POST, operation, target.into(), class)
    }

    /// Returns a PATCH of `target`.
    #[must_use]
    pub fn patch(operation: &'static str, target: impl Into<String>, class: LimitClass) -> Self {
        Self::new(Method::PATCH, operation, target.into(), class)
    }

    /// Returns a DELETE of `target`.
    #[must_use]
    pub fn delete(operation: &'static str, target: impl Into<String>, class: LimitClass) -> Self {
        Self::new(Method::DELETE, operation, target.into(), class)
    }

    fn new(method: Method, operation: &'static str, target: String, class: LimitClass) -> Self {
        Self {
            operation,
            method,
            target,
            headers: Vec::new(),
            secret_headers: Vec::new(),
            body: None,
            class,
            cost: 1,
            expected: Expected::Json,
            repeat: Repeat::Safe,
            timeouts: None,
        }
    }

    /// Adds one name and value to the query, encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.target
            .push(if self.target.contains('?') { '&' } else { '?' });
        let pair = form_urlencoded::Serializer::new(String::new())
            .append_pair(name, &value.to_string())
            .finish();
        self.target.push_str(&pair);
        self
    }

    /// Adds a header. The client itself sets `Authorization`, `Accept` and `Content-Type`.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a header whose value is a secret, where a setting rather than an authenticator says so.
    #[must_use]
    pub fn secret_header(mut self, name: impl Into<String>, value: Secret) -> Self {
        self.secret_headers.push((name.into(), value));
        self
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// [`Code::Internal`] where `body` can't be written as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self> {
        let bytes =
            serde_json::to_vec(body).map_err(|_| Error::new(Code::Internal, self.operation))?;
        self.body = Some(("application/json", bytes.into()));
        Ok(self)
    }

    /// Sets a form as the body.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let text = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.body = Some((
            "application/x-www-form-urlencoded",
            text.into_bytes().into(),
        ));
        self
    }

    /// Sets a body of another kind.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        self.body = Some((content_type, bytes.into()));
        self
    }

    /// Says how many units of its class's limit it takes; without this it is one.
    #[must_use]
    pub fn costing(mut self, units: u32) -> Self {
        self.cost = units;
        self
    }

    /// Says what a good answer's body holds; without this it is JSON.
    #[must_use]
    pub fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// Says that the request does work at the source: it is not sent again once it may have arrived.
    /// A throttled answer and a stale token did no work, so after them it is.
    #[must_use]
    pub fn sent_once(mut self) -> Self {
        self.repeat = Repeat::Never;
        self
    }

    /// Sets how long this call may take, in place of the client's times.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Returns the path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}
