//! Answers in JSON: a document with a status, or why a request was refused.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use salesync_core::error::{Class, Code, Error};
use serde_json::{Value, json};

use crate::fronts::outside;
use crate::handle::Report;

/// After so many seconds a caller may try again, where nothing else is known.
const TRY_AGAIN_SECS: u64 = 60;

/// Returns a document with a status.
pub(super) fn document(status: u16, document: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, document.to_string()).into_response()
}

/// Returns a report with the status of the worst in it.
pub(super) fn report(report: &Report) -> Response {
    let status = outside::worst(report).map_or(200, Code::http_status);
    let mut response = document(status, &outside::document(report));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, TRY_AGAIN_SECS.into());
    }
    response
}

/// Returns the answer to a trigger that has nothing to do.
pub(super) fn skipped(code: Code) -> Response {
    document(200, &json!({"skipped": code.as_str()}))
}

/// Why a request was refused, or what it ran into.
#[derive(Debug)]
pub(super) struct Refused(Error);

impl Refused {
    /// Returns a refusal that needs no more than its code.
    pub(super) fn with(code: Code) -> Self {
        Self(Error::new(code, "answer a request"))
    }

    /// Returns the status: a person is told that something else is at work, a scheduler has nothing to mend.
    fn status(&self) -> u16 {
        match self.0.code() {
            Code::RunOverlap => 409,
            code => code.http_status(),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let error = &self.0;
        let cause = std::error::Error::source(error).map(ToString::to_string);
        match error.class() {
            Class::Request | Class::Skip => {
                tracing::info!(error = %error, cause = cause.as_deref(), "request refused");
            }
            _ => tracing::warn!(error = %error, cause = cause.as_deref(), "request failed"),
        }
        let status = self.status();
        let mut response = document(status, &outside::error(error));
        let headers = response.headers_mut();
        match status {
            401 => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            503 => {
                let wait = error
                    .retry_after()
                    .map_or(TRY_AGAIN_SECS, |it| it.as_secs());
                headers.insert(header::RETRY_AFTER, wait.max(1).into());
            }
            _ => {}
        }
        response
    }
}
