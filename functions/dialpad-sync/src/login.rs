//! Logs in with the company's API key, or with a refresh token that is replaced each time it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::{Secret, SecretStore, keep_refresh_token};
use salesync_http::{Answer, Authenticator, Request, Token, Transport, Verdict};
use serde::Deserialize;

use crate::client::API;

/// The name that the secret document is kept under.
const SECRET: &str = "dialpad";

/// The secret document: either the first field, or the other three.
#[derive(Deserialize)]
struct Document {
    api_key: Option<Secret>,
    client_id: Option<Secret>,
    client_secret: Option<Secret>,
    refresh_token: Option<Secret>,
}

/// What a refresh-token grant answers.
#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    refresh_token: Option<Secret>,
    expires_in: Option<u64>,
}

/// Logs in with the stored secret.
pub(crate) struct Login {
    secrets: Arc<dyn SecretStore>,
    used: AtomicBool,
}

impl Login {
    pub(crate) fn new(secrets: Arc<dyn SecretStore>) -> Self {
        Self {
            secrets,
            used: AtomicBool::new(false),
        }
    }

    async fn grant(&self, http: &Transport, document: &Document) -> Result<(Secret, Granted)> {
        let (Some(client_id), Some(client_secret), Some(refresh_token)) = (
            &document.client_id,
            &document.client_secret,
            &document.refresh_token,
        ) else {
            return Err(wrong_document());
        };
        let request = Request::post("log in", "/oauth2/token", API).form(&[
            ("grant_type", "refresh_token"),
            ("client_id", client_id.expose()),
            ("client_secret", client_secret.expose()),
            ("refresh_token", refresh_token.expose()),
        ]);
        let granted = http.send(&request, classify).await?.json()?;
        Ok((refresh_token.clone(), granted))
    }
}

#[async_trait]
impl Authenticator for Login {
    async fn token(&self, http: &Transport) -> Result<Token> {
        let mut stored = self.secrets.get(SECRET).await?;
        let mut document = read(&stored)?;
        if let Some(key) = &document.api_key {
            // A key has no end. Where it is refused, there is nothing to renew.
            if self.used.swap(true, Ordering::Relaxed) {
                let error = Error::new(Code::SourceAuthRevoked, "log in");
                return Err(error.with("login", "api key"));
            }
            return Ok(Token::bearer(key.expose().trim()));
        }
        let granted = match self.grant(http, &document).await {
            // Another program may have used the token a moment ago and stored the next one.
            Err(error) if error.code() == Code::SourceAuthRevoked => {
                let now = self.secrets.get(SECRET).await?;
                if now.expose() == stored.expose() {
                    return Err(error);
                }
                stored = now;
                document = read(&stored)?;
                self.grant(http, &document).await?
            }
            granted => granted?,
        };
        let (used, granted) = granted;
        let rotated = granted.refresh_token.as_ref();
        if let Some(rotated) = rotated.filter(|it| it.expose() != used.expose()) {
            // Stored before the access token that came with it is used.
            keep_refresh_token(self.secrets.as_ref(), SECRET, &stored, rotated).await?;
        }
        let expires_in = granted.expires_in.map(Duration::from_secs);
        Ok(Token {
            expires_at: expires_in.map(|expires_in| http.clock().plus(expires_in)),
            ..Token::bearer(granted.access_token.expose())
        })
    }
}

fn read(stored: &Secret) -> Result<Document> {
    serde_json::from_str(stored.expose()).map_err(|_| wrong_document())
}

fn wrong_document() -> Error {
    Error::new(Code::ConfigInvalid, "read a secret")
        .with("secret", SECRET)
        .with(
            "rule",
            "api_key, or client_id, client_secret and refresh_token",
        )
}

/// Says what an answer to a login means: whatever is wrong with the grant, a person must mend it.
fn classify(answer: &Answer) -> Verdict {
    match answer.status {
        400 | 401 | 403 => Verdict::Permanent(Code::SourceAuthRevoked),
        _ => crate::client::classify(answer),
    }
}
