//! What leaves the warehouse: copies of dead letters, and word of the runs that did not succeed.
//!
//! The warehouse has every letter, in the same commit as the rows beside it, and keeps it as long as wanted; a queue
//! keeps a message for two weeks at most. So what is read back is always the warehouse's, and a queue that fails costs
//! copies and no letter: it is said in the log and is no failure of the command.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use salesync_core::error::{Code, Result};
use salesync_core::queue::{Message, Outcome, Queue};
use salesync_core::run::{Run, RunId, RunStatus};
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Filter, Scan, Warehouse};
use serde_json::json;

use crate::queues::Copies;
use crate::report;
use crate::settings::Settings;

/// So many letters are copied at once.
const LETTERS_AT_ONCE: usize = 100;

/// Where a sync tells what it did.
pub(crate) struct Outlets {
    home: Arc<dyn Queue>,
    copies: Option<Arc<dyn Copies>>,
    notices: Option<Arc<dyn Queue>>,
}

impl Outlets {
    /// Opens the queues that the settings name, beside the warehouse's own.
    ///
    /// # Errors
    /// Where a queue is not there, may not be used or does not answer: before anything is read.
    pub(crate) async fn open(settings: &Settings, home: &Arc<dyn Queue>) -> Result<Self> {
        let copies = match &settings.dead_letters {
            Some(choice) => Some(choice.open_beside(Arc::clone(home)).await?),
            None => None,
        };
        let notices = match &settings.notify {
            Some(choice) => Some(choice.open().await?),
            None => None,
        };
        Ok(Self {
            home: Arc::clone(home),
            copies,
            notices,
        })
    }

    /// Copies the letters that these runs have set aside, and says which of the runs did not succeed.
    pub(crate) async fn tell(&self, warehouse: &dyn Warehouse, runs: &[Run]) {
        if let Some(copies) = &self.copies
            && let Some(run) = runs.iter().find(|run| run.counts.rejected > 0)
            && let Err(error) = self.copy(copies.as_ref(), warehouse, &run.run_id).await
        {
            tracing::warn!(
                error = %error,
                "not every dead letter was copied to SALESYNC_DEAD_LETTERS: the warehouse has them all"
            );
        }
        if let Some(notices) = &self.notices
            && let Err(error) = give_notice(notices.as_ref(), runs).await
        {
            tracing::warn!(error = %error, "not every run was told to SALESYNC_NOTIFY");
        }
    }

    /// Copies the letters of one run; all streams of a command share it.
    async fn copy(
        &self,
        copies: &dyn Copies,
        warehouse: &dyn Warehouse,
        run_id: &RunId,
    ) -> Result<()> {
        let column = SqlIdentifier::parse;
        let scan = Scan {
            columns: vec![column("dead_id")?],
            filter: Filter::Equal(vec![(column("run_id")?, run_id.as_str().to_owned())]),
            ..Scan::of(column("dead_letters")?)
        };
        let rows = report::documents(&warehouse.scan(&scan).await?)?;
        let ids: Vec<String> = rows
            .iter()
            .filter_map(|row| row.get("dead_id")?.as_str().map(str::to_owned))
            .collect();
        for ids in ids.chunks(LETTERS_AT_ONCE) {
            copies.publish(&self.home.find(ids).await?).await?;
        }
        Ok(())
    }
}

/// Publishes one message for each run that did not succeed: which, why, and what to do. None of it is from a record.
async fn give_notice(notices: &dyn Queue, runs: &[Run]) -> Result<()> {
    let is_well = |run: &&Run| matches!(run.status, RunStatus::Succeeded | RunStatus::Skipped);
    let messages: Vec<Message> = runs
        .iter()
        .filter(|run| !is_well(run))
        .map(notice)
        .collect();
    notices.publish(&messages).await
}

fn notice(run: &Run) -> Message {
    let code = run.code.as_deref().and_then(Code::parse);
    let body = json!({
        "schema": 1,
        "run_id": run.run_id,
        "source": run.source,
        "stream": run.stream,
        "status": run.status,
        "code": code.map(Code::as_str),
        "remedy": code.map(Code::remedy),
    });
    Message {
        id: format!("{}-{}-{}", run.run_id, run.source, run.stream),
        body: body.to_string(),
    }
}

/// The warehouse's dead letters. What is settled is noted, for their copies elsewhere.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    home: Arc<dyn Queue>,
    copies: Option<Arc<dyn Copies>>,
    settled: Mutex<Vec<(String, Outcome)>>,
}

impl DeadLetters {
    /// Returns the warehouse's letters, with the queue that the settings name for copies.
    ///
    /// # Errors
    /// Where that queue is not there, may not be used or does not answer.
    pub(crate) async fn open(settings: &Settings, home: Arc<dyn Queue>) -> Result<Self> {
        let copies = match &settings.dead_letters {
            Some(choice) => Some(choice.open_beside(Arc::clone(&home)).await?),
            None => None,
        };
        Ok(Self {
            home,
            copies,
            settled: Mutex::default(),
        })
    }

    /// Settles the copies of the letters that were settled. One that can't be stays until its queue lets it go.
    pub(crate) async fn finish(self) {
        let settled = self.settled.into_inner();
        let settled = settled.unwrap_or_else(PoisonError::into_inner);
        if let Some(copies) = self.copies
            && let Err(error) = copies.settle_all(&settled).await
        {
            tracing::warn!(error = %error, "not every copy of a dead letter was settled at SALESYNC_DEAD_LETTERS");
        }
    }
}

#[async_trait]
impl Queue for DeadLetters {
    async fn publish(&self, messages: &[Message]) -> Result<()> {
        self.home.publish(messages).await
    }

    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        self.home.receive(limit).await
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
        self.home.find(ids).await
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        self.home.settle(id, outcome).await?;
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.push((id.to_owned(), outcome));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use salesync_core::memory::MemoryQueue;
    use salesync_core::run::{Counts, Traffic};
    use salesync_core::time::Timestamp;

    use super::*;

    fn run(stream: &str, status: RunStatus, code: Option<&str>) -> Run {
        Run {
            run_id: RunId::new(Timestamp::EPOCH),
            source: "testkit".to_owned(),
            stream: stream.to_owned(),
            mode: "incremental".to_owned(),
            started_at: Timestamp::EPOCH,
            took_ms: Some(1),
            status,
            code: code.map(str::to_owned),
            parts: Vec::new(),
            generation: 0,
            epoch: 1,
            cursor_from: None,
            cursor_to: None,
            pages: 1,
            traffic: Traffic::default(),
            counts: Counts::default(),
            adapters: "at hunter2".to_owned(),
        }
    }

    #[tokio::test]
    async fn only_runs_that_did_not_succeed_are_told_with_what_to_do() {
        let queue = MemoryQueue::default();
        let runs = [
            run("a", RunStatus::Succeeded, None),
            run("b", RunStatus::Skipped, Some("ERR_RUN_OVERLAP")),
            run("c", RunStatus::Partial, Some("ERR_RUN_DEADLINE")),
            run("d", RunStatus::Failed, Some("ERR_SOURCE_AUTH_REVOKED")),
        ];
        give_notice(&queue, &runs).await.unwrap();
        let told = queue.receive(10).await.unwrap();
        assert_eq!(told.len(), 2);
        for (message, run) in told.iter().zip(&runs[2..]) {
            assert!(message.id.ends_with(&format!("-testkit-{}", run.stream)));
            let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
            assert_eq!(body["code"].as_str(), run.code.as_deref());
            assert_eq!(body["stream"], run.stream);
            assert!(body["remedy"].as_str().is_some_and(|text| !text.is_empty()));
            assert!(!message.body.contains("hunter2"), "{}", message.body);
        }
    }

    /// Copies that are settled like any message.
    #[derive(Debug, Default)]
    struct Elsewhere(MemoryQueue);

    #[async_trait]
    impl Queue for Elsewhere {
        async fn publish(&self, messages: &[Message]) -> Result<()> {
            self.0.publish(messages).await
        }

        async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
            self.0.receive(limit).await
        }

        async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
            self.0.find(ids).await
        }

        async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
            self.0.settle(id, outcome).await
        }
    }

    #[async_trait]
    impl Copies for Elsewhere {
        async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
            for (id, outcome) in outcomes {
                self.settle(id, *outcome).await?;
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_is_settled_in_the_warehouse_is_settled_where_its_copy_is() {
        let (home, elsewhere) = (
            Arc::new(MemoryQueue::default()),
            Arc::new(Elsewhere::default()),
        );
        let messages = ["one", "two", "three"].map(|id| Message {
            id: id.to_owned(),
            body: "{}".to_owned(),
        });
        home.publish(&messages).await.unwrap();
        elsewhere.publish(&messages).await.unwrap();
        let copies: Arc<dyn Copies> = elsewhere.clone();
        let letters = DeadLetters {
            home: home.clone(),
            copies: Some(copies),
            settled: Mutex::default(),
        };
        letters.settle("one", Outcome::Done).await.unwrap();
        letters.settle("two", Outcome::Failed).await.unwrap();
        letters.settle("three", Outcome::Discarded).await.unwrap();
        assert_eq!(elsewhere.receive(10).await.unwrap().len(), 3);
        letters.finish().await;
        for queue in [&*home as &dyn Queue, &*elsewhere] {
            assert_eq!(queue.receive(10).await.unwrap(), messages[1..2]);
        }
    }
}
