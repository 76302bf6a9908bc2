//! A record's JSON, taken apart in one pass without being copied.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A record as HubSpot sends it. What the documentation does not name is kept by name.
#[derive(Default)]
pub(crate) struct Wire<'a> {
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) has_two_ids: bool,
    pub(crate) properties: Pairs<'a>,
    pub(crate) archived: Option<&'a RawValue>,
    pub(crate) archived_at: Option<&'a RawValue>,
    pub(crate) created_at: Option<&'a RawValue>,
    pub(crate) updated_at: Option<&'a RawValue>,
    pub(crate) other: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Wire<'a> {
    /// Takes a member out of those that the documentation does not name.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.other.iter().position(|(known, _)| known == name)?;
        Some(self.other.remove(place).1)
    }
}

/// The members of a JSON object, in their order; `null` has none.
#[derive(Default)]
pub(crate) struct Pairs<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

/// A member's name; borrowed unless it is written with escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Wire<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WireVisitor)
    }
}

struct WireVisitor;

impl<'de> Visitor<'de> for WireVisitor {
    type Value = Wire<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wire<'de>, A::Error> {
        let mut wire = Wire::default();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "id" => {
                    wire.has_two_ids |= wire.id.is_some();
                    wire.id = Some(map.next_value()?);
                }
                "properties" => wire.properties = map.next_value()?,
                "archived" => wire.archived = Some(map.next_value()?),
                "archivedAt" => wire.archived_at = Some(map.next_value()?),
                "createdAt" => wire.created_at = Some(map.next_value()?),
                "updatedAt" => wire.updated_at = Some(map.next_value()?),
                _ => wire.other.push((name, map.next_value()?)),
            }
        }
        Ok(wire)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties")
    }

    fn visit_unit<E>(self) -> Result<Pairs<'de>, E> {
        Ok(Pairs::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
        let mut pairs = Vec::with_capacity(32);
        while let Some((Name(name), raw)) = map.next_entry()? {
            pairs.push((name, raw));
        }
        Ok(Pairs(pairs))
    }
}
