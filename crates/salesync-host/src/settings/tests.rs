//! What settings are taken, and what is said of the others.

use salesync_aws::QueueUrl;
use salesync_gcp::PubSubPlace;

use super::*;

fn settings(pairs: &[(&str, &str)]) -> Result<Settings> {
    let values = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::from_values(values.collect(), &[])
}

#[test]
fn without_any_setting_everything_has_a_default() {
    let settings = settings(&[]).unwrap();
    assert_eq!(
        settings.warehouse,
        WarehouseChoice::DuckDb("salesync.duckdb".into())
    );
    assert_eq!(settings.tenant, "sales");
    assert_eq!(settings.deadline, None);
}

#[test]
fn a_wrong_setting_is_an_error_that_names_it() {
    let cases = [
        ("SALESYNC_WAREHOUSE", "mysql:x"),
        ("SALESYNC_WAREHOUSE", "duckdb:"),
        ("SALESYNC_WAREHOUSE", "bigquery:"),
        ("SALESYNC_WAREHOUSE", "bigquery:my-project/a`b"),
        ("SALESYNC_BIGQUERY_LOCATION", "moon base"),
        ("SALESYNC_BIGQUERY_MAX_GB_BILLED", "0"),
        ("SALESYNC_BIGQUERY_MERGE", "sometimes"),
        ("SALESYNC_BIGQUERY_LOAD", "by hand"),
        ("SALESYNC_BIGQUERY_LOGIN", "{\"type\":\"service_account\"}"),
        ("BIGQUERY_STORAGE_EMULATOR_HOST", "http://elsewhere.example"),
        ("BIGQUERY_EMULATOR_HOST", "http://elsewhere.example"),
        ("SALESYNC_TENANT", "A-B; drop"),
        ("SALESYNC_SECRETS", "file:/no/such/folder"),
        ("SALESYNC_SECRETS", "vault"),
        ("SALESYNC_SECRETS", "gcp:"),
        ("SALESYNC_SECRETS", "gcp:My Project"),
        ("SALESYNC_SECRETS", "gcp:my-project/a/b"),
        ("SALESYNC_SECRETS", "aws:"),
        ("SALESYNC_SECRETS", "aws:europe"),
        ("SALESYNC_DEAD_LETTERS", "kafka:x"),
        ("SALESYNC_DEAD_LETTERS", "pubsub:letters"),
        ("SALESYNC_DEAD_LETTERS", "pubsub:my-project/a b"),
        ("SALESYNC_DEAD_LETTERS", "sqs:letters"),
        ("SALESYNC_NOTIFY", "warehouse"),
        ("SALESYNC_NOTIFY", "pubsub:my-project"),
        ("SALESYNC_NOTIFY", "sqs:https://sqs.eu-west-1.amazonaws.com"),
        ("PUBSUB_EMULATOR_HOST", "http://elsewhere.example"),
        ("SALESYNC_DEADLINE_SECS", "soon"),
        ("SALESYNC_DUCKDB_MEMORY_MB", "0"),
        ("SALESYNC_TRIGGER_SIGNATURE", "none"),
        ("SALESYNC_RESOLVE_INDEX_FROM", "-1"),
        ("SALESYNC_RESOLVE_REFRESH_PERCENT", "101"),
        ("SALESYNC_LOG_FORMAT", "xml"),
        ("SALESYNC_CONTINUATION", "kafka:x"),
        ("SALESYNC_CONTINUATION", "pubsub:topic"),
        (
            "SALESYNC_CONTINUATION",
            "sqs:http://queue.example/123456789012/q",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://collector.example:4318",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://u:p@collector.example",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=a%0Ab"),
        ("SALESYNC_TRIGGER_SECRET", "short"),
        ("SALESYNC_TRIGGER_IDENTITY", "ada@example.com"),
        ("SALESYNC_TRIGGER_AUDIENCE", "https://sync.example.com"),
    ];
    for (name, value) in cases {
        let error = settings(&[(name, value)]).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_base_url_is_an_https_origin_or_on_this_machine() {
    for good in [
        "https://api.hubapi.com",
        "http://127.0.0.1:8080/",
        "http://localhost:1",
        "http://[::1]:9",
    ] {
        assert!(check_base_url("X", good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "api.hubapi.com",
        "http://example.com",
        "https://u:p@x.com",
        "https://x.com/a?b",
        "ftp://x",
    ] {
        assert!(check_base_url("X", bad).is_err(), "{bad}");
    }
}

#[test]
fn triggers_are_for_an_identity_a_secret_or_nobody() {
    assert!(settings(&[]).unwrap().triggers.is_empty());
    let token = [
        ("SALESYNC_TRIGGER_AUDIENCE", "https://sync.example.com"),
        ("SALESYNC_TRIGGER_IDENTITY", "clock@example.com"),
    ];
    let identity = settings(&token).unwrap().triggers.identity.unwrap();
    assert_eq!(identity.issuer, "https://accounts.google.com");
    assert_eq!(identity.keys_url.scheme(), "https");
    let keys = |url| settings(&[&token[..], &[("SALESYNC_TRIGGER_KEYS_URL", url)]].concat());
    assert!(keys("http://127.0.0.1:9/keys").is_ok());
    for bad in ["http://keys.example", "https://u:p@keys.example", "keys"] {
        let error = keys(bad).unwrap_err();
        assert!(
            error.to_string().contains("SALESYNC_TRIGGER_KEYS_URL"),
            "{error}"
        );
    }
}

#[test]
fn a_shared_secret_is_shown_to_nobody() {
    let both = format!("{},{}", "a".repeat(32), "b".repeat(40));
    let settings = settings(&[("SALESYNC_TRIGGER_SECRET", both.as_str())]).unwrap();
    assert_eq!(settings.triggers.secrets.len(), 2);
    let shown = settings.shown();
    let (_, value, _) = shown
        .iter()
        .find(|(name, _, _)| name == "SALESYNC_TRIGGER_SECRET")
        .unwrap();
    assert_eq!(value, "(given)");
    for text in [
        format!("{settings:?}{:?}", settings.triggers),
        format!("{shown:?}"),
    ] {
        assert!(!text.contains("aaaa") && !text.contains("bbbb"), "{text}");
    }
}

#[test]
fn a_collector_is_an_address_with_headers_that_are_shown_to_nobody() {
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    assert!(settings(&[]).unwrap().otlp.is_none());
    for (text, origin, path) in [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318", ""),
        ("https://otlp.example/", "https://otlp.example", ""),
        (
            "https://otlp.example/api/otlp/",
            "https://otlp.example",
            "/api/otlp",
        ),
    ] {
        let otlp = settings(&[(endpoint, text)]).unwrap().otlp.unwrap();
        assert_eq!((otlp.origin.as_str(), otlp.path.as_str()), (origin, path));
    }
    let settings = settings(&[
        (endpoint, "https://otlp.example"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "Authorization=Basic%20canary==, x-team=sales",
        ),
    ]);
    let settings = settings.unwrap();
    let otlp = settings.otlp.as_ref().unwrap();
    let headers = otlp.headers.iter();
    let headers: Vec<(&str, &str)> = headers
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    assert_eq!(
        headers,
        [("authorization", "Basic canary=="), ("x-team", "sales")]
    );
    let shown = format!("{settings:?}{otlp:?}{:?}", settings.shown());
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn queues_are_of_either_cloud_and_none_where_the_warehouse_does() {
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/more";
    let sqs = QueueChoice::Sqs(QueueUrl::parse(url).unwrap());
    let setting = format!("sqs:{url}");
    let pubsub = QueueChoice::PubSub {
        place: PubSubPlace::parse("my-project/more").unwrap(),
        emulator: None,
    };
    for (text, choice) in [
        ("", None),
        ("none", None),
        ("warehouse", None),
        ("pubsub:my-project/more", Some(pubsub)),
        (setting.as_str(), Some(sqs)),
    ] {
        let settings = settings(&[("SALESYNC_CONTINUATION", text)]).unwrap();
        assert_eq!(settings.continuation, choice);
    }
}
