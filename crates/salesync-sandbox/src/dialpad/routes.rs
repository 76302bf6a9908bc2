//! Which of Dialpad's endpoints is asked, and whether the caller may.

use super::answer::{expired, not_found, throttled, unauthorised};
use super::meter::Usage;
use super::{calls, login, people, places, stats, transcripts};
use crate::server::{Access, Answer, Asked, RequestClass};
use crate::{Vendor, World};

/// Says whether a path is one of Dialpad's.
pub(crate) fn serves(path: &str) -> bool {
    path.starts_with("/api/v2/") || path == "/oauth2/token" || path.starts_with("/blob/")
}

/// Says what kind of request to Dialpad it is; none if it is to another vendor, or a login.
pub(crate) fn class(method: &str, path: &str) -> Option<RequestClass> {
    if path.starts_with("/blob/") {
        return Some(RequestClass::DialpadExportResult);
    }
    let rest = path.strip_prefix("/api/v2/")?;
    let segments: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    Some(match segments.as_slice() {
        ["call"] => RequestClass::DialpadCalls,
        ["call", ..] => RequestClass::DialpadCall,
        ["contacts", ..] => RequestClass::DialpadContacts,
        ["users", ..] => RequestClass::DialpadUsers,
        ["offices" | "departments" | "callcenters" | "numbers", ..] => RequestClass::DialpadPlaces,
        ["transcripts", ..] => RequestClass::DialpadTranscript,
        ["stats"] if method == "POST" => RequestClass::DialpadExport,
        ["stats", ..] => RequestClass::DialpadExportResult,
        _ => RequestClass::Other,
    })
}

/// Gives the name of the limit that those share who ask for such a thing.
pub(crate) fn limit(asked: &Asked) -> &'static str {
    usage(asked).limit().0
}

/// Answers one request to Dialpad's API.
pub(crate) fn answer(world: &World, asked: &Asked) -> Answer {
    let path = asked.path.trim_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    match (asked.method.as_str(), segments.as_slice()) {
        ("POST", ["oauth2", "token"]) => return login::token(world, asked),
        // The link itself is what opens the file.
        ("GET", ["blob", "adhocreport", file]) => return stats::file(world, file),
        _ => {}
    }
    if asked.param("apikey").is_some() {
        return unauthorised();
    }
    let now_ms = world.now_ms();
    let token = asked.bearer().unwrap_or_default();
    let access = world.desk().logins.check(Vendor::Dialpad, token, now_ms);
    match access {
        Access::Unknown => return unauthorised(),
        Access::Expired(_) => return expired(),
        Access::PrivateApp | Access::Granted => {}
    }
    match admit(world, usage(asked)) {
        Ok(()) => route(world, asked, &segments),
        Err(retry_after_secs) => throttled(retry_after_secs),
    }
}

fn route(world: &World, asked: &Asked, segments: &[&str]) -> Answer {
    let ["api", "v2", rest @ ..] = segments else {
        return not_found("page");
    };
    match (asked.method.as_str(), rest) {
        ("GET", ["call"]) => calls::list(world, asked),
        ("GET", ["call", id]) => calls::one(world, id),
        ("GET", ["call", id, "ai_recap"]) => calls::recap(world, id),
        ("GET", ["contacts"]) => people::contacts(world, asked),
        ("GET", ["users"]) => people::users(world, asked),
        ("GET", ["offices"]) => places::offices(world, asked),
        ("GET", ["offices", id, kind @ ("departments" | "callcenters")]) => {
            places::of_office(world, asked, id, kind)
        }
        ("GET", ["departments"]) => places::groups(world, asked, "departments"),
        ("GET", ["callcenters"]) => places::groups(world, asked, "callcenters"),
        ("GET", ["numbers"]) => places::numbers(world, asked),
        (
            "GET",
            [
                kind @ ("contacts" | "users" | "offices" | "departments" | "callcenters"
                | "numbers"),
                id,
            ],
        ) => places::one(world, kind, id),
        ("GET", ["transcripts", id]) => transcripts::lines(world, id),
        ("GET", ["transcripts", id, "url"]) => transcripts::link(world, id),
        ("POST", ["stats"]) => stats::start(world, asked),
        ("GET", ["stats", id]) => stats::poll(world, asked, id),
        _ => not_found(&asked.path),
    }
}

/// Counts a request with the company's limit and its own, or refuses it.
fn admit(world: &World, usage: Usage) -> Result<(), Option<i64>> {
    let now_ms = world.now_ms();
    let mut desk = world.desk();
    let admitted = desk.dialpad.meter.admit(usage, now_ms);
    let (name, permitted) = usage.limit();
    let own = (Vendor::Dialpad, name);
    match admitted {
        Ok(()) => {
            let (all, permitted_in_all) = Usage::Plain.limit();
            let company = (Vendor::Dialpad, all);
            desk.paces.admitted(company, permitted_in_all, 1, now_ms);
            if usage != Usage::Plain {
                desk.paces.admitted(own, permitted, 1, now_ms);
            }
        }
        Err(_) => desk.paces.over_limit(own),
    }
    admitted
}

fn usage(asked: &Asked) -> Usage {
    let path = asked.path.trim_end_matches('/');
    match asked.class() {
        RequestClass::DialpadCall if path.ends_with("/ai_recap") => Usage::Recap,
        RequestClass::DialpadCall => Usage::Call,
        RequestClass::DialpadExport => Usage::Export,
        _ => Usage::Plain,
    }
}
