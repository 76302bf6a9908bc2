//! Interactions and those who took part as rows, made while they are written.

use std::sync::Arc;

use super::super::index::TELLERS;
use super::super::rows::entity_value;
use super::super::tables::{INTERACTION_PARTIES, INTERACTIONS};
use super::columns::Stream;
use super::settle::{Settled, settle};
use super::store::{Interaction, NEVER, Store};
use crate::error::Result;
use crate::plain::{NewRows, Outdated, PlainRows, PlainTable, count, text};
use crate::record::Value;
use crate::time::Timestamp;

/// All that was gathered, in the order of time.
#[derive(Debug)]
pub(super) struct Gathered {
    store: Store,
    streams: Vec<Stream>,
    order: Vec<u32>,
}

impl Gathered {
    /// Puts what was gathered in order.
    pub(super) fn new(mut store: Store, streams: Vec<Stream>) -> Self {
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

    /// Returns the rows of all tables, in the place of those that are outdated.
    pub(super) fn tables(self, outdated: &Outdated) -> [NewRows; 3] {
        let gathered = Arc::new(self);
        let of = |table, push| new_rows(&gathered, (table, outdated.clone()), push);
        let tellers = (&gathered, gathered.store.tellers.len());
        [
            of(&INTERACTIONS, push_interaction as Push),
            of(&INTERACTION_PARTIES, push_parties),
            NewRows::stepwise(&TELLERS, outdated.clone(), tellers, push_teller),
        ]
    }

    fn interaction(&self, number: u32) -> Option<&Interaction> {
        let index = usize::try_from(number).ok()?;
        self.store.interactions.get(index)
    }

    /// Returns the source and stream of this number.
    fn stream(&self, told_by: u16) -> (&'static str, &'static str) {
        let stream = self.streams.get(usize::from(told_by));
        stream.map_or(("", ""), |(source, declared)| (*source, declared.stream))
    }
}

type Push = fn(&mut PlainRows, &Gathered, &Interaction, &Settled<'_>) -> Result<()>;

fn new_rows(
    gathered: &Arc<Gathered>,
    (table, outdated): (&'static PlainTable, Outdated),
    push: Push,
) -> NewRows {
    let all = (gathered, gathered.len());
    NewRows::stepwise(
        table,
        outdated,
        all,
        move |rows, gathered: &Gathered, at| {
            let store = &gathered.store;
            let number = gathered.order.get(at).copied().unwrap_or(u32::MAX);
            match gathered.interaction(number) {
                Some(interaction) => {
                    let settled = settle(store, number, interaction);
                    push(rows, gathered, interaction, &settled)
                }
                None => Ok(()),
            }
        },
    )
}

fn push_interaction(
    rows: &mut PlainRows,
    gathered: &Gathered,
    interaction: &Interaction,
    settled: &Settled<'_>,
) -> Result<()> {
    let store = &gathered.store;
    let (source, stream) = gathered.stream(interaction.told_by);
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
        entity_value(person.map(|person| &person.id)),
        entity_value(company.map(|company| &company.id)),
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
            entity_value(person.map(|person| &person.id)),
            entity_value(company.map(|company| &company.id)),
        ])?;
    }
    Ok(())
}

fn push_teller(rows: &mut PlainRows, gathered: &Gathered, at: usize) -> Result<()> {
    let Some(teller) = gathered.store.tellers.get(at) else {
        return Ok(());
    };
    let interaction = gathered.interaction(teller.interaction);
    let interaction = interaction.map(|interaction| interaction.id.text());
    let (source, stream) = gathered.stream(teller.told_by);
    rows.push(&[
        text(interaction.as_deref()),
        text(Some(source)),
        text(Some(stream)),
        filled(gathered.store.texts.text(teller.part)),
        text(Some(&teller.id)),
    ])
}

/// Returns text; an empty one is no value.
fn filled(value: &str) -> Value<'_> {
    text((!value.is_empty()).then_some(value))
}
