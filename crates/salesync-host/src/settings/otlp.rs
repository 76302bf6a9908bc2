//! Where metrics and traces are sent, as the settings say.

use salesync_core::error::Result;
use salesync_core::secret::Secret;
use url::Url;

use super::general::{OTLP_ENDPOINT, OTLP_HEADERS};
use super::values::{is_loopback, wrong};

/// A collector that takes OpenTelemetry's protocol over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct OtlpChoice {
    pub(crate) origin: String,
    /// What stands before the signals' own paths; empty or with a slash before it and none after it.
    pub(crate) path: String,
    /// The headers that the collector asks for, their names in lower case.
    pub(crate) headers: Vec<(String, Secret)>,
}

impl OtlpChoice {
    /// Reads the collector; `get` returns a setting's value, trimmed, or its default.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` with the name of the setting that is wrong, and nothing of a header.
    pub(super) fn read<'a>(get: &dyn Fn(&str) -> &'a str) -> Result<Option<Self>> {
        let headers = headers(get(OTLP_HEADERS))?;
        let endpoint = get(OTLP_ENDPOINT);
        if endpoint.is_empty() {
            return Ok(None);
        }
        let rule = "an https address (http only on this machine)";
        let url = Url::parse(endpoint).map_err(|_| wrong(OTLP_ENDPOINT, rule))?;
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_safe || !is_plain {
            return Err(wrong(OTLP_ENDPOINT, rule));
        }
        Ok(Some(Self {
            origin: url.origin().ascii_serialization(),
            path: url.path().trim_end_matches('/').to_owned(),
            headers,
        }))
    }
}

fn headers(text: &str) -> Result<Vec<(String, Secret)>> {
    let parts = text.split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty());
    let rule = "NAME=VALUE, with commas between several, and other characters as %20";
    parts
        .map(|part| header(part).ok_or_else(|| wrong(OTLP_HEADERS, rule)))
        .collect()
}

/// Reads one header; what can't stand in a value is encoded by percent signs.
fn header(part: &str) -> Option<(String, Secret)> {
    let (name, value) = part.split_once('=')?;
    let name = name.trim().to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let value = decoded(value.trim())?;
    let is_value = |c: char| c.is_ascii_graphic() || c == ' ';
    let is_good = !name.is_empty() && name.chars().all(is_name) && value.chars().all(is_value);
    is_good.then(|| (name, Secret::new(value)))
}

fn decoded(text: &str) -> Option<String> {
    let mut letters = text.chars();
    let mut decoded = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        if letter == '%' {
            let high = letters.next()?.to_digit(16)?;
            let low = letters.next()?.to_digit(16)?;
            decoded.push(char::from_u32(high * 16 + low)?);
        } else {
            decoded.push(letter);
        }
    }
    Some(decoded)
}
