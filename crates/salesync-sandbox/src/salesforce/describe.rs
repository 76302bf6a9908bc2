//! Salesforce's descriptions of objects and fields.

use serde_json::{Value, json};

use super::answer::not_found;
use super::schema;
use crate::server::Answer;
use crate::store::{Field, Kind, Made, Shelf};
use crate::world::SalesforceSide;

/// Answers the list of objects.
pub(crate) fn global(side: &SalesforceSide, version: &str) -> Answer {
    let objects: Vec<Value> = side
        .shelves()
        .map(|shelf| summary(shelf, version))
        .collect();
    Answer::json(
        200,
        &json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}),
    )
}

/// Answers one object's fields.
pub(crate) fn object(side: &SalesforceSide, object: &str, version: &str) -> Answer {
    let Some(shelf) = side.shelf(object) else {
        return not_found();
    };
    let fields: Vec<Value> = shelf
        .fields
        .iter()
        .filter(|field| !field.traits.removed)
        .map(|one| field(shelf, one))
        .collect();
    let mut body = summary(shelf, version);
    if let Some(map) = body.as_object_mut() {
        map.insert("fields".to_owned(), Value::from(fields));
    }
    Answer::json(200, &body)
}

fn summary(shelf: &Shelf, version: &str) -> Value {
    let name = &shelf.name;
    let base = format!("/services/data/{version}/sobjects/{name}");
    json!({
        "name": name,
        "label": name,
        "labelPlural": format!("{name}s"),
        "keyPrefix": schema::key_prefix(name),
        "custom": name.ends_with("__c"),
        "queryable": true,
        "retrieveable": true,
        "replicateable": true,
        "deletable": name != "User",
        "mergeable": matches!(name.as_str(), "Account" | "Contact" | "Lead"),
        "urls": {"sobject": base, "describe": format!("{base}/describe")},
    })
}

fn field(shelf: &Shelf, field: &Field) -> Value {
    let (kind, length, digits) = sizes(field.kind);
    let (precision, scale) = match field.kind {
        Kind::Currency => (18, 2),
        Kind::Percent => (5, 2),
        Kind::Double => (18, 4),
        _ => (0, 0),
    };
    let listed = matches!(field.kind, Kind::Picklist | Kind::MultiPicklist);
    let values: Vec<Value> = field
        .refers
        .split(';')
        .filter(|value| listed && !value.is_empty())
        .map(|value| json!({"value": value, "label": value, "active": true, "defaultValue": false}))
        .collect();
    let refers: Vec<&str> = if field.kind == Kind::Reference {
        field.refers.split(';').collect()
    } else {
        Vec::new()
    };
    let plain = !matches!(field.kind, Kind::TextArea | Kind::Address);
    let system = matches!(field.kind, Kind::Id) || field.traits.calculated;
    json!({
        "name": field.name,
        "label": field.label,
        "type": kind,
        "length": length,
        "byteLength": length * 3,
        "digits": digits,
        "precision": precision,
        "scale": scale,
        "nillable": !matches!(field.kind, Kind::Id | Kind::Bool) && field.name != "LastName",
        "calculated": field.traits.calculated && field.traits.custom,
        "custom": field.traits.custom,
        "filterable": plain,
        "sortable": plain && field.kind != Kind::MultiPicklist,
        "createable": !system,
        "updateable": !system,
        "unique": false,
        "externalId": false,
        "idLookup": field.kind == Kind::Id,
        "compoundFieldName": compound(shelf, field),
        "picklistValues": values,
        "referenceTo": refers,
        "relationshipName": field.name.strip_suffix("Id").filter(|_| !refers.is_empty()),
        "soapType": format!("xsd:{}", if kind == "boolean" { kind } else { "string" }),
    })
}

/// The compound field that a field is a part of.
fn compound(shelf: &Shelf, field: &Field) -> Option<String> {
    let column = shelf.column(&field.name)?;
    let whole = shelf.fields.iter().find(|whole| match &whole.made {
        Made::Stored => false,
        Made::FullName(parts) => parts.contains(&column),
        Made::Address(parts) => parts.contains(&column),
    })?;
    Some(whole.name.clone())
}

/// The type's name, its length in characters and its digits.
fn sizes(kind: Kind) -> (&'static str, u32, u32) {
    match kind {
        Kind::Id => ("id", 18, 0),
        Kind::Reference => ("reference", 18, 0),
        Kind::Text => ("string", 255, 0),
        Kind::TextArea => ("textarea", 32_000, 0),
        Kind::Email => ("email", 80, 0),
        Kind::Phone => ("phone", 40, 0),
        Kind::Url => ("url", 255, 0),
        Kind::Picklist => ("picklist", 255, 0),
        Kind::MultiPicklist => ("multipicklist", 4_099, 0),
        Kind::Bool => ("boolean", 0, 0),
        Kind::Double => ("double", 0, 0),
        Kind::Currency => ("currency", 0, 0),
        Kind::Percent => ("percent", 0, 0),
        Kind::Int => ("int", 0, 8),
        Kind::Date => ("date", 0, 0),
        Kind::DateTime => ("datetime", 0, 0),
        Kind::Address => ("address", 0, 0),
    }
}
