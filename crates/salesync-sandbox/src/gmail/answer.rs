//! Google's error bodies.

use serde_json::json;

use crate::server::Answer;

/// An error body with one reason.
pub(crate) fn problem(status: u16, reason: &str, message: &str) -> Answer {
    let domain = match reason {
        "rateLimitExceeded" | "userRateLimitExceeded" | "dailyLimitExceeded" => "usageLimits",
        _ => "global",
    };
    let mut body = json!({"error": {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": domain, "reason": reason}],
        "status": canonical(status, reason),
    }});
    if status == 401
        && let Some(first) = body.pointer_mut("/error/errors/0")
        && let Some(map) = first.as_object_mut()
    {
        map.insert("location".to_owned(), "Authorization".into());
        map.insert("locationType".to_owned(), "header".into());
    }
    Answer::json(status, &body)
}

fn canonical(status: u16, reason: &str) -> &'static str {
    match (status, reason) {
        (400, "failedPrecondition") => "FAILED_PRECONDITION",
        (400, _) => "INVALID_ARGUMENT",
        (401, _) => "UNAUTHENTICATED",
        (403, _) => "PERMISSION_DENIED",
        (404, _) => "NOT_FOUND",
        (429, _) => "RESOURCE_EXHAUSTED",
        (503, _) => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

/// 400 for what was asked wrongly.
pub(crate) fn invalid(message: &str) -> Answer {
    problem(400, "invalidArgument", message)
}

/// 404 for what is not there, or no longer.
pub(crate) fn not_found() -> Answer {
    problem(404, "notFound", "Requested entity was not found.")
}

/// 403 for what the caller may not.
pub(crate) fn forbidden(message: &str) -> Answer {
    problem(403, "forbidden", message)
}

/// 401 for a token that ended or never was: the vendor does not tell them apart.
pub(crate) fn unauthorised() -> Answer {
    problem(
        401,
        "authError",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
         cookie or other valid authentication credential.",
    )
}

/// A failure that a test asked for.
pub(crate) fn scripted(status: u16, reason: &str) -> Answer {
    let message = match reason {
        "notFound" => "Requested entity was not found.",
        "rateLimitExceeded" => "Rate Limit Exceeded",
        "userRateLimitExceeded" => "User Rate Limit Exceeded",
        "backendError" => "Backend Error",
        other => other,
    };
    problem(status, reason, message)
}
