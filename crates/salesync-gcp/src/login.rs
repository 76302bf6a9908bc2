//! Who is asking: Application Default Credentials, or a federation that is described; both are keyless wherever Google or
//! the federation knows the machine.

use std::fmt;

use async_trait::async_trait;
use google_cloud_auth::build_errors::Error as BuilderError;
use google_cloud_auth::credentials::{
    AccessTokenCredentials, Builder, Credentials, external_account,
};
use salesync_core::error::{Code, Error, Result};
use salesync_http::{Authenticator, Token, Transport};
use serde_json::Value;

/// What BigQuery's APIs are asked with.
pub(crate) const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";
const OPERATION: &str = "log in to Google";

/// The description of a federation by which Google knows who asks, as JSON of Google's type `external_account`. It holds
/// no key; its `Debug` says nothing all the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Federation(Value);

impl Federation {
    /// Reads a description; `None` where it is none. What it lacks shows when it is first used.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let description: Value = serde_json::from_str(text).ok()?;
        let is_one = description.get("type")? == "external_account";
        is_one.then_some(Self(description))
    }
}

impl fmt::Debug for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Federation")
    }
}

/// Who asks, where nothing else is said: what `GOOGLE_APPLICATION_CREDENTIALS` names (a file of Workload Identity
/// Federation, say), what `gcloud` has stored, or what the machine's metadata server hands out.
pub(crate) struct DefaultLogin(AccessTokenCredentials);

impl DefaultLogin {
    /// Returns a login for what the scope stands for; nothing is asked yet.
    pub(crate) fn new(scope: &'static str) -> Result<Self> {
        let builder = Builder::default().with_scopes([scope]);
        let credentials = builder.build_access_token_credentials();
        credentials.map(Self).map_err(no_credentials)
    }

    /// Returns the login of BigQuery's APIs: of a federation, where one is described, or the default one.
    pub(crate) fn of_bigquery(federation: Option<&Federation>) -> Result<Self> {
        let Some(Federation(description)) = federation else {
            return Self::new(SCOPE);
        };
        let builder = external_account::Builder::new(description.clone()).with_scopes([SCOPE]);
        let credentials = builder.build_access_token_credentials();
        credentials.map(Self).map_err(no_federation)
    }
}

/// Returns the login of BigQuery's APIs as Google's own clients take it.
///
/// # Errors
/// As [`DefaultLogin::of_bigquery`].
pub(crate) fn credentials_of_bigquery(federation: Option<&Federation>) -> Result<Credentials> {
    match federation {
        None => {
            let credentials = Builder::default().with_scopes([SCOPE]).build();
            credentials.map_err(no_credentials)
        }
        Some(Federation(description)) => {
            let builder = external_account::Builder::new(description.clone());
            let credentials = builder.with_scopes([SCOPE]).build();
            credentials.map_err(no_federation)
        }
    }
}

fn no_credentials(error: BuilderError) -> Error {
    let todo = "run `gcloud auth application-default login`, or name a file in \
                GOOGLE_APPLICATION_CREDENTIALS";
    Error::new(Code::ConfigInvalid, OPERATION)
        .with("no credentials", todo)
        .because(error)
}

/// The description itself is in no error.
fn no_federation(_: BuilderError) -> Error {
    Error::new(Code::ConfigInvalid, OPERATION).with("wrong", "the federation's description")
}

#[async_trait]
impl Authenticator for DefaultLogin {
    async fn token(&self, _: &Transport) -> Result<Token> {
        let token = self.0.access_token().await.map_err(|error| {
            let code = match error.is_transient() {
                true => Code::StoreUnavailable,
                false => Code::ConfigInvalid,
            };
            Error::new(code, OPERATION).because(error)
        })?;
        Ok(Token::bearer(&token.token))
    }
}

/// An emulator asks for nothing.
pub(crate) struct NoLogin;

#[async_trait]
impl Authenticator for NoLogin {
    async fn token(&self, _: &Transport) -> Result<Token> {
        Ok(Token::bearer("emulator"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_federation_is_described_without_a_key_and_shows_nothing() {
        let text = r#"{"type":"external_account","audience":"//iam.example/canary",
            "subject_token_type":"urn:ietf:params:aws:token-type:aws4_request",
            "token_url":"https://sts.googleapis.com/v1/token",
            "service_account_impersonation_url":"https://iam.example/canary:generateAccessToken",
            "credential_source":{"environment_id":"aws1",
            "regional_cred_verification_url":"https://sts.{region}.amazonaws.com?Action=GetCallerIdentity"}}"#;
        let federation = Federation::parse(text).unwrap();
        assert!(!format!("{federation:?}").contains("canary"));
        assert!(DefaultLogin::of_bigquery(Some(&federation)).is_ok());
        for wrong in ["", "{}", r#"{"type":"service_account"}"#, "canary"] {
            assert_eq!(Federation::parse(wrong), None, "{wrong}");
        }
        let lacking = Federation::parse(r#"{"type":"external_account","audience":"canary"}"#);
        let error = DefaultLogin::of_bigquery(lacking.as_ref()).err().unwrap();
        assert_eq!(error.code(), Code::ConfigInvalid);
        assert!(!format!("{error:?}").contains("canary"));
    }
}
