//! What activities belong to: the same by every way, and asked for only where a listing does not tell it.

use super::*;

const ACTIVITIES: [&str; 5] = ["calls", "emails", "meetings", "notes", "tasks"];
const ABOUT: [&str; 3] = ["contacts", "companies", "deals"];

impl Rows {
    /// Checks that every live record of an object is held with what it belongs to.
    fn check_associations(&self, stream: &dyn Stream, sandbox: &Sandbox, object: &str) {
        let live = self.rows.iter().filter(|(_, row)| row.gone.is_none());
        for (id, row) in live {
            for to in ABOUT {
                let column = format!("associations_{to}");
                let held = &row.values[stream.table().position(&column).unwrap()];
                let ids = sandbox.world().hubspot_associated((object, id), to);
                let expected = match ids.is_empty() {
                    true => Value::Null,
                    false => Value::Text(json!(ids).to_string().into()),
                };
                assert_eq!(*held, expected, "{object} {id} {to}");
            }
        }
    }
}

/// Returns how often associations were asked for since the last time.
fn asked(sandbox: &Sandbox) -> u64 {
    let counts = sandbox.world().request_counts();
    sandbox.world().reset_requests();
    let count = counts.get(&RequestClass::Associations);
    count.copied().unwrap_or_default()
}

async fn sync(rows: &mut Rows, source: &Arc<dyn Source>, stream: &str) -> Arc<dyn Stream> {
    let stream = source.open(stream, None).await.unwrap();
    rows.sync(&*stream).await;
    stream
}

#[tokio::test]
async fn a_listing_tells_them_and_a_window_asks_once_per_type() {
    let sandbox = sandbox(1_500).await;
    let world = sandbox.world().clone();
    let source = source(&sandbox);
    for object in ACTIVITIES {
        let mut rows = Rows::default();
        let stream = sync(&mut rows, &source, object).await;
        rows.check_associations(&*stream, &sandbox, object);
        assert_eq!(asked(&sandbox), 0, "{object}");

        world.advance(Duration::from_secs(3_600));
        let live = rows.rows.iter().filter(|(_, row)| row.gone.is_none());
        let ids: Vec<String> = live.map(|(id, _)| id.clone()).collect();
        for (number, id) in ids.iter().take(12).enumerate() {
            if number % 2 == 0 {
                world.hubspot_associate((object, id), ("contacts", &format!("12{number}")));
                world.hubspot_associate((object, id), ("deals", "9"));
            }
            world.hubspot_update(object, id, &json!({"hs_timestamp": "2026-01-01T00:00:00Z"}));
        }
        // One of its own that belongs to nobody: HubSpot calls that an error among the answers.
        world.hubspot_create(object, &json!({"hs_timestamp": "2026-01-01T00:00:00Z"}));
        world.hubspot_merge(object, &ids[0], &ids[1]).unwrap();
        // So that the next window does not read these changes once more.
        world.advance(Duration::from_secs(900));
        sync(&mut rows, &source, object).await;
        rows.check(&*stream, &sandbox, object, "hs_merged_object_ids");
        rows.check_associations(&*stream, &sandbox, object);
        assert_eq!(rows.rejects, [], "{object}");
        assert_eq!(asked(&sandbox), 3, "{object}: one page, three types");

        sync(&mut rows, &source, object).await;
        assert_eq!(asked(&sandbox), 0, "{object}: nothing changed");
    }
}

#[tokio::test]
async fn a_list_of_them_that_goes_on_is_read_to_its_end() {
    let sandbox = sandbox(0).await;
    let world = sandbox.world().clone();
    let source = source(&sandbox);
    let long = world.hubspot_create("meetings", &json!({"hs_meeting_title": "All hands"}));
    let short = world.hubspot_create("meetings", &json!({}));
    for number in 0..1_620 {
        let contact = world.hubspot_create("contacts", &json!({}));
        world.hubspot_associate(("meetings", &long), ("contacts", &contact));
        if number < 100 {
            world.hubspot_associate(("meetings", &short), ("contacts", &contact));
        }
    }
    // Older than what the window after the listing reads once more.
    world.advance(Duration::from_secs(3_600));
    let mut rows = Rows::default();
    let stream = sync(&mut rows, &source, "meetings").await;
    rows.check_associations(&*stream, &sandbox, "meetings");
    // 500 a page: four pages of the long list; the others were told whole.
    assert_eq!(asked(&sandbox), 4);

    world.hubspot_update(
        "meetings",
        &long,
        &json!({"hs_meeting_title": "All hands!"}),
    );
    world.hubspot_update("meetings", &short, &json!({"hs_meeting_title": "Some"}));
    sync(&mut rows, &source, "meetings").await;
    rows.check_associations(&*stream, &sandbox, "meetings");
    assert_eq!(asked(&sandbox), 4 + 2);
}

#[tokio::test]
async fn archived_records_keep_them_also_where_their_listing_tells_none() {
    let sandbox = sandbox(600).await;
    let world = sandbox.world().clone();
    let source = source(&sandbox);
    let mut rows = Rows::default();
    let stream = sync(&mut rows, &source, "emails").await;
    let column = stream.table().position("associations_contacts").unwrap();
    let live = rows.rows.iter();
    let live = live.filter(|(_, row)| row.gone.is_none() && row.values[column] != Value::Null);
    let ids: Vec<String> = live.map(|(id, _)| id.clone()).take(2).collect();
    for (id, calls) in ids.iter().zip([0, 3]) {
        world.advance(Duration::from_secs(3_600));
        let before = rows.rows[id].values[column].clone();
        assert!(world.hubspot_archive("emails", id));
        asked(&sandbox);
        sync(&mut rows, &source, "emails").await;
        assert_eq!(rows.rows[id].gone.as_deref(), Some("archived"));
        assert_eq!(rows.rows[id].values[column], before);
        assert_eq!(asked(&sandbox), calls);
        world.hide_archived_associations();
    }
}

#[tokio::test]
async fn records_that_are_read_by_id_get_those_that_their_listing_told() {
    let sandbox = sandbox(900).await;
    let world = sandbox.world().clone();
    for number in 0..300 {
        let name = format!("custom_property_number_{number}");
        world.add_field(Vendor::HubSpot, "calls", &name, "string");
    }
    let source = source(&sandbox);
    let mut rows = Rows::default();
    let stream = sync(&mut rows, &source, "calls").await;
    rows.check_associations(&*stream, &sandbox, "calls");
    assert!(world.request_counts()[&RequestClass::Batch] > 0);
    assert_eq!(asked(&sandbox), 0);
    world.advance(Duration::from_secs(3_600));
    let id = rows
        .rows
        .iter()
        .find(|(_, row)| row.gone.is_none())
        .unwrap();
    let id = id.0.clone();
    world.hubspot_update("calls", &id, &json!({"custom_property_number_299": "last"}));
    sync(&mut rows, &source, "calls").await;
    rows.check(&*stream, &sandbox, "calls", "custom_property_number_299");
    rows.check_associations(&*stream, &sandbox, "calls");
    assert_eq!(asked(&sandbox), 3);
}

#[tokio::test]
async fn a_record_that_is_set_aside_carries_them() {
    let sandbox = sandbox(300).await;
    let world = sandbox.world().clone();
    let source = source(&sandbox);
    let mut rows = Rows::default();
    sync(&mut rows, &source, "calls").await;
    world.advance(Duration::from_secs(3_600));
    let id = rows
        .rows
        .iter()
        .find(|(_, row)| row.gone.is_none())
        .unwrap();
    let id = id.0.clone();
    world.hubspot_associate(("calls", &id), ("deals", "77"));
    world.hubspot_update("calls", &id, &json!({"hs_call_duration": "many"}));
    // Opened anew, it knows what time it is.
    let stream = source.open("calls", None).await.unwrap();
    let page = stream.fetch(rows.cursor.as_ref()).await.unwrap();
    let [raw] = &page.records[..] else {
        panic!("{} records changed", page.records.len());
    };
    let reject = stream.decode(raw).unwrap_err();
    assert_eq!(reject.field.as_deref(), Some("hs_call_duration"));
    let text = std::str::from_utf8(raw.bytes()).unwrap();
    assert!(
        text.contains(r#""deals":{"results":[{"id":"77"}]}"#),
        "{text}"
    );
}

#[tokio::test]
async fn an_answer_that_says_neither_which_nor_none_is_asked_for_again() {
    let sandbox = sandbox(300).await;
    let world = sandbox.world().clone();
    let source = source(&sandbox);
    let mut rows = Rows::default();
    let stream = sync(&mut rows, &source, "notes").await;
    world.advance(Duration::from_secs(3_600));
    let id = rows
        .rows
        .iter()
        .find(|(_, row)| row.gone.is_none())
        .unwrap();
    world.hubspot_update(
        "notes",
        &id.0.clone(),
        &json!({"hs_note_body": "<p>New</p>"}),
    );
    let failed = r#"{"status":"COMPLETE","results":[],"errors":[{"category":"INTERNAL_ERROR"}]}"#;
    let fault = Fault::Status {
        code: 207,
        body: failed.to_owned(),
        retry_after: None,
    };
    world.fail_next(fault, "/associations/notes/deals", 1);
    world.fail_next(Fault::Truncated, "/associations/notes/contacts", 1);
    world.fail_next(Fault::EmptyObject, "/associations/notes/companies", 1);
    asked(&sandbox);
    sync(&mut rows, &source, "notes").await;
    rows.check_associations(&*stream, &sandbox, "notes");
    assert_eq!(asked(&sandbox), 6);
}
