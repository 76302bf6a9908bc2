//! What one record says about one person or company, in the record's own spelling.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What an entity is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A human being, or a mailbox or line that no human being could be found behind.
    #[default]
    Person,
    /// A company or other organisation.
    Company,
}

impl EntityKind {
    /// Returns the word that tables carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
        }
    }
}

/// Where a record is: unique over everything that salesync reads. Written `source/stream/id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordRef {
    /// The source's name.
    pub source: Arc<str>,
    /// The stream's name.
    pub stream: Arc<str>,
    /// The record's id in its stream.
    pub id: Arc<str>,
}

impl RecordRef {
    /// Names a record.
    pub fn new(
        source: impl Into<Arc<str>>,
        stream: impl Into<Arc<str>>,
        id: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            source: source.into(),
            stream: stream.into(),
            id: id.into(),
        }
    }
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.source, self.stream, self.id)
    }
}

/// What one record says about one person or one company. Nothing here is normalised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The record that says it.
    pub record: RecordRef,
    /// What the record is about.
    pub kind: EntityKind,
    /// A person's whole name, where the record does not split it.
    pub full_name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Middle name or initial.
    pub middle_name: Option<String>,
    /// Surname.
    pub last_name: Option<String>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<String>,
    /// Phone numbers, the main one first.
    pub phones: Vec<String>,
    /// A company's own name; of a person, the employer's.
    pub company: Option<String>,
    /// Another name of the company.
    pub other_company: Option<String>,
    /// A company's web site or domain; of a person, the employer's.
    pub website: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Street with number, or the whole address in one line.
    pub street: Option<String>,
    /// City or suburb.
    pub city: Option<String>,
    /// State, province or region.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country, as a name or a code.
    pub country: Option<String>,
    /// Date of birth.
    pub birth_date: Option<String>,
    /// The company record that the source itself links this person to.
    pub employer: Option<RecordRef>,
    /// When the record was made at its source, in µs since 1970 UTC; 0 where unknown.
    pub created_at: i64,
    /// When the record last changed at its source, in µs since 1970 UTC; 0 where unknown.
    pub changed_at: i64,
}

impl Identity {
    /// Starts an identity that says nothing yet.
    pub fn new(record: RecordRef, kind: EntityKind) -> Self {
        Self {
            record,
            kind,
            full_name: None,
            first_name: None,
            middle_name: None,
            last_name: None,
            emails: Vec::new(),
            phones: Vec::new(),
            company: None,
            other_company: None,
            website: None,
            title: None,
            street: None,
            city: None,
            region: None,
            postal_code: None,
            country: None,
            birth_date: None,
            employer: None,
            created_at: 0,
            changed_at: 0,
        }
    }
}

/// Returns one identity per kind and record, the one changed last, in the order of kind and record.
pub(super) fn in_order(identities: &[Identity]) -> Vec<&Identity> {
    let mut ordered: Vec<&Identity> = identities.iter().collect();
    ordered.sort_unstable_by(|a, b| {
        let newest_first = b.changed_at.cmp(&a.changed_at);
        (a.kind, &a.record)
            .cmp(&(b.kind, &b.record))
            .then(newest_first)
            .then_with(|| a.cmp(b))
    });
    ordered.dedup_by(|later, first| later.kind == first.kind && later.record == first.record);
    ordered
}
