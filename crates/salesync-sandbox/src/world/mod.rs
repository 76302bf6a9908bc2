//! The truth behind the vendors' answers, and the ways to change it while they are being asked.

mod dialpad;
mod dialpad_edits;
mod dialpad_truth;
mod fields;
mod gmail;
mod gmail_edits;
mod gmail_labels;
mod gmail_mailbox;
mod gmail_truth;
mod hubspot;
mod hubspot_edits;
mod salesforce;
mod salesforce_edits;

pub(crate) use dialpad::{Call, CallDraft, DialpadSide, Entry, Text, Transcript, call_record};
pub(crate) use dialpad_edits::{add_voicemail, contact_id, merge, spoken, user_time};
pub(crate) use dialpad_truth::is_voicemail;
pub(crate) use gmail::{GmailSide, Kind, Letter, Sketch, Voice, Wording, id_text, parse_id};
pub(crate) use gmail_labels::{
    DRAFT, IMPORTANT, INBOX, LabelSet, Labels, PERSONAL, PROMOTIONS, SENT, SPAM, STARRED, TRASH,
    UNREAD, UPDATES,
};
pub(crate) use gmail_mailbox::{Change, Copy, Event, Happening, Mailbox, Standing};
pub(crate) use hubspot::{HubSpotSide, Owner};
pub(crate) use hubspot_edits::{FIRST_ID, ID_STEP};
pub(crate) use salesforce::SalesforceSide;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::SandboxConfig;
use crate::clock::{Clock, date_time, millis};
use crate::invent;
use crate::server::{Desk, Fault, Pace, RequestClass, RequestSeen};

/// One of the vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vendor {
    /// HubSpot.
    HubSpot,
    /// Salesforce.
    Salesforce,
    /// Gmail.
    Gmail,
    /// Dialpad.
    Dialpad,
}

impl Vendor {
    /// Gives the name that its source has.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Vendor::HubSpot => "hubspot",
            Vendor::Salesforce => "salesforce",
            Vendor::Gmail => "gmail",
            Vendor::Dialpad => "dialpad",
        }
    }
}

/// A page of records that is about to be sent.
#[derive(Debug, Clone)]
pub struct PageServed {
    /// Whose page it is.
    pub vendor: Vendor,
    /// The object, in the vendor's own case: `contacts`, `Contact`, `messages`, `calls`.
    pub object: String,
    /// The kind of request that it answers.
    pub class: RequestClass,
    /// The ids on the page, in order.
    pub ids: Vec<String>,
}

/// `(source, stream, record id, entity id)` of a record whose true entity is known.
pub type TruthRow = (&'static str, &'static str, String, String);

type Hook = Box<dyn FnMut(&World, &PageServed) + Send>;

/// The truth behind the answers of all vendors; clones share it.
///
/// Every method is quick, takes its own locks and may be called from any thread, also from a hook
/// set with [`World::on_page`] (which itself must not set a hook). Edits are stamped with the
/// sandbox's clock: HubSpot and Dialpad to the millisecond, Salesforce to the second.
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    index_lag_ms: i64,
    hubspot: RwLock<HubSpotSide>,
    salesforce: RwLock<SalesforceSide>,
    gmail: RwLock<GmailSide>,
    dialpad: RwLock<DialpadSide>,
    desk: Mutex<Desk>,
    hook: Mutex<Option<Hook>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("World")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

impl World {
    /// Invents the people and companies that a configuration asks for.
    pub(crate) fn invent(config: &SandboxConfig) -> Self {
        let clock = Clock::default();
        let (hubspot, salesforce) = invent::both_sides(config.records, config.seed, clock.now_ms());
        let gmail = invent::gmail_side(config, clock.now_ms());
        let dialpad = invent::dialpad_side(config, clock.now_ms());
        let desk = Desk::new(config);
        Self {
            inner: Arc::new(Inner {
                clock,
                index_lag_ms: millis(config.index_lag),
                hubspot: RwLock::new(hubspot),
                salesforce: RwLock::new(salesforce),
                gmail: RwLock::new(gmail),
                dialpad: RwLock::new(dialpad),
                desk: Mutex::new(desk),
                hook: Mutex::new(None),
            }),
        }
    }

    /// Gives the sandbox's time, which the `Date` header of every answer shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        date_time(self.now_ms())
    }

    /// Moves the sandbox's clock ahead; it never goes back.
    pub fn advance(&self, by: Duration) {
        self.inner.clock.advance(by);
    }

    /// Calls `hook` for each page of records after it was rendered and before it is sent, so that
    /// records can be changed between pages. Replaces an earlier hook.
    pub fn on_page(&self, hook: impl FnMut(&World, &PageServed) + Send + 'static) {
        *self
            .inner
            .hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
    }

    /// Takes the hook of [`World::on_page`] away.
    pub fn clear_on_page(&self) {
        *self
            .inner
            .hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Lets the next `times` requests fail whose path and query contain `matching` (empty: all).
    pub fn fail_next(&self, fault: Fault, matching: &str, times: usize) {
        self.desk().faults.push(fault, matching, times);
    }

    /// Takes back all faults that have not happened yet.
    pub fn clear_faults(&self) {
        let mut desk = self.desk();
        desk.faults.clear();
        desk.gmail.clear_failures();
    }

    /// Gives the latest requests, oldest first; at most 20,000 are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.desk().log.requests()
    }

    /// Gives how many requests of each class came since the start or the last reset.
    #[must_use]
    pub fn request_counts(&self) -> BTreeMap<RequestClass, u64> {
        self.desk().log.counts()
    }

    /// Gives how each of the vendors' limits was used since the start.
    #[must_use]
    pub fn paces(&self) -> Vec<Pace> {
        self.desk().paces.all()
    }

    /// Forgets the requests and sets the counts to zero, also those of [`World::gmail_units`].
    pub fn reset_requests(&self) {
        let mut desk = self.desk();
        desk.log.reset();
        desk.gmail.units.reset();
    }

    /// Ends every access token and session that was given out; the next grant works. HubSpot's
    /// private-app token and Dialpad's API key do not expire: [`Fault::ExpiredToken`] plays that.
    pub fn expire_tokens(&self, vendor: Vendor) {
        let now_ms = self.now_ms();
        self.desk().logins.expire(vendor, now_ms);
    }

    /// Uses up the vendor's daily calls but `left` (only enforced under [`crate::Limits::Vendor`]).
    /// At Gmail these are the project's quota units. Dialpad has no daily limit.
    pub fn leave_daily_calls(&self, vendor: Vendor, left: u64) {
        let now_ms = self.now_ms();
        let mut desk = self.desk();
        if vendor == Vendor::Gmail {
            desk.gmail.units.leave_daily(left, now_ms);
        }
        desk.meter.leave_daily(vendor, left, now_ms);
    }

    /// Lets all query locators that Salesforce has given out die.
    pub fn kill_locators(&self) {
        self.salesforce_mut().kill_locators();
    }

    /// Sets how many rows Salesforce puts on a page at most (2,000 by default), and above how many
    /// chosen fields the page shrinks in proportion (60 by default).
    pub fn set_query_pages(&self, rows_max: usize, wide_fields: usize) {
        self.salesforce_mut().set_pages(rows_max, wide_fields);
    }

    /// Gives the true entity of every live person and company record of the invented world.
    ///
    /// Sources and streams are `hubspot` with `contacts` and `companies`, and `salesforce` with
    /// `accounts`, `contacts` and `leads`. Entity ids are `person-…` and `company-…`. Of `gmail`
    /// there are the addresses (in lower case, in the record's place) under `message_participants`
    /// that stand in live messages and are one person's, not our own team's. Of `dialpad` there are
    /// the shared `contacts`, and under `calls`, in the record's place, the external numbers (E.164)
    /// of concluded calls that belong to one person alone.
    #[must_use]
    pub fn truth(&self) -> Vec<TruthRow> {
        let mut rows = self.hubspot().truth();
        rows.extend(self.salesforce().truth());
        rows.extend(self.gmail().truth());
        rows.extend(self.dialpad().truth(self.now_ms()));
        rows
    }

    /// Serves one record as arbitrary JSON text from now on, at its place in lists, searches and
    /// queries. Returns false if there is no such record. At Gmail the object does not matter:
    /// message ids are unique, see [`World::gmail_put_raw`].
    pub fn put_raw(&self, vendor: Vendor, object: &str, id: &str, raw_json_text: &str) -> bool {
        let raw = Some(Arc::from(raw_json_text));
        match vendor {
            Vendor::HubSpot => self.hubspot_mut().set_raw(object, id, raw),
            Vendor::Salesforce => self.salesforce_mut().set_raw(object, id, raw),
            Vendor::Gmail => self.gmail_mut().set_raw(id, raw),
            Vendor::Dialpad => self.dialpad_mut().set_raw(object, id, raw),
        }
    }

    /// Takes back what [`World::put_raw`] did to a record.
    pub fn clear_raw(&self, vendor: Vendor, object: &str, id: &str) -> bool {
        match vendor {
            Vendor::HubSpot => self.hubspot_mut().set_raw(object, id, None),
            Vendor::Salesforce => self.salesforce_mut().set_raw(object, id, None),
            Vendor::Gmail => self.gmail_mut().set_raw(id, None),
            Vendor::Dialpad => self.dialpad_mut().set_raw(object, id, None),
        }
    }

    /// Gives every HubSpot record of an object, whatever became of it, by id.
    ///
    /// Shape: `{"id", "properties": {name: text or null, …}, "createdAt", "updatedAt", "archived",
    /// "archivedAt"?, "mergedInto"?}`, times as HubSpot writes them; a record that was deleted for
    /// privacy is only `{"id", "erased": true}`.
    #[must_use]
    pub fn hubspot_records(&self, object: &str) -> Vec<Value> {
        self.hubspot().records(object)
    }

    /// Gives every Salesforce record of an object, whatever became of it, by id.
    ///
    /// Shape: `{field: value or null, …}` with all fields of the object, so `Id`, `IsDeleted`,
    /// `MasterRecordId` and `SystemModstamp` are among them; a record that is gone from the recycle
    /// bin is only `{"Id", "erased": true}`.
    #[must_use]
    pub fn salesforce_records(&self, object: &str) -> Vec<Value> {
        self.salesforce().records(object)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    pub(crate) fn index_lag_ms(&self) -> i64 {
        self.inner.index_lag_ms
    }

    pub(crate) fn hubspot(&self) -> RwLockReadGuard<'_, HubSpotSide> {
        self.inner
            .hubspot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hubspot_mut(&self) -> RwLockWriteGuard<'_, HubSpotSide> {
        self.inner
            .hubspot
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn salesforce(&self) -> RwLockReadGuard<'_, SalesforceSide> {
        self.inner
            .salesforce
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn salesforce_mut(&self) -> RwLockWriteGuard<'_, SalesforceSide> {
        self.inner
            .salesforce
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.inner
            .desk
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the hook of a page; no lock but the hook's own is held meanwhile.
    pub(crate) fn page_served(&self, page: &PageServed) {
        let mut hook = self
            .inner
            .hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(hook) = hook.as_mut() {
            hook(self, page);
        }
    }
}
