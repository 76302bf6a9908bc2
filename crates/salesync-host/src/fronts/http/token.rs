//! Tokens: a JWT that the issuer has signed for this service, of the one identity that may ask.
//!
//! Cloud Run checks the signature of a token itself where a service is open to some identities only, and puts a fixed text
//! in its place, so that nobody can use the token again elsewhere. Such a token is taken on its claims, and only where a
//! setting says that the platform checks: anybody can write that text.

use std::time::Duration;

use jsonwebtoken::dangerous::insecure_decode_claims;
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

/// What Cloud Run puts in the place of a signature that it has checked.
const REMOVED: &str = ".SIGNATURE_REMOVED_BY_GOOGLE";

/// Judges tokens.
pub(super) struct Tokens {
    choice: IdentityChoice,
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

/// The claims of a token without its signature, of which the library judges none.
#[derive(Deserialize)]
struct Unsigned {
    iss: String,
    aud: String,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(flatten)]
    claims: Claims,
}

impl Tokens {
    pub(super) fn new(choice: IdentityChoice) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = SKEW.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_audience(&[&choice.audience]);
        validation.set_issuer(&issuers(&choice));
        Self {
            validation,
            keys: Keys::new(choice.keys_url.clone()),
            choice,
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
        let claims = match self.choice.platform_checks && token.ends_with(REMOVED) {
            true => self.unsigned(token)?,
            false => self.signed(token, header.kid).await?,
        };
        let now = now();
        let end = seconds(claims.exp);
        let begun = claims.iat.is_none_or(|iat| seconds(iat) <= now.plus(SKEW));
        if !begun || end > now.plus(LONGEST_LIFE) {
            return Err(invalid("it has begun, and ends within a day"));
        }
        if !claims.email_verified || claims.email.as_ref() != Some(&self.choice.email) {
            return Err(Error::new(Code::AuthForbidden, "see who asks"));
        }
        Ok(Grant {
            mark: Mark::of(&[token.as_bytes()]),
            // So long it would still be taken.
            end: end.plus(SKEW + SKEW),
        })
    }

    /// Returns the claims of a token that the issuer has signed.
    async fn signed(&self, token: &str, key_id: Option<String>) -> Result<Claims> {
        let key_id = key_id.ok_or_else(|| invalid("it names its key"))?;
        let key = self.keys.get(&key_id).await?;
        let key = key.ok_or_else(|| invalid("its key is the issuer's"))?;
        let read = decode::<Claims>(token, &key, &self.validation);
        Ok(read.map_err(|error| invalid(rule(error.kind())))?.claims)
    }

    /// Returns the claims of a token whose signature the platform has checked.
    fn unsigned(&self, token: &str) -> Result<Claims> {
        let read = insecure_decode_claims::<Unsigned>(token);
        let read = read.map_err(|error| invalid(rule(error.kind())))?;
        let now = now();
        let rules = [
            (read.aud == self.choice.audience, ErrorKind::InvalidAudience),
            (
                issuers(&self.choice).contains(&read.iss.as_str()),
                ErrorKind::InvalidIssuer,
            ),
            (
                seconds(read.claims.exp).plus(SKEW) > now,
                ErrorKind::ExpiredSignature,
            ),
            (
                read.nbf.is_none_or(|nbf| seconds(nbf) <= now.plus(SKEW)),
                ErrorKind::ImmatureSignature,
            ),
        ];
        match rules.into_iter().find(|(is_kept, _)| !is_kept) {
            Some((_, broken)) => Err(invalid(rule(&broken))),
            None => Ok(read.claims),
        }
    }
}

/// Returns what the issuer calls itself: Google does with and without the scheme.
fn issuers(choice: &IdentityChoice) -> [&str; 2] {
    let issuer = choice.issuer.as_str();
    [issuer, issuer.trim_start_matches("https://")]
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
