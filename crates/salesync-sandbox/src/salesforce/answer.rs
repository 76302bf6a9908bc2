//! Salesforce's error bodies: always an array.

use serde_json::json;

use crate::server::{Answer, Refused};

/// An error body.
pub(crate) fn problem(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, &json!([{"message": message, "errorCode": code}]))
}

/// 401 for a session that ended or never was: the vendor does not tell them apart.
pub(crate) fn session_expired() -> Answer {
    problem(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

/// 404 for what is not there.
pub(crate) fn not_found() -> Answer {
    problem(404, "NOT_FOUND", "The requested resource does not exist")
}

/// 403 for too much: the message tells which limit it was.
pub(crate) fn throttled(refused: Refused) -> Answer {
    let message = match refused {
        Refused::Concurrent => "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        _ => "TotalRequests Limit exceeded.",
    };
    problem(403, "REQUEST_LIMIT_EXCEEDED", message)
}
