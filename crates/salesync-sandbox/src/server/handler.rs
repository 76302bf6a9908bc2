//! From the socket to the vendor's side and back.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures::StreamExt as _;

use super::{Answer, Asked, Fault, RequestSeen, bomb};
use crate::{Vendor, World, dialpad, gmail, hubspot, salesforce};

/// Where a foreign paging link leads.
const FOREIGN_ORIGIN: &str = "https://elsewhere.example";
const BODY_MAX: usize = 64 * 1024 * 1024;
/// How long the first part of a truncated answer has to leave before the connection is cut.
const FLUSH_PAUSE: Duration = Duration::from_millis(20);

/// What every request needs.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// The world that is asked.
    pub(crate) world: World,
    /// This server's origin.
    pub(crate) origin: String,
    /// Added to each answer.
    pub(crate) latency: Duration,
    /// One request in so many is told to come back later.
    pub(crate) disturb: Option<u64>,
}

/// Makes the server's only route.
pub(crate) fn router(app: App) -> Router {
    Router::new().fallback(handle).with_state(app)
}

/// Ends a running Salesforce request, also when its client has gone.
struct Running {
    world: World,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.world.desk().meter.end(self.number);
    }
}

async fn handle(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX).await.unwrap_or_default();
    let uri = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let text = String::from_utf8_lossy(&body).into_owned();
    let mut asked = Asked::new(parts.method.as_str(), uri, parts.headers, text);
    asked.origin = app.origin;
    let at = app.world.now();
    let number = app.world.desk().meter.begin(at.timestamp_millis());
    let running = Running {
        world: app.world,
        number,
    };
    let world = &running.world;
    let fault = world.desk().faults.take(&asked).or_else(|| {
        let is_its_turn = app.disturb.is_some_and(|every| number % every.max(1) == 0);
        (is_its_turn && asked.class() != super::RequestClass::Login).then(|| come_back(&asked))
    });
    let limit = limit_of(world, &asked);
    if let Some(limit) = &limit {
        let limit = (asked.vendor(), limit.as_str());
        world.desk().paces.came(limit, at.timestamp_millis());
    }
    if let Some(Fault::Slow(pause)) = &fault {
        tokio::time::sleep(*pause).await;
    }
    let answer = scripted(&asked, fault.as_ref()).unwrap_or_else(|| asked_vendor(world, &asked));
    if let Some(page) = &answer.page {
        world.page_served(page);
    }
    let (class, vendor) = (asked.class(), asked.vendor());
    let is_login = class == super::RequestClass::Login;
    world.desk().log.add(RequestSeen {
        class,
        method: asked.method,
        path: asked.path,
        query: asked.query,
        body: if is_login { String::new() } else { asked.body },
        at,
        status: if fault == Some(Fault::Disconnect) {
            0
        } else {
            answer.status
        },
    });
    let wait = answer
        .headers
        .iter()
        .find(|(name, _)| *name == "retry-after");
    let wait = wait.and_then(|(_, secs)| secs.parse().ok());
    if !app.latency.is_zero() {
        tokio::time::sleep(app.latency).await;
    }
    if let (Some(secs), Some(limit)) = (wait, limit) {
        let now_ms = world.now_ms();
        world.desk().paces.told((vendor, &limit), now_ms, secs);
    }
    respond(world, answer, fault)
}

/// The fault that tells a caller to come back in two seconds.
fn come_back(asked: &Asked) -> Fault {
    let (code, body) = match asked.vendor() {
        Vendor::Salesforce => (
            503,
            r#"[{"errorCode":"SERVER_UNAVAILABLE","message":"later"}]"#,
        ),
        _ => (429, r#"{"error":{"code":429,"message":"later"}}"#),
    };
    Fault::Status {
        code,
        body: body.to_owned(),
        retry_after: Some(2),
    }
}

/// The limit that a request falls under: all that share it have to wait when one of them is told to.
fn limit_of(world: &World, asked: &Asked) -> Option<String> {
    if asked.class() == super::RequestClass::Login {
        return None;
    }
    match asked.vendor() {
        Vendor::Gmail => {
            let grant = world.desk().gmail.granted(asked.bearer()?)?;
            Some(gmail::limit(grant.place?))
        }
        Vendor::HubSpot => Some(hubspot::limit(asked).to_owned()),
        Vendor::Salesforce => Some(salesforce::LIMIT.to_owned()),
        Vendor::Dialpad => Some(dialpad::limit(asked).to_owned()),
    }
}

fn asked_vendor(world: &World, asked: &Asked) -> Answer {
    match asked.vendor() {
        Vendor::HubSpot => hubspot::answer(world, asked),
        Vendor::Salesforce => salesforce::answer(world, asked),
        Vendor::Gmail => gmail::answer(world, asked),
        Vendor::Dialpad => dialpad::answer(world, asked),
    }
}

/// The answer of a fault that does not need the right one.
fn scripted(asked: &Asked, fault: Option<&Fault>) -> Option<Answer> {
    let vendor = asked.vendor();
    match fault? {
        Fault::Status {
            code,
            body,
            retry_after,
        } => {
            let answer = Answer::text(*code, body.clone());
            Some(match retry_after {
                Some(secs) => answer.header("retry-after", secs.to_string()),
                None => answer,
            })
        }
        Fault::Html502 => Some(
            Answer::text(
                502,
                "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned(),
            )
            .header("content-type", "text/html"),
        ),
        Fault::EmptyObject => Some(Answer::text(200, "{}".to_owned())),
        Fault::Redirect(to) => {
            Some(Answer::text(307, String::new()).header("location", to.clone()))
        }
        Fault::GzipBomb(_) | Fault::Disconnect => Some(Answer::text(200, String::new())),
        Fault::ExpiredToken if vendor == Vendor::HubSpot => Some(hubspot::expired(0)),
        Fault::WrongToken if vendor == Vendor::HubSpot => Some(hubspot::unauthorised()),
        Fault::ExpiredToken | Fault::WrongToken if vendor == Vendor::Gmail => {
            Some(gmail::unauthorised())
        }
        Fault::ExpiredToken if vendor == Vendor::Dialpad => Some(dialpad::expired()),
        Fault::WrongToken if vendor == Vendor::Dialpad => Some(dialpad::unauthorised()),
        Fault::ExpiredToken | Fault::WrongToken => Some(salesforce::session_expired()),
        Fault::Slow(_) | Fault::Truncated | Fault::ForeignLink => None,
    }
}

fn respond(world: &World, mut answer: Answer, fault: Option<Fault>) -> Response {
    if fault == Some(Fault::ForeignLink) {
        lead_away(&mut answer.body);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=utf-8"),
    );
    let date = world.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let date = (DATE.as_str(), date);
    for (name, value) in answer.headers.into_iter().chain([(date.0, date.1)]) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    *response.body_mut() = match fault {
        Some(Fault::GzipBomb(size)) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Body::from(bomb::gzip_of_spaces(size))
        }
        Some(Fault::Disconnect) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("1"));
            cut_after(Vec::new())
        }
        Some(Fault::Truncated) => {
            let mut bytes = answer.body.into_bytes();
            headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            bytes.truncate(bytes.len() / 2);
            cut_after(bytes)
        }
        _ => Body::from(answer.body),
    };
    response
}

/// A body that breaks off after its first part has been sent, which closes the connection.
fn cut_after(bytes: Vec<u8>) -> Body {
    let pause = if bytes.is_empty() {
        Duration::ZERO
    } else {
        FLUSH_PAUSE
    };
    let cut = futures::stream::once(async move {
        tokio::time::sleep(pause).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let first = (!bytes.is_empty()).then(|| Ok(Bytes::from(bytes)));
    Body::from_stream(futures::stream::iter(first).chain(cut))
}

/// Points a page's link to the next page at another host.
fn lead_away(body: &mut String) {
    *body = body
        .replace(
            "\"link\":\"http://127.0.0.1",
            &format!("\"link\":\"{FOREIGN_ORIGIN}"),
        )
        .replace(
            "\"nextRecordsUrl\":\"/",
            &format!("\"nextRecordsUrl\":\"{FOREIGN_ORIGIN}/"),
        )
        .replace(
            "\"download_url\":\"http://127.0.0.1",
            &format!("\"download_url\":\"{FOREIGN_ORIGIN}"),
        );
}
