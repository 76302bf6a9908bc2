//! What this process has done, as Prometheus reads it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use salesync_core::run::Run;

use crate::handle::Report;

/// How syncs ended: by source and outcome.
const RUNS: &str = "sync_runs_total";
/// What became of records: by stream and disposition.
const RECORDS: &str = "sync_records_total";
/// How long runs took: by source.
const TOOK: &str = "sync_run_duration_seconds";
/// How long was waited for sources' limits.
const WAITED: &str = "rate_limit_wait_seconds_total";

/// Counts since the start.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    runs: BTreeMap<(String, &'static str), u64>,
    records: BTreeMap<(String, &'static str), u64>,
    /// Milliseconds and runs.
    took: BTreeMap<String, (u64, u64)>,
    waited_ms: u64,
}

impl Counters {
    /// Counts what a command has done.
    pub(super) fn note(&self, report: &Report) {
        let Report::Synced { runs, .. } = report else {
            return;
        };
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for run in runs {
            counted.add(run);
        }
    }

    /// Returns all counts in the text format.
    pub(super) fn text(&self) -> String {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        head(&mut text, RUNS, "counter", "Runs of streams");
        for ((source, outcome), count) in &counted.runs {
            line(
                &mut text,
                &format!("{RUNS}{{source=\"{source}\",outcome=\"{outcome}\"}} {count}"),
            );
        }
        head(
            &mut text,
            RECORDS,
            "counter",
            "Records by what became of them",
        );
        for ((stream, disposition), count) in &counted.records {
            line(
                &mut text,
                &format!("{RECORDS}{{stream=\"{stream}\",disposition=\"{disposition}\"}} {count}"),
            );
        }
        head(&mut text, TOOK, "summary", "How long runs of streams took");
        for (source, (took_ms, count)) in &counted.took {
            let took = seconds(*took_ms);
            line(
                &mut text,
                &format!("{TOOK}_sum{{source=\"{source}\"}} {took}"),
            );
            line(
                &mut text,
                &format!("{TOOK}_count{{source=\"{source}\"}} {count}"),
            );
        }
        head(
            &mut text,
            WAITED,
            "counter",
            "Time waited for sources' limits",
        );
        let waited = seconds(counted.waited_ms);
        line(&mut text, &format!("{WAITED} {waited}"));
        text
    }
}

impl Counted {
    fn add(&mut self, run: &Run) {
        let ended = (run.source.clone(), run.status.as_str());
        *self.runs.entry(ended).or_default() += 1;
        let counts = &run.counts;
        let dispositions = [
            ("new", counts.new),
            ("changed", counts.changed),
            ("unchanged", counts.unchanged),
            ("older_ignored", counts.older_ignored),
            ("duplicate", counts.duplicate),
            ("tombstoned", counts.tombstoned),
            ("rejected", counts.rejected),
        ];
        let stream = format!("{}_{}", run.source, run.stream);
        for (disposition, count) in dispositions {
            *self
                .records
                .entry((stream.clone(), disposition))
                .or_default() += count;
        }
        let (took_ms, runs) = self.took.entry(run.source.clone()).or_default();
        *took_ms += run.took_ms.unwrap_or_default();
        *runs += 1;
        self.waited_ms += run.traffic.waited_ms;
    }
}

/// Writes milliseconds as seconds, exactly.
fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    line(text, &format!("# HELP {name} {help}"));
    line(text, &format!("# TYPE {name} {kind}"));
}

fn line(text: &mut String, words: &str) {
    text.push_str(words);
    text.push('\n');
}
