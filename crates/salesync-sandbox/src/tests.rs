//! What the sandbox promises, asked through the same door as the server's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::server::{Answer, Asked};
use crate::{
    Fault, Limits, Sandbox, SandboxConfig, Vendor, World, dialpad, gmail, hubspot, salesforce,
};

pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(crate) fn world(records: usize) -> World {
    World::invent(&SandboxConfig {
        records,
        ..SandboxConfig::default()
    })
}

fn ask(world: &World, call: (&str, &str), body: &str, token: &str) -> Answer {
    let (path, query) = call.1.split_once('?').unwrap_or((call.1, ""));
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::try_from(format!("Bearer {token}")).unwrap(),
    );
    let mut asked = Asked::new(call.0, (path, query), headers, body.to_owned());
    asked.origin = "http://127.0.0.1:1".to_owned();
    match asked.vendor() {
        Vendor::HubSpot => hubspot::answer(world, &asked),
        Vendor::Salesforce => salesforce::answer(world, &asked),
        Vendor::Gmail => gmail::answer(world, &asked),
        Vendor::Dialpad => dialpad::answer(world, &asked),
    }
}

fn read(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

pub(crate) fn hubspot(world: &World, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let answer = ask(
        world,
        (method, path),
        &body.to_string(),
        crate::HUBSPOT_TOKEN,
    );
    (answer.status, read(&answer))
}

fn login(world: &World, grant: &str) -> Value {
    let form = format!(
        "{grant}&client_id={}&client_secret={}",
        crate::SALESFORCE_CLIENT_ID,
        crate::SALESFORCE_CLIENT_SECRET
    );
    read(&ask(world, ("POST", "/services/oauth2/token"), &form, ""))
}

pub(crate) fn session(world: &World) -> String {
    login(world, "grant_type=client_credentials")["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn salesforce(world: &World, session: &str, path: &str) -> (u16, Value) {
    let answer = ask(
        world,
        ("GET", &format!("/services/data/v66.0/{path}")),
        "",
        session,
    );
    (answer.status, read(&answer))
}

pub(crate) fn soql(world: &World, session: &str, soql: &str) -> (u16, Value) {
    salesforce(world, session, &format!("query?q={}", encoded(soql)))
}

pub(crate) fn ids(page: &Value, rows: &str, id: &str) -> Vec<String> {
    let rows = page[rows].as_array().unwrap();
    rows.iter()
        .map(|row| row[id].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_list_gives_every_record_once_by_number() {
    let world = world(600);
    for archived in [false, true] {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!(
                "/crm/v3/objects/contacts?limit=7&archived={archived}&after={after}\
                 &properties=email,nonsense&associations=companies"
            );
            let path = path.replace("&after=&", "&");
            let (status, page) = hubspot(&world, "GET", &path, &Value::Null);
            assert_eq!(status, 200);
            assert!(page["results"].as_array().unwrap().iter().all(|record| {
                let properties = record["properties"].as_object().unwrap();
                properties.contains_key("email") && !properties.contains_key("nonsense")
            }));
            found.extend(ids(&page, "results", "id"));
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        let truth: Vec<String> = world
            .hubspot_records("contacts")
            .iter()
            .filter(|record| record["archived"] == archived)
            .map(|record| record["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, truth);
    }
    assert_eq!(
        hubspot(
            &world,
            "GET",
            "/crm/v3/objects/contacts?limit=101",
            &Value::Null
        )
        .0,
        400
    );
}

fn search(world: &World, filters: &Value, sort: &str, after: usize) -> (u16, Value) {
    let body = json!({
        "filterGroups": [{"filters": filters}], "sorts": [sort], "limit": 200,
        "after": after.to_string(), "properties": ["email"],
    });
    hubspot(world, "POST", "/crm/v3/objects/contacts/search", &body)
}

#[test]
fn a_tie_of_more_than_ten_thousand_can_only_be_drained_by_id() {
    let world = world(200);
    let at_ms = world.now_ms() - 60_000;
    let tied: BTreeSet<String> = world
        .hubspot_tie("contacts", 11_000, at_ms)
        .into_iter()
        .collect();
    let equal =
        json!({"propertyName": "lastmodifieddate", "operator": "EQ", "value": at_ms.to_string()});
    assert_eq!(
        search(&world, &json!([equal]), "lastmodifieddate", 9_800).0,
        200
    );
    assert_eq!(
        search(&world, &json!([equal]), "lastmodifieddate", 9_801).0,
        400
    );
    let (mut found, mut last) = (BTreeSet::new(), "0".to_owned());
    loop {
        let above = json!({"propertyName": "hs_object_id", "operator": "GT", "value": last});
        let (_, page) = search(&world, &json!([equal, above]), "hs_object_id", 0);
        assert_eq!(page["total"], 11_000 - found.len());
        let ids = ids(&page, "results", "id");
        let Some(end) = ids.last() else { break };
        end.clone_into(&mut last);
        found.extend(ids);
    }
    assert_eq!(found, tied);
    // The name that all other objects use finds no contact, and the epoch breaks the search.
    let wrong = json!({"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1000"});
    assert_eq!(
        search(&world, &json!([wrong]), "hs_object_id", 0).1["total"],
        0
    );
    let epoch = json!({"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"});
    assert_eq!(search(&world, &json!([epoch]), "hs_object_id", 0).0, 500);
    let all = json!({
        "propertyName": "lastmodifieddate", "operator": "BETWEEN",
        "value": "1970-01-01T00:00:01Z", "highValue": (at_ms - 1).to_string(),
    });
    let live = world
        .hubspot_records("contacts")
        .into_iter()
        .filter(|one| one["archived"] == false);
    let total = live.count() - 11_000;
    assert_eq!(
        search(&world, &json!([all]), "lastmodifieddate", 0).1["total"],
        total
    );
}

#[test]
fn search_sees_the_state_before_a_change_until_the_index_has_caught_up() {
    let lag = Duration::from_secs(60);
    let config = SandboxConfig {
        records: 0,
        index_lag: lag,
        ..SandboxConfig::default()
    };
    let world = World::invent(&config);
    let emails = || {
        let has = json!([{"propertyName": "email", "operator": "HAS_PROPERTY"}]);
        let (_, page) = search(&world, &has, "lastmodifieddate", 0);
        let rows = page["results"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["properties"]["email"].clone())
            .collect::<Vec<_>>()
    };
    let id = world.hubspot_create("contacts", &json!({"email": "a@b.example"}));
    assert!(emails().is_empty());
    world.advance(lag);
    assert_eq!(emails(), ["a@b.example"]);
    assert!(world.hubspot_update("contacts", &id, &json!({"email": "c@d.example"})));
    assert_eq!(emails(), ["a@b.example"]);
    world.advance(lag);
    assert_eq!(emails(), ["c@d.example"]);
    assert!(world.hubspot_archive("contacts", &id));
    assert!(emails().is_empty());
}

#[test]
fn hubspots_merge_makes_a_new_record_that_both_old_ids_read_as() {
    let world = world(0);
    let one = world.hubspot_create("contacts", &json!({"email": "a@b.example"}));
    let two = world.hubspot_create(
        "contacts",
        &json!({"firstname": "Åsa", "email": "x@y.example"}),
    );
    assert!(world.hubspot_associate(("contacts", &two), ("companies", "7")));
    let new = world.hubspot_merge("contacts", &one, &two).unwrap();
    for id in [&one, &two, &new] {
        let path =
            format!("/crm/v3/objects/0-1/{id}?properties=email,firstname,hs_merged_object_ids");
        let (_, record) = hubspot(&world, "GET", &path, &Value::Null);
        assert_eq!(record["id"], *new);
        let properties = &record["properties"];
        assert_eq!(properties["email"], "a@b.example");
        assert_eq!(properties["firstname"], "Åsa");
        assert_eq!(properties["hs_merged_object_ids"], format!("{one};{two}"));
    }
    let (_, list) = hubspot(&world, "GET", "/crm/v3/objects/contacts", &Value::Null);
    assert_eq!(ids(&list, "results", "id"), std::slice::from_ref(&new));
    let inputs = json!({"inputs": [{"id": new}, {"id": "404"}]});
    let path = "/crm/v4/associations/contacts/companies/batch/read";
    let (status, linked) = hubspot(&world, "POST", path, &inputs);
    assert_eq!(
        (status, &linked["results"][0]["to"][0]["toObjectId"]),
        (207, &json!(7))
    );
    assert!(world.hubspot_gdpr_delete("contacts", &new));
    let (status, _) = hubspot(
        &world,
        "GET",
        &format!("/crm/v3/objects/contacts/{one}"),
        &Value::Null,
    );
    assert_eq!(status, 404);
}

#[test]
fn reading_on_by_stamp_and_id_gives_every_row_once() {
    let world = world(500);
    let session = session(&world);
    world.salesforce_tie("Contact", 3_000, world.now_ms() - 600_000);
    let hi = world.now().format("%Y-%m-%dT%H:%M:%SZ");
    let (mut found, mut stamp, mut id) = (
        Vec::new(),
        "1970-01-01T00:00:00Z".to_owned(),
        "0".repeat(18),
    );
    loop {
        let text = format!(
            "SELECT Id, systemmodstamp, Name, MailingAddress FROM Contact WHERE \
             (SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{id}')) AND \
             SystemModstamp <= {hi} ORDER BY SystemModstamp, Id LIMIT 700"
        );
        let (status, page) = soql(&world, &session, &text);
        assert_eq!((status, &page["done"]), (200, &json!(true)), "{page}");
        let rows = page["records"].as_array().unwrap();
        let Some(last) = rows.last() else { break };
        assert_eq!(last["attributes"]["type"], "Contact");
        last["SystemModstamp"]
            .as_str()
            .unwrap()
            .clone_into(&mut stamp);
        last["Id"].as_str().unwrap().clone_into(&mut id);
        found.extend(ids(&page, "records", "Id"));
    }
    let truth = world.salesforce_records("Contact");
    let live: BTreeSet<&str> = truth
        .iter()
        .filter(|row| row["IsDeleted"] == false)
        .map(|row| row["Id"].as_str().unwrap())
        .collect();
    assert_eq!(found.len(), live.len());
    assert_eq!(
        found.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        live
    );
    let count = |scope: &str| {
        let path = format!("{scope}?q={}", encoded("SELECT COUNT() FROM contact"));
        salesforce(&world, &session, &path).1["totalSize"].clone()
    };
    assert_eq!(
        (count("query"), count("queryAll")),
        (json!(live.len()), json!(truth.len()))
    );
}

#[test]
fn locators_page_through_an_answer_until_they_die() {
    let world = world(0);
    let session = session(&world);
    world.salesforce_tie("Lead", 4_500, 1_700_000_000_000);
    let (_, mut page) = soql(&world, &session, "SELECT Id FROM Lead ORDER BY Id DESC");
    let mut found = ids(&page, "records", "Id");
    assert_eq!((found.len(), &page["totalSize"]), (2_000, &json!(4_500)));
    let next = page["nextRecordsUrl"].as_str().unwrap().to_owned();
    while let Some(next) = page["nextRecordsUrl"].as_str().map(str::to_owned) {
        page = read(&ask(&world, ("GET", &next), "", &session));
        found.extend(ids(&page, "records", "Id"));
    }
    assert_eq!(found.len(), 4_500);
    assert!(found.windows(2).all(|pair| pair[0] > pair[1]));
    world.kill_locators();
    let dead = ask(&world, ("GET", &next), "", &session);
    assert_eq!(
        (dead.status, &read(&dead)[0]["errorCode"]),
        (400, &json!("INVALID_QUERY_LOCATOR"))
    );
}

#[test]
fn salesforce_refuses_in_the_vendors_words() {
    let world = world(100);
    let session = session(&world);
    for (text, code) in [
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Id, id FROM Contact", "INVALID_FIELD"),
        (
            "SELECT Id FROM Contact WHERE SystemModstamp > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
        ),
        ("SELECT Id FROM Contact WHERE Name = Bob", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Email = 5", "INVALID_FIELD"),
        (
            "SELECT Id FROM Contact WHERE Id > 'x'",
            "INVALID_QUERY_FILTER_OPERATOR",
        ),
        (
            "SELECT Id FROM User WHERE IsDeleted = false",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Contact OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
        ),
        ("SELECT Id FROM Contact GROUP BY Id", "MALFORMED_QUERY"),
    ] {
        let (status, body) = soql(&world, &session, text);
        assert_eq!(
            (status, &body[0]["errorCode"]),
            (400, &json!(code)),
            "{text}"
        );
    }
    world.hide_field(Vendor::Salesforce, "Contact", "Title");
    assert_eq!(soql(&world, &session, "SELECT Title FROM Contact").0, 400);
    for (filter, all) in [
        ("LastName LIKE '%'", true),
        ("NOT LastName LIKE '%'", false),
    ] {
        let (_, page) = soql(
            &world,
            &session,
            &format!("SELECT COUNT() FROM Contact WHERE {filter}"),
        );
        assert_eq!(page["totalSize"].as_u64().unwrap() > 0, all, "{filter}");
    }
}

#[test]
fn salesforces_merge_bins_the_loser_and_restamps_its_children() {
    let world = world(0);
    let session = session(&world);
    let create = |object: &str, fields: Value| {
        let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        world.salesforce_create_at(object, &fields, at)
    };
    let kept = create("Account", json!({"Name": "Kept"}));
    let lost = create("Account", json!({"Name": "Lost"}));
    let child = create("Contact", json!({"LastName": "Child", "AccountId": lost}));
    assert!(world.salesforce_merge("Account", &kept, lost.get(..15).unwrap()));
    let text = format!("SELECT MasterRecordId,IsDeleted FROM Account WHERE Id = '{lost}'");
    assert_eq!(soql(&world, &session, &text).1["totalSize"], 0);
    let (_, page) = salesforce(&world, &session, &format!("queryAll?q={}", encoded(&text)));
    let row = &page["records"][0];
    assert_eq!(
        (&row["MasterRecordId"], &row["IsDeleted"]),
        (&json!(kept), &json!(true))
    );
    let text = format!(
        "SELECT AccountId,SystemModstamp,LastModifiedDate FROM Contact WHERE Id IN ('{child}')"
    );
    let row = soql(&world, &session, &text).1["records"][0].clone();
    assert_eq!(row["AccountId"], kept);
    assert_ne!(row["SystemModstamp"], row["LastModifiedDate"]);
    assert!(world.salesforce_hard_delete("Account", &lost));
    let span = "start=2020-01-01T00:00:00Z&end=2099-01-01T00:00:00Z";
    assert_eq!(
        salesforce(
            &world,
            &session,
            &format!("sobjects/Account/deleted?{span}")
        )
        .0,
        400
    );
    let now = world.now_ms();
    let span = format!("start={}&end={}", now - 600_000, now + 600_000);
    let (_, gone) = salesforce(
        &world,
        &session,
        &format!("sobjects/Account/deleted?{span}"),
    );
    assert_eq!(gone["deletedRecords"][0]["id"], lost);
}

#[test]
fn tokens_end_and_salesforces_refresh_token_rotates() {
    let world = world(0);
    let session = session(&world);
    world.advance(Duration::from_secs(1_799));
    assert_eq!(salesforce(&world, &session, "limits").0, 200);
    world.advance(Duration::from_secs(1_799));
    assert_eq!(
        salesforce(&world, &session, "limits").0,
        200,
        "use extends a session"
    );
    world.advance(Duration::from_secs(1_801));
    let (status, body) = salesforce(&world, &session, "limits");
    assert_eq!(
        (status, &body[0]["errorCode"]),
        (401, &json!("INVALID_SESSION_ID"))
    );
    let grant = format!(
        "grant_type=refresh_token&refresh_token={}",
        crate::SALESFORCE_REFRESH_TOKEN
    );
    let next = login(&world, &grant)["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(login(&world, &grant)["error"], "invalid_grant");
    assert!(
        login(
            &world,
            &format!("grant_type=refresh_token&refresh_token={next}")
        )["access_token"]
            .is_string()
    );

    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        crate::HUBSPOT_CLIENT_ID,
        crate::HUBSPOT_CLIENT_SECRET,
        crate::HUBSPOT_REFRESH_TOKEN
    );
    let granted = read(&ask(&world, ("POST", "/oauth/v1/token"), &form, ""));
    assert_eq!(granted["expires_in"], 1_800);
    let token = granted["access_token"].as_str().unwrap();
    let owners = || ask(&world, ("GET", "/crm/v3/owners"), "", token);
    assert_eq!(owners().status, 200);
    world.advance(Duration::from_secs(1_800));
    assert_eq!(
        (owners().status, &read(&owners())["category"]),
        (401, &json!("EXPIRED_AUTHENTICATION"))
    );
}

#[test]
fn limits_are_refused_with_the_vendors_policy() {
    let config = SandboxConfig {
        records: 20,
        limits: Limits::Vendor,
        ..SandboxConfig::default()
    };
    let world = World::invent(&config);
    let policies = |path: &str, method: &str, times: usize| {
        let mut seen = BTreeMap::new();
        for _ in 0..times {
            let (_, body) = hubspot(&world, method, path, &json!({}));
            let policy = body["policyName"].as_str().unwrap_or("ok").to_owned();
            *seen.entry(policy).or_insert(0) += 1;
        }
        seen
    };
    let seen = policies("/crm/v3/owners", "GET", 200);
    assert_eq!(
        seen,
        BTreeMap::from([("ok".into(), 190), ("TEN_SECONDLY_ROLLING".into(), 10)])
    );
    let seen = policies("/crm/v3/objects/contacts/search", "POST", 6);
    assert_eq!(seen["SECONDLY"], 1);
    world.advance(Duration::from_secs(10));
    assert_eq!(policies("/crm/v3/owners", "GET", 1)["ok"], 1);
    let session = session(&world);
    world.leave_daily_calls(Vendor::Salesforce, 0);
    let (status, body) = salesforce(&world, &session, "limits");
    assert_eq!(
        (status, &body[0]["errorCode"]),
        (403, &json!("REQUEST_LIMIT_EXCEEDED"))
    );
}

#[test]
fn the_same_seed_invents_the_same_people_for_both_vendors() {
    let (one, other) = (world(2_000), world(2_000));
    assert_eq!(one.truth(), other.truth());
    let mut sources: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let truth = one.truth();
    for (source, _, _, entity) in &truth {
        sources.entry(entity.clone()).or_default().insert(source);
    }
    let both = sources.values().filter(|known| known.len() == 2).count();
    assert!(
        both * 100 / sources.len() > 40,
        "{both} of {}",
        sources.len()
    );
    let total: usize = ["contacts", "companies", "deals"]
        .iter()
        .map(|object| one.hubspot_records(object).len())
        .chain(
            ["Account", "Contact", "Lead", "Opportunity"]
                .iter()
                .map(|object| one.salesforce_records(object).len()),
        )
        .sum();
    assert!((1_950..2_050).contains(&total), "{total}");
}

#[tokio::test]
async fn over_a_socket_faults_happen_as_scripted_and_the_date_is_the_sandboxs() {
    let config = SandboxConfig {
        records: 50,
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config).await.unwrap();
    let world = sandbox.world().clone();
    world.advance(Duration::from_secs(400 * 86_400));
    let authority = sandbox.url().replace("http://", "");
    let get = |path: &str| {
        let mut socket = std::net::TcpStream::connect(&authority).unwrap();
        let token = crate::HUBSPOT_TOKEN;
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        // A connection that is cut gives what came until then.
        socket.read_to_end(&mut answer).unwrap_or_default();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let path = "/crm/v3/objects/contacts?limit=5";
    let raw_id = world.hubspot_records("contacts")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(world.put_raw(Vendor::HubSpot, "contacts", &raw_id, "{\"poison\": 1}"));
    let served = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&served);
    world.on_page(move |world, page| {
        world.hubspot_create("contacts", &json!({}));
        seen.lock().unwrap().extend(page.ids.clone());
    });
    let right = get(path);
    assert!(
        right.contains(&world.now().format("date: %a, %d %b %Y").to_string()),
        "{right}"
    );
    assert!(right.contains("{\"poison\": 1}") && right.contains("\"after\""));
    assert_eq!(served.lock().unwrap().len(), 5);
    for (fault, part) in [
        (Fault::Html502, "502 Bad Gateway"),
        (Fault::EmptyObject, "\r\n\r\n{}"),
        (Fault::ForeignLink, "\"link\":\"https://elsewhere.example"),
        (
            Fault::Redirect("http://elsewhere.example/".to_owned()),
            "location: http://elsewhere",
        ),
        (Fault::ExpiredToken, "EXPIRED_AUTHENTICATION"),
        (Fault::GzipBomb(1_000_000), "content-encoding: gzip"),
        (
            Fault::Status {
                code: 503,
                body: "{}".to_owned(),
                retry_after: Some(3),
            },
            "retry-after: 3",
        ),
    ] {
        world.fail_next(fault.clone(), "/objects/contacts", 1);
        let answer = get(path);
        assert!(answer.contains(part), "{fault:?}: {answer}");
    }
    world.fail_next(Fault::Disconnect, "", 1);
    assert!(!get(path).contains("results"));
    world.fail_next(Fault::Truncated, "", 1);
    let cut = get(path);
    assert!(cut.contains("results") && !cut.ends_with('}'), "{cut}");
    assert!(get(path).contains("results"));
    assert_eq!(world.requests().len(), 11);
    sandbox.stop().await;
    assert!(std::net::TcpStream::connect(&authority).is_err());
}
