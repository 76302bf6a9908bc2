//! Interactions and those who took part as rows, made while they are written.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::super::tables::{INTERACTION_PARTIES, INTERACTIONS};
use super::settle::{Settled, settle};
use super::store::{Interaction, NEVER, Store};
use crate::error::Result;
use crate::plain::{NewRows, Outdated, PlainRows, PlainTable, count, text};
use crate::record::Value;
use crate::resolve::EntityId;
use crate::time::Timestamp;

/// How many interactions are made into rows at a time.
const STEP: usize = 10_000;

/// A source and one of its streams.
pub(super) type StreamName = (&'static str, &'static str);

/// All that was gathered, in the order of time.
#[derive(Debug)]
pub(super) struct Gathered {
    store: Store,
    streams: Vec<StreamName>,
    order: Vec<u32>,
}

impl Gathered {
    /// Puts what was gathered in order.
    pub(super) fn new(mut store: Store, streams: Vec<StreamName>) -> Self {
        store.finish();
        let key = |number: &u32| {
            let found = usize::try_from(*number)
                .ok()
                .and_then(|index| store.interactions.get(index));
            found.map(|it| (it.happened_at, it.id))
        };
        let last = u32::try_from(store.interactions.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = (0..last).collect();
        order.sort_unstable_by_key(key);
        Self {
            store,
            streams,
            order,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the rows of both tables.
    pub(super) fn tables(self) -> [NewRows; 2] {
        let gathered = Arc::new(self);
        [
            new_rows(&gathered, &INTERACTIONS, push_interaction),
            new_rows(&gathered, &INTERACTION_PARTIES, push_parties),
        ]
    }
}

type Push = fn(&mut PlainRows, &Gathered, &Interaction, &Settled<'_>) -> Result<()>;

fn new_rows(gathered: &Arc<Gathered>, table: &'static PlainTable, push: Push) -> NewRows {
    let gathered = Arc::clone(gathered);
    let starts = (0..gathered.len()).step_by(STEP);
    let batches = starts.map(move |start| batch(&gathered, start, (table, push)));
    NewRows {
        table,
        outdated: Outdated::All,
        batches: Box::new(batches),
    }
}

fn batch(
    gathered: &Gathered,
    start: usize,
    (table, push): (&'static PlainTable, Push),
) -> Result<RecordBatch> {
    let mut rows = PlainRows::new(table)?;
    for number in gathered.order.iter().skip(start).take(STEP) {
        let index = usize::try_from(*number).ok();
        let interaction = index.and_then(|index| gathered.store.interactions.get(index));
        if let Some(interaction) = interaction {
            let settled = settle(&gathered.store, *number, interaction);
            push(&mut rows, gathered, interaction, &settled)?;
        }
    }
    Ok(rows.finish()?.1)
}

fn push_interaction(
    rows: &mut PlainRows,
    gathered: &Gathered,
    interaction: &Interaction,
    settled: &Settled<'_>,
) -> Result<()> {
    let Gathered { store, streams, .. } = gathered;
    let stream = streams.get(usize::from(interaction.told_by));
    let (source, stream) = stream.copied().unwrap_or_default();
    let [key, thread, subject] = interaction.words.split();
    let id = interaction.id.text();
    let happened_at = match interaction.happened_at {
        NEVER => Value::Null,
        micros => Value::Timestamp(Timestamp::from_micros(micros)),
    };
    let person = settled.person.and_then(|at| store.register.person(at));
    let company = settled.company.and_then(|at| store.register.company(at));
    rows.push(&[
        text(Some(&id)),
        text(Some(interaction.kind.as_str())),
        happened_at,
        text(settled.direction.map(|direction| direction.as_str())),
        filled(subject),
        filled(thread),
        interaction.duration_ms.map_or(Value::Null, Value::Int),
        filled(settled.our_user),
        filled(settled.who),
        entity(person.map(|person| &person.id)),
        entity(company.map(|company| &company.id)),
        count(u64::try_from(settled.parties.len()).unwrap_or(u64::MAX)),
        text(Some(source)),
        text(Some(stream)),
        filled(store.texts.text(interaction.part)),
        text(Some(key)),
        Value::Int(i64::from(interaction.record_count)),
    ])
}

fn push_parties(
    rows: &mut PlainRows,
    gathered: &Gathered,
    interaction: &Interaction,
    settled: &Settled<'_>,
) -> Result<()> {
    let register = &gathered.store.register;
    let id = interaction.id.text();
    for (position, party) in (0..).zip(&settled.parties) {
        let person = party.who.person.and_then(|at| register.person(at));
        let company = party.who.company.and_then(|at| register.company(at));
        rows.push(&[
            text(Some(&id)),
            Value::Int(position),
            text(Some(party.role.as_str(settled.direction))),
            filled(party.address),
            filled(party.phone),
            filled(party.name),
            Value::Bool(party.who.is_ours),
            entity(person.map(|person| &person.id)),
            entity(company.map(|company| &company.id)),
        ])?;
    }
    Ok(())
}

/// Returns text; an empty one is no value.
fn filled(value: &str) -> Value<'_> {
    text((!value.is_empty()).then_some(value))
}

fn entity(id: Option<&EntityId>) -> Value<'_> {
    text(id.map(EntityId::as_str))
}
