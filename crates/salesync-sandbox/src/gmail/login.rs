//! Google's token endpoint: a service account's JWT for one mailbox, or a user's refresh token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Value, json};

use super::desk::{Grant, Reach};
use crate::server::{Answer, Asked};
use crate::world::Standing;
use crate::{
    GMAIL_CLIENT_EMAIL, GMAIL_CLIENT_ID, GMAIL_CLIENT_SECRET, GMAIL_REFRESH_TOKEN, GMAIL_TOKEN_URI,
    Vendor, World, credentials,
};

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";
const READONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";
/// A JWT lives at most this long, in seconds.
const JWT_LIFE_MAX_SECS: i64 = 3_600;
/// The caller's clock may be this far off, in seconds.
const SKEW_MAX_SECS: i64 = 300;

type Refusal = Box<Answer>;

/// Answers a request for a token.
pub(crate) fn token(world: &World, asked: &Asked) -> Answer {
    let form = asked.form();
    let given = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let granted = match given("grant_type") {
        JWT_GRANT => from_assertion(world, asked, given("assertion")),
        "refresh_token" => from_refresh(world, given),
        "" => refuse(
            400,
            "invalid_request",
            "Missing required parameter: grant_type",
        ),
        other => refuse(
            400,
            "unsupported_grant_type",
            &format!("Invalid grant_type: {other}"),
        ),
    };
    match granted {
        Ok((grant, scope)) => give(world, grant, &scope),
        Err(refusal) => *refusal,
    }
}

fn give(world: &World, grant: Grant, scope: &str) -> Answer {
    let now_ms = world.now_ms();
    let mut desk = world.desk();
    let token = desk.logins.grant(Vendor::Gmail, now_ms);
    desk.gmail.grant(token.clone(), grant);
    let life_secs = desk.logins.gmail_ttl_ms() / 1_000;
    Answer::json(
        200,
        &json!({
            "access_token": token,
            "expires_in": life_secs - 1,
            "token_type": "Bearer",
            "scope": scope,
        }),
    )
}

/// What a list of scopes lets see: where `gmail.metadata` is among them, it narrows the others.
fn reach(scopes: &str) -> Option<Reach> {
    let mut found = None;
    for scope in scopes.split_whitespace() {
        match scope {
            METADATA => found = Some(Reach::Metadata),
            READONLY => found = found.or(Some(Reach::Bodies)),
            _ => return None,
        }
    }
    found
}

fn from_refresh<'a>(
    world: &World,
    given: impl Fn(&str) -> &'a str,
) -> Result<(Grant, String), Refusal> {
    if given("client_id") != GMAIL_CLIENT_ID {
        return refuse(401, "invalid_client", "The OAuth client was not found.");
    }
    if given("client_secret") != GMAIL_CLIENT_SECRET {
        return refuse(401, "invalid_client", "Unauthorized");
    }
    if given("refresh_token") != GMAIL_REFRESH_TOKEN || world.desk().gmail.refresh_revoked {
        return refuse(400, "invalid_grant", "Token has been expired or revoked.");
    }
    // The user has agreed to both scopes; the caller may ask for one of them.
    let scope = match given("scope") {
        "" => READONLY,
        narrower => narrower,
    };
    match (reach(scope), world.gmail().boxes.is_empty()) {
        (Some(reach), false) => Ok((
            Grant {
                place: Some(0),
                reach,
            },
            scope.to_owned(),
        )),
        _ => refuse(400, "invalid_scope", "Some requested scopes were invalid."),
    }
}

fn from_assertion(
    world: &World,
    asked: &Asked,
    assertion: &str,
) -> Result<(Grant, String), Refusal> {
    let claims = signed_claims(assertion)?;
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if claim("iss") != GMAIL_CLIENT_EMAIL {
        return refuse(400, "invalid_grant", "Invalid grant: account not found");
    }
    if ![GMAIL_TOKEN_URI, &format!("{}/token", asked.origin)].contains(&claim("aud")) {
        return refuse(
            400,
            "invalid_grant",
            "Invalid JWT: aud is not the token URI",
        );
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now_secs = world.now_ms().div_euclid(1_000);
    let timely = match (time("iat"), time("exp")) {
        (Some(from), Some(to)) => {
            to > from
                && to - from <= JWT_LIFE_MAX_SECS
                && from <= now_secs + SKEW_MAX_SECS
                && to > now_secs - SKEW_MAX_SECS
        }
        _ => false,
    };
    if !timely {
        return refuse(
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
             timeframe. Check your iat and exp values in the JWT claim.",
        );
    }
    let scope = claim("scope");
    if scope.is_empty() {
        return refuse(400, "invalid_scope", "Empty or missing scope not allowed.");
    }
    let sub = claim("sub");
    let side = world.gmail();
    let place = match side.place(sub) {
        _ if sub.is_empty() => None,
        None => return refuse(400, "invalid_grant", "Invalid email or User ID"),
        Some(place) => Some(place),
    };
    let refused = place
        .and_then(|place| side.boxes.get(place))
        .is_some_and(|mailbox| mailbox.standing == Standing::DelegationRefused);
    match reach(scope) {
        Some(reach) if !refused => Ok((Grant { place, reach }, scope.to_owned())),
        _ => refuse(
            401,
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not \
             authorized for any of the scopes requested.",
        ),
    }
}

/// The claims of a JWT that the sandbox's service account has signed.
fn signed_claims(assertion: &str) -> Result<Value, Refusal> {
    let malformed = || refuse(400, "invalid_grant", "Bad Request");
    let Some((message, signature)) = assertion.rsplit_once('.') else {
        return malformed();
    };
    let Some((Some(header), Some(claims))) = message
        .split_once('.')
        .map(|(header, claims)| (part(header), part(claims)))
    else {
        return malformed();
    };
    let verified = DecodingKey::from_rsa_pem(credentials::GMAIL_PUBLIC_KEY.as_bytes())
        .and_then(|key| {
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, Algorithm::RS256)
        })
        .unwrap_or(false);
    if header.get("alg").and_then(Value::as_str) != Some("RS256") || !verified {
        return refuse(400, "invalid_grant", "Invalid JWT Signature.");
    }
    Ok(claims)
}

fn part(encoded: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn refuse<T>(status: u16, error: &str, description: &str) -> Result<T, Refusal> {
    Err(Box::new(Answer::json(
        status,
        &json!({"error": error, "error_description": description}),
    )))
}
