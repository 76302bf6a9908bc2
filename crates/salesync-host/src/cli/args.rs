//! The words of the command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use salesync_core::command::{Command, Resolve};
#[cfg(feature = "duckdb")]
use salesync_core::normalise::country;
use salesync_core::resolve::EntityKind;

use super::decisions::{JoinWords, OverridesWords, SplitWords};
use super::why::WhyWords;
use crate::demo::QuotaModel;

/// Sales data from every vendor into one warehouse, and people and companies out of it.
///
/// Settings come from the environment or from salesync.toml in this folder; `salesync check` shows
/// them all. Start with `salesync demo`: it needs no account.
///
/// Exit codes: 0 all is well; 2 the command was wrong; 75 the next run may heal it; 78 a person must
/// decide (settings, a revoked login, a schema).
#[derive(Debug, Parser)]
#[command(name = "salesync", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Print one JSON document on stdout instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) words: Words,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Words {
    /// Sync invented vendors on this machine, resolve, and show people and companies; no account needed.
    Demo {
        /// About how many records the vendors hold together.
        #[arg(long, default_value_t = 2_000)]
        records: usize,
        /// Keep the file (or, in BigQuery, the dataset) of an earlier demo and add to it.
        #[arg(long)]
        keep: bool,
    },
    /// Only serve the invented vendors, until Ctrl-C.
    Sandbox(SandboxWords),
    /// Read what changed at a source into the warehouse.
    ///
    /// The first sync reads everything; each later one goes on where the last ended, whatever ended it.
    /// A record that can't be read is set aside whole (see `salesync dlq`); the rest arrives.
    Sync(SyncWords),
    /// Make people and companies out of the records in the warehouse.
    ///
    /// Only what changed since the last time is resolved, with what it touches; all of it where that is little anyway,
    /// or where much changed.
    Resolve(ResolveWords),
    /// Serve HTTP, until Ctrl-C: syncs, resolves and redrives on request, and shows runs and dead letters.
    ///
    /// Without a trigger setting (`salesync check` shows them) only this machine may ask.
    Serve(ServeWords),
    /// Make people and companies out of any file.
    ///
    /// Columns are guessed by their names; --map corrects the guess. Writes record_id, entity_id and
    /// confidence, one row per row of the file.
    #[cfg(feature = "duckdb")]
    Match(MatchWords),
    /// Show why a person or company is what it is: records, fields, weights, and what would have changed the answer.
    Why(WhyWords),
    /// Decide that entities or records are one person or company, whatever later records say.
    Join(JoinWords),
    /// Decide that records are not of the entity that they are in, or that entities are two, for good.
    Split(SplitWords),
    /// What people decided with join and split: list it, or take it back.
    Overrides {
        #[command(subcommand)]
        words: OverridesWords,
    },
    /// Show the last runs.
    Runs {
        /// How many.
        #[arg(long, default_value_t = 20)]
        limit: u64,
        /// Only runs of this source.
        #[arg(long)]
        source: Option<String>,
    },
    /// Show how fresh each stream is, and what waits for somebody.
    Status,
    /// Show the settings and prove the credentials with one cheap call per source.
    Check {
        /// The source, or all.
        #[arg(default_value = "all")]
        source: String,
    },
    /// Records that were set aside: look at them, send them through again, or discard them.
    Dlq {
        #[command(subcommand)]
        words: DlqWords,
    },
    /// Print the completions of a shell: salesync completions bash > ~/.local/share/bash-completion/completions/salesync
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The words of `sandbox`.
#[derive(Debug, Args)]
pub(crate) struct SandboxWords {
    /// The port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 8_090)]
    pub(crate) port: u16,
    /// About how many records the vendors hold together.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) records: usize,
    /// Refuse what is more than the vendors permit, and show at the end how their limits were used.
    #[arg(long)]
    pub(crate) limits: bool,
    /// Answer so many milliseconds later.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(crate) latency: u64,
    /// Tell one request in so many to come back in two seconds.
    #[arg(long, value_name = "N")]
    pub(crate) disturb: Option<u64>,
    /// Put so many different messages into the mailboxes. [default: half of the records, at most 20,000]
    #[arg(long, value_name = "N")]
    pub(crate) messages: Option<usize>,
    /// Write whom each record is about: one JSON document per line, with source, stream, record_id, entity_id.
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Which model of quota units holds, where a vendor has one for old projects and one for new ones.
    #[arg(long, value_enum, default_value_t = QuotaModel::Legacy)]
    pub(crate) quota_model: QuotaModel,
}

/// The words of `sync`.
#[derive(Debug, Args)]
pub(crate) struct SyncWords {
    /// The source, such as hubspot, or all.
    pub(crate) source: String,
    /// Read everything from nothing, beside the scheduled syncs, and mark what is gone.
    #[arg(long)]
    pub(crate) full: bool,
    /// Only these streams.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub(crate) streams: Vec<String>,
    /// Go back to this change time (2026-01-31, or RFC 3339). Where nothing was synced yet, reading begins
    /// there, and only a full sync brings what is older.
    #[arg(long, value_name = "DATE", conflicts_with = "full")]
    pub(crate) since: Option<String>,
    /// Read and count, but write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Mark all rows that a full sync did not find, even if they are very many.
    #[arg(long, requires = "full")]
    pub(crate) confirm_absent: bool,
}

/// The words of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeWords {
    /// The port; 0 takes any that is free.
    #[arg(long, default_value_t = 8_080)]
    pub(crate) port: u16,
    /// The address to listen at; one that other machines can reach needs a trigger setting.
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub(crate) address: IpAddr,
}

/// The words of `match`.
#[cfg(feature = "duckdb")]
#[derive(Debug, Args)]
pub(crate) struct MatchWords {
    /// The file: CSV, TSV, NDJSON or Parquet, by its ending (.csv.gz and the like are read too).
    pub(crate) file: PathBuf,
    /// Where the answer goes.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// What all rows are about; without it each row is judged by its columns.
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindWord>,
    /// What a column means, as FIELD=COLUMN (such as last_name=Nachname); may be repeated.
    #[arg(long, value_name = "FIELD=COLUMN")]
    pub(crate) map: Vec<String>,
    /// The country of phone numbers on rows that name none, as a name or a code.
    #[arg(long, value_parser = country_code)]
    pub(crate) country: Option<String>,
    /// Also write a page of HTML that shows how good the answer is: scores, sizes, the weakest, sample pairs.
    /// It holds values of the records.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// How the answer is written; without it the ending of --out decides.
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatWord>,
}

/// Reads a country, by name or code, as a code.
#[cfg(feature = "duckdb")]
fn country_code(word: &str) -> Result<String, &'static str> {
    let found = country::normalise(word).map(str::to_owned);
    found.ok_or("no country's name or code is spelt so")
}

/// What rows are about.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum KindWord {
    /// People.
    Person,
    /// Companies.
    Company,
}

impl From<KindWord> for EntityKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Person => Self::Person,
            KindWord::Company => Self::Company,
        }
    }
}

/// How a file is written.
#[cfg(feature = "duckdb")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatWord {
    /// Comma-separated values.
    Csv,
    /// One JSON document per line.
    Ndjson,
    /// Parquet.
    Parquet,
}

/// The words of `dlq`.
#[derive(Debug, Subcommand)]
pub(crate) enum DlqWords {
    /// List the letters, the newest first.
    List {
        /// Only letters of this source.
        #[arg(long)]
        source: Option<String>,
        /// Only letters in this state: open, forwarded, redriven, parked or discarded.
        #[arg(long, default_value = "open")]
        state: String,
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// Show one letter whole, with the record as the source sent it.
    Show {
        /// The letter's id, or the beginning of it.
        id: String,
    },
    /// Send open letters through again.
    Redrive {
        /// The letters' ids, or the beginnings of them; none means all that are open. One that is named may be parked.
        ids: Vec<String>,
        /// Only letters of this source.
        #[arg(long)]
        source: Option<String>,
    },
    /// Discard letters: nobody needs them.
    Discard {
        /// The letters' ids, or the beginnings of them.
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// The words of `resolve`.
#[derive(Debug, Args)]
pub(crate) struct ResolveWords {
    /// Resolve all records, and learn anew what evidence is worth.
    #[arg(long)]
    pub(crate) full: bool,
    /// Resolve all records, and let the warehouse do itself what is about all of them, so that they need not fit into
    /// memory here: with BigQuery only, for many millions of records.
    #[arg(long)]
    pub(crate) in_warehouse: bool,
}

impl From<ResolveWords> for Command {
    fn from(words: ResolveWords) -> Self {
        Self::Resolve(Resolve {
            full: words.full,
            in_warehouse: words.in_warehouse,
        })
    }
}
