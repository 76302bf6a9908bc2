//! Traces: which one a command belongs to, and the spans that have ended until they are sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// So many spans are kept until they are sent; of calls no more, of commands and runs all.
const MOST: usize = 2_048;
/// The name of a call's span.
const CALL: &str = "call";

/// Returns the trace that a header in the form of the W3C names: `traceparent`.
pub(crate) fn of_traceparent(text: &str) -> Option<SpanContext> {
    let headers = HashMap::from([("traceparent".to_owned(), text.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &headers);
    valid(context.span().span_context().clone())
}

/// Returns the trace that Google's own header names, `X-Cloud-Trace-Context`: `TRACE/SPAN;o=1`, the span in decimal.
pub(crate) fn of_cloud_trace(text: &str) -> Option<SpanContext> {
    let (ids, options) = text.split_once(';').unwrap_or((text, ""));
    let (trace, span) = ids.split_once('/')?;
    let trace = TraceId::from_hex(trace).ok()?;
    let span = SpanId::from(span.parse::<u64>().ok()?);
    let flags = TraceFlags::NOT_SAMPLED.with_sampled(options.contains("o=1"));
    remote(trace, span, flags)
}

/// Returns the trace that AWS names: `Root=1-TIME-REST;Parent=SPAN;Sampled=1`.
pub(crate) fn of_xray(text: &str) -> Option<SpanContext> {
    let member = |name: &str| {
        let mut members = text.split(';').filter_map(|member| member.split_once('='));
        members
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    };
    let root = member("Root")?.strip_prefix("1-")?.replace('-', "");
    let trace = TraceId::from_hex(&root).ok()?;
    let span = SpanId::from_hex(member("Parent")?).ok()?;
    let flags = TraceFlags::NOT_SAMPLED.with_sampled(member("Sampled") == Some("1"));
    remote(trace, span, flags)
}

fn remote(trace: TraceId, span: SpanId, flags: TraceFlags) -> Option<SpanContext> {
    valid(SpanContext::new(trace, span, flags, true, TraceState::NONE))
}

fn valid(context: SpanContext) -> Option<SpanContext> {
    context.is_valid().then_some(context)
}

/// Spans that have ended and were not sent yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended(Arc<Mutex<Vec<SpanData>>>);

impl Ended {
    /// Takes them all.
    pub(super) fn take(&self) -> Vec<SpanData> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SpanProcessor for Ended {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if has_failed(&span) {
            span.status = Status::error("");
        }
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if span.name != CALL || ended.len() < MOST {
            ended.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Returns whether what a span is about did not succeed: a run says how it ended, a command why.
fn has_failed(span: &SpanData) -> bool {
    let mut attributes = span.attributes.iter();
    let status = attributes.find(|it| it.key.as_str() == "status");
    status.is_some_and(|it| {
        let status = it.value.as_str();
        status == "failed" || status.starts_with("ERR_")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read_from_what_each_platform_sends() {
        type Read = fn(&str) -> Option<SpanContext>;
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        let w3c = |text: &str| format!("00-{text}-01");
        let cases: [(Read, String, Option<&str>); 9] = [
            (
                of_traceparent,
                w3c(&format!("{TRACE}-b7ad6b7169203331")),
                Some("b7ad6b7169203331"),
            ),
            (of_traceparent, w3c("0-0"), None),
            (of_traceparent, "canary".to_owned(), None),
            (
                of_cloud_trace,
                format!("{TRACE}/255;o=1"),
                Some("00000000000000ff"),
            ),
            (
                of_cloud_trace,
                format!("{TRACE}/255"),
                Some("00000000000000ff"),
            ),
            (of_cloud_trace, format!("{TRACE}/0;o=1"), None),
            (of_cloud_trace, "x/y".to_owned(), None),
            (
                of_xray,
                "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=53995c3f42cd8ad8;Sampled=1"
                    .to_owned(),
                Some("53995c3f42cd8ad8"),
            ),
            (of_xray, "Root=1-x;Parent=y".to_owned(), None),
        ];
        for (read, text, span) in cases {
            let context = read(&text);
            let ids = context.map(|it| (it.trace_id().to_string(), it.span_id().to_string()));
            let expected = span.map(|span| (TRACE.to_owned(), span.to_owned()));
            assert_eq!(ids, expected, "{text}");
        }
    }
}
