//! Logs in to one mailbox: as a service account that acts for its owner, or with the owner's refresh token.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::{Secret, SecretStore, keep_refresh_token};
use salesync_core::time::Timestamp;
use salesync_http::{
    Answer, Authenticator, ClientSettings, LimitClass, Request, Timeouts, Token, Transport, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::settings::{Settings, TokenUrl};

/// The name that the secret document is kept under.
const SECRET: &str = "gmail";
const LOGIN: LimitClass = LimitClass("login");
/// The longest that an assertion may be good for.
const ASSERTION_LIFE: Duration = Duration::from_secs(3_600);
/// How far in the past an assertion begins: the clock that it is made by is known to the second.
const ASSERTION_SLACK: Duration = Duration::from_secs(5);

/// What all mailboxes' logins share.
pub(crate) struct Logins {
    secrets: Arc<dyn SecretStore>,
    http: Transport,
    token_url: TokenUrl,
    scope: &'static str,
}

impl Logins {
    pub(crate) fn new(
        settings: &Settings,
        secrets: Arc<dyn SecretStore>,
        now: Timestamp,
    ) -> Result<Self> {
        Ok(Self {
            secrets,
            http: Transport::new(ClientSettings::new(
                "gmail_login",
                &settings.token_url.origin,
                now,
            ))?,
            token_url: settings.token_url.clone(),
            scope: settings.bodies.scope(),
        })
    }

    /// Returns whether the secret is one person's own, so that it says by itself whose mailbox is meant.
    pub(crate) async fn is_of_one_person(&self) -> Result<bool> {
        let stored = self.secrets.get(SECRET).await?;
        Ok(matches!(Document::parse(&stored)?, Document::Person(_)))
    }
}

/// The secret document.
enum Document {
    /// A service account's key, as Google hands it out.
    Service(ServiceKey),
    Person(Grant),
}

#[derive(Deserialize)]
struct ServiceKey {
    client_email: String,
    private_key: Secret,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct Grant {
    client_id: Secret,
    client_secret: Secret,
    refresh_token: Secret,
}

impl Document {
    fn parse(stored: &Secret) -> Result<Self> {
        let text = stored.expose();
        if let Ok(key) = serde_json::from_str(text) {
            return Ok(Self::Service(key));
        }
        serde_json::from_str(text).map(Self::Person).map_err(|_| {
            // The parser's own message could quote the secret.
            Error::new(Code::ConfigInvalid, "read a secret")
                .with("secret", SECRET)
                .with(
                    "rule",
                    "a service account's key file, or client_id, client_secret and refresh_token",
                )
        })
    }
}

/// What an assertion says.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

/// The answer to a login.
#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    expires_in: u64,
    refresh_token: Option<Secret>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: String,
    error_description: String,
}

/// The login to one mailbox.
pub(crate) struct Login {
    pub(crate) shared: Arc<Logins>,
    pub(crate) mailbox: String,
}

#[async_trait]
impl Authenticator for Login {
    async fn token(&self, _: &Transport) -> Result<Token> {
        let stored = self.shared.secrets.get(SECRET).await?;
        let granted = match Document::parse(&stored)? {
            Document::Service(key) => match self.assert(&key).await {
                // Our clock was wrong; the refusal told Google's.
                Err(error) if error.code() == Code::SourceAuthExpired => {
                    self.assert(&key).await.map_err(|_| {
                        Error::new(Code::SourceAuthRevoked, "log in")
                            .with("rule", "the clock is right")
                    })?
                }
                granted => granted?,
            },
            Document::Person(grant) => self.refresh(&stored, &grant).await?,
        };
        let expires_at = self
            .shared
            .http
            .clock()
            .plus(Duration::from_secs(granted.expires_in));
        Ok(Token {
            expires_at: Some(expires_at),
            ..Token::bearer(granted.access_token.expose())
        })
    }
}

impl Login {
    /// Asks for a token in the name of the mailbox's owner.
    async fn assert(&self, key: &ServiceKey) -> Result<Granted> {
        let shared = &*self.shared;
        let url = format!("{}{}", shared.token_url.origin, shared.token_url.path);
        let issued = shared.http.clock().minus(ASSERTION_SLACK);
        let claims = Claims {
            iss: &key.client_email,
            sub: &self.mailbox,
            scope: shared.scope,
            aud: key.token_uri.as_deref().unwrap_or(&url),
            iat: issued.secs(),
            exp: issued.plus(ASSERTION_LIFE).secs(),
        };
        let unusable = |_| {
            // The library's own message could quote the key.
            Error::new(Code::ConfigInvalid, "sign a login")
                .with("rule", "private_key is an RSA key in PEM")
        };
        let pem = key.private_key.expose().as_bytes();
        let signer = EncodingKey::from_rsa_pem(pem).map_err(unusable)?;
        let mut header = Header::new(Algorithm::RS256);
        header.kid.clone_from(&key.private_key_id);
        let assertion = jsonwebtoken::encode(&header, &claims, &signer).map_err(unusable)?;
        let request = Request::post("log in", &shared.token_url.path, LOGIN)
            .form(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", &assertion),
            ])
            .timeouts(Timeouts::LOGIN);
        shared.http.send(&request, classify).await?.json()
    }

    /// Asks for a token with the owner's refresh token; a new one is stored before the access token is used.
    async fn refresh(&self, stored: &Secret, grant: &Grant) -> Result<Granted> {
        let shared = &*self.shared;
        let request = Request::post("log in", &shared.token_url.path, LOGIN)
            .form(&[
                ("grant_type", "refresh_token"),
                ("client_id", grant.client_id.expose()),
                ("client_secret", grant.client_secret.expose()),
                ("refresh_token", grant.refresh_token.expose()),
            ])
            .timeouts(Timeouts::LOGIN);
        let granted: Granted = shared.http.send(&request, classify).await?.json()?;
        let rotated = granted.refresh_token.as_ref();
        if let Some(rotated) = rotated.filter(|it| it.expose() != grant.refresh_token.expose()) {
            keep_refresh_token(shared.secrets.as_ref(), SECRET, stored, rotated).await?;
        }
        Ok(granted)
    }
}

/// Says what an answer to a login means.
fn classify(answer: &Answer) -> Verdict {
    let refusal: Refusal = match answer.status {
        200..=299 => return Verdict::Ok,
        429 => return Verdict::Throttled { wait: None },
        500..=599 => return Verdict::Transient(Code::SourceStatus5xx),
        _ => answer.json().unwrap_or_default(),
    };
    let says = |part: &str| refusal.error_description.contains(part);
    Verdict::Permanent(match refusal.error.as_str() {
        "invalid_grant" if says("short-lived token") => Code::SourceAuthExpired,
        // Nobody let us act for this mailbox, or there is none of that name: others are not concerned.
        "unauthorized_client" | "access_denied" => Code::SourceForbidden,
        "invalid_grant" if says("Invalid email or User ID") => Code::SourceForbidden,
        _ => Code::SourceAuthRevoked,
    })
}
