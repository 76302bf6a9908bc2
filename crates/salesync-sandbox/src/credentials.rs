//! The credentials that the sandbox accepts, and the secret documents that hold them.

use serde_json::json;

/// The private-app token; it never expires.
pub const HUBSPOT_TOKEN: &str = "pat-na1-5a1e5bc0-0000-4000-8000-00000000b0c5";
/// The OAuth app's id at HubSpot.
pub const HUBSPOT_CLIENT_ID: &str = "sandbox-hubspot-client";
/// The OAuth app's secret at HubSpot.
pub const HUBSPOT_CLIENT_SECRET: &str = "sandbox-hubspot-client-secret";
/// The refresh token at HubSpot; it stays valid when used.
pub const HUBSPOT_REFRESH_TOKEN: &str = "sandbox-hubspot-refresh";
/// The connected app's consumer key at Salesforce.
pub const SALESFORCE_CLIENT_ID: &str = "3MVG9sandbox.salesforce.client";
/// The connected app's consumer secret at Salesforce.
pub const SALESFORCE_CLIENT_SECRET: &str = "sandbox-salesforce-client-secret";
/// The first refresh token at Salesforce: using it gives a new one, and this one dies.
pub const SALESFORCE_REFRESH_TOKEN: &str = "5Aep861.sandbox-salesforce-refresh";
/// The user in whose name a JWT signs in (`sub`).
pub const SALESFORCE_USERNAME: &str = "integration@sandbox.example";

/// Gives the secret document with the private-app token.
#[must_use]
pub fn hubspot_secret() -> String {
    json!({"private_app_token": HUBSPOT_TOKEN}).to_string()
}

/// Gives the secret document for HubSpot's refresh-token grant.
#[must_use]
pub fn hubspot_oauth_secret() -> String {
    json!({
        "client_id": HUBSPOT_CLIENT_ID,
        "client_secret": HUBSPOT_CLIENT_SECRET,
        "refresh_token": HUBSPOT_REFRESH_TOKEN,
    })
    .to_string()
}

/// Gives the secret document for Salesforce's client-credentials grant.
#[must_use]
pub fn salesforce_secret() -> String {
    json!({"client_id": SALESFORCE_CLIENT_ID, "client_secret": SALESFORCE_CLIENT_SECRET})
        .to_string()
}

/// Gives the secret document for Salesforce's refresh-token grant. It works once per sandbox: the
/// grant rotates the token.
#[must_use]
pub fn salesforce_refresh_secret() -> String {
    json!({
        "client_id": SALESFORCE_CLIENT_ID,
        "client_secret": SALESFORCE_CLIENT_SECRET,
        "refresh_token": SALESFORCE_REFRESH_TOKEN,
    })
    .to_string()
}
