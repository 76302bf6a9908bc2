//! `salesync why`: what is behind an entity, drawn for a terminal.

use clap::Args;
use salesync_core::error::Result;
use salesync_core::publish::{Why, WhyEvent, WhyPair, why};
use salesync_core::resolve::{EntityKind, Rule};
use serde_json::json;

use super::args::KindWord;
use crate::context::Context;
use crate::report::{self, Output};

/// The words of `why`.
#[derive(Debug, Args)]
pub(crate) struct WhyWords {
    /// An entity's id (per_… or com_…), a record as source/stream/id, or a record's id alone where only one has it.
    /// Of two, what is between them.
    #[arg(required = true, num_args = 1..=2, value_name = "ID")]
    ids: Vec<String>,
    /// Whether the person or the company is meant, where a record stands for both.
    #[arg(long, value_enum)]
    kind: Option<KindWord>,
    /// Show at most so many pairs of each sort.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

pub(super) async fn run(cx: &Context, words: WhyWords, output: Output) -> Result<u8> {
    let warehouse = cx.stores().await?.warehouse;
    let kind = words.kind.map(EntityKind::from);
    let found = why(warehouse.as_ref(), &cx.sources, (&words.ids, kind)).await?;
    match output {
        Output::Json => report::line(&json!(found).to_string()),
        Output::Text => draw(&found, words.limit, words.ids.len() == 2),
    }
    Ok(0)
}

/// What of a golden record stands in the head.
const HEAD: [&str; 10] = [
    "full_name",
    "name",
    "email",
    "title",
    "company",
    "domain",
    "city",
    "country",
    "first_seen",
    "last_seen",
];

fn draw(why: &Why, limit: usize, are_two: bool) {
    report::line(&format!("{} {}", why.kind.as_str(), why.entity_id));
    let filled = HEAD
        .iter()
        .filter_map(|field| Some((field, why.golden.get(*field)?)));
    for (field, value) in filled {
        report::line(&format!("  {field:<11} {value}"));
    }
    if let Some(confidence) = why.golden.get("confidence") {
        report::line(&format!(
            "  {:<11} {confidence:.5} for its weakest tie",
            "confidence"
        ));
    }
    let mut entity = None;
    for record in &why.records {
        if entity != Some(&record.entity_id) {
            entity = Some(&record.entity_id);
            report::line(&format!("\nrecords of {}:", record.entity_id));
        }
        report::line(&format!("  {} ({:.3})", record.record, record.confidence));
        for (field, value) in &record.says {
            report::line(&format!("    {field:<13} {value}"));
        }
    }
    let title = if are_two {
        "between the two"
    } else {
        "what holds them together"
    };
    pairs(title, &why.pairs, limit);
    if are_two && why.pairs.is_empty() {
        report::line(
            "\nthey have no value in common under which records meet, or too little speaks for it",
        );
    }
    pairs("what nearly belongs to it", &why.nearly, limit);
    if !why.overrides.is_empty() {
        report::line("\ndecided by people:");
        for it in &why.overrides {
            let sign = if it.rule == Rule::Always { "=" } else { "≠" };
            report::line(&format!(
                "  {:<6} {} {sign} {}",
                it.rule.as_str(),
                it.left,
                it.right
            ));
        }
    }
    if !why.history.is_empty() {
        report::line("\nhistory:");
        for WhyEvent {
            at,
            event,
            other_id,
        } in &why.history
        {
            let other = other_id.as_deref().unwrap_or_default();
            report::line(format!("  {at}  {event} {other}").trim_end());
        }
    }
}

fn pairs(title: &str, pairs: &[WhyPair], limit: usize) {
    if pairs.is_empty() {
        return;
    }
    let s = if pairs.len() == 1 { "" } else { "s" };
    report::line(&format!("\n{title}: {} pair{s}", pairs.len()));
    for pair in pairs.iter().take(limit) {
        let is_one = matches!(pair.outcome.as_str(), "joined" | "confirmed");
        let sign = if is_one { "=" } else { "≠" };
        report::line(&format!("  {} {sign} {}", pair.left, pair.right));
        let [left, right] = &pair.entities;
        if left != right {
            report::line(&format!("    entities      {left}, {right}"));
        }
        report::line(&format!(
            "    {:<13} probability {:.3}, {:+.1} bits; met by {}",
            pair.outcome, pair.probability, pair.weight_bits, pair.met_by
        ));
        report::line(&format!("    {:<13} {:+6.1}", "before", pair.prior_bits));
        for field in &pair.fields {
            let block = if field.bits < 0.0 { "░" } else { "█" };
            let bar = block.repeat(blocks(field.bits));
            report::line(
                format!(
                    "    {:<13} {:+6.1}  {:<14} {bar}",
                    field.field, field.bits, field.level
                )
                .trim_end(),
            );
        }
        report::line(&format!("    otherwise     {}", pair.would_change));
    }
    if pairs.len() > limit {
        report::line(&format!(
            "  and {} more: --limit {}",
            pairs.len() - limit,
            pairs.len()
        ));
    }
}

/// Returns how long the bar for so many bits is: one block for each, 24 at most.
fn blocks(bits: f64) -> usize {
    (1u8..=24)
        .take_while(|block| f64::from(*block) <= bits.abs())
        .count()
}
