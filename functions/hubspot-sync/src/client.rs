//! How HubSpot is asked and how it refuses: login, limits, and the meaning of each answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::{Secret, SecretStore, keep_refresh_token};
use salesync_core::source::SourceSettings;
use salesync_http::{
    Answer, Authenticator, Client, ClientSettings, Limit, LimitClass, Request, Token, Transport,
    Verdict,
};
use serde::Deserialize;

use crate::SOURCE;

/// Everything but search: 190 requests in any ten seconds (a private app on Professional or Enterprise).
pub(crate) const API: LimitClass = LimitClass("api");
/// Search: 5 requests in any second for the whole account, outside of the ten-second limit.
pub(crate) const SEARCH: LimitClass = LimitClass("search");

/// The operation of a listing that goes on from a page token. Only it can be told that its token is unknown.
pub(crate) const GO_ON_LISTING: &str = "go on listing records";

/// Returns the client that all streams share.
pub(crate) fn connect(settings: SourceSettings) -> Result<Client> {
    let mut client = ClientSettings::new("hubspot", settings.base_url, settings.now);
    client.quota_used = used_percent;
    client.limits = vec![
        Limit {
            class: API,
            permitted: 190,
            per: Duration::from_secs(10),
        },
        Limit {
            class: SEARCH,
            permitted: 5,
            per: Duration::from_secs(1),
        },
    ];
    Client::new(
        client,
        Arc::new(Login {
            secrets: settings.secrets,
            used: AtomicBool::new(false),
        }),
        classify,
    )
}

/// Returns how much of the account's requests of a day an answer says is used, in percent, rounded up. Only answers to
/// private apps say it.
fn used_percent(answer: &Answer) -> Option<u64> {
    let number = |name| answer.header(name)?.trim().parse::<u64>().ok();
    let permitted = number("x-hubspot-ratelimit-daily")?;
    let used = permitted.saturating_sub(number("x-hubspot-ratelimit-daily-remaining")?);
    (permitted > 0).then(|| used.saturating_mul(100).div_ceil(permitted))
}

/// The fields of HubSpot's error bodies that say what to do. Any of them can be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    category: Option<String>,
    status: Option<String>,
    #[serde(rename = "policyName")]
    policy_name: Option<String>,
}

/// Says what an answer means.
pub(crate) fn classify(answer: &Answer) -> Verdict {
    let refusal: Refusal = match answer.status {
        200..=299 => return Verdict::Ok,
        500..=599 => return Verdict::Transient(Code::SourceStatus5xx),
        _ => answer.json().unwrap_or_default(),
    };
    match answer.status {
        400 if refusal.status.as_deref() == Some("BAD_REFRESH_TOKEN") => {
            Verdict::Permanent(Code::SourceAuthRevoked)
        }
        400 if answer.operation == GO_ON_LISTING => Verdict::RestartFromCursor,
        401 if refusal.category.as_deref() == Some("INVALID_AUTHENTICATION") => {
            Verdict::Permanent(Code::SourceAuthRevoked)
        }
        401 => Verdict::RefreshToken,
        403 => Verdict::Permanent(Code::SourceForbidden),
        // A record that HubSpot has locked for a moment.
        423 => Verdict::Throttled {
            wait: Some(Duration::from_secs(2)),
        },
        429 => match refusal.policy_name.as_deref() {
            Some("DAILY") => Verdict::QuotaExhausted,
            Some("SECONDLY") => Verdict::Throttled {
                wait: Some(Duration::from_secs(1)),
            },
            Some("TEN_SECONDLY_ROLLING") => Verdict::Throttled {
                wait: Some(Duration::from_secs(10)),
            },
            _ => Verdict::Throttled { wait: None },
        },
        // The account is being moved between HubSpot's data centres; the answer says for how long.
        477 => Verdict::Throttled { wait: None },
        _ => Verdict::Permanent(Code::SourceRefused),
    }
}

/// Says what an answer to a login means: whatever is wrong with the grant, a person must mend it.
fn classify_login(answer: &Answer) -> Verdict {
    match answer.status {
        400 | 401 | 403 => Verdict::Permanent(Code::SourceAuthRevoked),
        _ => classify(answer),
    }
}

/// The secret document: either the first field, or the other three.
#[derive(Deserialize)]
struct Document {
    private_app_token: Option<Secret>,
    client_id: Option<Secret>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
}

/// What a refresh-token grant answers.
#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    refresh_token: Option<Secret>,
    expires_in: u64,
}

/// Logs in with the stored secret.
struct Login {
    secrets: Arc<dyn SecretStore>,
    used: AtomicBool,
}

#[async_trait]
impl Authenticator for Login {
    async fn token(&self, http: &Transport) -> Result<Token> {
        let stored = self.secrets.get(SOURCE.name).await?;
        let document: Document =
            serde_json::from_str(stored.expose()).map_err(|_| wrong_document())?;
        if let Some(token) = &document.private_app_token {
            let token = checked(token)?;
            // A private app's token has no end. Where it is refused, there is nothing to renew.
            if self.used.swap(true, Ordering::Relaxed) {
                return Err(
                    Error::new(Code::SourceAuthRevoked, "log in").with("login", "private app")
                );
            }
            return Ok(Token::bearer(token));
        }
        let (Some(client_id), Some(client_secret), Some(refresh_token)) = (
            &document.client_id,
            &document.client_secret,
            &document.refresh_token,
        ) else {
            return Err(wrong_document());
        };
        let request = Request::post("log in", "/oauth/v1/token", API).form(&[
            ("grant_type", "refresh_token"),
            ("client_id", checked(client_id)?),
            ("client_secret", checked(client_secret)?),
            ("refresh_token", checked(refresh_token)?),
        ]);
        let answer = http.send(&request, classify_login).await?;
        let granted: Granted = answer.json()?;
        if let Some(rotated) = &granted.refresh_token
            && rotated.expose() != refresh_token.expose()
        {
            // Stored before the access token that came with it is used.
            keep_refresh_token(self.secrets.as_ref(), SOURCE.name, &stored, rotated).await?;
        }
        let token = Token::bearer(granted.access_token.expose());
        let expires_at = answer.sent_at.plus(Duration::from_secs(granted.expires_in));
        Ok(Token {
            expires_at: Some(expires_at),
            ..token
        })
    }
}

fn wrong_document() -> Error {
    Error::new(Code::ConfigInvalid, "read a secret")
        .with("secret", SOURCE.name)
        .with(
            "rule",
            "private_app_token, or client_id, client_secret and refresh_token",
        )
}

/// Returns a secret's text, unless it is still what a template put there.
fn checked(secret: &Secret) -> Result<&str> {
    let text = secret.expose().trim();
    let lower = text.to_ascii_lowercase();
    let is_template = [
        "placeholder",
        "changeme",
        "change-me",
        "replace",
        "your-",
        "your_",
        "xxxx",
        "...",
    ];
    if text.is_empty()
        || text.starts_with('<')
        || is_template.iter().any(|sign| lower.contains(sign))
    {
        return Err(
            Error::new(Code::ConfigSecretPlaceholder, "read a secret").with("secret", SOURCE.name)
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use salesync_core::time::Timestamp;

    #[test]
    fn how_much_of_the_day_is_used_is_read_where_an_answer_says_it() {
        for (daily, remaining, expected) in [
            (Some("1000"), Some("1000"), Some(0)),
            (Some("1000"), Some("999"), Some(1)),
            (Some("650000"), Some("0"), Some(100)),
            (Some("0"), Some("0"), None),
            (Some("1000"), Some("soon"), None),
            (Some("1000"), None, None),
            (None, None, None),
        ] {
            let mut answer = Answer {
                operation: "list records",
                status: 200,
                headers: Default::default(),
                body: Default::default(),
                sent_at: Timestamp::EPOCH,
                answered_at: Timestamp::EPOCH,
            };
            for (name, value) in [
                ("x-hubspot-ratelimit-daily", daily),
                ("x-hubspot-ratelimit-daily-remaining", remaining),
            ] {
                if let Some(value) = value {
                    answer.headers.insert(name, value.parse().unwrap());
                }
            }
            assert_eq!(used_percent(&answer), expected, "{daily:?} {remaining:?}");
        }
    }

    #[test]
    fn a_secret_that_was_never_set_is_seen() {
        for text in [
            "",
            " ",
            "PLACEHOLDER",
            "pat-na1-xxxxxxxx",
            "<token>",
            "your-token",
            "changeme",
        ] {
            let error = checked(&Secret::new(text)).unwrap_err();
            assert_eq!(error.code(), Code::ConfigSecretPlaceholder, "{text}");
        }
        assert_eq!(
            checked(&Secret::new(" pat-na1-5a1e \n")).unwrap(),
            "pat-na1-5a1e"
        );
    }
}
