//! Dialpad's token endpoint: the refresh-token grant, in JSON or as a form, with rotation.

use serde_json::{Value, json};

use crate::server::{Answer, Asked};
use crate::{DIALPAD_CLIENT_ID, DIALPAD_CLIENT_SECRET, Vendor, World};

/// Answers a request for a token: a new access token and a new refresh token each time.
pub(super) fn token(world: &World, asked: &Asked) -> Answer {
    let mut given = fields(asked);
    if let Some((id, secret)) = asked.basic() {
        given.push(("client_id".to_owned(), id));
        given.push(("client_secret".to_owned(), secret));
    }
    let field = |name: &str| {
        given
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let client = (field("client_id"), field("client_secret"));
    if client != (DIALPAD_CLIENT_ID, DIALPAD_CLIENT_SECRET) {
        return refused(401, "invalid_client");
    }
    if field("grant_type") != "refresh_token" {
        return refused(400, "unsupported_grant_type");
    }
    let now_ms = world.now_ms();
    let mut desk = world.desk();
    let Some(refresh) = desk.logins.rotate_dialpad(field("refresh_token")) else {
        return refused(400, "invalid_grant");
    };
    let access = desk.logins.grant(Vendor::Dialpad, now_ms);
    Answer::json(
        200,
        &json!({
            "access_token": access,
            "expires_in": desk.logins.ttl_ms() / 1_000,
            "refresh_token": refresh,
            "token_type": "bearer",
        }),
    )
}

fn fields(asked: &Asked) -> Vec<(String, String)> {
    let Some(Value::Object(map)) = asked.json() else {
        return asked.form();
    };
    map.into_iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .collect()
}

fn refused(status: u16, error: &str) -> Answer {
    Answer::json(status, &json!({"error": error}))
}
