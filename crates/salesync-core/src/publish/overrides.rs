//! What people decided about records: written down for good, and read by every resolve.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use serde::Serialize;

use super::entities::{self, Found};
use super::merged::Merged;
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

const OPERATION: &str = "decide which records are one entity";

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

/// Returns what holds for the records that are there: what was said of one that was merged goes for the one that it
/// lives on in.
pub(super) fn living(overrides: Vec<Override>, merged: &Merged) -> Vec<Override> {
    let carried = overrides.into_iter().map(|it| {
        let (_, left, right) = pair(it.kind, &merged.living(it.left), &merged.living(it.right));
        Override { left, right, ..it }
    });
    // The source itself says that two are one which it has merged.
    carried.filter(|it| it.left != it.right).collect()
}

/// Writes a decision down. It shows with the next resolve and holds at every later one. Decisions that speak against
/// it are withdrawn: the last word counts. One that earlier decisions contradict through further records is refused.
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
    consistent(&changes, &holding)?;
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

/// Fails where a decision would keep two records apart that others tie together, or the other way round.
fn consistent(changes: &BTreeMap<Pair, Option<Rule>>, holding: &[Override]) -> Result<()> {
    let mut rules: BTreeMap<Pair, Option<Rule>> = holding
        .iter()
        .map(|it| (pair(it.kind, &it.left, &it.right), Some(it.rule)))
        .collect();
    rules.extend(changes.iter().map(|(pair, rule)| (pair.clone(), *rule)));
    let mut group_of: HashMap<(EntityKind, &RecordRef), usize> = HashMap::new();
    let mut groups: Vec<Vec<(EntityKind, &RecordRef)>> = Vec::new();
    let always = rules
        .iter()
        .filter(|(_, rule)| **rule == Some(Rule::Always));
    for ((kind, left, right), _) in always {
        let [one, other] = [left, right].map(|record| {
            *group_of.entry((*kind, record)).or_insert_with(|| {
                groups.push(vec![(*kind, record)]);
                groups.len() - 1
            })
        });
        if one != other {
            let moved = groups
                .get_mut(other)
                .map(std::mem::take)
                .unwrap_or_default();
            for record in &moved {
                group_of.insert(*record, one);
            }
            if let Some(group) = groups.get_mut(one) {
                group.extend(moved);
            }
        }
    }
    let group = |kind: EntityKind, record| group_of.get(&(kind, record));
    let decided = changes.iter().filter(|(_, rule)| rule.is_some());
    let touched: HashSet<&usize> = decided
        .flat_map(|((kind, left, right), _)| [group(*kind, left), group(*kind, right)])
        .flatten()
        .collect();
    let mut never = rules.iter().filter(|(_, rule)| **rule == Some(Rule::Never));
    let tied = never.find(|((kind, left, right), _)| {
        let one = group(*kind, left);
        one == group(*kind, right) && one.is_some_and(|one| touched.contains(one))
    });
    match tied {
        None => Ok(()),
        Some(((_, left, right), _)) => Err(Error::new(Code::RequestInvalid, OPERATION)
            .with("other decisions tie together", format!("{left}, {right}"))
            .with("withdraw first", "those about one of the two")),
    }
}

/// What a decision is about.
struct Meant {
    kind: EntityKind,
    ids: Vec<Group>,
    from: Vec<Group>,
}

/// The records that each record is kept apart from.
type ApartFrom<'a> = HashMap<&'a RecordRef, HashSet<&'a RecordRef>>;

/// What an id names: a record and its entity's records, or an entity's records.
struct Group {
    found: Found,
    whole: BTreeSet<RecordRef>,
}

impl Group {
    async fn read(warehouse: &dyn Warehouse, found: Found) -> Result<Self> {
        let members = entities::members(warehouse, &found.entity).await?;
        let whole = members.into_iter().map(|member| member.record).collect();
        Ok(Self { found, whole })
    }

    /// Returns the records that are named: the one, or all of the entity's.
    fn named(&self) -> impl Iterator<Item = &RecordRef> {
        let record = self.found.record.as_ref();
        let whole = self.whole.iter().filter(move |_| record.is_none());
        record.into_iter().chain(whole)
    }

    /// Says whether a record is named.
    fn names(&self, record: &RecordRef) -> bool {
        let named = self.found.record.as_ref();
        named.map_or_else(|| self.whole.contains(record), |named| named == record)
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
        let apart_from = self.apart_from(holding);
        for it in holding.iter().filter(|it| it.kind == self.kind) {
            if self.speaks_against(decision.ruling, it, &apart_from) {
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
        let one = first.named().next().ok_or_else(unreadable)?;
        if others.is_empty() {
            return Err(refused("at least two ids"));
        }
        let others = others.iter().filter_map(|group| group.named().next());
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
        let leaving: HashSet<&RecordRef> = self.leaving().into_iter().collect();
        let stays = |record: &&RecordRef| !leaving.contains(record);
        if !self.from.is_empty() {
            let from = self.from.iter().flat_map(Group::named);
            let staying: BTreeSet<&RecordRef> = from.collect();
            return if staying.iter().all(stays) {
                Ok(staying.into_iter().collect())
            } else {
                Err(refused("others to part from than those that leave"))
            };
        }
        let first = self.ids.first().ok_or_else(|| refused("an id"))?;
        if self.ids.iter().any(|group| group.found.record.is_none()) {
            return Err(refused("records; entities only where it is said from what"));
        }
        if self
            .ids
            .iter()
            .any(|group| group.found.entity != first.found.entity)
        {
            return Err(refused(
                "records of one entity, or it must be said from what",
            ));
        }
        let staying: Vec<&RecordRef> = first.whole.iter().filter(stays).collect();
        if staying.is_empty() {
            return Err(refused("fewer records than the entity has"));
        }
        Ok(staying)
    }

    /// Returns which records each record is kept apart from.
    fn apart_from<'a>(&self, holding: &'a [Override]) -> ApartFrom<'a> {
        let mut apart_from = ApartFrom::new();
        let never = holding
            .iter()
            .filter(|it| it.kind == self.kind && it.rule == Rule::Never);
        for it in never {
            apart_from.entry(&it.left).or_default().insert(&it.right);
            apart_from.entry(&it.right).or_default().insert(&it.left);
        }
        apart_from
    }

    /// Says whether the two records that are kept apart come together: their entities are joined; or, where a split has
    /// not shown yet, the two sides of it.
    fn joins(&self, it: &Override, apart_from: &ApartFrom<'_>) -> bool {
        let are_apart = |one: &RecordRef, other: &RecordRef| {
            apart_from
                .get(one)
                .is_some_and(|others| others.contains(other))
        };
        let meets = |one: &Group, other: &Group| {
            if one.found.entity != other.found.entity {
                return one.whole.contains(&it.left) && other.whole.contains(&it.right);
            }
            let mut parted = one
                .named()
                .flat_map(|x| other.named().map(move |y| (x, y)))
                .filter(|(x, y)| are_apart(x, y));
            let is_side = |record: &RecordRef, of: &RecordRef, from: &RecordRef| {
                record == of || are_apart(record, from)
            };
            parted.any(|(x, y)| is_side(&it.left, x, y) && is_side(&it.right, y, x))
        };
        let groups = self.ids.iter().enumerate();
        let mut pairs = groups.flat_map(|(at, one)| {
            let others = self.ids.iter().enumerate();
            let others = others.filter(move |(other, _)| *other != at);
            others.map(move |(_, other)| (one, other))
        });
        pairs.any(|(one, other)| meets(one, other))
    }

    /// Says whether an earlier decision can't hold beside this one.
    fn speaks_against(&self, ruling: Ruling, it: &Override, apart_from: &ApartFrom<'_>) -> bool {
        let among = |record: &RecordRef, groups: &[Group]| {
            groups.iter().any(|group| group.whole.contains(record))
        };
        let named =
            |record: &RecordRef, groups: &[Group]| groups.iter().any(|group| group.names(record));
        match ruling {
            Ruling::Join => it.rule == Rule::Never && self.joins(it, apart_from),
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
    Error::new(Code::RequestInvalid, OPERATION).with("must be", must_be)
}
