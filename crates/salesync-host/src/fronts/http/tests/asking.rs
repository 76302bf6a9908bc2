//! Who may ask, and who is refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::*;
use crate::context::now;

const AUDIENCE: &str = "https://sync.example.com";
const CLOCK: &str = "clock@project.iam.gserviceaccount.com";
const KEY: &str = include_str!("../fixtures/test_only_key.txt");
const KEYS: &str = include_str!("../fixtures/keys.json");

/// Serves the keys of an issuer on this machine, and counts how often it is asked.
async fn issuer() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let keys = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { ([(header::CONTENT_TYPE, "application/json")], KEYS) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let app = Router::new().route("/keys", get(keys));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, asked)
}

async fn with_tokens() -> (Scene, Arc<AtomicUsize>) {
    with_tokens_that_are("checked").await
}

async fn with_tokens_that_are(checked: &str) -> (Scene, Arc<AtomicUsize>) {
    let (url, asked) = issuer().await;
    let scene = Scene::new(&[
        ("SALESYNC_TRIGGER_SIGNATURE", checked),
        ("SALESYNC_TRIGGER_AUDIENCE", AUDIENCE),
        ("SALESYNC_TRIGGER_IDENTITY", CLOCK),
        ("SALESYNC_TRIGGER_KEYS_URL", url.as_str()),
    ]);
    (scene, asked)
}

/// The claims of a good token, with some of them in other words; null takes one away.
fn claims(changed: &Value) -> Value {
    let now = now().secs();
    let mut claims = json!({
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "azp": "1234",
        "sub": "1234",
        "email": CLOCK,
        "email_verified": true,
        "iat": now,
        "exp": now + 3_600,
    });
    for (name, value) in changed.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn signed(changed: &Value, key_id: Option<&str>) -> String {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{KEY}-----END PRIVATE KEY-----\n");
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let mut header = Header::new(Algorithm::RS256);
    header.kid = key_id.map(str::to_owned);
    encode(&header, &claims(changed), &key).unwrap()
}

fn good() -> String {
    signed(&json!({}), Some("key-1"))
}

async fn sync_with(scene: &Scene, authorization: &str) -> Answered {
    let asked = request(Method::POST, "/v1/syncs")
        .header("authorization", authorization)
        .header("content-type", "application/json");
    let body = Body::from(r#"{"source":"shelf"}"#);
    scene.send(asked.body(body).unwrap()).await
}

#[tokio::test]
async fn a_token_of_the_identity_is_taken_once() {
    let (scene, asked) = with_tokens().await;
    let token = format!("Bearer {}", good());
    let first = sync_with(&scene, &token).await;
    assert_eq!(first.status, 200, "{first:?}");
    let replayed = sync_with(&scene, &token).await;
    assert_eq!(replayed.status, 409, "{replayed:?}");
    assert_eq!(replayed.code(), "ERR_RUN_DUPLICATE_TRIGGER");
    // Nor is it taken where it is written otherwise, or says that it is another schedule's.
    let other = request(Method::POST, "/v1/syncs")
        .header("authorization", &token)
        .header("content-type", "application/json")
        .header("x-cloudscheduler-jobname", "another")
        .header("x-cloudscheduler-scheduletime", "2026-01-01T00:00:00Z");
    let body = Body::from(r#" {"source": "shelf", "mode": "incremental"} "#);
    let other = scene.send(other.body(body).unwrap()).await;
    assert_eq!(other.status, 409, "{other:?}");
    // The same token with another command: two schedules of one second have one token.
    let other = request(Method::POST, "/v1/syncs")
        .header("authorization", &token)
        .header("content-type", "application/json");
    let body = Body::from(r#"{"source":"shelf","mode":"full"}"#);
    let other = scene.send(other.body(body).unwrap()).await;
    assert_eq!(other.status, 200, "{other:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the keys are kept");
}

const INVALID: &str = "ERR_AUTH_INVALID";
const FORBIDDEN: &str = "ERR_AUTH_FORBIDDEN";

/// Returns tokens that the issuer has signed and that are of no use, with the code that each is refused with.
fn of_no_use() -> Vec<(&'static str, Value, &'static str)> {
    let now = now().secs();
    let audience = format!("{AUDIENCE}/");
    vec![
        (
            "expired",
            json!({"exp": now - 120, "iat": now - 3_720}),
            INVALID,
        ),
        ("without end", json!({"exp": null}), INVALID),
        ("ends too late", json!({"exp": now + 90_000}), INVALID),
        ("not begun", json!({"nbf": now + 600}), INVALID),
        ("made later", json!({"iat": now + 600}), INVALID),
        (
            "wrong audience",
            json!({"aud": "https://other.example.com"}),
            INVALID,
        ),
        ("no audience", json!({"aud": null}), INVALID),
        ("audience with a slash", json!({"aud": audience}), INVALID),
        (
            "wrong issuer",
            json!({"iss": "https://issuer.example"}),
            INVALID,
        ),
        ("no issuer", json!({"iss": null}), INVALID),
        (
            "another identity",
            json!({"email": "eve@example.com"}),
            FORBIDDEN,
        ),
        ("no identity", json!({"email": null}), FORBIDDEN),
        ("not verified", json!({"email_verified": false}), FORBIDDEN),
    ]
}

/// Returns texts that the issuer has not signed.
fn not_signed() -> Vec<(&'static str, String)> {
    let good = good();
    let claims_of_it = good.split('.').nth(1).unwrap();
    let by_secret = {
        let key = EncodingKey::from_secret(KEYS.as_bytes());
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("key-1".to_owned());
        encode(&header, &claims(&json!({})), &key).unwrap()
    };
    // The header says that there is no signature.
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let mut broken = good.clone();
    broken.truncate(good.len() - 8);
    vec![
        ("nothing", String::new()),
        ("no token", "abc".to_owned()),
        ("unsigned", format!("{none}.{claims_of_it}.")),
        ("signature cut off", broken),
        ("signed with a public text", by_secret),
        ("another's key", signed(&json!({}), Some("key-2"))),
        ("no key named", signed(&json!({}), None)),
        ("too long", "x".repeat(9_000)),
    ]
}

#[tokio::test]
async fn whoever_is_not_the_identity_is_refused() {
    let (scene, _) = with_tokens().await;
    let of_no_use = of_no_use().into_iter();
    let of_no_use = of_no_use.map(|(name, it, code)| (name, signed(&it, Some("key-1")), code));
    let not_signed = not_signed().into_iter();
    let not_signed = not_signed.map(|(name, token)| (name, token, INVALID));
    for (name, token, code) in of_no_use.chain(not_signed) {
        let answered = sync_with(&scene, &format!("Bearer {token}")).await;
        assert_eq!(answered.code(), code, "{name}: {answered:?}");
        let status = if code == FORBIDDEN { 403 } else { 401 };
        assert_eq!(answered.status, status, "{name}");
        assert!(
            token.is_empty() || !answered.text.contains(&token),
            "{name}"
        );
    }
    let answered = sync_with(&scene, &format!("Basic {}", good())).await;
    assert_eq!(answered.code(), INVALID);
    let inside = scene.folder.path().read_dir().unwrap().count();
    assert_eq!(inside, 0, "nothing was done for them");
}

/// Returns the token as Cloud Run passes it on.
fn passed_on(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.SIGNATURE_REMOVED_BY_GOOGLE")
}

#[tokio::test]
async fn a_token_whose_signature_the_platform_took_away_is_judged_by_its_claims() {
    let (scene, asked) = with_tokens_that_are("platform").await;
    let good = format!("Bearer {}", passed_on(&good()));
    for status in [200, 409] {
        let answered = sync_with(&scene, &good).await;
        assert_eq!(answered.status, status, "{answered:?}");
    }
    for (name, changed, code) in of_no_use() {
        let token = passed_on(&signed(&changed, Some("key-1")));
        let answered = sync_with(&scene, &format!("Bearer {token}")).await;
        assert_eq!(answered.code(), code, "{name}: {answered:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0, "no key is needed");
    // What still has a signature is judged by it.
    for (name, token) in not_signed() {
        let answered = sync_with(&scene, &format!("Bearer {token}")).await;
        assert_eq!(answered.code(), INVALID, "{name}: {answered:?}");
    }
}

#[tokio::test]
async fn without_a_setting_a_signature_that_was_taken_away_is_none() {
    let (scene, _) = with_tokens().await;
    let answered = sync_with(&scene, &format!("Bearer {}", passed_on(&good()))).await;
    assert_eq!(answered.code(), INVALID, "{answered:?}");
}

#[tokio::test]
async fn google_may_name_itself_without_the_scheme() {
    let (scene, _) = with_tokens().await;
    let token = signed(&json!({"iss": "accounts.google.com"}), Some("key-1"));
    let answered = sync_with(&scene, &format!("bearer {token}")).await;
    assert_eq!(answered.status, 200, "{answered:?}");
}

#[tokio::test]
async fn unknown_keys_do_not_make_us_ask_again_and_again() {
    let (scene, asked) = with_tokens().await;
    for number in 0..20 {
        let token = signed(&json!({}), Some(&format!("unknown-{number}")));
        let answered = sync_with(&scene, &format!("Bearer {token}")).await;
        assert_eq!(answered.status, 401);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_secret_is_compared_whole_and_either_of_two_is_good() {
    let other = "f".repeat(40);
    let both = format!("{SECRET},{other}");
    let scene = Scene::new(&[("SALESYNC_TRIGGER_SECRET", both.as_str())]);
    for (given, status) in [
        (SECRET.to_owned(), 200),
        (other.clone(), 200),
        (format!("{SECRET}x"), 401),
        (SECRET.chars().take(31).collect(), 401),
        (both.clone(), 401),
    ] {
        let answered = sync_with(&scene, &format!("Bearer {given}")).await;
        assert_eq!(answered.status, status, "{given}");
    }
}

#[tokio::test]
async fn without_a_setting_only_this_machine_may_ask() {
    let scene = Scene::new(&[]);
    for (host, status) in [
        ("127.0.0.1:8080", 200),
        ("localhost:8080", 200),
        ("[::1]:8080", 200),
        ("rebound.example:8080", 403),
        ("127.0.0.1.rebound.example", 403),
        ("", 403),
    ] {
        let asked = Request::builder()
            .method(Method::POST)
            .uri("/v1/syncs")
            .header("host", host)
            .header("content-type", "application/json");
        let body = Body::from(r#"{"source":"shelf"}"#);
        let answered = scene.send(asked.body(body).unwrap()).await;
        assert_eq!(answered.status, status, "{host}: {answered:?}");
    }
}

#[tokio::test]
async fn without_a_setting_no_page_of_another_site_may_ask() {
    let scene = Scene::new(&[]);
    let cases: [(&[(&str, &str)], u16); 6] = [
        (&[], 200),
        (&[("sec-fetch-site", "none")], 200),
        (
            &[
                ("sec-fetch-site", "same-origin"),
                ("origin", "http://127.0.0.1:8080"),
            ],
            200,
        ),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("origin", "https://elsewhere.example")], 403),
    ];
    for (headers, status) in cases {
        // A form may post it without asking first: it has no body.
        let mut asked = request(Method::POST, "/v1/resolve");
        for (name, value) in headers {
            asked = asked.header(*name, *value);
        }
        let answered = scene.send(asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answered.status, status, "{headers:?}: {answered:?}");
    }
}
