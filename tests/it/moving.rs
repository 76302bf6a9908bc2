//! While records change under the reader's hands: nothing is lost, nothing is there twice, nothing is left over.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
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

/// Fills a stream with records of which each was changed at another time.
fn fill(world: &World, vendor: Vendor) {
    let start = world.now() - TimeDelta::hours(2);
    for number in 0..RECORDS {
        let at = start + TimeDelta::milliseconds(number * 5_003);
        let name = format!("Moving {number}");
        match vendor {
            Vendor::HubSpot => world.hubspot_create_at("contacts", &json!({"lastname": name}), at),
            Vendor::Salesforce => world.salesforce_create_at("Account", &json!({"Name": name}), at),
        };
    }
}

/// Edits every record, so that an incremental run has as many pages as a first one.
fn edit_all(world: &World, vendor: Vendor) {
    let start = world.now() - TimeDelta::hours(1);
    let (records, id) = match vendor {
        Vendor::HubSpot => (world.hubspot_records("contacts"), "id"),
        Vendor::Salesforce => (world.salesforce_records("Account"), "Id"),
    };
    for (number, record) in (0_i64..).zip(&records) {
        let (id, at) = (
            record[id].as_str().unwrap(),
            start + TimeDelta::milliseconds(number * 2_503),
        );
        match vendor {
            Vendor::HubSpot => {
                world.hubspot_update_at("contacts", id, &json!({"city": "Bergen"}), at)
            }
            Vendor::Salesforce => {
                world.salesforce_update_at("Account", id, &json!({"Phone": "1"}), at)
            }
        };
    }
}

/// Returns a hook that disturbs five records after each page of the stream.
fn disturber(
    vendor: Vendor,
    disturbance: Disturbance,
) -> impl FnMut(&World, &PageServed) + Send + 'static {
    let (mut read, mut chance, mut pages) = (BTreeSet::<String>::new(), Chance(11), 0);
    move |world, page| {
        let is_ours =
            page.vendor == vendor && ["contacts", "Account"].contains(&page.object.as_str());
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
            match (disturbance, vendor) {
                (Disturbance::Edited, Vendor::HubSpot) => {
                    world.hubspot_update(
                        "contacts",
                        &any(),
                        &json!({"city": format!("Page {pages}")}),
                    );
                }
                (Disturbance::Edited, Vendor::Salesforce) => {
                    world.salesforce_update(
                        "Account",
                        &any(),
                        &json!({"Phone": format!("{pages}")}),
                    );
                }
                (Disturbance::Merged, Vendor::HubSpot) => {
                    drop(world.hubspot_merge("contacts", &any(), &any()))
                }
                (Disturbance::Merged, Vendor::Salesforce) => {
                    world.salesforce_merge("Account", &any(), &any());
                }
                (Disturbance::Gone, Vendor::HubSpot) => {
                    world.hubspot_archive("contacts", &any());
                }
                (Disturbance::Gone, Vendor::Salesforce) => {
                    world.salesforce_delete("Account", &any());
                }
                (Disturbance::CreatedAtTheCursor, _) if pages > 30 => {}
                (Disturbance::CreatedAtTheCursor, _) => create_beside(world, page, number),
            }
        }
    }
}

/// Makes a record with the change time of the last one on a page.
fn create_beside(world: &World, page: &PageServed, number: usize) {
    let last = page.ids.last().unwrap();
    let name = format!("Beside {last} {number}");
    let time_of = |text: &serde_json::Value| {
        let text = text.as_str().unwrap().replace("+0000", "Z");
        chrono::DateTime::parse_from_rfc3339(&text)
            .unwrap()
            .to_utc()
    };
    match page.vendor {
        Vendor::HubSpot => {
            let records = world.hubspot_records("contacts");
            let record = records.iter().find(|record| record["id"] == *last).unwrap();
            let at = time_of(&record["properties"]["lastmodifieddate"]);
            world.hubspot_create_at("contacts", &json!({"lastname": name}), at);
        }
        Vendor::Salesforce => {
            let records = world.salesforce_records("Account");
            let record = records.iter().find(|record| record["Id"] == *last).unwrap();
            world.salesforce_create_at(
                "Account",
                &json!({"Name": name}),
                time_of(&record["SystemModstamp"]),
            );
        }
    }
}

fn check(vendor: Vendor, disturbance: Disturbance, reading: Reading) {
    let bench = Bench::with_records(0);
    let world = bench.world();
    fill(world, vendor);
    // Fewer on a page, so that there are many pages to disturb.
    world.set_query_pages(50, 500);
    let words: &[&str] = match vendor {
        Vendor::HubSpot => &["hubspot", "--streams", "contacts"],
        Vendor::Salesforce => &["salesforce", "--streams", "accounts"],
    };
    if reading != Reading::First {
        bench.sync(words);
        world.advance(Duration::from_secs(4 * 3_600));
    }
    if reading == Reading::Incremental {
        edit_all(world, vendor);
    }
    world.on_page(disturber(vendor, disturbance));
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
        "{vendor:?} {disturbance:?} {reading:?}: {disturbed:#?}"
    );
    world.clear_on_page();
    bench.sync(words);
    match vendor {
        Vendor::HubSpot => assert_hubspot(&bench, "contacts", Swept::No),
        Vendor::Salesforce => assert_salesforce(&bench, "Account", Swept::No),
    }
    // What was said to be missing stays in the ledger under that run.
    let windows =
        "SELECT stream || ' ' || lo || ' ' || hi FROM sync_windows WHERE proven_at IS NULL";
    let open = bench.tables().list(windows);
    assert!(
        open.is_empty() || is_told,
        "{vendor:?} {disturbance:?} {reading:?}: {open:?}"
    );
}

#[test]
fn hubspot_contacts_edited_after_they_were_read_are_neither_lost_nor_doubled() {
    for reading in READINGS {
        check(Vendor::HubSpot, Disturbance::Edited, reading);
    }
}

#[test]
fn hubspot_contacts_merged_after_they_were_read_leave_no_ghost() {
    for reading in READINGS {
        check(Vendor::HubSpot, Disturbance::Merged, reading);
    }
}

#[test]
fn hubspot_contacts_archived_after_they_were_read_leave_no_ghost() {
    for reading in READINGS {
        check(Vendor::HubSpot, Disturbance::Gone, reading);
    }
}

#[test]
fn hubspot_contacts_created_in_the_cursors_millisecond_arrive() {
    for reading in READINGS {
        check(Vendor::HubSpot, Disturbance::CreatedAtTheCursor, reading);
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
            check(Vendor::Salesforce, disturbance, reading);
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
        .on_page(disturber(Vendor::HubSpot, Disturbance::Edited));
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
