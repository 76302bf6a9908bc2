//! A function as a service: where it is told to listen, and an issuer on this machine whose tokens it takes.

use std::cell::Cell;
use std::net::TcpListener;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{Served, post};

const AUDIENCE: &str = "https://sync.example.com";
const CLOCK: &str = "clock@project.iam.gserviceaccount.com";
const KEY: &str =
    include_str!("../../../crates/salesync-host/src/fronts/http/fixtures/test_only_key.txt");
const KEYS: &str = include_str!("../../../crates/salesync-host/src/fronts/http/fixtures/keys.json");

/// The service, and who signs for its scheduler.
pub(super) struct Service {
    issuer: Served,
    port: u16,
    count: Cell<u32>,
}

impl Service {
    pub(super) fn new() -> Self {
        let keys = || async { ([(header::CONTENT_TYPE, "application/json")], KEYS) };
        // Taken and given back: the service binds it itself, as a platform has it.
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        Self {
            issuer: Served::new(Router::new().route("/keys", get(keys))),
            port: free.local_addr().unwrap().port(),
            count: Cell::default(),
        }
    }

    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("PORT", self.port.to_string()),
            ("SALESYNC_TRIGGER_AUDIENCE", AUDIENCE.to_owned()),
            ("SALESYNC_TRIGGER_IDENTITY", CLOCK.to_owned()),
            ("SALESYNC_TRIGGER_ISSUER", self.issuer()),
            (
                "SALESYNC_TRIGGER_KEYS_URL",
                format!("{}/keys", self.issuer()),
            ),
        ]
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.issuer.host)
    }

    /// Returns a token that no other is like: a good one, with these claims in other words.
    pub(super) fn token(&self, changed: &Value, now_secs: i64) -> String {
        self.count.set(self.count.get() + 1);
        let mut claims = json!({
            "iss": self.issuer(),
            "aud": AUDIENCE,
            "sub": "1234",
            "jti": self.count.get(),
            "email": CLOCK,
            "email_verified": true,
            "iat": now_secs,
            "exp": now_secs + 3_600,
        });
        for (name, value) in changed.as_object().unwrap() {
            claims[name.as_str()] = value.clone();
        }
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{KEY}-----END PRIVATE KEY-----\n");
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("key-1".to_owned());
        encode(&header, &claims, &key).unwrap()
    }

    /// Sends a document with a token, or with none.
    pub(super) fn post(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let authorization = token.map(|it| format!("authorization: Bearer {it}\r\n"));
        post(&self.host(), path, &authorization.unwrap_or_default(), body)
    }
}
