//! What this process has measured: every metric of [`names`], counted in one place and read by Prometheus and by OTLP.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, MeterProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Temporality,
};
use salesync_core::run::{Run, RunStatus};
use salesync_core::time::Timestamp;

use super::names::{self, Metric};
use crate::context::now;

/// Upper ends of the buckets of runs, in seconds: what changed little takes one, a function ends after nine minutes.
const OF_RUNS: [f64; 10] = [0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 180.0, 540.0, 3_600.0];
/// Upper ends of the buckets of calls and queries, in seconds.
const OF_CALLS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// All instruments.
pub(super) struct Meters {
    // The instruments measure as long as it lives.
    _provider: SdkMeterProvider,
    reader: Arc<ManualReader>,
    runs: Counter<u64>,
    run_duration: Histogram<f64>,
    records: Counter<u64>,
    gap: Gauge<u64>,
    calls: Counter<u64>,
    call_duration: Histogram<f64>,
    quota_used: Gauge<f64>,
    limit_wait: Counter<f64>,
    retries: Counter<u64>,
    circuit: Gauge<u64>,
    letters: Gauge<u64>,
    query_duration: Histogram<f64>,
    bytes_billed: Counter<u64>,
    match_rate: Gauge<f64>,
    times: Arc<Mutex<Times>>,
}

/// Moments whose distance from now is measured when somebody looks.
#[derive(Debug, Default)]
struct Times {
    /// For each stream the time up to which nothing is missing.
    complete_to: BTreeMap<String, Timestamp>,
    /// Since when the oldest dead letter waits, once that is known.
    oldest_letter: Option<Option<Timestamp>>,
}

/// A call of an API.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) api: &'a str,
    pub(super) class: &'a str,
    /// The status of the answer, or the code of the failure.
    pub(super) status: &'a str,
    pub(super) took_secs: f64,
}

/// Whether an API is still asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Circuit {
    Closed,
    Open,
}

impl Meters {
    /// Returns instruments that have measured nothing.
    pub(super) fn new(resource: Resource) -> Self {
        let reader = Arc::new(ManualReader::default());
        let provider = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(Shared(Arc::clone(&reader)))
            .build();
        let meter = provider.meter("salesync");
        let times = Arc::<Mutex<Times>>::default();
        observe_times(&meter, &times);
        Self {
            runs: counter(&meter, &names::RUNS),
            run_duration: histogram(&meter, &names::RUN_DURATION, &OF_RUNS),
            records: counter(&meter, &names::RECORDS),
            gap: gauge(&meter, &names::GAP),
            calls: counter(&meter, &names::CALLS),
            call_duration: histogram(&meter, &names::CALL_DURATION, &OF_CALLS),
            quota_used: ratio(&meter, &names::QUOTA_USED),
            limit_wait: meter
                .f64_counter(names::LIMIT_WAIT.name)
                .with_description(names::LIMIT_WAIT.meaning)
                .with_unit(names::LIMIT_WAIT.unit)
                .build(),
            retries: counter(&meter, &names::RETRIES),
            circuit: gauge(&meter, &names::CIRCUIT),
            letters: gauge(&meter, &names::LETTERS),
            query_duration: histogram(&meter, &names::QUERY_DURATION, &OF_CALLS),
            bytes_billed: counter(&meter, &names::BYTES_BILLED),
            match_rate: ratio(&meter, &names::MATCH_RATE),
            times,
            _provider: provider,
            reader,
        }
    }

    /// Returns all that was measured; nothing where it can't be read.
    pub(super) fn collect(&self) -> ResourceMetrics {
        let mut metrics = ResourceMetrics::default();
        if let Err(error) = self.reader.collect(&mut metrics) {
            tracing::debug!(error = %error, "metrics not read");
        }
        metrics
    }

    /// Measures that nothing of a source has ended yet.
    pub(super) fn expect(&self, source: &str) {
        for status in [RunStatus::Succeeded, RunStatus::Partial, RunStatus::Failed] {
            self.runs.add(0, &of_outcome(source, status));
        }
    }

    /// Measures that a run has ended, of which no more is known.
    pub(super) fn ended(&self, source: &str, status: RunStatus) {
        self.runs.add(1, &of_outcome(source, status));
    }

    /// Measures a run that has ended.
    pub(super) fn run(&self, run: &Run) {
        self.ended(&run.source, run.status);
        let source = label(names::SOURCE, &run.source);
        let took = Duration::from_millis(run.took_ms.unwrap_or_default());
        self.run_duration.record(took.as_secs_f64(), &[source]);
        let counts = &run.counts;
        let stream = stream_name(&run.source, &run.stream);
        for (disposition, count) in [
            ("new", counts.new),
            ("changed", counts.changed),
            ("unchanged", counts.unchanged),
            ("older_ignored", counts.older_ignored),
            ("duplicate", counts.duplicate),
            ("tombstoned", counts.tombstoned),
            ("rejected", counts.rejected),
        ] {
            let disposition = KeyValue::new(names::DISPOSITION, disposition);
            self.records
                .add(count, &[label(names::STREAM, &stream), disposition]);
        }
        let waited = Duration::from_millis(run.traffic.waited_ms);
        self.limit_wait.add(waited.as_secs_f64(), &[]);
        if counts.bytes_billed > 0 {
            self.bytes_billed.add(counts.bytes_billed, &[]);
        }
        if run.mode == "incremental"
            && let Some(cursor) = &run.cursor_to
        {
            self.times()
                .complete_to
                .insert(stream, cursor.complete_to());
        }
    }

    /// Measures what a run's source counted and did not send.
    pub(super) fn gap(&self, (source, stream): (&str, &str), records: u64) {
        let stream = stream_name(source, stream);
        self.gap.record(records, &[label(names::STREAM, &stream)]);
    }

    /// Measures a call of an API.
    pub(super) fn call(&self, call: &Call<'_>) {
        let source = label(names::SOURCE, call.api);
        let class = label(names::CLASS, call.class);
        let status = label(names::STATUS, call.status);
        self.calls.add(1, &[source.clone(), class.clone(), status]);
        self.call_duration.record(call.took_secs, &[source, class]);
    }

    /// Measures a call that is sent again.
    pub(super) fn retry(&self, class: &str) {
        self.retries.add(1, &[label(names::CLASS, class)]);
    }

    /// Measures whether an API is still asked.
    pub(super) fn circuit(&self, api: &str, circuit: Circuit) {
        let state = u64::from(circuit == Circuit::Open);
        self.circuit.record(state, &[label(names::TARGET, api)]);
    }

    /// Measures how much of a quota is used.
    pub(super) fn quota(&self, api: &str, percent: u64) {
        let share = share(percent, 100);
        self.quota_used.record(share, &[label(names::SOURCE, api)]);
    }

    /// Measures a query in BigQuery.
    pub(super) fn query(&self, took_secs: f64) {
        self.query_duration.record(took_secs, &[]);
    }

    /// Measures the dead letters that wait, and since when the oldest does.
    pub(super) fn letters(&self, count: u64, oldest: Option<Timestamp>) {
        self.letters.record(count, &[]);
        self.times().oldest_letter = Some(oldest);
    }

    /// Measures how many records of a kind were found to be one with another.
    pub(super) fn matched(&self, kind: &str, (matched, records): (u64, u64)) {
        let rate = share(matched, records);
        self.match_rate.record(rate, &[label(names::KIND, kind)]);
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

/// Measures distances from now, whenever somebody looks.
fn observe_times(meter: &Meter, times: &Arc<Mutex<Times>>) {
    let seen = Arc::clone(times);
    let _lag = meter
        .f64_observable_gauge(names::LAG.name)
        .with_description(names::LAG.meaning)
        .with_unit(names::LAG.unit)
        .with_callback(move |observer| {
            let now = now();
            let times = seen.lock().unwrap_or_else(PoisonError::into_inner);
            for (stream, complete_to) in &times.complete_to {
                let lag = now.since(*complete_to).as_secs_f64();
                observer.observe(lag, &[label(names::STREAM, stream)]);
            }
        })
        .build();
    let seen = Arc::clone(times);
    let _oldest = meter
        .f64_observable_gauge(names::OLDEST_LETTER.name)
        .with_description(names::OLDEST_LETTER.meaning)
        .with_unit(names::OLDEST_LETTER.unit)
        .with_callback(move |observer| {
            let now = now();
            let times = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(oldest) = times.oldest_letter {
                let age = oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
                observer.observe(age.as_secs_f64(), &[]);
            }
        })
        .build();
}

fn counter(meter: &Meter, metric: &Metric) -> Counter<u64> {
    let builder = meter.u64_counter(metric.name);
    builder
        .with_description(metric.meaning)
        .with_unit(metric.unit)
        .build()
}

fn gauge(meter: &Meter, metric: &Metric) -> Gauge<u64> {
    let builder = meter.u64_gauge(metric.name);
    builder
        .with_description(metric.meaning)
        .with_unit(metric.unit)
        .build()
}

fn ratio(meter: &Meter, metric: &Metric) -> Gauge<f64> {
    let builder = meter.f64_gauge(metric.name);
    builder
        .with_description(metric.meaning)
        .with_unit(metric.unit)
        .build()
}

fn histogram(meter: &Meter, metric: &Metric, ends: &[f64]) -> Histogram<f64> {
    let builder = meter.f64_histogram(metric.name);
    builder
        .with_description(metric.meaning)
        .with_unit(metric.unit)
        .with_boundaries(ends.to_vec())
        .build()
}

fn of_outcome(source: &str, status: RunStatus) -> [KeyValue; 2] {
    let outcome = KeyValue::new(names::OUTCOME, status.as_str());
    [label(names::SOURCE, source), outcome]
}

fn label(name: &'static str, value: &str) -> KeyValue {
    KeyValue::new(name, value.to_owned())
}

/// Returns the name of a stream among those of all sources, which is that of its table.
fn stream_name(source: &str, stream: &str) -> String {
    format!("{source}_{stream}")
}

/// Returns a part of a whole, 0 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    let float = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    match whole {
        0 => 0.0,
        whole => float(part) / float(whole),
    }
}

/// A reader that is also held by whoever reads.
#[derive(Debug)]
struct Shared(Arc<ManualReader>);

impl MetricReader for Shared {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
