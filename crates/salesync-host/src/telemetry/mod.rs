//! What operators see of the program beside its log lines: metrics, by `/metrics` and by OTLP, and traces, by OTLP.
//!
//! ```text
//! reports of runs ──────────────┐
//! events of other crates (facts)┼─→ meters ─┬─→ prometheus (/metrics)
//! the warehouse (stored) ───────┘           └─→ otlp ─→ the collector, when a command has ended
//! spans ─→ traces ────────────────────────────────↗
//! ```
//!
//! Nothing is connected before there is something to send, and without a collector nothing is traced. What can't be sent
//! is one line in the log and costs nothing else.

mod facts;
mod meters;
mod names;
mod otlp;
mod prometheus;
mod stored;
mod traces;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceId, TracerProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, Sampler, SdkTracerProvider};
use salesync_core::error::{Code, Error, Result};
use salesync_core::run::{Run, RunId, RunStatus};
use salesync_core::warehouse::Warehouse;
use tokio::time::timeout;
use tracing::field::{Empty, display};
use tracing::instrument::WithSubscriber as _;
use tracing::{Dispatch, Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::{Filter, Layer};
use tracing_subscriber::registry::Registry;

use self::facts::Facts;
use self::meters::Meters;
use self::traces::Ended;
use crate::context::now;
use crate::settings::OtlpChoice;

pub(crate) use self::traces::{of_cloud_trace, of_traceparent, of_xray};

/// How long sending may keep a command from being done: the platform counts it, and a function freezes after it.
const LONGEST: Duration = Duration::from_secs(2);

/// A part of what hears events and spans.
pub(crate) type Heard = Box<dyn Layer<Registry> + Send + Sync>;

/// What was measured and traced in this process; every copy is the same.
#[derive(Clone)]
pub(crate) struct Telemetry(Arc<Shared>);

struct Shared {
    meters: Arc<Meters>,
    resource: Resource,
    collector: Option<Collector>,
    /// Whether somebody has read the metrics.
    was_read: AtomicBool,
}

/// Where metrics and traces go, and the spans that wait for it.
struct Collector {
    choice: OtlpChoice,
    tracers: SdkTracerProvider,
    ended: Ended,
}

impl Telemetry {
    /// Returns what has measured nothing yet; what it measures for a tenant is sent to the collector, where there is one.
    pub(crate) fn new(collector: Option<OtlpChoice>, tenant: &str) -> Self {
        let instance = RunId::new(now()).as_str().to_owned();
        let resource = Resource::builder_empty()
            .with_service_name("salesync")
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", instance),
                KeyValue::new("tenant", tenant.to_owned()),
            ])
            .build();
        let collector = collector.map(|choice| {
            let ended = Ended::default();
            let tracers = SdkTracerProvider::builder()
                .with_resource(resource.clone())
                .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
                .with_span_processor(ended.clone())
                .build();
            Collector {
                choice,
                tracers,
                ended,
            }
        });
        Self(Arc::new(Shared {
            meters: Arc::new(Meters::new(resource.clone())),
            resource,
            collector,
            was_read: AtomicBool::new(false),
        }))
    }

    /// Returns what counts the events of other crates.
    pub(crate) fn facts(&self) -> Heard {
        let facts = Facts::new(Arc::clone(&self.0.meters));
        Layer::<Registry>::with_filter(facts, Facts::needed()).boxed()
    }

    /// Returns what makes traces of the spans that a filter lets through; nothing without a collector.
    pub(crate) fn traces(
        &self,
        filter: impl Filter<Registry> + Send + Sync + 'static,
    ) -> Option<Heard> {
        let collector = self.0.collector.as_ref()?;
        let layer = tracing_opentelemetry::layer::<Registry>()
            .with_tracer(collector.tracers.tracer("salesync"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false);
        Some(layer.with_filter(filter).boxed())
    }

    /// Does a command's work inside its span, which belongs to the caller's trace where there is one, and sends what
    /// was measured when it is done.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) async fn around<T>(
        &self,
        (command, caller): (&'static str, Option<&SpanContext>),
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let span = self.span(command, caller);
        let done = work.instrument(span.clone()).await;
        let code = done.as_ref().err().map(|error| error.code().as_str());
        span.record("status", code.unwrap_or("succeeded"));
        // It has ended before it is sent.
        drop(span);
        self.send().await;
        done
    }

    fn span(&self, command: &'static str, caller: Option<&SpanContext>) -> Span {
        let span = tracing::info_span!("command", command, trace_id = Empty, status = Empty);
        let mut trace_id = caller.map(SpanContext::trace_id);
        if self.0.collector.is_some() {
            if let Some(caller) = caller {
                let trace = opentelemetry::Context::new().with_remote_span_context(caller.clone());
                // Where it is not traced, nothing belongs to a trace.
                let _parent = span.set_parent(trace);
            }
            let context = span.context();
            let own = context.span().span_context().trace_id();
            trace_id = trace_id.or((own != TraceId::INVALID).then_some(own));
        }
        let trace_id = trace_id.unwrap_or_else(|| RandomIdGenerator::default().new_trace_id());
        span.record("trace_id", display(trace_id));
        span
    }

    /// Serves the runs of a source from 0 on: who watches a count sees its first step only where it was there before.
    pub(crate) fn expect(&self, source: &str) {
        self.0.meters.expect(source);
    }

    /// Measures that a sync of a source could not begin, or failed as a whole.
    pub(crate) fn failed(&self, source: &str) {
        self.0.meters.ended(source, RunStatus::Failed);
    }

    /// Measures runs that have ended.
    pub(crate) fn runs(&self, runs: &[Run]) {
        for run in runs {
            self.0.meters.run(run);
        }
    }

    /// Measures the dead letters that wait in the warehouse, where somebody reads it.
    pub(crate) async fn letters(&self, warehouse: &dyn Warehouse) {
        if self.is_read()
            && let Err(error) = stored::letters(&self.0.meters, warehouse).await
        {
            tracing::debug!(error = %error, "dead letters not counted");
        }
    }

    /// Measures how many records were found to be one with another, where somebody reads it.
    pub(crate) async fn matches(&self, warehouse: &dyn Warehouse) {
        if self.is_read()
            && let Err(error) = stored::matches(&self.0.meters, warehouse).await
        {
            tracing::debug!(error = %error, "matched records not counted");
        }
    }

    fn is_read(&self) -> bool {
        self.0.collector.is_some() || self.0.was_read.load(Ordering::Relaxed)
    }

    /// Returns all metrics as Prometheus reads them.
    pub(crate) fn prometheus(&self) -> String {
        self.0.was_read.store(true, Ordering::Relaxed);
        prometheus::text(&self.0.meters.collect())
    }

    /// Sends what waits to the collector, where there is one.
    async fn send(&self) {
        let Some(collector) = &self.0.collector else {
            return;
        };
        let waiting = (collector.ended.take(), self.0.meters.collect());
        let sending = otlp::send(&collector.choice, &self.0.resource, waiting);
        // That it is sent is neither measured nor traced.
        let sending = timeout(LONGEST, Box::pin(sending)).with_subscriber(Dispatch::none());
        let late = |_| Err(Error::new(Code::SourceTimeout, "send telemetry"));
        if let Err(error) = sending.await.unwrap_or_else(late) {
            tracing::warn!(error = %error, "metrics and traces were not sent");
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
