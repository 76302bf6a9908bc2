//! Salesforce's activities: tasks, which are also what was called and written, and events.

use std::collections::HashMap;

use super::super::Cast;
use super::super::chance::Chance;
use super::super::salesforce::{Scribe, binned, owner};
use super::{MINUTE_MS, Pen, is_alone, remark, topic};
use crate::salesforce::{id_text, schema};
use crate::store::{
    DAY_MS, Record, Shelf, State, Version, push_date, push_salesforce_time, whole_second,
};
use crate::world::SalesforceSide;

/// How many of a thousand records there are of tasks and events.
const SHARES: [(&str, usize); 2] = [("Task", 40), ("Event", 20)];
/// After so many days a closed activity is archived: a plain query no longer shows it.
const ARCHIVED_DAYS: i64 = 365;

/// Adds the activities to a filled side.
pub(in crate::invent) fn fill(cast: &Cast, chance: &mut Chance, side: &mut SalesforceSide) {
    for (object, share) in SHARES {
        let shelf = activities(cast, chance, side, (object, share));
        side.put_shelf(shelf);
    }
}

fn activities(
    cast: &Cast,
    chance: &mut Chance,
    side: &SalesforceSide,
    (object, share): (&str, usize),
) -> Shelf {
    let mut shelf = schema::shelf(object);
    let guests = Guests::of(side);
    let mut records = Vec::new();
    let count = cast.records * share / 1_000;
    let mut scribe = Scribe::new(&shelf, count);
    for _ in 0..count {
        let about = guests.about(chance);
        scribe.start(cast, chance);
        let times = scribe.times;
        let mut pen = Pen {
            shelf: &shelf,
            draft: &mut scribe.draft,
        };
        pen.text("OwnerId", &owner(chance));
        if !is_alone(chance) {
            pen.text("WhoId", &about.who);
            pen.text("WhatId", &about.what);
            pen.text("AccountId", &about.account);
        }
        match object {
            "Task" => task(&mut pen, chance, times, cast.start_ms),
            _ => event(&mut pen, chance, times.0, cast.start_ms),
        }
        records.push(scribe.finish(0, binned(chance)));
    }
    for record in records {
        shelf.push(record);
    }
    shelf.rebuild_index();
    shelf
}

/// The contacts and leads that activities can be with.
struct Guests<'a> {
    contacts: &'a [Record],
    leads: &'a [Record],
    /// The column with a contact's account.
    account: usize,
    /// By account its opportunities.
    deals: HashMap<String, Vec<u64>>,
}

/// What an activity is about; each may be empty.
#[derive(Default)]
struct About {
    who: String,
    what: String,
    account: String,
}

impl<'a> Guests<'a> {
    fn of(side: &'a SalesforceSide) -> Self {
        let records = |object: &str| side.shelf(object).map_or(&[][..], Shelf::records);
        let column = |object: &str| {
            let shelf = side.shelf(object);
            let column = shelf.and_then(|shelf| shelf.column("AccountId"));
            column.unwrap_or(usize::MAX)
        };
        let mut deals: HashMap<String, Vec<u64>> = HashMap::new();
        let of_deal = column("Opportunity");
        for deal in records("Opportunity") {
            let account = deal.current.text(of_deal);
            deals.entry(account).or_default().push(deal.id);
        }
        Self {
            contacts: records("Contact"),
            leads: records("Lead"),
            account: column("Contact"),
            deals,
        }
    }

    /// A contact or a lead that is there. What a lead is about can't be said.
    fn about(&self, chance: &mut Chance) -> About {
        let at = chance.below(self.contacts.len() + self.leads.len());
        let is_live = |record: &&Record| record.state == State::Live;
        let Some(contact) = self.contacts.get(at).filter(is_live) else {
            let lead = self.leads.get(at.saturating_sub(self.contacts.len()));
            return About {
                who: lead
                    .filter(is_live)
                    .map_or_else(String::new, |lead| id_text("00Q", lead.id)),
                ..About::default()
            };
        };
        let version: &Version = &contact.current;
        let account = version.text(self.account);
        let deals = self.deals.get(&account).map_or(&[][..], Vec::as_slice);
        let what = match deals.get(chance.below(deals.len())) {
            Some(deal) if chance.percent(50) => id_text("006", *deal),
            _ if chance.percent(40) => account.clone(),
            _ => String::new(),
        };
        About {
            who: id_text("003", contact.id),
            what,
            account,
        }
    }
}

fn task(pen: &mut Pen<'_>, chance: &mut Chance, (made_ms, changed_ms): (i64, i64), now_ms: i64) {
    let subtype = chance.pick(&["Call", "Call", "Email", "Email", "Task"]);
    pen.text("TaskSubtype", subtype);
    let topic = topic(chance);
    let is_closed = subtype != "Task" || chance.percent(60);
    let due_ms = if is_closed {
        made_ms
    } else {
        made_ms + chance.between(1, 30) * DAY_MS
    };
    match subtype {
        "Call" => {
            pen.text("Subject", "Call");
            let kind = chance.pick(&["Inbound", "Outbound", "Outbound"]);
            pen.text("CallType", kind);
            let seconds = chance.between(0, 2_700);
            pen.raw("CallDurationInSeconds", &seconds.to_string());
            pen.text(
                "CallDisposition",
                chance.pick(&["Reached", "Voicemail", ""]),
            );
        }
        "Email" => {
            let re = chance.pick(&["", "Re: "]);
            pen.text("Subject", &format!("Email: {re}{topic}"));
        }
        _ => pen.text("Subject", topic),
    }
    if chance.percent(70) {
        pen.text("Description", &remark(chance).replace('\n', "\r\n"));
    }
    pen.instant("ActivityDate", push_date, due_ms);
    let open = chance.pick(&["Not Started", "In Progress", "Waiting on someone else"]);
    pen.text("Status", if is_closed { "Completed" } else { open });
    let priority = chance.pick(&["Normal", "Normal", "High", "Low"]);
    pen.text("Priority", priority);
    pen.raw("IsHighPriority", &(priority == "High").to_string());
    pen.raw("IsClosed", &is_closed.to_string());
    if is_closed {
        pen.instant("CompletedDateTime", push_salesforce_time, changed_ms);
        let is_old = due_ms < now_ms - ARCHIVED_DAYS * DAY_MS;
        pen.raw("IsArchived", &is_old.to_string());
    }
}

fn event(pen: &mut Pen<'_>, chance: &mut Chance, made_ms: i64, now_ms: i64) {
    pen.text("EventSubtype", "Event");
    pen.text("Subject", topic(chance));
    pen.text("Location", chance.pick(&["", "Phone", "At their office"]));
    let planned_ms = made_ms + chance.between(0, 21) * DAY_MS;
    let is_all_day = chance.percent(5);
    let (begins_ms, minutes) = if is_all_day {
        (planned_ms.div_euclid(DAY_MS) * DAY_MS, 1_440)
    } else {
        let slot_ms = 15 * MINUTE_MS;
        let begins_ms = planned_ms.div_euclid(slot_ms) * slot_ms;
        (begins_ms, chance.between(1, 8) * 15)
    };
    let begins_ms = whole_second(begins_ms);
    let ends_ms = begins_ms + minutes * MINUTE_MS;
    pen.raw("IsAllDayEvent", &is_all_day.to_string());
    pen.instant("StartDateTime", push_salesforce_time, begins_ms);
    pen.instant("EndDateTime", push_salesforce_time, ends_ms);
    pen.instant("ActivityDateTime", push_salesforce_time, begins_ms);
    pen.instant("ActivityDate", push_date, begins_ms);
    pen.raw("DurationInMinutes", &minutes.to_string());
    pen.text("ShowAs", chance.pick(&["Busy", "Busy", "Free"]));
    if chance.percent(50) {
        pen.text("Description", remark(chance));
    }
    let is_old = ends_ms < now_ms - ARCHIVED_DAYS * DAY_MS;
    pen.raw("IsArchived", &is_old.to_string());
}
