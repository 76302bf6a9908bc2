//! Turns a record into the change of a row: each field goes straight to its column, numbers as the text
//! they were sent as, so that nothing passes through a float.

use std::borrow::Cow;
use std::fmt;

use salesync_core::error::Code;
use salesync_core::record::{Change, Deletion, DeletionReason, RawRecord, Reject, Value};
use salesync_core::schema::{ColumnType, Table};
use salesync_core::time::Timestamp;
use salesync_core::token;
use salesync_core::validate::{Misfit, parse_timestamp, parse_value, repaired};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{id, instant};

/// The fields of one record in the order in which they were sent, each value still raw.
#[derive(Debug)]
pub(crate) struct Fields<'a>(pub(crate) Vec<(Name<'a>, &'a RawValue)>);

/// A field's name, borrowed from the record where it holds no escapes.
#[derive(Debug)]
pub(crate) struct Name<'a>(pub(crate) Cow<'a, str>);

impl<'a> Fields<'a> {
    /// Returns the raw value of the last field of that name; case does not count.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .rev()
            .find(|(found, _)| found.is(name))
            .map(|(_, value)| value.get())
    }

    /// Returns the record's change time.
    ///
    /// # Errors
    /// A [`Misfit`] where there is none or it is not one.
    pub(crate) fn changed_at(&self) -> Result<Timestamp, Misfit> {
        let text = self
            .get("SystemModstamp")
            .and_then(token::of_token)
            .ok_or(Misfit::Type)?;
        instant::instant(&text).map_or_else(|| parse_timestamp(&text), Ok)
    }

    /// Returns the record's id in 18 characters.
    ///
    /// # Errors
    /// A reject where it has none or more than one.
    pub(crate) fn key(&self) -> Result<Cow<'a, str>, Reject> {
        let mut ids = self.0.iter().filter(|(name, _)| name.is("Id"));
        let first = ids.next().and_then(|(_, value)| full_id(value.get()));
        if ids.next().is_some() {
            let rule = "a record has one field `Id`";
            return Err(Reject::new(Code::RecordIdentityAmbiguous, rule).in_field("Id"));
        }
        let rule = "a record has an `Id` of 15 or 18 letters and digits";
        first.ok_or_else(|| Reject::new(Code::RecordNoIdentity, rule).in_field("Id"))
    }
}

impl Name<'_> {
    /// Returns whether this is the name; the vendor's names do not tell cases apart.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }
}

/// Reads the token of an id.
fn full_id(token: &str) -> Option<Cow<'_, str>> {
    match token::of_token(token)? {
        Cow::Borrowed(text) => id::full(text),
        Cow::Owned(text) => id::full(&text).map(|id| Cow::Owned(id.into_owned())),
    }
}

/// Turns a record into a change of a row of `table`; a change time after `newest` is absurd.
///
/// # Errors
/// A reject with the rule that the record broke.
pub(crate) fn decode<'a>(
    table: &Table,
    raw: &'a RawRecord,
    newest: Timestamp,
) -> Result<Change<'a>, Reject> {
    let fields: Fields<'a> = raw.parse()?;
    let key = fields.key()?;
    let of_record = |reject: Reject| reject.of_record(&key);
    let version = version(&fields, newest).map_err(of_record)?;
    let deletion = deletion(&fields, version).map_err(of_record)?;
    let (values, extra) = row(table, fields).map_err(of_record)?;
    Ok(Change {
        key,
        version,
        values,
        extra,
        deletion,
        replaces: Vec::new(),
    })
}

type Row<'a> = (Vec<Value<'a>>, Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Puts each field into its column; what has none, or does not fit it and is good still, is kept beside.
fn row<'a>(table: &Table, fields: Fields<'a>) -> Result<Row<'a>, Reject> {
    let mut values = vec![Value::Null; table.columns().len()];
    let mut extra = Vec::new();
    // Records come in the order in which their fields were asked for, so the next column is a good guess.
    let mut guess = 0;
    for (name, raw) in fields.0 {
        let guessed = table
            .columns()
            .get(guess)
            .is_some_and(|column| column.name.as_str() == name.0);
        let position = if guessed {
            Some(guess)
        } else {
            table.position(&name.0)
        };
        let slot =
            position.and_then(|at| Some((at, table.columns().get(at)?, values.get_mut(at)?)));
        let Some((at, column, slot)) = slot else {
            let known = name.is("attributes") || name.is("Id");
            if !known && raw.get() != "null" {
                extra.push((name.0, token::without_lone_surrogates(raw.get())));
            }
            continue;
        };
        guess = at + 1;
        match value(column.column_type, raw.get()) {
            Ok(value) => *slot = value,
            Err(misfit) => match misfit.reject(&name.0) {
                Some(reject) => return Err(reject),
                None => extra.push((name.0, Cow::Borrowed(raw.get()))),
            },
        }
    }
    Ok((values, extra))
}

/// Reads one raw value as the column's type.
fn value(column_type: ColumnType, token: &str) -> Result<Value<'_>, Misfit> {
    if token == "null" {
        return Ok(Value::Null);
    }
    match (column_type, token::of_token(token)) {
        (ColumnType::Json, _) => Ok(Value::Text(repaired(token::without_lone_surrogates(token)))),
        (ColumnType::Timestamp, Some(text)) if let Some(instant) = instant::instant(&text) => {
            Ok(Value::Timestamp(instant))
        }
        (ColumnType::Date, Some(text)) if let Some(day) = instant::day(&text) => {
            Ok(Value::Date(day))
        }
        (_, Some(text)) => parse_value(column_type, text),
        (ColumnType::Text | ColumnType::Date | ColumnType::Timestamp, None) => Err(Misfit::Type),
        (_, None) => parse_value(column_type, Cow::Borrowed(token)),
    }
}

fn version(fields: &Fields<'_>, newest: Timestamp) -> Result<Timestamp, Reject> {
    let rule = "`SystemModstamp` is an instant since 1970, at most a day after the source's clock";
    match fields.changed_at() {
        Ok(time) if (Timestamp::EPOCH..=newest).contains(&time) => Ok(time),
        _ => Err(Reject::new(Code::RecordVersion, rule).in_field("SystemModstamp")),
    }
}

/// Returns the mark of a deleted record. A merge leaves the loser deleted, with the survivor's id.
fn deletion(fields: &Fields<'_>, version: Timestamp) -> Result<Option<Deletion>, Reject> {
    match fields
        .get("IsDeleted")
        .map(|token| value(ColumnType::Bool, token))
    {
        None | Some(Ok(Value::Null | Value::Bool(false))) => return Ok(None),
        Some(Ok(Value::Bool(true))) => {}
        Some(_) => {
            let rule = "a value is of the type that the source declares";
            return Err(Reject::new(Code::RecordType, rule).in_field("IsDeleted"));
        }
    }
    let merged_into = fields
        .get("MasterRecordId")
        .and_then(full_id)
        .map(Cow::into_owned);
    let reason = match merged_into {
        Some(_) => DeletionReason::MergedInto,
        None => DeletionReason::Deleted,
    };
    Ok(Some(Deletion {
        at: version,
        reason,
        merged_into,
    }))
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(64);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests;
