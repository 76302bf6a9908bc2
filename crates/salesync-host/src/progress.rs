//! Progress on a terminal: a line per stream with records, rate and how far the window is.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use salesync_core::sync::{Observation, Observer};

/// Returns an observer that draws on stderr where that is a terminal, and says nothing elsewhere.
pub(crate) fn observer() -> Observer {
    if !std::io::stderr().is_terminal() {
        return Arc::new(|_: &Observation| {});
    }
    let bars = Bars {
        all: MultiProgress::new(),
        by_stream: Mutex::new(HashMap::new()),
    };
    Arc::new(move |seen: &Observation| bars.show(seen))
}

struct Bars {
    all: MultiProgress,
    by_stream: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    fn show(&self, seen: &Observation) {
        let name = format!("{}.{}", seen.source, seen.stream);
        let mut by_stream = self
            .by_stream
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let bar = by_stream
            .entry(name.clone())
            .or_insert_with(|| self.start(name));
        bar.set_position(seen.fetched);
        let window = match seen.expected {
            Some(expected) if expected > 0 => {
                format!("window {} %", seen.delivered.saturating_mul(100) / expected)
            }
            _ => String::new(),
        };
        bar.set_message(format!("{:>8.0}/s  {window}", bar.per_sec()));
        if seen.done {
            bar.finish_and_clear();
        }
    }

    fn start(&self, name: String) -> ProgressBar {
        let bar = self.all.add(ProgressBar::no_length());
        let template = "{prefix:<28} {human_pos:>12} records  {elapsed:>5}  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name);
        bar
    }
}

/// A line that counts records, drawn on stderr where that is a terminal.
#[cfg(feature = "duckdb")]
pub(crate) struct Counter(ProgressBar);

#[cfg(feature = "duckdb")]
impl Counter {
    /// Starts a line that says what is done with the records.
    pub(crate) fn start(doing: &'static str) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{msg} {human_pos} records  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(doing);
        Self(bar)
    }

    /// Says how many records there are beside those before.
    pub(crate) fn add(&self, records: usize) {
        self.0.inc(u64::try_from(records).unwrap_or(u64::MAX));
    }

    /// Says what else is now done with the records.
    pub(crate) fn turn(&self, doing: &'static str) {
        self.0.set_message(doing);
        self.0.enable_steady_tick(std::time::Duration::from_secs(1));
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
