//! What each metric counts, and what is served of it.

use salesync_core::cursor::Cursor;
use salesync_core::run::{Counts, RunStatus, Traffic};
use salesync_core::time::Timestamp;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

fn run(stream: &str, status: RunStatus) -> Run {
    Run {
        run_id: RunId::new(Timestamp::EPOCH),
        source: "crm".to_owned(),
        stream: stream.to_owned(),
        mode: "incremental".to_owned(),
        started_at: Timestamp::EPOCH,
        took_ms: Some(1_500),
        status,
        code: None,
        parts: Vec::new(),
        generation: 0,
        epoch: 1,
        cursor_from: None,
        cursor_to: None,
        pages: 1,
        traffic: Traffic {
            waited_ms: 250,
            ..Traffic::default()
        },
        counts: Counts {
            fetched: 5,
            new: 3,
            rejected: 2,
            bytes_billed: 1_024,
            ..Counts::default()
        },
        adapters: String::new(),
    }
}

fn assert_served(telemetry: &Telemetry, lines: &[&str]) {
    let text = telemetry.prometheus();
    for line in lines {
        assert!(text.lines().any(|own| own == *line), "{line}\n{text}");
    }
}

#[test]
fn runs_are_counted_by_source_and_stream() {
    let telemetry = Telemetry::new(None, "sales");
    let ended = [
        run("notes", RunStatus::Succeeded),
        run("notes", RunStatus::Failed),
        run("calls", RunStatus::Succeeded),
    ];
    telemetry.runs(&ended);
    assert_served(
        &telemetry,
        &[
            "sync_runs_total{source=\"crm\",outcome=\"succeeded\"} 2",
            "sync_runs_total{source=\"crm\",outcome=\"failed\"} 1",
            "sync_run_duration_seconds_bucket{source=\"crm\",le=\"1\"} 0",
            "sync_run_duration_seconds_bucket{source=\"crm\",le=\"2.5\"} 3",
            "sync_run_duration_seconds_bucket{source=\"crm\",le=\"+Inf\"} 3",
            "sync_run_duration_seconds_sum{source=\"crm\"} 4.5",
            "sync_run_duration_seconds_count{source=\"crm\"} 3",
            "sync_records_total{stream=\"crm_notes\",disposition=\"new\"} 6",
            "sync_records_total{stream=\"crm_notes\",disposition=\"unchanged\"} 0",
            "sync_records_total{stream=\"crm_calls\",disposition=\"rejected\"} 2",
            "rate_limit_wait_seconds_total 0.75",
            "bigquery_bytes_billed_total 3072",
        ],
    );
}

#[test]
fn a_source_that_is_expected_is_counted_from_nothing_on() {
    let telemetry = Telemetry::new(None, "sales");
    telemetry.expect("crm");
    let line = "sync_runs_total{source=\"crm\",outcome=\"failed\"} ";
    assert_served(&telemetry, &[&format!("{line}0")]);
    telemetry.failed("crm");
    assert_served(&telemetry, &[&format!("{line}1")]);
}

#[test]
fn what_other_crates_tell_is_counted_whatever_is_logged() {
    let telemetry = Telemetry::new(None, "sales");
    let subscriber = tracing_subscriber::registry().with(vec![telemetry.facts()]);
    tracing::subscriber::with_default(subscriber, || {
        for (status, is_open) in [("200", false), ("ERR_SOURCE_TIMEOUT", true)] {
            tracing::debug!(
                target: "salesync_http::transport",
                event = "api_called", api = "crm", class = "search", status, took_secs = 0.2, is_open, "called"
            );
        }
        tracing::debug!(
            target: "salesync_http::transport",
            event = "api_retried", api = "crm", class = "search", "trying again"
        );
        tracing::debug!(target: "salesync_http::transport", event = "circuit_opened", api = "mail", "open");
        tracing::debug!(target: "salesync_http::client", event = "quota_used", api = "crm", percent = 25_u64, "used");
        tracing::debug!(target: "salesync_gcp::api", event = "query_ended", took_secs = 1.5, "ended");
        tracing::info!(
            target: "salesync_core::sync::stream",
            event = "run_ended", source = "crm", stream = "notes", gap_records = 7_u64, "run ended"
        );
        tracing::info!(target: "elsewhere", event = "api_retried", class = "search", "not ours");
    });
    assert_served(
        &telemetry,
        &[
            "api_calls_total{source=\"crm\",class=\"search\",status=\"200\"} 1",
            "api_calls_total{source=\"crm\",class=\"search\",status=\"ERR_SOURCE_TIMEOUT\"} 1",
            "api_call_duration_seconds_count{source=\"crm\",class=\"search\"} 2",
            "retries_total{class=\"search\"} 1",
            "circuit_state{target=\"crm\"} 1",
            "circuit_state{target=\"mail\"} 1",
            "api_quota_used_ratio{source=\"crm\"} 0.25",
            "bigquery_query_duration_seconds_sum 1.5",
            "ledger_gap_records{stream=\"crm_notes\"} 7",
        ],
    );
}

#[test]
fn what_grows_old_is_measured_when_somebody_looks() {
    let telemetry = Telemetry::new(None, "sales");
    let hours = |hours: u64| now().minus(Duration::from_secs(hours * 3_600));
    let mut ended = run("notes", RunStatus::Succeeded);
    ended.cursor_to = Some(Cursor::between_windows(hours(2)));
    telemetry.runs(&[ended]);
    telemetry.0.meters.letters(3, Some(hours(5)));
    telemetry.0.meters.matched("person", (1, 4));
    assert_served(
        &telemetry,
        &["dlq_depth 3", "entity_match_rate{kind=\"person\"} 0.25"],
    );
    let text = telemetry.prometheus();
    let value = |name: &str| -> f64 {
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    let lag = value("sync_lag_seconds{stream=\"crm_notes\"}");
    assert!((7_200.0..7_260.0).contains(&lag), "{lag}");
    let age = value("dlq_oldest_age_seconds ");
    assert!((18_000.0..18_060.0).contains(&age), "{age}");
    telemetry.0.meters.letters(0, None);
    assert_served(&telemetry, &["dlq_depth 0", "dlq_oldest_age_seconds 0"]);
}

#[test]
fn every_metric_is_described_also_before_it_is_measured() {
    let text = Telemetry::new(None, "sales").prometheus();
    for metric in names::ALL {
        let (name, kind) = (metric.name, metric.kind.as_str());
        assert!(text.contains(&format!("# HELP {name} {}\n", metric.meaning)));
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")));
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
    }
}
