//! Questions about records and pairs, which statements ask of the code that every other resolve goes by: it is there as a
//! module of WebAssembly, in a function in JavaScript.
//!
//! The module travels as a value with each statement: code that stands in a statement may have 32 KB only, and a file of it
//! would have to lie in a bucket.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use salesync_core::error::Result;

use super::BigQuerySets;

/// What `scripts/wasm.sh` makes of the crate `salesync-wasm`.
static MODULE: &[u8] = include_bytes!("salesync.wasm");

static MODULE_TEXT: LazyLock<String> = LazyLock::new(|| STANDARD.encode(MODULE));

/// What holds the module. It stands in one line, as statements end with one.
static JAVASCRIPT: LazyLock<String> = LazyLock::new(|| {
    let lines: Vec<&str> = include_str!("engine.js").lines().map(str::trim).collect();
    lines.join(" ")
});

/// A question has so many lines, more or less.
pub(super) const BATCH: i64 = 2_000;

/// A statement asks so many questions at least, and no more than the hundredth part of all where that is more: a statement
/// that fails is not all of the work, and there are not many thousand of them.
const LEAST_BATCHES: i64 = 100;

/// What is asked.
#[derive(Debug)]
pub(super) struct Questions<'a> {
    /// How each question begins.
    pub(super) head: &'a str,
    /// The name of what is asked.
    pub(super) what: &'static str,
    /// The relation of the lines of all questions: batch and line.
    pub(super) asking: String,
    /// The relation of the records that they are about: batch and record.
    pub(super) needing: String,
    /// The relation of what a question gives of each record.
    pub(super) ready: String,
    /// How many batches there are.
    pub(super) batches: i64,
}

impl BigQuerySets {
    /// Asks questions, and returns the table of the lines that were answered.
    pub(super) async fn ask(&self, questions: &Questions<'_>) -> Result<String> {
        const OPERATION: &str = "ask questions";
        let answers = self.new_table("answers");
        self.statement("CREATE TABLE {answers} (line STRING)")
            .table("answers", &answers)
            .run(OPERATION)
            .await?;
        let step = LEAST_BATCHES.max(questions.batches / LEAST_BATCHES);
        let mut begins = 0;
        while begins < questions.batches {
            let ends = begins.saturating_add(step);
            self.statement(include_str!("sql/ask.sql"))
                .table("answers", &answers)
                .table("javascript", JAVASCRIPT.as_str())
                .table("asking", &questions.asking)
                .table("needing", &questions.needing)
                .table("ready", &questions.ready)
                .text("module", &MODULE_TEXT)
                .text("head", questions.head)
                .text("what", questions.what)
                .int("begins", begins)
                .int("ends", ends)
                .run(OPERATION)
                .await?;
            begins = ends;
        }
        Ok(answers)
    }
}
