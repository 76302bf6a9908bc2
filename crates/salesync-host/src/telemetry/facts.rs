//! Metrics of what is known far from here: those who call APIs and run queries tell it in events, which are log lines of
//! level debug, and this layer counts them.
//!
//! | `event` | told by | fields |
//! |---|---|---|
//! | `api_called` | `salesync-http` | `api`, `class`, `status`, `took_secs`, `is_open` |
//! | `api_retried` | `salesync-http` | `class` |
//! | `circuit_opened` | `salesync-http` | `api` |
//! | `quota_used` | `salesync-http` | `api`, `percent` |
//! | `query_ended` | `salesync-gcp` | `took_secs` |
//! | `run_ended` | `salesync-core` | `source`, `stream`, `gap_records` |

use std::fmt;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;

use super::meters::{Call, Circuit, Meters};

/// Counts what events tell.
pub(super) struct Facts(Arc<Meters>);

impl Facts {
    pub(super) fn new(meters: Arc<Meters>) -> Self {
        Self(meters)
    }

    /// Returns which events it needs, whatever is logged.
    pub(super) fn needed() -> Targets {
        Targets::new()
            .with_target("salesync_core", LevelFilter::INFO)
            .with_target("salesync_gcp", LevelFilter::DEBUG)
            .with_target("salesync_http", LevelFilter::DEBUG)
    }
}

impl<S: Subscriber> Layer<S> for Facts {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fact = Fact::default();
        event.record(&mut fact);
        fact.measure(&self.0);
    }
}

/// The fields of an event, as far as metrics know them.
#[derive(Debug, Default)]
struct Fact {
    event: String,
    api: String,
    class: String,
    status: String,
    source: String,
    stream: String,
    took_secs: f64,
    percent: u64,
    gap_records: u64,
    is_open: bool,
}

impl Fact {
    fn measure(&self, meters: &Meters) {
        match self.event.as_str() {
            "api_called" => {
                meters.call(&Call {
                    api: &self.api,
                    class: &self.class,
                    status: &self.status,
                    took_secs: self.took_secs,
                });
                let circuit = match self.is_open {
                    true => Circuit::Open,
                    false => Circuit::Closed,
                };
                meters.circuit(&self.api, circuit);
            }
            "api_retried" => meters.retry(&self.class),
            "circuit_opened" => meters.circuit(&self.api, Circuit::Open),
            "quota_used" => meters.quota(&self.api, self.percent),
            "query_ended" => meters.query(self.took_secs),
            "run_ended" => meters.gap((&self.source, &self.stream), self.gap_records),
            _ => {}
        }
    }
}

impl Visit for Fact {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "took_secs" {
            self.took_secs = value;
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "percent" => self.percent = value,
            "gap_records" => self.gap_records = value,
            _ => {}
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "is_open" {
            self.is_open = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = match field.name() {
            "event" => &mut self.event,
            "api" => &mut self.api,
            "class" => &mut self.class,
            "status" => &mut self.status,
            "source" => &mut self.source,
            "stream" => &mut self.stream,
            _ => return,
        };
        value.clone_into(text);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
