//! An account's properties as a table: every property is a typed column under its own name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use salesync_core::error::{Code, Error, Result};
use salesync_core::schema::{Column, ColumnType, Table};
use salesync_core::validate::SqlIdentifier;
use salesync_http::{Answer, Client, Request};
use serde::Deserialize;

use crate::client::API;
use crate::objects::CrmObject;

/// The most bytes that the names may have in a URL: HubSpot refuses URLs beyond about 8 KB.
const URL_BYTES: usize = 6_000;
/// The most bytes that the names may have in a search. HubSpot speaks of 3,000 characters for a search; some
/// are left for filters.
const SEARCH_BYTES: usize = 2_500;

/// Where the record's own times stand in the table, before the properties.
pub(crate) const CREATED_AT: usize = 0;
pub(crate) const UPDATED_AT: usize = 1;
/// Where the associations stand, in the order of the object's list.
pub(crate) const ASSOCIATIONS: usize = 2;

/// A property, as HubSpot describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Property {
    pub(crate) name: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(rename = "type")]
    property_type: String,
}

#[derive(Deserialize)]
struct Properties {
    results: Vec<Property>,
}

/// Asks for the properties of an object.
pub(crate) async fn describe(http: &Client, object: &CrmObject) -> Result<Vec<Property>> {
    let target = format!("/crm/v3/properties/{}", object.object_type);
    let read = |answer: &Answer| {
        let properties = answer.json::<Properties>()?.results;
        // Every object has properties: an answer without any is not an answer.
        if properties.is_empty() {
            Err(answer.error(Code::SourcePageShape))
        } else {
            Ok(properties)
        }
    };
    http.read(&Request::get("describe properties", target, API), read)
        .await
}

/// How an object's properties lie in its table, and how they are asked for.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) table: Arc<Table>,
    places: HashMap<String, usize>,
    /// The names of all properties.
    pub(crate) names: Vec<String>,
    /// Whether all names fit into the URL of a listing.
    pub(crate) fits_url: bool,
    /// Whether all names fit into a search.
    pub(crate) fits_search: bool,
}

impl Layout {
    /// Returns the layout of an object with these properties.
    pub(crate) fn new(object: &CrmObject, properties: &[Property]) -> Result<Self> {
        let mut columns = vec![
            Column::new(
                "createdAt",
                ColumnType::Timestamp,
                "When the record was made",
            )?,
            Column::new(
                "updatedAt",
                ColumnType::Timestamp,
                "When the record was last updated",
            )?,
        ];
        for to in object.associations {
            let name = format!("associations_{to}");
            let comment = format!("The ids of the {to} that the record is associated with");
            columns.push(Column::new(&name, ColumnType::Json, comment)?);
        }
        let mut taken: HashSet<String> = columns
            .iter()
            .map(|column| column.name.as_str().to_lowercase())
            .collect();
        taken.insert("id".to_owned());
        let mut places = HashMap::new();
        for property in properties {
            let column = property.column(object)?;
            // Two names that are one to SQL: the second stays in `_extra`.
            if taken.insert(column.name.as_str().to_lowercase()) {
                places.insert(property.name.clone(), columns.len());
                columns.push(column);
            }
        }
        let table = Table::new(object.table, object.comment, columns)?;
        let always = [object.changed_by, "hs_object_id"]
            .into_iter()
            .chain(object.merged_by.iter().copied());
        let mut seen = HashSet::new();
        let names: Vec<String> = always
            .chain(properties.iter().map(|property| property.name.as_str()))
            .filter(|name| seen.insert(*name))
            .map(str::to_owned)
            .collect();
        let bytes = |each: usize| names.iter().map(|name| name.len() + each).sum::<usize>();
        let is_plain = names
            .iter()
            .all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        Ok(Self {
            table: Arc::new(table),
            places,
            fits_url: is_plain && bytes(1) <= URL_BYTES,
            fits_search: bytes(3) <= SEARCH_BYTES,
            names,
        })
    }

    /// Returns where a property stands among the table's columns.
    pub(crate) fn place(&self, property: &str) -> Option<usize> {
        self.places.get(property).copied()
    }
}

impl Property {
    fn column(&self, object: &CrmObject) -> Result<Column> {
        let name = column_name(&self.name);
        let label = self.label.as_deref().unwrap_or(&self.name);
        let comment = if name == self.name {
            label.to_owned()
        } else {
            format!("{label} (property {})", self.name)
        };
        let column_type = match self.property_type.as_str() {
            _ if object.id_properties.contains(&self.name.as_str()) => ColumnType::Text,
            "number" => ColumnType::NUMBER,
            "bool" => ColumnType::Bool,
            "date" => ColumnType::Date,
            "datetime" => ColumnType::Timestamp,
            // string, enumeration, phone_number, json, object_coordinates, and whatever HubSpot adds.
            _ => ColumnType::Text,
        };
        Column::new(&name, column_type, comment).map_err(|error| {
            Error::new(Code::SourceSchemaChanged, "describe properties").because(error)
        })
    }
}

/// Returns the name of a property's column: its own, or, where SQL can't hold that, the nearest to it. Names
/// that begin with `_` are ours.
fn column_name(property: &str) -> String {
    if SqlIdentifier::parse(property).is_ok() && !property.starts_with('_') {
        return property.to_owned();
    }
    let plain = property
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    "p_".chars().chain(plain).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::OBJECTS;

    fn property(name: &str, property_type: &str) -> Property {
        Property {
            name: name.to_owned(),
            label: Some("A label".to_owned()),
            property_type: property_type.to_owned(),
        }
    }

    #[test]
    fn a_property_is_a_column_of_its_own_type() {
        let cases = [
            ("firstname", "string", "firstname", ColumnType::Text),
            ("stage", "enumeration", "stage", ColumnType::Text),
            ("phone", "phone_number", "phone", ColumnType::Text),
            ("amount", "number", "amount", ColumnType::NUMBER),
            ("closed", "bool", "closed", ColumnType::Bool),
            ("born", "date", "born", ColumnType::Date),
            ("seen", "datetime", "seen", ColumnType::Timestamp),
            ("place", "object_coordinates", "place", ColumnType::Text),
            (
                "associatedcompanyid",
                "number",
                "associatedcompanyid",
                ColumnType::Text,
            ),
            ("new_kind", "something_new", "new_kind", ColumnType::Text),
            ("net-worth €", "number", "p_net_worth__", ColumnType::NUMBER),
            ("2nd_phone", "string", "p_2nd_phone", ColumnType::Text),
            ("_extra", "string", "p__extra", ColumnType::Text),
        ];
        for (name, property_type, column_name, column_type) in cases {
            let layout = Layout::new(&OBJECTS[0], &[property(name, property_type)]).unwrap();
            let column = &layout.table.columns()[layout.place(name).unwrap()];
            assert_eq!(
                (column.name.as_str(), column.column_type),
                (column_name, column_type)
            );
            assert!(column.comment.starts_with("A label"));
        }
    }

    #[test]
    fn names_that_are_one_to_sql_get_one_column() {
        let properties = [
            property("Size", "number"),
            property("size", "string"),
            property("createdat", "string"),
        ];
        let layout = Layout::new(&OBJECTS[0], &properties).unwrap();
        assert_eq!(
            (
                layout.place("Size"),
                layout.place("size"),
                layout.place("createdat")
            ),
            (Some(2), None, None)
        );
        assert_eq!(layout.table.columns().len(), 3);
        assert!(
            layout.names.contains(&"size".to_owned()),
            "it is asked for and kept in _extra"
        );
    }

    #[test]
    fn many_or_strange_names_are_asked_for_in_a_body() {
        let few = Layout::new(&OBJECTS[0], &[property("a", "string")]).unwrap();
        assert!(few.fits_url && few.fits_search);
        assert_eq!(
            few.names.len(),
            5,
            "change time, id and merged ids always come along"
        );
        let strange = Layout::new(&OBJECTS[0], &[property("a&b", "string")]).unwrap();
        assert!(!strange.fits_url && strange.fits_search);
        let many: Vec<_> = (0..400)
            .map(|n| property(&format!("custom_property_{n}"), "string"))
            .collect();
        let many = Layout::new(&OBJECTS[0], &many).unwrap();
        assert!(!many.fits_url && !many.fits_search);
    }
}
