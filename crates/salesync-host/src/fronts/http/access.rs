//! Who asks: the identity that a signed token names, whoever knows the shared secret, or, where neither is set, a
//! person on this machine.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use salesync_core::error::{Code, Error, Result};
use sha2::{Digest as _, Sha256};
use url::Host;

use super::token::{Grant, Tokens};
use crate::settings::TriggerChoices;

/// A token has at most so many bytes.
const LONGEST_TOKEN: usize = 8 * 1024;

/// Who may ask.
pub(super) struct Access {
    tokens: Option<Tokens>,
    /// Hashes of the shared secrets.
    secrets: Vec<[u8; 32]>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody on this machine, or who knows the shared secret.
    Person,
    /// The identity that a token was made for.
    Identity(Grant),
}

impl Access {
    /// Returns who may ask, as the settings say.
    pub(super) fn new(triggers: &TriggerChoices) -> Self {
        let secrets = triggers.secrets.iter();
        Self {
            tokens: triggers.identity.clone().map(Tokens::new),
            secrets: secrets.map(|secret| hash(secret.expose())).collect(),
        }
    }

    /// Returns who asks.
    ///
    /// # Errors
    /// [`Code::AuthMissing`], [`Code::AuthInvalid`], [`Code::AuthForbidden`]; or why the keys of tokens can't be had.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<Caller> {
        if self.tokens.is_none() && self.secrets.is_empty() {
            return on_this_machine(headers);
        }
        let given = headers.get(header::AUTHORIZATION);
        let given = given.ok_or_else(|| Error::new(Code::AuthMissing, "see who asks"))?;
        let bearer = given.to_str().ok().and_then(bearer);
        let bearer = bearer.filter(|bearer| bearer.len() <= LONGEST_TOKEN);
        let bearer = bearer.ok_or_else(|| invalid("the header is Bearer and a token"))?;
        let hashed = hash(bearer);
        // Both are looked at to the end, and only their hashes: how long it takes says nothing about a secret.
        let known = self.secrets.iter();
        if known.fold(false, |found, secret| found | is_same(secret, &hashed)) {
            return Ok(Caller::Person);
        }
        match &self.tokens {
            Some(tokens) => tokens.check(bearer).await.map(Caller::Identity),
            None => Err(invalid("the secret is the shared one")),
        }
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
        .filter(|token| !token.is_empty())
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn is_same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    let pairs = left.iter().zip(right);
    pairs.fold(0, |differing, (left, right)| differing | (left ^ right)) == 0
}

/// Where nobody was named, a page that a browser shows could still send requests to this machine under another name.
fn on_this_machine(headers: &HeaderMap) -> Result<Caller> {
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let authority = host.and_then(|host| host.parse::<Authority>().ok());
    let host = authority.and_then(|it| Host::parse(it.host()).ok());
    let is_here = match host {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    // A browser says so where a page of somewhere else asks, and always names the page's origin with what it posts.
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let is_foreign = site.is_some_and(|site| site != b"same-origin" && site != b"none");
    let is_page = headers.contains_key(header::ORIGIN) && site.is_none();
    match is_here && !is_foreign && !is_page {
        true => Ok(Caller::Person),
        false => Err(Error::new(Code::AuthForbidden, "see who asks").with(
            "rule",
            "the host is this machine's own name, and no page of another asks",
        )),
    }
}

fn invalid(rule: &'static str) -> Error {
    Error::new(Code::AuthInvalid, "see who asks").with("rule", rule)
}
