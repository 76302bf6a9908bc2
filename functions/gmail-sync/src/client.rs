//! How Gmail is asked and how it refuses: limits, and the meaning of each answer.

use std::sync::Arc;
use std::time::Duration;

use salesync_core::error::{Code, Result};
use salesync_core::time::Timestamp;
use salesync_core::validate::parse_timestamp;
use salesync_http::{Answer, Authenticator, Client, ClientSettings, Verdict};
use serde::Deserialize;

use crate::batch;
use crate::quota::Quota;

/// The operation of reading a mailbox's history: only it can be told that its beginning is too old.
pub(crate) const READ_HISTORY: &str = "read the history";
/// The operation of a history that goes on from a page token.
pub(crate) const GO_ON_HISTORY: &str = "go on reading the history";
/// The operation of a listing that goes on from a page token.
pub(crate) const GO_ON_LISTING: &str = "go on listing messages";
/// The operation of a batch.
pub(crate) const BATCH: &str = "get messages";

/// A raw message may be as large as Gmail takes in, in base64.
const BODY_MAX: usize = 64 * 1024 * 1024;
/// Calls under way at one time, over all mailboxes.
const CONCURRENCY: usize = 64;

/// Returns the client of one mailbox, from which those of the others are made.
pub(crate) fn connect(
    base_url: &str,
    now: Timestamp,
    login: Arc<dyn Authenticator>,
) -> Result<Client> {
    let mut settings = ClientSettings::new("gmail", base_url, now);
    settings.limits = vec![Quota::of_project()];
    settings.max_body_bytes = BODY_MAX;
    settings.concurrency = CONCURRENCY;
    Client::new(settings, login, classify)
}

/// What an answer says, of a call of its own or of one in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Good,
    /// The mailbox does not have it.
    Gone,
    Throttled(Option<Duration>),
    QuotaExhausted,
    Expired,
    Failed,
    Refused(Code),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Problem,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    message: String,
    errors: Vec<Reason>,
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: String,
}

/// Returns what an answer says. `now` is the source's clock.
pub(crate) fn meaning(status: u16, body: &[u8], now: Timestamp) -> Meaning {
    match status {
        200..=299 => return Meaning::Good,
        401 => return Meaning::Expired,
        404 => return Meaning::Gone,
        500..=599 => return Meaning::Failed,
        _ => {}
    }
    let problem = serde_json::from_slice::<Refusal>(body)
        .unwrap_or_default()
        .error;
    let has = |reason: &str| problem.errors.iter().any(|it| it.reason == reason);
    match status {
        403 | 429 if has("dailyLimitExceeded") => Meaning::QuotaExhausted,
        403 if has("rateLimitExceeded") || has("userRateLimitExceeded") => {
            Meaning::Throttled(asked_wait(&problem.message, now))
        }
        403 if problem.status == "RESOURCE_EXHAUSTED" => {
            Meaning::Throttled(asked_wait(&problem.message, now))
        }
        429 => Meaning::Throttled(asked_wait(&problem.message, now)),
        403 => Meaning::Refused(Code::SourceForbidden),
        _ => Meaning::Refused(Code::SourceRefused),
    }
}

/// Reads the wait out of a message such as `… Retry after 2026-05-01T10:00:00.000Z`.
fn asked_wait(message: &str, now: Timestamp) -> Option<Duration> {
    let (_, rest) = message.split_once("Retry after ")?;
    let word = rest.split_whitespace().next()?;
    let until = parse_timestamp(word.trim_end_matches(['.', ')'])).ok()?;
    Some(until.since(now))
}

/// Says what an answer means.
pub(crate) fn classify(answer: &Answer) -> Verdict {
    match meaning(answer.status, &answer.body, answer.answered_at) {
        Meaning::Good if answer.operation == BATCH && batch::is_unauthorised(answer) => {
            Verdict::RefreshToken
        }
        Meaning::Good => Verdict::Ok,
        Meaning::Gone if [READ_HISTORY, GO_ON_HISTORY].contains(&answer.operation) => {
            Verdict::RestartFromCursor
        }
        Meaning::Gone => Verdict::Permanent(Code::SourceRefused),
        Meaning::Throttled(wait) => Verdict::Throttled { wait },
        Meaning::QuotaExhausted => Verdict::QuotaExhausted,
        Meaning::Expired => Verdict::RefreshToken,
        Meaning::Failed => Verdict::Transient(Code::SourceStatus5xx),
        // A page token may die.
        Meaning::Refused(Code::SourceRefused)
            if [GO_ON_LISTING, GO_ON_HISTORY].contains(&answer.operation) =>
        {
            Verdict::RestartFromCursor
        }
        Meaning::Refused(code) => Verdict::Permanent(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_what_its_status_and_its_reason_say_together() {
        let now = parse_timestamp("2026-05-01T10:00:00Z").unwrap();
        let body = |reason: &str, message: &str| {
            format!(
                r#"{{"error":{{"code":0,"message":"{message}","errors":[{{"domain":"x","reason":"{reason}"}}]}}}}"#
            )
        };
        let wait = Some(Duration::from_secs(30));
        let later = "Limit. Retry after 2026-05-01T10:00:30.000Z";
        let cases = [
            (200, String::new(), Meaning::Good),
            (401, body("authError", ""), Meaning::Expired),
            (403, body("rateLimitExceeded", ""), Meaning::Throttled(None)),
            (
                403,
                body("userRateLimitExceeded", later),
                Meaning::Throttled(wait),
            ),
            (429, body("rateLimitExceeded", ""), Meaning::Throttled(None)),
            (429, "Too many".to_owned(), Meaning::Throttled(None)),
            (403, body("dailyLimitExceeded", ""), Meaning::QuotaExhausted),
            (
                403,
                body("forbidden", ""),
                Meaning::Refused(Code::SourceForbidden),
            ),
            (
                403,
                body("insufficientPermissions", ""),
                Meaning::Refused(Code::SourceForbidden),
            ),
            (
                403,
                body("domainPolicy", ""),
                Meaning::Refused(Code::SourceForbidden),
            ),
            (
                403,
                "<html>".to_owned(),
                Meaning::Refused(Code::SourceForbidden),
            ),
            (
                400,
                body("failedPrecondition", ""),
                Meaning::Refused(Code::SourceRefused),
            ),
            (404, body("notFound", ""), Meaning::Gone),
            (503, body("backendError", ""), Meaning::Failed),
        ];
        for (status, body, expected) in cases {
            assert_eq!(
                meaning(status, body.as_bytes(), now),
                expected,
                "{status} {body}"
            );
        }
    }
}
