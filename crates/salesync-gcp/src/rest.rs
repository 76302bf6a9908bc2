//! Google's plain REST APIs, beside BigQuery's: who asks them, and what a refusal means to whoever asked.

use std::sync::Arc;

use salesync_core::error::{Code, Error, Result};
use salesync_core::time::Timestamp;
use salesync_http::{Answer, Authenticator, Client, ClientSettings, LimitClass, Request, Verdict};

use crate::login::{DefaultLogin, NoLogin};

/// Both APIs permit far more than a run asks; what is too much is said by status 429.
pub(crate) const REST: LimitClass = LimitClass("rest");
/// The largest message is 10 MB, a third more as base64.
const BODY_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Where an API of Google's is, and what a login there is for.
pub(crate) struct Service {
    /// What logs and metrics call it.
    pub(crate) name: &'static str,
    pub(crate) origin: &'static str,
    pub(crate) scope: &'static str,
}

impl Service {
    /// Returns a client of the service, or of what stands in for it, which is asked without a login.
    pub(crate) fn client(&self, stand_in: Option<&str>, now: Timestamp) -> Result<Client> {
        let origin = stand_in.unwrap_or(self.origin);
        let mut settings = ClientSettings::new(self.name, origin, now);
        settings.max_body_bytes = BODY_MAX_BYTES;
        let login: Arc<dyn Authenticator> = match stand_in {
            None => Arc::new(DefaultLogin::new(self.scope)?),
            Some(_) => Arc::new(NoLogin),
        };
        Client::new(settings, login, classify)
    }
}

/// Says what an answer means. What is refused for good is an answer too: whoever asked knows what it was about.
fn classify(answer: &Answer) -> Verdict {
    match answer.status {
        200..=299 | 400 | 403 | 404 | 409 | 412 => Verdict::Ok,
        401 => Verdict::RefreshToken,
        408 | 429 => Verdict::Throttled { wait: None },
        500..=599 => Verdict::Transient(Code::SourceStatus5xx),
        _ => Verdict::Permanent(Code::SourceRefused),
    }
}

/// Asks, and says what went wrong with the words of a store: it is tried again later, or a login needs a person.
pub(crate) async fn ask(
    http: &Client,
    request: &Request,
    operation: &'static str,
) -> Result<Answer> {
    http.send(request).await.map_err(|error| {
        let code = match error.code() {
            Code::SourceUnreachable
            | Code::SourceTimeout
            | Code::SourceStatus5xx
            | Code::SourceRateLimited
            | Code::SourceBodyTruncated
            | Code::SourceBodyMalformed
            | Code::SourceBreakerOpen => Code::StoreUnavailable,
            Code::SourceAuthExpired => Code::ConfigInvalid,
            other => other,
        };
        let wait = error.retry_after();
        let failed = Error::new(code, operation).because(error);
        match wait {
            Some(wait) => failed.after(wait),
            None => failed,
        }
    })
}

/// Returns an answer that is good. A refusal is told by its status and what was asked for, never by its message, which
/// may quote values.
pub(crate) fn good<'a>(answer: &'a Answer, asked_for: &str) -> Result<&'a Answer> {
    let refused = |code, what| Err(Error::new(code, answer.operation).with(what, asked_for));
    match answer.status {
        200..=299 => Ok(answer),
        403 => refused(Code::SourceForbidden, "no permission for"),
        404 => refused(Code::ConfigInvalid, "there is no"),
        status => Err(Error::new(Code::SourceRefused, answer.operation)
            .with("status", status)
            .with("asked for", asked_for)),
    }
}
