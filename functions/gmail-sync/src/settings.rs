//! What only Gmail has to be told: whose mailboxes, by which prices, and whether texts are read.

use salesync_core::error::{Code, Error, Result};
use salesync_core::source::{SourceSetting, SourceSettings};
use url::{Host, Url};

use crate::quota::Quota;

/// The settings' names and rules.
pub(crate) const SETTINGS: &[SourceSetting] = &[
    SourceSetting {
        name: "MAILBOXES",
        default: "",
        meaning: "whose mail is read: addresses with commas between them",
        check: |text| {
            let rule = "mail addresses with commas between them";
            addresses(text).is_none().then_some(rule)
        },
    },
    SourceSetting {
        name: "TOKEN_URL",
        default: "https://oauth2.googleapis.com/token",
        meaning: "where access tokens are given out",
        check: |text| {
            let rule = "an https address (http only on this machine)";
            TokenUrl::parse(text).is_none().then_some(rule)
        },
    },
    SourceSetting {
        name: "QUOTA",
        default: "new",
        meaning: "the prices and limits of the project: new, or legacy where it used the API before May 2026",
        check: |text| Quota::parse(text).is_none().then_some("new or legacy"),
    },
    SourceSetting {
        name: "BODIES",
        default: "off",
        meaning: "whether texts and attachments' names are read: off (headers only), full, or raw",
        check: |text| Bodies::parse(text).is_none().then_some("off, full or raw"),
    },
];

/// Whether and how the texts of messages are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// Headers only, with the scope `gmail.metadata`.
    Off,
    /// As the tree of parts.
    Full,
    /// As the text that was sent.
    Raw,
}

impl Bodies {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self::Off),
            "full" => Some(Self::Full),
            "raw" => Some(Self::Raw),
            _ => None,
        }
    }

    /// Returns the API's name of the format that is asked for.
    pub(crate) fn format(self) -> &'static str {
        match self {
            Self::Off => "metadata",
            Self::Full => "full",
            Self::Raw => "raw",
        }
    }

    /// Returns the least scope that suffices.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Off => "https://www.googleapis.com/auth/gmail.metadata",
            Self::Full | Self::Raw => "https://www.googleapis.com/auth/gmail.readonly",
        }
    }
}

/// Where access tokens are given out.
#[derive(Debug, Clone)]
pub(crate) struct TokenUrl {
    pub(crate) origin: String,
    pub(crate) path: String,
}

impl TokenUrl {
    fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_loopback = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
        let is_plain =
            url.username().is_empty() && url.password().is_none() && url.query().is_none();
        (is_safe && is_plain).then(|| Self {
            origin: url.origin().ascii_serialization(),
            path: url.path().to_owned(),
        })
    }
}

/// The settings, read.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) mailboxes: Vec<String>,
    pub(crate) token_url: TokenUrl,
    pub(crate) quota: Quota,
    pub(crate) bodies: Bodies,
}

impl Settings {
    pub(crate) fn read(given: &SourceSettings) -> Result<Self> {
        let value = |name| given.value(name);
        let wrong = |name| {
            Error::new(Code::ConfigInvalid, "read settings")
                .with("setting", format!("SALESYNC_GMAIL_{name}"))
        };
        Ok(Self {
            mailboxes: addresses(value("MAILBOXES")).ok_or_else(|| wrong("MAILBOXES"))?,
            token_url: TokenUrl::parse(value("TOKEN_URL")).ok_or_else(|| wrong("TOKEN_URL"))?,
            quota: Quota::parse(value("QUOTA")).ok_or_else(|| wrong("QUOTA"))?,
            bodies: Bodies::parse(value("BODIES")).ok_or_else(|| wrong("BODIES"))?,
        })
    }
}

/// Reads addresses with commas between them, in lower case, each once; `None` where one is none.
fn addresses(text: &str) -> Option<Vec<String>> {
    let mut addresses: Vec<String> = Vec::new();
    for part in text.split([',', ' ', '\n']).map(str::trim) {
        if part.is_empty() {
            continue;
        }
        let (local, domain) = part.split_once('@')?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"@/?#".contains(c);
        if local.is_empty() || domain.is_empty() || part.replacen('@', "", 1).contains(odd) {
            return None;
        }
        let address = part.to_lowercase();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Some(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_addresses_each_named_once() {
        let cases = [
            ("", Some(vec![])),
            ("ada@x.example", Some(vec!["ada@x.example"])),
            (
                " Ada@x.example, bo@x.example,ada@X.example,",
                Some(vec!["ada@x.example", "bo@x.example"]),
            ),
            ("ada", None),
            ("ada@", None),
            ("ada@x@y", None),
            ("Ada <ada@x.example>", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|it| it.into_iter().map(str::to_owned).collect());
            assert_eq!(addresses(text), expected, "{text}");
        }
    }

    #[test]
    fn a_wrong_value_breaks_its_own_rule_and_every_default_keeps_it() {
        for setting in SETTINGS {
            assert_eq!((setting.check)(setting.default), None, "{}", setting.name);
            assert!(
                (setting.check)("http://elsewhere.example/").is_some(),
                "{}",
                setting.name
            );
        }
        let url = TokenUrl::parse("http://127.0.0.1:8080/token").unwrap();
        assert_eq!(
            (url.origin.as_str(), url.path.as_str()),
            ("http://127.0.0.1:8080", "/token")
        );
    }
}
