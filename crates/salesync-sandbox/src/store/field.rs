//! The fields of an object, and the way a chosen list of them is written for one record.

use super::Version;

/// What a field holds, in words that cover both vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The record's own id.
    Id,
    /// Another record's id.
    Reference,
    /// One line of text.
    Text,
    /// Long text.
    TextArea,
    /// A mail address.
    Email,
    /// A phone number.
    Phone,
    /// A web address.
    Url,
    /// One of a list.
    Picklist,
    /// Several of a list, joined by `;`.
    MultiPicklist,
    /// True or false.
    Bool,
    /// A decimal number.
    Double,
    /// An amount of money.
    Currency,
    /// A percentage.
    Percent,
    /// A whole number.
    Int,
    /// A day.
    Date,
    /// An instant.
    DateTime,
    /// A compound address.
    Address,
}

/// Where a field's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Made {
    /// From the record.
    Stored,
    /// First and last name joined: their columns.
    FullName([usize; 2]),
    /// A compound of street, city, state, postal code and country: their columns.
    Address([usize; 5]),
}

/// One field of an object.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// The name in the API, in the vendor's case.
    pub(crate) name: String,
    /// The name that people see.
    pub(crate) label: String,
    /// What it holds.
    pub(crate) kind: Kind,
    /// Where its value comes from.
    pub(crate) made: Made,
    /// `custom`, `calculated`, `hidden`: as the description says.
    pub(crate) traits: Traits,
    /// For a reference: the objects, for a picklist: the values; joined by `;`.
    pub(crate) refers: String,
    key: String,
}

/// What a description says of a field beside its type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Added by the customer.
    pub(crate) custom: bool,
    /// Computed by the vendor.
    pub(crate) calculated: bool,
    /// Not shown to people; still readable.
    pub(crate) hidden: bool,
    /// Gone from descriptions and answers, as when field-level security hides it.
    pub(crate) removed: bool,
}

impl Field {
    /// Makes a stored field.
    pub(crate) fn new(name: &str, label: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            made: Made::Stored,
            traits: Traits::default(),
            refers: String::new(),
            key: format!("\"{name}\":"),
        }
    }

    /// Gives the value as a JSON fragment; empty for null.
    pub(crate) fn fragment<'a>(&self, column: usize, version: &'a Version) -> Fragment<'a> {
        match &self.made {
            Made::Stored => Fragment::Stored(version.fragment(column)),
            Made::FullName([first, last]) => {
                let name = format!("{} {}", version.text(*first), version.text(*last));
                Fragment::Composed(quote(name.trim()))
            }
            Made::Address(parts) => Fragment::Composed(address(parts, version)),
        }
    }
}

/// A JSON fragment, stored or composed for the occasion.
#[derive(Debug)]
pub(crate) enum Fragment<'a> {
    /// As it lies in the version.
    Stored(&'a str),
    /// Put together from other columns.
    Composed(String),
}

impl Fragment<'_> {
    /// Gives the fragment; empty for null.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Fragment::Stored(text) => text,
            Fragment::Composed(text) => text,
        }
    }
}

/// A chosen list of fields, resolved once per request.
#[derive(Debug, Clone)]
pub(crate) struct Projection {
    fields: Vec<(usize, Field)>,
}

impl Projection {
    /// Keeps the given columns in the given order.
    pub(crate) fn new(fields: Vec<(usize, Field)>) -> Self {
        Self { fields }
    }

    /// Appends `"name":value,"name":value…` for one version.
    pub(crate) fn write(&self, out: &mut String, version: &Version) {
        let mut first = true;
        for (column, field) in &self.fields {
            if !first {
                out.push(',');
            }
            first = false;
            out.push_str(&field.key);
            match &field.made {
                Made::Stored => push_or_null(out, version.fragment(*column)),
                _ => push_or_null(out, field.fragment(*column, version).as_str()),
            }
        }
    }

    /// Says how many fields were chosen.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }
}

fn push_or_null(out: &mut String, fragment: &str) {
    out.push_str(if fragment.is_empty() {
        "null"
    } else {
        fragment
    });
}

fn quote(text: &str) -> String {
    let mut quoted = String::new();
    if !text.is_empty() {
        super::push_json_text(&mut quoted, text);
    }
    quoted
}

fn address([street, city, state, code, country]: &[usize; 5], version: &Version) -> String {
    let parts = [street, city, state, code, country].map(|&column| version.fragment(column));
    if parts.iter().all(|part| part.is_empty()) {
        return String::new();
    }
    let [street, city, state, code, country] =
        parts.map(|part| if part.is_empty() { "null" } else { part });
    format!(
        "{{\"city\":{city},\"country\":{country},\"geocodeAccuracy\":null,\"latitude\":null,\
         \"longitude\":null,\"postalCode\":{code},\"state\":{state},\"street\":{street}}}"
    )
}
