//! A run that its deadline stops leaves a message on the queue of its cloud, and who takes it finishes the work.

use std::time::Duration;

use salesync_sandbox::SandboxConfig;
use serde_json::json;

use super::Scene;
use super::function::{Front, Function};
use super::queues::Queue;

/// How long the first run may read, its start included; all that there is takes longer.
const READING: Duration = Duration::from_secs(10);
/// So many runs finish it on any machine.
const MOST: usize = 20;

/// Many records, and vendors that take their time.
fn slow() -> SandboxConfig {
    SandboxConfig {
        records: 16_000,
        mailboxes: 1,
        messages: Some(12),
        calls: Some(6),
        latency: Duration::from_millis(600),
        ..SandboxConfig::default()
    }
}

fn the_next_runs_finish_what_a_deadline_stopped(front: Front) {
    let Some(queue) = Queue::of(front, "left") else {
        return;
    };
    let Some(mut scene) = Scene::new(slow(), "continuing") else {
        return;
    };
    queue.lend(&mut scene.bench, "SALESYNC_CONTINUATION");
    if front == Front::Http {
        let secs = READING.as_secs().to_string();
        scene.bench.set("SALESYNC_DEADLINE_SECS", secs);
    }
    let function = Function::start(front, &scene, "hubspot").unwrap();
    // In Lambda a quarter of so short a time is for the last commit and the answer.
    let contacts = json!({"source": "hubspot", "streams": ["contacts"]});
    let first = function.sync_within(&contacts, READING * 4 / 3);
    let run = &first["runs"][0];
    assert_eq!(
        (&run["status"], &run["code"]),
        (&json!("partial"), &json!("ERR_RUN_DEADLINE")),
        "{first}"
    );
    assert_eq!(first["continued"], json!(["hubspot"]), "{first}");

    for hop in 1..=MOST {
        let left = queue.take();
        let [message] = left.as_slice() else {
            assert!(left.is_empty() && hop > 1, "{hop}: {left:?}");
            break;
        };
        let document = message.document();
        assert_eq!(document["continue"]["streams"], json!(["contacts"]));
        assert_eq!(document["hop"], hop, "{document}");
        let again = function.deliver(&left);
        assert!(again.is_empty(), "{again:?} come again");
    }
    let runs = "SELECT CONCAT(status, ' ', IFNULL(code, '')) FROM sales.etl_runs ORDER BY run_id";
    let mut runs = scene.list(runs);
    assert_eq!(runs.pop().as_deref(), Some("succeeded "), "{runs:?}");
    assert!(!runs.is_empty(), "nothing was stopped");
    assert!(
        runs.iter().all(|run| run == "partial ERR_RUN_DEADLINE"),
        "{runs:?}"
    );

    let main = scene.main_of("hubspot");
    let rows = |of: &str| {
        let sql = format!(
            "SELECT COUNT({of}) FROM sales.{} WHERE _deleted_at IS NULL",
            main.table
        );
        scene.list(&sql)[0].parse::<usize>().unwrap()
    };
    assert_eq!(rows("DISTINCT id"), main.ids.len(), "all are there");
    assert_eq!(rows("*"), main.ids.len(), "and none twice");
}

#[test]
fn what_lambdas_deadline_stopped_is_finished_by_the_messages_it_leaves_on_sqs() {
    the_next_runs_finish_what_a_deadline_stopped(Front::Lambda);
}

#[test]
fn what_a_services_deadline_stopped_is_finished_by_the_messages_it_leaves_on_pubsub() {
    the_next_runs_finish_what_a_deadline_stopped(Front::Http);
}
