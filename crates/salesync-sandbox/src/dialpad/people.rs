//! Dialpad's contacts and users.

use serde_json::Value;

use super::answer::invalid;
use super::listing::Listing;
use super::places::listed;
use crate::World;
use crate::server::{Answer, Asked};
use crate::world::Entry;

/// How many contacts are on a page; unpublished.
const CONTACT_ROWS: usize = 50;
/// How many users are on a page.
const USER_ROWS: usize = 100;
const STATES: [&str; 6] = [
    "active",
    "all",
    "cancelled",
    "deleted",
    "pending",
    "suspended",
];

/// Answers a page of the company's shared contacts, with all local ones (`include_local`), or of
/// one user's local contacts (`owner_id`).
pub(super) fn contacts(world: &World, asked: &Asked) -> Answer {
    let with_local = asked.param("include_local") == Some("true");
    let owner = asked.param("owner_id").filter(|id| !id.is_empty());
    let listing = match Listing::open(world, asked, "contacts", CONTACT_ROWS) {
        Ok(listing) => listing,
        Err(refusal) => return *refusal,
    };
    listed(world, listing, "contacts", |contact| match owner {
        Some(owner) => is(contact, "type", "local") && is(contact, "owner_id", owner),
        None => with_local || is(contact, "type", "shared"),
    })
}

/// Answers a page of users: the active ones where nothing else is asked for. A limit above the
/// page size changes nothing, and one in five such requests is refused for it.
pub(super) fn users(world: &World, asked: &Asked) -> Answer {
    let state = asked.param("state").unwrap_or("active");
    let limit = asked.param("limit").map_or(Ok(USER_ROWS), str::parse);
    let (true, Ok(limit @ 1..)) = (STATES.contains(&state), limit) else {
        return invalid("state or limit is invalid");
    };
    if limit > USER_ROWS && is_refused(world) {
        return invalid("the limit is above 100");
    }
    let listing = match Listing::open(world, asked, "users", limit.min(USER_ROWS)) {
        Ok(listing) => listing,
        Err(refusal) => return *refusal,
    };
    listed(world, listing, "users", |user| {
        let admin = user.record.get("is_super_admin").and_then(Value::as_bool);
        (state == "all" || is(user, "state", state))
            && asked
                .param("email")
                .is_none_or(|email| has(user, "emails", email))
            && asked
                .param("number")
                .is_none_or(|number| has(user, "phone_numbers", number))
            && asked
                .param("company_admin")
                .is_none_or(|wanted| admin.unwrap_or(false) == (wanted == "true"))
    })
}

fn is_refused(world: &World) -> bool {
    let mut desk = world.desk();
    desk.dialpad.wide_pages = desk.dialpad.wide_pages.saturating_add(1);
    desk.dialpad.wide_pages.is_multiple_of(5)
}

/// Says whether a field of an entry is this text or this number.
pub(super) fn is(entry: &Entry, name: &str, wanted: &str) -> bool {
    match entry.record.get(name) {
        Some(Value::String(text)) => text == wanted,
        Some(Value::Number(number)) => number.to_string() == wanted,
        _ => false,
    }
}

fn has(entry: &Entry, name: &str, wanted: &str) -> bool {
    let list = entry.record.get(name).and_then(Value::as_array);
    list.is_some_and(|list| list.iter().any(|one| one == wanted))
}
