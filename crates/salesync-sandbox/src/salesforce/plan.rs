//! A query held against an object's fields: its conditions checked, and the rows found.
//!
//! Conditions on the stamp and the id become spans of the time index wherever they can, so that
//! reading on from the last row costs what the page costs; the rest is tested row by row.

use std::cmp::Ordering;

use super::id_text;
use super::schema;
use super::soql::{Direction, Expr, Literal, Operator, Soql};
use crate::store::{Cell, Kind, Record, Shelf, State};

/// A refusal: error code and message.
pub(crate) type Refusal = (&'static str, String);

/// A condition with its columns found and its literals read.
#[derive(Debug)]
pub(crate) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    /// The stamp lies between two instants, both counted in.
    Stamp(i64, i64),
    /// The record lies between two slots, the second not counted in.
    Slots(u32, u32),
    Value(usize, Kind, Operator, Cell<'static>),
    OneOf(usize, Kind, Vec<Cell<'static>>),
}

/// Which rows a condition lets through, as far as the index can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// Exactly these spans of (stamp, slot), both ends counted in, ascending and apart.
    Spans(Vec<Span>),
    /// Exactly these slots, the second not counted in.
    Slots(u32, u32),
}

type Key = (i64, u32);
type Span = (Key, Key);

/// Which rows count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Live ones.
    Live,
    /// Those in the recycle bin, too.
    All,
}

impl Test {
    /// Holds a condition against an object's fields.
    pub(crate) fn of(shelf: &Shelf, expr: &Expr) -> Result<Self, Refusal> {
        Ok(match expr {
            Expr::All(terms) => Test::All(all(shelf, terms)?),
            Expr::Any(terms) => Test::Any(all(shelf, terms)?),
            Expr::Not(inner) => Test::Not(Box::new(Test::of(shelf, inner)?)),
            Expr::Compare(field, operator, literal) => compare(shelf, field, *operator, literal)?,
            Expr::In(field, literals) => {
                let (column, kind) = filterable(shelf, field)?;
                let cells = literals.iter().map(|literal| cell(field, kind, literal));
                Test::OneOf(column, kind, cells.collect::<Result<_, _>>()?)
            }
        })
    }

    fn holds(&self, slot: u32, record: &Record, shelf: &Shelf) -> bool {
        match self {
            Test::All(terms) => terms.iter().all(|term| term.holds(slot, record, shelf)),
            Test::Any(terms) => terms.iter().any(|term| term.holds(slot, record, shelf)),
            Test::Not(inner) => !inner.holds(slot, record, shelf),
            Test::Stamp(low, high) => (*low..=*high).contains(&record.current.time_ms),
            Test::Slots(low, high) => (*low..*high).contains(&slot),
            Test::Value(column, kind, operator, wanted) => {
                value_holds(shelf, record, (*column, *kind), (*operator, wanted))
            }
            Test::OneOf(column, kind, wanted) => wanted.iter().any(|wanted| {
                value_holds(shelf, record, (*column, *kind), (Operator::Equal, wanted))
            }),
        }
    }

    /// Says which stamps can match at all.
    fn hull(&self) -> (i64, i64) {
        match self {
            Test::Stamp(low, high) => (*low, *high),
            Test::All(terms) => terms
                .iter()
                .map(Test::hull)
                .fold((i64::MIN, i64::MAX), |one, other| {
                    (one.0.max(other.0), one.1.min(other.1))
                }),
            Test::Any(terms) => terms
                .iter()
                .map(Test::hull)
                .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
                .unwrap_or((i64::MIN, i64::MAX)),
            _ => (i64::MIN, i64::MAX),
        }
    }

    fn shape(&self) -> Option<Shape> {
        match self {
            Test::Stamp(low, high) if low > high => Some(Shape::Spans(Vec::new())),
            Test::Stamp(low, high) => Some(Shape::Spans(vec![((*low, 0), (*high, u32::MAX))])),
            Test::Slots(low, high) => Some(Shape::Slots(*low, *high)),
            Test::All(terms) => terms
                .iter()
                .map(Test::shape)
                .reduce(|one, other| both(one?, other?))
                .flatten(),
            Test::Any(terms) => terms
                .iter()
                .map(Test::shape)
                .reduce(|one, other| either(one?, other?))
                .flatten(),
            Test::Not(_) | Test::Value(..) | Test::OneOf(..) => None,
        }
    }
}

/// Finds the rows of a query, sorted, cut to its limit.
pub(crate) fn rows(
    shelf: &Shelf,
    soql: &Soql,
    test: &Test,
    scope: Scope,
) -> Result<Vec<u32>, Refusal> {
    let order = order(shelf, soql)?;
    let count = u32::try_from(shelf.records().len()).unwrap_or(u32::MAX);
    let mut hidden = vec![false; count as usize];
    if scope == Scope::Live {
        for slot in shelf.binned() {
            if let Some(place) = hidden.get_mut(slot as usize) {
                *place = true;
            }
        }
        if let Some(archived) = shelf.column("IsArchived") {
            for (place, record) in hidden.iter_mut().zip(shelf.records()) {
                *place |= record.current.fragment(archived) == "true";
            }
        }
    }
    let seen = |slot: &u32| !hidden.get(*slot as usize).copied().unwrap_or(true);
    let shape = test.shape();
    let sorted = match shape {
        Some(Shape::Slots(..)) => order == Order::Id || order == Order::Any,
        _ => order == Order::Stamp || order == Order::Any,
    };
    let wanted = match (sorted, soql.limit) {
        (true, Some(limit)) => limit.saturating_add(soql.offset),
        _ => usize::MAX,
    };
    let mut slots: Vec<u32> = match &shape {
        Some(Shape::Slots(low, high)) => (*low..(*high).min(count))
            .filter(seen)
            .filter(|slot| shelf.at(*slot).is_some_and(is_there))
            .take(wanted)
            .collect(),
        Some(Shape::Spans(spans)) => spans
            .iter()
            .flat_map(|span| within(shelf, *span))
            .filter(seen)
            .take(wanted)
            .collect(),
        None => {
            let (low, high) = test.hull();
            let entries = if low > high {
                &[]
            } else {
                shelf.between(low, high)
            };
            let fits = |slot: &u32| {
                shelf
                    .at(*slot)
                    .is_some_and(|record| test.holds(*slot, record, shelf))
            };
            entries
                .iter()
                .map(|entry| entry.slot)
                .filter(seen)
                .filter(fits)
                .take(wanted)
                .collect()
        }
    };
    if !sorted {
        sort(shelf, &mut slots, &order);
    }
    slots.drain(..soql.offset.min(slots.len()));
    slots.truncate(soql.limit.unwrap_or(usize::MAX));
    Ok(slots)
}

fn is_there(record: &Record) -> bool {
    !matches!(record.state, State::Erased(_))
}

fn within(shelf: &Shelf, (from, to): Span) -> impl Iterator<Item = u32> + '_ {
    let entries = shelf.between(from.0, to.0);
    let start = entries.partition_point(|entry| (entry.time_ms, entry.slot) < from);
    let end = entries.partition_point(|entry| (entry.time_ms, entry.slot) <= to);
    entries
        .get(start..end)
        .unwrap_or_default()
        .iter()
        .map(|entry| entry.slot)
}

/// Both shapes hold.
fn both(one: Shape, other: Shape) -> Option<Shape> {
    match (one, other) {
        (Shape::Slots(low, high), Shape::Slots(other_low, other_high)) => {
            Some(Shape::Slots(low.max(other_low), high.min(other_high)))
        }
        (Shape::Spans(spans), Shape::Slots(low, high))
        | (Shape::Slots(low, high), Shape::Spans(spans)) => {
            let cut = |((from, first), (to, last)): Span| {
                // Only within one instant are slots in one piece.
                (from == to).then(|| {
                    let last = last.min(high.saturating_sub(1));
                    (high > 0).then_some(((from, first.max(low)), (to, last)))
                })
            };
            let spans: Option<Vec<Option<Span>>> = spans.into_iter().map(cut).collect();
            let spans = spans?
                .into_iter()
                .flatten()
                .filter(|(from, to)| from <= to)
                .collect();
            Some(Shape::Spans(spans))
        }
        (Shape::Spans(spans), Shape::Spans(others)) => {
            let mut found = Vec::new();
            for (from, to) in &spans {
                for (other_from, other_to) in &others {
                    let span = (*from.max(other_from), *to.min(other_to));
                    if span.0 <= span.1 {
                        found.push(span);
                    }
                }
            }
            found.sort_unstable();
            Some(Shape::Spans(found))
        }
    }
}

/// One of the shapes holds.
fn either(one: Shape, other: Shape) -> Option<Shape> {
    let (Shape::Spans(mut spans), Shape::Spans(others)) = (one, other) else {
        return None;
    };
    spans.extend(others);
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
            _ => joined.push(span),
        }
    }
    Some(Shape::Spans(joined))
}

#[derive(Debug, PartialEq, Eq)]
enum Order {
    Any,
    Stamp,
    Id,
    Columns(Vec<(usize, Kind, Direction)>),
}

fn order(shelf: &Shelf, soql: &Soql) -> Result<Order, Refusal> {
    let mut columns = Vec::new();
    for (field, direction) in &soql.order {
        let (column, kind) = find(shelf, field)?;
        if matches!(kind, Kind::TextArea | Kind::Address | Kind::MultiPicklist) {
            let message = format!("field '{field}' can not be sorted in a query call");
            return Err(("MALFORMED_QUERY", message));
        }
        columns.push((column, kind, *direction));
    }
    let [stamp, id] = shelf.columns(["SystemModstamp", "Id"]);
    let up = |wanted: usize, at: usize| {
        columns.get(at).is_some_and(|(column, _, direction)| {
            *column == wanted && *direction == Direction::Ascending
        })
    };
    Ok(match columns.len() {
        0 => Order::Any,
        _ if up(id, 0) => Order::Id,
        1 if up(stamp, 0) => Order::Stamp,
        2.. if up(stamp, 0) && up(id, 1) => Order::Stamp,
        _ => Order::Columns(columns),
    })
}

fn sort(shelf: &Shelf, slots: &mut [u32], order: &Order) {
    match order {
        Order::Any => {}
        Order::Id => slots.sort_unstable(),
        Order::Stamp => slots.sort_by_key(|&slot| {
            (
                shelf.at(slot).map_or(0, |record| record.current.time_ms),
                slot,
            )
        }),
        Order::Columns(columns) => slots.sort_by(|&left, &right| {
            let by_columns = columns.iter().map(|(column, kind, direction)| {
                let ordering = sorted_by(shelf, (left, right), (*column, *kind));
                if *direction == Direction::Descending {
                    ordering.reverse()
                } else {
                    ordering
                }
            });
            by_columns
                .fold(Ordering::Equal, Ordering::then)
                .then(left.cmp(&right))
        }),
    }
}

fn sorted_by(shelf: &Shelf, (left, right): (u32, u32), (column, kind): (usize, Kind)) -> Ordering {
    if kind == Kind::Id {
        return left.cmp(&right);
    }
    let (Some(left), Some(right)) = (shelf.at(left), shelf.at(right)) else {
        return Ordering::Equal;
    };
    let Some(field) = shelf.fields.get(column) else {
        return Ordering::Equal;
    };
    let (left, right) = (
        field.fragment(column, &left.current),
        field.fragment(column, &right.current),
    );
    Cell::of_fragment(kind, left.as_str()).sort_order(&Cell::of_fragment(kind, right.as_str()))
}

fn all(shelf: &Shelf, terms: &[Expr]) -> Result<Vec<Test>, Refusal> {
    terms.iter().map(|term| Test::of(shelf, term)).collect()
}

/// Finds a field, in any case.
pub(crate) fn find(shelf: &Shelf, field: &str) -> Result<(usize, Kind), Refusal> {
    let found = shelf
        .column(field)
        .and_then(|at| Some((at, shelf.fields.get(at)?.kind)));
    found.ok_or_else(|| {
        let message = format!("No such column '{field}' on entity '{}'.", shelf.name);
        ("INVALID_FIELD", message)
    })
}

fn filterable(shelf: &Shelf, field: &str) -> Result<(usize, Kind), Refusal> {
    let (column, kind) = find(shelf, field)?;
    if matches!(kind, Kind::TextArea | Kind::Address) {
        let message = format!("field '{field}' can not be filtered in a query call");
        return Err(("INVALID_FIELD", message));
    }
    Ok((column, kind))
}

fn compare(
    shelf: &Shelf,
    field: &str,
    operator: Operator,
    literal: &Literal,
) -> Result<Test, Refusal> {
    let (column, kind) = filterable(shelf, field)?;
    let wanted = cell(field, kind, literal)?;
    let [stamp, own_id] = shelf.columns(["SystemModstamp", "Id"]);
    if let (true, Cell::Time(ms)) = (column == stamp, &wanted) {
        let found = match operator {
            Operator::Equal => Some((*ms, *ms)),
            Operator::Less => Some((i64::MIN, ms.saturating_sub(1))),
            Operator::LessOrEqual => Some((i64::MIN, *ms)),
            Operator::Greater => Some((ms.saturating_add(1), i64::MAX)),
            Operator::GreaterOrEqual => Some((*ms, i64::MAX)),
            Operator::Unequal | Operator::Like => None,
        };
        if let Some((low, high)) = found {
            return Ok(Test::Stamp(low, high));
        }
    }
    if let (true, Cell::Text(id)) = (column == own_id, &wanted) {
        let (floor, ceiling) = slots_around(shelf, id);
        match operator {
            Operator::Equal => return Ok(Test::Slots(floor, ceiling)),
            Operator::Less => return Ok(Test::Slots(0, floor)),
            Operator::LessOrEqual => return Ok(Test::Slots(0, ceiling)),
            Operator::Greater => return Ok(Test::Slots(ceiling, u32::MAX)),
            Operator::GreaterOrEqual => return Ok(Test::Slots(floor, u32::MAX)),
            Operator::Unequal | Operator::Like => {}
        }
    }
    Ok(Test::Value(column, kind, operator, wanted))
}

/// The first slot not below an id, and the first above it. Ids compare by 15 characters.
fn slots_around(shelf: &Shelf, id: &str) -> (u32, u32) {
    let prefix = schema::key_prefix(&shelf.name);
    let wanted = id.get(..15).unwrap_or(id);
    let place = |wanted_order: fn(Ordering) -> bool| {
        let at = shelf.records().partition_point(|record| {
            let own = id_text(prefix, record.id);
            wanted_order(own.get(..15).unwrap_or_default().cmp(wanted))
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    };
    (place(Ordering::is_lt), place(Ordering::is_le))
}

/// Reads a literal as a value of a field's kind.
fn cell(field: &str, kind: Kind, literal: &Literal) -> Result<Cell<'static>, Refusal> {
    let refuse = |wanted: &str| {
        let message = format!(
            "value of filter criterion for field '{field}' must be of type {wanted} and should \
             {}be enclosed in quotes",
            if wanted == "string" { "" } else { "not " }
        );
        Err(("INVALID_FIELD", message))
    };
    match (kind, literal) {
        (_, Literal::Null) => Ok(Cell::Null),
        (Kind::DateTime, Literal::DateTime(ms)) | (Kind::Date, Literal::Date(ms)) => {
            Ok(Cell::Time(*ms))
        }
        (Kind::DateTime, _) => refuse("dateTime"),
        (Kind::Date, _) => refuse("date"),
        (Kind::Bool, Literal::Flag(flag)) => Ok(Cell::Flag(*flag)),
        (Kind::Bool, _) => refuse("boolean"),
        (Kind::Double | Kind::Currency | Kind::Percent | Kind::Int, Literal::Number(number)) => {
            Ok(Cell::Number(*number))
        }
        (Kind::Double | Kind::Currency | Kind::Percent | Kind::Int, _) => refuse("double"),
        (Kind::Id | Kind::Reference, Literal::Text(id)) => {
            if !matches!(id.len(), 15 | 18) || !id.bytes().all(|sign| sign.is_ascii_alphanumeric())
            {
                return Err((
                    "INVALID_QUERY_FILTER_OPERATOR",
                    format!("invalid ID field: {id}"),
                ));
            }
            Ok(Cell::Text(id.get(..15).unwrap_or(id).to_owned().into()))
        }
        (_, Literal::Text(text)) => Ok(Cell::Text(text.clone().into())),
        _ => refuse("string"),
    }
}

fn value_holds(
    shelf: &Shelf,
    record: &Record,
    (column, kind): (usize, Kind),
    (operator, wanted): (Operator, &Cell<'static>),
) -> bool {
    let Some(field) = shelf.fields.get(column) else {
        return false;
    };
    let fragment = field.fragment(column, &record.current);
    let own = Cell::of_fragment(kind, fragment.as_str());
    let ordering = match (kind, &own, wanted) {
        (Kind::Id | Kind::Reference, Cell::Text(own), Cell::Text(wanted)) => {
            Some(own.get(..15).unwrap_or_default().cmp(wanted.as_ref()))
        }
        (_, Cell::Null, Cell::Null) => Some(Ordering::Equal),
        _ => own.compare(wanted),
    };
    match operator {
        Operator::Equal => ordering == Some(Ordering::Equal),
        Operator::Unequal => ordering != Some(Ordering::Equal),
        Operator::Less => ordering == Some(Ordering::Less),
        Operator::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        Operator::Greater => ordering == Some(Ordering::Greater),
        Operator::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        Operator::Like => match (&own, wanted) {
            (Cell::Text(own), Cell::Text(pattern)) => {
                let (own, pattern) = (own.to_lowercase(), pattern.to_lowercase());
                let (own, pattern): (Vec<char>, Vec<char>) =
                    (own.chars().collect(), pattern.chars().collect());
                like(&own, &pattern)
            }
            _ => false,
        },
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some((&'%', rest)), first) => {
            like(text, rest) || first.is_some_and(|(_, tail)| like(tail, pattern))
        }
        (Some((&'_', rest)), Some((_, tail))) => like(tail, rest),
        (Some((sign, rest)), Some((own, tail))) => sign == own && like(tail, rest),
        (Some(_), None) => false,
    }
}
