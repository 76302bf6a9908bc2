//! The one loop in which a call is tried, judged and tried again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use salesync_core::error::{Class, Code, Error, Result};
use salesync_core::retry::{Budget, MAX_RETRIES, wait_before};
use salesync_core::run::Traffic;
use salesync_core::secret::Secret;
use salesync_core::time::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument as _;

use crate::answer::{Answer, Classify, Verdict};
use crate::auth::{Grant, Login};
use crate::body;
use crate::breaker::Breaker;
use crate::clock::SourceClock;
use crate::origin::Origin;
use crate::pace::Pace;
use crate::request::{Repeat, Request};
use crate::settings::{ClientSettings, LimitClass, Timeouts};

/// The shortest wait after a throttled answer that names none.
const THROTTLE_FLOOR: Duration = Duration::from_secs(1);

/// Sends requests and tries again, without knowing who asks. An authenticator logs in through it.
pub struct Transport {
    name: &'static str,
    http: reqwest::Client,
    origin: Origin,
    timeouts: Timeouts,
    max_body_bytes: usize,
    clock: SourceClock,
    pace: Pace,
    breaker: Breaker,
    budget: Budget,
    places: Semaphore,
    count: Arc<Count>,
}

/// What was sent so far.
#[derive(Debug, Default)]
pub(crate) struct Count {
    requests: AtomicU64,
    retries: AtomicU64,
    bytes: AtomicU64,
    waited_ms: AtomicU64,
}

impl Count {
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.requests.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            waited_ms: self.waited_ms.load(Ordering::Relaxed),
        }
    }

    fn wait(&self, wait: Duration) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.waited_ms.fetch_add(wait_ms, Ordering::Relaxed);
    }
}

/// Status, headers and body of an answer.
type Parts = (u16, HeaderMap, Bytes);

/// Who asks, how its answers are judged, and where it is counted.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) login: Option<&'a Login>,
    /// The limits of this credential alone, beside those of the transport.
    pub(crate) pace: Option<&'a Pace>,
    pub(crate) classify: Classify,
    pub(crate) count: &'a Count,
}

/// What became of one attempt.
enum Attempt<T> {
    Done(T),
    /// The token was refused.
    Stale(Error),
    /// The source asks us to be slower.
    Throttled(Error),
    /// It may heal by itself.
    Failed(Error),
    /// It will not.
    Over(Error),
}

impl Transport {
    /// Returns a transport of its own, for an origin that only logins go to; a client makes its own.
    ///
    /// # Errors
    /// As `Client::new`.
    pub fn new(settings: ClientSettings) -> Result<Self> {
        let origin = Origin::parse(&settings.origin)?;
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            // Retrying happens in one place: here.
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(settings.timeouts.connect)
            .tcp_nodelay(true)
            .user_agent(concat!("salesync/", env!("CARGO_PKG_VERSION")));
        if origin.is_loopback() {
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| Error::new(Code::Internal, "build the HTTP client").because(error))?;
        Ok(Self {
            name: settings.name,
            http,
            origin,
            timeouts: settings.timeouts,
            max_body_bytes: settings.max_body_bytes,
            clock: SourceClock::new(settings.now),
            pace: Pace::new(&settings.limits)?,
            breaker: Breaker::default(),
            budget: Budget::default(),
            places: Semaphore::new(settings.concurrency.max(1)),
            count: Arc::default(),
        })
    }

    /// Sends a request without a token to the configured origin and returns its good answer.
    ///
    /// # Errors
    /// As `Client::send`.
    ///
    /// # Cancel safety
    /// A dropped call is a call that was not answered; nothing else remains of it.
    pub async fn send(&self, request: &Request, classify: Classify) -> Result<Answer> {
        let access = Access {
            login: None,
            pace: None,
            classify,
            count: &self.count,
        };
        self.exchange(request, access, &|answer: &Answer| Ok(answer.clone()))
            .await
    }

    /// Returns the source's clock, as `Client::clock`.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn hold(&self, class: LimitClass, wait: Duration) {
        self.pace.hold(class, wait);
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns what was sent without a stream: logins, checks.
    pub(crate) fn count(&self) -> &Arc<Count> {
        &self.count
    }

    /// Tries a request until it is answered well, is refused for good, or may not be tried again.
    pub(crate) async fn exchange<T>(
        &self,
        request: &Request,
        access: Access<'_>,
        read: &(impl Fn(&Answer) -> Result<T> + Sync),
    ) -> Result<T> {
        let mut stale = 0;
        let mut retry = 0;
        loop {
            let grant = self.grant(access, stale).await?;
            let error = match self.attempt(request, &grant, access, read).await {
                Attempt::Done(value) => {
                    self.breaker.alive();
                    self.budget.earn();
                    return Ok(value);
                }
                Attempt::Over(error) => {
                    self.breaker.alive();
                    return Err(error);
                }
                Attempt::Stale(error) => {
                    self.breaker.alive();
                    if stale > 0 || access.login.is_none() {
                        return Err(error);
                    }
                    stale = grant.number;
                    self.retried(request, access, &error);
                    continue;
                }
                Attempt::Throttled(error) => {
                    let pace = access.pace.unwrap_or(&self.pace);
                    let Some(wait) = self.wait_before(retry, &error) else {
                        pace.hold(request.class, error.retry_after().unwrap_or_default());
                        return Err(error);
                    };
                    pace.hold(request.class, wait);
                    pause(access.count, wait).await;
                    error
                }
                Attempt::Failed(error) => {
                    self.failed();
                    self.breaker.check(request.operation).map_err(|open| {
                        match error.retry_after() {
                            Some(wait) => open.after(wait),
                            None => open,
                        }
                    })?;
                    if request.repeat == Repeat::Never && error.code() != Code::SourceUnreachable {
                        return Err(error);
                    }
                    // An outage that says when it ends is waited for by all, as a throttle is.
                    if let Some(wait) = error.retry_after() {
                        access.pace.unwrap_or(&self.pace).hold(request.class, wait);
                    }
                    let Some(wait) = self.wait_before(retry, &error) else {
                        return Err(error);
                    };
                    pause(access.count, wait).await;
                    error
                }
            };
            retry += 1;
            self.retried(request, access, &error);
        }
    }

    /// Counts a request that is sent again.
    fn retried(&self, request: &Request, access: Access<'_>, error: &Error) {
        access.count.retries.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(
            event = "api_retried",
            api = self.name,
            class = request.class.0,
            operation = request.operation,
            error = %error,
            "trying again"
        );
    }

    /// Counts a failure of the source.
    fn failed(&self) {
        self.breaker.failed();
        if self.breaker.is_open() {
            tracing::debug!(event = "circuit_opened", api = self.name, "circuit opened");
        }
    }

    /// Returns how long to wait before the next attempt, `None` where there is none: the call had all of its
    /// attempts, the run's budget is spent, or the source asks for more than a minute.
    fn wait_before(&self, retry: u32, error: &Error) -> Option<Duration> {
        if retry >= MAX_RETRIES {
            return None;
        }
        let wait = wait_before(retry, error.retry_after())?;
        self.budget.spend().then_some(wait)
    }

    async fn grant(&self, access: Access<'_>, stale: u64) -> Result<Grant> {
        match access.login {
            Some(login) => login.grant(self, stale).await,
            None => Ok(Grant {
                authorization: None,
                origin: self.origin.clone(),
                number: 0,
            }),
        }
    }

    /// Sends the request once and judges the answer.
    async fn attempt<T>(
        &self,
        request: &Request,
        grant: &Grant,
        access: Access<'_>,
        read: &(impl Fn(&Answer) -> Result<T> + Sync),
    ) -> Attempt<T> {
        let span = tracing::debug_span!("call", api = self.name, operation = request.operation);
        let answer = match self.call(request, grant, access).instrument(span).await {
            Ok(answer) => answer,
            Err(error) if error.class() == Class::Retry && error.retry_after().is_none() => {
                return Attempt::Failed(error);
            }
            Err(error) => return Attempt::Over(error),
        };
        if (300..400).contains(&answer.status) {
            return Attempt::Over(answer.error(Code::SourceRedirect));
        }
        let error = |code| match answer.retry_after() {
            Some(wait) => answer.error(code).after(wait),
            None => answer.error(code),
        };
        match (access.classify)(&answer) {
            Verdict::Ok if !body::is_plausible(&answer.body, request.expected) => {
                Attempt::Failed(answer.error(Code::SourceBodyMalformed))
            }
            Verdict::Ok => match read(&answer) {
                Ok(value) => Attempt::Done(value),
                Err(error) if error.class() == Class::Retry => Attempt::Failed(error),
                Err(error) => Attempt::Over(error),
            },
            Verdict::Throttled { wait } => {
                let wait = wait.max(answer.retry_after()).unwrap_or(THROTTLE_FLOOR);
                Attempt::Throttled(answer.error(Code::SourceRateLimited).after(wait))
            }
            Verdict::RefreshToken => Attempt::Stale(answer.error(Code::SourceAuthExpired)),
            Verdict::Transient(code) => Attempt::Failed(error(code)),
            Verdict::RestartFromCursor => Attempt::Over(answer.error(Code::SourceCursorExpired)),
            Verdict::Permanent(code) => Attempt::Over(answer.error(code)),
            Verdict::QuotaExhausted => Attempt::Over(error(Code::SourceQuotaExhausted)),
        }
    }

    /// Makes one call: waits for a place and for the class's turn, sends, and reads the body to its end.
    async fn call(&self, request: &Request, grant: &Grant, access: Access<'_>) -> Result<Answer> {
        let count = access.count;
        let internal = || Error::new(Code::Internal, request.operation);
        // A credential that has to wait for its own limit keeps no place from the others.
        if let Some(own) = access.pace {
            count.wait(own.turn(request.class, request.cost).await?);
        }
        let _place = self.places.acquire().await.map_err(|_| internal())?;
        self.breaker.check(request.operation)?;
        let http_request = self.build(request, grant)?;
        count.wait(self.pace.turn(request.class, request.cost).await?);
        self.breaker.check(request.operation)?;
        count.requests.fetch_add(1, Ordering::Relaxed);

        let timeouts = request.timeouts.unwrap_or(self.timeouts);
        let timed_out =
            |part| Error::new(Code::SourceTimeout, request.operation).with("timeout", part);
        let sent = Instant::now();
        let exchange = async {
            let response = timeout(timeouts.first_byte, self.http.execute(http_request))
                .await
                .map_err(|_| timed_out("first byte"))?
                .map_err(|error| headless(request.operation, error))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            if let Some(date) = headers
                .get(header::DATE)
                .and_then(|date| date.to_str().ok())
            {
                self.clock.note(date);
            }
            let body = body::read(
                response,
                request.operation,
                self.max_body_bytes,
                timeouts.idle,
            )
            .await?;
            Ok((status, headers, body))
        };
        let answered = timeout(timeouts.whole, exchange).await;
        let answered = answered.unwrap_or_else(|_| Err(timed_out("whole call")));
        self.tell(request, sent.elapsed(), &answered);
        let (status, headers, body) = answered?;
        count.bytes.fetch_add(
            u64::try_from(body.len()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
        let answered_at = self.clock.now();
        let sent_at = answered_at.minus(sent.elapsed());
        Ok(Answer {
            operation: request.operation,
            status,
            headers,
            body,
            sent_at,
            answered_at,
        })
    }

    /// Says what came of one call, in a line that metrics are counted from.
    fn tell(&self, request: &Request, took: Duration, answered: &Result<Parts>) {
        let status = match answered {
            Ok((status, _, _)) => status.to_string(),
            Err(error) => error.code().as_str().to_owned(),
        };
        tracing::debug!(
            event = "api_called",
            api = self.name,
            class = request.class.0,
            operation = request.operation,
            status,
            took_secs = took.as_secs_f64(),
            is_open = self.breaker.is_open(),
            "called"
        );
    }

    fn build(&self, request: &Request, grant: &Grant) -> Result<reqwest::Request> {
        let url = grant.origin.resolve(&request.target)?;
        let mut builder = self
            .http
            .request(request.method.clone(), url)
            .header(header::ACCEPT, request.expected.accept());
        if let Some((content_type, body)) = &request.body {
            builder = builder
                .header(header::CONTENT_TYPE, *content_type)
                .body(body.clone());
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        for (name, value) in &request.secret_headers {
            builder = builder.header(name.as_str(), sensitive(value)?);
        }
        if let Some(authorization) = &grant.authorization {
            builder = builder.header(header::AUTHORIZATION, sensitive(authorization)?);
        }
        builder.build().map_err(|error| {
            Error::new(Code::Internal, request.operation).because(error.without_url())
        })
    }
}

/// Returns a secret as the value of a header that nothing shows.
fn sensitive(secret: &Secret) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
        Error::new(Code::ConfigInvalid, "log in").with("rule", "a token is one line of ASCII")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

async fn pause(count: &Count, wait: Duration) {
    count.wait(wait);
    sleep(wait).await;
}

/// Returns the error of a call that got no head of an answer. Only an unreachable source has certainly not
/// seen the request.
fn headless(operation: &'static str, error: reqwest::Error) -> Error {
    let code = match () {
        () if error.is_connect() => Code::SourceUnreachable,
        () if error.is_timeout() => Code::SourceTimeout,
        () => Code::SourceBodyTruncated,
    };
    Error::new(code, operation).because(error.without_url())
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
