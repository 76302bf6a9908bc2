//! Questions about records and pairs, which statements ask of the code that every other resolve goes by: it is there as a
//! module of WebAssembly, in a function in JavaScript.
//!
//! The module travels as a value with each statement: code that stands in a statement may have 32 KB only, and a file of it
//! would have to lie in a bucket.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use salesync_core::error::{Code, Result};
use salesync_core::retry::{MAX_RETRIES, wait_before};
use tokio::time::sleep;

use super::BigQuerySets;

/// What `scripts/wasm.sh` makes of the crate `salesync-wasm`.
static MODULE: &[u8] = include_bytes!("salesync.wasm");

static MODULE_TEXT: LazyLock<String> = LazyLock::new(|| STANDARD.encode(MODULE));

/// What holds the module. It stands in one line, as statements end with one.
static JAVASCRIPT: LazyLock<String> = LazyLock::new(|| {
    let lines: Vec<&str> = include_str!("engine.js").lines().map(str::trim).collect();
    lines.join(" ")
});

const OPERATION: &str = "ask questions";

/// A question has so many lines, more or less.
pub(super) const BATCH: i64 = 2_000;

/// A statement asks so many questions at least.
const LEAST_BATCHES: i64 = 100;

/// All questions are asked in so many statements at most, more or less: each reads what is ready of all records.
const MOST_STATEMENTS: i64 = 20;

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
        let answers = self.new_table("answers");
        self.statement("CREATE TABLE {answers} (begins INT64, line STRING)")
            .table("answers", &answers)
            .run(OPERATION)
            .await?;
        let step = LEAST_BATCHES.max(questions.batches / MOST_STATEMENTS);
        let mut begins = 0;
        while begins < questions.batches {
            let ends = begins.saturating_add(step);
            let mut retry = 0;
            while let Err(error) = self.ask_some(questions, &answers, (begins, ends)).await {
                let waits = retry < MAX_RETRIES && error.code() == Code::StoreUnavailable;
                let wait = wait_before(retry, None).filter(|_| waits);
                sleep(wait.ok_or(error)?).await;
                retry += 1;
                // It may have been done all the same.
                self.statement("DELETE FROM {answers} WHERE begins = @begins")
                    .table("answers", &answers)
                    .int("begins", begins)
                    .run(OPERATION)
                    .await?;
            }
            begins = ends;
        }
        Ok(answers)
    }

    /// Asks the questions of some batches.
    async fn ask_some(
        &self,
        questions: &Questions<'_>,
        answers: &str,
        (begins, ends): (i64, i64),
    ) -> Result<()> {
        self.statement(include_str!("sql/ask.sql"))
            .table("answers", answers)
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
            .await
            .map(drop)
    }
}
