//! Which of Gmail's methods is asked, and whether the caller may.

use super::answer::{forbidden, not_found, problem, unauthorised};
use super::desk::Reach;
use super::units::{Method, TooMuch};
use super::{batch, history, labels, login, messages, threads};
use crate::clock::date_time;
use crate::server::{Access, Answer, Asked, RequestClass};
use crate::world::Standing;
use crate::{Vendor, World};

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// Place of the mailbox that the token is for.
    pub(crate) place: usize,
    /// What the token lets see.
    pub(crate) reach: Reach,
}

/// Whether a path is one of Google's.
pub(crate) fn serves(path: &str) -> bool {
    path == "/token" || path.starts_with("/gmail/") || path.starts_with("/batch/gmail/")
}

/// Tells the class of a request to Google from its path.
pub(crate) fn class(path: &str) -> Option<RequestClass> {
    if path.starts_with("/batch/gmail/") {
        return Some(RequestClass::GmailBatch);
    }
    let rest = path.strip_prefix("/gmail/v1/users/")?;
    let segments: Vec<&str> = rest.split('/').skip(1).collect();
    Some(match segments.as_slice() {
        ["profile"] => RequestClass::GmailProfile,
        ["labels"] => RequestClass::GmailLabels,
        ["messages"] => RequestClass::GmailList,
        ["messages", ..] => RequestClass::GmailGet,
        ["threads"] => RequestClass::GmailThreads,
        ["threads", _] => RequestClass::GmailThread,
        ["history"] => RequestClass::GmailHistory,
        _ => RequestClass::Other,
    })
}

/// Answers one request to Google.
pub(crate) fn answer(world: &World, asked: &Asked) -> Answer {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/token") => login::token(world, asked),
        ("POST", "/batch/gmail/v1") => batch::batch(world, asked),
        _ => call(world, asked),
    }
}

/// Says who a token belongs to.
pub(super) fn bearer(world: &World, asked: &Asked) -> Result<Caller, Box<Answer>> {
    let now_ms = world.now_ms();
    let token = asked.bearer().unwrap_or_default();
    let grant = {
        let mut desk = world.desk();
        match desk.logins.check(Vendor::Gmail, token, now_ms) {
            Access::Granted => desk.gmail.granted(token),
            _ => None,
        }
    };
    let Some(grant) = grant else {
        return Err(Box::new(unauthorised()));
    };
    let Some(place) = grant.place else {
        return Err(Box::new(problem(
            400,
            "failedPrecondition",
            "Precondition check failed.",
        )));
    };
    Ok(Caller {
        place,
        reach: grant.reach,
    })
}

/// Answers one call, alone or inside a batch.
pub(super) fn call(world: &World, asked: &Asked) -> Answer {
    match admitted(world, asked) {
        Ok((caller, method, rest)) => route(world, asked, (caller, method), &rest),
        Err(refusal) => *refusal,
    }
}

type Admitted = (Caller, Method, Vec<String>);

fn admitted(world: &World, asked: &Asked) -> Result<Admitted, Box<Answer>> {
    let caller = bearer(world, asked)?;
    let segments: Vec<String> = asked
        .path
        .trim_matches('/')
        .split('/')
        .map(|segment| segment.replace("%40", "@"))
        .collect();
    let [gmail, version, users, user, rest @ ..] = segments.as_slice() else {
        return Err(Box::new(not_found()));
    };
    if [gmail.as_str(), version, users] != ["gmail", "v1", "users"] {
        return Err(Box::new(not_found()));
    }
    let Some(method) = method(&asked.method, rest) else {
        return Err(Box::new(not_found()));
    };
    let standing = {
        let side = world.gmail();
        let Some(mailbox) = side.boxes.get(caller.place) else {
            return Err(Box::new(unauthorised()));
        };
        if user != "me" && !user.eq_ignore_ascii_case(&mailbox.address) {
            let message = format!("Delegation denied for {}", mailbox.address);
            return Err(Box::new(forbidden(&message)));
        }
        mailbox.standing
    };
    match standing {
        Standing::Open => {}
        Standing::DelegationRefused => return Err(Box::new(unauthorised())),
        Standing::Forbidden => return Err(Box::new(forbidden("Forbidden"))),
    }
    let now_ms = world.now_ms();
    let mut desk = world.desk();
    let limit = limit(caller.place);
    let limit = (Vendor::Gmail, limit.as_str());
    match desk.gmail.units.spend(caller.place, method, now_ms) {
        Ok((units, permitted)) => {
            desk.paces.admitted(limit, Some(permitted), units, now_ms);
            Ok((caller, method, rest.to_vec()))
        }
        Err(too_much) => {
            desk.paces.over_limit(limit);
            Err(Box::new(throttled(too_much, desk.gmail.units.over_limit())))
        }
    }
}

/// The limit of the mailbox at `place`.
pub(crate) fn limit(place: usize) -> String {
    format!("mailbox {}", place + 1)
}

fn method(verb: &str, rest: &[String]) -> Option<Method> {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (verb, rest.as_slice()) {
        ("GET", ["profile"]) => Some(Method::Profile),
        ("GET", ["labels"]) => Some(Method::Labels),
        ("GET", ["messages"]) => Some(Method::Messages),
        ("GET", ["messages", _]) => Some(Method::Message),
        ("GET", ["messages", _, "attachments", _]) => Some(Method::Attachment),
        ("GET", ["threads"]) => Some(Method::Threads),
        ("GET", ["threads", _]) => Some(Method::Thread),
        ("GET", ["history"]) => Some(Method::History),
        _ => None,
    }
}

fn route(
    world: &World,
    asked: &Asked,
    (caller, method): (Caller, Method),
    rest: &[String],
) -> Answer {
    let id = rest.get(1).map(String::as_str).unwrap_or_default();
    match method {
        Method::Profile => labels::profile(world, caller),
        Method::Labels => labels::list(world, caller),
        Method::Messages => messages::list(world, asked, caller),
        Method::Message => messages::get(world, asked, caller, id),
        Method::Attachment => {
            let attachment = rest.get(3).map(String::as_str).unwrap_or_default();
            messages::attachment(world, caller, id, attachment)
        }
        Method::Threads => threads::list(world, asked, caller),
        Method::Thread => threads::get(world, asked, caller, id),
        Method::History => history::list(world, asked, caller),
    }
}

/// Refuses what is too much, in one of the ways in which the vendor does.
fn throttled(too_much: TooMuch, number: u64) -> Answer {
    match too_much {
        TooMuch::Day => problem(403, "dailyLimitExceeded", "Daily Limit Exceeded"),
        TooMuch::Project if number.is_multiple_of(2) => problem(
            429,
            "rateLimitExceeded",
            "Resource has been exhausted (e.g. check quota).",
        ),
        TooMuch::Project => problem(
            403,
            "rateLimitExceeded",
            "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'.",
        ),
        TooMuch::Mailbox(at_ms) => {
            let time = date_time(at_ms).format("%Y-%m-%dT%H:%M:%S%.3fZ");
            match number % 3 {
                0 => problem(
                    429,
                    "rateLimitExceeded",
                    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per \
                     user'.",
                ),
                1 => problem(
                    403,
                    "userRateLimitExceeded",
                    &format!("User-rate limit exceeded.  Retry after {time}"),
                ),
                _ => problem(403, "rateLimitExceeded", "Rate Limit Exceeded"),
            }
        }
    }
}
