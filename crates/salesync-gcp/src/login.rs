//! Who is asking: Application Default Credentials, which are keyless wherever Google or a federation knows the machine.

use async_trait::async_trait;
use google_cloud_auth::credentials::{AccessTokenCredentials, Builder};
use salesync_core::error::{Code, Error, Result};
use salesync_http::{Authenticator, Token, Transport};

/// What BigQuery's APIs are asked with.
pub(crate) const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";
const OPERATION: &str = "log in to Google";

/// Application Default Credentials: what `GOOGLE_APPLICATION_CREDENTIALS` names (a file of Workload Identity
/// Federation, say), what `gcloud` has stored, or what the machine's metadata server hands out.
pub(crate) struct DefaultLogin(AccessTokenCredentials);

impl DefaultLogin {
    /// Returns a login for what the scope stands for; nothing is asked yet.
    pub(crate) fn new(scope: &'static str) -> Result<Self> {
        let builder = Builder::default().with_scopes([scope]);
        let credentials = builder.build_access_token_credentials().map_err(|error| {
            let todo = "run `gcloud auth application-default login`, or name a file in \
                        GOOGLE_APPLICATION_CREDENTIALS";
            Error::new(Code::ConfigInvalid, OPERATION)
                .with("no credentials", todo)
                .because(error)
        })?;
        Ok(Self(credentials))
    }
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
