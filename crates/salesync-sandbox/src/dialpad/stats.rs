//! Dialpad's statistics export: asked for, polled, fetched as a file.
//!
//! Of the two kinds of export only single records are served, not sums.

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::answer::{invalid, not_found};
use super::desk::Progress;
use super::export::{Chosen, csv};
use crate::World;
use crate::clock::date_time;
use crate::server::{Answer, Asked};

const STAT_TYPES: [&str; 8] = [
    "calls",
    "csat",
    "dispositions",
    "onduty",
    "recordings",
    "screenshare",
    "texts",
    "voicemails",
];
/// How far back an export reaches whose start is not given, in days; unpublished.
const DAYS_BACK: u64 = 30;
const DAYS_BACK_MAX: u64 = 100_000;

/// Takes up an export: what it holds is what is true now.
pub(super) fn start(world: &World, asked: &Asked) -> Answer {
    let Some(body) = asked.json() else {
        return invalid("the body is no JSON");
    };
    let kind = text(&body, "stat_type");
    if !STAT_TYPES.contains(&kind) {
        return invalid("stat_type is invalid");
    }
    if text(&body, "export_type") != "records" {
        return invalid("only records are exported here");
    }
    let targeted = body.get("target_id").is_some() && body.get("target_type").is_some();
    if matches!(kind, "csat" | "dispositions") && !targeted {
        return invalid("target_id and target_type are needed");
    }
    let Ok(zone) = zone(&body) else {
        return invalid("timezone is unknown");
    };
    let now_ms = world.now_ms();
    let Some(days) = days(&body, date_time(now_ms).with_timezone(&zone).date_naive()) else {
        return invalid("days_ago_start or days_ago_end is invalid");
    };
    let chosen = Chosen {
        zone,
        from_ms: midnight_ms(zone, days.0),
        to_ms: midnight_ms(zone, days.1).min(now_ms.saturating_add(1)),
        now_ms,
        target: (
            number(&body, "target_id"),
            text(&body, "target_type").to_owned(),
        ),
        office: number(&body, "office_id"),
    };
    let file = csv(&world.dialpad(), kind, &chosen);
    let id = world.desk().dialpad.take_up(file);
    Answer::json(200, &json!({"request_id": id}))
}

/// Answers where an export stands.
pub(super) fn poll(world: &World, asked: &Asked, id: &str) -> Answer {
    let progress = world.desk().dialpad.poll(id);
    match progress {
        None => not_found(&format!("request {id}")),
        Some(Progress::Processing) => Answer::json(200, &json!({"status": "processing"})),
        Some(Progress::Failed) => Answer::json(200, &json!({"status": "failed"})),
        Some(Progress::Complete) => Answer::json(
            200,
            &json!({
                "status": "complete",
                "download_url": format!("{}/blob/adhocreport/{id}.csv", asked.origin),
                "file_type": "csv",
            }),
        ),
    }
}

/// Answers the file of a complete export.
pub(super) fn file(world: &World, name: &str) -> Answer {
    let id = name.strip_suffix(".csv").unwrap_or(name);
    let file = world.desk().dialpad.file(id);
    match file {
        Some(csv) => Answer::text(200, csv).header("content-type", "text/csv; charset=utf-8"),
        None => not_found("file"),
    }
}

/// The first day, and the one after the last.
fn days(body: &Value, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let (mut first, mut last) = if body.get("is_today").and_then(Value::as_bool) == Some(true) {
        (0, 0)
    } else {
        (
            ago(body, "days_ago_start", DAYS_BACK)?,
            ago(body, "days_ago_end", 1)?,
        )
    };
    // Either may be the earlier one.
    if first < last {
        (first, last) = (last, first);
    }
    let start = today.checked_sub_days(Days::new(first))?;
    let end = today.checked_sub_days(Days::new(last))?.succ_opt()?;
    Some((start, end))
}

fn ago(body: &Value, name: &str, otherwise: u64) -> Option<u64> {
    let days = match body.get(name) {
        None | Some(Value::Null) => Some(otherwise),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
    };
    days.filter(|days| *days <= DAYS_BACK_MAX)
}

fn zone(body: &Value) -> Result<Tz, chrono_tz::ParseError> {
    match body.get("timezone").and_then(Value::as_str) {
        Some(name) => name.parse(),
        None => Ok(Tz::UTC),
    }
}

/// When a day begins; where the clocks leave midnight out, an hour later.
fn midnight_ms(zone: Tz, day: NaiveDate) -> i64 {
    let midnight = day.and_time(NaiveTime::MIN);
    let later = midnight + chrono::TimeDelta::hours(1);
    zone.from_local_datetime(&midnight)
        .earliest()
        .or_else(|| zone.from_local_datetime(&later).earliest())
        .map_or(0, |time| time.timestamp_millis())
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Reads an id that may come as text or integer.
fn number(body: &Value, name: &str) -> Option<String> {
    match body.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
