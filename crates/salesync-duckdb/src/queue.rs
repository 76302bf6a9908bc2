//! The queue port on the log of dead letters.

use async_trait::async_trait;
use duckdb::{Connection, OptionalExt, Row, ToSql, params};
use salesync_core::dead_letter::{DEAD_LETTER_EVENTS, DeadLetter, LetterState};
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::PlainRows;
use salesync_core::queue::{MAX_ATTEMPTS, Message, Outcome, Queue, RECEIVED_BYTES};
use salesync_core::staging;
use salesync_core::time::Timestamp;

use crate::database::Database;
use crate::failure::failure;
use crate::logs::{append, prepared};
use crate::store::Store;

/// The dead letters of a DuckDB file as a queue: a message's id is the letter's, its body the letter as
/// JSON.
#[derive(Debug, Clone)]
pub struct DuckDbQueue {
    store: Store,
}

impl DuckDbQueue {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Queue for DuckDbQueue {
    async fn publish(&self, messages: &[Message]) -> Result<()> {
        let mut rows = PlainRows::new(&DEAD_LETTER_EVENTS)?;
        for message in messages {
            DeadLetter::in_message(message)?.append_to(&mut rows, 0)?;
        }
        let (plain, rows) = rows.finish()?;
        let publish = move |database: &mut Database| {
            let table = prepared(database.table(plain.name)?, plain.name)?;
            let transaction = database.begin("publish dead letters")?;
            append(&transaction, plain, &table, &rows)?;
            transaction
                .commit()
                .map_err(failure("publish dead letters"))
        };
        self.store
            .run(publish)
            .await
            .map_err(|error| Error::new(Code::QueuePublish, "publish dead letters").because(error))
    }

    async fn receive(&self, limit: usize) -> Result<Vec<Message>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.store
            .run(move |database| receive(database.connection(), limit))
            .await
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Message>> {
        let ids = ids.to_vec();
        self.store
            .run(move |database| find(database.connection(), &ids))
            .await
    }

    async fn settle(&self, id: &str, outcome: Outcome) -> Result<()> {
        if outcome == Outcome::Released {
            return Ok(());
        }
        let id = id.to_owned();
        self.store
            .run(move |database| settle(database, &id, outcome))
            .await
    }
}

fn receive(connection: &Connection, limit: i64) -> Result<Vec<Message>> {
    let rest = format!(
        "WHERE state = 'open' AND dead_id IN (\
           SELECT dead_id FROM dead_letters WHERE state = 'open' \
           QUALIFY coalesce(sum(payload_bytes) OVER (ORDER BY first_seen, dead_id \
             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < {RECEIVED_BYTES}) \
         ORDER BY first_seen, dead_id LIMIT ?"
    );
    select(connection, &rest, limit)
}

fn find(connection: &Connection, ids: &[String]) -> Result<Vec<Message>> {
    let rest = "WHERE state IN ('open', 'forwarded', 'parked') AND starts_with(dead_id, ?) \
                ORDER BY first_seen, dead_id";
    let mut found: Vec<Message> = Vec::new();
    for id in ids {
        for message in select(connection, rest, id)? {
            if !found.iter().any(|known| known.id == message.id) {
                found.push(message);
            }
        }
    }
    Ok(found)
}

/// Reads the letters that the rest of the statement leaves.
fn select(connection: &Connection, rest: &str, value: impl ToSql) -> Result<Vec<Message>> {
    let sql = format!(
        "SELECT dead_id, source, stream, record_id, code, field, message, attempt, run_id, \
           epoch_us(first_seen), payload, payload_encoding FROM dead_letters {rest}"
    );
    let stored = connection
        .prepare(&sql)
        .and_then(|mut statement| {
            statement
                .query_map([value], read)?
                .collect::<duckdb::Result<Vec<_>>>()
        })
        .map_err(failure("read dead letters"))?;
    stored.into_iter().map(message_of).collect()
}

/// A letter, but for its run's id as text.
struct Stored {
    letter: [Option<String>; 10],
    attempt: u32,
    seen_at: i64,
}

fn read(row: &Row<'_>) -> duckdb::Result<Stored> {
    let text = |index| row.get::<_, Option<String>>(index);
    Ok(Stored {
        letter: [
            text(0)?,
            text(1)?,
            text(2)?,
            text(3)?,
            text(4)?,
            text(5)?,
            text(6)?,
            text(8)?,
            text(10)?,
            text(11)?,
        ],
        attempt: row.get(7)?,
        seen_at: row.get(9)?,
    })
}

fn message_of(stored: Stored) -> Result<Message> {
    let [
        dead_id,
        source,
        stream,
        record_id,
        code,
        field,
        message,
        run_id,
        payload,
        encoding,
    ] = stored.letter;
    let letter = DeadLetter {
        dead_id: dead_id.unwrap_or_default(),
        source: source.unwrap_or_default(),
        stream: stream.unwrap_or_default(),
        record_id,
        code: code.unwrap_or_default(),
        field,
        message: message.unwrap_or_default(),
        attempt: stored.attempt,
        state: LetterState::Open,
        run_id: staging::run_id(run_id.unwrap_or_default())?,
        seen_at: Timestamp::from_micros(stored.seen_at),
        payload: payload.unwrap_or_default(),
        payload_encoding: encoding.unwrap_or_default(),
    };
    letter.to_message()
}

/// Appends what became of a letter that waits or is parked; of any other one there is nothing to say.
fn settle(database: &mut Database, id: &str, outcome: Outcome) -> Result<()> {
    let failed = failure("settle a dead letter");
    let transaction = database.begin("settle a dead letter")?;
    let waiting: Option<(u32, String)> = transaction
        .query_row(
            "SELECT attempt, state FROM dead_letters \
             WHERE dead_id = ? AND state IN ('open', 'forwarded', 'parked')",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(&failed)?;
    let Some((attempt, state)) = waiting else {
        return Ok(());
    };
    let is_open = state == LetterState::Open.as_str();
    let is_forwarded = state == LetterState::Forwarded.as_str();
    let (attempt, state) = match outcome {
        Outcome::Done => (attempt, LetterState::Redriven),
        Outcome::Discarded => (attempt, LetterState::Discarded),
        Outcome::Failed if attempt + 1 >= MAX_ATTEMPTS => (attempt + 1, LetterState::Parked),
        Outcome::Failed if is_forwarded => (attempt + 1, LetterState::Forwarded),
        Outcome::Failed => (attempt + 1, LetterState::Open),
        Outcome::Forwarded if is_open => (attempt, LetterState::Forwarded),
        Outcome::Forwarded | Outcome::Released => return Ok(()),
    };
    let sql = "INSERT INTO dead_letter_events BY NAME \
               SELECT * REPLACE (event + 1 AS event, ? AS attempt, ? AS state, now() AS seen_at, \
                 NULL AS payload) \
               FROM dead_letter_events WHERE dead_id = ? ORDER BY event DESC LIMIT 1";
    transaction
        .execute(sql, params![attempt, state.as_str(), id])
        .map_err(&failed)?;
    transaction.commit().map_err(&failed)
}
