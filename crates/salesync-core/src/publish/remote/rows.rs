//! Records as rows of the work tables.

use std::sync::Arc;

use super::super::index::says;
use super::super::rows::{entity_value, unreadable};
use crate::error::Result;
use crate::plain::{NewRows, Outdated, PlainRows, PlainTable, text};
use crate::record::Value;
use crate::resolve::remote::{Concluded, Look};
use crate::resolve::{Derived, EntityKind, FactField, Identity, Override, Rule, index::number_of};
use crate::sets::tables::{
    ASKS, DECIDED, ENTITIES, KEYS, LINES, LOOKS, RATES, SAID, SLOTS, VALUES,
};

/// Records that were looked at, each with what it says.
pub(super) struct Seen {
    pub(super) looks: Vec<(Look, Identity)>,
    /// At which look: 1 or 2.
    pub(super) look: i64,
}

/// Returns records as rows. What they say is written down at the first look only.
pub(super) fn of(seen: Seen) -> Vec<NewRows> {
    let seen = Arc::new(seen);
    let mut all = Vec::new();
    if seen.look == 1 {
        all.push(each(&SAID, &seen, push_said));
        all.push(each(&LINES, &seen, push_lines));
    }
    for (table, push) in [
        (&LOOKS, push_look as Push),
        (&KEYS, push_keys),
        (&VALUES, push_values),
        (&ASKS, push_asks),
    ] {
        all.push(each(table, &seen, push));
    }
    all
}

type Push = fn(&mut PlainRows, &Look, &Identity, i64) -> Result<()>;

fn each(table: &'static PlainTable, seen: &Arc<Seen>, push: Push) -> NewRows {
    let all = (seen, seen.looks.len());
    NewRows::stepwise(table, Outdated::All, all, move |rows, seen: &Seen, at| {
        let one = seen.looks.get(at);
        one.map_or(Ok(()), |(look, says)| push(rows, look, says, seen.look))
    })
}

fn push_said(rows: &mut PlainRows, look: &Look, says: &Identity, _: i64) -> Result<()> {
    let written = says::written(says).map_err(|_| unreadable())?;
    let record = &says.record;
    rows.push(&[
        number(look.record),
        text(Some(look.kind.as_str())),
        Value::Int(look.record.cast_signed().rem_euclid(SLOTS)),
        text(Some(&record.source)),
        text(Some(&record.stream)),
        text(Some(&record.id)),
        text(Some(&look.link)),
        entity_value(Some(&look.first_id)),
        text(Some(&written)),
    ])
}

fn push_lines(rows: &mut PlainRows, look: &Look, _: &Identity, _: i64) -> Result<()> {
    let mut lines = look.lines.iter();
    lines.try_for_each(|line| rows.push(&[number(*line)]))
}

fn push_look(rows: &mut PlainRows, look: &Look, _: &Identity, _: i64) -> Result<()> {
    let Some(row) = &look.row else { return Ok(()) };
    let derived = match &look.derived {
        derived if *derived == Derived::default() => None,
        derived => Some(serde_json::to_string(derived).map_err(|_| unreadable())?),
    };
    let [last, first] = &look.order;
    let [one, two] = &look.names;
    rows.push(&[
        number(look.record),
        text(Some(look.kind.as_str())),
        text(Some(last)),
        text(Some(first)),
        text(Some(one)),
        text(Some(two)),
        number(look.name_key),
        Value::Bool(look.is_named),
        Value::Bool(look.is_whole),
        text(Some(row)),
        text(derived.as_deref()),
    ])
}

fn push_keys(rows: &mut PlainRows, look: &Look, _: &Identity, _: i64) -> Result<()> {
    let mut keys = look.keys.iter();
    keys.try_for_each(|(kind, key)| {
        rows.push(&[
            number(look.record),
            text(Some(look.kind.as_str())),
            text(Some(kind)),
            number(*key),
        ])
    })
}

fn push_values(rows: &mut PlainRows, look: &Look, _: &Identity, _: i64) -> Result<()> {
    let mut values = look.values.iter();
    values.try_for_each(|value| {
        let [one, two] = &value.with;
        rows.push(&[
            number(look.record),
            text(Some(look.kind.as_str())),
            text(Some(value.of)),
            Value::Int(value.at),
            text(Some(&value.text)),
            text(Some(one)),
            text(Some(two)),
        ])
    })
}

fn push_asks(rows: &mut PlainRows, look: &Look, _: &Identity, at: i64) -> Result<()> {
    let mut asks = look.asks.iter();
    asks.try_for_each(|(field, asked)| {
        rows.push(&[
            number(look.record),
            text(Some(look.kind.as_str())),
            Value::Int(at),
            text(Some(field.as_str())),
            text(Some(asked)),
        ])
    })
}

/// Returns what texts are worth that come so often.
pub(super) fn rates(rates: &[(FactField, u32, f32)]) -> Result<NewRows> {
    let mut rows = PlainRows::new(&RATES)?;
    for (field, times, bits) in rates {
        let times = Value::Int((*times).into());
        rows.push(&[
            text(Some(field.as_str())),
            times,
            Value::Double((*bits).into()),
        ])?;
    }
    Ok(rows.finish()?.into())
}

/// Returns the records that people decided are one.
pub(super) fn decided(overrides: &[Override]) -> Result<NewRows> {
    let mut rows = PlainRows::new(&DECIDED)?;
    for it in overrides.iter().filter(|it| it.rule == Rule::Always) {
        rows.push(&[
            text(Some(it.kind.as_str())),
            number(number_of(it.kind, &it.left)),
            number(number_of(it.kind, &it.right)),
        ])?;
    }
    Ok(rows.finish()?.into())
}

/// Returns in which entities the records of a part are.
pub(super) fn entities(kind: EntityKind, concluded: &Concluded) -> Result<NewRows> {
    let mut rows = PlainRows::new(&ENTITIES)?;
    let places = concluded.places.iter();
    let ids: std::collections::BTreeMap<_, _> =
        places.map(|it| (it.record, &it.entity_id)).collect();
    for (record, first) in &concluded.firsts {
        let id = ids.get(record).copied();
        rows.push(&[
            number(*record),
            text(Some(kind.as_str())),
            number(*first),
            entity_value(id),
        ])?;
    }
    Ok(rows.finish()?.into())
}

fn number(number: u64) -> Value<'static> {
    Value::Int(number.cast_signed())
}
