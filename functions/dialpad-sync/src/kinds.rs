//! The kinds of records as data: where each is listed, what its id is called, and its columns.

use std::sync::Arc;

use salesync_core::error::Result;
use salesync_core::schema::{Column, ColumnType, Table};

use ColumnType::{Bool, Int, Json, Text, Timestamp};

const NUMBER: ColumnType = ColumnType::NUMBER;

pub(crate) type Columns = &'static [(&'static str, ColumnType, &'static str)];

/// A kind of records that is listed whole each time, because Dialpad states no change time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) stream: &'static str,
    pub(crate) comment: &'static str,
    /// What is listed: path and query.
    pub(crate) target: &'static str,
    /// Where one is asked for by its id; `None` where that can't be done.
    pub(crate) by_id: Option<&'static str>,
    pub(crate) id: &'static str,
    pub(crate) columns: Columns,
}

/// The kinds that are listed whole.
pub(crate) const KINDS: [Kind; 6] = [
    Kind {
        stream: "contacts",
        comment: "Contacts that the company shares",
        target: "/api/v2/contacts",
        by_id: Some("/api/v2/contacts/"),
        id: "id",
        columns: &[
            ("display_name", Text, "The name as it is shown"),
            ("first_name", Text, "Given name"),
            ("last_name", Text, "Family name"),
            ("company_name", Text, "The company"),
            ("job_title", Text, "Job title"),
            ("primary_email", Text, "The first of the addresses"),
            ("primary_phone", Text, "The first of the numbers"),
            ("emails", Json, "All addresses"),
            ("phones", Json, "All numbers"),
            ("extension", Text, "The extension"),
            ("owner_id", Text, "Whose contact it is"),
            ("type", Text, "shared or local"),
            ("urls", Json, "Web pages"),
        ],
    },
    Kind {
        stream: "users",
        comment: "Users: one's own people, deleted ones too",
        target: "/api/v2/users?state=all",
        by_id: Some("/api/v2/users/"),
        id: "id",
        columns: &[
            ("display_name", Text, "The name as it is shown"),
            ("first_name", Text, "Given name"),
            ("last_name", Text, "Family name"),
            ("emails", Json, "Addresses"),
            ("phone_numbers", Json, "Numbers"),
            ("extension", Text, "The extension"),
            ("job_title", Text, "Job title"),
            (
                "state",
                Text,
                "active, suspended, cancelled, pending or deleted",
            ),
            ("office_id", Text, "The office in dialpad_offices"),
            ("company_id", Text, "The company"),
            ("country", Text, "Country"),
            ("language", Text, "Language"),
            ("timezone", Text, "Time zone"),
            ("license", Text, "The licence"),
            ("location", Text, "Where they say they are"),
            ("is_admin", Bool, "Whether they administer something"),
            (
                "is_super_admin",
                Bool,
                "Whether they administer the company",
            ),
            ("date_added", Timestamp, "When the user was made"),
            ("date_active", Timestamp, "When the user was activated"),
            ("date_first_login", Timestamp, "When they first logged in"),
            ("group_details", Json, "The groups that they are in"),
            ("admin_office_ids", Json, "The offices that they administer"),
            ("forwarding_numbers", Json, "Numbers that ring as well"),
        ],
    },
    Kind {
        stream: "offices",
        comment: "Offices",
        target: "/api/v2/offices",
        by_id: Some("/api/v2/offices/"),
        id: "id",
        columns: &[
            ("name", Text, "The name"),
            ("state", Text, "Its state"),
            ("country", Text, "Country"),
            ("timezone", Text, "Time zone"),
            (
                "is_primary_office",
                Bool,
                "Whether it is the company's first",
            ),
            ("office_id", Text, "Its own id once more"),
            ("phone_numbers", Json, "Numbers"),
            ("availability_status", Text, "Whether it is open"),
            ("ring_seconds", Int, "How long it rings"),
        ],
    },
    Kind {
        stream: "departments",
        comment: "Departments",
        target: "/api/v2/departments",
        by_id: None,
        id: "id",
        columns: GROUP_COLUMNS,
    },
    Kind {
        stream: "call_centers",
        comment: "Call centers",
        target: "/api/v2/callcenters",
        by_id: None,
        id: "id",
        columns: GROUP_COLUMNS,
    },
    Kind {
        stream: "numbers",
        comment: "The company's numbers",
        target: "/api/v2/numbers",
        by_id: None,
        id: "number",
        columns: &[
            ("area_code", Text, "Area code"),
            ("company_id", Text, "The company"),
            ("office_id", Text, "The office in dialpad_offices"),
            ("status", Text, "What it is assigned to"),
            ("target_id", Text, "Whose it is"),
            ("target_type", Text, "What kind of thing that is"),
            ("type", Text, "The kind of number"),
            ("deleted", Bool, "Whether it was given up"),
        ],
    },
];

const GROUP_COLUMNS: Columns = &[
    ("name", Text, "The name"),
    ("state", Text, "Its state"),
    ("office_id", Text, "The office in dialpad_offices"),
    ("country", Text, "Country"),
    ("timezone", Text, "Time zone"),
    ("group_description", Text, "What it is for"),
    ("phone_numbers", Json, "Numbers"),
    ("availability_status", Text, "Whether it is open"),
    ("ring_seconds", Int, "How long it rings"),
];

/// The columns of calls.
pub(crate) const CALLS: Columns = &[
    (
        "date_started",
        Timestamp,
        "When it began in Dialpad, before anyone was connected",
    ),
    ("date_rang", Timestamp, "When it first rang"),
    ("date_connected", Timestamp, "When it was connected"),
    ("date_ended", Timestamp, "When it was hung up"),
    ("direction", Text, "inbound or outbound"),
    ("external_number", Text, "The other side's number"),
    ("internal_number", Text, "Our number"),
    (
        "duration",
        NUMBER,
        "How long it was connected, in milliseconds",
    ),
    (
        "total_duration",
        NUMBER,
        "The same with the time that it rang",
    ),
    ("state", Text, "Its state"),
    ("contact", Json, "Who the other side is"),
    ("target", Json, "Whom it reached, or who made it"),
    ("entry_point_target", Json, "Where it came in"),
    ("proxy_target", Json, "Under whose number it was made"),
    ("entry_point_call_id", Text, "The leg where it came in"),
    ("master_call_id", Text, "The leg that stands for the whole"),
    (
        "operator_call_id",
        Text,
        "The leg with the person who took it",
    ),
    (
        "conversation_id",
        Text,
        "The same for all legs of one conversation",
    ),
    ("contact_name", Text, "The name in contact"),
    ("target_name", Text, "The name in target"),
    ("target_email", Text, "The address in target"),
    (
        "target_type",
        Text,
        "The kind of target: user for a person of ours",
    ),
    ("group_id", Text, "The department, main line or queue"),
    ("is_transferred", Bool, "Whether it was transferred"),
    ("was_recorded", Bool, "Whether it was recorded"),
    ("labels", Json, "Labels"),
    ("mos_score", NUMBER, "How good the line was, 1 to 5"),
    ("csat_score", Text, "What the caller thought of it"),
    ("csat_transcriptions", Json, "What the caller said of it"),
    ("custom_data", Text, "Custom data"),
    (
        "event_timestamp",
        Timestamp,
        "When its record was last written",
    ),
    (
        "recording_details",
        Json,
        "Its recordings; also in dialpad_recordings",
    ),
    ("routing_breadcrumbs", Json, "How it was routed"),
    ("transcription_text", Text, "The text of a voicemail"),
    (
        "voicemail_share_link",
        Text,
        "Where a voicemail can be heard",
    ),
    (
        "call_recording_share_links",
        Json,
        "Where recordings can be heard",
    ),
    (
        "admin_call_recording_share_links",
        Json,
        "Where administrators can hear them",
    ),
];

/// The columns of recordings.
pub(crate) const RECORDINGS: Columns = &[
    ("call_id", Text, "The call in dialpad_calls"),
    ("recording_id", Text, "The recording's own id"),
    ("recording_type", Text, "The kind of recording"),
    ("start_time", Timestamp, "When it began"),
    ("duration", NUMBER, "How long it is, in milliseconds"),
    ("url", Text, "Where it can be heard by those who may"),
];

/// The columns of transcripts.
pub(crate) const TRANSCRIPTS: Columns = &[
    (
        "lines",
        Json,
        "What was said, line by line: name, time, type, content",
    ),
    ("line_count", Int, "How many lines were spoken"),
    ("call_ended_at", Timestamp, "When the call ended"),
];

/// The columns of voicemails.
pub(crate) const VOICEMAILS: Columns = &[
    ("call_id", Text, "The call in dialpad_calls"),
    ("date", Timestamp, "When it was left"),
    ("date_listened", Timestamp, "When it was heard"),
    ("external_number", Text, "The other side's number"),
    ("internal_number", Text, "Our number"),
    ("name", Text, "Whose mailbox it is in"),
    ("email", Text, "Their address"),
    ("target_id", Text, "Their id"),
    ("listened_by_target_id", Text, "Who heard it"),
    ("listened_by_name", Text, "Their name"),
    ("listened_by_email", Text, "Their address"),
    ("recording_url", Text, "Where it can be heard"),
    ("transcription_text", Text, "What was said"),
    ("timezone", Text, "The zone that its times were exported in"),
];

/// The columns of texts.
pub(crate) const TEXTS: Columns = &[
    ("date", Timestamp, "When it was sent"),
    ("direction", Text, "inbound or outbound"),
    ("from_phone", Text, "Who sent it"),
    ("to_phone", Text, "Who got it"),
    ("name", Text, "Whose line of ours it is"),
    ("email", Text, "Their address"),
    ("target_id", Text, "Their id"),
    ("target_type", Text, "What kind of line it is"),
    ("sender_id", Text, "Who of ours sent it"),
    ("mms", Text, "Whether it carries more than text"),
    (
        "encrypted_text",
        Text,
        "The text, encrypted with the company's key",
    ),
    ("encrypted_aes_text", Text, "The key of the text, encrypted"),
    ("timezone", Text, "The zone that its times were exported in"),
];

/// Returns the table of a stream.
pub(crate) fn table(stream: &str, comment: &str, columns: Columns) -> Result<Table> {
    Table::new(
        &format!("dialpad_{stream}"),
        comment,
        Column::list(columns)?,
    )
}

impl Kind {
    /// Returns the kind's table.
    pub(crate) fn table(&self) -> Result<Arc<Table>> {
        table(self.stream, self.comment, self.columns).map(Arc::new)
    }
}
