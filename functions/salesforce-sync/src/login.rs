//! The three logins, each chosen by what the secret document holds. What a login answers is believed only
//! where it leads to one of the vendor's hosts, and a rotated refresh token is stored before it is used.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::{Secret, SecretStore};
use salesync_core::time::Timestamp;
use salesync_http::{
    Answer, Authenticator, LimitClass, Request, Timeouts, Token, Transport, Verdict,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::credentials::{self, Credentials};

/// The name that the secret document is kept under.
pub(crate) const SECRET: &str = "salesforce";
const TOKEN_PATH: &str = "/services/oauth2/token";
const LOGIN: LimitClass = LimitClass("login");
/// How long an assertion is good for, which is what the vendor's own examples take.
const ASSERTION_LIFE: Duration = Duration::from_secs(3 * 60);
/// How long to wait where a user has logged in too often: the vendor counts by the hour.
const LOGIN_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Domains whose hosts an instance may live on.
const VENDOR_DOMAINS: [&str; 4] = [
    ".salesforce.com",
    ".force.com",
    ".salesforce.mil",
    ".cloudforce.com",
];

/// Logs in with whatever the secret holds at that time.
pub(crate) struct Login {
    base: Url,
    secrets: Arc<dyn SecretStore>,
}

/// The answer to a login.
#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    instance_url: String,
    refresh_token: Option<Secret>,
}

/// What an assertion says.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: String,
    exp: i64,
}

impl Login {
    /// Returns the login at `base_url` with the secret out of `secrets`.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] where the base URL is none.
    pub(crate) fn new(base_url: &str, secrets: Arc<dyn SecretStore>) -> Result<Self> {
        let base = Url::parse(base_url).map_err(|_| {
            Error::new(Code::ConfigInvalid, "read a base URL").with("source", SECRET)
        })?;
        Ok(Self { base, secrets })
    }

    /// Logs in once with this secret.
    async fn grant(&self, http: &Transport, secret: &Secret) -> Result<Granted> {
        let credentials = Credentials::parse(secret)?;
        let request = self
            .request(&credentials, http.clock())?
            .timeouts(Timeouts::LOGIN);
        http.send(&request, classify).await?.json()
    }

    fn request(&self, credentials: &Credentials, now: Timestamp) -> Result<Request> {
        let request = Request::post("log in", TOKEN_PATH, LOGIN);
        Ok(match credentials {
            Credentials::Client {
                client_id,
                client_secret,
            } => request.form(&[
                ("grant_type", "client_credentials"),
                ("client_id", client_id.expose()),
                ("client_secret", client_secret.expose()),
            ]),
            Credentials::Refresh {
                client_id,
                client_secret,
                refresh_token,
            } => request.form(&[
                ("grant_type", "refresh_token"),
                ("client_id", client_id.expose()),
                ("client_secret", client_secret.expose()),
                ("refresh_token", refresh_token.expose()),
            ]),
            Credentials::Assertion {
                client_id,
                username,
                private_key_pem,
            } => {
                let claims = self.claims(client_id, username, now);
                request.form(&[
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", assertion(&claims, private_key_pem)?.expose()),
                ])
            }
        })
    }

    fn claims<'a>(
        &self,
        client_id: &'a Secret,
        username: &'a Secret,
        now: Timestamp,
    ) -> Claims<'a> {
        Claims {
            iss: client_id.expose(),
            sub: username.expose(),
            aud: self.base.origin().ascii_serialization(),
            exp: now.plus(ASSERTION_LIFE).secs(),
        }
    }

    /// Stores a rotated refresh token; says false where somebody else has changed the secret meanwhile.
    async fn keep(&self, old: &Secret, granted: &Granted) -> Result<bool> {
        let Some(refresh_token) = &granted.refresh_token else {
            return Ok(true);
        };
        match credentials::rotated(old, refresh_token)? {
            Some(new) => self.secrets.put_if_unchanged(SECRET, old, &new).await,
            None => Ok(true),
        }
    }
}

#[async_trait]
impl Authenticator for Login {
    async fn token(&self, http: &Transport) -> Result<Token> {
        let mut secret = self.secrets.get(SECRET).await?;
        let mut error = Error::new(Code::SourceAuthExpired, "log in")
            .with("reason", "the secret keeps changing");
        // Another run may rotate the refresh token at the same time: then its token is the one that lives.
        for _ in 0..3 {
            match self.grant(http, &secret).await {
                Ok(granted) => {
                    let origin = instance_origin(&granted.instance_url, &self.base)?;
                    if self.keep(&secret, &granted).await? {
                        let token = Token::bearer(granted.access_token.expose());
                        return Ok(Token {
                            origin: Some(origin),
                            ..token
                        });
                    }
                }
                Err(refused) if refused.code() == Code::SourceAuthRevoked => error = refused,
                Err(other) => return Err(other),
            }
            let now = self.secrets.get(SECRET).await?;
            if now.expose() == secret.expose() {
                break;
            }
            secret = now;
        }
        Err(error)
    }
}

/// Signs an assertion.
fn assertion(claims: &Claims<'_>, private_key_pem: &Secret) -> Result<Secret> {
    // The library's error could quote the key, so it is not the cause.
    let invalid = || {
        Error::new(Code::ConfigInvalid, "read a secret")
            .with("secret", SECRET)
            .with("field", "private_key_pem")
    };
    // Environment variables and some secret stores keep line ends as two characters.
    let pem = private_key_pem.expose().replace("\\n", "\n");
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| invalid())?;
    let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key)
        .map_err(|_| invalid())?;
    Ok(Secret::new(token))
}

/// Returns the origin of the organisation's instance, where that is the vendor's or the configured one.
fn instance_origin(instance_url: &str, base: &Url) -> Result<String> {
    let foreign = || Error::new(Code::SourceForeignLink, "read the instance's URL");
    let url = Url::parse(instance_url).map_err(|_| foreign())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(foreign());
    }
    let host = url.host_str().unwrap_or_default();
    let of_vendor = url.scheme() == "https"
        && url.port().is_none()
        && VENDOR_DOMAINS.iter().any(|domain| host.ends_with(domain));
    if of_vendor || url.origin() == base.origin() {
        return Ok(url.origin().ascii_serialization());
    }
    Err(foreign())
}

/// The body of a refused login.
#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Decides what the answer to a login means: nearly every refusal needs a person.
fn classify(answer: &Answer) -> Verdict {
    let refusal: Option<OAuthError> = serde_json::from_slice(&answer.body).ok();
    match (answer.status, refusal) {
        (200..=299, _) => Verdict::Ok,
        (429, _) => Verdict::Throttled { wait: None },
        (408 | 500.., _) => Verdict::Transient(Code::SourceStatus5xx),
        (_, Some(refusal))
            if refusal
                .error_description
                .to_lowercase()
                .contains("login rate exceeded") =>
        {
            Verdict::Throttled {
                wait: Some(LOGIN_PAUSE),
            }
        }
        (_, Some(refusal)) => match refusal.error.as_str() {
            "server_error" | "temporarily_unavailable" | "unknown_error" => {
                Verdict::Transient(Code::SourceStatus5xx)
            }
            _ => Verdict::Permanent(Code::SourceAuthRevoked),
        },
        (400 | 401 | 403, None) => Verdict::Permanent(Code::SourceAuthRevoked),
        (_, None) => Verdict::Permanent(Code::SourceRefused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::tests::answer;

    #[test]
    fn an_instance_is_one_of_the_vendors_hosts_or_the_configured_one() {
        let cases = [
            (
                "https://acme.my.salesforce.com",
                Some("https://acme.my.salesforce.com"),
            ),
            (
                "https://na1.salesforce.com/",
                Some("https://na1.salesforce.com"),
            ),
            ("https://acme.force.com", Some("https://acme.force.com")),
            (
                "https://acme.my.salesforce.mil",
                Some("https://acme.my.salesforce.mil"),
            ),
            (
                "https://acme.cloudforce.com",
                Some("https://acme.cloudforce.com"),
            ),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://127.0.0.1:8081", None),
            ("http://acme.my.salesforce.com", None),
            ("https://acme.my.salesforce.com:8443", None),
            ("https://salesforce.com.evil.example", None),
            ("https://evilsalesforce.com", None),
            ("https://user@acme.my.salesforce.com", None),
            ("https://evil.example/.salesforce.com", None),
            ("evil", None),
            ("", None),
        ];
        let base = Url::parse("http://127.0.0.1:8080").unwrap();
        for (url, expected) in cases {
            let found = instance_origin(url, &base);
            match expected {
                Some(origin) => assert_eq!(found.unwrap(), origin),
                None => assert_eq!(found.unwrap_err().code(), Code::SourceForeignLink, "{url}"),
            }
        }
    }

    #[test]
    fn a_refused_login_needs_a_person_unless_it_says_otherwise() {
        let body = |error: &str, text: &str| {
            format!(r#"{{"error":"{error}","error_description":"{text}"}}"#)
        };
        let revoked = Verdict::Permanent(Code::SourceAuthRevoked);
        let transient = Verdict::Transient(Code::SourceStatus5xx);
        let cases = [
            (200, String::new(), Verdict::Ok),
            (
                400,
                body("invalid_grant", "expired access/refresh token"),
                revoked,
            ),
            (
                400,
                body("invalid_grant", "user hasn't approved this consumer"),
                revoked,
            ),
            (
                400,
                body("invalid_client_id", "client identifier invalid"),
                revoked,
            ),
            (
                401,
                body("invalid_client", "invalid client credentials"),
                revoked,
            ),
            (400, body("unsupported_grant_type", "x"), revoked),
            (
                400,
                body("invalid_grant", "login rate exceeded"),
                Verdict::Throttled {
                    wait: Some(LOGIN_PAUSE),
                },
            ),
            (400, body("unknown_error", "retry your request"), transient),
            (503, "<html>".to_owned(), transient),
            (
                404,
                "<html>".to_owned(),
                Verdict::Permanent(Code::SourceRefused),
            ),
        ];
        for (status, body, verdict) in cases {
            assert_eq!(classify(&answer(status, &body)), verdict, "{status} {body}");
        }
    }

    #[test]
    fn a_key_that_is_none_is_named_and_never_shown() {
        let claims = Claims {
            iss: "a",
            sub: "b",
            aud: "c".to_owned(),
            exp: 1,
        };
        let error = assertion(&claims, &Secret::new("hunter2")).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
        assert!(error.to_string().contains("private_key_pem"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    /// A key that was made for this test; its frame is added here so that no scanner takes it for a secret.
    fn test_key() -> String {
        let body = include_str!("../fixtures/login/test_only_key.txt");
        format!(
            "-----BEGIN {0}-----\n{body}-----END {0}-----\n",
            "PRIVATE KEY"
        )
    }

    #[test]
    fn an_assertion_names_app_user_and_login_host_and_lives_three_minutes() {
        let store = Arc::new(salesync_core::memory::MemorySecretStore::default());
        let login = Login::new("https://test.salesforce.com/", store).unwrap();
        let now = Timestamp::from_millis(1_790_858_096_000);
        let public = include_bytes!("../fixtures/login/test_only_public.pem");
        let public = jsonwebtoken::DecodingKey::from_rsa_pem(public).unwrap();
        let mut checks = jsonwebtoken::Validation::new(Algorithm::RS256);
        checks.set_audience(&["https://test.salesforce.com"]);
        checks.validate_exp = false;
        // Some stores keep the ends of lines as two characters.
        for pem in [test_key(), test_key().replace('\n', "\\n")] {
            let (app, user) = (Secret::new("app"), Secret::new("user@example.org"));
            let claims = login.claims(&app, &user, now);
            let token = assertion(&claims, &Secret::new(pem)).unwrap();
            let read = jsonwebtoken::decode::<serde_json::Value>(token.expose(), &public, &checks)
                .unwrap();
            let expected = serde_json::json!({
                "iss": "app", "sub": "user@example.org", "aud": "https://test.salesforce.com",
                "exp": now.secs() + 180,
            });
            assert_eq!(read.claims, expected);
        }
    }
}
