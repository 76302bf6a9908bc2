//! What the warehouse says about runs and freshness, and other short answers.

use salesync_core::dead_letter::LetterState;
use salesync_core::error::Result;
use salesync_core::publish::Resolved;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Filter, Scan};
use serde_json::json;

use crate::context::Context;
use crate::handle::Checked;
use crate::report::{self, Output};

pub(super) async fn runs(
    cx: &Context,
    limit: u64,
    source: Option<String>,
    output: Output,
) -> Result<u8> {
    let filter = match source {
        None => Filter::All,
        Some(source) => {
            let source = cx
                .select(&source)?
                .first()
                .map_or(source, |found| found.name.to_owned());
            Filter::Equal(vec![(SqlIdentifier::parse("source")?, source)])
        }
    };
    let scan = Scan {
        filter,
        newest_by: Some(SqlIdentifier::parse("started_at")?),
        limit: Some(limit),
        ..Scan::of(SqlIdentifier::parse("etl_runs")?)
    };
    let found = cx.stores().await?.warehouse.scan(&scan).await?;
    let columns = [
        "started_at",
        "source",
        "stream",
        "mode",
        "status",
        "code",
        "fetched",
        "new",
        "changed",
        "rejected",
        "requests",
        "run_id",
    ];
    report::scanned(&found, &columns, output)?;
    Ok(0)
}

pub(super) async fn status(cx: &Context, output: Output) -> Result<u8> {
    let warehouse = cx.stores().await?.warehouse;
    let fresh = warehouse
        .scan(&Scan::of(SqlIdentifier::parse("data_freshness")?))
        .await?;
    let mut waiting = 0;
    for state in [LetterState::Open, LetterState::Forwarded] {
        let state = state.as_str().to_owned();
        let scan = Scan {
            columns: vec![SqlIdentifier::parse("dead_id")?],
            filter: Filter::Equal(vec![(SqlIdentifier::parse("state")?, state)]),
            ..Scan::of(SqlIdentifier::parse("dead_letters")?)
        };
        let found = warehouse.scan(&scan).await?;
        waiting += found.iter().map(|batch| batch.num_rows()).sum::<usize>();
    }
    let streams = report::documents(&fresh)?;
    match output {
        Output::Json => report::line(
            &json!({"warehouse": warehouse.describe(), "streams": streams, "open_dead_letters": waiting}).to_string(),
        ),
        Output::Text => {
            report::line(&format!("warehouse: {}", warehouse.describe()));
            if streams.is_empty() {
                report::line("nothing was synced yet: try `salesync demo`, or `salesync sync all`");
            } else {
                let columns = ["source", "stream", "complete_to", "last_succeeded_at", "last_status", "last_code"];
                report::scanned(&fresh, &columns, output)?;
            }
            report::line(&format!("open dead letters: {waiting}"));
        }
    }
    Ok(0)
}

pub(super) fn settings(cx: &Context) {
    let rows = cx
        .settings
        .shown()
        .into_iter()
        .map(|(name, value, meaning)| vec![name, value, meaning.to_owned()]);
    report::table(&["setting", "value", "what it is"], rows.collect());
    let secrets: Vec<String> = cx
        .sources
        .iter()
        .map(|source| crate::settings::secret_name(source.name))
        .filter(|name| cx.settings.given(name).is_some())
        .collect();
    let secrets = if secrets.is_empty() {
        "none".to_owned()
    } else {
        secrets.join(", ")
    };
    report::line(&format!("secrets given as settings: {secrets}\n"));
}

pub(super) fn checked(checked: &[Checked]) {
    let rows = checked.iter().map(|check| {
        let answer = if check.ok { "ok" } else { "refused" };
        vec![
            check.source.to_owned(),
            answer.to_owned(),
            check.message.clone().unwrap_or_default(),
        ]
    });
    report::table(&["source", "credentials", ""], rows.collect());
}

pub(crate) fn resolved(resolved: &Resolved) {
    let compared = format!(
        "{} pairs compared, {} unions refused",
        resolved.pairs_compared, resolved.refused
    );
    report::line(&match resolved.changed {
        None => format!(
            "{} records are {} people and {} companies ({compared})",
            resolved.records, resolved.people, resolved.companies
        ),
        Some(changed) => format!(
            "{changed} records changed; with those that they touch {} were resolved ({compared}); there are {} people and {} companies",
            resolved.records, resolved.people, resolved.companies
        ),
    });
    report::line(&format!(
        "since the last resolve: {} created, {} merged, {} split",
        resolved.created, resolved.merged, resolved.split
    ));
    report::line(&format!(
        "{} interactions with them: mails, calls, meetings, notes, tasks and texts",
        resolved.interactions
    ));
    report::line(&format!("{} deals with them", resolved.deals));
    if resolved.to_review > 0 {
        report::line(&format!(
            "{} pairs of entities might be one: see match_review, and decide with `salesync join` or `salesync split`",
            resolved.to_review
        ));
    }
    if resolved.contradicting_overrides > 0 {
        report::note(&format!(
            "{} decisions to join records were passed over: others say that these are two (see `salesync overrides list`)",
            resolved.contradicting_overrides
        ));
    }
}
