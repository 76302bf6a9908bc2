//! The fields of Salesforce's objects, as `describe` tells them.

use super::activities::{EVENT, TASK};
use crate::store::{Field, Kind, Made, Shelf};

/// A field: name, label, kind, and remarks (`custom`, `calculated`, objects that it refers to or
/// picklist values, joined by `;`).
pub(super) type Row = (&'static str, &'static str, Kind, &'static str);

const FIRST: &[Row] = &[
    ("Id", "Record ID", Kind::Id, ""),
    ("IsDeleted", "Deleted", Kind::Bool, ""),
];

const LAST: &[Row] = &[
    ("CreatedDate", "Created Date", Kind::DateTime, ""),
    ("CreatedById", "Created By ID", Kind::Reference, "User"),
    ("LastModifiedDate", "Last Modified Date", Kind::DateTime, ""),
    (
        "LastModifiedById",
        "Last Modified By ID",
        Kind::Reference,
        "User",
    ),
    ("SystemModstamp", "System Modstamp", Kind::DateTime, ""),
];

const ACCOUNT: &[Row] = &[
    (
        "MasterRecordId",
        "Master Record ID",
        Kind::Reference,
        "Account",
    ),
    ("Name", "Account Name", Kind::Text, ""),
    (
        "Type",
        "Account Type",
        Kind::Picklist,
        "Customer;Prospect;Partner",
    ),
    ("ParentId", "Parent Account ID", Kind::Reference, "Account"),
    ("BillingStreet", "Billing Street", Kind::TextArea, ""),
    ("BillingCity", "Billing City", Kind::Text, ""),
    ("BillingState", "Billing State/Province", Kind::Text, ""),
    (
        "BillingPostalCode",
        "Billing Zip/Postal Code",
        Kind::Text,
        "",
    ),
    ("BillingCountry", "Billing Country", Kind::Text, ""),
    ("BillingAddress", "Billing Address", Kind::Address, ""),
    ("Phone", "Account Phone", Kind::Phone, ""),
    ("Website", "Website", Kind::Url, ""),
    (
        "Industry",
        "Industry",
        Kind::Picklist,
        "Technology;Transportation;Machinery;Food;Retail",
    ),
    ("AnnualRevenue", "Annual Revenue", Kind::Currency, ""),
    ("NumberOfEmployees", "Employees", Kind::Int, ""),
    ("Description", "Account Description", Kind::TextArea, ""),
    ("OwnerId", "Owner ID", Kind::Reference, "User"),
    ("LastActivityDate", "Last Activity", Kind::Date, ""),
    (
        "Region__c",
        "Region",
        Kind::Picklist,
        "custom AMER;EMEA;APAC",
    ),
    (
        "Health_Score__c",
        "Health Score",
        Kind::Double,
        "custom calculated",
    ),
];

const CONTACT: &[Row] = &[
    (
        "MasterRecordId",
        "Master Record ID",
        Kind::Reference,
        "Contact",
    ),
    ("AccountId", "Account ID", Kind::Reference, "Account"),
    ("LastName", "Last Name", Kind::Text, ""),
    ("FirstName", "First Name", Kind::Text, ""),
    (
        "Salutation",
        "Salutation",
        Kind::Picklist,
        "Mr.;Ms.;Mx.;Dr.",
    ),
    ("Name", "Full Name", Kind::Text, "calculated"),
    ("MailingStreet", "Mailing Street", Kind::TextArea, ""),
    ("MailingCity", "Mailing City", Kind::Text, ""),
    ("MailingState", "Mailing State/Province", Kind::Text, ""),
    (
        "MailingPostalCode",
        "Mailing Zip/Postal Code",
        Kind::Text,
        "",
    ),
    ("MailingCountry", "Mailing Country", Kind::Text, ""),
    ("MailingAddress", "Mailing Address", Kind::Address, ""),
    ("Phone", "Business Phone", Kind::Phone, ""),
    ("MobilePhone", "Mobile Phone", Kind::Phone, ""),
    ("Email", "Email", Kind::Email, ""),
    ("Title", "Title", Kind::Text, ""),
    ("Department", "Department", Kind::Text, ""),
    (
        "LeadSource",
        "Lead Source",
        Kind::Picklist,
        "Web;Phone Inquiry;Partner Referral;Other",
    ),
    ("Birthdate", "Birthdate", Kind::Date, ""),
    ("Description", "Contact Description", Kind::TextArea, ""),
    ("OwnerId", "Owner ID", Kind::Reference, "User"),
    ("HasOptedOutOfEmail", "Email Opt Out", Kind::Bool, ""),
    ("Newsletter__c", "Newsletter", Kind::Bool, "custom"),
    (
        "Interests__c",
        "Interests",
        Kind::MultiPicklist,
        "custom core;plus;support",
    ),
];

const LEAD: &[Row] = &[
    (
        "MasterRecordId",
        "Master Record ID",
        Kind::Reference,
        "Lead",
    ),
    ("LastName", "Last Name", Kind::Text, ""),
    ("FirstName", "First Name", Kind::Text, ""),
    ("Name", "Full Name", Kind::Text, "calculated"),
    ("Title", "Title", Kind::Text, ""),
    ("Company", "Company", Kind::Text, ""),
    ("Street", "Street", Kind::TextArea, ""),
    ("City", "City", Kind::Text, ""),
    ("State", "State/Province", Kind::Text, ""),
    ("PostalCode", "Zip/Postal Code", Kind::Text, ""),
    ("Country", "Country", Kind::Text, ""),
    ("Address", "Address", Kind::Address, ""),
    ("Phone", "Phone", Kind::Phone, ""),
    ("MobilePhone", "Mobile Phone", Kind::Phone, ""),
    ("Email", "Email", Kind::Email, ""),
    ("Website", "Website", Kind::Url, ""),
    (
        "Status",
        "Status",
        Kind::Picklist,
        "Open;Working;Qualified;Unqualified",
    ),
    ("Rating", "Rating", Kind::Picklist, "Hot;Warm;Cold"),
    ("OwnerId", "Owner ID", Kind::Reference, "User"),
    ("IsConverted", "Converted", Kind::Bool, ""),
    ("ConvertedDate", "Converted Date", Kind::Date, ""),
    (
        "ConvertedAccountId",
        "Converted Account ID",
        Kind::Reference,
        "Account",
    ),
    (
        "ConvertedContactId",
        "Converted Contact ID",
        Kind::Reference,
        "Contact",
    ),
    (
        "ConvertedOpportunityId",
        "Converted Opportunity ID",
        Kind::Reference,
        "Opportunity",
    ),
    ("Trade_Fair__c", "Trade Fair", Kind::Text, "custom"),
];

const OPPORTUNITY: &[Row] = &[
    ("AccountId", "Account ID", Kind::Reference, "Account"),
    ("Name", "Name", Kind::Text, ""),
    ("Description", "Description", Kind::TextArea, ""),
    (
        "StageName",
        "Stage",
        Kind::Picklist,
        "Prospecting;Proposal;Closed Won;Closed Lost",
    ),
    ("Amount", "Amount", Kind::Currency, ""),
    ("Probability", "Probability (%)", Kind::Percent, ""),
    (
        "ExpectedRevenue",
        "Expected Amount",
        Kind::Currency,
        "calculated",
    ),
    ("CloseDate", "Close Date", Kind::Date, ""),
    (
        "Type",
        "Opportunity Type",
        Kind::Picklist,
        "New Business;Existing Business",
    ),
    ("NextStep", "Next Step", Kind::Text, ""),
    (
        "LeadSource",
        "Lead Source",
        Kind::Picklist,
        "Web;Phone Inquiry;Partner Referral;Other",
    ),
    ("IsClosed", "Closed", Kind::Bool, "calculated"),
    ("IsWon", "Won", Kind::Bool, "calculated"),
    ("OwnerId", "Owner ID", Kind::Reference, "User"),
    ("ContactId", "Contact ID", Kind::Reference, "Contact"),
    (
        "CurrencyIsoCode",
        "Opportunity Currency",
        Kind::Picklist,
        "USD;EUR;GBP;SEK;BRL;INR;JPY;PLN",
    ),
    ("Discount__c", "Discount", Kind::Percent, "custom"),
];

const USER: &[Row] = &[
    ("Username", "Username", Kind::Text, ""),
    ("LastName", "Last Name", Kind::Text, ""),
    ("FirstName", "First Name", Kind::Text, ""),
    ("Name", "Full Name", Kind::Text, "calculated"),
    ("Email", "Email", Kind::Email, ""),
    ("Title", "Title", Kind::Text, ""),
    ("Phone", "Phone", Kind::Phone, ""),
    ("IsActive", "Active", Kind::Bool, ""),
    ("UserType", "User Type", Kind::Picklist, "Standard"),
];

const OTHER: &[Row] = &[
    ("Name", "Name", Kind::Text, ""),
    ("OwnerId", "Owner ID", Kind::Reference, "User"),
];

/// Makes the empty shelf of an object; unknown names become custom objects with a name and an
/// owner.
pub(crate) fn shelf(object: &str) -> Shelf {
    let (name, rows) = match object.to_lowercase().as_str() {
        "account" => ("Account", ACCOUNT),
        "contact" => ("Contact", CONTACT),
        "lead" => ("Lead", LEAD),
        "opportunity" => ("Opportunity", OPPORTUNITY),
        "user" => ("User", USER),
        "task" => ("Task", TASK),
        "event" => ("Event", EVENT),
        _ => (object, OTHER),
    };
    // A user cannot be deleted, so it has no IsDeleted.
    let first = FIRST
        .iter()
        .take(if name == "User" { 1 } else { FIRST.len() });
    let fields: Vec<Field> = first.chain(rows).chain(LAST).map(field).collect();
    let mut shelf = Shelf::new(name, fields);
    compose(&mut shelf);
    shelf
}

/// The first three characters of an object's ids.
pub(crate) fn key_prefix(object: &str) -> &'static str {
    match object.to_lowercase().as_str() {
        "account" => "001",
        "contact" => "003",
        "lead" => "00Q",
        "opportunity" => "006",
        "user" => "005",
        "task" => "00T",
        "event" => "00U",
        _ => "a00",
    }
}

/// Tells full names and addresses which columns they are put together from.
fn compose(shelf: &mut Shelf) {
    let names = shelf.columns(["FirstName", "LastName"]);
    let parts: Vec<(String, [usize; 5])> = ["Billing", "Mailing", ""]
        .iter()
        .map(|prefix| {
            let part = |name: &str| {
                shelf
                    .column(&format!("{prefix}{name}"))
                    .unwrap_or(usize::MAX)
            };
            let columns = ["Street", "City", "State", "PostalCode", "Country"].map(part);
            (format!("{prefix}Address"), columns)
        })
        .collect();
    for field in &mut shelf.fields {
        if field.kind == Kind::Address
            && let Some((_, columns)) = parts.iter().find(|(name, _)| *name == field.name)
        {
            field.made = Made::Address(*columns);
        }
        if field.name == "Name" && !names.contains(&usize::MAX) {
            field.made = Made::FullName(names);
        }
    }
}

fn field(&(name, label, kind, remarks): &Row) -> Field {
    let mut field = Field::new(name, label, kind);
    let values = remarks.trim_start_matches("custom").trim_start();
    let values = values.trim_start_matches("calculated").trim_start();
    field.traits.custom = remarks.starts_with("custom");
    field.traits.calculated = remarks.contains("calculated");
    values.clone_into(&mut field.refers);
    field
}
