//! Dialpad's error answers. Their bodies are unpublished, so they differ from case to case.

use serde_json::json;

use super::wire::mixed;
use crate::server::Answer;

/// An error whose body is JSON in two of three cases and plain text in the third.
pub(super) fn problem(status: u16, reason: &str, message: &str) -> Answer {
    match mixed(message) % 3 {
        0 => Answer::text(status, message.to_owned()).header("content-type", "text/plain"),
        1 => Answer::json(
            status,
            &json!({
                "error": {
                    "code": status.to_string(),
                    "message": message,
                    "errors": [{"domain": "global", "reason": reason, "message": message}],
                },
            }),
        ),
        _ => Answer::json(
            status,
            &json!({"error": {"code": status, "message": message}}),
        ),
    }
}

/// 400 for what was asked wrongly.
pub(super) fn invalid(message: &str) -> Answer {
    problem(400, "badRequest", message)
}

/// 404 for what is not there, or not yet.
pub(super) fn not_found(what: &str) -> Answer {
    problem(404, "notFound", &format!("{what} not found"))
}

/// 429, with a `Retry-After` in one of three cases.
pub(super) fn throttled(retry_after_secs: Option<i64>) -> Answer {
    match retry_after_secs {
        Some(secs) => problem(429, "rateLimitExceeded", "rate limit exceeded")
            .header("retry-after", secs.to_string()),
        None => problem(429, "rateLimitExceeded", "too many requests"),
    }
}

/// 401 for a token that ended.
pub(crate) fn expired() -> Answer {
    problem(401, "unauthorized", "the access token has expired")
}

/// 401 for a token that never was, and for a key in the address.
pub(crate) fn unauthorised() -> Answer {
    problem(401, "unauthorized", "invalid API key or access token")
}
