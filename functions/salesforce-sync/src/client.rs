//! How to ask, and how the vendor refuses: one API for all streams, judged by status *and* body.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::run::Traffic;
use salesync_core::source::{Source, SourceSettings, Stream};
use salesync_core::time::Timestamp;
use salesync_http::{Answer, Client, ClientSettings, LimitClass, Request, Timeouts, Verdict};
use serde::Deserialize;

use crate::login::Login;
use crate::objects;
use crate::page;
use crate::stream::ObjectStream;

/// The version of the API that every path names. Versions stay available for years; a new one is taken
/// with a change of this line and a look at the vendor's release notes.
pub(crate) const API_VERSION: &str = "v62.0";
/// The share of the organisation's daily calls after which a run stops: the rest belongs to others.
pub(crate) const QUOTA_SHARE_PERCENT: u64 = 80;
/// Queries may take long; the service itself gives up after two minutes.
const QUERY_TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(125),
    idle: Duration::from_secs(15),
    whole: Duration::from_secs(180),
};
/// There is no limit per second, so the class has none.
const REST: LimitClass = LimitClass("rest");
/// How long to wait where too many long requests run at one time.
const CONCURRENCY_PAUSE: Duration = Duration::from_secs(2);

/// The API with one login, shared by all streams.
pub(crate) struct Api {
    client: Client,
}

impl Api {
    /// Returns an API that counts its own traffic and shares all else.
    fn for_stream(&self) -> Self {
        Self {
            client: self.client.for_stream(),
        }
    }

    /// Returns what was sent through this API.
    pub(crate) fn traffic(&self) -> Traffic {
        self.client.traffic()
    }

    fn new(settings: SourceSettings) -> Result<Self> {
        let login = Login::new(&settings.base_url, Arc::clone(&settings.secrets))?;
        let client_settings = ClientSettings {
            quota_used: used_percent,
            ..ClientSettings::new("salesforce", settings.base_url, settings.now)
        };
        let client = Client::new(client_settings, Arc::new(login), classify)?;
        Ok(Self { client })
    }

    /// Asks for a path of the API and returns what `read` makes of the answer.
    ///
    /// # Errors
    /// [`Code::SourceQuotaExhausted`] where the organisation has used its share of the day, and those of
    /// [`Client::read`].
    pub(crate) async fn get<T: Send>(
        &self,
        operation: &'static str,
        path: &str,
        read: impl Fn(&Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let target = format!("/services/data/{API_VERSION}{path}");
        self.send(&Request::get(operation, target, REST), read)
            .await
    }

    /// Sends a query that sees deleted records too and returns what `read` makes of the answer.
    ///
    /// # Errors
    /// As [`Api::get`]; [`Code::SourceTimeout`] where the service has no time for the query.
    pub(crate) async fn query<T: Send>(
        &self,
        statement: &str,
        read: impl Fn(&Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let request = Request::get(
            "query",
            format!("/services/data/{API_VERSION}/queryAll"),
            REST,
        );
        self.send(
            &request.query("q", statement).timeouts(QUERY_TIMEOUTS),
            read,
        )
        .await
    }

    async fn send<T: Send>(
        &self,
        request: &Request,
        read: impl Fn(&Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let used_percent = self.client.quota_used_percent();
        if used_percent > QUOTA_SHARE_PERCENT {
            return Err(
                Error::new(Code::SourceQuotaExhausted, "stay within the quota")
                    .with("used percent", used_percent)
                    .with("allowed percent", QUOTA_SHARE_PERCENT),
            );
        }
        self.client.read(request, read).await
    }

    /// Returns the source's clock.
    pub(crate) fn clock(&self) -> Timestamp {
        self.client.clock()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// Returns how much of the organisation's calls of a day an answer says is used, in percent.
fn used_percent(answer: &Answer) -> Option<u64> {
    answer.header("sforce-limit-info").and_then(used_percent_of)
}

/// Reads `api-usage=25/100000` as percent, rounded up.
fn used_percent_of(header: &str) -> Option<u64> {
    let usage = header
        .split([',', ';'])
        .find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, permitted) = usage.split_once('/')?;
    let (used, permitted) = (
        used.trim().parse::<u64>().ok()?,
        permitted.trim().parse::<u64>().ok()?,
    );
    (permitted > 0).then(|| used.saturating_mul(100).div_ceil(permitted))
}

/// One error of an answer; the body holds a list of them.
#[derive(Deserialize)]
struct ApiError {
    #[serde(rename = "errorCode")]
    code: String,
    #[serde(default)]
    message: String,
}

/// Decides what an answer of the API means.
fn classify(answer: &Answer) -> Verdict {
    if (200..300).contains(&answer.status) {
        return Verdict::Ok;
    }
    let errors: Vec<ApiError> = serde_json::from_slice(&answer.body).unwrap_or_default();
    let known = errors
        .iter()
        .find_map(|error| by_code(&error.code, &error.message));
    known.unwrap_or_else(|| by_status(answer.status))
}

/// What the vendor's code means, whatever the status.
fn by_code(code: &str, message: &str) -> Option<Verdict> {
    Some(match code {
        "INVALID_SESSION_ID" => Verdict::RefreshToken,
        "REQUEST_LIMIT_EXCEEDED" if message.starts_with("ConcurrentRequests") => {
            Verdict::Throttled {
                wait: Some(CONCURRENCY_PAUSE),
            }
        }
        "REQUEST_LIMIT_EXCEEDED" => Verdict::QuotaExhausted,
        // Not worth the same question again: the stream asks for less.
        "QUERY_TIMEOUT" => Verdict::Permanent(Code::SourceTimeout),
        "INVALID_QUERY_LOCATOR" => Verdict::RestartFromCursor,
        "SERVER_UNAVAILABLE" | "UNABLE_TO_LOCK_ROW" | "UNKNOWN_EXCEPTION" => {
            Verdict::Transient(Code::SourceStatus5xx)
        }
        "INVALID_FIELD" => Verdict::Permanent(Code::SourceSchemaChanged),
        "INVALID_TYPE" | "NOT_FOUND" => Verdict::Permanent(Code::SourceForbidden),
        "INVALID_AUTH_HEADER" => Verdict::Permanent(Code::SourceAuthRevoked),
        _ => return None,
    })
}

/// What the status means where the body says nothing that is known: gateways answer in HTML.
fn by_status(status: u16) -> Verdict {
    match status {
        401 => Verdict::RefreshToken,
        403 => Verdict::Permanent(Code::SourceForbidden),
        408 => Verdict::Transient(Code::SourceTimeout),
        429 => Verdict::Throttled { wait: None },
        500.. => Verdict::Transient(Code::SourceStatus5xx),
        _ => Verdict::Permanent(Code::SourceRefused),
    }
}

/// Salesforce as a source.
#[derive(Debug)]
pub(crate) struct Salesforce {
    api: Arc<Api>,
}

/// Returns the source; nothing is sent before it is used.
///
/// # Errors
/// [`Code::ConfigInvalid`] where the base URL is no origin.
pub(crate) fn connect(settings: SourceSettings) -> Result<Arc<dyn Source>> {
    Ok(Arc::new(Salesforce {
        api: Arc::new(Api::new(settings)?),
    }))
}

#[async_trait]
impl Source for Salesforce {
    async fn check(&self) -> Result<()> {
        // The limits resource would need the permission to view the setup; every login may see one user.
        self.api
            .query("SELECT Id FROM User LIMIT 1", page::rows)
            .await
            .map(|_| ())
    }

    async fn open(&self, stream: &str, _part: Option<&str>) -> Result<Arc<dyn Stream>> {
        let object = objects::of_stream(stream).ok_or_else(|| {
            Error::new(Code::RequestInvalid, "open a stream")
                .with("streams", objects::STREAMS.join(", "))
        })?;
        Ok(Arc::new(
            ObjectStream::open(Arc::new(self.api.for_stream()), object).await?,
        ))
    }

    fn clock(&self) -> Timestamp {
        self.api.clock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::answer;

    const REFUSED: Verdict = Verdict::Permanent(Code::SourceRefused);
    const FORBIDDEN: Verdict = Verdict::Permanent(Code::SourceForbidden);
    const BROKEN: Verdict = Verdict::Transient(Code::SourceStatus5xx);
    const THROTTLED: Verdict = Verdict::Throttled {
        wait: Some(CONCURRENCY_PAUSE),
    };

    /// Status, the vendor's code (none: a gateway's HTML), its message, and what it means.
    const ANSWERS: &[(u16, &str, &str, Verdict)] = &[
        (200, "", "", Verdict::Ok),
        (
            401,
            "INVALID_SESSION_ID",
            "Session expired or invalid",
            Verdict::RefreshToken,
        ),
        (401, "", "", Verdict::RefreshToken),
        (
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
            Verdict::QuotaExhausted,
        ),
        (
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests Limit exceeded.",
            THROTTLED,
        ),
        (403, "INSUFFICIENT_ACCESS", "x", FORBIDDEN),
        (403, "API_DISABLED_FOR_ORG", "x", FORBIDDEN),
        (
            400,
            "QUERY_TIMEOUT",
            "x",
            Verdict::Permanent(Code::SourceTimeout),
        ),
        (
            400,
            "INVALID_QUERY_LOCATOR",
            "x",
            Verdict::RestartFromCursor,
        ),
        (400, "MALFORMED_QUERY", "x", REFUSED),
        (400, "OPERATION_TOO_LARGE", "x", REFUSED),
        (
            400,
            "INVALID_FIELD",
            "x",
            Verdict::Permanent(Code::SourceSchemaChanged),
        ),
        (400, "INVALID_TYPE", "x", FORBIDDEN),
        (404, "NOT_FOUND", "x", FORBIDDEN),
        (404, "", "", REFUSED),
        (414, "", "", REFUSED),
        (431, "", "", REFUSED),
        (500, "UNKNOWN_EXCEPTION", "x", BROKEN),
        (500, "UNABLE_TO_LOCK_ROW", "x", BROKEN),
        (502, "", "", BROKEN),
        (503, "SERVER_UNAVAILABLE", "x", BROKEN),
    ];

    #[test]
    fn an_answer_is_judged_by_status_and_body() {
        for (status, code, message, verdict) in ANSWERS {
            let body = match *code {
                "" => "<html>".to_owned(),
                _ => format!(r#"[{{"message":"{message}","errorCode":"{code}"}}]"#),
            };
            assert_eq!(
                classify(&answer(*status, &body)),
                *verdict,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn the_use_of_the_days_calls_is_read_from_the_header() {
        let cases = [
            ("api-usage=25/100000", Some(1)),
            ("api-usage=80000/100000", Some(80)),
            ("api-usage=80001/100000", Some(81)),
            (
                "per-app-api-usage=17/250(appName=x), api-usage=5/10",
                Some(50),
            ),
            ("api-usage=5/0", None),
            ("api-usage=x/10", None),
            ("", None),
        ];
        for (header, percent) in cases {
            assert_eq!(used_percent_of(header), percent, "{header}");
        }
    }
}
