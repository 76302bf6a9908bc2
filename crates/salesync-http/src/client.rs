//! The client that a source's streams share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use salesync_core::error::Result;
use salesync_core::run::Traffic;
use salesync_core::time::Timestamp;

use crate::answer::{Answer, Classify};
use crate::auth::{Authenticator, Login};
use crate::pace::Pace;
use crate::request::Request;
use crate::settings::{ClientSettings, Limit, LimitClass, QuotaUsed};
use crate::transport::{Access, Count, Transport};

/// One credential at one vendor: every call of its streams goes through here. Made once per run.
///
/// [`Client::for_stream`] gives each stream a client of its own that counts apart and shares all else.
pub struct Client {
    shared: Arc<Shared>,
    count: Arc<Count>,
}

/// What the clients of all streams of one credential share.
struct Shared {
    transport: Arc<Transport>,
    login: Login,
    /// The limits of this credential alone.
    pace: Option<Pace>,
    classify: Classify,
    quota_used: QuotaUsed,
    /// How much of the quota the last answer said was used, in percent.
    used_percent: AtomicU64,
}

impl Client {
    /// Returns a client; nothing is sent before the first call.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` where the origin is neither https nor loopback, or a limit permits nothing.
    pub fn new(
        settings: ClientSettings,
        authenticator: Arc<dyn Authenticator>,
        classify: Classify,
    ) -> Result<Self> {
        let quota_used = settings.quota_used;
        let transport = Transport::new(settings)?;
        let count = Arc::clone(transport.count());
        let shared = Shared {
            transport: Arc::new(transport),
            login: Login::new(authenticator),
            pace: None,
            classify,
            quota_used,
            used_percent: AtomicU64::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            count,
        })
    }

    /// Returns a client that counts its own traffic from here on; login, limits, budget, breaker and clock are
    /// one for all.
    #[must_use]
    pub fn for_stream(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            count: Arc::default(),
        }
    }

    /// Returns a client of another credential at the same origin. It has a login and limits of its own;
    /// connections, concurrency, budget, breaker, clock and the limits of this one are one for all.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` where a limit permits nothing.
    pub fn beside(&self, authenticator: Arc<dyn Authenticator>, limits: &[Limit]) -> Result<Self> {
        let shared = Shared {
            transport: Arc::clone(&self.shared.transport),
            login: Login::new(authenticator),
            pace: Some(Pace::new(limits)?),
            classify: self.shared.classify,
            quota_used: self.shared.quota_used,
            used_percent: AtomicU64::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            count: Arc::default(),
        })
    }

    /// Sends a request and returns its good answer: the verdict was `Ok` and the body is what was expected.
    ///
    /// # Errors
    /// The code of the verdict after the attempts that its class allows; `ERR_SOURCE_BREAKER_OPEN` at once
    /// after five failures in a row; for a wait above a minute `ERR_SOURCE_RATE_LIMITED` with that wait.
    ///
    /// # Cancel safety
    /// A dropped call is a call that was not answered; nothing else remains of it.
    pub async fn send(&self, request: &Request) -> Result<Answer> {
        self.read(request, |answer| Ok(answer.clone())).await
    }

    /// Sends a request and returns what `read` makes of its good answer. Where `read` returns an error of class
    /// retry (a page without its records, say), the request is sent again like any other that failed.
    ///
    /// # Errors
    /// As [`Client::send`], and those of `read`.
    ///
    /// # Cancel safety
    /// As [`Client::send`].
    pub async fn read<T: Send>(
        &self,
        request: &Request,
        read: impl Fn(&Answer) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let shared = &*self.shared;
        let access = Access {
            login: Some(&shared.login),
            pace: shared.pace.as_ref(),
            classify: shared.classify,
            count: &self.count,
        };
        let noted = |answer: &Answer| {
            if let Some(percent) = (shared.quota_used)(answer) {
                self.note_quota(percent);
            }
            read(answer)
        };
        shared.transport.exchange(request, access, &noted).await
    }

    /// Holds a whole class of this credential's requests back for `wait`: where an answer that was good as a
    /// whole says so of a part of it.
    pub fn hold(&self, class: LimitClass, wait: Duration) {
        if let Some(pace) = &self.shared.pace {
            pace.hold(class, wait);
        } else {
            self.shared.transport.hold(class, wait);
        }
    }

    /// Makes the target of a request out of a link that the source sent, absolute or relative.
    ///
    /// # Errors
    /// `ERR_SOURCE_FOREIGN_LINK` where it leads to another scheme, host or port than the client talks to.
    pub fn link(&self, link: &str) -> Result<String> {
        self.shared
            .login
            .origin(&self.shared.transport)
            .target_of(link)
    }

    /// Returns the source's clock: the newest `Date` header, carried on by ours. It is never ahead of the
    /// source's own clock, at most about a second and one round trip behind it, and does not go back. Before
    /// the first answer it is the time of the run.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        self.shared.transport.clock()
    }

    /// Returns how much of its quota the source said last that this credential has used, in percent; 0 before it
    /// said anything.
    #[must_use]
    pub fn quota_used_percent(&self) -> u64 {
        self.shared.used_percent.load(Ordering::Relaxed)
    }

    /// Notes how much of the quota is used, for those who ask and for whoever measures it.
    fn note_quota(&self, percent: u64) {
        self.shared.used_percent.store(percent, Ordering::Relaxed);
        tracing::debug!(
            event = "quota_used",
            api = self.shared.transport.name(),
            percent,
            "quota used"
        );
    }

    /// Returns what this client sent so far, retries included; the first one also counts the logins.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.count.traffic()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", self.shared.transport.origin())
            .finish_non_exhaustive()
    }
}
