//! One row per entity: the values that survive out of all its records.

use super::entity::EntityId;

/// What kind of address or number a contact value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContactKind {
    /// At the employer.
    Work,
    /// At a free-mail provider, or a number of the person's own.
    Personal,
    /// Many people's: a role mailbox, a switchboard, a family's number.
    Shared,
}

impl ContactKind {
    /// Returns the word that tables carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Personal => "personal",
            Self::Shared => "shared",
        }
    }

    /// Reads the word that tables carry.
    pub fn parse(word: &str) -> Option<Self> {
        let mut kinds = [Self::Work, Self::Personal, Self::Shared].into_iter();
        kinds.find(|kind| kind.as_str() == word)
    }
}

/// One e-mail address or phone number of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Normalised: an address, or a number in E.164 where its country is known and in bare digits where not.
    pub value: String,
    /// Whose it is.
    pub kind: ContactKind,
    /// How many of the entity's records carry it.
    pub record_count: usize,
}

/// A value that records give and that did not survive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherValue {
    /// The field of the golden record; of a person's name `full_name`.
    pub field: &'static str,
    /// The value, in its best spelling.
    pub value: String,
    /// How many records give it.
    pub record_count: usize,
    /// The sources that they are from.
    pub sources: Vec<String>,
    /// When the newest of them changed, in µs since 1970 UTC; 0 where unknown.
    pub last_seen: i64,
}

/// What is known of a person.
///
/// Which of several values survives is told by [`super::Survivorship`]. The best e-mail is the first by kind (work,
/// personal, shared), then by those rules.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenPerson {
    /// The entity's id.
    pub id: EntityId,
    /// Whole name, as a person would write it.
    pub full_name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Surname.
    pub last_name: Option<String>,
    /// The best e-mail address.
    pub email: Option<String>,
    /// All e-mail addresses, the best first.
    pub emails: Vec<Contact>,
    /// All phone numbers, the best first.
    pub phones: Vec<Contact>,
    /// Job title.
    pub title: Option<String>,
    /// The employer's name, as the records write it.
    pub company: Option<String>,
    /// The employer, where it is an entity itself.
    pub company_id: Option<EntityId>,
    /// The domain of the person's work mailboxes.
    pub domain: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Country, as a two-letter code where known.
    pub country: Option<String>,
    /// How many records the entity stands on.
    pub record_count: usize,
    /// From how many sources they are.
    pub source_count: usize,
    /// When the oldest of its records was made, in µs since 1970 UTC; 0 where unknown.
    pub first_seen: i64,
    /// When the newest of its records changed, in µs since 1970 UTC; 0 where unknown.
    pub last_seen: i64,
    /// The probability of the weakest pair that holds the entity together; 1 for one record.
    pub confidence: f32,
    /// Values that records give and that did not survive, the better first within their field.
    pub other_values: Vec<OtherValue>,
}

impl GoldenPerson {
    /// Somebody of whom nothing is known.
    pub fn unknown(id: EntityId) -> Self {
        Self {
            id,
            full_name: None,
            first_name: None,
            last_name: None,
            email: None,
            emails: Vec::new(),
            phones: Vec::new(),
            title: None,
            company: None,
            company_id: None,
            domain: None,
            city: None,
            country: None,
            record_count: 0,
            source_count: 0,
            first_seen: 0,
            last_seen: 0,
            confidence: 1.0,
            other_values: Vec::new(),
        }
    }
}

/// What is known of a company; the rules are those of [`GoldenPerson`].
#[derive(Debug, Clone, PartialEq)]
pub struct GoldenCompany {
    /// The entity's id.
    pub id: EntityId,
    /// Name with its legal form, as the records write it.
    pub name: Option<String>,
    /// The domain that survives.
    pub domain: Option<String>,
    /// All domains, the surviving one first.
    pub domains: Vec<String>,
    /// E-mail addresses on the company's own records.
    pub emails: Vec<Contact>,
    /// Phone numbers on the company's own records.
    pub phones: Vec<Contact>,
    /// City.
    pub city: Option<String>,
    /// Country, as a two-letter code where known.
    pub country: Option<String>,
    /// How many records the entity stands on.
    pub record_count: usize,
    /// From how many sources they are.
    pub source_count: usize,
    /// When the oldest of its records was made, in µs since 1970 UTC; 0 where unknown.
    pub first_seen: i64,
    /// When the newest of its records changed, in µs since 1970 UTC; 0 where unknown.
    pub last_seen: i64,
    /// The probability of the weakest pair that holds the entity together; 1 for one record.
    pub confidence: f32,
    /// Values that records give and that did not survive, the better first within their field.
    pub other_values: Vec<OtherValue>,
}

impl GoldenCompany {
    /// A company of which nothing is known.
    pub fn unknown(id: EntityId) -> Self {
        Self {
            id,
            name: None,
            domain: None,
            domains: Vec::new(),
            emails: Vec::new(),
            phones: Vec::new(),
            city: None,
            country: None,
            record_count: 0,
            source_count: 0,
            first_seen: 0,
            last_seen: 0,
            confidence: 1.0,
            other_values: Vec::new(),
        }
    }
}
