//! How Dialpad is asked and how it refuses: limits, and the meaning of each answer. Dialpad publishes no error
//! bodies, so only the status says anything.

use std::sync::Arc;
use std::time::Duration;

use salesync_core::error::{Code, Result};
use salesync_core::source::SourceSettings;
use salesync_http::{Answer, Client, ClientSettings, Limit, LimitClass, Verdict};

use crate::login::Login;

/// 20 requests a second for the whole company.
pub(crate) const API: LimitClass = LimitClass("api");
/// 10 requests for one call a minute.
pub(crate) const CALL: LimitClass = LimitClass("call");

/// The operation of a listing that goes on from a cursor: it can be told that its cursor is unknown.
pub(crate) const GO_ON: &str = "go on listing";
/// The operation of asking for something by id that may not be there.
pub(crate) const LOOK_UP: &str = "look up by id";

/// Returns the client that all streams share.
pub(crate) fn connect(settings: &SourceSettings) -> Result<Client> {
    let mut client = ClientSettings::new("dialpad", &settings.base_url, settings.now);
    let limit = |class, permitted, secs| Limit {
        class,
        permitted,
        per: Duration::from_secs(secs),
    };
    // Exports are limited to 200 an hour: a run asks for a few, which would only wait for each other.
    client.limits = vec![limit(API, 20, 1), limit(CALL, 10, 60)];
    let login = Login::new(Arc::clone(&settings.secrets));
    Client::new(client, Arc::new(login), classify)
}

/// Says what an answer means.
pub(crate) fn classify(answer: &Answer) -> Verdict {
    match answer.status {
        200..=299 => Verdict::Ok,
        // That it is not there is an answer.
        404 if answer.operation == LOOK_UP => Verdict::Ok,
        400 if answer.operation == GO_ON => Verdict::RestartFromCursor,
        401 => Verdict::RefreshToken,
        403 => Verdict::Permanent(Code::SourceForbidden),
        408 | 429 => Verdict::Throttled { wait: None },
        500..=599 => Verdict::Transient(Code::SourceStatus5xx),
        _ => Verdict::Permanent(Code::SourceRefused),
    }
}
