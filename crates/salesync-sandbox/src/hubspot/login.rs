//! HubSpot's token endpoint: the refresh-token grant.

use serde_json::json;

use crate::server::{Answer, Asked};
use crate::{HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN, Vendor, World};

/// Answers a request for a token: a new access token each time, the same refresh token.
pub(crate) fn token(world: &World, asked: &Asked) -> Answer {
    let form = asked.form();
    let given = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    if given("grant_type") != Some("refresh_token") {
        return refused("BAD_GRANT_TYPE", "missing or unknown grant type");
    }
    if given("client_id") != Some(HUBSPOT_CLIENT_ID) {
        return refused("BAD_CLIENT_ID", "missing or unknown client id");
    }
    if given("client_secret") != Some(HUBSPOT_CLIENT_SECRET) {
        return refused("BAD_CLIENT_SECRET", "missing or invalid client secret");
    }
    if given("refresh_token") != Some(HUBSPOT_REFRESH_TOKEN) {
        return refused("BAD_REFRESH_TOKEN", "missing or invalid refresh token");
    }
    let now_ms = world.now_ms();
    let mut desk = world.desk();
    let access = desk.logins.grant(Vendor::HubSpot, now_ms);
    Answer::json(
        200,
        &json!({
            "token_type": "bearer",
            "access_token": access,
            "refresh_token": HUBSPOT_REFRESH_TOKEN,
            "expires_in": desk.logins.ttl_ms() / 1_000,
        }),
    )
}

fn refused(status: &str, message: &str) -> Answer {
    Answer::json(400, &json!({"status": status, "message": message}))
}
