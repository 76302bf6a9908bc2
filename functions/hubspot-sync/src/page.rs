//! The shapes of HubSpot's pages. A page without its shape is an error, never an empty page.

use std::borrow::Cow;
use std::collections::HashMap;

use salesync_core::error::Result;
use salesync_core::record::RawRecord;
use salesync_core::time::Timestamp;
use salesync_core::validate::parse_timestamp;
use salesync_http::Answer;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decode::merged_ids;
use crate::text::{Token, token};

/// A page of a listing.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) records: Vec<RawRecord>,
    /// The token of the next page.
    pub(crate) after: Option<String>,
    pub(crate) read_at: Timestamp,
}

impl Listed {
    /// Reads a page of a listing, or of a batch.
    pub(crate) fn read(answer: &Answer) -> Result<Self> {
        let page: ListShape<'_> = answer.json()?;
        Ok(Self {
            records: RawRecord::slices(&answer.body, &page.results)?,
            after: page.paging.and_then(Paging::after),
            read_at: answer.sent_at,
        })
    }
}

/// A page of a search.
#[derive(Debug)]
pub(crate) struct Found {
    /// The records as the search gives them: by them it is known where the page stands.
    pub(crate) records: Vec<RawRecord>,
    /// The same records with all that a search does not give: properties that did not fit into it, associations.
    pub(crate) in_full: Option<Vec<RawRecord>>,
    /// How many records match, on this page and beyond it.
    pub(crate) total: u64,
    pub(crate) read_at: Timestamp,
}

impl Found {
    /// Reads a page of a search.
    pub(crate) fn read(answer: &Answer) -> Result<Self> {
        let page: SearchShape<'_> = answer.json()?;
        let records = RawRecord::slices(&answer.body, &page.results)?;
        Ok(Self {
            records,
            in_full: None,
            total: page.total,
            read_at: answer.sent_at,
        })
    }

    /// Returns whether nothing that matches lies beyond this page.
    pub(crate) fn is_all(&self) -> bool {
        u64::try_from(self.records.len()).is_ok_and(|count| count >= self.total)
    }

    /// Returns the records to deliver.
    pub(crate) fn into_records(self) -> Vec<RawRecord> {
        self.in_full.unwrap_or(self.records)
    }
}

#[derive(Deserialize)]
struct ListShape<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct SearchShape<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
    total: u64,
}

/// Whether a list goes on, and from where.
#[derive(Deserialize)]
pub(crate) struct Paging {
    #[serde(default)]
    next: Option<NextPage>,
}

impl Paging {
    /// Returns the token of the next page; `None` where the list ends.
    pub(crate) fn after(self) -> Option<String> {
        self.next.map(|next| next.after)
    }

    /// Returns whether the list goes on.
    pub(crate) fn goes_on(&self) -> bool {
        self.next.is_some()
    }
}

#[derive(Deserialize)]
struct NextPage {
    after: String,
}

/// What paging needs of a record. A record that can't be read so says nothing about where the page stands.
#[derive(Deserialize)]
pub(crate) struct Stamp<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow, default)]
    properties: HashMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> Stamp<'a> {
    /// Reads what paging needs.
    pub(crate) fn read(record: &'a RawRecord) -> Option<Self> {
        serde_json::from_slice(record.bytes()).ok()
    }

    /// Returns the time in a property.
    pub(crate) fn time(&self, property: &str) -> Option<Timestamp> {
        match token(self.properties.get(property)?) {
            Token::Text(text) => parse_timestamp(text.trim()).ok(),
            Token::Null | Token::Nested => None,
        }
    }

    /// Returns the ids of the records that were merged into this one.
    pub(crate) fn merged_ids(&self, properties: &[&str]) -> Vec<String> {
        let mut ids = Vec::new();
        for raw in properties
            .iter()
            .filter_map(|property| self.properties.get(*property))
        {
            if let Token::Text(text) = token(raw) {
                merged_ids(&text, &self.id, &mut ids);
            }
        }
        ids
    }
}
