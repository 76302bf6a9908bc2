//! Each rule of the client as a sentence, against a server on loopback.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::Request as Incoming;
use axum::http::Response;
use salesync_core::error::{Code, Error, Result};
use salesync_core::time::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::{
    Answer, Authenticator, Client, ClientSettings, Expected, Limit, LimitClass, Request, Timeouts,
    Token, Transport, Verdict,
};

const CLASS: LimitClass = LimitClass("test");

/// One request that arrived: path with query, `Authorization`, and when.
#[derive(Debug, Clone)]
struct Seen {
    target: String,
    authorization: String,
    at: Instant,
}

/// A server on loopback that answers by a script: the number of the request, and the request.
struct Server {
    origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(
        script: impl Fn(usize, &Seen) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let app = Router::new().fallback(move |request: Incoming| {
            let header = request.headers().get("authorization");
            let authorization = header
                .map(|value| value.to_str().unwrap().to_owned())
                .unwrap_or_default();
            let seen = Seen {
                target: request.uri().to_string(),
                authorization,
                at: Instant::now(),
            };
            let number = {
                let mut log = log.lock().unwrap();
                log.push(seen.clone());
                log.len()
            };
            let response = script(number, &seen);
            async move { response }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { origin, seen }
    }

    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(status: u16, body: &'static str) -> Response<Body> {
    Response::builder()
        .status(status)
        .body(Body::from(body))
        .unwrap()
}

fn with_header(status: u16, name: &'static str, value: impl Into<String>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(name, value.into())
        .body(Body::from("{}"))
        .unwrap()
}

/// Counts its logins; the token is their number.
#[derive(Default)]
struct Logins(AtomicU64);

#[async_trait]
impl Authenticator for Logins {
    async fn token(&self, _: &Transport) -> Result<Token> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Token::bearer(
            &(self.0.fetch_add(1, Ordering::SeqCst) + 1).to_string(),
        ))
    }
}

fn classify(answer: &Answer) -> Verdict {
    match answer.status {
        200..=299 => Verdict::Ok,
        401 => Verdict::RefreshToken,
        402 => Verdict::QuotaExhausted,
        410 => Verdict::RestartFromCursor,
        429 => Verdict::Throttled { wait: None },
        500..=599 => Verdict::Transient(Code::SourceStatus5xx),
        _ => Verdict::Permanent(Code::SourceRefused),
    }
}

fn settings(origin: &str) -> ClientSettings {
    ClientSettings::new("test", origin, Timestamp::EPOCH)
}

fn client(server: &Server) -> Client {
    Client::new(
        settings(&server.origin),
        Arc::new(Logins::default()),
        classify,
    )
    .unwrap()
}

fn get() -> Request {
    Request::get("read a thing", "/thing", CLASS)
}

/// Runs with a clock fifty times as fast as the real one, so that waits are waited for but not sat through.
async fn hurried<T>(work: impl Future<Output = T>) -> T {
    tokio::time::pause();
    let clock = async {
        loop {
            let tick = || std::thread::park_timeout(Duration::from_millis(1));
            tokio::task::spawn_blocking(tick).await.unwrap();
            tokio::time::advance(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        output = work => output,
        () = clock => unreachable!("the clock never stops"),
    }
}

fn code_of<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code()
}

#[tokio::test]
async fn each_verdict_has_its_own_end() {
    let cases = [
        (200, None, 1),
        (301, Some(Code::SourceRedirect), 1),
        (402, Some(Code::SourceQuotaExhausted), 1),
        (404, Some(Code::SourceRefused), 1),
        (410, Some(Code::SourceCursorExpired), 1),
        (401, Some(Code::SourceAuthExpired), 2),
        (429, Some(Code::SourceRateLimited), 4),
        (503, Some(Code::SourceStatus5xx), 4),
    ];
    for (status, code, requests) in cases {
        let server = Server::start(move |_, _| answer(status, "{}")).await;
        let client = client(&server);
        let result = hurried(client.send(&get())).await;
        tokio::time::resume();
        assert_eq!(result.err().map(|error| error.code()), code, "{status}");
        assert_eq!(server.requests(), requests, "{status}");
        assert_eq!(client.traffic().requests, requests as u64, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_, _| answer(200, "{}")).await;
    let location = format!("{}/stolen", elsewhere.origin);
    let server = Server::start(move |_, _| with_header(302, "location", location.clone())).await;
    assert_eq!(
        code_of(client(&server).send(&get()).await),
        Code::SourceRedirect
    );
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn a_link_to_another_host_is_refused_before_anything_is_sent() {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let client = client(&server);
    assert_eq!(
        code_of(client.link("https://evil.example/next")),
        Code::SourceForeignLink
    );
    let request = Request::get("follow", "//evil.example/next", CLASS);
    assert_eq!(
        code_of(client.send(&request).await),
        Code::SourceForeignLink
    );
    let target = client
        .link(&format!("{}/next?after=a%2Fb", server.origin))
        .unwrap();
    client
        .send(&Request::get("follow", target, CLASS).query("limit", "1 0"))
        .await
        .unwrap();
    assert_eq!(server.seen()[0].target, "/next?after=a%2Fb&limit=1+0");
}

#[tokio::test]
async fn a_body_is_counted_decompressed_while_it_comes() {
    let bomb = mebibyte_of_zeros();
    let server = Server::start(move |_, _| {
        Response::builder()
            .header("content-encoding", "gzip")
            .body(Body::from(bomb.clone()))
            .unwrap()
    })
    .await;
    let mut small = settings(&server.origin);
    small.max_body_bytes = 256 * 1024;
    let client = Client::new(small, Arc::new(Logins::default()), classify).unwrap();
    let request = get().expecting(Expected::Anything);
    assert_eq!(
        code_of(client.send(&request).await),
        Code::SourceBodyTooLarge
    );
    assert_eq!(
        server.requests(),
        1,
        "a body that is too large is not asked for again"
    );

    let client = Client::new(
        settings(&server.origin),
        Arc::new(Logins::default()),
        classify,
    )
    .unwrap();
    assert_eq!(client.send(&request).await.unwrap().body.len(), 1 << 20);
    assert_eq!(client.traffic().bytes, 1 << 20);
}

/// Returns one MiB of zeros, gzipped: mostly zeros again, 1,051 bytes.
fn mebibyte_of_zeros() -> Vec<u8> {
    let head =
        b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xed\xc1\x31\x01\0\0\0\xc2\xa0\xf5\x4f\x6d\x08\x5f\xa0";
    let tail = b"\x3e\x03\x1c\xea\x38\xa7\0\0\x10\0";
    head.iter()
        .chain(&[0; 1_016])
        .chain(tail)
        .copied()
        .collect()
}

/// Serves raw bytes to each request, then waits and closes the connection.
async fn raw(bytes: &'static [u8], then_wait: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                // Read whole: closing with unread bytes would reset the connection.
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    assert!(socket.read_buf(&mut request).await.unwrap() > 0);
                }
                socket.write_all(bytes).await.unwrap();
                tokio::time::sleep(then_wait).await;
            });
        }
    });
    origin
}

#[tokio::test]
async fn a_body_that_ends_early_or_is_something_else_is_asked_for_again_and_never_believed() {
    let never = Duration::from_secs(1_000);
    let cases: [(&'static [u8], Duration, Code); 7] = [
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"results\":[",
            Duration::ZERO,
            Code::SourceBodyTruncated,
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
            Duration::ZERO,
            Code::SourceBodyTruncated,
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"results\":[",
            never,
            Code::SourceTimeout,
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            Duration::ZERO,
            Code::SourceBodyMalformed,
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>",
            Duration::ZERO,
            Code::SourceBodyMalformed,
        ),
        (b"", Duration::ZERO, Code::SourceBodyTruncated),
        (b"", never, Code::SourceTimeout),
    ];
    for (bytes, then_wait, code) in cases {
        let origin = raw(bytes, then_wait).await;
        let client = Client::new(settings(&origin), Arc::new(Logins::default()), classify).unwrap();
        let timeouts = Timeouts {
            first_byte: Duration::from_secs(3),
            idle: Duration::from_secs(2),
            ..Timeouts::default()
        };
        let result = hurried(client.send(&get().timeouts(timeouts))).await;
        tokio::time::resume();
        assert_eq!(code_of(result), code, "{}", String::from_utf8_lossy(bytes));
        assert_eq!(client.traffic().requests, 4);
    }
}

#[tokio::test]
async fn what_the_reader_of_a_page_refuses_as_transient_is_asked_for_again() {
    let server = Server::start(|number, _| {
        answer(
            200,
            if number < 3 {
                "{}"
            } else {
                "{\"results\":[1]}"
            },
        )
    })
    .await;
    let client = client(&server);
    #[derive(serde::Deserialize)]
    struct Page {
        results: Vec<u8>,
    }
    let page = hurried(client.read(&get(), |answer| Ok(answer.json::<Page>()?.results))).await;
    assert_eq!(page.unwrap(), [1]);
    assert_eq!((server.requests(), client.traffic().retries), (3, 2));
}

#[tokio::test]
async fn a_request_that_does_work_is_not_sent_again_once_it_may_have_arrived() {
    let server = Server::start(|number, _| answer(if number == 1 { 429 } else { 500 }, "{}")).await;
    let request = Request::post("start", "/start", CLASS).sent_once();
    let result = hurried(client(&server).send(&request)).await;
    assert_eq!(code_of(result), Code::SourceStatus5xx);
    assert_eq!(
        server.requests(),
        2,
        "throttled did no work, the error may have"
    );
}

#[tokio::test]
async fn an_announced_retry_after_is_waited_for_and_holds_back_the_whole_class() {
    let server = Server::start(|number, _| match number {
        1 => with_header(429, "retry-after", "9"),
        _ => answer(200, "{}"),
    })
    .await;
    let mut limited = settings(&server.origin);
    limited.limits.push(Limit {
        class: CLASS,
        permitted: 100,
        per: Duration::from_secs(1),
    });
    let client = Client::new(limited, Arc::new(Logins::default()), classify).unwrap();
    let (first, second) = hurried(async {
        let later = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            client.send(&get()).await
        };
        tokio::join!(async { client.send(&get()).await }, later)
    })
    .await;
    assert!(first.is_ok() && second.is_ok());
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    for later in &seen[1..] {
        assert!(later.at.duration_since(seen[0].at) >= Duration::from_secs(9));
    }
    assert!(client.traffic().waited_ms >= 9_000);
}

#[tokio::test]
async fn a_wait_above_a_minute_ends_the_run_with_that_wait() {
    for (status, code) in [(429, Code::SourceRateLimited), (503, Code::SourceStatus5xx)] {
        let server = Server::start(move |_, _| with_header(status, "retry-after", "3600")).await;
        let error = client(&server).send(&get()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.retry_after()),
            (code, Some(Duration::from_secs(3_600)))
        );
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn one_login_serves_all_calls_and_one_refresh_all_that_were_refused() {
    let server = Server::start(|_, seen| match seen.authorization.as_str() {
        "Bearer 2" => answer(200, "{}"),
        _ => answer(401, "{}"),
    })
    .await;
    let logins = Arc::new(Logins::default());
    let client = Client::new(settings(&server.origin), logins.clone(), classify).unwrap();
    let calls = futures::future::join_all((0..6).map(async |_| client.send(&get()).await)).await;
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(logins.0.load(Ordering::SeqCst), 2);
}

/// Refuses every login.
#[derive(Default)]
struct Revoked(AtomicU64);

#[async_trait]
impl Authenticator for Revoked {
    async fn token(&self, _: &Transport) -> Result<Token> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(Error::new(Code::SourceAuthRevoked, "log in"))
    }
}

#[tokio::test]
async fn a_revoked_login_is_not_tried_again() {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let revoked = Arc::new(Revoked::default());
    let client = Client::new(settings(&server.origin), revoked.clone(), classify).unwrap();
    for _ in 0..3 {
        assert_eq!(code_of(client.send(&get()).await), Code::SourceAuthRevoked);
    }
    assert_eq!(
        (server.requests(), revoked.0.load(Ordering::SeqCst)),
        (0, 1)
    );
}

/// Logs in elsewhere than it reads.
struct Elsewhere(String, Option<Timestamp>);

#[async_trait]
impl Authenticator for Elsewhere {
    async fn token(&self, http: &Transport) -> Result<Token> {
        http.send(
            &Request::post("log in", "/token", CLASS).form(&[("grant", "a b")]),
            classify,
        )
        .await?;
        let token = Token::bearer("t");
        Ok(Token {
            origin: Some(self.0.clone()),
            expires_at: self.1,
            ..token
        })
    }
}

#[tokio::test]
async fn calls_go_where_the_login_says_and_links_are_judged_by_that() {
    let login = Server::start(|_, _| answer(200, "{}")).await;
    let api = Server::start(|_, _| answer(200, "{}")).await;
    let authenticator = Arc::new(Elsewhere(api.origin.clone(), None));
    let client = Client::new(settings(&login.origin), authenticator, classify).unwrap();
    client.send(&get()).await.unwrap();
    assert_eq!((login.requests(), api.requests()), (1, 1));
    assert_eq!(
        login.seen()[0].authorization,
        "",
        "a login carries no token"
    );
    assert!(client.link(&format!("{}/next", api.origin)).is_ok());
    assert_eq!(
        code_of(client.link(&format!("{}/next", login.origin))),
        Code::SourceForeignLink
    );

    let authenticator = Arc::new(Elsewhere("https://evil.example".to_owned(), None));
    let client = Client::new(settings(&login.origin), authenticator, classify).unwrap();
    assert_eq!(code_of(client.send(&get()).await), Code::SourceForeignLink);
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_renewed_before_it_is_refused() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let server = Server::start(move |_, _| with_header(200, "date", date)).await;
    let ends = Timestamp::from_millis(784_111_777_000).plus(Duration::from_secs(1_800));
    let authenticator = Arc::new(Elsewhere(server.origin.clone(), Some(ends)));
    let client = Client::new(settings(&server.origin), authenticator, classify).unwrap();
    client.send(&get()).await.unwrap();
    client.send(&get()).await.unwrap();
    assert_eq!(server.requests(), 3, "one login, two calls");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1_741)).await;
    tokio::time::resume();
    client.send(&get()).await.unwrap();
    assert_eq!(server.requests(), 5, "one more login, one more call");
}

#[tokio::test]
async fn a_total_outage_costs_at_most_twelve_calls_however_many_are_wanted() {
    let server = Server::start(|_, _| answer(503, "<html>")).await;
    let client = client(&server);
    let wanted = (0..40).map(async |_| client.send(&get()).await);
    let results = hurried(futures::future::join_all(wanted)).await;
    assert!(results.iter().all(Result::is_err));
    assert!(server.requests() <= 12, "{}", server.requests());
    assert_eq!(code_of(client.send(&get()).await), Code::SourceBreakerOpen);
    assert!(server.requests() <= 12);
}

#[tokio::test]
async fn the_budget_bounds_the_retries_of_a_run() {
    // Every second answer fails, so the breaker never opens: only the budget ends it.
    let server =
        Server::start(|number, _| answer(if number % 2 == 1 { 503 } else { 200 }, "{}")).await;
    let client = client(&server);
    let good = hurried(async {
        let mut good = 0;
        while client.send(&get()).await.is_ok() {
            good += 1;
        }
        good
    })
    .await;
    assert_eq!(
        good, 11,
        "ten retries, and one more for ten calls that went well"
    );
    assert_eq!(client.traffic().retries, 11);
}

#[tokio::test]
async fn errors_and_debug_forms_hold_no_query_no_body_and_no_token() {
    let server = Server::start(|_, _| answer(404, "{\"email\":\"canary\"}")).await;
    let request = Request::get("read", "/people", CLASS)
        .query("email", "canary")
        .header("x-key", "canary");
    let client = client(&server);
    let error = client.send(&request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ERR_SOURCE_REFUSED: read (status: 404, bytes: 18)"
    );
    for text in [
        format!("{error:?}"),
        format!("{request:?}"),
        format!("{client:?}"),
        format!("{:?}", Token::bearer("canary")),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
    let closed = Client::new(
        settings("http://127.0.0.1:9"),
        Arc::new(Logins::default()),
        classify,
    )
    .unwrap();
    let error = hurried(closed.send(&request)).await.unwrap_err();
    assert_eq!(error.code(), Code::SourceUnreachable);
    assert!(!format!("{error:?}").contains("canary"));
}

#[tokio::test]
async fn the_time_of_an_answer_is_the_sources() {
    let server =
        Server::start(|_, _| with_header(200, "date", "Sun, 06 Nov 1994 08:49:37 GMT")).await;
    let client = client(&server);
    assert_eq!(client.clock(), Timestamp::EPOCH);
    let answer = client.send(&get()).await.unwrap();
    let date = Timestamp::from_millis(784_111_777_000);
    assert!(answer.sent_at <= date && date.since(answer.sent_at) < Duration::from_secs(2));
    assert!(client.clock() >= date);
}

#[tokio::test]
async fn a_plain_http_origin_is_refused_unless_it_is_loopback() {
    let refused = Client::new(
        settings("http://api.example.com"),
        Arc::new(Logins::default()),
        classify,
    );
    assert_eq!(code_of(refused), Code::ConfigInvalid);
}
