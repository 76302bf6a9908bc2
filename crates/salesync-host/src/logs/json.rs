//! Log lines as clouds read them: one JSON document each, with `severity`, `message` and the fields of the event, and with
//! `code` wherever it is about an error. Each says which `tenant` it is of, and one that is written inside a run whose it
//! is: `run_id`, `source`, `stream` and `trace_id`.

use std::fmt;

use salesync_core::error::Code;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// The member by which Google finds the trace of a line.
const GOOGLE_TRACE: &str = "logging.googleapis.com/trace";

/// Writes an event as one line of JSON.
#[derive(Debug, Default)]
pub(super) struct JsonLines {
    tenant: String,
    /// What stands before a trace's id in its whole name at Google.
    traces_of: Option<String>,
}

impl JsonLines {
    /// Returns the lines of a tenant, whose traces are those of this project at Google, where there is one.
    pub(super) fn of(tenant: &str, project: Option<&str>) -> Self {
        let traces_of = project.map(|project| format!("projects/{project}/traces/"));
        Self {
            tenant: tenant.to_owned(),
            traces_of,
        }
    }
}

/// Keeps the fields of a span as JSON, so that its lines can have them.
#[derive(Debug)]
pub(super) struct JsonFields;

impl<'writer> FormatFields<'writer> for JsonFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut read = Fields::default();
        fields.record(&mut read);
        write!(writer, "{}", Value::Object(read.0))
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let mut all = Fields(serde_json::from_str(&current.fields).unwrap_or_default());
        fields.record(&mut all);
        current.fields = Value::Object(all.0).to_string();
        Ok(())
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields::default();
        for span in cx.event_scope().into_iter().flat_map(|it| it.from_root()) {
            let extensions = span.extensions();
            let kept = extensions.get::<FormattedFields<N>>();
            let of_span = kept.and_then(|kept| serde_json::from_str(&kept.fields).ok());
            fields.0.extend(of_span.unwrap_or_else(Map::new));
        }
        // How a run ended is no matter of its lines.
        fields.0.remove("status");
        fields.0.remove("code");
        event.record(&mut fields);
        if !self.tenant.is_empty() {
            fields
                .0
                .insert("tenant".to_owned(), self.tenant.as_str().into());
        }
        if let (Some(before), Some(id)) = (&self.traces_of, fields.text("trace_id")) {
            let trace = format!("{before}{id}");
            fields.0.insert(GOOGLE_TRACE.to_owned(), trace.into());
        }
        let line = fields.line(event.metadata(), time);
        writeln!(writer, "{line}")
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn line(mut self, about: &Metadata<'_>, time: String) -> Value {
        // An error's text begins with its code.
        let error = self.0.get("error").and_then(Value::as_str);
        let begin = error.and_then(|text| text.split(':').next());
        if let Some(code) = begin.and_then(Code::parse) {
            self.0.entry("code").or_insert(code.as_str().into());
        }
        let severity = match *about.level() {
            Level::ERROR => "ERROR",
            Level::WARN => "WARNING",
            Level::INFO => "INFO",
            Level::DEBUG | Level::TRACE => "DEBUG",
        };
        let more = [
            ("severity", severity),
            ("time", time.as_str()),
            ("target", about.target()),
        ];
        self.0
            .extend(more.map(|(name, text)| (name.to_owned(), text.into())));
        Value::Object(self.0)
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use salesync_core::error::Error;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_one_document_with_severity_and_the_code_of_its_error() {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(JsonLines::default())
            .fmt_fields(JsonFields)
            .with_writer(move || lines.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let error = Error::new(Code::StoreUnavailable, "ask").with("host", "a");
            tracing::warn!(source = "crm", error = %error, "not\nnow");
            let code = Some("ERR_RUN_DEADLINE");
            tracing::info!(event = "run_ended", code, gap_records = 3_u64, "run ended");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let read = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let [first, second]: [Value; 2] = read.collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(first["severity"], "WARNING");
        assert_eq!(first["code"], "ERR_STORE_UNAVAILABLE");
        assert_eq!(first["message"], "not\nnow");
        assert_eq!(first["source"], "crm");
        assert_eq!(second["severity"], "INFO");
        assert_eq!(second["event"], "run_ended");
        assert_eq!(second["code"], "ERR_RUN_DEADLINE");
        assert_eq!(second["gap_records"], 3);
        assert!(
            second["time"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z'))
        );
    }

    #[test]
    fn a_line_inside_a_run_says_whose_it_is() {
        let lines = Lines::default();
        let written = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(JsonLines::of("north", Some("shop")))
            .fmt_fields(JsonFields)
            .with_writer(move || lines.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let empty = tracing::field::Empty;
            let command = tracing::info_span!("command", command = "sync", trace_id = empty);
            command.record("trace_id", "0af7651916cd43dd8448eb211c80319c");
            let run = tracing::info_span!(
                parent: &command, "run", source = "crm", stream = "notes", run_id = "01J", status = empty
            );
            run.record("status", "failed");
            run.in_scope(|| tracing::warn!(stream = "tasks", "slow"));
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap();
        for (name, expected) in [
            ("command", "sync"),
            ("tenant", "north"),
            ("source", "crm"),
            ("run_id", "01J"),
            // What the line itself says goes before.
            ("stream", "tasks"),
            ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
            (
                GOOGLE_TRACE,
                "projects/shop/traces/0af7651916cd43dd8448eb211c80319c",
            ),
        ] {
            assert_eq!(line[name], expected, "{line}");
        }
        assert_eq!(line.get("status"), None, "{line}");
    }
}
