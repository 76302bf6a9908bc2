//! The keys that an issuer signs with, fetched when they are needed and kept.
//!
//! A key that is not known makes us ask again, since issuers change their keys; but not more often than every
//! [`FLOOR`], whatever keys callers name.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use salesync_core::error::{Code, Error, Result};
use salesync_http::{ClientSettings, LimitClass, Request, Timeouts, Transport, Verdict};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::context::now;

/// The shortest time between two fetches.
const FLOOR: Duration = Duration::from_secs(300);
/// The same after a fetch that failed.
const FLOOR_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Keys that are older are fetched again: the issuer may have withdrawn one.
const LONGEST_KEPT: Duration = Duration::from_secs(6 * 3_600);
/// The keys have at most so many bytes.
const MOST_BYTES: usize = 256 * 1024;

/// The keys of one issuer.
pub(super) struct Keys {
    url: Url,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    keys: HashMap<String, DecodingKey>,
    fetched: Option<Instant>,
    not_before: Option<Instant>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

/// A public key; those of other kinds lack modulus and exponent.
#[derive(Deserialize)]
struct Key {
    #[serde(rename = "kid")]
    id: Option<String>,
    #[serde(rename = "n")]
    modulus: Option<String>,
    #[serde(rename = "e")]
    exponent: Option<String>,
}

impl Keys {
    pub(super) fn new(url: Url) -> Self {
        Self {
            url,
            held: Mutex::default(),
        }
    }

    /// Returns a key by its id, `None` where the issuer has none such.
    ///
    /// # Errors
    /// Why the keys can't be had, where none are known yet.
    ///
    /// # Cancel safety
    /// A dropped call leaves the keys as they were.
    pub(super) async fn get(&self, id: &str) -> Result<Option<DecodingKey>> {
        let mut held = self.held.lock().await;
        let is_fresh = held.fetched.is_some_and(|at| at.elapsed() < LONGEST_KEPT);
        if let (true, Some(key)) = (is_fresh, held.keys.get(id)) {
            return Ok(Some(key.clone()));
        }
        if held.not_before.is_none_or(|at| Instant::now() >= at) {
            match self.fetch().await {
                Ok(keys) => {
                    *held = Held {
                        keys,
                        fetched: Some(Instant::now()),
                        not_before: Some(Instant::now() + FLOOR),
                    };
                }
                Err(error) => {
                    held.not_before = Some(Instant::now() + FLOOR_AFTER_FAILURE);
                    tracing::warn!(error = %error, "keys of tokens not fetched");
                    if held.keys.is_empty() {
                        return Err(error);
                    }
                }
            }
        }
        match held.keys.get(id) {
            None if held.keys.is_empty() => Err(Error::new(
                Code::SourceUnreachable,
                "fetch the keys of tokens",
            )),
            key => Ok(key.cloned()),
        }
    }

    async fn fetch(&self) -> Result<HashMap<String, DecodingKey>> {
        let origin = self.url.origin().ascii_serialization();
        let transport = Transport::new(ClientSettings {
            timeouts: Timeouts::LOGIN,
            max_body_bytes: MOST_BYTES,
            concurrency: 1,
            ..ClientSettings::new("trigger_keys", origin, now())
        })?;
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let request = Request::get("fetch the keys of tokens", target, LimitClass("keys"));
        let answer = transport.send(&request, Verdict::by_status).await?;
        let set: KeySet = answer.json()?;
        Ok(set.keys.into_iter().filter_map(readable).collect())
    }
}

fn readable(key: Key) -> Option<(String, DecodingKey)> {
    let read = DecodingKey::from_rsa_components(&key.modulus?, &key.exponent?);
    Some((key.id?, read.ok()?))
}
