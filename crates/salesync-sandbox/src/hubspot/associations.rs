//! HubSpot's associations: inside a list, of one record, and in batches.

use serde_json::{Value, json};

use super::answer::{invalid, not_found};
use super::records::id_of;
use super::schema;
use crate::World;
use crate::server::{Answer, Asked};
use crate::store::Shelf;
use crate::world::HubSpotSide;

const BATCH_MAX: usize = 1_000;
const PAGE_MAX: usize = 500;
/// How many records of one type a listing names inside a record.
const INLINE_MAX: usize = 100;

/// Appends `,"associations":{…}` for the asked objects that a record has any of. The first one is
/// the primary one, so its id comes twice: once labelled, once not. Where there are more than fit, the
/// list has a next page.
pub(crate) fn push_inline(
    out: &mut String,
    side: &HubSpotSide,
    (object, id): (&str, u64),
    asked: &[&str],
) {
    let mut first = true;
    for other in asked.iter().map(|other| schema::object_name(other)) {
        let linked = side.linked(object, id, other);
        if linked.is_empty() {
            continue;
        }
        out.push_str(if first {
            ",\"associations\":{\""
        } else {
            ",\""
        });
        first = false;
        out.push_str(other);
        out.push_str("\":{\"results\":[");
        let name = format!("{}_to_{}", singular(object), singular(other));
        let (shown, left) = linked.split_at(linked.len().min(INLINE_MAX));
        for (place, (_, far)) in shown.iter().enumerate() {
            if place == 0 {
                out.push_str(&format!("{{\"id\":\"{far}\",\"type\":\"{name}\"}}"));
            }
            out.push_str(&format!(
                ",{{\"id\":\"{far}\",\"type\":\"{name}_unlabeled\"}}"
            ));
        }
        out.push(']');
        if let (Some((_, last)), false) = (shown.last(), left.is_empty()) {
            out.push_str(&format!(
                ",\"paging\":{{\"next\":{{\"after\":\"{last}\"}}}}"
            ));
        }
        out.push('}');
    }
    if !first {
        out.push('}');
    }
}

/// Answers a batch of up to 1,000 ids; those without any association make it a 207.
pub(crate) fn batch(world: &World, asked: &Asked, from: &str, to: &str) -> Answer {
    let Some(body) = asked.json() else {
        return invalid("Invalid input JSON");
    };
    let Some(inputs) = body.get("inputs").and_then(Value::as_array) else {
        return invalid("inputs is missing");
    };
    if inputs.len() > BATCH_MAX {
        return invalid("a batch has at most 1,000 inputs");
    }
    let (from, to) = (schema::object_name(from), schema::object_name(to));
    let side = world.hubspot();
    let Some(shelf) = side.shelf(from) else {
        return not_found();
    };
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        let Some(id) = id_of(input) else { continue };
        let after = input
            .get("after")
            .and_then(Value::as_str)
            .and_then(|text| text.parse().ok());
        match page_of(&side, shelf, (&id, after.unwrap_or(0)), to) {
            Some(mut found) => {
                if let Some(map) = found.as_object_mut() {
                    map.insert("from".to_owned(), json!({"id": id}));
                    if let Some(to) = map.remove("results") {
                        map.insert("to".to_owned(), to);
                    }
                }
                results.push(found);
            }
            None => errors.push(none_found(&id, from, to)),
        }
    }
    let now = HubSpotSide::time_text(world.now_ms());
    let mut body = json!({
        "status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now,
    });
    if errors.is_empty() {
        return Answer::json(200, &body);
    }
    if let Some(map) = body.as_object_mut() {
        map.insert("numErrors".to_owned(), Value::from(errors.len()));
        map.insert("errors".to_owned(), Value::from(errors));
    }
    Answer::json(207, &body)
}

/// Answers a page of one record's associations.
pub(crate) fn of_one(world: &World, asked: &Asked, from: (&str, &str), to: &str) -> Answer {
    let side = world.hubspot();
    let Some(shelf) = side.shelf(from.0) else {
        return not_found();
    };
    let after = asked
        .param("after")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let to = schema::object_name(to);
    let found = page_of(&side, shelf, (from.1, after), to);
    Answer::json(200, &found.unwrap_or_else(|| json!({"results": []})))
}

/// One page of what belongs to a record; none if nothing does.
fn page_of(side: &HubSpotSide, shelf: &Shelf, (id, after): (&str, u64), to: &str) -> Option<Value> {
    let (_, record) = HubSpotSide::follow(shelf, id)?;
    let linked = side.linked(&shelf.name, record.id, to);
    let primary = linked.first()?.1;
    let mut left = linked.iter().map(|pair| pair.1).filter(|far| *far > after);
    let results: Vec<(u64, Value)> = left
        .by_ref()
        .take(PAGE_MAX)
        .map(|far| {
            let types = association_types(&shelf.name, to, far == primary);
            // The vendor's descriptions of this call differ: a text in one, a number in the other.
            let id = match far % 2 {
                0 => Value::from(far.to_string()),
                _ => Value::from(far),
            };
            (far, json!({"toObjectId": id, "associationTypes": types}))
        })
        .collect();
    let last = results.last().map(|(far, _)| *far);
    let results: Vec<Value> = results.into_iter().map(|(_, value)| value).collect();
    let mut page = json!({"results": results});
    if let (Some(_), Some(last), Some(map)) = (left.next(), last, page.as_object_mut()) {
        map.insert(
            "paging".to_owned(),
            json!({"next": {"after": last.to_string()}}),
        );
    }
    Some(page)
}

fn association_types(from: &str, to: &str, primary: bool) -> Value {
    let (labelled, plain) = match (from, to) {
        ("contacts", "companies") => (Some(1), 279),
        ("companies", "contacts") => (Some(2), 280),
        ("deals", "companies") => (Some(5), 341),
        ("companies", "deals") => (Some(6), 342),
        ("deals", "contacts") => (None, 3),
        ("contacts", "deals") => (None, 4),
        ("calls", "contacts") => (None, 194),
        ("calls", "companies") => (None, 182),
        ("calls", "deals") => (None, 206),
        ("emails", "contacts") => (None, 198),
        ("emails", "companies") => (None, 186),
        ("emails", "deals") => (None, 210),
        ("meetings", "contacts") => (None, 200),
        ("meetings", "companies") => (None, 188),
        ("meetings", "deals") => (None, 212),
        ("notes", "contacts") => (None, 202),
        ("notes", "companies") => (None, 190),
        ("notes", "deals") => (None, 214),
        ("tasks", "contacts") => (None, 204),
        ("tasks", "companies") => (None, 192),
        ("tasks", "deals") => (None, 216),
        _ => (None, 1_000),
    };
    let plain = json!({"category": "HUBSPOT_DEFINED", "typeId": plain, "label": null});
    match labelled {
        Some(id) if primary => {
            json!([{"category": "HUBSPOT_DEFINED", "typeId": id, "label": "Primary"}, plain])
        }
        _ => json!([plain]),
    }
}

fn none_found(id: &str, from: &str, to: &str) -> Value {
    let (from, to) = (singular(from), singular(to));
    json!({
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": format!("No {to} is associated with {from} {id}."),
        "context": {"fromObjectId": [id], "fromObjectType": [from], "toObjectType": [to]},
    })
}

fn singular(object: &str) -> &str {
    match object {
        "companies" => "company",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}
