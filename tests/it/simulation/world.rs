//! A source in memory whose records change while they are read, and which can be told to fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use salesync_core::cursor::Cursor;
use salesync_core::error::{Code, Error, Result};
use salesync_core::ledger::Window;
use salesync_core::record::{Change, Deletion, DeletionReason, RawRecord, Reject, Value};
use salesync_core::run::Traffic;
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::source::{Page, Presence, Progress, Source, Stream, TableChange, WindowPage};
use salesync_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::dice::Dice;

const PAGE: usize = 7;
const OVERLAP: Duration = Duration::ZERO;

/// A record of the world, as it is served.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) t: i64,
    pub(super) v: String,
    pub(super) gone: bool,
    pub(super) poison: bool,
}

/// The records, the clock, and what is still to go wrong.
#[derive(Debug)]
pub(super) struct World {
    pub(super) rows: BTreeMap<String, Row>,
    pub(super) clock: i64,
    pub(super) dice: Dice,
    pub(super) troubles: u32,
    next_id: u32,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut world = Self {
            rows: BTreeMap::new(),
            clock: 1_000_000,
            dice: Dice::new(seed),
            troubles: 12,
            next_id: 0,
        };
        for _ in 0..40 {
            world.create();
            // Many records share one instant, so that pages end inside of it.
            world.clock += i64::from(world.dice.below(3)) * 400;
        }
        world
    }

    fn create(&mut self) {
        self.next_id += 1;
        let id = format!("r{:04}", self.next_id);
        let poison = self.dice.one_in(25);
        let row = Row {
            id: id.clone(),
            t: self.clock,
            v: "0".to_owned(),
            gone: false,
            poison,
        };
        self.rows.insert(id, row);
    }

    /// Lets a few things happen at the source, as they do between two requests.
    fn live(&mut self) {
        self.clock += i64::from(self.dice.below(900));
        if self.troubles == 0 {
            return;
        }
        for _ in 0..self.dice.below(3) {
            let Some(id) = self.any() else { return };
            match self.dice.below(10) {
                0..=5 => self.edit(&id, |row| row.v.push('x')),
                6 => self.edit(&id, |row| row.gone = true),
                7 => self.edit(&id, |row| row.gone = false),
                8 => drop(self.rows.remove(&id)),
                _ => self.create(),
            }
        }
    }

    fn any(&mut self) -> Option<String> {
        let index = self
            .dice
            .below(u32::try_from(self.rows.len().max(1)).unwrap());
        self.rows.keys().nth(index as usize).cloned()
    }

    fn edit(&mut self, id: &str, change: impl FnOnce(&mut Row)) {
        let clock = self.clock;
        if let Some(row) = self.rows.get_mut(id) {
            row.t = clock;
            change(row);
        }
    }

    /// Says whether this call fails.
    pub(super) fn trouble(&mut self) -> bool {
        let strikes = self.troubles > 0 && self.dice.one_in(6);
        self.troubles -= u32::from(strikes);
        strikes
    }
}

/// The source over a shared world.
#[derive(Debug)]
pub(super) struct WorldSource {
    pub(super) world: Arc<Mutex<World>>,
}

#[derive(Debug)]
struct WorldStream {
    world: Arc<Mutex<World>>,
    table: Arc<Table>,
    opened_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Place {
    lo: i64,
    hi: i64,
    time: i64,
    id: u32,
}

#[async_trait]
impl Source for WorldSource {
    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn open(&self, _stream: &str, _part: Option<&str>) -> Result<Arc<dyn Stream>> {
        let columns = vec![Column::new("v", ColumnType::Text, "")?];
        let table = Arc::new(Table::new("world_rows", "", columns)?);
        let opened_at = self.clock();
        Ok(Arc::new(WorldStream {
            world: Arc::clone(&self.world),
            table,
            opened_at,
        }))
    }

    fn clock(&self) -> Timestamp {
        // A Date header knows the second only.
        Timestamp::from_millis(self.world.lock().unwrap().clock / 1_000 * 1_000)
    }
}

impl WorldStream {
    fn open_window(&self, complete_to: i64, clock: i64) -> Place {
        let lo = (complete_to - i64::try_from(OVERLAP.as_millis()).unwrap()).max(0);
        Place {
            lo,
            hi: clock / 1_000 * 1_000 + 1_000,
            time: lo,
            id: 0,
        }
    }
}

#[async_trait]
impl Stream for WorldStream {
    fn table(&self) -> &Arc<Table> {
        &self.table
    }

    async fn fetch(&self, from: Option<&Cursor>) -> Result<Page> {
        tokio::task::yield_now().await;
        let mut world = self.world.lock().unwrap();
        world.live();
        if world.trouble() {
            return Err(Error::new(Code::SourceStatus5xx, "fetch"));
        }
        let complete_to = from.map_or(Timestamp::EPOCH, Cursor::complete_to);
        let place = from.map(Cursor::place::<Place>).transpose()?.flatten();
        let first = place.is_none();
        let place = place.unwrap_or_else(|| self.open_window(complete_to.millis(), world.clock));
        let number = |row: &Row| row.id.trim_start_matches('r').parse::<u32>().unwrap();
        let mut rows: Vec<&Row> = world
            .rows
            .values()
            .filter(|row| {
                (row.t, number(row)) > (place.time, place.id)
                    || (place.id == 0 && row.t == place.time)
            })
            .filter(|row| row.t <= place.hi)
            .collect();
        rows.sort_by_key(|row| (row.t, number(row)));
        let expected = first.then_some(rows.len() as u64);
        let last = rows.len() <= PAGE;
        rows.truncate(PAGE);
        let next = match rows.last().filter(|_| !last) {
            Some(row) => Cursor::inside(
                complete_to,
                &Place {
                    time: row.t,
                    id: number(row),
                    ..place
                },
            )?,
            // A careless stream: that the cursor stays below the open tick is left to the rules.
            None => Cursor::between_windows(Timestamp::from_millis(place.hi)),
        };
        let caught_up = last && Timestamp::from_millis(place.hi) >= self.opened_at;
        let window = Window {
            lo: Timestamp::from_millis(place.lo),
            hi: Timestamp::from_millis(place.hi),
        };
        let raw = |row: &&Row| RawRecord::new(serde_json::to_vec(row).unwrap());
        Ok(Page {
            records: rows.iter().map(raw).collect(),
            next,
            progress: if caught_up {
                Progress::CaughtUp
            } else {
                Progress::More
            },
            window: first.then_some(WindowPage {
                window,
                expected,
                last,
            }),
            read_at: Timestamp::from_millis(world.clock),
        })
    }

    fn decode<'a>(&self, raw: &'a RawRecord) -> Result<Vec<TableChange<'a>>, Reject> {
        let row: Row = raw.parse()?;
        if row.poison {
            return Err(Reject::new(Code::RecordType, "a record is not poison").of_record(&row.id));
        }
        let at = Timestamp::from_millis(row.t);
        let gone = Deletion {
            at,
            reason: DeletionReason::Deleted,
            merged_into: None,
        };
        Ok(TableChange::only(Change {
            key: row.id.into(),
            version: at,
            values: vec![Value::Text(row.v.into())],
            extra: Vec::new(),
            deletion: row.gone.then_some(gone),
            replaces: Vec::new(),
        }))
    }

    async fn count(&self, window: Window) -> Result<u64> {
        let mut world = self.world.lock().unwrap();
        if world.trouble() {
            return Err(Error::new(Code::SourceTimeout, "count"));
        }
        let range = window.lo.millis()..=window.hi.millis();
        Ok(world
            .rows
            .values()
            .filter(|row| range.contains(&row.t))
            .count() as u64)
    }

    async fn presence(&self, keys: &[String]) -> Result<Vec<Presence>> {
        let world = self.world.lock().unwrap();
        let of = |key: &String| match world.rows.contains_key(key) {
            true => Presence::Present,
            false => Presence::Absent,
        };
        Ok(keys.iter().map(of).collect())
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}
