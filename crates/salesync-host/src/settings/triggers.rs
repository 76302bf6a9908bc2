//! Who may trigger, as the settings say.

use salesync_core::error::{Error, Result};
use salesync_core::secret::Secret;
use url::Url;

use super::values::{is_loopback, wrong};

/// The setting with the audience of tokens.
pub(crate) const AUDIENCE: &str = "SALESYNC_TRIGGER_AUDIENCE";
/// The setting with the identity that may trigger.
pub(crate) const IDENTITY: &str = "SALESYNC_TRIGGER_IDENTITY";
/// The setting with the issuer of tokens.
pub(crate) const ISSUER: &str = "SALESYNC_TRIGGER_ISSUER";
/// The setting with the address of the issuer's keys.
pub(crate) const KEYS_URL: &str = "SALESYNC_TRIGGER_KEYS_URL";
/// The setting that says who checks tokens' signatures.
pub(crate) const SIGNATURE: &str = "SALESYNC_TRIGGER_SIGNATURE";
/// The setting with the shared secret.
pub(crate) const SECRET: &str = "SALESYNC_TRIGGER_SECRET";

/// A shared secret has at least so many characters.
const SHORTEST_SECRET: usize = 32;

/// Who may trigger; nobody was named where both are empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct TriggerChoices {
    pub(crate) identity: Option<IdentityChoice>,
    /// Shared secrets, each of which is as good: two while one takes the other's place.
    pub(crate) secrets: Vec<Secret>,
}

/// An identity that proves itself with a signed token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdentityChoice {
    pub(crate) audience: String,
    pub(crate) email: String,
    pub(crate) issuer: String,
    pub(crate) keys_url: Url,
    /// Whether the platform has checked a token whose signature it took away.
    pub(crate) platform_checks: bool,
}

impl TriggerChoices {
    /// Reads who may trigger; `get` returns a setting's value, trimmed, or its default.
    ///
    /// # Errors
    /// `ERR_CONFIG_INVALID` with the name of the setting that is wrong or missing.
    pub(super) fn read<'a>(get: &dyn Fn(&str) -> &'a str) -> Result<Self> {
        let platform_checks = match get(SIGNATURE) {
            "checked" => false,
            "platform" => true,
            _ => return Err(wrong(SIGNATURE, "checked or platform")),
        };
        let identity = match (get(AUDIENCE), get(IDENTITY)) {
            ("", "") => None,
            ("", _) => {
                return Err(wrong(
                    AUDIENCE,
                    "given together with SALESYNC_TRIGGER_IDENTITY",
                ));
            }
            (_, "") => {
                return Err(wrong(
                    IDENTITY,
                    "given together with SALESYNC_TRIGGER_AUDIENCE",
                ));
            }
            (_, email) if !email.contains('@') || email.contains(char::is_whitespace) => {
                return Err(wrong(IDENTITY, "the e-mail of one service account"));
            }
            (audience, email) => Some(IdentityChoice {
                audience: audience.to_owned(),
                email: email.to_owned(),
                issuer: get(ISSUER).to_owned(),
                keys_url: keys_url(get(KEYS_URL))?,
                platform_checks,
            }),
        };
        Ok(Self {
            identity,
            secrets: secrets(get(SECRET))?,
        })
    }

    /// Returns whether nobody was named who may trigger.
    pub(crate) fn is_empty(&self) -> bool {
        self.identity.is_none() && self.secrets.is_empty()
    }

    /// Returns the error of a start that needs somebody who may trigger.
    pub(crate) fn missing() -> Error {
        wrong(
            SECRET,
            "given where others can reach this; or SALESYNC_TRIGGER_AUDIENCE and SALESYNC_TRIGGER_IDENTITY",
        )
    }
}

fn secrets(text: &str) -> Result<Vec<Secret>> {
    let parts = text.split(',').map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let is_good = |part: &&str| {
        part.len() >= SHORTEST_SECRET && part.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if parts.len() > 2 || !parts.iter().all(is_good) {
        return Err(wrong(
            SECRET,
            "at least 32 visible ASCII characters, or two such with a comma between them",
        ));
    }
    Ok(parts.into_iter().map(Secret::new).collect())
}

fn keys_url(text: &str) -> Result<Url> {
    let rule = "an https address (http only on this machine)";
    let url = Url::parse(text).map_err(|_| wrong(KEYS_URL, rule))?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if is_safe && url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    Err(wrong(KEYS_URL, rule))
}
