//! Activities, asked for as the vendors' clients do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::hubspot::schema::ENGAGEMENTS;
use crate::tests::{encoded, hubspot, ids, salesforce, session, soql, world};

#[test]
fn a_sixth_of_the_records_comes_on_top_as_activities_of_known_people() {
    let (one, other) = (world(2_000), world(2_000));
    let counts = ENGAGEMENTS.map(|object| one.hubspot_records(object).len());
    assert_eq!(counts, [50, 70, 30, 30, 20]);
    let counts = ["Task", "Event"].map(|object| one.salesforce_records(object).len());
    assert_eq!(counts, [80, 40]);
    let contacts: BTreeSet<String> = one
        .hubspot_records("contacts")
        .iter()
        .map(|contact| contact["id"].as_str().unwrap().to_owned())
        .collect();
    let (mut with, mut alone) = (0, 0);
    for object in ENGAGEMENTS {
        for record in one.hubspot_records(object) {
            let from = (object, record["id"].as_str().unwrap());
            let linked = one.hubspot_associated(from, "contacts");
            assert_eq!(linked, other.hubspot_associated(from, "contacts"));
            assert!(linked.iter().all(|id| contacts.contains(id)));
            assert!(record["properties"]["hs_timestamp"].is_string(), "{record}");
            match linked.is_empty() {
                true => alone += 1,
                false => with += 1,
            }
        }
    }
    assert!(
        with > 150 && alone > 0,
        "{with} with somebody, {alone} with nobody"
    );
    let directions: BTreeSet<String> = one
        .hubspot_records("calls")
        .iter()
        .map(|call| call["properties"]["hs_call_direction"].to_string())
        .collect();
    assert_eq!(directions.len(), 2);
}

#[test]
fn what_belongs_to_a_record_is_told_in_lists_that_go_on() {
    let world = world(0);
    let call = world.hubspot_create("calls", &json!({"hs_call_title": "All hands"}));
    let alone = world.hubspot_create("calls", &json!({}));
    let contacts: Vec<String> = (0..620)
        .map(|number| {
            world.hubspot_create("contacts", &json!({"lastname": format!("No. {number}")}))
        })
        .collect();
    for contact in &contacts {
        assert!(world.hubspot_associate(("calls", &call), ("contacts", contact)));
    }
    assert_eq!(
        world.hubspot_associated(("calls", &call), "contacts"),
        contacts
    );

    let path = "/crm/v3/objects/0-48?associations=contacts,deals";
    let (_, page) = hubspot(&world, "GET", path, &Value::Null);
    let inline = &page["results"][0]["associations"]["contacts"];
    let told: BTreeSet<String> = ids(inline, "results", "id").into_iter().collect();
    assert_eq!(told.len(), 100);
    assert_eq!(inline["paging"]["next"]["after"], contacts[99]);
    assert!(page["results"][1].get("associations").is_none());

    let path = "/crm/v4/associations/calls/contacts/batch/read";
    let mut inputs = json!([{"id": call}, {"id": alone}]);
    let (mut found, mut statuses) = (Vec::new(), Vec::new());
    while inputs[0]["id"].is_string() {
        let (status, page) = hubspot(&world, "POST", path, &json!({"inputs": inputs}));
        statuses.push(status);
        for to in page["results"][0]["to"].as_array().unwrap() {
            let id = &to["toObjectId"];
            found.push(id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        }
        let after = &page["results"][0]["paging"]["next"]["after"];
        inputs = match after.is_string() {
            true => json!([{"id": call, "after": after}]),
            false => json!([]),
        };
    }
    assert_eq!((found, statuses), (contacts, vec![207, 200]));

    assert!(world.hubspot_archive("calls", &call));
    let path = "/crm/v3/objects/calls?associations=contacts&archived=true";
    let is_told = || {
        let (_, page) = hubspot(&world, "GET", path, &Value::Null);
        page["results"][0].get("associations").is_some()
    };
    assert!(is_told());
    world.hide_archived_associations();
    assert!(!is_told());
}

#[test]
fn a_plain_query_leaves_archived_activities_out() {
    let world = world(2_000);
    let session = session(&world);
    for object in ["Task", "Event"] {
        let text = format!("SELECT COUNT() FROM {object}");
        let shown = soql(&world, &session, &text).1["totalSize"].clone();
        let path = format!("queryAll?q={}", encoded(&text));
        let all = salesforce(&world, &session, &path).1["totalSize"].clone();
        let records = world.salesforce_records(object);
        let present = records
            .iter()
            .filter(|it| it["IsArchived"] == json!(false) && it["IsDeleted"] == json!(false));
        assert_eq!((shown, all), (json!(present.count()), json!(records.len())));
        assert!(records.iter().any(|it| it["IsArchived"] == json!(true)));
    }
    let (_, described) = salesforce(&world, &session, "sobjects/Task/describe");
    let fields = described["fields"].as_array().unwrap();
    let who = fields.iter().find(|it| it["name"] == "WhoId").unwrap();
    assert_eq!(who["referenceTo"], json!(["Contact", "Lead"]));
}
