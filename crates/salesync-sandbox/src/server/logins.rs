//! The tokens that were given out.

use std::collections::HashMap;

use crate::{
    DIALPAD_API_KEY, DIALPAD_REFRESH_TOKEN, HUBSPOT_TOKEN, SALESFORCE_REFRESH_TOKEN, Vendor,
};

/// What a bearer token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// A key that never expires: HubSpot's private-app token, Dialpad's API key.
    PrivateApp,
    /// A token that was given out and is still good.
    Granted,
    /// A token that ended at this instant.
    Expired(i64),
    /// No token of ours.
    Unknown,
}

/// The tokens that were given out.
#[derive(Debug)]
pub(crate) struct Logins {
    ttl_ms: i64,
    tokens: HashMap<(Vendor, String), i64>,
    made: u64,
    salesforce_refresh: String,
    dialpad_refresh: String,
}

impl Logins {
    /// Starts with no tokens.
    pub(crate) fn new(ttl_ms: i64) -> Self {
        Self {
            ttl_ms,
            tokens: HashMap::new(),
            made: 0,
            salesforce_refresh: SALESFORCE_REFRESH_TOKEN.to_owned(),
            dialpad_refresh: DIALPAD_REFRESH_TOKEN.to_owned(),
        }
    }

    /// How long a token lives.
    pub(crate) fn ttl_ms(&self) -> i64 {
        self.ttl_ms
    }

    /// How long a token of Gmail's lives.
    pub(crate) fn gmail_ttl_ms(&self) -> i64 {
        self.ttl_ms.saturating_mul(2)
    }

    /// Gives out an access token.
    pub(crate) fn grant(&mut self, vendor: Vendor, now_ms: i64) -> String {
        let number = self.count();
        let token = match vendor {
            Vendor::HubSpot => format!("sandbox-access-{number}-{now_ms:x}"),
            Vendor::Salesforce => format!("00D5f000000sandbox!AQ.{number}.{now_ms:x}"),
            Vendor::Gmail => format!("ya29.sandbox-{number}-{now_ms:x}"),
            Vendor::Dialpad => format!("sandbox-dialpad-access-{number}-{now_ms:x}"),
        };
        let life_ms = match vendor {
            Vendor::Gmail => self.gmail_ttl_ms(),
            _ => self.ttl_ms,
        };
        let end_ms = now_ms.saturating_add(life_ms);
        self.tokens.insert((vendor, token.clone()), end_ms);
        token
    }

    /// Says what a token opens. At Salesforce, using a session extends it.
    pub(crate) fn check(&mut self, vendor: Vendor, token: &str, now_ms: i64) -> Access {
        if vendor == Vendor::HubSpot && token == HUBSPOT_TOKEN {
            return Access::PrivateApp;
        }
        if vendor == Vendor::Dialpad && token == DIALPAD_API_KEY {
            return Access::PrivateApp;
        }
        let ttl_ms = self.ttl_ms;
        match self.tokens.get_mut(&(vendor, token.to_owned())) {
            None => Access::Unknown,
            Some(end_ms) if *end_ms <= now_ms => Access::Expired(*end_ms),
            Some(end_ms) => {
                if vendor == Vendor::Salesforce {
                    *end_ms = now_ms.saturating_add(ttl_ms);
                }
                Access::Granted
            }
        }
    }

    /// Ends all tokens of a vendor.
    pub(crate) fn expire(&mut self, vendor: Vendor, now_ms: i64) {
        for ((whose, _), end_ms) in &mut self.tokens {
            if *whose == vendor {
                *end_ms = now_ms;
            }
        }
    }

    /// Trades Salesforce's refresh token for the next one; none if it is not the living one.
    pub(crate) fn rotate(&mut self, refresh: &str) -> Option<String> {
        if refresh != self.salesforce_refresh {
            return None;
        }
        self.salesforce_refresh = format!("{SALESFORCE_REFRESH_TOKEN}.{}", self.count());
        Some(self.salesforce_refresh.clone())
    }

    /// Trades Dialpad's refresh token for the next one; none if it is not the living one.
    pub(crate) fn rotate_dialpad(&mut self, refresh: &str) -> Option<String> {
        if refresh != self.dialpad_refresh {
            return None;
        }
        self.dialpad_refresh = format!("{DIALPAD_REFRESH_TOKEN}-{}", self.count());
        Some(self.dialpad_refresh.clone())
    }

    fn count(&mut self) -> u64 {
        self.made = self.made.saturating_add(1);
        self.made
    }
}
