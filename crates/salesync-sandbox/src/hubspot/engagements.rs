//! The properties of HubSpot's activities, beside those that every object has.

use super::schema::Row;
use crate::store::Kind;

const ANY: &[Row] = &[
    ("hs_timestamp", "Activity date", Kind::DateTime, ""),
    (
        "hubspot_owner_id",
        "Activity assigned to",
        Kind::Picklist,
        "owner",
    ),
];

const CALLS: &[Row] = &[
    ("hs_call_title", "Call Title", Kind::Text, ""),
    ("hs_call_body", "Call notes", Kind::TextArea, ""),
    (
        "hs_call_direction",
        "Call direction",
        Kind::Picklist,
        "INBOUND;OUTBOUND",
    ),
    ("hs_call_duration", "Call duration", Kind::Double, ""),
    ("hs_call_from_number", "From Number", Kind::Text, ""),
    ("hs_call_to_number", "To Number", Kind::Text, ""),
    (
        "hs_call_status",
        "Call status",
        Kind::Picklist,
        "COMPLETED;NO_ANSWER;BUSY;FAILED;CANCELED",
    ),
    ("hs_call_disposition", "Call outcome", Kind::Picklist, ""),
    ("hs_call_recording_url", "Recording URL", Kind::Text, ""),
];

const EMAILS: &[Row] = &[
    (
        "hs_email_direction",
        "Email Direction",
        Kind::Picklist,
        "EMAIL;INCOMING_EMAIL;FORWARDED_EMAIL",
    ),
    (
        "hs_email_status",
        "Email Send Status",
        Kind::Picklist,
        "SENT;SENDING;SCHEDULED;FAILED;BOUNCED",
    ),
    ("hs_email_subject", "Email subject", Kind::Text, ""),
    ("hs_email_text", "Email body", Kind::TextArea, ""),
    ("hs_email_html", "Email HTML body", Kind::TextArea, ""),
    ("hs_email_headers", "Email headers", Kind::TextArea, ""),
    (
        "hs_email_from_email",
        "Email From Address",
        Kind::Text,
        "calculated",
    ),
    (
        "hs_email_to_email",
        "Email To Address",
        Kind::Text,
        "calculated",
    ),
    (
        "hs_email_cc_email",
        "Email CC Address",
        Kind::Text,
        "calculated",
    ),
    ("hs_email_message_id", "Email Message ID", Kind::Text, ""),
    (
        "hs_email_thread_id",
        "Email Thread ID",
        Kind::Text,
        "hidden",
    ),
];

const MEETINGS: &[Row] = &[
    ("hs_meeting_title", "Meeting Name", Kind::Text, ""),
    ("hs_meeting_body", "Meeting description", Kind::TextArea, ""),
    (
        "hs_meeting_start_time",
        "Meeting start time",
        Kind::DateTime,
        "",
    ),
    (
        "hs_meeting_end_time",
        "Meeting end time",
        Kind::DateTime,
        "",
    ),
    (
        "hs_meeting_outcome",
        "Meeting outcome",
        Kind::Picklist,
        "SCHEDULED;COMPLETED;RESCHEDULED;NO_SHOW;CANCELED",
    ),
    ("hs_meeting_location", "Meeting location", Kind::Text, ""),
    (
        "hs_internal_meeting_notes",
        "Internal meeting notes",
        Kind::TextArea,
        "",
    ),
];

const NOTES: &[Row] = &[("hs_note_body", "Note body", Kind::TextArea, "")];

const TASKS: &[Row] = &[
    ("hs_task_subject", "Task Title", Kind::Text, ""),
    ("hs_task_body", "Task Notes", Kind::TextArea, ""),
    (
        "hs_task_status",
        "Task Status",
        Kind::Picklist,
        "NOT_STARTED;IN_PROGRESS;WAITING;COMPLETED;DEFERRED",
    ),
    (
        "hs_task_priority",
        "Priority",
        Kind::Picklist,
        "NONE;LOW;MEDIUM;HIGH",
    ),
    (
        "hs_task_type",
        "Task Type",
        Kind::Picklist,
        "CALL;EMAIL;TODO",
    ),
    (
        "hs_task_completion_date",
        "Completed at",
        Kind::DateTime,
        "calculated",
    ),
];

/// The properties of an activity; none for other objects.
pub(super) fn rows(object: &str) -> impl Iterator<Item = &'static Row> {
    let (any, own): (&[Row], &[Row]) = match object {
        "calls" => (ANY, CALLS),
        "emails" => (ANY, EMAILS),
        "meetings" => (ANY, MEETINGS),
        "notes" => (ANY, NOTES),
        "tasks" => (ANY, TASKS),
        _ => (&[], &[]),
    };
    any.iter().chain(own)
}
