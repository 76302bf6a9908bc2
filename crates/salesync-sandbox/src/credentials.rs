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
/// The company admin's API key at Dialpad; it never expires.
pub const DIALPAD_API_KEY: &str = "sandbox-dialpad-api-key";
/// The OAuth app's id at Dialpad.
pub const DIALPAD_CLIENT_ID: &str = "sandbox-dialpad-client";
/// The OAuth app's secret at Dialpad.
pub const DIALPAD_CLIENT_SECRET: &str = "sandbox-dialpad-client-secret";
/// The first refresh token at Dialpad: using it gives a new one, and this one dies.
pub const DIALPAD_REFRESH_TOKEN: &str = "sandbox-dialpad-refresh";
/// The user in whose name a JWT signs in (`sub`).
pub const SALESFORCE_USERNAME: &str = "integration@sandbox.example";
/// The service account at Google (`iss`); it may act for every mailbox of the team.
pub const GMAIL_CLIENT_EMAIL: &str = "sync@sandbox-project.iam.gserviceaccount.com";
/// Where Google gives out tokens, as the service account's key names it.
pub const GMAIL_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// The OAuth app's id at Google.
pub const GMAIL_CLIENT_ID: &str = "sandbox-gmail-client.apps.googleusercontent.com";
/// The OAuth app's secret at Google.
pub const GMAIL_CLIENT_SECRET: &str = "sandbox-gmail-client-secret";
/// The refresh token at Google, for the first mailbox; it stays valid when used.
pub const GMAIL_REFRESH_TOKEN: &str = "1//sandbox-gmail-refresh";
/// What the service account's signatures are checked with.
pub(crate) const GMAIL_PUBLIC_KEY: &str = include_str!("../keys/sandbox_only_public.pem");

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

/// Gives the service account's key file for Gmail, as Google's console hands it out.
#[must_use]
pub fn gmail_secret() -> String {
    // The key opens nothing but this sandbox. It lies without its armour, lest it be taken for more.
    let private_key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----\n",
        include_str!("../keys/sandbox_only_key.txt")
    );
    json!({
        "type": "service_account",
        "project_id": "sandbox-project",
        "private_key_id": "5a1e5bc05a1e5bc05a1e5bc05a1e5bc05a1e5bc0",
        "private_key": private_key,
        "client_email": GMAIL_CLIENT_EMAIL,
        "client_id": "100000000000000000001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": GMAIL_TOKEN_URI,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "universe_domain": "googleapis.com",
    })
    .to_string()
}

/// Gives the secret document for Google's refresh-token grant, for the first mailbox.
#[must_use]
pub fn gmail_refresh_secret() -> String {
    json!({
        "type": "authorized_user",
        "client_id": GMAIL_CLIENT_ID,
        "client_secret": GMAIL_CLIENT_SECRET,
        "refresh_token": GMAIL_REFRESH_TOKEN,
    })
    .to_string()
}

/// Gives the secret document with Dialpad's API key.
#[must_use]
pub fn dialpad_secret() -> String {
    json!({"api_key": DIALPAD_API_KEY}).to_string()
}

/// Gives the secret document for Dialpad's refresh-token grant. It works once per sandbox: the
/// grant rotates the token.
#[must_use]
pub fn dialpad_refresh_secret() -> String {
    json!({
        "client_id": DIALPAD_CLIENT_ID,
        "client_secret": DIALPAD_CLIENT_SECRET,
        "refresh_token": DIALPAD_REFRESH_TOKEN,
    })
    .to_string()
}
