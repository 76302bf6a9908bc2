//! Sends what was measured and traced to a collector, in the protocol of OpenTelemetry over HTTP.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;
use salesync_core::error::Result;
use salesync_http::{ClientSettings, Expected, LimitClass, Request, Timeouts, Transport, Verdict};

use crate::context::now;
use crate::settings::OtlpChoice;

const OTLP: LimitClass = LimitClass("otlp");
const PROTOBUF: &str = "application/x-protobuf";

/// Sends spans, where there are any, and all metrics.
///
/// # Errors
/// Where the collector did not take them.
///
/// # Cancel safety
/// What a dropped call was sending has arrived or not.
pub(super) async fn send(
    choice: &OtlpChoice,
    resource: &Resource,
    (spans, metrics): (Vec<SpanData>, ResourceMetrics),
) -> Result<()> {
    // A connection would not outlive the pauses between two commands.
    let transport = Transport::new(ClientSettings {
        timeouts: Timeouts::LOGIN,
        concurrency: 1,
        ..ClientSettings::new("otlp", choice.origin.as_str(), now())
    })?;
    if !spans.is_empty() {
        let resource_spans = group_spans_by_resource_and_scope(spans, &resource.into());
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        post(&transport, choice, ("/v1/traces", body)).await?;
    }
    let body = ExportMetricsServiceRequest::from(&metrics).encode_to_vec();
    post(&transport, choice, ("/v1/metrics", body)).await
}

async fn post(
    transport: &Transport,
    choice: &OtlpChoice,
    (signal, body): (&str, Vec<u8>),
) -> Result<()> {
    let target = format!("{}{signal}", choice.path);
    let mut request = Request::post("send telemetry", target, OTLP)
        .expecting(Expected::Anything)
        .body(PROTOBUF, body);
    for (name, value) in &choice.headers {
        request = request.secret_header(name.as_str(), value.clone());
    }
    transport.send(&request, Verdict::by_status).await.map(drop)
}
