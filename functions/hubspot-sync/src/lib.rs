//! HubSpot as a source: contacts, companies, deals, calls, e-mails, meetings, notes and tasks with every property
//! that the account has, and owners.
//!
//! What is true of HubSpot and of no other vendor is here: how it is asked ([`crate::SOURCE`]), how it counts,
//! how it refuses. The README beside this crate says which permissions the login needs.

mod associations;
mod client;
mod crm;
mod deals;
mod decode;
mod interactions;
mod objects;
mod owners;
mod page;
mod place;
mod properties;
mod records;
mod text;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::resolve::{ColumnField, EntityKind};
use salesync_core::source::{IdentityColumns, Source, SourceDefinition, SourceSettings, Stream};
use salesync_core::time::Timestamp;
use salesync_http::{Client, Request};

use crate::crm::CrmStream;
use crate::owners::OwnerStream;

/// HubSpot, as the host knows it.
pub const SOURCE: SourceDefinition = SourceDefinition {
    name: "hubspot",
    streams: &[
        "contacts",
        "companies",
        "deals",
        "calls",
        "emails",
        "meetings",
        "notes",
        "tasks",
        "owners",
    ],
    brought: &[],
    after: &[],
    settings: &[],
    base_url: "https://api.hubapi.com",
    identities: &[
        IdentityColumns {
            columns: &[
                (ColumnField::FirstName, "firstname"),
                (ColumnField::LastName, "lastname"),
                (ColumnField::Email, "email"),
                (ColumnField::Phone, "phone"),
                (ColumnField::Phone, "mobilephone"),
                (ColumnField::Company, "company"),
                (ColumnField::Title, "jobtitle"),
                (ColumnField::City, "city"),
                (ColumnField::Country, "country"),
            ],
            employer: Some(("associatedcompanyid", "companies")),
            ..IdentityColumns::of("contacts", EntityKind::Person)
        },
        IdentityColumns {
            columns: &[
                (ColumnField::Name, "name"),
                (ColumnField::Website, "domain"),
                (ColumnField::Website, "website"),
                (ColumnField::Website, "hs_additional_domains"),
                (ColumnField::Phone, "phone"),
                (ColumnField::City, "city"),
                (ColumnField::Country, "country"),
            ],
            ..IdentityColumns::of("companies", EntityKind::Company)
        },
    ],
    interactions: interactions::INTERACTIONS,
    ours: interactions::OURS,
    deals: deals::DEALS,
    connect,
};

/// Returns HubSpot; nothing is sent before it is used.
fn connect(settings: SourceSettings) -> Result<Arc<dyn Source>> {
    Ok(Arc::new(HubSpot {
        http: Arc::new(client::connect(settings)?),
    }))
}

/// One HubSpot account.
struct HubSpot {
    http: Arc<Client>,
}

#[async_trait]
impl Source for HubSpot {
    async fn check(&self) -> Result<()> {
        let request = Request::get("check the login", "/crm/v3/objects/contacts", client::API)
            .query("limit", 1);
        self.http
            .read(&request, |answer| page::Listed::read(answer).map(drop))
            .await
    }

    async fn open(&self, stream: &str, _part: Option<&str>) -> Result<Arc<dyn Stream>> {
        let http = Arc::new(self.http.for_stream());
        if stream == owners::STREAM {
            return Ok(Arc::new(OwnerStream::open(http)?));
        }
        let Some(object) = objects::OBJECTS
            .iter()
            .find(|object| object.stream == stream)
        else {
            return Err(
                Error::new(Code::RequestInvalid, "open a stream").with("source", SOURCE.name)
            );
        };
        Ok(Arc::new(CrmStream::open(http, object).await?))
    }

    fn clock(&self) -> Timestamp {
        self.http.clock()
    }
}

impl fmt::Debug for HubSpot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HubSpot").field(&self.http).finish()
    }
}

#[cfg(test)]
mod tests;
