//! `salesync join`, `split` and `overrides`: what people decide about records.

use clap::{Args, Subcommand};
use salesync_core::command::{Command, Decision, Ruling, Takes};
use salesync_core::error::Result;
use salesync_core::publish::Decided;
use salesync_core::resolve::EntityKind;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::Scan;

use super::args::KindWord;
use crate::context::Context;
use crate::report::{self, Output};

/// The words of `join`.
#[derive(Debug, Args)]
pub(crate) struct JoinWords {
    /// Entities or records: an entity's id (per_… or com_…), a record as source/stream/id, or a record's id
    /// alone where only one has it.
    #[arg(required = true, num_args = 2.., value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    common: DecisionWords,
}

/// The words of `split`.
#[derive(Debug, Args)]
pub(crate) struct SplitWords {
    /// The records that leave their entity, together; with --from also entities.
    #[arg(required = true, num_args = 1.., value_name = "ID")]
    ids: Vec<String>,
    /// Keep them apart from these entities or records instead of from the rest of their entity.
    #[arg(long, num_args = 1.., value_name = "ID")]
    from: Vec<String>,
    #[command(flatten)]
    common: DecisionWords,
}

/// The words of `overrides`.
#[derive(Debug, Subcommand)]
pub(crate) enum OverridesWords {
    /// List what people decided and what still holds, the newest first.
    List {
        /// At most so many pairs of records.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u64,
    },
    /// Take back every decision about these entities or records: the evidence decides again.
    Withdraw {
        /// Entities or records.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        common: DecisionWords,
    },
}

/// What every decision can say.
#[derive(Debug, Args)]
pub(crate) struct DecisionWords {
    /// Why; kept with the decision.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who decides.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    by: String,
    /// Whether people or companies are meant, where a record stands for both.
    #[arg(long, value_enum)]
    kind: Option<KindWord>,
    /// Only write the decision down: it shows with the next resolve.
    #[arg(long)]
    later: bool,
}

impl From<JoinWords> for Command {
    fn from(words: JoinWords) -> Self {
        words.common.decision(Ruling::Join, words.ids, Vec::new())
    }
}

impl From<SplitWords> for Command {
    fn from(words: SplitWords) -> Self {
        words.common.decision(Ruling::Split, words.ids, words.from)
    }
}

impl DecisionWords {
    /// Returns the decision about these ids.
    pub(super) fn decision(self, ruling: Ruling, ids: Vec<String>, from: Vec<String>) -> Command {
        Command::Decide(Decision {
            ruling,
            ids,
            from,
            kind: self.kind.map(EntityKind::from),
            by: self.by,
            reason: self.reason,
            takes: if self.later { Takes::Later } else { Takes::Now },
        })
    }
}

/// Writes what a decision changed.
pub(super) fn tell(decided: &Decided, shows_now: bool) {
    let Decided {
        always,
        never,
        withdrawn,
    } = decided;
    let told = [
        (*always, "always one from now on"),
        (*never, "never one from now on"),
        (*withdrawn, "for the evidence to decide again"),
    ];
    let told: Vec<String> = told
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if told.is_empty() {
        report::line("nothing new was written down: that holds already");
        return;
    }
    report::line(&format!("pairs of records: {}", told.join(", ")));
    if !shows_now {
        report::line("it shows with the next `salesync resolve`");
    }
}

/// Lists what holds.
pub(super) async fn list(cx: &Context, limit: u64, output: Output) -> Result<u8> {
    let scan = Scan {
        newest_by: Some(SqlIdentifier::parse("decided_at")?),
        limit: Some(limit),
        ..Scan::of(SqlIdentifier::parse("match_overrides")?)
    };
    let found = cx.stores().await?.warehouse.scan(&scan).await?;
    if output == Output::Text && found.iter().all(|batch| batch.num_rows() == 0) {
        report::line("nobody has decided anything");
        return Ok(0);
    }
    let columns = [
        "rule",
        "kind",
        "left_source",
        "left_stream",
        "left_id",
        "right_source",
        "right_stream",
        "right_id",
        "decided_by",
        "decided_at",
        "reason",
    ];
    report::scanned(&found, &columns, output)?;
    Ok(0)
}
