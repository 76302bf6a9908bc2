//! What people decided about records: written down for good, and read by every resolve.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use serde::Serialize;

use super::entities::{self, Found};
use super::rows::{Texts, unreadable};
use super::tables::MATCH_OVERRIDE_EVENTS;
use crate::batch::Batch;
use crate::command::{Decision, Ruling};
use crate::error::{Code, Error, Result};
use crate::plain::{PlainRows, text};
use crate::record::Value;
use crate::resolve::{EntityKind, Override, RecordRef, Rule};
use crate::run::RunId;
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Scan, Warehouse};

/// The word for a decision that no longer holds.
const WITHDRAWN: &str = "withdrawn";

/// More pairs than this are not decided at once: such entities want another look.
const MOST_PAIRS: usize = 100_000;

/// What a decision wrote down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// Pairs of records that are always one entity from now on.
    pub always: usize,
    /// Pairs of records that are never one entity from now on.
    pub never: usize,
    /// Pairs of records of which an earlier decision no longer holds.
    pub withdrawn: usize,
}

/// Two records of a kind, the smaller first.
type Pair = (EntityKind, RecordRef, RecordRef);

fn pair(kind: EntityKind, one: &RecordRef, other: &RecordRef) -> Pair {
    let (left, right) = (one.min(other), one.max(other));
    (kind, left.clone(), right.clone())
}

/// Returns what holds, in the order of records.
pub(super) async fn read(warehouse: &dyn Warehouse) -> Result<Vec<Override>> {
    let mut newest: BTreeMap<Pair, (i64, String, Option<Rule>)> = BTreeMap::new();
    let table = Scan::of(SqlIdentifier::parse(MATCH_OVERRIDE_EVENTS.name)?);
    for batch in warehouse.scan(&table).await? {
        let columns = Texts::of(
            &batch,
            &[
                "kind",
                "left_source",
                "left_stream",
                "left_id",
                "right_source",
                "right_stream",
                "right_id",
                "rule",
                "run_id",
            ],
        )?;
        let times = batch
            .column_by_name("decided_at")
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(unreadable)?;
        for (row, time) in times.values().iter().enumerate() {
            let all: Option<Vec<&str>> = columns.row(row).into_iter().collect();
            let all = all.ok_or_else(unreadable)?;
            let [kind, ls, lt, li, rs, rt, ri, rule, run] = all[..] else {
                return Err(unreadable());
            };
            let kind = EntityKind::parse(kind).ok_or_else(unreadable)?;
            let pair = (kind, RecordRef::new(ls, lt, li), RecordRef::new(rs, rt, ri));
            let event = (*time, run.to_owned(), Rule::parse(rule));
            let known = newest.entry(pair).or_insert_with(|| event.clone());
            if (event.0, &event.1) > (known.0, &known.1) {
                *known = event;
            }
        }
    }
    let holding = newest.into_iter().filter_map(|((kind, left, right), it)| {
        Some(Override {
            kind,
            left,
            right,
            rule: it.2?,
        })
    });
    Ok(holding.collect())
}

/// Writes a decision down. It shows with the next resolve and holds at every later one. Decisions that speak against
/// it are withdrawn: the last word counts.
///
/// # Errors
/// `ERR_REQUEST_INVALID` where an id names nothing or several, or the ids can't be decided like that; what the
/// warehouse says.
pub async fn decide(
    warehouse: &dyn Warehouse,
    decision: &Decision,
    (run_id, now): (&RunId, Timestamp),
) -> Result<Decided> {
    let meant = Meant::read(warehouse, decision).await?;
    let holding = read(warehouse).await?;
    let changes = meant.changes(decision, &holding)?;
    let mut rows = PlainRows::new(&MATCH_OVERRIDE_EVENTS)?;
    let mut decided = Decided::default();
    for ((kind, left, right), rule) in &changes {
        match rule {
            Some(Rule::Always) => decided.always += 1,
            Some(Rule::Never) => decided.never += 1,
            None => decided.withdrawn += 1,
        }
        rows.push(&[
            text(Some(kind.as_str())),
            text(Some(&left.source)),
            text(Some(&left.stream)),
            text(Some(&left.id)),
            text(Some(&right.source)),
            text(Some(&right.stream)),
            text(Some(&right.id)),
            text(Some(rule.map_or(WITHDRAWN, Rule::as_str))),
            text(Some(&decision.by)),
            text(decision.reason.as_deref()),
            Value::Timestamp(now),
            text(Some(run_id.as_str())),
        ])?;
    }
    if !changes.is_empty() {
        warehouse
            .commit(Batch {
                appends: vec![rows.finish()?],
                ..Batch::default()
            })
            .await?;
    }
    Ok(decided)
}

/// What a decision is about.
struct Meant {
    kind: EntityKind,
    ids: Vec<Group>,
    from: Vec<Group>,
}

/// What an id names: a record and its entity's records, or an entity's records.
struct Group {
    found: Found,
    whole: Vec<RecordRef>,
}

impl Group {
    async fn read(warehouse: &dyn Warehouse, found: Found) -> Result<Self> {
        let members = entities::members(warehouse, &found.entity).await?;
        let whole = members.into_iter().map(|member| member.record).collect();
        Ok(Self { found, whole })
    }

    /// Returns the records that are named: the one, or all of the entity's.
    fn named(&self) -> &[RecordRef] {
        let record = self.found.record.as_ref();
        record.map_or(&self.whole, std::slice::from_ref)
    }
}

impl Meant {
    async fn read(warehouse: &dyn Warehouse, decision: &Decision) -> Result<Self> {
        let mut groups = Vec::new();
        for id in decision.ids.iter().chain(&decision.from) {
            let found = entities::find(warehouse, id, decision.kind).await?;
            groups.push(Group::read(warehouse, found).await?);
        }
        let from = groups.split_off(decision.ids.len());
        let kind = groups.first().map(|group| group.found.kind);
        let kind = kind.ok_or_else(|| refused("at least one id"))?;
        if groups
            .iter()
            .chain(&from)
            .any(|group| group.found.kind != kind)
        {
            return Err(refused("all people, or all companies"));
        }
        Ok(Self {
            kind,
            ids: groups,
            from,
        })
    }

    /// Returns the rule of every pair that changes; none where a decision is withdrawn.
    fn changes(
        &self,
        decision: &Decision,
        holding: &[Override],
    ) -> Result<BTreeMap<Pair, Option<Rule>>> {
        let wanted = match decision.ruling {
            Ruling::Join => self.joined()?,
            Ruling::Split => self.apart()?,
            Ruling::Withdraw => BTreeMap::new(),
        };
        let mut changes = BTreeMap::new();
        for it in holding.iter().filter(|it| it.kind == self.kind) {
            if self.speaks_against(decision.ruling, it) {
                changes.insert(pair(it.kind, &it.left, &it.right), None);
            }
        }
        let holds: BTreeSet<(Pair, Rule)> = holding
            .iter()
            .map(|it| (pair(it.kind, &it.left, &it.right), it.rule))
            .collect();
        for (pair, rule) in wanted {
            if holds.contains(&(pair.clone(), rule)) {
                changes.remove(&pair);
            } else {
                changes.insert(pair, Some(rule));
            }
        }
        Ok(changes)
    }

    /// Ties one record of each to one of the first.
    fn joined(&self) -> Result<BTreeMap<Pair, Rule>> {
        let (first, others) = self.ids.split_first().ok_or_else(|| refused("two ids"))?;
        let one = first.named().first().ok_or_else(unreadable)?;
        if others.is_empty() {
            return Err(refused("at least two ids"));
        }
        let others = others.iter().filter_map(|group| group.named().first());
        Ok(others
            .filter(|other| *other != one)
            .map(|other| (pair(self.kind, one, other), Rule::Always))
            .collect())
    }

    /// Parts all named records from the others, and ties those together that leave an entity.
    fn apart(&self) -> Result<BTreeMap<Pair, Rule>> {
        let leaving = self.leaving();
        let staying = self.staying()?;
        if leaving.len().saturating_mul(staying.len()) > MOST_PAIRS {
            return Err(refused("fewer records: name records instead of entities"));
        }
        let mut rules = BTreeMap::new();
        if self.from.is_empty()
            && let Some((first, others)) = leaving.split_first()
        {
            let tied = others.iter().map(|other| pair(self.kind, first, other));
            rules.extend(tied.map(|pair| (pair, Rule::Always)));
        }
        for one in &leaving {
            let parted = staying.iter().map(|other| pair(self.kind, one, other));
            rules.extend(parted.map(|pair| (pair, Rule::Never)));
        }
        Ok(rules)
    }

    /// Returns the records that leave, each once.
    fn leaving(&self) -> Vec<&RecordRef> {
        let named: BTreeSet<&RecordRef> = self.ids.iter().flat_map(Group::named).collect();
        named.into_iter().collect()
    }

    /// Returns the records that they leave.
    fn staying(&self) -> Result<Vec<&RecordRef>> {
        let leaving = self.leaving();
        let stays = |record: &&RecordRef| !leaving.contains(record);
        if !self.from.is_empty() {
            let from = self.from.iter().flat_map(Group::named);
            let staying: BTreeSet<&RecordRef> = from.collect();
            return if staying.iter().all(stays) {
                Ok(staying.into_iter().collect())
            } else {
                Err(refused("others after --from than before it"))
            };
        }
        let first = self.ids.first().ok_or_else(|| refused("an id"))?;
        if self.ids.iter().any(|group| group.found.record.is_none()) {
            return Err(refused("records; entities only with --from"));
        }
        if self
            .ids
            .iter()
            .any(|group| group.found.entity != first.found.entity)
        {
            return Err(refused("records of one entity, or --from"));
        }
        let staying: Vec<&RecordRef> = first.whole.iter().filter(stays).collect();
        if staying.is_empty() {
            return Err(refused("fewer records than the entity has"));
        }
        Ok(staying)
    }

    /// Says whether an earlier decision can't hold beside this one.
    fn speaks_against(&self, ruling: Ruling, it: &Override) -> bool {
        let among = |record: &RecordRef, groups: &[Group]| {
            groups.iter().any(|group| group.whole.contains(record))
        };
        let named = |record: &RecordRef, groups: &[Group]| {
            groups.iter().any(|group| group.named().contains(record))
        };
        match ruling {
            Ruling::Join => {
                let between = |(at, one): (usize, &Group)| {
                    let others = self
                        .ids
                        .iter()
                        .enumerate()
                        .filter(move |(other, _)| *other != at);
                    let mut others = others.map(|(_, other)| &other.whole);
                    one.whole.contains(&it.left) && others.any(|other| other.contains(&it.right))
                };
                it.rule == Rule::Never && self.ids.iter().enumerate().any(between)
            }
            Ruling::Split => {
                let stays = |record| {
                    if self.from.is_empty() {
                        among(record, &self.ids) && !named(record, &self.ids)
                    } else {
                        named(record, &self.from)
                    }
                };
                let crosses = |one, other| named(one, &self.ids) && stays(other);
                it.rule == Rule::Always
                    && (crosses(&it.left, &it.right) || crosses(&it.right, &it.left))
            }
            Ruling::Withdraw => named(&it.left, &self.ids) || named(&it.right, &self.ids),
        }
    }
}

fn refused(must_be: &'static str) -> Error {
    Error::new(Code::RequestInvalid, "decide which records are one entity").with("must be", must_be)
}
