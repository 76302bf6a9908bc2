//! What the program tells beside its results: metrics and traces to a collector, and log lines that say whose they are.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::Value;

use crate::harness::Bench;

const CONTACTS: [&str; 5] = ["sync", "hubspot", "--streams", "contacts", "--json"];

/// A request that arrived.
#[derive(Debug, Clone)]
struct Sent {
    path: String,
    head: String,
    body: Vec<u8>,
}

/// A collector on this machine; it takes all that comes.
struct Collector {
    endpoint: String,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::<Mutex<Vec<Sent>>>::default();
        let log = Arc::clone(&sent);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let request = answered(socket.unwrap());
                log.lock().unwrap().push(request);
            }
        });
        Self { endpoint, sent }
    }

    /// Returns the bodies that arrived at a path.
    fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        let sent = self.sent.lock().unwrap();
        let sent = sent.iter().filter(|sent| sent.path == path);
        sent.map(|sent| sent.body.clone()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies("/otlp/v1/traces").into_iter();
        bodies
            .map(|body| ExportTraceServiceRequest::decode(body.as_slice()).unwrap())
            .flat_map(|request| request.resource_spans)
            .flat_map(|of_resource| of_resource.scope_spans)
            .flat_map(|of_scope| of_scope.spans)
            .collect()
    }

    /// Returns whose the metrics are.
    fn tenants(&self) -> BTreeSet<String> {
        let bodies = self.bodies("/otlp/v1/metrics").into_iter();
        bodies
            .map(|body| ExportMetricsServiceRequest::decode(body.as_slice()).unwrap())
            .flat_map(|request| request.resource_metrics)
            .filter_map(|of_resource| text(&of_resource.resource?.attributes, "tenant"))
            .collect()
    }

    fn metrics(&self) -> Vec<Metric> {
        let bodies = self.bodies("/otlp/v1/metrics").into_iter();
        bodies
            .map(|body| ExportMetricsServiceRequest::decode(body.as_slice()).unwrap())
            .flat_map(|request| request.resource_metrics)
            .flat_map(|of_resource| of_resource.scope_metrics)
            .flat_map(|of_scope| of_scope.metrics)
            .collect()
    }
}

/// Reads one request and answers it.
fn answered(mut socket: TcpStream) -> Sent {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        head.push_str(&line);
        line.clear();
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    socket
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .unwrap();
    Sent { path, head, body }
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|it| it.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_collector_is_sent_metrics_and_one_trace_of_each_command() {
    let collector = Collector::start();
    let mut bench = Bench::with_records(100);
    let endpoint = format!("{}/otlp", collector.endpoint);
    bench.set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    bench.set("OTEL_EXPORTER_OTLP_HEADERS", "x-key=canary%21");
    bench.set("SALESYNC_LOG", "info");
    bench.set("SALESYNC_LOG_FORMAT", "json");
    bench.set("SALESYNC_TENANT", "north");
    let ended = bench.run(&CONTACTS);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    let sent = collector.sent.lock().unwrap().clone();
    assert!(!sent.is_empty());
    for sent in sent {
        assert!(sent.head.contains("canary!"), "{}", sent.head);
    }

    let spans = collector.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (command, run) = (named("command"), named("run"));
    assert_eq!(text(&command.attributes, "command").unwrap(), "sync");
    assert_eq!(run.parent_span_id, command.span_id);
    assert_eq!(run.trace_id, command.trace_id);
    for (name, expected) in [
        ("source", "hubspot"),
        ("stream", "contacts"),
        ("status", "succeeded"),
    ] {
        assert_eq!(text(&run.attributes, name).as_deref(), Some(expected));
    }

    let metrics = collector.metrics();
    let runs = metrics.iter().find(|it| it.name == "sync_runs_total");
    let Some(metric::Data::Sum(runs)) = &runs.unwrap().data else {
        panic!("runs are a sum: {metrics:#?}");
    };
    assert_eq!(runs.data_points.len(), 1);
    let tenants = collector.tenants();
    assert_eq!(tenants, ["north".to_owned()].into());
    let point = &runs.data_points[0].attributes;
    assert_eq!(text(point, "outcome").as_deref(), Some("succeeded"));
    for name in [
        "api_calls_total",
        "api_quota_used_ratio",
        "sync_lag_seconds",
        "dlq_depth",
    ] {
        assert!(metrics.iter().any(|it| it.name == name), "{name}");
    }

    let lines = ended.stderr.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.iter().find(|line| line["event"] == "run_ended");
    let last = last.unwrap();
    assert_eq!(last["trace_id"], hex(&run.trace_id), "{last}");
    assert_eq!(last["run_id"], text(&run.attributes, "run_id").unwrap());
    assert_eq!(
        (&last["source"], &last["stream"]),
        (&"hubspot".into(), &"contacts".into())
    );
    assert_eq!(last["tenant"], "north");
}

#[test]
fn a_collector_that_is_gone_costs_a_line_and_two_seconds_at_most() {
    let mut bench = Bench::with_records(50);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let began = Instant::now();
    assert_eq!(bench.run(&CONTACTS).code, Some(0));
    let without = began.elapsed();
    bench.set("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"));
    let began = Instant::now();
    let ended = bench.run(&CONTACTS);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stderr.contains("were not sent"), "{ended:#?}");
    let longer = began.elapsed().saturating_sub(without);
    assert!(longer < Duration::from_secs(5), "{longer:?}");
}

#[test]
fn a_line_inside_a_run_has_a_trace_also_without_a_collector() {
    let mut bench = Bench::with_records(50);
    bench.set("SALESYNC_LOG", "info");
    bench.set("SALESYNC_LOG_FORMAT", "json");
    let ended = bench.run(&CONTACTS);
    let lines = ended.stderr.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.iter().find(|line| line["event"] == "run_ended");
    let trace = last.unwrap()["trace_id"].as_str().unwrap();
    assert_eq!(trace.len(), 32, "{trace}");
    assert!(trace.bytes().all(|byte| byte.is_ascii_hexdigit()));
}
