//! What the team did with the invented people: calls, mails, meetings, notes and tasks, written down in both
//! systems. One in 25 belongs to nobody.

mod hubspot;
mod salesforce;

pub(super) use hubspot::fill as in_hubspot;
pub(super) use salesforce::fill as in_salesforce;

use super::chance::Chance;
use crate::store::{Draft, Shelf};

const TOPICS: &[&str] = &[
    "Renewal",
    "Offer for next year",
    "Delivery dates",
    "Demo",
    "Price list",
    "Framework agreement",
    "Open invoice",
    "Pilot",
    "Visit to the plant",
    "Onboarding",
];
const REMARKS: &[&str] = &[
    "Wants a written offer before the board meets.",
    "Asked for references in the same trade.",
    "Budget is settled in spring; call again then.",
    "Agreed on the price, the term is still open.",
    "Will bring the head of operations next time.\nSend the slides first.",
    "Not the right person: \u{201C}please write to purchasing\u{201D}.",
    "Happy so far \u{2014} asks for two more seats.",
];
const MINUTE_MS: i64 = 60_000;

fn topic(chance: &mut Chance) -> &'static str {
    chance.pick(TOPICS)
}

fn remark(chance: &mut Chance) -> &'static str {
    chance.pick(REMARKS)
}

/// Says whether an activity belongs to nobody.
fn is_alone(chance: &mut Chance) -> bool {
    chance.percent(4)
}

/// Sets the values of a started record by the names of their fields.
struct Pen<'a> {
    shelf: &'a Shelf,
    draft: &'a mut Draft,
}

impl Pen<'_> {
    /// Sets a field to a text; an empty one leaves it null.
    fn text(&mut self, name: &str, text: &str) {
        if let (Some(column), false) = (self.shelf.column(name), text.is_empty()) {
            self.draft.text(column, text);
        }
    }

    /// Sets a field to ready JSON.
    fn raw(&mut self, name: &str, json: &str) {
        if let Some(column) = self.shelf.column(name) {
            self.draft.raw(column, json);
        }
    }

    /// Sets a field to what `write` makes of an instant.
    fn instant(&mut self, name: &str, write: fn(&mut String, i64), ms: i64) {
        if let Some(column) = self.shelf.column(name) {
            self.draft.quoted(column, |out| write(out, ms));
        }
    }
}

#[cfg(test)]
mod tests;
