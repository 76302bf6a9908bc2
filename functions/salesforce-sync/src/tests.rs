//! The streams against the sandbox's Salesforce: what they deliver is what the world says is true.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Result};
use salesync_core::ledger::Window;
use salesync_core::memory::MemorySecretStore;
use salesync_core::record::{Change, Value};
use salesync_core::secret::SecretStore;
use salesync_core::source::{Presence, Progress, Source, SourceSettings, Stream, TableChange};
use salesync_core::time::Timestamp;
use salesync_core::validate::parse_timestamp;
use salesync_sandbox::{
    Fault, RequestClass, SALESFORCE_CLIENT_ID, SALESFORCE_USERNAME, Sandbox, SandboxConfig, Vendor,
    World, salesforce_refresh_secret, salesforce_secret,
};
use serde_json::json;

use crate::SOURCE;

/// Of each record the newest version that was delivered, and whether it is gone.
type Rows = BTreeMap<String, (Timestamp, Option<&'static str>)>;

const OBJECTS: [(&str, &str); 7] = [
    ("accounts", "Account"),
    ("contacts", "Contact"),
    ("leads", "Lead"),
    ("opportunities", "Opportunity"),
    ("users", "User"),
    ("tasks", "Task"),
    ("events", "Event"),
];

fn secrets(document: String) -> Arc<MemorySecretStore> {
    Arc::new(MemorySecretStore::holding([("salesforce", document)]))
}

fn source(sandbox: &Sandbox, secrets: &Arc<MemorySecretStore>) -> Arc<dyn Source> {
    let secrets = Arc::clone(secrets) as Arc<dyn SecretStore>;
    let now = Timestamp::from(sandbox.world().now());
    (SOURCE.connect)(SourceSettings {
        base_url: sandbox.url(),
        secrets,
        now,
        values: BTreeMap::new(),
    })
    .unwrap()
}

async fn sandbox(records: usize) -> Sandbox {
    Sandbox::start(SandboxConfig {
        records,
        ..SandboxConfig::default()
    })
    .await
    .unwrap()
}

fn login(sandbox: &Sandbox) -> Arc<dyn Source> {
    source(sandbox, &secrets(salesforce_secret()))
}

/// Returns the one change that a record is.
fn only(mut changes: Vec<TableChange<'_>>) -> Change<'_> {
    assert_eq!((changes.len(), changes[0].table), (1, 0));
    changes.remove(0).change
}

/// Takes one page in and returns the cursor after it.
async fn step(
    stream: &dyn Stream,
    from: Option<&Cursor>,
    rows: &mut Rows,
) -> Result<(Cursor, Progress)> {
    let page = stream.fetch(from).await?;
    for change in page
        .records
        .iter()
        .filter_map(|raw| stream.decode(raw).ok().map(only))
    {
        let gone = change.deletion.map(|deletion| deletion.reason.as_str());
        let known = rows
            .entry(change.key.into_owned())
            .or_insert((change.version, gone));
        if known.0 <= change.version {
            *known = (change.version, gone);
        }
    }
    assert!(
        page.next.complete_to() < page.read_at,
        "a cursor is below the clock"
    );
    Ok((page.next, page.progress))
}

async fn read(stream: &dyn Stream, mut from: Option<Cursor>, rows: &mut Rows) -> Cursor {
    for _ in 0..1_000 {
        let (next, progress) = step(stream, from.as_ref(), rows).await.unwrap();
        assert!(
            progress == Progress::CaughtUp || from.as_ref() != Some(&next),
            "no progress"
        );
        if progress == Progress::CaughtUp {
            return next;
        }
        from = Some(next);
    }
    panic!("the stream never caught up");
}

/// What the world says is true.
fn truth(world: &World, object: &str) -> Rows {
    let records = world.salesforce_records(object);
    let present = records
        .iter()
        .filter(|record| record.get("erased").is_none());
    present
        .map(|record| {
            let changed = parse_timestamp(record["SystemModstamp"].as_str().unwrap()).unwrap();
            let gone = match (
                record["IsDeleted"].as_bool(),
                record["MasterRecordId"].as_str(),
            ) {
                (Some(true), Some(_)) => Some("merged_into"),
                (Some(true), None) => Some("deleted"),
                _ => None,
            };
            (record["Id"].as_str().unwrap().to_owned(), (changed, gone))
        })
        .collect()
}

#[tokio::test]
async fn a_full_read_is_the_worlds_truth_and_an_idle_one_costs_one_query() {
    let sandbox = sandbox(6_000).await;
    let world = sandbox.world();
    let victim = truth(world, "Lead").into_keys().next().unwrap();
    world.salesforce_delete("Lead", &victim);
    for (name, object) in OBJECTS {
        let source = login(&sandbox);
        let stream = source.open(name, None).await.unwrap();
        let mut rows = Rows::new();
        let cursor = read(stream.as_ref(), None, &mut rows).await;
        assert_eq!(rows, truth(world, object), "{object}");
        assert!(cursor.is_between_windows() && cursor.complete_to() < source.clock());

        world.reset_requests();
        read(stream.as_ref(), Some(cursor), &mut rows).await;
        let expected = BTreeMap::from([(RequestClass::QueryAll, 1)]);
        let counts: BTreeMap<_, _> = world
            .request_counts()
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .collect();
        assert_eq!(counts, expected, "{object}");
    }
}

#[tokio::test]
async fn changes_deletions_merges_and_undeletions_come_with_the_next_run() {
    let sandbox = sandbox(2_000).await;
    let world = sandbox.world();
    let stream = login(&sandbox).open("contacts", None).await.unwrap();
    let mut rows = Rows::new();
    let cursor = read(stream.as_ref(), None, &mut rows).await;

    world.advance(Duration::from_secs(3_600));
    let ids: Vec<_> = rows.keys().cloned().collect();
    world.salesforce_update("Contact", &ids[0], &json!({"Title": "Keeper"}));
    world.salesforce_delete("Contact", &ids[1]);
    world.salesforce_delete("Contact", &ids[2]);
    world.salesforce_undelete("Contact", &ids[2]);
    world.salesforce_merge("Contact", &ids[3], &ids[4]);
    world.salesforce_create("Contact", &json!({"LastName": "New"}));

    let stream = login(&sandbox).open("contacts", None).await.unwrap();
    read(stream.as_ref(), Some(cursor), &mut rows).await;
    assert_eq!(rows, truth(world, "Contact"));
    assert_eq!(
        (rows[&ids[1]].1, rows[&ids[4]].1),
        (Some("deleted"), Some("merged_into"))
    );

    world.salesforce_hard_delete("Contact", &ids[5]);
    let keys = [&ids[0], &ids[4], &ids[5], &ids[1], &"no id".to_owned()].map(String::clone);
    let survivor = Presence::MergedInto(ids[3].clone());
    let expected = vec![
        Presence::Present,
        survivor,
        Presence::Absent,
        Presence::Absent,
        Presence::Absent,
    ];
    assert_eq!(stream.presence(&keys).await.unwrap(), expected);
}

#[tokio::test]
async fn archived_activities_come_too_and_follow_merged_contacts() {
    let sandbox = sandbox(2_000).await;
    let world = sandbox.world();
    for (name, object) in [("tasks", "Task"), ("events", "Event")] {
        let stream = login(&sandbox).open(name, None).await.unwrap();
        let mut rows = Rows::new();
        let cursor = read(stream.as_ref(), None, &mut rows).await;
        let records = world.salesforce_records(object);
        let archived = records.iter().filter(|it| it["IsArchived"] == json!(true));
        let archived: Vec<_> = archived
            .map(|it| it["Id"].as_str().unwrap().to_owned())
            .collect();
        assert!(archived.len() > 5 && archived.iter().all(|id| rows.contains_key(id)));
        let presences = stream.presence(&archived[..2]).await.unwrap();
        assert!(
            presences.iter().all(|it| *it == Presence::Present),
            "{presences:?}"
        );

        world.advance(Duration::from_secs(3_600));
        let is_about = |it: &&serde_json::Value, prefix: &str| {
            let who = it["WhoId"].as_str();
            it["IsDeleted"] == json!(false) && who.is_some_and(|who| who.starts_with(prefix))
        };
        let child = records.iter().find(|it| is_about(it, "003")).unwrap();
        let lost = child["WhoId"].as_str().unwrap();
        let kept = world.salesforce_create("Contact", &json!({"LastName": "Kept"}));
        assert!(world.salesforce_merge("Contact", &kept, lost));
        let stream = login(&sandbox).open(name, None).await.unwrap();
        let page = stream.fetch(Some(&cursor)).await.unwrap();
        let who = stream.table().position("WhoId").unwrap();
        let changes = page
            .records
            .iter()
            .map(|raw| only(stream.decode(raw).unwrap()));
        let moved: Vec<_> = changes.map(|change| change.values[who].clone()).collect();
        assert!(!moved.is_empty());
        assert!(
            moved
                .iter()
                .all(|id| *id == Value::Text(kept.as_str().into()))
        );
    }
}

#[tokio::test]
async fn three_thousand_records_of_one_second_arrive_however_short_the_pages_are() {
    let sandbox = sandbox(200).await;
    let world = sandbox.world();
    let ids = world.salesforce_tie("Lead", 3_000, world.now().timestamp_millis() - 86_400_000);
    for rows_max in [2_000, 700] {
        world.set_query_pages(rows_max, 60);
        let stream = login(&sandbox).open("leads", None).await.unwrap();
        let mut rows = Rows::new();
        read(stream.as_ref(), None, &mut rows).await;
        assert_eq!(rows, truth(world, "Lead"));
        assert!(ids.iter().all(|id| rows.contains_key(id)));
        let everything = Window {
            lo: Timestamp::EPOCH,
            hi: Timestamp::from(world.now()),
        };
        assert_eq!(
            usize::try_from(stream.count(everything).await.unwrap()).unwrap(),
            rows.len()
        );
    }
}

#[tokio::test]
async fn edits_between_pages_lose_nothing() {
    let sandbox = sandbox(3_000).await;
    let world = sandbox.world();
    world.set_query_pages(50, 60);
    let mut pages = 0;
    world.on_page(move |world, page| {
        pages += 1;
        if page.class == RequestClass::QueryAll && pages < 30 && !page.ids.is_empty() {
            world.salesforce_update(
                &page.object,
                &page.ids[0],
                &json!({"Description": "edited"}),
            );
            world.salesforce_delete(&page.object, &page.ids[page.ids.len() / 2]);
            world.salesforce_create(&page.object, &json!({"Name": "added"}));
        }
    });
    let stream = login(&sandbox).open("accounts", None).await.unwrap();
    let mut rows = Rows::new();
    let cursor = read(stream.as_ref(), None, &mut rows).await;
    world.clear_on_page();
    world.advance(Duration::from_secs(60));
    read(stream.as_ref(), Some(cursor), &mut rows).await;
    assert_eq!(rows, truth(world, "Account"));
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_is_renewed_and_the_refresh_token_is_rotated() {
    let sandbox = sandbox(1_000).await;
    let world = sandbox.world();
    world.set_query_pages(20, 60);
    let secrets = secrets(salesforce_refresh_secret());
    let before = secrets.get("salesforce").await.unwrap();
    let stream = source(&sandbox, &secrets)
        .open("opportunities", None)
        .await
        .unwrap();
    let after = secrets.get("salesforce").await.unwrap();
    assert_ne!(before.expose(), after.expose());

    let mut rows = Rows::new();
    let (cursor, _) = step(stream.as_ref(), None, &mut rows).await.unwrap();
    world.expire_tokens(Vendor::Salesforce);
    world.kill_locators();
    read(stream.as_ref(), Some(cursor), &mut rows).await;
    assert_eq!(rows, truth(world, "Opportunity"));
    assert_ne!(
        after.expose(),
        secrets.get("salesforce").await.unwrap().expose()
    );
}

#[tokio::test]
async fn another_run_goes_on_where_the_last_one_stopped_and_reaches_the_present() {
    let sandbox = sandbox(1_000).await;
    let world = sandbox.world();
    world.set_query_pages(20, 60);
    let mut rows = Rows::new();
    let mut cursor = None;
    for run in 0..3 {
        world.advance(Duration::from_secs(600));
        world.salesforce_create("Contact", &json!({"LastName": format!("Run {run}")}));
        let stream = login(&sandbox).open("contacts", None).await.unwrap();
        for _ in 0..2 {
            cursor = Some(
                step(stream.as_ref(), cursor.as_ref(), &mut rows)
                    .await
                    .unwrap()
                    .0,
            );
        }
    }
    // A run is told apart from the last one by when it began.
    world.advance(Duration::from_secs(1));
    let stream = login(&sandbox).open("contacts", None).await.unwrap();
    let page = stream.fetch(cursor.as_ref()).await.unwrap();
    let window = page.window.unwrap();
    assert_eq!(
        window.expected,
        Some(stream.count(window.window).await.unwrap())
    );
    read(stream.as_ref(), cursor, &mut rows).await;
    assert_eq!(rows, truth(world, "Contact"));
}

#[tokio::test]
async fn poison_and_hidden_fields_never_stop_a_stream() {
    let sandbox = sandbox(1_000).await;
    let world = sandbox.world();
    world.set_query_pages(30, 60);
    let stream = login(&sandbox).open("contacts", None).await.unwrap();
    let ids: Vec<_> = truth(world, "Contact").into_keys().collect();
    let poison: HashMap<_, _> = ids
        .iter()
        .step_by(7)
        .zip(["{}", r#"{"Id":null}"#, "[]", "7"].iter().cycle())
        .collect();
    for (id, text) in &poison {
        assert!(world.put_raw(Vendor::Salesforce, "Contact", id, text));
    }
    world.hide_field(Vendor::Salesforce, "Contact", "Department");
    let mut rows = Rows::new();
    read(stream.as_ref(), None, &mut rows).await;
    let found: HashSet<_> = rows.keys().collect();
    assert_eq!(
        found,
        ids.iter().filter(|id| !poison.contains_key(id)).collect()
    );
}

#[tokio::test]
async fn an_object_with_very_many_fields_is_read_whole() {
    let sandbox = sandbox(500).await;
    let world = sandbox.world();
    for number in 0..500 {
        let name = format!("A_field_with_a_rather_long_name_{number}__c");
        world.add_field(Vendor::Salesforce, "Lead", &name, "string");
    }
    let last = json!({"A_field_with_a_rather_long_name_499__c": "last", "LastName": "Wide"});
    let id = world.salesforce_create("Lead", &last);
    let stream = login(&sandbox).open("leads", None).await.unwrap();
    let mut rows = Rows::new();
    let cursor = read(stream.as_ref(), None, &mut rows).await;
    assert_eq!(rows, truth(world, "Lead"));

    let page = stream.fetch(Some(&cursor)).await.unwrap();
    let changes: Vec<_> = page
        .records
        .iter()
        .map(|raw| only(stream.decode(raw).unwrap()))
        .collect();
    let wide = changes.into_iter().find(|change| change.key == id).unwrap();
    let at = stream
        .table()
        .position("A_field_with_a_rather_long_name_499__c")
        .unwrap();
    assert_eq!(wide.values[at], Value::Text("last".into()));
    assert_eq!(
        wide.values[stream.table().position("LastName").unwrap()],
        Value::Text("Wide".into())
    );
}

#[tokio::test]
async fn what_the_service_refuses_has_the_right_code() {
    let refusal =
        |code: &str, message: &str| format!(r#"[{{"errorCode":"{code}","message":"{message}"}}]"#);
    let status = |code, body| Fault::Status {
        code,
        body,
        retry_after: None,
    };
    let cases = [
        (
            status(
                403,
                refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
            ),
            Code::SourceQuotaExhausted,
        ),
        (
            status(403, refusal("INSUFFICIENT_ACCESS", "no")),
            Code::SourceForbidden,
        ),
        (
            status(400, refusal("INVALID_TYPE", "no")),
            Code::SourceForbidden,
        ),
        (
            Fault::Redirect("https://example.com/".to_owned()),
            Code::SourceRedirect,
        ),
    ];
    let sandbox = sandbox(200).await;
    for (fault, code) in cases {
        sandbox.world().fail_next(fault, "describe", 1);
        let error = login(&sandbox).open("accounts", None).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains("stream: accounts"), "{error}");
    }
    let stream = login(&sandbox).open("accounts", None).await.unwrap();
    sandbox.world().fail_next(
        status(400, refusal("QUERY_TIMEOUT", "too long")),
        "queryAll",
        2,
    );
    let mut rows = Rows::new();
    read(stream.as_ref(), None, &mut rows).await;
    assert_eq!(rows, truth(sandbox.world(), "Account"));

    let wrong = secrets(json!({"client_id": "a", "client_secret": "b"}).to_string());
    let error = source(&sandbox, &wrong).check().await.unwrap_err();
    assert_eq!(error.code(), Code::SourceAuthRevoked);
    login(&sandbox).check().await.unwrap();
    let frame = |edge| format!("-----{edge} {}-----\n", "PRIVATE KEY");
    let body = include_str!("../fixtures/login/test_only_key.txt");
    let private_key_pem = [frame("BEGIN"), body.to_owned(), frame("END")].concat();
    let assertion = json!({
        "client_id": SALESFORCE_CLIENT_ID, "username": SALESFORCE_USERNAME, "private_key_pem": private_key_pem,
    });
    source(&sandbox, &secrets(assertion.to_string()))
        .check()
        .await
        .unwrap();
}
