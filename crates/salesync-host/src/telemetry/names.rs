//! The names of all metrics, with what each means and the labels that it has. Alerts and dashboards rely on them.

/// A metric.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// As UCUM has it: seconds are `s`, bytes `By`, shares `1`.
    pub(super) unit: &'static str,
    pub(super) meaning: &'static str,
    pub(super) labels: &'static [&'static str],
}

/// How a metric is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only rises.
    Counter,
    /// It has a value at a time.
    Gauge,
    /// It counts by size.
    Histogram,
}

impl Kind {
    /// Returns the kind as Prometheus has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

pub(super) const SOURCE: &str = "source";
pub(super) const STREAM: &str = "stream";
pub(super) const OUTCOME: &str = "outcome";
pub(super) const DISPOSITION: &str = "disposition";
pub(super) const CLASS: &str = "class";
pub(super) const STATUS: &str = "status";
pub(super) const TARGET: &str = "target";
pub(super) const KIND: &str = "kind";

pub(super) const RUNS: Metric = Metric {
    name: "sync_runs_total",
    kind: Kind::Counter,
    unit: "{run}",
    meaning: "Runs of streams, by how they ended",
    labels: &[SOURCE, OUTCOME],
};
pub(super) const RUN_DURATION: Metric = Metric {
    name: "sync_run_duration_seconds",
    kind: Kind::Histogram,
    unit: "s",
    meaning: "How long runs of streams took",
    labels: &[SOURCE],
};
pub(super) const RECORDS: Metric = Metric {
    name: "sync_records_total",
    kind: Kind::Counter,
    unit: "{record}",
    meaning: "Records, by what became of them",
    labels: &[STREAM, DISPOSITION],
};
pub(super) const LAG: Metric = Metric {
    name: "sync_lag_seconds",
    kind: Kind::Gauge,
    unit: "s",
    meaning: "How long ago the time is up to which nothing is missing",
    labels: &[STREAM],
};
pub(super) const GAP: Metric = Metric {
    name: "ledger_gap_records",
    kind: Kind::Gauge,
    unit: "{record}",
    meaning: "Records that the source counted and that did not arrive in the last run",
    labels: &[STREAM],
};
pub(super) const CALLS: Metric = Metric {
    name: "api_calls_total",
    kind: Kind::Counter,
    unit: "{call}",
    meaning: "Calls of APIs, by the status of the answer or the code of the failure",
    labels: &[SOURCE, CLASS, STATUS],
};
pub(super) const CALL_DURATION: Metric = Metric {
    name: "api_call_duration_seconds",
    kind: Kind::Histogram,
    unit: "s",
    meaning: "How long calls of APIs took, from sending to the end of the answer",
    labels: &[SOURCE, CLASS],
};
pub(super) const QUOTA_USED: Metric = Metric {
    name: "api_quota_used_ratio",
    kind: Kind::Gauge,
    unit: "1",
    meaning: "The share of its quota that a source says is used",
    labels: &[SOURCE],
};
pub(super) const LIMIT_WAIT: Metric = Metric {
    name: "rate_limit_wait_seconds_total",
    kind: Kind::Counter,
    unit: "s",
    meaning: "Time that runs waited for the limits of sources",
    labels: &[],
};
pub(super) const RETRIES: Metric = Metric {
    name: "retries_total",
    kind: Kind::Counter,
    unit: "{call}",
    meaning: "Calls of APIs that were sent again",
    labels: &[CLASS],
};
pub(super) const CIRCUIT: Metric = Metric {
    name: "circuit_state",
    kind: Kind::Gauge,
    unit: "1",
    meaning: "Whether an API is still asked: 0 yes, 1 no, since it failed too often",
    labels: &[TARGET],
};
pub(super) const LETTERS: Metric = Metric {
    name: "dlq_depth",
    kind: Kind::Gauge,
    unit: "{record}",
    meaning: "Dead letters that wait, open or forwarded",
    labels: &[],
};
pub(super) const OLDEST_LETTER: Metric = Metric {
    name: "dlq_oldest_age_seconds",
    kind: Kind::Gauge,
    unit: "s",
    meaning: "How long the oldest of them has waited, 0 where there is none",
    labels: &[],
};
pub(super) const QUERY_DURATION: Metric = Metric {
    name: "bigquery_query_duration_seconds",
    kind: Kind::Histogram,
    unit: "s",
    meaning: "How long queries and commits took in BigQuery",
    labels: &[],
};
pub(super) const BYTES_BILLED: Metric = Metric {
    name: "bigquery_bytes_billed_total",
    kind: Kind::Counter,
    unit: "By",
    meaning: "Bytes that BigQuery bills for commits",
    labels: &[],
};
pub(super) const MATCH_RATE: Metric = Metric {
    name: "entity_match_rate",
    kind: Kind::Gauge,
    unit: "1",
    meaning: "The share of records that were found to be one with another, after the last resolve",
    labels: &[KIND],
};

/// All of them.
pub(super) const ALL: [&Metric; 16] = [
    &RUNS,
    &RUN_DURATION,
    &RECORDS,
    &LAG,
    &GAP,
    &CALLS,
    &CALL_DURATION,
    &QUOTA_USED,
    &LIMIT_WAIT,
    &RETRIES,
    &CIRCUIT,
    &LETTERS,
    &OLDEST_LETTER,
    &QUERY_DURATION,
    &BYTES_BILLED,
    &MATCH_RATE,
];
