//! The requests for the records of one CRM object: by id, by change time, by name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use salesync_core::error::{Code, Error, Result};
use salesync_core::ledger::Window;
use salesync_core::record::RawRecord;
use salesync_core::source::Presence;
use salesync_core::time::Timestamp;
use salesync_http::{Client, Request};
use serde_json::{Value, json};

use crate::associations::Known;
use crate::client::{API, GO_ON_LISTING, SEARCH};
use crate::objects::CrmObject;
use crate::page::{Found, Listed, Stamp};
use crate::place::EARLIEST;
use crate::properties::Layout;

/// Records of a page of a listing, and of a batch: the most that HubSpot gives.
const LIST_RECORDS: usize = 100;
/// Records of a page of a search: the most that HubSpot gives.
const SEARCH_RECORDS: u64 = 200;

/// Which of an account's records are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf {
    Live,
    Archived,
}

impl Shelf {
    /// Returns the value of the parameter `archived`.
    fn archived(self) -> &'static str {
        match self {
            Self::Live => "false",
            Self::Archived => "true",
        }
    }
}

/// What a search looks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Filter {
    /// Records that changed in a window, by change time.
    Changed(Window),
    /// Records that changed in one millisecond and have a higher id, by id.
    At { time: Timestamp, after_id: u64 },
}

/// The records of one object, and how to ask for them.
pub(crate) struct Records {
    pub(crate) http: Arc<Client>,
    pub(crate) object: &'static CrmObject,
    pub(crate) layout: Layout,
}

impl Records {
    /// Reads a page of the records by id.
    pub(crate) async fn list(&self, after: Option<&str>, shelf: Shelf) -> Result<Listed> {
        let operation = if after.is_some() {
            GO_ON_LISTING
        } else {
            "list records"
        };
        let names = if self.layout.fits_url {
            self.layout.names.join(",")
        } else {
            "hs_object_id".to_owned()
        };
        // The names hold nothing that a URL escapes, so the commas may stand.
        let mut target = format!("{}?limit={LIST_RECORDS}&properties={names}", self.path(""));
        if !self.object.associations.is_empty() {
            target.push_str("&associations=");
            target.push_str(&self.object.associations.join(","));
        }
        let mut request = Request::get(operation, target, API).query("archived", shelf.archived());
        if let Some(after) = after {
            request = request.query("after", after);
        }
        let mut listed = self.http.read(&request, Listed::read).await?;
        let known = Known::of_listing(&listed.records, self.object.associations, shelf);
        if !self.layout.fits_url {
            listed.records = self.in_full(&listed.records, shelf).await?;
        }
        listed.records = self.associated(listed.records, known).await?;
        Ok(listed)
    }

    /// Reads the first page of what a search finds. No later page is ever asked for: offsets over records that
    /// change lose some, and HubSpot ends at 10,000.
    pub(crate) async fn search(&self, filter: Filter) -> Result<Found> {
        let names = match self.layout.fits_search {
            true => json!(self.layout.names),
            false => json!([self.object.changed_by, "hs_object_id"]),
        };
        let mut found = self.find(filter, names, SEARCH_RECORDS).await?;
        if !self.layout.fits_search {
            found.in_full = Some(self.in_full(&found.records, Shelf::Live).await?);
        }
        if !self.object.associations.is_empty() {
            let records = found.in_full.unwrap_or_else(|| found.records.clone());
            found.in_full = Some(self.associated(records, Known::default()).await?);
        }
        Ok(found)
    }

    /// Asks how many records changed in a window.
    pub(crate) async fn count(&self, window: Window) -> Result<u64> {
        let found = self
            .find(Filter::Changed(window), json!(["hs_object_id"]), 1)
            .await?;
        Ok(found.total)
    }

    async fn find(&self, filter: Filter, names: Value, limit: u64) -> Result<Found> {
        let (filters, sort) = self.filters(filter);
        let request =
            Request::post("search records", self.path("/search"), SEARCH).json(&json!({
                "filterGroups": [{"filters": filters}],
                "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
                "properties": names,
                "limit": limit,
                // The first page, always; HubSpot's description of the request calls it required.
                "after": "0",
            }))?;
        self.http.read(&request, Found::read).await
    }

    /// Returns the filters of a search and the property that it is sorted by.
    fn filters(&self, filter: Filter) -> (Value, &'static str) {
        let time = |time: Timestamp| time.millis().to_string();
        let changed_by = self.object.changed_by;
        match filter {
            Filter::Changed(window) if window.lo <= EARLIEST => (
                json!([{"propertyName": changed_by, "operator": "LTE", "value": time(window.hi)}]),
                changed_by,
            ),
            Filter::Changed(window) => {
                let between = json!([{
                    "propertyName": changed_by,
                    "operator": "BETWEEN",
                    "value": time(window.lo),
                    "highValue": time(window.hi),
                }]);
                (between, changed_by)
            }
            Filter::At {
                time: instant,
                after_id,
            } => {
                let by_id = json!([
                    {"propertyName": changed_by, "operator": "EQ", "value": time(instant)},
                    {"propertyName": "hs_object_id", "operator": "GT", "value": after_id.to_string()},
                ]);
                (by_id, "hs_object_id")
            }
        }
    }

    /// Reads records once more with all of their properties, in a body that no URL's length limits. One that
    /// was archived or merged in between is left out: the sweep or its survivor brings it.
    async fn in_full(&self, records: &[RawRecord], shelf: Shelf) -> Result<Vec<RawRecord>> {
        let (mut ids, mut in_full) = (Vec::new(), Vec::with_capacity(records.len()));
        for record in records {
            match Stamp::read(record) {
                Some(stamp) => ids.push(stamp.id.into_owned()),
                // Without an id there is nothing to ask for: it is set aside as it came.
                None => in_full.push(record.clone()),
            }
        }
        for ids in ids.chunks(LIST_RECORDS) {
            in_full.extend(self.batch(ids, &self.layout.names, shelf).await?);
        }
        Ok(in_full)
    }

    /// Reads up to a hundred records by id.
    async fn batch(
        &self,
        ids: &[String],
        names: &[String],
        shelf: Shelf,
    ) -> Result<Vec<RawRecord>> {
        let inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        let request = Request::post("read records by id", self.path("/batch/read"), API)
            .query("archived", shelf.archived())
            .json(&json!({"inputs": inputs, "properties": names, "propertiesWithHistory": []}))?;
        Ok(self.http.read(&request, Listed::read).await?.records)
    }

    /// Asks what has become of records, in their order.
    pub(crate) async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        let mut found = HashMap::new();
        for shelf in [Shelf::Live, Shelf::Archived] {
            // HubSpot's ids are numbers; it would refuse the whole batch for one that is not.
            let is_open = |key: &&String| !found.contains_key(*key) && key.parse::<u64>().is_ok();
            let open: Vec<String> = keys.iter().filter(is_open).cloned().collect();
            for ids in open.chunks(LIST_RECORDS) {
                self.look_up(ids, shelf, &mut found).await?;
            }
        }
        Ok(keys
            .iter()
            .map(|key| found.remove(key).unwrap_or(Presence::Absent))
            .collect())
    }

    /// Asks for up to a hundred records. A record that was merged answers under its survivor's id.
    async fn look_up(
        &self,
        ids: &[String],
        shelf: Shelf,
        found: &mut HashMap<String, Presence>,
    ) -> Result<()> {
        let asked: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let names: Vec<String> = self
            .object
            .merged_by
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        for record in self.batch(ids, &names, shelf).await? {
            // What can't be read may be any of those asked for: none may be taken for gone.
            let Some(stamp) = Stamp::read(&record) else {
                return Err(Error::new(Code::SourcePageShape, "look up records"));
            };
            for merged in stamp.merged_ids(self.object.merged_by) {
                if asked.contains(merged.as_str()) {
                    found.insert(merged, Presence::MergedInto(stamp.id.clone().into_owned()));
                }
            }
            if asked.contains(&*stamp.id) {
                found.insert(stamp.id.into_owned(), Presence::Present);
            }
        }
        Ok(())
    }

    fn path(&self, end: &str) -> String {
        format!("/crm/v3/objects/{}{end}", self.object.object_type)
    }
}
