//! A record that can't be read comes to the queue of a function's cloud, whole, and goes through from there.

use salesync_sandbox::{Vendor, World};
use serde_json::{Value, json};

use super::function::{Front, Function};
use super::queues::Queue;
use super::{Scene, few, vendors};

/// What stands where a time belongs.
const SOON: &str = "soon";

/// Lets a vendor send one record with a time that is none; returns its id, and a time as that vendor writes it.
fn poison(world: &World, vendor: &str, ids: &[String]) -> (String, &'static str) {
    let id = ids[0].clone();
    let (whose, kind, sent, time): (_, _, Value, _) = match vendor {
        "hubspot" => (
            Vendor::HubSpot,
            "contacts",
            json!({"id": id, "properties": {"lastmodifieddate": "2026-01-01T00:00:00Z", "createdate": SOON}}),
            "2026-01-01T00:00:00Z",
        ),
        "salesforce" => (
            Vendor::Salesforce,
            "Opportunity",
            json!({
                "attributes": {"type": "Opportunity"},
                "Id": id,
                "SystemModstamp": "2026-01-01T00:00:00.000+0000",
                "CloseDate": SOON,
            }),
            "2026-01-31",
        ),
        "gmail" => {
            let mailbox = world.mailboxes().remove(0);
            let messages = world.gmail_messages(&mailbox);
            let own = messages.iter().find(|it| it["id"] == id.as_str()).unwrap();
            let headers = [json!({"name": "From", "value": "Ada Berg <ada.berg@fjord.example>"})];
            let sent = json!({
                "id": id,
                "threadId": own["threadId"],
                "historyId": "10000001",
                "internalDate": SOON,
                "labelIds": ["INBOX"],
                "payload": {"headers": headers},
            });
            (Vendor::Gmail, "messages", sent, "1767225600000")
        }
        "dialpad" => {
            let calls = world.dialpad_calls();
            let own = calls.iter().find(|it| it["call_id"] == id.as_str());
            let mut sent = own.unwrap()["record"].clone();
            sent["date_started"] = json!(SOON);
            (Vendor::Dialpad, "calls", sent, "1767225600000")
        }
        other => panic!("say here how {other} sends a bad record"),
    };
    assert!(world.put_raw(whose, kind, &id, &sent.to_string()));
    (id, time)
}

/// A poisoned record of each vendor comes to the queue; mended, and brought by the queue, it arrives.
fn each_comes_to_the_queue(front: Front, name: &str) {
    let Some(queue) = Queue::of_letters(front, name) else {
        return;
    };
    let Some(mut scene) = Scene::new(few(), "letters") else {
        return;
    };
    queue.lend(&mut scene.bench, "SALESYNC_DEAD_LETTERS");
    for vendor in vendors() {
        let main = scene.main_of(&vendor);
        let (id, time) = poison(scene.world(), &vendor, &main.ids);
        let function = Function::start(front, &scene, &vendor).unwrap();
        let report = function.sync(&json!({"source": vendor, "streams": [main.stream]}));
        assert_eq!(report["runs"][0]["status"], "succeeded", "{report}");
        scene.assert_holds(main.table, &main.ids[1..]);

        let mut letters = queue.take();
        assert_eq!(letters.len(), 1, "{vendor}: {letters:?}");
        let letter = letters[0].document();
        let expected = [("source", vendor.as_str()), ("stream", main.stream)];
        for (name, value) in expected {
            assert_eq!(letter[name], value, "{letter}");
        }
        assert_eq!(letter["record_id"], id.as_str(), "{letter}");
        assert!(letter["payload"].as_str().unwrap().contains(SOON));

        // Somebody mends it by hand and lets the queue bring it again.
        letters[0].body = letters[0].body.replace(SOON, time);
        let again = function.deliver(&letters);
        assert!(again.is_empty(), "{vendor}: {again:?} come again");
        scene.assert_holds(main.table, &main.ids);
    }
    let states = "SELECT DISTINCT state FROM sales.dead_letters";
    assert_eq!(scene.list(states), ["redriven"]);
}

/// What a vendor's own change has mended goes through when its function is told to redrive; another vendor's letter on
/// the same queue stays for that one's.
fn a_redrive_brings_them_back(front: Front, name: &str) {
    let Some(queue) = Queue::of_letters(front, name) else {
        return;
    };
    let Some(mut scene) = Scene::new(few(), "redriving") else {
        return;
    };
    queue.lend(&mut scene.bench, "SALESYNC_DEAD_LETTERS");
    let (calls, contacts) = (scene.main_of("dialpad"), scene.main_of("hubspot"));
    poison(scene.world(), "dialpad", &calls.ids);
    let function = Function::start(front, &scene, "dialpad").unwrap();
    function.sync(&json!({"source": "dialpad", "streams": ["calls"]}));
    assert_eq!(queue.waiting(), 1);
    for id in &contacts.ids[..2] {
        let sent = json!({
            "id": id,
            "properties": {"lastmodifieddate": "2026-01-01T00:00:00Z", "fit_score": "very good"},
        });
        let sent = sent.to_string();
        let world = scene.world();
        assert!(world.put_raw(Vendor::HubSpot, "contacts", id, &sent));
    }
    let function = Function::start(front, &scene, "hubspot").unwrap();
    let report = function.sync(&json!({"source": "hubspot", "streams": ["contacts"]}));
    assert_eq!(report["runs"][0]["status"], "succeeded", "{report}");
    assert_eq!(queue.waiting(), 3);
    scene.assert_holds(contacts.table, &contacts.ids[2..]);

    // The property is text from now on, and what was no number is good text.
    scene
        .world()
        .add_field(Vendor::HubSpot, "contacts", "fit_score", "string");
    assert_eq!(
        function.redrive(&json!({})),
        json!({"tried": 2, "redriven": 2, "rejected": 0})
    );
    assert_eq!(queue.waiting(), 1);
    scene.assert_holds(contacts.table, &contacts.ids);
    let nothing = json!({"tried": 0, "redriven": 0, "rejected": 0});
    assert_eq!(function.redrive(&json!({})), nothing);
}

#[test]
fn a_poisoned_record_of_each_vendor_comes_to_sqs_and_from_there_through_its_function() {
    each_comes_to_the_queue(Front::Lambda, "poisoned");
}

#[test]
fn a_poisoned_record_of_each_vendor_comes_to_pubsub_and_from_there_through_its_function() {
    each_comes_to_the_queue(Front::Http, "poisoned");
}

#[test]
fn a_function_in_lambda_that_is_told_to_redrive_brings_back_what_waits_on_sqs() {
    a_redrive_brings_them_back(Front::Lambda, "redriven");
}

#[test]
fn a_function_over_http_that_is_told_to_redrive_brings_back_what_waits_on_pubsub() {
    a_redrive_brings_them_back(Front::Http, "redriven");
}
