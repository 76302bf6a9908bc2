//! Gmail, all mailboxes of it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use salesync_core::error::{Code, Error, Result};
use salesync_core::source::{Source, SourceSettings, Stream};
use salesync_core::time::Timestamp;
use salesync_http::Client;

use crate::client;
use crate::login::{Login, Logins};
use crate::mailbox::Mailbox;
use crate::settings::Settings;
use crate::stream::MailboxStream;
use crate::tables::Tables;

/// The mailboxes that one login leads to.
pub(crate) struct Gmail {
    settings: Settings,
    logins: Arc<Logins>,
    /// A client for no mailbox, from which those of the mailboxes are made.
    http: Client,
    tables: Arc<Tables>,
}

/// Returns Gmail; nothing is sent before it is used.
pub(crate) fn connect(given: SourceSettings) -> Result<Arc<dyn Source>> {
    let settings = Settings::read(&given)?;
    let logins = Arc::new(Logins::new(&settings, given.secrets, given.now)?);
    let nobody = Login {
        shared: Arc::clone(&logins),
        mailbox: String::new(),
    };
    Ok(Arc::new(Gmail {
        http: client::connect(&given.base_url, given.now, Arc::new(nobody))?,
        settings,
        logins,
        tables: Arc::new(Tables::new()?),
    }))
}

impl Gmail {
    fn mailbox(&self, address: &str) -> Result<Mailbox> {
        let login = Login {
            shared: Arc::clone(&self.logins),
            mailbox: address.to_owned(),
        };
        let quota = self.settings.quota;
        Ok(Mailbox {
            address: address.to_owned(),
            http: self.http.beside(Arc::new(login), &[quota.of_mailbox()])?,
            quota,
            bodies: self.settings.bodies,
        })
    }

    /// Returns the mailboxes to read: those that are named, or the one whose owner's login it is.
    async fn addresses(&self) -> Result<Vec<String>> {
        if !self.settings.mailboxes.is_empty() {
            return Ok(self.settings.mailboxes.clone());
        }
        if self.logins.is_of_one_person().await? {
            return Ok(vec![self.mailbox("me")?.profile().await?.address]);
        }
        Err(Error::new(Code::ConfigInvalid, "read settings")
            .with("setting", "SALESYNC_GMAIL_MAILBOXES")
            .with(
                "must be",
                "the mailboxes to read, which a service account does not tell",
            ))
    }
}

#[async_trait]
impl Source for Gmail {
    async fn check(&self) -> Result<()> {
        for address in self.addresses().await? {
            let profile = self.mailbox(&address)?.profile().await;
            profile.map_err(|error| error.with("mailbox", &address))?;
        }
        Ok(())
    }

    async fn parts(&self, _: &str) -> Result<Vec<String>> {
        self.addresses().await
    }

    async fn open(&self, _: &str, part: Option<&str>) -> Result<Arc<dyn Stream>> {
        let mailbox = self.mailbox(part.unwrap_or("me"))?;
        Ok(Arc::new(MailboxStream::new(
            mailbox,
            Arc::clone(&self.tables),
        )))
    }

    fn clock(&self) -> Timestamp {
        self.http.clock()
    }
}

impl fmt::Debug for Gmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gmail").field(&self.http).finish()
    }
}
