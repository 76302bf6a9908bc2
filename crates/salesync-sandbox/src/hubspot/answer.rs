//! HubSpot's error bodies.

use serde_json::json;

use crate::server::{Answer, Refused};
use crate::world::HubSpotSide;

const CORRELATION_ID: &str = "5a1e5bc0-5a1e-45bc-85a1-e5bc05a1e5bc";

/// An error body with a category.
pub(crate) fn problem(status: u16, category: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({
            "status": "error",
            "message": message,
            "correlationId": CORRELATION_ID,
            "category": category,
        }),
    )
}

/// 400 for what was asked wrongly.
pub(crate) fn invalid(message: &str) -> Answer {
    problem(400, "VALIDATION_ERROR", message)
}

/// 404 for what is not there.
pub(crate) fn not_found() -> Answer {
    problem(404, "OBJECT_NOT_FOUND", "resource not found")
}

/// 401 for a token that ended.
pub(crate) fn expired(end_ms: i64) -> Answer {
    Answer::json(
        401,
        &json!({
            "status": "error",
            "message": "The OAuth token used to make this call expired.",
            "correlationId": CORRELATION_ID,
            "category": "EXPIRED_AUTHENTICATION",
            "context": {"expire time": [HubSpotSide::time_text(end_ms)]},
        }),
    )
}

/// 401 for a token that never was.
pub(crate) fn unauthorised() -> Answer {
    problem(
        401,
        "INVALID_AUTHENTICATION",
        "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
    )
}

/// 429 with the policy that was met.
pub(crate) fn throttled(refused: Refused) -> Answer {
    let (policy, words) = match refused {
        Refused::Secondly => ("SECONDLY", "secondly"),
        Refused::Daily => ("DAILY", "daily"),
        Refused::TenSecondly | Refused::Concurrent => {
            ("TEN_SECONDLY_ROLLING", "ten_secondly_rolling")
        }
    };
    Answer::json(
        429,
        &json!({
            "status": "error",
            "message": format!("You have reached your {words} limit."),
            "errorType": "RATE_LIMIT",
            "correlationId": CORRELATION_ID,
            "policyName": policy,
            "groupName": "publicapi:private-apps:sandbox",
            "requestId": CORRELATION_ID,
        }),
    )
}
