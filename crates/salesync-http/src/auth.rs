//! Who is asking: one login for all calls, and one more when the source says that it has expired.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::error::{Class, Code, Error, Result};
use salesync_core::secret::Secret;
use salesync_core::time::Timestamp;
use tokio::sync::Mutex;

use crate::origin::Origin;
use crate::transport::Transport;

/// How long before its end a token is no longer used.
const SPARE: Duration = Duration::from_secs(60);

/// What a login yields.
#[derive(Debug, Clone)]
pub struct Token {
    /// The value of the `Authorization` header.
    pub header: Secret,
    /// The origin that later calls go to, where it is not the configured one (Salesforce's `instance_url`).
    /// The client takes only an origin over https, or, where the configured one is loopback, a loopback one;
    /// that the host belongs to the vendor is for the authenticator to check.
    pub origin: Option<String>,
    /// When it ends, by the source's clock, where the source says so.
    pub expires_at: Option<Timestamp>,
}

impl Token {
    /// Returns a bearer token that has no known end.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self {
            header: Secret::new(format!("Bearer {token}")),
            origin: None,
            expires_at: None,
        }
    }
}

/// Logs in at a vendor.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Returns a token. Called before the first request, again when the token is about to end, and once more
    /// after a `RefreshToken` verdict; never twice at one time, however many calls wait for it.
    ///
    /// `http` sends requests without a token to the configured origin, with the same limits and retries.
    ///
    /// # Errors
    /// `ERR_SOURCE_AUTH_REVOKED` where a person must log in anew. An error of class decide is remembered:
    /// the client does not log in again after it.
    ///
    /// # Cancel safety
    /// A dropped login leaves the client without a token; the next call logs in.
    async fn token(&self, http: &Transport) -> Result<Token>;
}

/// What a request is sent with.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) authorization: Option<Secret>,
    pub(crate) origin: Origin,
    pub(crate) number: u64,
}

/// The state of the one login.
enum Held {
    Nothing,
    Token {
        grant: Grant,
        use_until: Option<Timestamp>,
    },
    Refused(Code),
}

/// One login that all calls of a client share.
pub(crate) struct Login {
    authenticator: Arc<dyn Authenticator>,
    held: Mutex<Held>,
    origin: RwLock<Option<Origin>>,
}

impl Login {
    pub(crate) fn new(authenticator: Arc<dyn Authenticator>) -> Self {
        Self {
            authenticator,
            held: Mutex::new(Held::Nothing),
            origin: RwLock::default(),
        }
    }

    /// Returns a grant newer than number `stale` (0: any). Who comes first logs in, the others wait for it.
    pub(crate) async fn grant(&self, transport: &Transport, stale: u64) -> Result<Grant> {
        let mut held = self.held.lock().await;
        let number = match &*held {
            Held::Refused(code) => {
                return Err(Error::new(*code, "log in").with("refused", "before"));
            }
            Held::Token { grant, use_until } => {
                let ended = use_until.is_some_and(|end| transport.clock() >= end);
                if grant.number > stale && !ended {
                    return Ok(grant.clone());
                }
                grant.number + 1
            }
            Held::Nothing => 1,
        };
        let token = match self.authenticator.token(transport).await {
            Ok(token) => token,
            Err(error) => {
                if error.class() == Class::Decide {
                    *held = Held::Refused(error.code());
                }
                return Err(error);
            }
        };
        let origin = match &token.origin {
            Some(text) => transport.origin().sibling(text)?,
            None => transport.origin().clone(),
        };
        *self.origin.write().unwrap_or_else(PoisonError::into_inner) = Some(origin.clone());
        let grant = Grant {
            authorization: Some(token.header),
            origin,
            number,
        };
        // A token that lasts hardly longer than the spare time is still used for a while.
        let soonest = transport.clock().plus(SPARE);
        let use_until = token.expires_at.map(|end| end.minus(SPARE).max(soonest));
        *held = Held::Token {
            grant: grant.clone(),
            use_until,
        };
        Ok(grant)
    }

    /// Returns the origin that calls go to now.
    pub(crate) fn origin(&self, transport: &Transport) -> Origin {
        let known = self.origin.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().unwrap_or(transport.origin()).clone()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}
