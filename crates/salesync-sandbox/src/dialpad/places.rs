//! Dialpad's offices, departments, call centers and numbers.

use super::answer::not_found;
use super::listing::{Listing, Row};
use super::people::is;
use super::wire::written;
use crate::World;
use crate::server::{Answer, Asked};
use crate::world::{DialpadSide, Entry};

/// How many of them are on a page; unpublished.
const PLACE_ROWS: usize = 50;

/// Answers a page of offices, of all states or only active ones (`active_only`).
pub(super) fn offices(world: &World, asked: &Asked) -> Answer {
    let only_active = asked.param("active_only") == Some("true");
    page(world, asked, "offices", |office| {
        !only_active || is(office, "state", "active")
    })
}

/// Answers a page of departments or call centers of the company, filtered by office and by a part
/// of the name.
pub(super) fn groups(world: &World, asked: &Asked, kind: &'static str) -> Answer {
    page(world, asked, kind, |group| {
        let name = group.record.get("name").and_then(|name| name.as_str());
        asked
            .param("office_id")
            .is_none_or(|office| is(group, "office_id", office))
            && asked
                .param("name_search")
                .is_none_or(|part| name.is_some_and(|name| name.contains(part)))
    })
}

/// Answers a page of departments or call centers of one office.
pub(super) fn of_office(world: &World, asked: &Asked, office: &str, kind: &str) -> Answer {
    if world.dialpad().entry("offices", office).is_none() {
        return not_found(&format!("office {office}"));
    }
    let kind = if kind == "departments" {
        "departments"
    } else {
        "callcenters"
    };
    page(world, asked, kind, |group| is(group, "office_id", office))
}

/// Answers a page of our numbers, filtered by status.
pub(super) fn numbers(world: &World, asked: &Asked) -> Answer {
    let status = asked.param("status").filter(|status| !status.is_empty());
    page(world, asked, "numbers", |number| {
        status.is_none_or(|status| is(number, "status", status))
    })
}

/// Answers one entry of a list by its id.
pub(super) fn one(world: &World, kind: &str, id: &str) -> Answer {
    // A number's plus sign comes percent-encoded.
    let id = id.replace("%2B", "+").replace("%2b", "+");
    let side = world.dialpad();
    match side.entry(kind, &id).filter(|entry| !entry.deleted) {
        Some(entry) => Answer::text(200, text(&side, kind, entry)),
        None => not_found(&format!("{kind} {id}")),
    }
}

/// Answers the next entries of a list that fit.
pub(super) fn listed(
    world: &World,
    listing: Listing<'_>,
    kind: &str,
    fits: impl Fn(&Entry) -> bool,
) -> Answer {
    let after = listing.after.map_or(0, |(_, place)| place);
    let side = world.dialpad();
    let rows = side
        .entries(kind)
        .iter()
        .filter(|entry| entry.place > after && !entry.deleted && fits(entry))
        .take(listing.rows_max)
        .map(|entry| Row {
            place: (0, entry.place),
            id: entry.id.clone(),
            json: text(&side, kind, entry),
        })
        .collect();
    drop(side);
    listing.answer(rows)
}

fn page(world: &World, asked: &Asked, kind: &'static str, fits: impl Fn(&Entry) -> bool) -> Answer {
    match Listing::open(world, asked, kind, PLACE_ROWS) {
        Ok(listing) => listed(world, listing, kind, fits),
        Err(refusal) => *refusal,
    }
}

fn text(side: &DialpadSide, kind: &str, entry: &Entry) -> String {
    match &entry.raw {
        Some(raw) => raw.to_string(),
        None => written(&side.shown(kind, &entry.record), &entry.id).to_string(),
    }
}
