//! The secret document: which of the three logins it is for, and whether it was ever filled in.

use salesync_core::error::{Code, Error, Result};
use salesync_core::secret::Secret;
use serde_json::{Map, Value};

use crate::login::SECRET;

/// What a secret document holds. Its `Debug` shows no value.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// An app that acts as its integration user.
    Client {
        client_id: Secret,
        client_secret: Secret,
    },
    /// An app that signs for a user.
    Assertion {
        client_id: Secret,
        username: Secret,
        private_key_pem: Secret,
    },
    /// An app that a user has approved.
    Refresh {
        client_id: Secret,
        client_secret: Secret,
        refresh_token: Secret,
    },
}

impl Credentials {
    /// Reads a secret document.
    ///
    /// # Errors
    /// [`Code::ConfigSecretPlaceholder`] with the field that was never filled in, [`Code::ConfigInvalid`]
    /// with the fields that are missing.
    pub(crate) fn parse(secret: &Secret) -> Result<Self> {
        let document = document(secret)?;
        let holds = |name| document.contains_key(name);
        let names: [&'static str; 3] = if holds("private_key_pem") || holds("username") {
            ["client_id", "username", "private_key_pem"]
        } else if holds("refresh_token") {
            ["client_id", "client_secret", "refresh_token"]
        } else {
            ["client_id", "client_secret", ""]
        };
        let missing: Vec<_> = names
            .into_iter()
            .filter(|name| !name.is_empty() && !holds(name))
            .collect();
        if !missing.is_empty() {
            return Err(invalid().with("missing", missing.join(", ")));
        }
        let [first, second, third] = names;
        let (client_id, middle) = (field(&document, first)?, field(&document, second)?);
        Ok(match third {
            "private_key_pem" => {
                let private_key_pem = field(&document, third)?;
                Self::Assertion {
                    client_id,
                    username: middle,
                    private_key_pem,
                }
            }
            "refresh_token" => {
                let refresh_token = field(&document, third)?;
                Self::Refresh {
                    client_id,
                    client_secret: middle,
                    refresh_token,
                }
            }
            _ => Self::Client {
                client_id,
                client_secret: middle,
            },
        })
    }
}

/// Returns the document with a new refresh token in the place of the old; `None` where it is the same.
///
/// # Errors
/// [`Code::ConfigInvalid`] where the document is none.
pub(crate) fn rotated(secret: &Secret, refresh_token: &Secret) -> Result<Option<Secret>> {
    let mut document = document(secret)?;
    match document.get_mut("refresh_token") {
        Some(held) if held.as_str() != Some(refresh_token.expose()) => {
            *held = Value::from(refresh_token.expose());
            Ok(Some(Secret::new(Value::Object(document).to_string())))
        }
        _ => Ok(None),
    }
}

fn invalid() -> Error {
    Error::new(Code::ConfigInvalid, "read a secret").with("secret", SECRET)
}

fn placeholder(field: &str) -> Error {
    Error::new(Code::ConfigSecretPlaceholder, "read a secret")
        .with("secret", SECRET)
        .with("field", field)
}

fn document(secret: &Secret) -> Result<Map<String, Value>> {
    if is_placeholder(secret.expose()) {
        return Err(placeholder("all"));
    }
    // The parser's own message would quote the secret.
    serde_json::from_str(secret.expose()).map_err(|_| invalid().with("rule", "a JSON object"))
}

fn field(document: &Map<String, Value>, name: &'static str) -> Result<Secret> {
    match document.get(name).and_then(Value::as_str) {
        None => Err(invalid().with("field", name).with("rule", "text")),
        Some(text) if is_placeholder(text) => Err(placeholder(name)),
        Some(text) => Ok(Secret::new(text.trim())),
    }
}

/// Returns whether a text only stands where a secret will be.
fn is_placeholder(text: &str) -> bool {
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    let (angled, text) = (text.trim().starts_with('<'), text.trim());
    let words = [
        "replaceme",
        "changeme",
        "placeholder",
        "todo",
        "fixme",
        "tbd",
        "yoursecret",
        "xxx",
    ];
    text.is_empty() || (angled && text.ends_with('>')) || words.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_says_which_login_it_is_for() {
        let parsed = |text: &str| format!("{:?}", Credentials::parse(&Secret::new(text)).unwrap());
        let cases = [
            (r#"{"client_id":"a","client_secret":"b"}"#, "Client"),
            (
                r#"{"client_id":"a","username":"b","private_key_pem":"c"}"#,
                "Assertion",
            ),
            (
                r#"{"client_id":"a","client_secret":"b","refresh_token":"c"}"#,
                "Refresh",
            ),
        ];
        for (text, kind) in cases {
            assert!(parsed(text).starts_with(kind), "{text}");
        }
    }

    #[test]
    fn a_document_of_another_shape_is_refused_by_name_and_without_its_values() {
        let cases = [
            ("", Code::ConfigSecretPlaceholder, "all"),
            ("REPLACE_ME", Code::ConfigSecretPlaceholder, "all"),
            (
                r#"{"client_id":"hunter2","client_secret":"REPLACE_ME"}"#,
                Code::ConfigSecretPlaceholder,
                "client_secret",
            ),
            (
                r#"{"client_id":"changeme","client_secret":"hunter2"}"#,
                Code::ConfigSecretPlaceholder,
                "client_id",
            ),
            (
                r#"{"client_id":"hunter2","client_secret":" "}"#,
                Code::ConfigSecretPlaceholder,
                "client_secret",
            ),
            (
                r#"{"client_id":"<client id>","client_secret":"hunter2"}"#,
                Code::ConfigSecretPlaceholder,
                "client_id",
            ),
            (
                "{}",
                Code::ConfigInvalid,
                "missing: client_id, client_secret",
            ),
            (
                r#"{"client_id":"hunter2"}"#,
                Code::ConfigInvalid,
                "missing: client_secret",
            ),
            (
                r#"{"client_id":"hunter2","username":"u"}"#,
                Code::ConfigInvalid,
                "missing: private_key_pem",
            ),
            (
                r#"{"refresh_token":"hunter2"}"#,
                Code::ConfigInvalid,
                "missing: client_id, client_secret",
            ),
            (
                r#"{"client_id":1,"client_secret":"hunter2"}"#,
                Code::ConfigInvalid,
                "client_id",
            ),
            ("hunter2", Code::ConfigInvalid, "a JSON object"),
            ("[\"hunter2\"]", Code::ConfigInvalid, "a JSON object"),
        ];
        for (text, code, part) in cases {
            let error = Credentials::parse(&Secret::new(text)).unwrap_err();
            assert_eq!(error.code(), code, "{text}");
            assert!(error.to_string().contains(part), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_rotated_token_takes_the_old_ones_place_and_nothing_else_changes() {
        let old =
            Secret::new(r#"{"client_id":"a","client_secret":"b","refresh_token":"c","note":"d"}"#);
        let new = rotated(&old, &Secret::new("e")).unwrap().unwrap();
        let document: Value = serde_json::from_str(new.expose()).unwrap();
        let expected = r#"{"client_id":"a","client_secret":"b","refresh_token":"e","note":"d"}"#;
        assert_eq!(document, serde_json::from_str::<Value>(expected).unwrap());
        assert!(rotated(&old, &Secret::new("c")).unwrap().is_none());
    }
}
