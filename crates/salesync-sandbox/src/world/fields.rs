//! Adding and hiding fields while the sandbox runs.

use serde_json::Value;

use super::{Vendor, World};
use crate::store::{Draft, Field, Kind, Shelf};

impl World {
    /// Adds a custom field without values; `kind` is a type as the vendor's description names it
    /// (`string`, `number`, `double`, `date`, `datetime`, `bool`, `boolean`, `currency`,
    /// `picklist`, …), unknown ones become text. Replaces a field of that name, also a hidden one.
    /// Gmail's messages have no fields, so nothing changes there.
    /// Dialpad describes no fields and leaves out those without a value: there it only shows a
    /// hidden one again.
    pub fn add_field(&self, vendor: Vendor, object: &str, name: &str, kind: &str) {
        let mut field = Field::new(name, name, kind_named(kind));
        field.traits.custom = true;
        match vendor {
            Vendor::HubSpot => {
                self.hubspot_mut().shelf_or_new(object).add_field(field);
            }
            Vendor::Salesforce => {
                self.salesforce_mut().shelf_or_new(object).add_field(field);
            }
            Vendor::Gmail => {}
            Vendor::Dialpad => self.dialpad_mut().show(object, name),
        }
    }

    /// Hides a field, as when it is deleted or field-level security takes it away: descriptions
    /// leave it out, HubSpot ignores its name, Salesforce answers `INVALID_FIELD`; Dialpad's records
    /// (`calls`, `contacts`, `users` …) come without it. Gmail's messages have no fields.
    pub fn hide_field(&self, vendor: Vendor, object: &str, name: &str) {
        match vendor {
            Vendor::HubSpot => hide(self.hubspot_mut().shelf_or_new(object), name),
            Vendor::Salesforce => hide(self.salesforce_mut().shelf_or_new(object), name),
            Vendor::Gmail => {}
            Vendor::Dialpad => self.dialpad_mut().hide(object, name),
        }
    }
}

/// Writes the given values into a draft; names that no field has become custom text fields.
pub(super) fn apply(
    shelf: &mut Shelf,
    draft: &mut Draft,
    values: &Value,
    fragment: fn(&Value) -> String,
) {
    let Some(values) = values.as_object() else {
        return;
    };
    for (name, value) in values {
        let column = shelf.column(name).unwrap_or_else(|| {
            let mut field = Field::new(name, name, Kind::Text);
            field.traits.custom = true;
            shelf.add_field(field)
        });
        draft.raw(column, &fragment(value));
    }
}

fn hide(shelf: &mut Shelf, name: &str) {
    if let Some(column) = shelf.column(name)
        && let Some(field) = shelf.fields.get_mut(column)
    {
        field.traits.removed = true;
    }
}

fn kind_named(kind: &str) -> Kind {
    match kind {
        "textarea" => Kind::TextArea,
        "email" => Kind::Email,
        "phone" => Kind::Phone,
        "url" => Kind::Url,
        "enumeration" | "picklist" => Kind::Picklist,
        "multipicklist" => Kind::MultiPicklist,
        "bool" | "boolean" => Kind::Bool,
        "number" | "double" => Kind::Double,
        "currency" => Kind::Currency,
        "percent" => Kind::Percent,
        "int" => Kind::Int,
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        "reference" => Kind::Reference,
        _ => Kind::Text,
    }
}
