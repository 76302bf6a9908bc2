//! What callers are told: counts, codes and fixed texts, never a record, an address or a cursor.

use salesync_core::error::{Class, Code, Error};
use salesync_core::run::{Counts, Run, RunStatus, Traffic};
use salesync_core::time::{Timestamp, rfc3339};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::handle::Report;

/// A run, without the names of its parts (they are addresses) and without its cursors (they hold values of records).
#[derive(Debug, Serialize)]
struct RunShown<'a> {
    run_id: &'a str,
    source: &'a str,
    stream: &'a str,
    mode: &'a str,
    #[serde(serialize_with = "rfc3339::serialize")]
    started_at: Timestamp,
    took_ms: Option<u64>,
    status: RunStatus,
    code: Option<&'a str>,
    /// Parts that were not read to their end.
    parts_left: usize,
    pages: u64,
    #[serde(flatten)]
    traffic: &'a Traffic,
    #[serde(flatten)]
    counts: &'a Counts,
    adapters: &'a str,
}

impl<'a> From<&'a Run> for RunShown<'a> {
    fn from(run: &'a Run) -> Self {
        Self {
            run_id: run.run_id.as_str(),
            source: &run.source,
            stream: &run.stream,
            mode: &run.mode,
            started_at: run.started_at,
            took_ms: run.took_ms,
            status: run.status,
            code: run.code.as_deref(),
            parts_left: run.parts.len(),
            pages: run.pages,
            traffic: &run.traffic,
            counts: &run.counts,
            adapters: &run.adapters,
        }
    }
}

/// Returns a report as callers see it.
pub(super) fn document(report: &Report) -> Value {
    match report {
        Report::Synced {
            runs,
            not_configured,
            continued,
        } => {
            let runs: Vec<RunShown<'_>> = runs.iter().map(RunShown::from).collect();
            json!({"runs": runs, "not_configured": not_configured, "continued": continued})
        }
        Report::Checked {
            checks,
            not_configured,
        } => {
            let checks = checks
                .iter()
                .map(|check| json!({"source": check.source, "ok": check.ok, "code": check.code}));
            json!({"checks": checks.collect::<Vec<_>>(), "not_configured": not_configured})
        }
        Report::Resolved(_) | Report::Decided { .. } | Report::Redriven(_) => json!(report),
    }
}

/// Returns the worst that a report holds, none where all is well: what a person must decide before what the next run
/// heals, and of those the larger status.
pub(super) fn worst(report: &Report) -> Option<Code> {
    let codes: Vec<Code> = match report {
        Report::Synced { runs, .. } => {
            let bad = runs
                .iter()
                .filter(|run| !matches!(run.status, RunStatus::Succeeded | RunStatus::Skipped));
            let code = |run: &Run| run.code.as_deref().and_then(Code::parse);
            bad.map(|run| code(run).unwrap_or(Code::Internal)).collect()
        }
        Report::Checked { checks, .. } => {
            let codes = checks.iter().filter_map(|check| check.code);
            codes.filter_map(Code::parse).collect()
        }
        Report::Resolved(_) | Report::Decided { .. } | Report::Redriven(_) => Vec::new(),
    };
    codes
        .into_iter()
        .max_by_key(|code| (code.exit_code(), code.http_status()))
}

/// Returns an error as callers see it. Where the request itself was wrong it also says how.
pub(super) fn error(error: &Error) -> Value {
    let code = error.code();
    let mut shown = Map::new();
    shown.insert("code".to_owned(), code.as_str().into());
    shown.insert("message".to_owned(), code.meaning().into());
    shown.insert("remedy".to_owned(), code.remedy().into());
    shown.insert(
        "retryable".to_owned(),
        (code.class() == Class::Retry).into(),
    );
    shown.insert("docs".to_owned(), "docs/errors.md".into());
    if code == Code::RequestInvalid {
        shown.insert("detail".to_owned(), error.to_string().into());
    }
    json!({"error": shown})
}

#[cfg(test)]
mod tests {
    use salesync_core::cursor::Cursor;
    use salesync_core::run::{PartEnd, RunId};

    use super::*;

    fn run(code: Option<Code>) -> Run {
        Run {
            run_id: RunId::new(Timestamp::EPOCH),
            source: "mail".to_owned(),
            stream: "messages".to_owned(),
            mode: "incremental".to_owned(),
            started_at: Timestamp::EPOCH,
            took_ms: Some(5),
            status: code.map_or(RunStatus::Succeeded, RunStatus::because_of),
            code: code.map(|code| code.as_str().to_owned()),
            parts: vec![PartEnd {
                part: Some("canary@example.com".to_owned()),
                status: RunStatus::Partial,
                code: "ERR_RUN_DEADLINE".to_owned(),
            }],
            generation: 0,
            epoch: 1,
            cursor_from: None,
            cursor_to: Some(Cursor::between_windows(Timestamp::from_micros(4_711_815))),
            pages: 2,
            traffic: Traffic::default(),
            counts: Counts::default(),
            adapters: "memory".to_owned(),
        }
    }

    fn synced(codes: &[Option<Code>]) -> Report {
        Report::Synced {
            runs: codes.iter().copied().map(run).collect(),
            not_configured: Vec::new(),
            continued: Vec::new(),
        }
    }

    #[test]
    fn a_report_shows_neither_addresses_nor_cursors() {
        let shown = document(&synced(&[Some(Code::RunDeadline)]));
        assert_eq!(shown["runs"][0]["parts_left"], 1);
        assert_eq!(shown["runs"][0]["started_at"], "1970-01-01T00:00:00Z");
        assert_eq!(shown["runs"][0]["fetched"], 0);
        let text = shown.to_string();
        assert!(
            !text.contains("canary") && !text.contains("4711815"),
            "{text}"
        );
    }

    #[test]
    fn the_worst_end_of_a_run_is_the_reports() {
        use Code::{RunDeadline, SourceForbidden, SourceTimeout};
        let cases: [(&[Option<Code>], Option<Code>); 5] = [
            (&[], None),
            (&[None, None], None),
            (&[None, Some(RunDeadline)], Some(RunDeadline)),
            (
                &[Some(SourceTimeout), Some(RunDeadline)],
                Some(SourceTimeout),
            ),
            (
                &[Some(SourceForbidden), Some(SourceTimeout), None],
                Some(SourceForbidden),
            ),
        ];
        for (codes, expected) in cases {
            assert_eq!(worst(&synced(codes)), expected, "{codes:?}");
        }
    }

    #[test]
    fn an_error_is_a_fixed_text_and_only_a_wrong_request_hears_how() {
        let inside = Error::new(Code::StoreUnavailable, "commit").with("file", "canary");
        let shown = super::error(&inside);
        assert_eq!(shown["error"]["retryable"], true);
        assert!(!shown.to_string().contains("canary"));
        let wrong = Error::new(Code::RequestInvalid, "select a source").with("sources", "crm, all");
        let detail = super::error(&wrong)["error"]["detail"].to_string();
        assert!(detail.contains("crm, all"), "{detail}");
    }
}
