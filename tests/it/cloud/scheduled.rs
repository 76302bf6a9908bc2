//! What a scheduler sends to each function brings its vendor's records into BigQuery.

use serde_json::json;

use super::function::{Front, Function};
use super::{Scene, few, vendors};

/// Triggers each vendor's function once, all of them with one dataset, as a deployment has them.
fn each_vendor_is_synced(front: Front, dataset: &str) {
    let Some(scene) = Scene::new(few(), dataset) else {
        return;
    };
    for vendor in vendors() {
        let Some(function) = Function::start(front, &scene, &vendor) else {
            return;
        };
        let report = function.sync(&json!({"source": vendor}));
        let runs = report["runs"].as_array().unwrap();
        assert!(!runs.is_empty(), "{report}");
        for run in runs {
            assert_eq!(
                (&run["source"], &run["status"]),
                (&json!(vendor), &json!("succeeded")),
                "{report}"
            );
        }
        let main = scene.main_of(&vendor);
        assert!(!main.ids.is_empty(), "{vendor} has nothing");
        scene.assert_holds(main.table, &main.ids);
        let open = &scene.bench.json(&["status"])["open_dead_letters"];
        assert_eq!(open, 0, "{vendor}");
    }
}

#[test]
fn a_schedules_event_to_each_function_in_lambda_syncs_its_vendor_into_bigquery() {
    each_vendor_is_synced(Front::CargoLambda, "lambda");
}

#[test]
fn a_signed_post_to_each_function_over_http_syncs_its_vendor_into_bigquery() {
    each_vendor_is_synced(Front::Http, "http");
}
