//! While records change under the reader's hands: nothing is lost, nothing is there twice, nothing is left over.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use salesync_sandbox::{PageServed, RequestClass, Vendor, World};
use serde_json::json;

use crate::harness::{Bench, Chance};
use crate::truth::{Swept, assert_hubspot, assert_salesforce};

/// Records of a stream that is read while it moves.
const RECORDS: i64 = 1_000;
/// Records that are disturbed after each page.
const DISTURBED: usize = 5;

/// What happens to records that were read already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disturbance {
    Edited,
    Merged,
    /// Archived at HubSpot, deleted at Salesforce.
    Gone,
    /// New records carry the change time of the last one on the page.
    CreatedAtTheCursor,
}

/// How the stream is read while it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    First,
    Incremental,
    Full,
}

const READINGS: [Reading; 3] = [Reading::First, Reading::Incremental, Reading::Full];

/// A stream that is read while it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moved {
    vendor: Vendor,
    object: &'static str,
    stream: &'static str,
    /// The field that holds a record's name, and one that edits change.
    fields: [&'static str; 2],
}

const CONTACTS: Moved = Moved {
    vendor: Vendor::HubSpot,
    object: "contacts",
    stream: "contacts",
    fields: ["lastname", "city"],
};
const CALLS: Moved = Moved {
    vendor: Vendor::HubSpot,
    object: "calls",
    stream: "calls",
    fields: ["hs_call_title", "hs_call_body"],
};
const ACCOUNTS: Moved = Moved {
    vendor: Vendor::Salesforce,
    object: "Account",
    stream: "accounts",
    fields: ["Name", "Phone"],
};
const TASKS: Moved = Moved {
    vendor: Vendor::Salesforce,
    object: "Task",
    stream: "tasks",
    fields: ["Subject", "Description"],
};

impl Moved {
    /// Makes a record as if at a given time. An activity of HubSpot's belongs to somebody.
    fn create(self, world: &World, name: &str, at: DateTime<Utc>) {
        let values = json!({self.fields[0]: name});
        match self.vendor {
            Vendor::HubSpot => {
                let id = world.hubspot_create_at(self.object, &values, at);
                if self == CALLS {
                    world.hubspot_associate((self.object, &id), ("contacts", &id));
                }
            }
            _ => drop(world.salesforce_create_at(self.object, &values, at)),
        }
    }

    /// Changes a record as if at a given time. A call belongs to one more record then.
    fn edit(self, world: &World, id: &str, text: &str, at: DateTime<Utc>) {
        let values = json!({self.fields[1]: text});
        match self.vendor {
            Vendor::HubSpot => {
                if self == CALLS {
                    world.hubspot_associate((self.object, id), ("deals", "7"));
                }
                world.hubspot_update_at(self.object, id, &values, at);
            }
            _ => {
                world.salesforce_update_at(self.object, id, &values, at);
            }
        }
    }

    fn records(self, world: &World) -> Vec<(String, serde_json::Value)> {
        let (records, id) = match self.vendor {
            Vendor::HubSpot => (world.hubspot_records(self.object), "id"),
            _ => (world.salesforce_records(self.object), "Id"),
        };
        let records = records.into_iter();
        records
            .map(|it| (it[id].as_str().unwrap().to_owned(), it))
            .collect()
    }
}

/// Fills a stream with records of which each was changed at another time.
fn fill(world: &World, moved: Moved) {
    let start = world.now() - TimeDelta::hours(2);
    for number in 0..RECORDS {
        let at = start + TimeDelta::milliseconds(number * 5_003);
        moved.create(world, &format!("Moving {number}"), at);
    }
}

/// Edits every record, so that an incremental run has as many pages as a first one.
fn edit_all(world: &World, moved: Moved) {
    let start = world.now() - TimeDelta::hours(1);
    for (number, (id, _)) in (0_i64..).zip(moved.records(world)) {
        let at = start + TimeDelta::milliseconds(number * 2_503);
        moved.edit(world, &id, "Bergen", at);
    }
}

/// Returns a hook that disturbs five records after each page of the stream.
fn disturber(
    moved: Moved,
    disturbance: Disturbance,
) -> impl FnMut(&World, &PageServed) + Send + 'static {
    let (mut read, mut chance, mut pages) = (BTreeSet::<String>::new(), Chance(11), 0);
    let object = moved.object;
    move |world, page| {
        let is_ours = page.vendor == moved.vendor && page.object == object;
        let is_page = [
            RequestClass::List,
            RequestClass::Search,
            RequestClass::QueryAll,
        ]
        .contains(&page.class);
        if !is_ours || !is_page || page.ids.is_empty() {
            return;
        }
        pages += 1;
        read.extend(page.ids.iter().cloned());
        for number in 0..DISTURBED {
            let mut any = || {
                let at = chance.below(u64::try_from(read.len()).unwrap());
                let id = read
                    .iter()
                    .nth(usize::try_from(at).unwrap())
                    .unwrap()
                    .clone();
                read.remove(&id);
                id
            };
            if disturbance != Disturbance::CreatedAtTheCursor && page.ids.len() < 2 * DISTURBED {
                break;
            }
            match (disturbance, moved.vendor) {
                (Disturbance::Edited, _) => {
                    moved.edit(world, &any(), &format!("Page {pages}"), world.now());
                }
                (Disturbance::Merged, Vendor::HubSpot) => {
                    drop(world.hubspot_merge(object, &any(), &any()))
                }
                (Disturbance::Merged, _) => {
                    world.salesforce_merge(object, &any(), &any());
                }
                (Disturbance::Gone, Vendor::HubSpot) => {
                    world.hubspot_archive(object, &any());
                }
                (Disturbance::Gone, _) => {
                    world.salesforce_delete(object, &any());
                }
                (Disturbance::CreatedAtTheCursor, _) if pages > 30 => {}
                (Disturbance::CreatedAtTheCursor, _) => create_beside(world, moved, page, number),
            }
        }
    }
}

/// Makes a record with the change time of the last one on a page.
fn create_beside(world: &World, moved: Moved, page: &PageServed, number: usize) {
    let last = page.ids.last().unwrap();
    let records = moved.records(world);
    let (_, record) = records.iter().find(|(id, _)| id == last).unwrap();
    let changed = match moved.object {
        "contacts" => &record["properties"]["lastmodifieddate"],
        "calls" => &record["properties"]["hs_lastmodifieddate"],
        _ => &record["SystemModstamp"],
    };
    let text = changed.as_str().unwrap().replace("+0000", "Z");
    let at = DateTime::parse_from_rfc3339(&text).unwrap().to_utc();
    moved.create(world, &format!("Beside {last} {number}"), at);
}

fn check(moved: Moved, disturbance: Disturbance, reading: Reading) {
    let bench = Bench::with_records(0);
    let world = bench.world();
    fill(world, moved);
    // Fewer on a page, so that there are many pages to disturb.
    world.set_query_pages(50, 500);
    let source = match moved.vendor {
        Vendor::HubSpot => "hubspot",
        _ => "salesforce",
    };
    let words: &[&str] = &[source, "--streams", moved.stream];
    if reading != Reading::First {
        bench.sync(words);
        world.advance(Duration::from_secs(4 * 3_600));
    }
    if reading == Reading::Incremental {
        edit_all(world, moved);
    }
    world.on_page(disturber(moved, disturbance));
    let full: &[&str] = if reading == Reading::Full {
        &["--full"]
    } else {
        &[]
    };
    let disturbed = bench.run(&[&["sync"], words, full, &["--json"]].concat());
    let run = &disturbed.runs()[0];
    // Records that appear behind the reader are a gap in a window that it has read, and the run says so.
    let is_told =
        disturbance == Disturbance::CreatedAtTheCursor && run["code"] == "ERR_SOURCE_PAGE_COUNT";
    assert!(
        run["status"] == "succeeded" || is_told,
        "{moved:?} {disturbance:?} {reading:?}: {disturbed:#?}"
    );
    world.clear_on_page();
    bench.sync(words);
    match moved.vendor {
        Vendor::HubSpot => assert_hubspot(&bench, moved.object, Swept::No),
        _ => assert_salesforce(&bench, moved.object, Swept::No),
    }
    // What was said to be missing stays in the ledger under that run.
    let windows =
        "SELECT stream || ' ' || lo || ' ' || hi FROM sync_windows WHERE proven_at IS NULL";
    let open = bench.tables().list(windows);
    assert!(
        open.is_empty() || is_told,
        "{moved:?} {disturbance:?} {reading:?}: {open:?}"
    );
}

#[test]
fn hubspot_contacts_edited_after_they_were_read_are_neither_lost_nor_doubled() {
    for reading in READINGS {
        check(CONTACTS, Disturbance::Edited, reading);
    }
}

#[test]
fn hubspot_contacts_merged_after_they_were_read_leave_no_ghost() {
    for reading in READINGS {
        check(CONTACTS, Disturbance::Merged, reading);
    }
}

#[test]
fn hubspot_contacts_archived_after_they_were_read_leave_no_ghost() {
    for reading in READINGS {
        check(CONTACTS, Disturbance::Gone, reading);
    }
}

#[test]
fn hubspot_contacts_created_in_the_cursors_millisecond_arrive() {
    for reading in READINGS {
        check(CONTACTS, Disturbance::CreatedAtTheCursor, reading);
    }
}

#[test]
fn salesforce_accounts_that_move_while_they_are_read_are_neither_lost_nor_doubled() {
    for disturbance in [
        Disturbance::Edited,
        Disturbance::Merged,
        Disturbance::Gone,
        Disturbance::CreatedAtTheCursor,
    ] {
        for reading in READINGS {
            check(ACCOUNTS, disturbance, reading);
        }
    }
}

#[test]
fn activities_that_move_while_they_are_read_are_neither_lost_nor_doubled_and_keep_what_they_belong_to()
 {
    for moved in [CALLS, TASKS] {
        for disturbance in [
            Disturbance::Edited,
            Disturbance::Gone,
            Disturbance::CreatedAtTheCursor,
        ] {
            for reading in READINGS {
                check(moved, disturbance, reading);
            }
        }
    }
}

#[test]
fn twelve_thousand_contacts_of_one_millisecond_arrive_by_a_first_and_a_full_sync() {
    let bench = Bench::with_records(0);
    bench.world().hubspot_tie(
        "contacts",
        12_000,
        bench.world().now().timestamp_millis() - 7_200_000,
    );
    let words = ["hubspot", "--streams", "contacts"];
    assert_eq!(bench.sync(&words).stream("contacts")["new"], 12_000);
    assert_hubspot(&bench, "contacts", Swept::No);
    let full = bench.sync(&["hubspot", "--streams", "contacts", "--full"]);
    assert_eq!(full.stream("contacts")["unchanged"], 12_000);
    assert_hubspot(&bench, "contacts", Swept::Yes);
}

#[test]
fn twelve_thousand_contacts_of_one_millisecond_arrive_by_an_incremental_sync_while_some_are_edited()
{
    let bench = Bench::with_records(100);
    let words = ["hubspot", "--streams", "contacts"];
    bench.sync(&words);
    bench.world().advance(Duration::from_secs(7_200));
    bench.world().hubspot_tie(
        "contacts",
        12_000,
        bench.world().now().timestamp_millis() - 3_600_000,
    );
    bench
        .world()
        .on_page(disturber(CONTACTS, Disturbance::Edited));
    assert!(bench.sync(&words).stream("contacts")["new"].as_u64() >= Some(11_000));
    bench.world().clear_on_page();
    bench.sync(&words);
    assert_hubspot(&bench, "contacts", Swept::No);
}

#[test]
fn three_thousand_accounts_of_one_second_arrive_by_every_kind_of_sync() {
    let bench = Bench::with_records(50);
    let words = ["salesforce", "--streams", "accounts"];
    bench.world().salesforce_tie(
        "Account",
        3_000,
        bench.world().now().timestamp_millis() - 7_200_000,
    );
    bench.sync(&words);
    assert_salesforce(&bench, "Account", Swept::No);
    bench.world().advance(Duration::from_secs(7_200));
    bench.world().salesforce_tie(
        "Account",
        3_000,
        bench.world().now().timestamp_millis() - 3_600_000,
    );
    bench.world().set_query_pages(700, 500);
    assert_eq!(bench.sync(&words).stream("accounts")["new"], 3_000);
    assert_salesforce(&bench, "Account", Swept::No);
    bench.sync(&["salesforce", "--streams", "accounts", "--full"]);
    assert_salesforce(&bench, "Account", Swept::Yes);
}
