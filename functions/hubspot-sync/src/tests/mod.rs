//! The streams against the sandbox: what a reader holds at the end is what the account holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use salesync_core::cursor::Cursor;
use salesync_core::error::Code;
use salesync_core::ledger::Window;
use salesync_core::record::{Change, Reject, Value};
use salesync_core::secret::{Secret, SecretStore};
use salesync_core::source::{
    Page, Presence, Progress, Source, SourceSettings, Stream, TableChange,
};
use salesync_core::time::Timestamp;
use salesync_sandbox::{Fault, RequestClass, Sandbox, SandboxConfig, Vendor};
use serde_json::json;

use crate::SOURCE;
use crate::place::Place;

mod associations;

/// One secret, as a file would hold it.
#[derive(Debug)]
struct OneSecret(std::sync::Mutex<String>);

#[async_trait::async_trait]
impl SecretStore for OneSecret {
    async fn get(&self, _: &str) -> salesync_core::error::Result<Secret> {
        Ok(Secret::new(self.0.lock().unwrap().clone()))
    }

    async fn put_if_unchanged(
        &self,
        _: &str,
        old: &Secret,
        new: &Secret,
    ) -> salesync_core::error::Result<bool> {
        let mut held = self.0.lock().unwrap();
        let is_unchanged = *held == old.expose();
        if is_unchanged {
            *held = new.expose().to_owned();
        }
        Ok(is_unchanged)
    }
}

async fn sandbox(records: usize) -> Sandbox {
    Sandbox::start(SandboxConfig {
        records,
        ..SandboxConfig::default()
    })
    .await
    .unwrap()
}

fn source_with(sandbox: &Sandbox, secret: String) -> Arc<dyn Source> {
    let now = Timestamp::from_millis(sandbox.world().now().timestamp_millis());
    let secrets = Arc::new(OneSecret(std::sync::Mutex::new(secret)));
    (SOURCE.connect)(SourceSettings {
        base_url: sandbox.url(),
        secrets,
        now,
        values: BTreeMap::new(),
    })
    .unwrap()
}

fn source(sandbox: &Sandbox) -> Arc<dyn Source> {
    source_with(sandbox, salesync_sandbox::hubspot_secret())
}

/// Returns the one change that a record is.
fn only(mut changes: Vec<TableChange<'_>>) -> Change<'_> {
    assert_eq!((changes.len(), changes[0].table), (1, 0));
    changes.remove(0).change
}

/// What a warehouse would hold: the newest state of each record.
#[derive(Default)]
struct Rows {
    rows: BTreeMap<String, Row>,
    rejects: Vec<Reject>,
    cursor: Option<Cursor>,
    pages: usize,
    /// Each window with what it was said to hold and what came.
    windows: Vec<(Window, u64, u64)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    version: Timestamp,
    gone: Option<String>,
    values: Vec<Value<'static>>,
}

impl Rows {
    /// Reads a stream until it has caught up.
    async fn sync(&mut self, stream: &dyn Stream) {
        for _ in 0..2_000 {
            let page = stream.fetch(self.cursor.as_ref()).await.unwrap();
            if self.take(stream, page) == Progress::CaughtUp {
                return;
            }
        }
        panic!("the stream never catches up");
    }

    /// Takes in a page as a warehouse does: the newer version wins.
    fn take(&mut self, stream: &dyn Stream, page: Page) -> Progress {
        assert_ne!(self.cursor.as_ref(), Some(&page.next), "the stream moves");
        self.pages += 1;
        if let Some(window) = page.window {
            match (window.expected, self.windows.last_mut()) {
                (Some(expected), _) => {
                    self.windows
                        .push((window.window, expected, page.records.len() as u64))
                }
                (None, Some(open)) if open.0 == window.window => {
                    open.2 += page.records.len() as u64
                }
                (None, _) => panic!("a window begins with its count"),
            }
        }
        for raw in &page.records {
            match stream.decode(raw).map(only) {
                Ok(change) => {
                    let gone = change
                        .deletion
                        .as_ref()
                        .map(|deletion| deletion.reason.as_str().to_owned());
                    for old in &change.replaces {
                        if let Some(row) = self.rows.get_mut(old) {
                            row.gone = Some(format!("merged into {}", change.key));
                        }
                    }
                    let values = change.values.iter().map(owned).collect();
                    let row = Row {
                        version: change.version,
                        gone,
                        values,
                    };
                    let held = self.rows.get(&*change.key).map(|row| row.version);
                    if held.is_none_or(|held| held <= row.version) {
                        self.rows.insert(change.key.into_owned(), row);
                    }
                }
                Err(reject) => self.rejects.push(reject),
            }
        }
        self.cursor = Some(page.next);
        page.progress
    }

    /// Checks that every live record of the account is held in its present state, and no other one as live.
    fn check(&self, stream: &dyn Stream, sandbox: &Sandbox, object: &str, text: &str) {
        let position = stream.table().position(text).unwrap();
        let mut live = 0;
        for record in sandbox.world().hubspot_records(object) {
            let id = record["id"].as_str().unwrap();
            let is_live = record.get("erased").is_none()
                && record.get("mergedInto").is_none()
                && record["archived"] == json!(false);
            let held = self.rows.get(id).filter(|row| row.gone.is_none());
            assert_eq!(held.is_some(), is_live, "{object} {id}: {record}");
            if let Some(row) = held {
                live += 1;
                let expected = match record["properties"][text].as_str() {
                    None | Some("") => Value::Null,
                    Some(text) => Value::Text(text.to_owned().into()),
                };
                assert_eq!(row.values[position], expected, "{object} {id}");
            }
        }
        assert_eq!(
            self.rows.values().filter(|row| row.gone.is_none()).count(),
            live
        );
    }
}

fn owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Text(text) => Value::Text(text.clone().into_owned().into()),
        Value::Null => Value::Null,
        Value::Bool(flag) => Value::Bool(*flag),
        Value::Int(number) => Value::Int(*number),
        Value::Decimal(number) => Value::Decimal(*number),
        Value::Double(number) => Value::Double(*number),
        Value::Timestamp(instant) => Value::Timestamp(*instant),
        Value::Date(day) => Value::Date(*day),
    }
}

#[tokio::test]
async fn a_first_sync_holds_all_that_the_account_holds() {
    let sandbox = sandbox(1_500).await;
    let source = source(&sandbox);
    source.check().await.unwrap();
    for (stream, text) in [
        ("contacts", "email"),
        ("companies", "name"),
        ("deals", "dealname"),
        ("calls", "hs_call_title"),
        ("emails", "hs_email_subject"),
        ("meetings", "hs_meeting_title"),
        ("notes", "hs_note_body"),
        ("tasks", "hs_task_subject"),
    ] {
        let stream_reader = source.open(stream, None).await.unwrap();
        let mut rows = Rows::default();
        rows.sync(&*stream_reader).await;
        rows.check(&*stream_reader, &sandbox, stream, text);
        assert_eq!(rows.rejects, [], "{stream}");
        let (_, expected, delivered) = rows.windows[0];
        assert_eq!(
            expected, delivered,
            "{stream}: the listing holds what the search counts"
        );
        assert!(rows.cursor.unwrap().is_between_windows());
    }
    let owners = source.open("owners", None).await.unwrap();
    let mut rows = Rows::default();
    rows.sync(&*owners).await;
    assert!(rows.rows.len() >= 10 && rows.rejects.is_empty());
}

#[tokio::test]
async fn an_idle_sync_costs_one_search_and_one_sweep() {
    let sandbox = sandbox(300).await;
    let source = source(&sandbox);
    for object in ["contacts", "emails"] {
        let mut rows = Rows::default();
        rows.sync(&*source.open(object, None).await.unwrap()).await;
        sandbox.world().advance(Duration::from_secs(3_600));
        let stream = source.open(object, None).await.unwrap();
        rows.sync(&*stream).await;
        sandbox.world().reset_requests();
        rows.sync(&*stream).await;
        let counts = sandbox.world().request_counts();
        assert_eq!(
            counts,
            BTreeMap::from([(RequestClass::Search, 1), (RequestClass::Archived, 1)])
        );
        assert_eq!(
            rows.windows.last().unwrap().1,
            0,
            "an hour later the overlap is empty, too"
        );
    }
}

#[tokio::test]
async fn edits_archives_restores_merges_and_new_records_are_seen_by_the_next_sync() {
    let sandbox = sandbox(600).await;
    let world = sandbox.world().clone();
    let source = source(&sandbox);
    let stream = source.open("contacts", None).await.unwrap();
    let ids: Vec<String> = world
        .hubspot_records("contacts")
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    world.hubspot_archive("contacts", &ids[9]);
    let mut rows = Rows::default();
    rows.sync(&*stream).await;
    rows.check(&*stream, &sandbox, "contacts", "email");

    world.advance(Duration::from_secs(3_600));
    world.hubspot_create("contacts", &json!({"email": "new@halden.example"}));
    world.hubspot_update(
        "contacts",
        &ids[1],
        &json!({"email": "edited@halden.example"}),
    );
    world.hubspot_archive("contacts", &ids[2]);
    world.hubspot_restore("contacts", &ids[9]);
    let survivor = world.hubspot_merge("contacts", &ids[3], &ids[4]).unwrap();
    rows.sync(&*source.open("contacts", None).await.unwrap())
        .await;
    rows.check(&*stream, &sandbox, "contacts", "email");
    assert_eq!(rows.rows[&ids[2]].gone.as_deref(), Some("archived"));
    assert_eq!(
        rows.rows[&ids[4]].gone,
        Some(format!("merged into {survivor}"))
    );

    world.hubspot_gdpr_delete("contacts", &ids[5]);
    let keys = [&ids[1], &ids[2], &ids[3], &ids[5], &survivor].map(Clone::clone);
    let merged = Presence::MergedInto(survivor);
    let expected = [
        Presence::Present,
        Presence::Present,
        merged,
        Presence::Absent,
        Presence::Present,
    ];
    assert_eq!(stream.presence(&keys).await.unwrap(), expected);
}

#[tokio::test]
async fn edits_between_pages_lose_nothing() {
    let sandbox = sandbox(1_200).await;
    let world = sandbox.world().clone();
    let ids: Vec<String> = world
        .hubspot_records("contacts")
        .iter()
        .map(|record| record["id"].as_str().unwrap().to_owned())
        .collect();
    let mut turn = 0;
    world.on_page(move |world, page| {
        if page.object == "contacts" && turn < 40 {
            turn += 1;
            world.hubspot_update(
                "contacts",
                &ids[turn * 7],
                &json!({"email": format!("edit{turn}@halden.example")}),
            );
            world.hubspot_create(
                "contacts",
                &json!({"email": format!("new{turn}@halden.example")}),
            );
            if turn % 3 == 0 {
                world.hubspot_archive("contacts", &ids[turn * 7 + 1]);
            }
        }
    });
    let source = source(&sandbox);
    let stream = source.open("contacts", None).await.unwrap();
    let mut rows = Rows::default();
    rows.sync(&*stream).await;
    world.clear_on_page();
    rows.sync(&*stream).await;
    rows.check(&*stream, &sandbox, "contacts", "email");
}

#[tokio::test]
async fn twelve_thousand_records_of_one_millisecond_are_read_in_a_window() {
    let sandbox = sandbox(30).await;
    let world = sandbox.world().clone();
    let source = source(&sandbox);
    let mut rows = Rows::default();
    rows.sync(&*source.open("contacts", None).await.unwrap())
        .await;
    world.advance(Duration::from_secs(3_600));
    let tie = world.hubspot_tie("contacts", 12_000, world.now().timestamp_millis());
    world.advance(Duration::from_secs(5));
    let later = world.hubspot_create("contacts", &json!({"email": "later@halden.example"}));

    let stream = source.open("contacts", None).await.unwrap();
    rows.pages = 0;
    rows.sync(&*stream).await;
    assert!(tie.iter().all(|id| rows.rows.contains_key(id)));
    assert!(rows.rows.contains_key(&later));
    assert!(rows.pages < 70, "{} pages", rows.pages);
    let searches = world
        .requests()
        .into_iter()
        .filter(|request| request.class == RequestClass::Search);
    assert!(searches.into_iter().all(|request| request.status == 200));
}

#[tokio::test]
async fn a_run_that_stops_anywhere_is_continued_by_the_next_one() {
    let sandbox = sandbox(900).await;
    let world = sandbox.world().clone();
    world.hubspot_tie("contacts", 700, world.now().timestamp_millis());
    let source = source(&sandbox);
    let mut rows = Rows::default();
    // Each page is read by a run of its own, which knows nothing but the cursor.
    while rows
        .cursor
        .as_ref()
        .is_none_or(|cursor| !cursor.is_between_windows())
    {
        assert!(rows.pages < 60);
        let stream = source.open("contacts", None).await.unwrap();
        let page = stream.fetch(rows.cursor.as_ref()).await.unwrap();
        if let Some(window) = page.window {
            assert!(
                window.expected.is_some(),
                "a window that is counted is counted from its beginning"
            );
        }
        rows.take(&*stream, page);
    }
    let stream = source.open("contacts", None).await.unwrap();
    rows.sync(&*stream).await;
    rows.check(&*stream, &sandbox, "contacts", "email");
}

#[tokio::test]
async fn a_poisoned_record_neither_stops_nor_loops_nor_moves_the_stream() {
    let sandbox = sandbox(900).await;
    let world = sandbox.world().clone();
    let source = source(&sandbox);
    let mut rows = Rows::default();
    rows.sync(&*source.open("contacts", None).await.unwrap())
        .await;
    world.advance(Duration::from_secs(3_600));
    let live = rows.rows.iter().filter(|(_, row)| row.gone.is_none());
    let ids: Vec<String> = live.map(|(id, _)| id.clone()).collect();
    let mut last = String::new();
    for id in ids.iter().take(250) {
        world.hubspot_update("contacts", id, &json!({"firstname": "Edited"}));
        last.clone_from(id);
    }
    let poison = [
        r#"{"id":"1","properties":{"lastmodifieddate":"2999-01-01T00:00:00Z"}}"#.to_owned(),
        r#"{"id":"2","properties":{"lastmodifieddate":"never"}}"#.to_owned(),
        r#"{"id":"3","properties":{"lastmodifieddate":"1971-01-01T00:00:00Z"}}"#.to_owned(),
        format!(r#"{{"id":{}1{}}}"#, "[".repeat(200), "]".repeat(200)),
        r#"{"noid":true}"#.to_owned(),
    ];
    for (raw, id) in poison.iter().zip(&ids[195..200]) {
        assert!(world.put_raw(Vendor::HubSpot, "contacts", id, raw));
    }
    rows.sync(&*source.open("contacts", None).await.unwrap())
        .await;
    assert!(rows.rejects.len() >= 4);
    let edited = source
        .open("contacts", None)
        .await
        .unwrap()
        .table()
        .position("firstname")
        .unwrap();
    for id in ids.iter().take(195).chain([&last]) {
        assert_eq!(
            rows.rows[id].values[edited],
            Value::Text("Edited".into()),
            "{id}"
        );
    }
    assert!(rows.cursor.unwrap().complete_to() <= source.clock());
}

#[tokio::test]
async fn a_listing_whose_token_is_unknown_begins_anew() {
    let sandbox = sandbox(900).await;
    let source = source(&sandbox);
    let stream = source.open("contacts", None).await.unwrap();
    let started = source.clock();
    let stale = Place::Listing {
        after: Some("no such token".to_owned()),
        started,
    };
    let mut rows = Rows {
        cursor: Some(Cursor::inside(Timestamp::EPOCH, &stale).unwrap()),
        ..Rows::default()
    };
    rows.sync(&*stream).await;
    rows.check(&*stream, &sandbox, "contacts", "email");
}

#[tokio::test]
async fn properties_that_fit_into_no_request_are_read_all_the_same() {
    let sandbox = sandbox(900).await;
    let world = sandbox.world().clone();
    for number in 0..300 {
        world.add_field(
            Vendor::HubSpot,
            "contacts",
            &format!("custom_property_number_{number}"),
            "string",
        );
    }
    let id = world.hubspot_create("contacts", &json!({"custom_property_number_299": "last"}));
    let source = source(&sandbox);
    let stream = source.open("contacts", None).await.unwrap();
    let mut rows = Rows::default();
    rows.sync(&*stream).await;
    rows.check(&*stream, &sandbox, "contacts", "custom_property_number_299");
    assert!(rows.rows.contains_key(&id));
    assert!(world.request_counts()[&RequestClass::Batch] >= 3);
    assert!(
        world
            .requests()
            .iter()
            .all(|request| request.path.len() + request.query.len() < 8_000)
    );
}

#[tokio::test]
async fn a_page_without_its_shape_is_asked_for_again() {
    let sandbox = sandbox(300).await;
    let source = source(&sandbox);
    let stream = source.open("deals", None).await.unwrap();
    sandbox.world().fail_next(Fault::EmptyObject, "/search", 1);
    sandbox
        .world()
        .fail_next(Fault::Truncated, "/crm/v3/objects/deals?", 1);
    sandbox
        .world()
        .fail_next(Fault::Html502, "/crm/v3/objects/deals?", 1);
    let mut rows = Rows::default();
    rows.sync(&*stream).await;
    rows.check(&*stream, &sandbox, "deals", "dealname");
    assert!(stream.traffic().retries >= 2);
}

#[tokio::test]
async fn each_refusal_has_its_code() {
    let status = |code: u16, body: &str| Fault::Status {
        code,
        body: body.to_owned(),
        retry_after: None,
    };
    let cases = [
        (Fault::WrongToken, Code::SourceAuthRevoked),
        (Fault::ExpiredToken, Code::SourceAuthRevoked),
        (
            status(403, r#"{"category":"MISSING_SCOPES"}"#),
            Code::SourceForbidden,
        ),
        (
            status(400, r#"{"category":"VALIDATION_ERROR"}"#),
            Code::SourceRefused,
        ),
        (status(404, "<html>"), Code::SourceRefused),
        (
            status(429, r#"{"policyName":"DAILY"}"#),
            Code::SourceQuotaExhausted,
        ),
        (
            Fault::Redirect("https://evil.example".to_owned()),
            Code::SourceRedirect,
        ),
        (Fault::GzipBomb(64 << 20), Code::SourceBodyTooLarge),
    ];
    let sandbox = sandbox(30).await;
    for (fault, code) in cases {
        sandbox.world().fail_next(fault.clone(), "", 1);
        let error = source(&sandbox).check().await.unwrap_err();
        assert_eq!(error.code(), code, "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn an_app_logs_in_by_its_refresh_token_and_again_when_the_access_token_has_ended() {
    let sandbox = sandbox(300).await;
    let source = source_with(&sandbox, salesync_sandbox::hubspot_oauth_secret());
    source.check().await.unwrap();
    sandbox.world().expire_tokens(Vendor::HubSpot);
    source.check().await.unwrap();
    assert_eq!(sandbox.world().request_counts()[&RequestClass::Login], 2);
    let wrong = json!({"client_id": "a", "client_secret": "b", "refresh_token": "c"}).to_string();
    let error = source_with(&sandbox, wrong).check().await.unwrap_err();
    assert_eq!(error.code(), Code::SourceAuthRevoked);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_stored_before_its_access_token_is_used() {
    let granted =
        r#"{"token_type":"bearer","access_token":"a","refresh_token":"rotated","expires_in":1800}"#;
    let sandbox = sandbox(30).await;
    let fault = Fault::Status {
        code: 200,
        body: granted.to_owned(),
        retry_after: None,
    };
    sandbox.world().fail_next(fault, "/oauth", 1);
    let secrets = Arc::new(OneSecret(std::sync::Mutex::new(
        salesync_sandbox::hubspot_oauth_secret(),
    )));
    let now = Timestamp::from_millis(sandbox.world().now().timestamp_millis());
    let settings = SourceSettings {
        base_url: sandbox.url(),
        secrets: Arc::clone(&secrets) as _,
        now,
        values: BTreeMap::new(),
    };
    let source = (SOURCE.connect)(settings).unwrap();
    // The invented access token is refused; what counts is what had been stored by then.
    assert!(source.check().await.is_err());
    assert!(
        secrets
            .0
            .lock()
            .unwrap()
            .contains("\"refresh_token\":\"rotated\"")
    );
}

#[tokio::test]
async fn a_secret_that_was_never_set_sends_nothing() {
    let sandbox = sandbox(30).await;
    for (secret, code) in [
        (
            r#"{"private_app_token":"PLACEHOLDER"}"#,
            Code::ConfigSecretPlaceholder,
        ),
        (r#"{"client_id":"x"}"#, Code::ConfigInvalid),
        ("pat-na1", Code::ConfigInvalid),
    ] {
        let error = source_with(&sandbox, secret.to_owned())
            .check()
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{secret}");
    }
    assert!(sandbox.world().requests().is_empty());
}

#[tokio::test]
async fn a_window_is_counted_by_the_search_itself() {
    let sandbox = sandbox(300).await;
    let source = source(&sandbox);
    let stream = source.open("companies", None).await.unwrap();
    let all = Window {
        lo: Timestamp::EPOCH,
        hi: source.clock().plus(Duration::from_secs(60)),
    };
    let live = sandbox
        .world()
        .hubspot_records("companies")
        .iter()
        .filter(|r| r["archived"] == json!(false))
        .count();
    assert_eq!(stream.count(all).await.unwrap(), live as u64);
}
