//! Reading HubSpot's records: the list, one, and batches.

use serde_json::{Value, json};

use super::answer::{invalid, not_found};
use super::{associations, schema};
use crate::server::{Answer, Asked, RequestClass};
use crate::store::{Projection, Record, Shelf, State, Version, push_hubspot_time};
use crate::world::HubSpotSide;
use crate::{PageServed, Vendor, World};

const LIST_MAX: usize = 100;
const BATCH_MAX: usize = 100;

/// Answers a page of the list: by id, live records or archived ones.
pub(crate) fn list(world: &World, asked: &Asked, object: &str) -> Answer {
    let limit = asked.param("limit").map_or(Ok(10), str::parse::<usize>);
    let after = asked.param("after").map_or(Ok(0), str::parse::<u64>);
    let Ok(limit @ 1..=LIST_MAX) = limit else {
        return invalid("Invalid input: limit must be between 1 and 100");
    };
    let Ok(after) = after else {
        return invalid("Invalid input: after is no cursor");
    };
    let side = world.hubspot();
    let Some(shelf) = side.shelf(object) else {
        return not_found();
    };
    let archived = asked.param("archived") == Some("true");
    let writer = Writer::new(
        &side,
        shelf,
        asked.list("properties"),
        asked.list("associations"),
    );
    let mut body = String::with_capacity(limit.saturating_mul(1_500));
    body.push_str("{\"results\":[");
    let mut ids = Vec::new();
    let mut last = 0;
    let mut more = false;
    let rest = shelf
        .records()
        .get(shelf.slot_after(after)..)
        .unwrap_or_default();
    for record in rest.iter().filter(|record| is_listed(record, archived)) {
        if ids.len() == limit {
            more = true;
            break;
        }
        if !ids.is_empty() {
            body.push(',');
        }
        writer.write(&mut body, record, &record.current);
        last = record.id;
        ids.push(record.id.to_string());
    }
    body.push(']');
    if more {
        push_paging(&mut body, asked, &last.to_string());
    }
    body.push('}');
    let class = if archived {
        RequestClass::Archived
    } else {
        RequestClass::List
    };
    Answer::text(200, body).page(page(shelf, class, ids))
}

/// Answers one record; an id that was merged away gives the record it was merged into.
pub(crate) fn one(world: &World, asked: &Asked, object: &str, id: &str) -> Answer {
    let side = world.hubspot();
    let Some(shelf) = side.shelf(object) else {
        return not_found();
    };
    let archived = asked.param("archived") == Some("true");
    match HubSpotSide::follow(shelf, id).filter(|(_, record)| is_listed(record, archived)) {
        Some((_, record)) => {
            let lists = (asked.list("properties"), asked.list("associations"));
            let mut body = String::new();
            Writer::new(&side, shelf, lists.0, lists.1).write(&mut body, record, &record.current);
            Answer::text(200, body)
        }
        None => not_found(),
    }
}

/// Answers up to 100 records by id; those that are missing make it a 207.
pub(crate) fn batch(world: &World, asked: &Asked, object: &str) -> Answer {
    let Some(body) = asked.json() else {
        return invalid("Invalid input JSON");
    };
    let Some(inputs) = body.get("inputs").and_then(Value::as_array) else {
        return invalid("inputs is missing");
    };
    if inputs.len() > BATCH_MAX {
        return invalid("a batch has at most 100 inputs");
    }
    let side = world.hubspot();
    let Some(shelf) = side.shelf(object) else {
        return not_found();
    };
    let archived = asked.param("archived") == Some("true");
    let writer = Writer::new(&side, shelf, texts(&body, "properties"), None);
    let (mut results, mut ids, mut missing) = (String::new(), Vec::new(), Vec::new());
    for id in inputs.iter().filter_map(id_of) {
        match HubSpotSide::follow(shelf, &id).filter(|(_, record)| is_listed(record, archived)) {
            Some((_, record)) => {
                let found = record.id.to_string();
                if !ids.contains(&found) {
                    if !ids.is_empty() {
                        results.push(',');
                    }
                    writer.write(&mut results, record, &record.current);
                    ids.push(found);
                }
            }
            None => missing.push(id),
        }
    }
    let now = HubSpotSide::time_text(world.now_ms());
    let mut text = format!(
        "{{\"status\":\"COMPLETE\",\"results\":[{results}],\"startedAt\":\"{now}\",\
         \"completedAt\":\"{now}\""
    );
    let status = if missing.is_empty() { 200 } else { 207 };
    if !missing.is_empty() {
        let errors = json!([{
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some objects, they may be deleted or not exist.",
            "context": {"ids": missing},
        }]);
        text.push_str(&format!(",\"numErrors\":1,\"errors\":{errors}"));
    }
    text.push('}');
    Answer::text(status, text).page(page(shelf, RequestClass::Batch, ids))
}

/// Writes records with a chosen list of properties and associations.
pub(crate) struct Writer<'a> {
    side: &'a HubSpotSide,
    object: &'a str,
    projection: Projection,
    associations: Vec<&'a str>,
}

impl<'a> Writer<'a> {
    /// Resolves the lists; unknown properties are ignored, id and times always come along.
    pub(crate) fn new(
        side: &'a HubSpotSide,
        shelf: &'a Shelf,
        properties: Option<Vec<&str>>,
        associations: Option<Vec<&'a str>>,
    ) -> Self {
        let object = shelf.name.as_str();
        let asked = properties.unwrap_or_else(|| schema::default_properties(object).to_vec());
        let always = [
            schema::created_property(object),
            "hs_object_id",
            schema::time_property(object),
        ];
        let mut columns: Vec<usize> = Vec::new();
        for name in asked.into_iter().chain(always) {
            match shelf.column(name) {
                Some(column) if !columns.contains(&column) => columns.push(column),
                _ => {}
            }
        }
        let fields = columns
            .into_iter()
            .filter_map(|column| Some((column, shelf.fields.get(column)?.clone())))
            .collect();
        let associations = associations.unwrap_or_default();
        Self {
            side,
            object,
            projection: Projection::new(fields),
            associations,
        }
    }

    /// Appends one record.
    pub(crate) fn write(&self, out: &mut String, record: &Record, version: &Version) {
        if let Some(raw) = &record.raw {
            out.push_str(raw);
            return;
        }
        out.push_str("{\"id\":\"");
        out.push_str(&record.id.to_string());
        out.push_str("\",\"properties\":{");
        self.projection.write(out, version);
        out.push_str("},\"createdAt\":\"");
        push_hubspot_time(out, record.created_ms);
        out.push_str("\",\"updatedAt\":\"");
        push_hubspot_time(out, version.time_ms);
        match record.state {
            State::Binned(at_ms) => {
                out.push_str("\",\"archived\":true,\"archivedAt\":\"");
                push_hubspot_time(out, at_ms);
                out.push('"');
            }
            _ => out.push_str("\",\"archived\":false"),
        }
        let is_bare = self.side.archived_are_bare && matches!(record.state, State::Binned(_));
        if !self.associations.is_empty() && !is_bare {
            associations::push_inline(out, self.side, (self.object, record.id), &self.associations);
        }
        out.push('}');
    }
}

/// Appends `,"paging":{"next":…}`.
pub(crate) fn push_paging(body: &mut String, asked: &Asked, after: &str) {
    let kept: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(
            url::form_urlencoded::parse(asked.query.as_bytes()).filter(|(name, _)| name != "after"),
        )
        .append_pair("after", after)
        .finish();
    let link = Value::from(format!("{}{}?{kept}", asked.origin, asked.path));
    body.push_str(&format!(
        ",\"paging\":{{\"next\":{{\"after\":\"{after}\",\"link\":{link}}}}}"
    ));
}

/// Tells the page hook what was served.
pub(crate) fn page(shelf: &Shelf, class: RequestClass, ids: Vec<String>) -> PageServed {
    PageServed {
        vendor: Vendor::HubSpot,
        object: shelf.name.clone(),
        class,
        ids,
    }
}

/// Reads a list of texts out of a body.
pub(crate) fn texts<'a>(body: &'a Value, name: &str) -> Option<Vec<&'a str>> {
    let list = body.get(name)?.as_array()?;
    // An empty list means the default properties, as no list does.
    (!list.is_empty()).then(|| list.iter().filter_map(Value::as_str).collect())
}

/// Reads the id out of an input: a text or a number.
pub(crate) fn id_of(input: &Value) -> Option<String> {
    match input.get("id")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn is_listed(record: &Record, archived: bool) -> bool {
    match record.state {
        State::Live => !archived,
        State::Binned(_) => archived,
        State::MergedInto(_) | State::Erased(_) => false,
    }
}
