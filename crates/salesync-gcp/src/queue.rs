//! The queue port on the log of dead letters, in the warehouse itself; the one on Pub/Sub is `pubsub`.

use async_trait::async_trait;
use salesync_core::dead_letter::{DEAD_LETTER_EVENTS, DeadLetter, LetterState};
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::PlainRows;
use salesync_core::queue::{MAX_ATTEMPTS, Message, Outcome, Queue, RECEIVED_BYTES};
use salesync_core::staging;
use salesync_core::time::Timestamp;

use crate::logs::append;
use crate::script::Script;
use crate::stage::Staged;
use crate::warehouse::BigQueryWarehouse;

/// The columns of a letter, in the order in which [`message_of`] reads them.
const COLUMNS: &str = "dead_id, source, stream, record_id, code, field, message, attempt, run_id, first_seen, \
                       payload, payload_encoding";

/// How many letters one job settles; each is a parameter of it.
const SETTLED_AT_ONCE: usize = 500;

/// The dead letters of a BigQuery dataset as a queue: a message's id is the letter's, its body the letter as
/// JSON.
#[derive(Debug, Clone)]
pub struct BigQueryQueue {
    warehouse: BigQueryWarehouse,
}

impl BigQueryQueue {
    pub(crate) fn new(warehouse: BigQueryWarehouse) -> Self {
        Self { warehouse }
    }

    /// Reads the letters that the rest of the statement leaves.
    async fn select(&self, mut script: Script, rest: &str) -> Result<Vec<Message>> {
        let api = self.warehouse.api();
        let letters = api.named("dead_letters");
        script.run(format!("SELECT {COLUMNS} FROM {letters} WHERE {rest}"));
        let rows = api.run("read dead letters", &script).await?;
        rows.pages.into_iter().flatten().map(message_of).collect()
    }

    /// Appends what became of letters that wait or are parked; of any other one there is nothing to say.
    async fn append_outcome(&self, ids: &[&str], outcome: Outcome) -> Result<()> {
        let api = self.warehouse.api();
        let (events, letters) = (
            api.named(DEAD_LETTER_EVENTS.name),
            api.named("dead_letters"),
        );
        let mut script = Script::default();
        let ids: Vec<String> = ids.iter().map(|id| script.text(id)).collect();
        let ids = ids.join(", ");
        let (open, forwarded) = (LetterState::Open.as_str(), LetterState::Forwarded.as_str());
        let parked = LetterState::Parked.as_str();
        let (attempt, state) = match outcome {
            Outcome::Done => ("attempt", format!("'{}'", LetterState::Redriven.as_str())),
            Outcome::Discarded => ("attempt", format!("'{}'", LetterState::Discarded.as_str())),
            Outcome::Forwarded => ("attempt", format!("'{forwarded}'")),
            // Nothing was done about it.
            Outcome::Released => return Ok(()),
            Outcome::Failed => (
                "attempt + 1",
                format!(
                    "IF(attempt + 1 >= {MAX_ATTEMPTS}, '{parked}', \
                     IF(state = '{forwarded}', '{forwarded}', '{open}'))"
                ),
            ),
        };
        let meant = match outcome {
            Outcome::Forwarded => format!("'{open}'"),
            _ => format!("'{open}', '{forwarded}', '{parked}'"),
        };
        let columns: Vec<&str> = DEAD_LETTER_EVENTS.columns.iter().map(|it| it.0).collect();
        let columns = columns.join(", ");
        script.run(format!(
            "INSERT INTO {events} ({columns}) \
             SELECT {columns} FROM (\
               SELECT * REPLACE (event + 1 AS event, {attempt} AS attempt, {state} AS state, \
                 CURRENT_TIMESTAMP() AS seen_at, CAST(NULL AS STRING) AS payload) \
               FROM {events} WHERE dead_id IN ({ids}) \
               QUALIFY ROW_NUMBER() OVER (PARTITION BY dead_id ORDER BY event DESC) = 1) \
             WHERE dead_id IN (SELECT dead_id FROM {letters} \
               WHERE dead_id IN ({ids}) AND state IN ({meant}))"
        ));
        api.run("settle dead letters", &script).await.map(drop)
    }
}

#[async_trait]
impl Queue for BigQueryQueue {
    async fn publish(&self, messages: &[Message]) -> Result<()> {
        const OPERATION: &str = "publish dead letters";
        let failed = |error| Error::new(Code::QueuePublish, OPERATION).because(error);
        let mut rows = PlainRows::new(&DEAD_LETTER_EVENTS)?;
        for message in messages {
            DeadLetter::in_message(message)?.append_to(&mut rows, 0)?;
        }
        let (plain, rows) = rows.finish()?;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let api = self.warehouse.api();
        let stored = self.warehouse.tables().prepared(api, plain.name).await;
        let stored = stored.map_err(failed)?;
        let mut script = Script::default();
        let staged = Staged::put(api, &mut script, &rows).await.map_err(failed)?;
        append(
            &mut script,
            (&api.named(plain.name), &stored),
            plain,
            &staged,
        );
        api.run(OPERATION, &script).await.map_err(failed).map(drop)
    }

    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        let letters = self.warehouse.api().named("dead_letters");
        let rest = format!(
            "state = 'open' AND dead_id IN (\
               SELECT dead_id FROM {letters} WHERE state = 'open' \
               QUALIFY COALESCE(SUM(payload_bytes) OVER (ORDER BY first_seen, dead_id \
                 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < {RECEIVED_BYTES}) \
             ORDER BY first_seen, dead_id LIMIT {limit}"
        );
        self.select(Script::default(), &rest).await
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut script = Script::default();
        let begins: Vec<String> = ids
            .iter()
            .map(|id| format!("STARTS_WITH(dead_id, {})", script.text(id)))
            .collect();
        let rest = format!(
            "state IN ('open', 'forwarded', 'parked') AND ({}) ORDER BY first_seen, dead_id",
            begins.join(" OR ")
        );
        self.select(script, &rest).await
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        self.append_outcome(&[id], outcome).await
    }

    async fn settle_all(&self, outcomes: &[(String, Outcome)]) -> Result<()> {
        let kinds = [
            Outcome::Done,
            Outcome::Failed,
            Outcome::Discarded,
            Outcome::Forwarded,
        ];
        for kind in kinds {
            let of_kind = outcomes.iter().filter(|(_, outcome)| *outcome == kind);
            let ids: Vec<&str> = of_kind.map(|(id, _)| id.as_str()).collect();
            for ids in ids.chunks(SETTLED_AT_ONCE) {
                self.append_outcome(ids, kind).await?;
            }
        }
        Ok(())
    }
}

/// Returns the letter in a row of [`COLUMNS`].
fn message_of(row: Vec<Option<String>>) -> Result<Message> {
    let mut cells = row.into_iter();
    let mut next = || cells.next().flatten();
    let mut must = || next().unwrap_or_default();
    let (dead_id, source, stream) = (must(), must(), must());
    let record_id = next();
    let code = next().unwrap_or_default();
    let field = next();
    let message = next().unwrap_or_default();
    let number = |text: Option<String>| text.and_then(|text| text.parse::<i64>().ok());
    let attempt = number(next()).unwrap_or_default();
    let run_id = staging::run_id(next().unwrap_or_default())?;
    let seen_at = Timestamp::from_micros(number(next()).unwrap_or_default());
    let letter = DeadLetter {
        dead_id,
        source,
        stream,
        record_id,
        code,
        field,
        message,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        state: LetterState::Open,
        run_id,
        seen_at,
        payload: next().unwrap_or_default(),
        payload_encoding: next().unwrap_or_default(),
    };
    letter.to_message()
}
