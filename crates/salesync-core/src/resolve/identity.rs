//! What one record says about one person or company, in the record's own spelling.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
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

    /// Reads the word that tables carry.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Person, Self::Company]
            .into_iter()
            .find(|kind| kind.as_str() == word)
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
    /// A company's web sites or domains, the main one first; of a person, the employer's.
    pub websites: Vec<String>,
    /// Job title.
    pub title: Option<String>,
    /// Street with number and what stands in a line beside it, or the whole address in one line.
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
            websites: Vec::new(),
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

/// What one record says, borrowed from where it is read. The fields are those of [`Identity`].
#[derive(Debug, Clone, Default)]
pub struct Said<'a> {
    /// The name of the source that the record is from.
    pub source: &'a str,
    /// The stream that it is from.
    pub stream: &'a str,
    /// Its id there.
    pub id: Cow<'a, str>,
    /// What the record is about.
    pub kind: EntityKind,
    /// A person's whole name, where the record does not split it.
    pub full_name: Option<&'a str>,
    /// Given name.
    pub first_name: Option<&'a str>,
    /// Middle name or initial.
    pub middle_name: Option<&'a str>,
    /// Surname.
    pub last_name: Option<&'a str>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<&'a str>,
    /// Phone numbers, the main one first.
    pub phones: Vec<&'a str>,
    /// A company's own name; of a person, the employer's.
    pub company: Option<&'a str>,
    /// Another name of the company.
    pub other_company: Option<&'a str>,
    /// A company's web sites or domains, the main one first; of a person, the employer's.
    pub websites: Vec<&'a str>,
    /// Job title.
    pub title: Option<&'a str>,
    /// Street with number and what stands in a line beside it, or the whole address in one line.
    pub street: Option<Cow<'a, str>>,
    /// City or suburb.
    pub city: Option<&'a str>,
    /// State, province or region.
    pub region: Option<&'a str>,
    /// Postal code.
    pub postal_code: Option<&'a str>,
    /// Country, as a name or a code.
    pub country: Option<&'a str>,
    /// Date of birth.
    pub birth_date: Option<&'a str>,
    /// The company record that the source itself links this person to.
    pub employer: Option<&'a RecordRef>,
    /// When the record was made at its source, in µs since 1970 UTC; 0 where unknown.
    pub created_at: i64,
    /// When the record last changed at its source, in µs since 1970 UTC; 0 where unknown.
    pub changed_at: i64,
}

impl Said<'_> {
    /// Returns the same as an identity of its own.
    pub fn to_identity(&self) -> Identity {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Identity {
            record: RecordRef::new(self.source, self.stream, &*self.id),
            kind: self.kind,
            full_name: owned(self.full_name),
            first_name: owned(self.first_name),
            middle_name: owned(self.middle_name),
            last_name: owned(self.last_name),
            emails: list(&self.emails),
            phones: list(&self.phones),
            company: owned(self.company),
            other_company: owned(self.other_company),
            websites: list(&self.websites),
            title: owned(self.title),
            street: owned(self.street.as_deref()),
            city: owned(self.city),
            region: owned(self.region),
            postal_code: owned(self.postal_code),
            country: owned(self.country),
            birth_date: owned(self.birth_date),
            employer: self.employer.cloned(),
            created_at: self.created_at,
            changed_at: self.changed_at,
        }
    }
}

impl Identity {
    /// Returns what it says.
    pub fn said(&self) -> Said<'_> {
        Said {
            source: &self.record.source,
            stream: &self.record.stream,
            id: Cow::Borrowed(&*self.record.id),
            kind: self.kind,
            full_name: self.full_name.as_deref(),
            first_name: self.first_name.as_deref(),
            middle_name: self.middle_name.as_deref(),
            last_name: self.last_name.as_deref(),
            emails: self.emails.iter().map(String::as_str).collect(),
            phones: self.phones.iter().map(String::as_str).collect(),
            company: self.company.as_deref(),
            other_company: self.other_company.as_deref(),
            websites: self.websites.iter().map(String::as_str).collect(),
            title: self.title.as_deref(),
            street: self.street.as_deref().map(Cow::Borrowed),
            city: self.city.as_deref(),
            region: self.region.as_deref(),
            postal_code: self.postal_code.as_deref(),
            country: self.country.as_deref(),
            birth_date: self.birth_date.as_deref(),
            employer: self.employer.as_ref(),
            created_at: self.created_at,
            changed_at: self.changed_at,
        }
    }
}

/// Returns the places of one identity per kind and record, the one changed last, in the order of the first of each.
pub(super) fn newest(identities: &[Identity]) -> Vec<usize> {
    let mut newest: Vec<(usize, &Identity)> = Vec::with_capacity(identities.len());
    let mut places: HashMap<(EntityKind, &RecordRef), usize> = HashMap::new();
    for (at, identity) in identities.iter().enumerate() {
        let place = *places
            .entry((identity.kind, &identity.record))
            .or_insert(newest.len());
        match newest.get_mut(place) {
            Some((known_at, known)) => {
                let newer = identity.changed_at.cmp(&known.changed_at);
                if newer.then_with(|| (**known).cmp(identity)).is_gt() {
                    (*known_at, *known) = (at, identity);
                }
            }
            None => newest.push((at, identity)),
        }
    }
    newest.into_iter().map(|(at, _)| at).collect()
}
