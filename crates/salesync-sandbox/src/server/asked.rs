//! One request, read once.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::RequestClass;
use crate::{Vendor, dialpad, gmail};

/// One request, read once.
#[derive(Debug)]
pub(crate) struct Asked {
    /// `GET`, `POST` ….
    pub(crate) method: String,
    /// The path as it came.
    pub(crate) path: String,
    /// The query as it came, without the question mark.
    pub(crate) query: String,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as text.
    pub(crate) body: String,
    /// This server's origin.
    pub(crate) origin: String,
    params: Vec<(String, String)>,
}

impl Asked {
    /// Takes a request apart.
    pub(crate) fn new(method: &str, uri: (&str, &str), headers: HeaderMap, body: String) -> Self {
        let params = pairs(uri.1);
        Self {
            method: method.to_owned(),
            path: uri.0.to_owned(),
            query: uri.1.to_owned(),
            headers,
            body,
            origin: String::new(),
            params,
        }
    }

    /// Says whose API is asked.
    pub(crate) fn vendor(&self) -> Vendor {
        if self.path.starts_with("/services") {
            Vendor::Salesforce
        } else if gmail::serves(&self.path) {
            Vendor::Gmail
        } else if dialpad::serves(&self.path) {
            Vendor::Dialpad
        } else {
            Vendor::HubSpot
        }
    }

    /// Says what kind of request it is.
    pub(crate) fn class(&self) -> RequestClass {
        RequestClass::of(
            &self.method,
            &self.path,
            self.param("archived") == Some("true"),
        )
    }

    /// Gives a query parameter, decoded.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Gives all query parameters, decoded, in the order in which they came.
    pub(crate) fn params(&self) -> &[(String, String)] {
        &self.params
    }

    /// Gives a query parameter that may come several times or as a comma list.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let mut found = self
            .params
            .iter()
            .filter(|(known, _)| known == name)
            .peekable();
        found.peek()?;
        Some(
            found
                .flat_map(|(_, value)| value.split(','))
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .collect(),
        )
    }

    /// Reads the body as a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// Reads the body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// Gives the bearer token.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let value = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Gives name and password of a `Basic` authorisation.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let encoded = self
            .headers
            .get(AUTHORIZATION)?
            .to_str()
            .ok()?
            .strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        Some((name.to_owned(), password.to_owned()))
    }

    /// Gives a header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn pairs(encoded: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(encoded.as_bytes())
        .into_owned()
        .collect()
}
