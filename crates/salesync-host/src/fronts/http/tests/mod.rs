//! What the HTTP front answers, route by route; nothing of it needs a network.

mod asking;
mod working;

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;
use crate::fronts::scene;

/// The shared secret of the tests.
pub(super) const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Every route, and whether anybody may ask.
const ROUTES: [(Method, &str, bool); 12] = [
    (Method::GET, "/health", true),
    (Method::GET, "/live", true),
    (Method::GET, "/openapi.yaml", true),
    (Method::GET, "/ready", false),
    (Method::GET, "/metrics", false),
    (Method::GET, "/v1/runs", false),
    (Method::GET, "/v1/runs/{id}", false),
    (Method::GET, "/v1/dlq", false),
    (Method::POST, "/v1/dlq/redrive", false),
    (Method::POST, "/v1/syncs", false),
    (Method::POST, "/v1/resolve", false),
    (Method::POST, "/v1/continuations", false),
];

/// A front, and what must live as long as it.
pub(super) struct Scene {
    pub(super) front: Arc<Front>,
    _stop: watch::Sender<bool>,
    folder: TempDir,
}

impl Scene {
    pub(super) fn new(settings: &[(&str, &str)]) -> Self {
        let (cx, folder) = scene::context(settings);
        let (sender, stop) = watch::channel(false);
        Self {
            front: Front::new(cx, stop),
            _stop: sender,
            folder,
        }
    }

    /// A front that whoever knows the secret may ask.
    pub(super) fn with_secret() -> Self {
        Self::new(&[("SALESYNC_TRIGGER_SECRET", SECRET)])
    }

    /// Sends a request as it is.
    pub(super) async fn send(&self, request: Request<Body>) -> Answered {
        let response = router(Arc::clone(&self.front))
            .oneshot(request)
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answered {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Asks with the secret.
    pub(super) async fn ask(&self, method: Method, path: &str, body: &str) -> Answered {
        let request = request(method, path)
            .header("authorization", format!("Bearer {SECRET}"))
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }
}

pub(super) fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8080")
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answered {
    pub(super) fn document(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Returns the code of a refusal.
    pub(super) fn code(&self) -> String {
        let document = self.document();
        document["error"]["code"].as_str().unwrap_or("").to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// Returns the routes that the description has.
fn described() -> Vec<(Method, String)> {
    let mut routes = Vec::new();
    let mut path = String::new();
    for line in DESCRIPTION.lines() {
        if let Some(named) = line.strip_prefix("  /") {
            path = format!("/{}", named.trim_end_matches(':'));
        }
        let method = match line {
            "    get:" => Method::GET,
            "    post:" => Method::POST,
            _ => continue,
        };
        routes.push((method, path.clone()));
    }
    routes
}

#[tokio::test]
async fn the_description_names_every_route_and_no_other() {
    let mut served: Vec<_> = ROUTES
        .iter()
        .map(|(method, path, _)| (method.clone(), (*path).to_owned()))
        .collect();
    let mut described = described();
    let by_path = |one: &(Method, String), other: &(Method, String)| one.1.cmp(&other.1);
    served.sort_by(by_path);
    described.sort_by(by_path);
    assert_eq!(served, described);
    let scene = Scene::with_secret();
    for (method, path, _) in ROUTES {
        let path = path.replace("{id}", "01JDM6X0ZP8W6T3Q8N4V5R7S9A");
        let answered = scene.ask(method, &path, "").await;
        assert_ne!(code_of(&answered), "ERR_REQUEST_METHOD", "{path}");
        assert!(answered.status.as_u16() < 500, "{path}: {answered:?}");
    }
}

fn code_of(answered: &Answered) -> String {
    let document: Option<Value> = serde_json::from_str(&answered.text).ok();
    let code = document.and_then(|it| Some(it.get("error")?.get("code")?.as_str()?.to_owned()));
    code.unwrap_or_default()
}

#[tokio::test]
async fn whoever_says_nothing_sees_three_pages_only() {
    let scene = Scene::with_secret();
    for (method, path, is_open) in ROUTES {
        let asked = request(method, path).body(Body::empty()).unwrap();
        let answered = scene.send(asked).await;
        match is_open {
            true => assert_eq!(answered.status, 200, "{path}"),
            false => {
                assert_eq!(answered.status, 401, "{path}");
                assert_eq!(answered.code(), "ERR_AUTH_MISSING");
                assert_eq!(answered.header("www-authenticate"), "Bearer");
            }
        }
    }
    let inside = scene.folder.path().read_dir().unwrap().count();
    assert_eq!(inside, 0, "no warehouse was opened for them");
}

#[tokio::test]
async fn every_answer_has_the_headers_and_an_id() {
    let scene = Scene::with_secret();
    for path in ["/health", "/v1/runs", "/nowhere"] {
        let asked = request(Method::GET, path).body(Body::empty()).unwrap();
        let answered = scene.send(asked).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answered.header(name), value, "{path}");
        }
        let policy = answered.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(
            answered
                .header("strict-transport-security")
                .contains("max-age=")
        );
        assert_eq!(answered.header("x-request-id").len(), 26, "{path}");
        assert_eq!(answered.header("server"), "");
        assert_eq!(answered.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn a_callers_id_is_kept_where_it_is_plain() {
    let scene = Scene::with_secret();
    let long = "x".repeat(65);
    let cases = [
        ("trace-4711.a_b", true),
        ("a b", false),
        (long.as_str(), false),
    ];
    for (given, kept) in cases {
        let asked = request(Method::GET, "/health").header("x-request-id", given);
        let answered = scene.send(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answered.header("x-request-id") == given, kept, "{given}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let scene = Scene::with_secret();
    let nowhere = scene.ask(Method::GET, "/v2/syncs", "").await;
    assert_eq!(
        (nowhere.status, nowhere.code().as_str()),
        (StatusCode::NOT_FOUND, "ERR_REQUEST_NOT_FOUND")
    );
    for (method, path) in [(Method::GET, "/v1/syncs"), (Method::DELETE, "/v1/runs")] {
        let answered = scene.ask(method, path, "").await;
        assert_eq!(answered.status, 405, "{path}");
        assert_eq!(answered.code(), "ERR_REQUEST_METHOD");
    }
    for id in [
        "nonsense",
        "01JDM6X0ZP8W6T3Q8N4V5R7S9A",
        "01JDM6X0ZP8W6T3Q8N4V5R7S9%00",
    ] {
        let answered = scene.ask(Method::GET, &format!("/v1/runs/{id}"), "").await;
        assert_eq!(answered.status, 404, "{id}");
    }
}

#[tokio::test]
async fn a_front_that_is_told_to_stop_ends() {
    let (cx, _folder) = scene::context(&[]);
    let (sender, stop) = watch::channel(false);
    let front = Front::new(cx, stop);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let served = tokio::spawn(serve(front, listener));
    sender.send_replace(true);
    let ended = tokio::time::timeout(Duration::from_secs(5), served).await;
    ended.unwrap().unwrap().unwrap();
}
