//! Salesforce's token endpoint: client credentials, JWT bearer, refresh token with rotation.
//!
//! Of a JWT the claims are checked and its signature is not: whoever signs in here has whatever
//! key they like.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::server::{Answer, Asked};
use crate::{SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET, SALESFORCE_USERNAME, Vendor, World};

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// A JWT may end at most this far ahead, in seconds.
const JWT_AHEAD_MAX_SECS: i64 = 5 * 60;

/// Answers a request for a session.
pub(crate) fn token(world: &World, asked: &Asked) -> Answer {
    let mut form = asked.form();
    if let Some((id, secret)) = asked.basic() {
        form.push(("client_id".to_owned(), id));
        form.push(("client_secret".to_owned(), secret));
    }
    let given = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    match given("grant_type") {
        "client_credentials" => match client(given("client_id"), given("client_secret")) {
            Ok(()) => granted(world, asked, None),
            Err(refusal) => *refusal,
        },
        "refresh_token" => match client(given("client_id"), given("client_secret")) {
            Ok(()) => refreshed(world, asked, given("refresh_token")),
            Err(refusal) => *refusal,
        },
        JWT_GRANT => {
            let now_secs = world.now_ms().div_euclid(1_000);
            match assertion(given("assertion"), &asked.origin, now_secs) {
                Ok(()) => granted(world, asked, None),
                Err(refusal) => *refusal,
            }
        }
        _ => refused("unsupported_grant_type", "grant type not supported"),
    }
}

fn refreshed(world: &World, asked: &Asked, refresh: &str) -> Answer {
    let rotated = world.desk().logins.rotate(refresh);
    match rotated {
        Some(next) => granted(world, asked, Some(next)),
        None => refused("invalid_grant", "expired access/refresh token"),
    }
}

fn granted(world: &World, asked: &Asked, refresh: Option<String>) -> Answer {
    let now_ms = world.now_ms();
    let session = world.desk().logins.grant(Vendor::Salesforce, now_ms);
    let mut body = json!({
        "access_token": session,
        "instance_url": asked.origin,
        "id": format!("{}/id/00D5f000000sandbox/0055fAA00000001", asked.origin),
        "token_type": "Bearer",
        "scope": "api",
        "issued_at": now_ms.to_string(),
        "signature": STANDARD.encode(session.as_bytes()),
    });
    if let (Some(refresh), Some(map)) = (refresh, body.as_object_mut()) {
        map.insert("refresh_token".to_owned(), Value::from(refresh));
    }
    Answer::json(200, &body)
}

fn client(id: &str, secret: &str) -> Result<(), Box<Answer>> {
    if id != SALESFORCE_CLIENT_ID {
        return Err(Box::new(refused(
            "invalid_client_id",
            "client identifier invalid",
        )));
    }
    if secret != SALESFORCE_CLIENT_SECRET {
        return Err(Box::new(refused(
            "invalid_client",
            "invalid client credentials",
        )));
    }
    Ok(())
}

fn assertion(token: &str, origin: &str, now_secs: i64) -> Result<(), Box<Answer>> {
    let grant = |message: &str| Err(Box::new(refused("invalid_grant", message)));
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return grant("invalid assertion");
    };
    let (Some(header), Some(claims)) = (part(header), part(claims)) else {
        return grant("invalid assertion");
    };
    if header.get("alg").and_then(Value::as_str) != Some("RS256") || signature.is_empty() {
        return grant("invalid assertion");
    }
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if claim("iss") != SALESFORCE_CLIENT_ID {
        return Err(Box::new(refused(
            "invalid_client_id",
            "client identifier invalid",
        )));
    }
    let hosts = [
        "https://login.salesforce.com",
        "https://test.salesforce.com",
        origin,
    ];
    if !hosts.contains(&claim("aud").trim_end_matches('/')) {
        return grant("audience is invalid");
    }
    if claim("sub") != SALESFORCE_USERNAME {
        return grant("user hasn't approved this consumer");
    }
    match claims.get("exp").and_then(Value::as_i64) {
        Some(end) if end > now_secs && end <= now_secs.saturating_add(JWT_AHEAD_MAX_SECS) => Ok(()),
        _ => grant("assertion is not valid: exp"),
    }
}

fn part(encoded: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn refused(error: &str, description: &str) -> Answer {
    Answer::json(
        400,
        &json!({"error": error, "error_description": description}),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_must_name_client_user_host_and_a_near_end() {
        let check = |iss: &str, sub: &str, aud: &str, exp: i64| {
            let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let claims = json!({"iss": iss, "sub": sub, "aud": aud, "exp": exp});
            let token = format!(
                "{}.{}.c2ln",
                encode(json!({"alg": "RS256"})),
                encode(claims)
            );
            assertion(&token, "http://127.0.0.1:9", 1_000).map_err(|refusal| refusal.body)
        };
        let (iss, sub, aud) = (
            SALESFORCE_CLIENT_ID,
            SALESFORCE_USERNAME,
            "https://login.salesforce.com",
        );
        assert_eq!(check(iss, sub, aud, 1_180), Ok(()));
        assert_eq!(check(iss, sub, "http://127.0.0.1:9/", 1_180), Ok(()));
        for (wrong, word) in [
            (check("x", sub, aud, 1_180), "invalid_client_id"),
            (check(iss, "x", aud, 1_180), "approved"),
            (check(iss, sub, "x", 1_180), "audience"),
            (check(iss, sub, aud, 1_000), "exp"),
            (check(iss, sub, aud, 9_000), "exp"),
        ] {
            assert!(
                wrong.clone().is_err_and(|body| body.contains(word)),
                "{wrong:?}"
            );
        }
    }
}
