//! Salesforce's queries: pages, locators, rows.

use std::sync::Arc;

use super::answer::problem;
use super::plan::{self, Refusal, Test};
use super::soql::Soql;
use super::{id_number, id_text, schema};
use crate::server::{Answer, Asked, RequestClass};
use crate::store::{Projection, Shelf, State};
use crate::world::SalesforceSide;
use crate::{PageServed, Vendor, World};

pub(crate) use super::plan::Scope;

/// OFFSET goes no further.
const OFFSET_MAX: usize = 2_000;
/// What a locator's id starts with.
const LOCATOR_PREFIX: &str = "0r8";

/// An answer of several pages: which rows, and how to write them. The rows are fixed when the
/// query is asked, their values when their page is.
#[derive(Debug)]
pub(crate) struct Cursor {
    object: String,
    fields: Vec<String>,
    slots: Arc<[u32]>,
    page_rows: usize,
}

/// Answers a query's first page.
pub(crate) fn query(world: &World, asked: &Asked, scope: Scope) -> Answer {
    let Some(text) = asked.param("q") else {
        return problem(
            400,
            "MALFORMED_QUERY",
            "SOQL statements cannot be empty or null",
        );
    };
    let class = if scope == Scope::All {
        RequestClass::QueryAll
    } else {
        RequestClass::Query
    };
    // Reading first: the writing lock is only needed where a locator is opened.
    let opened = {
        let side = world.salesforce();
        match cursor(&side, asked, text, scope) {
            Ok(Found::Count(count)) => {
                let body = format!("{{\"totalSize\":{count},\"done\":true,\"records\":[]}}");
                return Answer::text(200, body);
            }
            Ok(Found::Rows(cursor)) if cursor.slots.len() <= cursor.page_rows => {
                return page(&side, asked, &cursor, (class, 0, None));
            }
            Ok(Found::Rows(cursor)) => cursor,
            Err((code, message)) => return problem(400, code, &message),
        }
    };
    let number = world.salesforce_mut().open(opened);
    let side = world.salesforce();
    match side.cursor(number) {
        Some(cursor) => page(&side, asked, &cursor, (class, 0, Some(number))),
        None => lost(),
    }
}

/// Answers a further page.
pub(crate) fn more(world: &World, asked: &Asked, locator: &str) -> Answer {
    let side = world.salesforce();
    let read = || {
        let (id, start) = locator.split_once('-')?;
        let number = id_number(LOCATOR_PREFIX, id)?;
        Some((number, start.parse::<usize>().ok()?))
    };
    let Some((number, start)) = read() else {
        return lost();
    };
    match side.cursor(number) {
        Some(cursor) if start < cursor.slots.len() => page(
            &side,
            asked,
            &cursor,
            (RequestClass::QueryMore, start, Some(number)),
        ),
        _ => lost(),
    }
}

fn lost() -> Answer {
    problem(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
}

enum Found {
    Count(usize),
    Rows(Cursor),
}

fn cursor(
    side: &SalesforceSide,
    asked: &Asked,
    text: &str,
    scope: Scope,
) -> Result<Found, Refusal> {
    let soql = Soql::parse(text).map_err(|message| ("MALFORMED_QUERY", message))?;
    if soql.offset > OFFSET_MAX {
        let message = "Maximum SOQL offset allowed is 2000".to_owned();
        return Err(("NUMBER_OUTSIDE_VALID_RANGE", message));
    }
    let Some(shelf) = side.shelf(&soql.object) else {
        return Err((
            "INVALID_TYPE",
            format!("sObject type '{}' is not supported.", soql.object),
        ));
    };
    let fields = soql.fields.as_deref().unwrap_or_default();
    for (place, field) in fields.iter().enumerate() {
        plan::find(shelf, field)?;
        if fields
            .iter()
            .take(place)
            .any(|earlier| earlier.eq_ignore_ascii_case(field))
        {
            return Err((
                "INVALID_FIELD",
                format!("duplicate field selected: {field}"),
            ));
        }
    }
    let test = match &soql.filter {
        Some(filter) => Test::of(shelf, filter)?,
        None => Test::Stamp(i64::MIN, i64::MAX),
    };
    let slots = plan::rows(shelf, &soql, &test, scope)?;
    let Some(fields) = soql.fields else {
        return Ok(Found::Count(slots.len()));
    };
    let page_rows = side.page_rows(fields.len()).min(asked_rows(asked));
    let object = shelf.name.clone();
    Ok(Found::Rows(Cursor {
        object,
        fields,
        slots: slots.into(),
        page_rows,
    }))
}

/// The page size that the caller would like.
fn asked_rows(asked: &Asked) -> usize {
    let options = asked.header("sforce-query-options").unwrap_or_default();
    let size = options.split_once("batchSize=").and_then(|(_, rest)| {
        rest.split(|sign: char| !sign.is_ascii_digit())
            .next()?
            .parse::<usize>()
            .ok()
    });
    size.map_or(usize::MAX, |size| size.clamp(200, 2_000))
}

fn page(
    side: &SalesforceSide,
    asked: &Asked,
    cursor: &Cursor,
    (class, start, number): (RequestClass, usize, Option<u64>),
) -> Answer {
    let Some(shelf) = side.shelf(&cursor.object) else {
        return lost();
    };
    let projection = projection(shelf, &cursor.fields);
    let version = asked.path.split('/').nth(3).unwrap_or("v66.0");
    let object = &shelf.name;
    let head = format!(
        "{{\"attributes\":{{\"type\":\"{object}\",\"url\":\"/services/data/{version}/sobjects/{object}/"
    );
    let prefix = schema::key_prefix(object);
    let end = start
        .saturating_add(cursor.page_rows)
        .min(cursor.slots.len());
    let slots = cursor.slots.get(start..end).unwrap_or_default();
    let width = projection.len().saturating_mul(35).saturating_add(140);
    let mut body = String::with_capacity(slots.len().saturating_mul(width));
    body.push_str(&format!("{{\"totalSize\":{}", cursor.slots.len()));
    match number {
        Some(number) if end < cursor.slots.len() => {
            let locator = id_text(LOCATOR_PREFIX, number);
            body.push_str(&format!(
                ",\"done\":false,\"nextRecordsUrl\":\"/services/data/{version}/query/{locator}-{end}\""
            ));
        }
        _ => body.push_str(",\"done\":true"),
    }
    body.push_str(",\"records\":[");
    let mut ids = Vec::with_capacity(slots.len());
    for record in slots.iter().filter_map(|&slot| shelf.at(slot)) {
        if matches!(record.state, State::Erased(_)) {
            continue;
        }
        if !ids.is_empty() {
            body.push(',');
        }
        let id = id_text(prefix, record.id);
        if let Some(raw) = &record.raw {
            body.push_str(raw);
        } else {
            body.push_str(&head);
            body.push_str(&id);
            body.push_str("\"},");
            projection.write(&mut body, &record.current);
            body.push('}');
        }
        ids.push(id);
    }
    body.push_str("]}");
    Answer::text(200, body).page(PageServed {
        vendor: Vendor::Salesforce,
        object: shelf.name.clone(),
        class,
        ids,
    })
}

/// Finds the columns again: fields may have been hidden since the query was asked.
fn projection(shelf: &Shelf, fields: &[String]) -> Projection {
    Projection::new(
        fields
            .iter()
            .filter_map(|field| shelf.column(field))
            .filter_map(|column| Some((column, shelf.fields.get(column)?.clone())))
            .collect(),
    )
}
