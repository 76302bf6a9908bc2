//! A record's JSON as a row: each member goes into the column of its name, what has none beside them.

use std::borrow::Cow;
use std::fmt;

use salesync_core::error::Code;
use salesync_core::record::{RawRecord, Reject, Value};
use salesync_core::schema::{ColumnType, Table};
use salesync_core::token::{of_token, without_lone_surrogates};
use salesync_core::validate::parse_value;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object, in their order, their values unread.
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

/// A row while it is filled.
pub(crate) struct Row<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) values: Vec<Value<'a>>,
    pub(crate) extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Members<'a> {
    /// Reads a record's members.
    pub(crate) fn of(raw: &'a RawRecord) -> Result<Self, Reject> {
        raw.parse()
    }

    /// Returns a member as text: a string's content, or a number or boolean as it is written.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let member = self.0.iter().find(|(own, _)| own == name);
        member.and_then(|(_, raw)| scalar(raw))
    }

    /// Returns a member as it stands.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let member = self.0.iter().find(|(own, _)| own == name);
        member.map(|(_, raw)| *raw)
    }

    /// Makes a row of the members; `id` names the one that is the key.
    pub(crate) fn row(self, table: &Table, id: &str) -> Result<Row<'a>, Reject> {
        let rule = "a record has one id";
        if self.0.iter().filter(|(name, _)| name == id).count() > 1 {
            return Err(Reject::new(Code::RecordIdentityAmbiguous, rule).in_field(id));
        }
        let key = self.text(id).filter(|key| {
            let key = key.trim();
            !key.is_empty() && key != "true" && key != "false"
        });
        let rule = "a record has an id";
        let key = key.ok_or_else(|| Reject::new(Code::RecordNoIdentity, rule).in_field(id))?;
        let members = self.0.into_iter().filter(|(name, _)| name != id);
        Self(members.collect()).keyed(table, key)
    }

    /// Makes a row of the members under a key that is none of them.
    pub(crate) fn keyed(self, table: &Table, key: Cow<'a, str>) -> Result<Row<'a>, Reject> {
        let values = vec![Value::Null; table.columns().len()];
        let mut row = Row {
            key,
            values,
            extra: Vec::new(),
        };
        for (name, raw) in self.0 {
            row.put(table, name, raw)
                .map_err(|reject| reject.of_record(&row.key))?;
        }
        Ok(row)
    }
}

impl<'a> Row<'a> {
    /// Puts a member into its column, or, where it has none or does not fit without loss, beside the columns.
    fn put(&mut self, table: &Table, name: Cow<'a, str>, raw: &'a RawValue) -> Result<(), Reject> {
        let place = table.position(&name);
        let column = place.and_then(|place| table.columns().get(place));
        let slot = place.and_then(|place| self.values.get_mut(place));
        let is_empty = matches!(raw.get(), "null" | "\"\"" | "{}" | "[]");
        match (column, slot) {
            _ if is_empty => {}
            (Some(column), Some(slot)) if column.column_type == ColumnType::Json => {
                *slot = Value::Text(without_lone_surrogates(raw.get()));
            }
            (Some(column), Some(slot)) => {
                let Some(text) = scalar(raw) else {
                    self.extra.push((name, without_lone_surrogates(raw.get())));
                    return Ok(());
                };
                let text = match column.column_type {
                    ColumnType::Timestamp => in_utc(text),
                    _ => text,
                };
                match parse_value(column.column_type, text) {
                    Ok(value) => *slot = value,
                    Err(misfit) => match misfit.reject(&name) {
                        Some(reject) => return Err(reject),
                        None => self.extra.push((name, without_lone_surrogates(raw.get()))),
                    },
                }
            }
            _ => self.extra.push((name, without_lone_surrogates(raw.get()))),
        }
        Ok(())
    }

    /// Sets a column by its name; one that the table does not have is passed over.
    pub(crate) fn set(&mut self, table: &Table, name: &str, value: Value<'a>) {
        let slot = table
            .position(name)
            .and_then(|place| self.values.get_mut(place));
        if let Some(slot) = slot {
            *slot = value;
        }
    }

    /// Returns a column's value.
    pub(crate) fn get(&self, table: &Table, name: &str) -> Option<&Value<'a>> {
        self.values.get(table.position(name)?)
    }
}

/// Returns a string's content, or a number or boolean as it is written.
fn scalar(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => of_token(text),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(text)),
    }
}

/// Dialpad writes some times without a zone: they are UTC. What it exports has a space before the time of day.
pub(crate) fn in_utc(text: Cow<'_, str>) -> Cow<'_, str> {
    let trimmed = text.trim();
    let Some((day, time)) = trimmed.split_once(['T', ' ']) else {
        return text;
    };
    if time.contains(['Z', 'z', '+', '-']) || day.len() != 10 {
        return text;
    }
    Cow::Owned(format!("{day}T{time}Z"))
}

/// A member's name; borrowed unless it is written with escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(32);
                while let Some((Name(name), raw)) = map.next_entry()? {
                    members.push((name, raw));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let cases = [
            ("2026-01-31T10:00:00.5", "2026-01-31T10:00:00.5Z"),
            ("2026-01-31 10:00:00", "2026-01-31T10:00:00Z"),
            ("2026-01-31T10:00:00+01:00", "2026-01-31T10:00:00+01:00"),
            ("1769853600000", "1769853600000"),
            ("soon", "soon"),
        ];
        for (text, expected) in cases {
            assert_eq!(in_utc(text.into()), expected);
        }
    }
}
