//! The files of the statistics export.
//!
//! The vendor publishes no columns. Those of calls and texts, the zoneless local times, durations
//! in minutes and the mark at the beginning are as people who use such files describe them; of
//! voicemails one table somewhere gives the columns; those of recordings, and of the kinds that
//! nobody here makes any records of, are assumed.

use chrono::SecondsFormat;
use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::clock::date_time;
use crate::world::{Call, DialpadSide, Text, is_voicemail};

const CALL_COLUMNS: &str = "date_started,call_id,category,direction,external_number,\
    internal_number,date_first_rang,date_queued,date_rang,date_connected,date_ended,target_id,\
    target_kind,target_type,name,email,was_recorded,entry_point_call_id,entry_point_target_id,\
    entry_point_target_kind,proxy_target_id,voicemail,transferred_to,transferred_to_contact_id,\
    transferred_from_target_id,office_id,company_id,device,salesforce_activity_id,timezone,\
    availability,time_in_system,callback_type,callback_id,master_call_id,time_to_answer,\
    date_callback_connected,date_callback_ended,date_anonymized,categories,ringing_duration,\
    ringing_occurrences,hold_duration,hold_occurrences,talk_duration,queued_duration,\
    queued_occurrences,wrapup_duration,participant_type,percent_ai_talk_time,\
    percent_ai_listen_time,percent_ai_silent_time,campaign_id,is_internal";
const TEXT_COLUMNS: &str = "date,message_id,name,email,target_type,target_id,sender_id,direction,\
    to_phone,from_phone,encrypted_text,encrypted_aes_text,mms,timezone";
const VOICEMAIL_COLUMNS: &str = "call_id,target_id,name,email,external_number,internal_number,\
    date,date_listened,listened_by_target_id,listened_by_name,listened_by_email,recording_url,\
    transcription_text,timezone";
const RECORDING_COLUMNS: &str = "date,call_id,recording_id,recording_type,duration,recording_url,\
    target_id,target_type,name,email,timezone";
const DUTY_COLUMNS: &str = "date,record_id,target_id,availability_status,on_duty_status,reason,\
    name,email,target_type,call_center_id,setter_name,setter_email,setter_role,timezone";
const OTHER_COLUMNS: &str = "date,call_id,target_id,target_type,name,email,timezone";
/// Spreadsheets take it as a sign that the file is UTF-8.
const MARK: char = '\u{feff}';

/// Which records an export holds.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Whose clocks the times are by.
    pub(super) zone: Tz,
    /// From this instant on.
    pub(super) from_ms: i64,
    /// Up to and without this one.
    pub(super) to_ms: i64,
    /// When the export was asked for.
    pub(super) now_ms: i64,
    /// Only those of a target: its id and type.
    pub(super) target: (Option<String>, String),
    /// Only those of an office, where no target is given.
    pub(super) office: Option<String>,
}

/// Writes the file of one kind of records, oldest first.
pub(super) fn csv(side: &DialpadSide, kind: &str, chosen: &Chosen) -> String {
    let columns = match kind {
        "calls" => CALL_COLUMNS,
        "texts" => TEXT_COLUMNS,
        "voicemails" => VOICEMAIL_COLUMNS,
        "recordings" => RECORDING_COLUMNS,
        "onduty" => DUTY_COLUMNS,
        _ => OTHER_COLUMNS,
    };
    let calls = side.calls().iter().filter(|call| {
        call.is_concluded(chosen.now_ms)
            && chosen.has(side, call.started_ms, &target_of(&call.record))
    });
    let rows: Vec<Row<'_>> = match kind {
        "calls" => calls
            .map(|call| Row::call(side, chosen.zone, call))
            .collect(),
        "voicemails" => calls
            .filter(|call| is_voicemail(call))
            .map(|call| Row::call(side, chosen.zone, call))
            .collect(),
        "recordings" => calls
            .flat_map(|call| Row::recordings(side, chosen.zone, call))
            .collect(),
        "texts" => Row::texts(side, chosen),
        _ => Vec::new(),
    };
    let columns: Vec<&str> = columns.split(',').collect();
    let mut out = String::from(MARK);
    push_line(&mut out, columns.iter().map(|name| (*name).to_owned()));
    for row in rows {
        push_line(&mut out, columns.iter().map(|name| row.cell(kind, name)));
    }
    out
}

impl Chosen {
    fn has(&self, side: &DialpadSide, at_ms: i64, (id, kind): &(String, String)) -> bool {
        if !(self.from_ms..self.to_ms).contains(&at_ms) {
            return false;
        }
        match (&self.target.0, &self.office) {
            (Some(target), _) => {
                target == id && (self.target.1.is_empty() || self.target.1 == *kind)
            }
            (None, Some(office)) => office_of(side, id, kind).as_ref() == Some(office),
            (None, None) => true,
        }
    }
}

/// One line of a file.
struct Row<'a> {
    side: &'a DialpadSide,
    zone: Tz,
    at_ms: i64,
    /// A call's or a text's record.
    record: &'a Map<String, Value>,
    /// One of the call's recordings.
    recording: Option<&'a Value>,
    target: (String, String),
}

impl<'a> Row<'a> {
    fn call(side: &'a DialpadSide, zone: Tz, call: &'a Call) -> Self {
        Self {
            side,
            zone,
            at_ms: call.started_ms,
            record: &call.record,
            recording: None,
            target: target_of(&call.record),
        }
    }

    fn recordings(side: &'a DialpadSide, zone: Tz, call: &'a Call) -> Vec<Self> {
        let list = call
            .record
            .get("recording_details")
            .and_then(Value::as_array);
        let rows = list.into_iter().flatten().map(|recording| Self {
            recording: Some(recording),
            ..Self::call(side, zone, call)
        });
        rows.collect()
    }

    fn texts(side: &'a DialpadSide, chosen: &Chosen) -> Vec<Self> {
        let target = |text: &Text| {
            let field = |name: &str| plain(text.record.get(name));
            (field("target_id"), field("target_type"))
        };
        let mut texts: Vec<&Text> = side
            .texts
            .iter()
            .filter(|text| chosen.has(side, text.at_ms, &target(text)))
            .collect();
        texts.sort_by_key(|text| text.at_ms);
        let rows = texts.into_iter().map(|text| Self {
            side,
            zone: chosen.zone,
            at_ms: text.at_ms,
            record: &text.record,
            recording: None,
            target: target(text),
        });
        rows.collect()
    }

    /// The value of a column; empty where there is none.
    fn cell(&self, kind: &str, name: &str) -> String {
        match name {
            "date" | "date_started" => self.time(Some(self.at_ms)),
            "timezone" => self.zone.name().to_owned(),
            "target_id" => self.target.0.clone(),
            "target_type" => self.target.1.replace("callcenter", "call_center"),
            "target_kind" => kind_of(&self.target.1).to_owned(),
            "name" => self.of_target(&["display_name", "name"]),
            "email" => self.of_target(&["emails"]),
            "office_id" => office_of(self.side, &self.target.0, &self.target.1).unwrap_or_default(),
            "company_id" => self.side.company_id.to_string(),
            "recording_id" => self.of_recording("id"),
            "recording_type" => self.of_recording("recording_type"),
            "duration" => minutes(self.recording.and_then(|one| one.get("duration"))),
            "recording_url" if kind == "voicemails" => {
                plain(self.record.get("voicemail_share_link"))
            }
            "recording_url" => self.of_recording("url"),
            _ if kind == "calls" => self.call_cell(name),
            _ => plain(self.record.get(name)),
        }
    }

    fn call_cell(&self, name: &str) -> String {
        let record = self.record;
        let time = |name: &str| record.get(name).and_then(Value::as_i64);
        let voicemail = record.contains_key("voicemail_share_link");
        let connected = record.contains_key("date_connected");
        let inbound = record
            .get("direction")
            .is_some_and(|direction| direction == "inbound");
        match name {
            "date_first_rang" => self.time(time("date_rang")),
            "date_rang" | "date_connected" | "date_ended" => self.time(time(name)),
            "category" => match (inbound, connected) {
                (true, true) => "incoming",
                (true, false) => "missed",
                (false, true) => "outgoing",
                (false, false) => "cancelled",
            }
            .to_owned(),
            "categories" => [
                if inbound { "inbound" } else { "outbound" },
                if connected { "answered" } else { "unanswered" },
                if voicemail { "voicemail" } else { "" },
            ]
            .iter()
            .filter(|word| !word.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(","),
            "voicemail" => voicemail.to_string(),
            "is_internal" => "false".to_owned(),
            "entry_point_target_id" => {
                plain(record.get("entry_point_target").and_then(|it| it.get("id")))
            }
            "entry_point_target_kind" => {
                let kind = record
                    .get("entry_point_target")
                    .and_then(|it| it.get("type")?.as_str());
                kind.map(kind_of).unwrap_or_default().to_owned()
            }
            "proxy_target_id" => plain(record.get("proxy_target").and_then(|it| it.get("id"))),
            "time_in_system" => minutes(record.get("total_duration")),
            "talk_duration" if connected => minutes(record.get("duration")),
            "time_to_answer" => match (time("date_connected"), inbound) {
                (Some(connected_ms), true) => {
                    minutes(Some(&Value::from(connected_ms.saturating_sub(self.at_ms))))
                }
                _ => String::new(),
            },
            "participant_type" if self.target.1 == "user" => "operator".to_owned(),
            _ => plain(record.get(name)),
        }
    }

    /// A time as a file has it: local, without its zone, to the microsecond.
    fn time(&self, ms: Option<i64>) -> String {
        ms.map_or_else(String::new, |ms| {
            let local = date_time(ms).with_timezone(&self.zone).naive_local();
            let text = local.and_utc().to_rfc3339_opts(SecondsFormat::Micros, true);
            text.replace('T', " ").trim_end_matches('Z').to_owned()
        })
    }

    fn of_target(&self, names: &[&str]) -> String {
        let entry = self.side.entry(list_of(&self.target.1), &self.target.0);
        let value = entry.and_then(|entry| names.iter().find_map(|name| entry.record.get(*name)));
        match value {
            Some(Value::Array(list)) => plain(list.first()),
            other => plain(other),
        }
    }

    fn of_recording(&self, name: &str) -> String {
        plain(self.recording.and_then(|recording| recording.get(name)))
    }
}

fn target_of(record: &Map<String, Value>) -> (String, String) {
    let part = |name: &str| plain(record.get("target").and_then(|target| target.get(name)));
    (part("id"), part("type"))
}

fn office_of(side: &DialpadSide, id: &str, kind: &str) -> Option<String> {
    if kind == "office" {
        return Some(id.to_owned());
    }
    let entry = side.entry(list_of(kind), id)?;
    entry.record.get("office_id").map(|id| plain(Some(id)))
}

/// In which list a kind of target stands.
fn list_of(kind: &str) -> &'static str {
    match kind {
        "user" => "users",
        "department" => "departments",
        "callcenter" => "callcenters",
        _ => "offices",
    }
}

/// What a kind of target is called in files.
fn kind_of(kind: &str) -> &'static str {
    match kind {
        "user" => "UserProfile",
        "department" => "Department",
        "callcenter" => "CallCenter",
        "office" => "Office",
        _ => "",
    }
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null | Value::Object(_) | Value::Array(_)) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Milliseconds as minutes with two digits behind the point.
fn minutes(value: Option<&Value>) -> String {
    match value.and_then(Value::as_f64) {
        Some(ms) => format!("{:.2}", ms / 60_000.0),
        None => String::new(),
    }
}

/// Appends a line with every cell quoted.
fn push_line(out: &mut String, cells: impl Iterator<Item = String>) {
    let quoted = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
    out.push_str(&quoted.collect::<Vec<_>>().join(","));
    out.push_str("\r\n");
}
