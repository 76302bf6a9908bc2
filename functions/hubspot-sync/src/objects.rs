//! The CRM objects that are read. A further one (tickets, a custom object) is one row more, and its name in
//! `SOURCE`.

/// What the reader must know about one kind of CRM object.
#[derive(Debug)]
pub(crate) struct CrmObject {
    /// The stream's name.
    pub(crate) stream: &'static str,
    /// The object's type in HubSpot's paths.
    pub(crate) object_type: &'static str,
    /// The table's name.
    pub(crate) table: &'static str,
    /// What a row is.
    pub(crate) comment: &'static str,
    /// The property that holds the time of the last change. A filter on the name that another object uses
    /// matches nothing and gives no error.
    pub(crate) changed_by: &'static str,
    /// The properties that name the records merged into this one: ids, or `id:time`, joined by `;`.
    pub(crate) merged_by: &'static [&'static str],
    /// The properties that hold another record's id. HubSpot calls them numbers; here they are text, as ids are.
    pub(crate) id_properties: &'static [&'static str],
    /// The types of the objects whose associations with a record are read; each is a column of ids.
    pub(crate) associations: &'static [&'static str],
}

/// Who and what an activity is about.
const ABOUT: &[&str] = &["contacts", "companies", "deals"];

/// Every CRM object that is a stream, in the order in which they are read.
pub(crate) const OBJECTS: &[CrmObject] = &[
    CrmObject {
        stream: "contacts",
        object_type: "contacts",
        table: "hubspot_contacts",
        comment: "HubSpot's contacts: people",
        changed_by: "lastmodifieddate",
        merged_by: &["hs_merged_object_ids", "hs_calculated_merged_vids"],
        id_properties: &["hs_object_id", "associatedcompanyid"],
        associations: &[],
    },
    CrmObject {
        stream: "companies",
        object_type: "companies",
        table: "hubspot_companies",
        comment: "HubSpot's companies",
        changed_by: "hs_lastmodifieddate",
        merged_by: &["hs_merged_object_ids"],
        id_properties: &["hs_object_id", "hs_parent_company_id"],
        associations: &[],
    },
    CrmObject {
        stream: "deals",
        object_type: "deals",
        table: "hubspot_deals",
        comment: "HubSpot's deals: chances of a sale",
        changed_by: "hs_lastmodifieddate",
        merged_by: &["hs_merged_object_ids"],
        id_properties: &["hs_object_id", "hs_primary_associated_company"],
        associations: &[],
    },
    CrmObject {
        stream: "calls",
        object_type: "calls",
        table: "hubspot_calls",
        comment: "HubSpot's calls, each with whom it was and how long it took",
        changed_by: "hs_lastmodifieddate",
        merged_by: &["hs_merged_object_ids"],
        id_properties: &["hs_object_id", "hs_call_callee_object_id"],
        associations: ABOUT,
    },
    CrmObject {
        stream: "emails",
        object_type: "emails",
        table: "hubspot_emails",
        comment: "HubSpot's e-mails: those that were sent, received or logged there",
        changed_by: "hs_lastmodifieddate",
        merged_by: &["hs_merged_object_ids"],
        id_properties: &["hs_object_id"],
        associations: ABOUT,
    },
    CrmObject {
        stream: "meetings",
        object_type: "meetings",
        table: "hubspot_meetings",
        comment: "HubSpot's meetings, with their beginning, end and outcome",
        changed_by: "hs_lastmodifieddate",
        merged_by: &["hs_merged_object_ids"],
        id_properties: &["hs_object_id"],
        associations: ABOUT,
    },
    CrmObject {
        stream: "notes",
        object_type: "notes",
        table: "hubspot_notes",
        comment: "HubSpot's notes: what someone wrote down about a record",
        changed_by: "hs_lastmodifieddate",
        merged_by: &["hs_merged_object_ids"],
        id_properties: &["hs_object_id"],
        associations: ABOUT,
    },
    CrmObject {
        stream: "tasks",
        object_type: "tasks",
        table: "hubspot_tasks",
        comment: "HubSpot's tasks: what someone is to do, and whether it is done",
        changed_by: "hs_lastmodifieddate",
        merged_by: &["hs_merged_object_ids"],
        id_properties: &["hs_object_id"],
        associations: ABOUT,
    },
];
