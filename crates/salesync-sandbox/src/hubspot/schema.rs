//! The properties of HubSpot's objects, as `/crm/v3/properties/{type}` describes them.

use super::engagements;
use crate::store::{Field, Kind, Shelf};

/// A property: name, label, kind, and remarks (`custom`, `calculated`, `hidden`, or options joined
/// by `;`).
pub(super) type Row = (&'static str, &'static str, Kind, &'static str);

const CONTACTS: &[Row] = &[
    ("hs_object_id", "Record ID", Kind::Int, "calculated"),
    ("createdate", "Create Date", Kind::DateTime, "calculated"),
    (
        "lastmodifieddate",
        "Last Modified Date",
        Kind::DateTime,
        "calculated",
    ),
    ("email", "Email", Kind::Text, ""),
    ("firstname", "First Name", Kind::Text, ""),
    ("lastname", "Last Name", Kind::Text, ""),
    ("phone", "Phone Number", Kind::Phone, ""),
    ("mobilephone", "Mobile Phone Number", Kind::Phone, ""),
    ("company", "Company Name", Kind::Text, ""),
    ("jobtitle", "Job Title", Kind::Text, ""),
    ("address", "Street Address", Kind::Text, ""),
    ("city", "City", Kind::Text, ""),
    ("state", "State/Region", Kind::Text, ""),
    ("zip", "Postal Code", Kind::Text, ""),
    ("country", "Country/Region", Kind::Text, ""),
    ("website", "Website URL", Kind::Text, ""),
    (
        "lifecyclestage",
        "Lifecycle Stage",
        Kind::Picklist,
        LIFECYCLE,
    ),
    (
        "hs_lead_status",
        "Lead Status",
        Kind::Picklist,
        "NEW;OPEN;IN_PROGRESS;CONNECTED;UNQUALIFIED",
    ),
    ("hubspot_owner_id", "Contact owner", Kind::Picklist, "owner"),
    (
        "associatedcompanyid",
        "Primary Associated Company ID",
        Kind::Double,
        "",
    ),
    (
        "hs_merged_object_ids",
        "Merged record IDs",
        Kind::MultiPicklist,
        "calculated",
    ),
    (
        "hs_calculated_merged_vids",
        "Merged vids with timestamps",
        Kind::Text,
        "calculated hidden",
    ),
    (
        "hs_additional_emails",
        "Additional emails",
        Kind::MultiPicklist,
        "",
    ),
    ("hs_email_domain", "Email Domain", Kind::Text, "calculated"),
    (
        "hs_email_optout",
        "Unsubscribed from all email",
        Kind::Bool,
        "",
    ),
    (
        "hs_is_unworked",
        "Contact unworked",
        Kind::Bool,
        "calculated",
    ),
    (
        "hs_language",
        "Preferred language",
        Kind::Picklist,
        "en;de;fr;es;it;sv;nl;pt-br;ja;pl",
    ),
    ("hs_timezone", "Time Zone", Kind::Text, "hidden"),
    (
        "num_associated_deals",
        "Number of Associated Deals",
        Kind::Double,
        "calculated",
    ),
    (
        "notes_last_contacted",
        "Last Contacted",
        Kind::DateTime,
        "calculated",
    ),
    ("closedate", "Close Date", Kind::DateTime, ""),
    ("date_of_birth", "Date of birth", Kind::Text, ""),
    (
        "hs_analytics_source",
        "Original Source",
        Kind::Picklist,
        SOURCES,
    ),
    ("hubspotscore", "HubSpot Score", Kind::Double, "calculated"),
    ("contract_renewal", "Contract renewal", Kind::Date, "custom"),
    (
        "product_interest",
        "Product interest",
        Kind::MultiPicklist,
        "custom core;plus;support",
    ),
    ("fit_score", "Fit score", Kind::Double, "custom"),
];

const COMPANIES: &[Row] = &[
    ("hs_object_id", "Record ID", Kind::Int, "calculated"),
    ("createdate", "Create Date", Kind::DateTime, "calculated"),
    (
        "hs_lastmodifieddate",
        "Last Modified Date",
        Kind::DateTime,
        "calculated",
    ),
    ("name", "Company name", Kind::Text, ""),
    ("domain", "Company Domain Name", Kind::Text, ""),
    ("website", "Website URL", Kind::Text, ""),
    ("phone", "Phone Number", Kind::Phone, ""),
    ("address", "Street Address", Kind::Text, ""),
    ("city", "City", Kind::Text, ""),
    ("state", "State/Region", Kind::Text, ""),
    ("zip", "Postal Code", Kind::Text, ""),
    ("country", "Country/Region", Kind::Text, ""),
    ("industry", "Industry", Kind::Picklist, INDUSTRIES),
    ("numberofemployees", "Number of Employees", Kind::Double, ""),
    ("annualrevenue", "Annual Revenue", Kind::Double, ""),
    (
        "lifecyclestage",
        "Lifecycle Stage",
        Kind::Picklist,
        LIFECYCLE,
    ),
    ("hubspot_owner_id", "Company owner", Kind::Picklist, "owner"),
    (
        "hs_merged_object_ids",
        "Merged record IDs",
        Kind::MultiPicklist,
        "calculated",
    ),
    (
        "hs_parent_company_id",
        "Parent Company",
        Kind::Double,
        "calculated hidden",
    ),
    ("description", "Description", Kind::TextArea, ""),
    ("founded_year", "Year Founded", Kind::Text, ""),
    ("is_public", "Is Public", Kind::Bool, ""),
    (
        "linkedin_company_page",
        "LinkedIn Company Page",
        Kind::Text,
        "",
    ),
    (
        "num_associated_contacts",
        "Number of Associated Contacts",
        Kind::Double,
        "calculated",
    ),
    (
        "customer_tier",
        "Customer tier",
        Kind::Picklist,
        "custom gold;silver;bronze",
    ),
    ("vat_number", "VAT number", Kind::Text, "custom"),
];

const DEALS: &[Row] = &[
    ("hs_object_id", "Record ID", Kind::Int, "calculated"),
    ("createdate", "Create Date", Kind::DateTime, "calculated"),
    (
        "hs_lastmodifieddate",
        "Last Modified Date",
        Kind::DateTime,
        "calculated",
    ),
    ("dealname", "Deal Name", Kind::Text, ""),
    ("amount", "Amount", Kind::Currency, ""),
    (
        "amount_in_home_currency",
        "Amount in company currency",
        Kind::Currency,
        "calculated",
    ),
    (
        "deal_currency_code",
        "Currency",
        Kind::Picklist,
        "USD;EUR;GBP;SEK;BRL;INR;JPY;PLN",
    ),
    ("pipeline", "Pipeline", Kind::Picklist, "default"),
    (
        "dealstage",
        "Deal Stage",
        Kind::Picklist,
        "appointmentscheduled;contractsent;closedwon;closedlost",
    ),
    (
        "dealtype",
        "Deal Type",
        Kind::Picklist,
        "newbusiness;existingbusiness",
    ),
    ("closedate", "Close Date", Kind::DateTime, ""),
    ("description", "Deal Description", Kind::TextArea, ""),
    ("hubspot_owner_id", "Deal owner", Kind::Picklist, "owner"),
    ("hs_is_closed", "Is Closed", Kind::Bool, "calculated"),
    (
        "hs_is_closed_won",
        "Is Closed Won",
        Kind::Bool,
        "calculated",
    ),
    (
        "hs_primary_associated_company",
        "Primary Associated Company",
        Kind::Double,
        "calculated",
    ),
    (
        "hs_deal_stage_probability",
        "Deal probability",
        Kind::Double,
        "calculated",
    ),
    (
        "hs_forecast_amount",
        "Forecast amount",
        Kind::Double,
        "calculated hidden",
    ),
    (
        "hs_merged_object_ids",
        "Merged record IDs",
        Kind::MultiPicklist,
        "calculated",
    ),
    ("hs_priority", "Priority", Kind::Picklist, "low;medium;high"),
    (
        "num_associated_contacts",
        "Number of Associated Contacts",
        Kind::Double,
        "calculated",
    ),
    (
        "closed_lost_reason",
        "Closed Lost Reason",
        Kind::TextArea,
        "",
    ),
    ("days_to_close", "Days to close", Kind::Double, "calculated"),
    ("signature_date", "Signature date", Kind::Date, "custom"),
    ("discount_percent", "Discount", Kind::Double, "custom"),
];

const TICKETS: &[Row] = &[
    ("hs_object_id", "Record ID", Kind::Int, "calculated"),
    ("createdate", "Create date", Kind::DateTime, "calculated"),
    (
        "hs_lastmodifieddate",
        "Last modified date",
        Kind::DateTime,
        "calculated",
    ),
    ("subject", "Ticket name", Kind::Text, ""),
    ("content", "Ticket description", Kind::TextArea, ""),
    ("hs_pipeline", "Pipeline", Kind::Picklist, "0"),
    (
        "hs_pipeline_stage",
        "Ticket status",
        Kind::Picklist,
        "1;2;3;4",
    ),
    (
        "hs_ticket_priority",
        "Priority",
        Kind::Picklist,
        "LOW;MEDIUM;HIGH",
    ),
    ("hubspot_owner_id", "Ticket owner", Kind::Picklist, "owner"),
    (
        "hs_merged_object_ids",
        "Merged record IDs",
        Kind::MultiPicklist,
        "calculated",
    ),
    ("closed_date", "Close date", Kind::DateTime, ""),
];

const OTHER: &[Row] = &[
    ("hs_object_id", "Record ID", Kind::Int, "calculated"),
    ("hs_createdate", "Create date", Kind::DateTime, "calculated"),
    (
        "hs_lastmodifieddate",
        "Last modified date",
        Kind::DateTime,
        "calculated",
    ),
    (
        "hs_merged_object_ids",
        "Merged record IDs",
        Kind::MultiPicklist,
        "calculated",
    ),
];

const LIFECYCLE: &str =
    "subscriber;lead;marketingqualifiedlead;salesqualifiedlead;opportunity;customer;other";
const SOURCES: &str = "ORGANIC_SEARCH;PAID_SEARCH;EMAIL_MARKETING;REFERRALS;DIRECT_TRAFFIC;OFFLINE";
const INDUSTRIES: &str =
    "COMPUTER_SOFTWARE;LOGISTICS_AND_SUPPLY_CHAIN;MACHINERY;FOOD_PRODUCTION;RETAIL;CONSTRUCTION";

/// Makes the empty shelf of an object; names without a table of their own get the four properties
/// that every object has.
pub(crate) fn shelf(object: &str) -> Shelf {
    let rows = match object {
        "contacts" => CONTACTS,
        "companies" => COMPANIES,
        "deals" => DEALS,
        "tickets" => TICKETS,
        _ => OTHER,
    };
    let own = engagements::rows(object);
    Shelf::new(object, rows.iter().chain(own).map(field).collect())
}

/// The property that search filters changes by.
pub(crate) fn time_property(object: &str) -> &'static str {
    if object == "contacts" {
        "lastmodifieddate"
    } else {
        "hs_lastmodifieddate"
    }
}

/// The property that holds the time of creation.
pub(crate) fn created_property(object: &str) -> &'static str {
    match object {
        "contacts" | "companies" | "deals" | "tickets" => "createdate",
        _ => "hs_createdate",
    }
}

/// The properties that an answer carries when none are asked for.
pub(crate) fn default_properties(object: &str) -> &'static [&'static str] {
    match object {
        "contacts" => &["email", "firstname", "lastname"],
        "companies" => &["domain", "name"],
        "deals" => &["amount", "closedate", "dealname", "dealstage", "pipeline"],
        "tickets" => &["subject", "content", "hs_pipeline", "hs_pipeline_stage"],
        _ => &[],
    }
}

/// The objects that are activities.
pub(crate) const ENGAGEMENTS: [&str; 5] = ["calls", "emails", "meetings", "notes", "tasks"];

/// Gives an object's name for what may stand in a path: the name itself, or its type id.
pub(crate) fn object_name(segment: &str) -> &str {
    match segment {
        "0-1" | "contact" => "contacts",
        "0-2" | "company" => "companies",
        "0-3" | "deal" => "deals",
        "0-5" | "ticket" => "tickets",
        "0-48" | "call" => "calls",
        "0-49" | "email" => "emails",
        "0-47" | "meeting" => "meetings",
        "0-46" | "note" => "notes",
        "0-27" | "task" => "tasks",
        other => other,
    }
}

fn field(&(name, label, kind, remarks): &Row) -> Field {
    let mut field = Field::new(name, label, kind);
    for remark in remarks.split_whitespace() {
        match remark {
            "custom" => field.traits.custom = true,
            "calculated" => field.traits.calculated = true,
            "hidden" => field.traits.hidden = true,
            options => options.clone_into(&mut field.refers),
        }
    }
    field
}
