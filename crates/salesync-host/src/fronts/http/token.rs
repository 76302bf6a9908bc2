//! Tokens: a JWT that the issuer has signed for this service, of the one identity that may ask.

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use salesync_core::error::{Code, Error, Result};
use salesync_core::time::Timestamp;
use serde::Deserialize;

use super::keys::Keys;
use super::used::Mark;
use crate::context::now;
use crate::settings::IdentityChoice;

/// Clocks may differ by so much.
const SKEW: Duration = Duration::from_secs(60);
/// A token that ends later than this is none of the issuer's: it would be good for too long if it were lost.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3_600);

/// Judges tokens.
pub(super) struct Tokens {
    email: String,
    validation: Validation,
    keys: Keys,
}

/// A good token: a hash of it, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) mark: Mark,
    pub(super) end: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
}

impl Tokens {
    pub(super) fn new(choice: IdentityChoice) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = SKEW.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_audience(&[&choice.audience]);
        // Google names itself with and without the scheme.
        let bare = choice.issuer.trim_start_matches("https://");
        validation.set_issuer(&[choice.issuer.as_str(), bare]);
        Self {
            email: choice.email,
            validation,
            keys: Keys::new(choice.keys_url),
        }
    }

    /// Returns what a good token grants.
    ///
    /// # Errors
    /// [`Code::AuthInvalid`] where it is not signed by the issuer, has ended, has not begun, or was made for another
    /// audience; [`Code::AuthForbidden`] where it is another identity's; or why the issuer's keys can't be had.
    pub(super) async fn check(&self, token: &str) -> Result<Grant> {
        let header = decode_header(token).map_err(|_| invalid("it is a JWT"))?;
        if header.alg != Algorithm::RS256 {
            return Err(invalid("it is signed with RS256"));
        }
        let key_id = header.kid.ok_or_else(|| invalid("it names its key"))?;
        let key = self.keys.get(&key_id).await?;
        let key = key.ok_or_else(|| invalid("its key is the issuer's"))?;
        let read = decode::<Claims>(token, &key, &self.validation);
        let claims = read.map_err(|error| invalid(rule(error.kind())))?.claims;
        let now = now();
        let end = seconds(claims.exp);
        let begun = claims.iat.is_none_or(|iat| seconds(iat) <= now.plus(SKEW));
        if !begun || end > now.plus(LONGEST_LIFE) {
            return Err(invalid("it has begun, and ends within a day"));
        }
        if !claims.email_verified || claims.email.as_ref() != Some(&self.email) {
            return Err(Error::new(Code::AuthForbidden, "see who asks"));
        }
        Ok(Grant {
            mark: Mark::of(&[token.as_bytes()]),
            // So long it would still be taken.
            end: end.plus(SKEW + SKEW),
        })
    }
}

fn seconds(secs: i64) -> Timestamp {
    Timestamp::from_millis(secs.saturating_mul(1_000))
}

/// Returns the rule that a token breaks. The library's own message could quote the token.
fn rule(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "it has not ended",
        ErrorKind::ImmatureSignature => "it has begun",
        ErrorKind::InvalidAudience => "its audience is this service",
        ErrorKind::InvalidIssuer => "its issuer is the one that is set",
        ErrorKind::InvalidSignature => "its issuer has signed it",
        _ => "it is whole",
    }
}

fn invalid(rule: &'static str) -> Error {
    Error::new(Code::AuthInvalid, "see who asks").with("rule", rule)
}
