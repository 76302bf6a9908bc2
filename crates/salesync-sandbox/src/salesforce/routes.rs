//! Which of Salesforce's endpoints is asked, and whether the caller may.

use serde_json::{Value, json};

use super::answer::{not_found, problem, session_expired, throttled};
use super::{describe, id_text, login, query, schema};
use crate::server::{Access, Answer, Asked};
use crate::store::{DAY_MS, State, parse_time, push_salesforce_time};
use crate::world::SalesforceSide;
use crate::{Vendor, World};

/// The limit that all its requests fall under.
pub(crate) const LIMIT: &str = "api";
/// URI and headers together may be this long, in bytes.
const REQUEST_MAX: usize = 16_384;
/// How far back the log of deletions reaches, in days.
const DELETIONS_KEPT_DAYS: i64 = 15;

/// Answers one request to Salesforce's API.
pub(crate) fn answer(world: &World, asked: &Asked) -> Answer {
    let segments: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    match (asked.method.as_str(), segments.as_slice()) {
        ("POST", ["services", "oauth2", "token"]) => return login::token(world, asked),
        ("GET", ["services", "data"]) => return versions(),
        _ => {}
    }
    let now_ms = world.now_ms();
    let token = asked.bearer().unwrap_or_default();
    if world.desk().logins.check(Vendor::Salesforce, token, now_ms) != Access::Granted {
        return session_expired();
    }
    let counted = world.desk().meter.salesforce(now_ms);
    let limit = (Vendor::Salesforce, LIMIT);
    match counted {
        // It limits the day and what runs long, and nothing by the minute.
        Ok(()) => world.desk().paces.admitted(limit, None, 1, now_ms),
        Err(_) => world.desk().paces.over_limit(limit),
    }
    let answer = match counted {
        Err(refused) => throttled(refused),
        Ok(()) if length(asked) > REQUEST_MAX => {
            problem(414, "URI_TOO_LONG", "the URI and the headers are too long")
        }
        Ok(()) => route(world, asked, &segments),
    };
    let info = world.desk().meter.salesforce_info();
    answer.header("sforce-limit-info", info)
}

fn route(world: &World, asked: &Asked, segments: &[&str]) -> Answer {
    let ["services", "data", version, rest @ ..] = segments else {
        return not_found();
    };
    let number = version
        .strip_prefix('v')
        .and_then(|text| text.strip_suffix(".0"));
    let number: Option<u32> = number.and_then(|text| text.parse().ok());
    if number.is_none_or(|number| number < 20) {
        return not_found();
    }
    match (asked.method.as_str(), rest) {
        ("GET", ["query"]) => query::query(world, asked, query::Scope::Live),
        ("GET", ["queryAll"]) => query::query(world, asked, query::Scope::All),
        ("GET", ["query" | "queryAll", locator]) => query::more(world, asked, locator),
        ("GET", ["sobjects"]) => describe::global(&world.salesforce(), version),
        ("GET", ["sobjects", object, "describe"]) => {
            describe::object(&world.salesforce(), object, version)
        }
        ("GET", ["sobjects", object, "deleted"]) => {
            deleted(&world.salesforce(), asked, object, world.now_ms())
        }
        ("GET", ["limits"]) => limits(world),
        ("GET", []) => Answer::json(
            200,
            &json!({
                "sobjects": format!("/services/data/{version}/sobjects"),
                "query": format!("/services/data/{version}/query"),
                "queryAll": format!("/services/data/{version}/queryAll"),
                "limits": format!("/services/data/{version}/limits"),
            }),
        ),
        _ => not_found(),
    }
}

fn length(asked: &Asked) -> usize {
    let headers: usize = asked
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    asked.path.len() + asked.query.len() + headers
}

fn versions() -> Answer {
    let list: Vec<Value> = [("Winter '25", 62), ("Spring '26", 66), ("Summer '26", 67)]
        .iter()
        .map(|(label, number)| {
            json!({
                "label": label,
                "url": format!("/services/data/v{number}.0"),
                "version": format!("{number}.0"),
            })
        })
        .collect();
    Answer::json(200, &Value::from(list))
}

fn limits(world: &World) -> Answer {
    let (max, left) = world.desk().meter.salesforce_daily();
    Answer::json(
        200,
        &json!({
            "DailyApiRequests": {"Max": max, "Remaining": left},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DataStorageMB": {"Max": 10_240, "Remaining": 9_000},
        }),
    )
}

/// Answers what was deleted in a span of time; seconds are ignored.
fn deleted(side: &SalesforceSide, asked: &Asked, object: &str, now_ms: i64) -> Answer {
    let Some(shelf) = side.shelf(object) else {
        return not_found();
    };
    let bound = |name: &str| {
        let time = asked
            .param(name)
            .and_then(|text| parse_time(&text.replace(' ', "+")))?;
        Some(time.div_euclid(60_000).saturating_mul(60_000))
    };
    let (Some(start_ms), Some(end_ms)) = (bound("start"), bound("end")) else {
        return problem(400, "MALFORMED_QUERY", "start and end must be times");
    };
    let earliest_ms = now_ms.saturating_sub(DELETIONS_KEPT_DAYS * DAY_MS);
    if start_ms < earliest_ms.saturating_sub(DAY_MS) || end_ms <= start_ms {
        return problem(
            400,
            "INVALID_REPLICATION_DATE",
            "startDate must precede endDate by more than a minute and be in the last 15 days",
        );
    }
    let records: Vec<Value> = shelf
        .records()
        .iter()
        .filter_map(|record| match record.state {
            State::Binned(at_ms) | State::Erased(at_ms) if (start_ms..end_ms).contains(&at_ms) => {
                let id = id_text(schema::key_prefix(&shelf.name), record.id);
                Some(json!({"id": id, "deletedDate": time_text(at_ms)}))
            }
            _ => None,
        })
        .collect();
    Answer::json(
        200,
        &json!({
            "deletedRecords": records,
            "earliestDateAvailable": time_text(earliest_ms),
            "latestDateCovered": time_text(end_ms.min(now_ms)),
        }),
    )
}

fn time_text(ms: i64) -> String {
    let mut text = String::new();
    push_salesforce_time(&mut text, ms);
    text
}
