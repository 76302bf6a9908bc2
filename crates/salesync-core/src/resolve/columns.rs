//! Reads identities out of tables whose columns are named by people.

use std::borrow::Cow;

use super::identity::{EntityKind, Said};
use crate::normalise::text;

/// What a column says about a person or company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnField {
    /// The record's id.
    RecordId,
    /// The source that the record is from.
    Source,
    /// The stream that the record is from.
    Stream,
    /// `person`, or `company`, `account`, `organization`.
    Kind,
    /// A name of which the kind says whose it is.
    Name,
    /// Given name.
    FirstName,
    /// Middle name.
    MiddleName,
    /// Surname.
    LastName,
    /// One or several addresses.
    Email,
    /// One or several numbers.
    Phone,
    /// Company, or employer.
    Company,
    /// Another name of the company.
    OtherCompany,
    /// Web site or domain.
    Website,
    /// Job title.
    Title,
    /// House number, where it has a column of its own.
    StreetNumber,
    /// Street, or the whole address.
    Street,
    /// The line of the address beside that.
    StreetLine2,
    /// City or suburb.
    City,
    /// State or region.
    Region,
    /// Postal code.
    PostalCode,
    /// Country.
    Country,
    /// Date of birth.
    BirthDate,
    /// When the record was made, as a time in RFC 3339.
    CreatedAt,
    /// When the record changed, as a time in RFC 3339.
    ChangedAt,
}

/// Every field with the name it has on the command line and the column names that are taken for it.
const FIELDS: &[(ColumnField, &str, &[&str])] = &[
    (
        ColumnField::RecordId,
        "record_id",
        &[
            "record_id",
            "recordid",
            "id",
            "rec_id",
            "unique_id",
            "key",
            "uid",
            "contact_id",
            "customer_id",
        ],
    ),
    (
        ColumnField::Source,
        "source",
        &[
            "source",
            "source_dataset",
            "data_source",
            "dataset",
            "system",
            "source_system",
        ],
    ),
    (
        ColumnField::Stream,
        "stream",
        &["stream", "object", "table", "object_type"],
    ),
    (
        ColumnField::Kind,
        "kind",
        &["kind", "record_type", "entity_type", "party_type"],
    ),
    (
        ColumnField::Name,
        "name",
        &[
            "name",
            "full_name",
            "fullname",
            "primary_name_full",
            "native_name_full",
            "display_name",
            "person_name",
            "contact_name",
        ],
    ),
    (
        ColumnField::FirstName,
        "first_name",
        &[
            "first_name",
            "firstname",
            "given_name",
            "givenname",
            "forename",
            "fname",
            "primary_name_first",
            "name_first",
        ],
    ),
    (
        ColumnField::MiddleName,
        "middle_name",
        &[
            "middle_name",
            "middlename",
            "middle_initial",
            "primary_name_middle",
            "name_middle",
        ],
    ),
    (
        ColumnField::LastName,
        "last_name",
        &[
            "last_name",
            "lastname",
            "surname",
            "family_name",
            "familyname",
            "lname",
            "primary_name_last",
            "name_last",
        ],
    ),
    (
        ColumnField::Email,
        "email",
        &[
            "email",
            "emails",
            "e_mail",
            "mail",
            "email_address",
            "email_addresses",
            "emailaddress",
            "work_email",
            "personal_email",
            "secondary_email",
            "other_email",
            "email_2",
            "email2",
        ],
    ),
    (
        ColumnField::Phone,
        "phone",
        &[
            "phone",
            "phones",
            "phone_number",
            "phone_numbers",
            "phonenumber",
            "telephone",
            "tel",
            "mobile",
            "mobile_phone",
            "mobilephone",
            "cell",
            "work_phone",
            "home_phone",
            "other_phone",
            "phone_2",
            "phone2",
        ],
    ),
    (
        ColumnField::Company,
        "company",
        &[
            "company",
            "company_name",
            "organisation",
            "organization",
            "org",
            "account_name",
            "accountname",
            "account",
            "employer",
            "business_name",
            "primary_name_org",
            "name_org",
            "organisation_name",
            "organization_name",
        ],
    ),
    (
        ColumnField::OtherCompany,
        "other_company",
        &[
            "secondary_name_org",
            "trading_name",
            "dba",
            "doing_business_as",
            "legal_name",
        ],
    ),
    (
        ColumnField::Website,
        "website",
        &[
            "website",
            "web_site",
            "domain",
            "url",
            "web",
            "homepage",
            "company_domain",
            "website_address",
        ],
    ),
    (
        ColumnField::Title,
        "title",
        &["title", "job_title", "jobtitle", "position", "role"],
    ),
    (
        ColumnField::StreetNumber,
        "street_number",
        &["street_number", "house_number", "streetnumber"],
    ),
    (
        ColumnField::Street,
        "street",
        &[
            "addr_full",
            "address",
            "full_address",
            "street",
            "street_address",
            "address_1",
            "address1",
            "address_line_1",
            "addr_line1",
            "mailing_street",
            "billing_street",
        ],
    ),
    (
        ColumnField::StreetLine2,
        "street_line_2",
        &[
            "street_line_2",
            "street_2",
            "street2",
            "address_2",
            "address2",
            "address_line_2",
            "addr_line2",
        ],
    ),
    (
        ColumnField::City,
        "city",
        &[
            "city",
            "suburb",
            "town",
            "locality",
            "addr_city",
            "mailing_city",
            "billing_city",
        ],
    ),
    (
        ColumnField::Region,
        "region",
        &[
            "region",
            "state",
            "province",
            "county",
            "addr_state",
            "mailing_state",
            "billing_state",
        ],
    ),
    (
        ColumnField::PostalCode,
        "postal_code",
        &[
            "postal_code",
            "postalcode",
            "postcode",
            "post_code",
            "zip",
            "zip_code",
            "zipcode",
            "addr_postal_code",
        ],
    ),
    (
        ColumnField::Country,
        "country",
        &["country", "country_code", "addr_country", "nation"],
    ),
    (
        ColumnField::BirthDate,
        "birth_date",
        &[
            "birth_date",
            "birthdate",
            "date_of_birth",
            "dob",
            "birthday",
        ],
    ),
    (
        ColumnField::CreatedAt,
        "created_at",
        &["created_at", "created", "createdate", "created_date"],
    ),
    (
        ColumnField::ChangedAt,
        "changed_at",
        &[
            "changed_at",
            "updated_at",
            "modified_at",
            "last_modified",
            "lastmodifieddate",
            "updated",
        ],
    ),
];

impl ColumnField {
    /// Reads the name that the command line uses.
    pub fn parse(name: &str) -> Option<Self> {
        FIELDS
            .iter()
            .find(|(_, own, _)| *own == name)
            .map(|(field, _, _)| *field)
    }

    /// Returns the name that the command line uses.
    pub fn as_str(self) -> &'static str {
        FIELDS
            .iter()
            .find(|(field, _, _)| *field == self)
            .map_or("", |(_, name, _)| name)
    }

    /// Returns the names of all fields.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FIELDS.iter().map(|(_, name, _)| *name)
    }
}

/// Which column says what. Where several columns say one thing, the first that holds a value counts; of
/// e-mails, phones and web sites all count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    headers: Vec<String>,
    /// By field.
    columns: Vec<(ColumnField, usize)>,
    /// Where each field's columns start, by field.
    starts: Vec<usize>,
}

impl ColumnMap {
    /// Guesses from the names of columns. Columns whose names say nothing are passed over, and so are numbers
    /// of documents: salesync reads no social security numbers.
    pub fn guess(headers: &[&str]) -> Self {
        let headers: Vec<String> = headers.iter().map(|header| key(header)).collect();
        let mut columns = Vec::new();
        for (field, _, names) in FIELDS {
            for name in *names {
                columns.extend(
                    (0..)
                        .zip(&headers)
                        .filter(|(_, header)| header == name)
                        .map(|(at, _)| (*field, at)),
                );
            }
        }
        // Of fields that keep every value, the leftmost column is the main one.
        let every = |field: &ColumnField| {
            matches!(
                field,
                ColumnField::Email | ColumnField::Phone | ColumnField::Website
            )
        };
        columns.sort_by_key(|(field, at)| (*field, if every(field) { *at } else { 0 }));
        Self {
            headers,
            starts: starts(&columns),
            columns,
        }
    }

    /// Says what a column means, in place of what was guessed for that field. `None` comes back where there is
    /// no such column.
    pub fn with(mut self, field: ColumnField, column: &str) -> Option<Self> {
        let wanted = key(column);
        let at = self.headers.iter().position(|header| *header == wanted)?;
        self.columns
            .retain(|(known, place)| *known != field && *place != at);
        self.columns.push((field, at));
        self.columns.sort_by_key(|(field, _)| *field);
        self.starts = starts(&self.columns);
        Some(self)
    }

    /// Returns the columns' numbers by field, in the order in which they count.
    pub fn columns(&self) -> &[(ColumnField, usize)] {
        &self.columns
    }

    /// Reads a row. `source` and `row` name the record where the row does not name itself.
    pub fn said<'a>(&self, values: &[Option<&'a str>], source: &'a str, row: u64) -> Said<'a> {
        let cells = Cells { map: self, values };
        let text = |field| cells.first(field);
        let kind = cells.kind();
        let (name, company) = (text(ColumnField::Name), text(ColumnField::Company));
        let (full_name, company) = match kind {
            EntityKind::Person => (name, company),
            EntityKind::Company => (None, company.or(name)),
        };
        let line = joined(
            text(ColumnField::StreetNumber).map(Cow::Borrowed),
            " ",
            text(ColumnField::Street),
        );
        let street = joined(line, "\n", text(ColumnField::StreetLine2));
        let created_at = cells.time(ColumnField::CreatedAt);
        Said {
            source: text(ColumnField::Source).unwrap_or(source),
            stream: text(ColumnField::Stream).unwrap_or("rows"),
            id: text(ColumnField::RecordId)
                .map_or_else(|| Cow::Owned(row.to_string()), Cow::Borrowed),
            kind,
            full_name,
            first_name: text(ColumnField::FirstName),
            middle_name: text(ColumnField::MiddleName),
            last_name: text(ColumnField::LastName),
            emails: cells.all(ColumnField::Email),
            phones: cells.all(ColumnField::Phone),
            company,
            other_company: text(ColumnField::OtherCompany),
            websites: cells.all(ColumnField::Website),
            title: text(ColumnField::Title),
            street,
            city: text(ColumnField::City),
            region: text(ColumnField::Region),
            postal_code: text(ColumnField::PostalCode),
            country: text(ColumnField::Country),
            birth_date: text(ColumnField::BirthDate),
            employer: None,
            created_at,
            changed_at: cells.time(ColumnField::ChangedAt).max(created_at),
        }
    }
}

/// Returns where each field's columns start, and where the last one's end.
fn starts(columns: &[(ColumnField, usize)]) -> Vec<usize> {
    let fields = FIELDS.iter().map(|(field, ..)| *field);
    let starts = fields.map(|field| columns.partition_point(|(known, _)| *known < field));
    starts.chain([columns.len()]).collect()
}

/// Puts two values together where there are both.
fn joined<'a>(one: Option<Cow<'a, str>>, mark: &str, two: Option<&'a str>) -> Option<Cow<'a, str>> {
    match (one, two) {
        (Some(one), Some(two)) => Some(Cow::Owned(format!("{one}{mark}{two}"))),
        (one, two) => one.or(two.map(Cow::Borrowed)),
    }
}

/// Returns a column's name as it is compared.
fn key(header: &str) -> String {
    text::words(&text::fold(header)).join("_")
}

/// One row under its map.
struct Cells<'m, 'a> {
    map: &'m ColumnMap,
    values: &'m [Option<&'a str>],
}

impl<'a> Cells<'_, 'a> {
    /// Returns the values of a field that are not empty.
    fn of(&self, field: ColumnField) -> impl Iterator<Item = &'a str> {
        let ColumnMap {
            columns, starts, ..
        } = self.map;
        let range = match starts.get(field as usize..) {
            Some([start, end, ..]) => *start..*end,
            _ => 0..0,
        };
        let places = columns.get(range).unwrap_or_default().iter();
        let cells = places.filter_map(|(_, at)| self.values.get(*at).copied().flatten());
        cells.map(str::trim).filter(|value| !value.is_empty())
    }

    /// Returns the first value of a field.
    fn first(&self, field: ColumnField) -> Option<&'a str> {
        self.of(field).next()
    }

    /// Returns every value of a field, cells with several split.
    fn all(&self, field: ColumnField) -> Vec<&'a str> {
        let several = self.of(field).flat_map(|cell| cell.split([';', '|']));
        several
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// Returns what the row is about; without a word on it, a row with a company and no person is a company.
    fn kind(&self) -> EntityKind {
        let word = self.first(ColumnField::Kind).map(str::to_ascii_lowercase);
        match word.as_deref() {
            Some("company" | "account" | "organization" | "organisation" | "org" | "business") => {
                EntityKind::Company
            }
            Some("person" | "contact" | "lead" | "individual" | "participant") => {
                EntityKind::Person
            }
            _ => {
                let person = [
                    ColumnField::FirstName,
                    ColumnField::LastName,
                    ColumnField::Name,
                    ColumnField::BirthDate,
                ];
                let named = person.iter().any(|field| self.first(*field).is_some());
                let company = self.first(ColumnField::Company).is_some()
                    || self.first(ColumnField::Website).is_some();
                if company && !named && self.first(ColumnField::Email).is_none() {
                    EntityKind::Company
                } else {
                    EntityKind::Person
                }
            }
        }
    }

    /// Returns a time in µs since 1970, 0 where the cell holds none.
    fn time(&self, field: ColumnField) -> i64 {
        let time = self
            .first(field)
            .and_then(|cell| chrono::DateTime::parse_from_rfc3339(cell).ok());
        time.map_or(0, |time| time.timestamp_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_names() {
        let map = ColumnMap::guess(&[
            "Record ID",
            "Given Name",
            "Surname",
            "E-Mail",
            "emails",
            "soc_sec_id",
            "Date of Birth",
        ]);
        let values = [
            "7",
            "Ada",
            "Byron",
            "a@x.com",
            "b@x.com; c@x.com",
            "123",
            "1815-12-10",
        ]
        .map(Some);
        let identity = map.said(&values, "file", 1).to_identity();
        assert_eq!(identity.record.to_string(), "file/rows/7");
        assert_eq!(identity.first_name.as_deref(), Some("Ada"));
        assert_eq!(identity.emails, ["a@x.com", "b@x.com", "c@x.com"]);
        assert_eq!(identity.birth_date.as_deref(), Some("1815-12-10"));
    }

    #[test]
    fn an_address_is_put_together_from_its_columns() {
        let map = ColumnMap::guess(&["street_number", "address_1", "address_2"]);
        for (values, street) in [
            ([Some("12"), Some("Elm St"), None], Some("12 Elm St")),
            (
                [Some("12"), Some("Elm St"), Some("Flat 3")],
                Some("12 Elm St\nFlat 3"),
            ),
            ([None, None, Some("Rose Farm")], Some("Rose Farm")),
            ([None, None, None], None),
        ] {
            assert_eq!(map.said(&values, "file", 1).street.as_deref(), street);
        }
    }

    #[test]
    fn a_column_can_be_named_by_hand() {
        let map = ColumnMap::guess(&["id", "who", "name"])
            .with(ColumnField::Name, "Who")
            .expect("a column");
        assert_eq!(
            map.said(&[None, Some("Ada"), Some("x")], "file", 3)
                .full_name,
            Some("Ada")
        );
        assert!(map.with(ColumnField::Name, "nobody").is_none());
        for (at, name) in ColumnField::names().enumerate() {
            let field = ColumnField::parse(name).expect("a field");
            assert_eq!((field.as_str(), field as usize), (name, at));
        }
    }

    #[test]
    fn a_row_with_only_a_company_is_a_company() {
        let map = ColumnMap::guess(&["company", "website", "first_name"]);
        assert_eq!(
            map.said(&[Some("Acme"), None, None], "f", 1).kind,
            EntityKind::Company
        );
        assert_eq!(
            map.said(&[Some("Acme"), None, Some("Ada")], "f", 1).kind,
            EntityKind::Person
        );
    }
}
