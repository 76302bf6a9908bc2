//! While nobody changes anything: what is in the warehouse is what the vendors hold.

use std::time::Duration;

use salesync_sandbox::World;
use serde_json::{Value, json};

use crate::harness::Bench;
use crate::truth::{ACTIVITIES, Swept, assert_all};

const HOUR: Duration = Duration::from_secs(3_600);

/// Returns the ids of records that are there, in their order.
fn live(world: &World, object: &str) -> Vec<String> {
    let (records, id) = match object.starts_with(char::is_lowercase) {
        true => (world.hubspot_records(object), "id"),
        false => (world.salesforce_records(object), "Id"),
    };
    let is_live = |it: &&Value| {
        it["erased"] != true
            && it["archived"] != true
            && it["mergedInto"].is_null()
            && it["IsDeleted"] != true
    };
    records
        .iter()
        .filter(is_live)
        .map(|it| it[id].as_str().unwrap().to_owned())
        .collect()
}

/// Changes a few records in every way in which a vendor's record can change.
pub(crate) fn change_everything(world: &World) {
    for object in ["contacts", "companies", "deals"]
        .into_iter()
        .chain(ACTIVITIES)
    {
        let ids = live(world, object);
        world.hubspot_update(
            object,
            &ids[0],
            &json!({"country": "Norge", "city": null, "amount": "-0.005"}),
        );
        world.hubspot_archive(object, &ids[1]);
        world.hubspot_archive(object, &ids[2]);
        world.hubspot_restore(object, &ids[2]);
        let first = world.hubspot_merge(object, &ids[3], &ids[4]).unwrap();
        world.hubspot_merge(object, &ids[5], &first).unwrap();
        world.hubspot_create(
            object,
            &json!({"name": "O'Brien & \"Sønner\"\n\t\\", "lastname": "Ünïcode 😀 李"}),
        );
    }
    let (contacts, deals) = (live(world, "contacts"), live(world, "deals"));
    for object in ACTIVITIES {
        let id = &live(world, object)[6];
        world.hubspot_associate((object, id), ("contacts", &contacts[7]));
        world.hubspot_associate((object, id), ("deals", &deals[7]));
        world.hubspot_update(
            object,
            id,
            &json!({"hs_timestamp": "2026-01-02T03:04:05.006Z"}),
        );
    }
    for object in ["Account", "Contact", "Lead", "Opportunity", "Task", "Event"] {
        let ids = live(world, object);
        world.salesforce_update(
            object,
            &ids[0],
            &json!({"Description": "O'Brien \"😀\"\r\n", "Phone": null}),
        );
        world.salesforce_delete(object, &ids[1]);
        world.salesforce_delete(object, &ids[2]);
        world.salesforce_undelete(object, &ids[2]);
        world.salesforce_create(object, &json!({"LastName": "New", "Name": "New"}));
        if ["Account", "Contact", "Lead"].contains(&object) {
            world.salesforce_merge(object, &ids[3], &ids[4]);
            world.salesforce_merge(object, &ids[5], &ids[3]);
        }
    }
}

fn assert_ledger_closes(bench: &Bench) {
    let tables = bench.tables();
    let open =
        tables.list("SELECT source || '/' || stream FROM sync_windows WHERE proven_at IS NULL");
    assert!(open.is_empty(), "windows without a proof: {open:?}");
    let off = tables.query(
        "SELECT source, stream, lo, hi, expected, delivered FROM sync_windows \
                            WHERE expected <> delivered OR moved_out <> 0",
    );
    assert!(
        off.is_empty(),
        "at rest a window delivers what it holds: {off:?}"
    );
    let streams = tables.number("SELECT count(DISTINCT source || stream) FROM sync_windows");
    assert_eq!(streams, 15, "every stream but the owners has windows");
}

#[test]
fn every_final_state_is_the_truth_after_a_first_an_incremental_and_a_full_sync() {
    let bench = Bench::with_records(2_000);
    let world = bench.world();
    change_everything(world);
    bench.sync(&["all"]);
    assert_all(&bench, Swept::No);
    assert_ledger_closes(&bench);

    for _ in 0..2 {
        world.advance(HOUR);
        change_everything(world);
        bench.sync(&["all"]);
        assert_all(&bench, Swept::No);
    }

    world.advance(HOUR);
    change_everything(world);
    let erased = [
        live(world, "contacts")[9].clone(),
        live(world, "companies")[9].clone(),
    ];
    assert!(
        world.hubspot_gdpr_delete("contacts", &erased[0])
            && world.hubspot_gdpr_delete("companies", &erased[1])
    );
    let purged = live(world, "Contact")[9].clone();
    assert!(world.salesforce_hard_delete("Contact", &purged));
    bench.sync(&["all", "--full"]);
    assert_all(&bench, Swept::Yes);
    assert_ledger_closes(&bench);
    let tables = bench.tables();
    for (table, id) in [
        ("hubspot_contacts", &erased[0]),
        ("hubspot_companies", &erased[1]),
        ("salesforce_contacts", &purged),
    ] {
        assert_eq!(
            tables.rows(table)[id]["_deleted_reason"].as_deref(),
            Some("absent"),
            "{table}"
        );
    }
    drop(tables);

    world.advance(HOUR);
    bench.sync(&["all"]);
    assert_all(&bench, Swept::Yes);
}

#[test]
fn numbers_keep_every_digit_and_what_no_column_holds_is_kept_beside_them() {
    let bench = Bench::with_records(100);
    let world = bench.world();
    let cases = [
        (
            "12345678901234567.89",
            Some("12345678901234567.890000000"),
            None,
        ),
        ("-0.000000001", Some("-0.000000001"), None),
        ("1.5E7", Some("15000000.000000000"), None),
        ("9007199254740993", Some("9007199254740993.000000000"), None),
        ("0.00000000001", None, Some("0.00000000001")),
        (
            "123456789012345678901234567890123",
            None,
            Some("123456789012345678901234567890123"),
        ),
    ];
    let ids = cases.map(|(sent, _, _)| {
        world.hubspot_create("deals", &json!({"dealname": "Exact", "amount": sent}))
    });
    let whole = world.salesforce_create(
        "Opportunity",
        &json!({"Name": "Exact", "Amount": 1_234_567_890_123.45}),
    );
    bench.sync(&["all"]);
    let deals = bench.tables().rows("hubspot_deals");
    for ((sent, column, beside), id) in cases.iter().zip(&ids) {
        assert_eq!(deals[id]["amount"].as_deref(), *column, "{sent}");
        let extra: Option<Value> = deals[id]["_extra"]
            .as_deref()
            .map(|text| serde_json::from_str(text).unwrap());
        assert_eq!(extra, beside.map(|text| json!({"amount": text})), "{sent}");
    }
    let opportunities = bench.tables().rows("salesforce_opportunities");
    assert_eq!(
        opportunities[&whole]["Amount"].as_deref(),
        Some("1234567890123.450000000")
    );
}

#[test]
fn every_table_and_column_says_what_it_means() {
    let bench = Bench::with_records(100);
    bench.sync(&["all"]);
    bench.json(&["resolve"]);
    let tables = bench.tables();
    let silent = [
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'sales' AND coalesce(comment, '') = ''",
        "SELECT view_name FROM duckdb_views() WHERE schema_name = 'sales' AND coalesce(comment, '') = ''",
        "SELECT c.table_name || '.' || c.column_name FROM duckdb_columns() AS c JOIN duckdb_tables() AS t USING (schema_name, table_name) \
         WHERE schema_name = 'sales' AND coalesce(c.comment, '') = ''",
    ];
    for sql in silent {
        assert_eq!(tables.list(sql), Vec::<String>::new());
    }
    let named = tables.list("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'sales'");
    for table in [
        "hubspot_contacts",
        "salesforce_accounts",
        "people",
        "companies",
        "entity_records",
        "match_evidence",
    ] {
        assert!(
            named.iter().any(|name| name == table),
            "{table} is not in {named:?}"
        );
    }
}

#[test]
fn a_field_that_is_added_becomes_a_column_and_one_that_is_hidden_stays_as_it_was() {
    let bench = Bench::with_records(200);
    let world = bench.world();
    bench.sync(&["all"]);
    let vendors = [
        salesync_sandbox::Vendor::HubSpot,
        salesync_sandbox::Vendor::Salesforce,
    ];
    for (vendor, object, name) in [
        (vendors[0], "contacts", "shoe_size"),
        (vendors[1], "Contact", "Shoe_size__c"),
    ] {
        world.add_field(vendor, object, name, "number");
    }
    world.advance(HOUR);
    let (contact, person) = (
        live(world, "contacts")[0].clone(),
        live(world, "Contact")[0].clone(),
    );
    world.hubspot_update("contacts", &contact, &json!({"shoe_size": "42.5"}));
    world.salesforce_update("Contact", &person, &json!({"Shoe_size__c": 42.5}));
    world.hide_field(vendors[0], "contacts", "fit_score");
    world.hide_field(vendors[1], "Contact", "Department");
    bench.sync(&["all"]);
    assert_all(&bench, Swept::No);
    let tables = bench.tables();
    assert!(tables.columns("hubspot_contacts").contains_key("fit_score"));
    assert!(tables.columns("salesforce_contacts")["Shoe_size__c"].starts_with("DECIMAL"));
    let changes =
        tables.list("SELECT column_name FROM schema_changes WHERE change = 'added' ORDER BY 1");
    assert_eq!(changes, ["Shoe_size__c", "shoe_size"]);
}
