//! HubSpot's search: what the index knows, at most 10,000 results deep.

use serde_json::Value;

use super::answer::{invalid, not_found};
use super::filter::Filter;
use super::records::{Writer, page, push_paging, texts};
use super::schema;
use crate::World;
use crate::server::{Answer, Asked, RequestClass};
use crate::store::{Cell, Shelf};

const LIMIT_MAX: usize = 200;
const DEPTH_MAX: usize = 10_000;

/// Which way the results are sorted.
#[derive(Debug)]
enum Order {
    /// By id, as records were created.
    Id,
    /// By modification time, then id.
    Time,
    /// By another column.
    Column(usize),
}

/// Answers one page of a search.
pub(crate) fn search(world: &World, asked: &Asked, object: &str) -> Answer {
    let Some(body) = asked.json() else {
        return invalid("Invalid input JSON");
    };
    let (limit, after) = (number(&body, "limit", 10), number(&body, "after", 0));
    let (Some(limit @ 1..=LIMIT_MAX), Some(after)) = (limit, after) else {
        return invalid("limit must be between 1 and 200, and after a number");
    };
    if after.saturating_add(limit) > DEPTH_MAX {
        return invalid("The requested offset and limit reach beyond 10,000 results");
    }
    let now_ms = world.now_ms();
    // Bound on its own, so that the reading lock has gone before the writing one is taken.
    let settled = world
        .hubspot()
        .shelf(object)
        .is_none_or(|shelf| shelf.is_settled(now_ms));
    if !settled && let Some(shelf) = world.hubspot_mut().shelf_mut(object) {
        shelf.settle(now_ms);
    }
    let side = world.hubspot();
    let Some(shelf) = side.shelf(object) else {
        return not_found();
    };
    let filter = match Filter::read(shelf, &body) {
        Ok(filter) => filter,
        Err(refusal) => return *refusal,
    };
    let Some((order, descending)) = order(shelf, &body) else {
        return invalid("sorts must name one known property");
    };
    let (total, slots) = found(shelf, &filter, (&order, descending), (after, limit));
    let writer = Writer::new(&side, shelf, texts(&body, "properties"), None);
    let mut text = format!("{{\"total\":{total},\"results\":[");
    let mut ids = Vec::with_capacity(slots.len());
    for record in slots.into_iter().filter_map(|slot| shelf.at(slot)) {
        if !ids.is_empty() {
            text.push(',');
        }
        writer.write(
            &mut text,
            record,
            record.indexed.as_ref().unwrap_or(&record.current),
        );
        ids.push(record.id.to_string());
    }
    text.push(']');
    let next = after.saturating_add(limit);
    if next < total {
        // The vendor offers the next page even where it would refuse it.
        push_paging(&mut text, asked, &next.to_string());
    }
    text.push('}');
    Answer::text(200, text).page(page(shelf, RequestClass::Search, ids))
}

/// Counts all matches and gives the slots of one page.
fn found(
    shelf: &Shelf,
    filter: &Filter,
    (order, descending): (&Order, bool),
    (after, limit): (usize, usize),
) -> (usize, Vec<u32>) {
    let (low_ms, high_ms) = filter.time_bounds();
    let entries = if low_ms > high_ms {
        &[]
    } else {
        shelf.between(low_ms, high_ms)
    };
    if filter.is_only_time() && matches!(order, Order::Time) && !descending {
        let slots = entries
            .iter()
            .skip(after)
            .take(limit)
            .map(|entry| entry.slot)
            .collect();
        return (entries.len(), slots);
    }
    let width = shelf.fields.len();
    let only_time = filter.is_only_time();
    let mut slots: Vec<u32> = entries
        .iter()
        .map(|entry| entry.slot)
        .filter(|&slot| {
            only_time
                || shelf
                    .at(slot)
                    .and_then(|record| record.indexed.as_ref())
                    .is_some_and(|version| filter.matches(width, version))
        })
        .collect();
    match order {
        Order::Time => {}
        Order::Id => slots.sort_unstable(),
        Order::Column(column) => sort_by_column(shelf, &mut slots, *column),
    }
    if descending {
        slots.reverse();
    }
    (
        slots.len(),
        slots.into_iter().skip(after).take(limit).collect(),
    )
}

fn sort_by_column(shelf: &Shelf, slots: &mut [u32], column: usize) {
    let Some(kind) = shelf.fields.get(column).map(|field| field.kind) else {
        return;
    };
    let cell = |slot: u32| {
        let version = shelf.at(slot).and_then(|record| record.indexed.as_ref());
        version.map_or(Cell::Null, |version| {
            Cell::of_fragment(kind, version.fragment(column))
        })
    };
    slots.sort_by(|&left, &right| cell(left).sort_order(&cell(right)).then(left.cmp(&right)));
}

/// Reads the one sort that is allowed; none if it is not understood.
fn order(shelf: &Shelf, body: &Value) -> Option<(Order, bool)> {
    let empty = Vec::new();
    let sorts = body
        .get("sorts")
        .and_then(Value::as_array)
        .unwrap_or(&empty);
    let [sort] = sorts.as_slice() else {
        return sorts.is_empty().then_some((Order::Id, false));
    };
    let (name, descending) = match sort {
        Value::String(name) => match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        },
        other => {
            let direction = other
                .get("direction")
                .and_then(Value::as_str)
                .unwrap_or_default();
            (
                other.get("propertyName")?.as_str()?,
                direction.eq_ignore_ascii_case("DESCENDING"),
            )
        }
    };
    let order = match name {
        "hs_object_id" => Order::Id,
        _ if name == schema::time_property(&shelf.name) => Order::Time,
        _ => Order::Column(shelf.column(name)?),
    };
    Some((order, descending))
}

fn number(body: &Value, name: &str, default: usize) -> Option<usize> {
    match body.get(name) {
        None | Some(Value::Null) => Some(default),
        Some(Value::String(text)) if text.is_empty() => Some(default),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other
            .as_u64()
            .and_then(|number| usize::try_from(number).ok()),
    }
}
