//! Turns a record into a row: one pass over its JSON, text borrowed from it.

use std::borrow::Cow;
use std::time::Duration;

use salesync_core::error::Code;
use salesync_core::record::{Change, Deletion, DeletionReason, RawRecord, Reject, Value};
use salesync_core::schema::{ColumnType, Table};
use salesync_core::time::Timestamp;
use salesync_core::token::without_lone_surrogates;
use salesync_core::validate::{parse_timestamp, parse_value};
use serde_json::value::RawValue;

use crate::associations::{Inline, MEMBER, in_order};
use crate::objects::CrmObject;
use crate::properties::{ASSOCIATIONS, CREATED_AT, Layout, UPDATED_AT};
use crate::text::{Token, token};
use crate::wire::{Pairs, Wire};

/// How far ahead of the source's clock a change time may lie.
const AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// Turns a record of `object` into a row of its table. `now` is the source's clock.
pub(crate) fn decode<'a>(
    raw: &'a RawRecord,
    object: &CrmObject,
    layout: &Layout,
    now: Timestamp,
) -> Result<Change<'a>, Reject> {
    let mut wire: Wire<'a> = raw.parse()?;
    let key = wire.key()?;
    let properties = std::mem::take(&mut wire.properties);
    let mut fields = Fields::new(&layout.table, Beside::Extra, object.changed_by);
    let associations = match object.associations {
        [] => None,
        _ => wire.take(MEMBER),
    };
    let change = fields
        .read(properties, &key, object, layout)
        .and_then(|()| associations.map_or(Ok(()), |raw| fields.associate(raw, object)));
    change
        .and_then(|()| wire.into_change(key.clone(), fields, now))
        .map_err(|reject| reject.of_record(&key))
}

/// Turns an owner into a row: its fields stand beside its id, and it has no properties.
pub(crate) fn decode_owner<'a>(
    raw: &'a RawRecord,
    table: &Table,
    now: Timestamp,
) -> Result<Change<'a>, Reject> {
    let wire: Wire<'a> = raw.parse()?;
    let key = wire.key()?;
    let fields = Fields::new(table, Beside::Columns, "updatedAt");
    wire.into_change(key.clone(), fields, now)
        .map_err(|reject| reject.of_record(&key))
}

/// Where the fields go that stand beside a record's properties.
#[derive(Debug, Clone, Copy)]
enum Beside {
    Columns,
    Extra,
}

/// What the properties of a record say.
struct Fields<'a, 't> {
    row: Row<'a, 't>,
    beside: Beside,
    /// The field that says when the record changed.
    changed_by: &'static str,
    /// The time in the property that search filters by.
    changed: Option<Cow<'a, str>>,
    replaces: Vec<String>,
}

impl<'a, 't> Fields<'a, 't> {
    fn new(table: &'t Table, beside: Beside, changed_by: &'static str) -> Self {
        let values = vec![Value::Null; table.columns().len()];
        Self {
            row: Row {
                table,
                values,
                extra: Vec::new(),
            },
            beside,
            changed_by,
            changed: None,
            replaces: Vec::new(),
        }
    }

    fn read(
        &mut self,
        properties: Pairs<'a>,
        key: &str,
        object: &CrmObject,
        layout: &Layout,
    ) -> Result<(), Reject> {
        for (name, raw) in properties.0 {
            let value = token(raw);
            if let Token::Text(text) = &value {
                if name == object.changed_by {
                    self.changed = Some(text.clone());
                } else if object.merged_by.contains(&&*name) {
                    merged_ids(text, key, &mut self.replaces);
                }
            }
            self.row.put(layout.place(&name), name, raw, value)?;
        }
        Ok(())
    }

    /// Puts the ids of the associated records into their columns: each once, in the order of the numbers.
    fn associate(&mut self, raw: &'a RawValue, object: &CrmObject) -> Result<(), Reject> {
        if token(raw) == Token::Null {
            return Ok(());
        }
        let refused = || {
            let rule = "associations are lists of records, each with an id";
            Reject::new(Code::RecordType, rule).in_field(MEMBER)
        };
        let inline = Inline::read(raw).ok_or_else(refused)?;
        for (place, to) in (ASSOCIATIONS..).zip(object.associations) {
            let ids = in_order(inline.ids(to).ok_or_else(refused)?);
            if let (false, Some(slot)) = (ids.is_empty(), self.row.values.get_mut(place)) {
                let list = serde_json::to_string(&ids).map_err(|_| refused())?;
                *slot = Value::Text(list.into());
            }
        }
        if inline.has_other_than(object.associations) {
            let raw = without_lone_surrogates(raw.get());
            self.row.extra.push((Cow::Borrowed(MEMBER), raw));
        }
        Ok(())
    }
}

impl<'a> Wire<'a> {
    /// Returns the record's key.
    fn key(&self) -> Result<Cow<'a, str>, Reject> {
        if self.has_two_ids {
            let reject = Reject::new(Code::RecordIdentityAmbiguous, "a record has one id");
            return Err(reject.in_field("id"));
        }
        match self.id.map(token) {
            Some(Token::Text(text))
                if !text.trim().is_empty() && text != "true" && text != "false" =>
            {
                Ok(text)
            }
            _ => Err(Reject::new(Code::RecordNoIdentity, "a record has an id").in_field("id")),
        }
    }

    /// Adds what stands beside the properties.
    fn into_change(
        self,
        key: Cow<'a, str>,
        fields: Fields<'a, '_>,
        now: Timestamp,
    ) -> Result<Change<'a>, Reject> {
        let Fields {
            mut row,
            beside,
            changed_by,
            changed,
            replaces,
        } = fields;
        let times = [
            (CREATED_AT, "createdAt", self.created_at),
            (UPDATED_AT, "updatedAt", self.updated_at),
        ];
        for (place, name, raw) in times {
            if let Some(raw) = raw {
                row.put(Some(place), Cow::Borrowed(name), raw, token(raw))?;
            }
        }
        for (name, raw) in self.other {
            let place = match beside {
                Beside::Columns => row.table.position(&name),
                Beside::Extra => None,
            };
            row.put(place, name, raw, token(raw))?;
        }
        let mut version = version(changed.as_deref(), row.values.get(UPDATED_AT))
            .map_err(|reject| reject.in_field(changed_by))?;
        let mut deletion = None;
        if self.archived.is_some_and(|raw| raw.get() == "true") {
            let at = archived_at(self.archived_at)?.unwrap_or(version);
            version = version.max(at);
            deletion = Some(Deletion {
                at,
                reason: DeletionReason::Archived,
                merged_into: None,
            });
        }
        if version > now.plus(AHEAD) {
            let rule = "a change time lies at most a day ahead of the source's clock";
            return Err(Reject::new(Code::RecordVersion, rule).in_field(changed_by));
        }
        Ok(Change {
            key,
            version,
            values: row.values,
            extra: row.extra,
            deletion,
            replaces,
        })
    }
}

/// A row while it is filled.
struct Row<'a, 't> {
    table: &'t Table,
    values: Vec<Value<'a>>,
    extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Row<'a, '_> {
    /// Puts a value into its column, or, where it has none or does not fit without loss, beside the columns.
    fn put(
        &mut self,
        place: Option<usize>,
        name: Cow<'a, str>,
        raw: &'a RawValue,
        value: Token<'a>,
    ) -> Result<(), Reject> {
        let column = place.and_then(|place| {
            self.table
                .columns()
                .get(place)
                .zip(self.values.get_mut(place))
        });
        match (value, column) {
            // HubSpot writes a value that was cleared as an empty text.
            (Token::Null, _) => {}
            (Token::Text(text), Some(_)) if text.is_empty() => {}
            (Token::Text(text), Some((column, slot))) => {
                match parse_value(column.column_type, text) {
                    Ok(value) => *slot = value,
                    Err(misfit) => match misfit.reject(&name) {
                        Some(reject) => return Err(reject),
                        None => self.extra.push((name, without_lone_surrogates(raw.get()))),
                    },
                }
            }
            (Token::Nested, Some((column, slot))) if column.column_type == ColumnType::Json => {
                *slot = Value::Text(without_lone_surrogates(raw.get()));
            }
            (Token::Text(_), None) | (Token::Nested, _) => {
                self.extra.push((name, without_lone_surrogates(raw.get())))
            }
        }
        Ok(())
    }
}

/// Returns a record's change time: what search filters by, or else when the record was updated.
fn version(changed: Option<&str>, updated_at: Option<&Value<'_>>) -> Result<Timestamp, Reject> {
    match (changed.filter(|text| !text.trim().is_empty()), updated_at) {
        (Some(text), _) => parse_timestamp(text.trim())
            .map_err(|_| Reject::new(Code::RecordVersion, "a change time is an instant")),
        (None, Some(Value::Timestamp(updated_at))) => Ok(*updated_at),
        (None, _) => Err(Reject::new(
            Code::RecordVersion,
            "a record has a change time",
        )),
    }
}

fn archived_at(raw: Option<&RawValue>) -> Result<Option<Timestamp>, Reject> {
    match parse_value(
        ColumnType::Timestamp,
        raw.map_or(Cow::Borrowed(""), content),
    ) {
        Ok(Value::Timestamp(at)) => Ok(Some(at)),
        Ok(_) => Ok(None),
        Err(misfit) => misfit.reject("archivedAt").map_or(Ok(None), Err),
    }
}

fn content(raw: &RawValue) -> Cow<'_, str> {
    match token(raw) {
        Token::Text(text) => text,
        Token::Null | Token::Nested => Cow::Borrowed(""),
    }
}

/// Reads `id;id` or `id:time;id:time` and adds each id that is new and not the record's own.
pub(crate) fn merged_ids(text: &str, key: &str, ids: &mut Vec<String>) {
    for part in text.split(';') {
        let id = part.split(':').next().unwrap_or_default().trim();
        if !id.is_empty() && id != key && !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::OBJECTS;
    use crate::properties::Property;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn object(stream: &str) -> &'static CrmObject {
        OBJECTS
            .iter()
            .find(|object| object.stream == stream)
            .unwrap()
    }

    fn streams() -> Vec<&'static str> {
        OBJECTS.iter().map(|object| object.stream).collect()
    }

    fn contacts() -> Layout {
        let properties = r#"[
            {"name":"firstname","label":"First Name","type":"string"},
            {"name":"email","label":"Email","type":"string"},
            {"name":"lastmodifieddate","label":"Last Modified","type":"datetime"},
            {"name":"associatedcompanyid","label":"Company","type":"number"},
            {"name":"fit_score","label":"Fit","type":"number"},
            {"name":"hs_email_optout","label":"Opted out","type":"bool"},
            {"name":"contract_renewal","label":"Renewal","type":"date"}
        ]"#;
        let properties: Vec<Property> = serde_json::from_str(properties).unwrap();
        Layout::new(object("contacts"), &properties).unwrap()
    }

    fn raw(json: &str) -> RawRecord {
        RawRecord::new(json.as_bytes().to_vec())
    }

    /// Checks what one contact becomes: `properties` is added to a good change time.
    fn contact<T>(
        properties: &str,
        check: impl FnOnce(Result<Change<'_>, Reject>, &Layout) -> T,
    ) -> T {
        let comma = if properties.is_empty() { "" } else { "," };
        let json = format!(
            r#"{{"id":"151","properties":{{"lastmodifieddate":"2026-03-01T10:00:00.123Z"{comma}{properties}}},
            "createdAt":"2025-01-01T00:00:00Z","updatedAt":"2026-03-01T10:00:00.123Z","archived":false}}"#
        );
        let layout = contacts();
        let raw = raw(&json);
        check(decode(&raw, object("contacts"), &layout, NOW), &layout)
    }

    #[test]
    fn each_property_becomes_a_value_of_its_columns_type() {
        let text = |text: &'static str| Value::Text(text.into());
        let cases = [
            (r#""firstname":"Ada""#, "firstname", text("Ada")),
            (r#""firstname":"""#, "firstname", Value::Null),
            (r#""firstname":null"#, "firstname", Value::Null),
            (
                r#""firstname":"a\u0000\ud800b""#,
                "firstname",
                text("a\u{FFFD}\u{FFFD}b"),
            ),
            (
                r#""associatedcompanyid":"9007199254740993""#,
                "associatedcompanyid",
                text("9007199254740993"),
            ),
            (
                r#""associatedcompanyid":9007199254740993"#,
                "associatedcompanyid",
                text("9007199254740993"),
            ),
            (
                r#""fit_score":"1.5E7""#,
                "fit_score",
                Value::Decimal(15_000_000_000_000_000),
            ),
            (r#""hs_email_optout":"""#, "hs_email_optout", Value::Null),
            (
                r#""hs_email_optout":"true""#,
                "hs_email_optout",
                Value::Bool(true),
            ),
            (
                r#""contract_renewal":"1970-01-02""#,
                "contract_renewal",
                Value::Date(1),
            ),
        ];
        for (properties, name, value) in cases {
            contact(properties, |change, layout| {
                let change = change.unwrap();
                assert_eq!(
                    change.values[layout.place(name).unwrap()],
                    value,
                    "{properties}"
                );
                assert_eq!(change.extra, [], "{properties}");
            });
        }
    }

    #[test]
    fn what_fits_no_column_is_kept_as_it_came() {
        let cases = [
            (
                r#""fit_score":"0.0000000001""#,
                Some(("fit_score", "\"0.0000000001\"")),
            ),
            (r#""unheard_of":"x""#, Some(("unheard_of", "\"x\""))),
            (r#""unheard_of":1.50"#, Some(("unheard_of", "1.50"))),
            (r#""unheard_of":null"#, None),
            (r#""firstname":{"a":1}"#, Some(("firstname", "{\"a\":1}"))),
        ];
        for (properties, extra) in cases {
            contact(properties, |change, layout| {
                let change = change.unwrap();
                let extra: Vec<(Cow<'_, str>, Cow<'_, str>)> = extra
                    .into_iter()
                    .map(|(name, raw)| (name.into(), raw.into()))
                    .collect();
                assert_eq!(change.extra, extra, "{properties}");
                assert_eq!(
                    change.values[layout.place("fit_score").unwrap()],
                    Value::Null
                );
            });
        }
    }

    #[test]
    fn key_version_and_times_are_read() {
        contact("", |change, _| {
            let change = change.unwrap();
            assert_eq!(change.key, "151");
            assert_eq!(change.version, Timestamp::from_millis(1_772_359_200_123));
            assert_eq!(
                change.values[CREATED_AT],
                Value::Timestamp(Timestamp::from_millis(1_735_689_600_000))
            );
            assert!(matches!(change.values[UPDATED_AT], Value::Timestamp(_)));
            assert_eq!((change.deletion, change.replaces), (None, Vec::new()));
        });
    }

    #[test]
    fn merged_ids_are_read_in_both_spellings_once_and_without_the_record_itself() {
        let cases: [(&str, &[&str]); 4] = [
            (r#""hs_merged_object_ids":"7;8""#, &["7", "8"]),
            (
                r#""hs_calculated_merged_vids":"7:1700000000000;9:1700000000001""#,
                &["7", "9"],
            ),
            (
                r#""hs_merged_object_ids":"7; 151 ;;8","hs_calculated_merged_vids":"8:1;10:2""#,
                &["7", "8", "10"],
            ),
            (r#""hs_merged_object_ids":null"#, &[]),
        ];
        for (properties, ids) in cases {
            contact(properties, |change, _| {
                assert_eq!(change.unwrap().replaces, ids, "{properties}")
            });
        }
    }

    #[test]
    fn an_archived_record_is_gone_since_it_was_archived() {
        let json = r#"{"id":151,"properties":{"lastmodifieddate":"1000"},"archived":true,
            "archivedAt":"1970-01-01T00:00:05Z","url":"https://x","updatedAt":"1970-01-01T00:00:09Z"}"#;
        let (layout, raw) = (contacts(), raw(json));
        let change = decode(&raw, object("contacts"), &layout, NOW).unwrap();
        let at = Timestamp::from_millis(5_000);
        assert_eq!(change.key, "151");
        assert_eq!(change.version, at);
        assert_eq!(
            change.deletion,
            Some(Deletion {
                at,
                reason: DeletionReason::Archived,
                merged_into: None
            })
        );
        assert_eq!(change.extra, [("url".into(), "\"https://x\"".into())]);
    }

    #[test]
    fn a_bad_record_is_rejected_with_its_rule_and_its_id() {
        let good = r#""properties":{"lastmodifieddate":"5"}"#;
        let cases = [
            (format!("{{{good}}}"), Code::RecordNoIdentity, None),
            (format!(r#"{{"id":"",{good}}}"#), Code::RecordNoIdentity, None),
            (format!(r#"{{"id":null,{good}}}"#), Code::RecordNoIdentity, None),
            (format!(r#"{{"id":[1],{good}}}"#), Code::RecordNoIdentity, None),
            (format!(r#"{{"id":"1","id":"2",{good}}}"#), Code::RecordIdentityAmbiguous, None),
            (r#"{"id":"1","properties":{}}"#.to_owned(), Code::RecordVersion, Some("1")),
            (r#"{"id":"1","properties":null}"#.to_owned(), Code::RecordVersion, Some("1")),
            (r#"{"id":"1","properties":{"lastmodifieddate":"2100-01-01T00:00:00Z"}}"#.to_owned(), Code::RecordVersion, Some("1")),
            (r#"{"id":"1","properties":{"lastmodifieddate":"5","fit_score":"many"}}"#.to_owned(), Code::RecordType, Some("1")),
            (r#"{"id":"1","properties":{"lastmodifieddate":"5","contract_renewal":"2026-02-30"}}"#.to_owned(), Code::RecordRange, Some("1")),
            (r#"{"id":"1","properties":[]}"#.to_owned(), Code::RecordMalformed, None),
            ("[]".to_owned(), Code::RecordMalformed, None),
        ];
        for (json, code, id) in cases {
            let (layout, raw) = (contacts(), raw(&json));
            let reject = decode(&raw, object("contacts"), &layout, NOW).unwrap_err();
            assert_eq!(
                (reject.code, reject.record_id.as_deref()),
                (code, id),
                "{json}"
            );
        }
    }

    #[test]
    fn without_a_change_time_the_record_is_as_old_as_its_last_update() {
        let raw = raw(
            r#"{"id":"1","properties":{"lastmodifieddate":""},"updatedAt":"1970-01-01T00:00:07Z"}"#,
        );
        let change = decode(&raw, object("contacts"), &contacts(), NOW).unwrap();
        assert_eq!(change.version, Timestamp::from_millis(7_000));
    }

    #[test]
    fn the_fixtures_are_pages_whose_records_all_become_rows() {
        macro_rules! fixtures {
            ($($stream:literal),+) => {
                [$((
                    $stream,
                    include_str!(concat!("../fixtures/", $stream, "/properties.json")),
                    include_str!(concat!("../fixtures/", $stream, "/page.json")),
                )),+]
            };
        }
        let fixtures = fixtures![
            "contacts",
            "companies",
            "deals",
            "calls",
            "emails",
            "meetings",
            "notes",
            "tasks"
        ];
        assert_eq!(fixtures.map(|it| it.0).to_vec(), streams());
        for (stream, properties, page) in fixtures {
            #[derive(serde::Deserialize)]
            struct Results<T> {
                results: Vec<T>,
            }
            let properties: Results<Property> = serde_json::from_str(properties).unwrap();
            let layout = Layout::new(object(stream), &properties.results).unwrap();
            let page: Results<Box<RawValue>> = serde_json::from_str(page).unwrap();
            for record in page.results {
                let raw = raw(record.get());
                let change = decode(&raw, object(stream), &layout, NOW).unwrap();
                let filled = change
                    .values
                    .iter()
                    .filter(|value| **value != Value::Null)
                    .count();
                assert!(
                    filled > 5 && change.extra.is_empty(),
                    "{stream} {}: {:?}",
                    change.key,
                    change.extra
                );
            }
        }
    }

    #[test]
    fn associations_are_lists_of_ids_each_once_and_without_any_there_is_no_value() {
        let call = |associations: &str| {
            raw(&format!(
                r#"{{"id":"1","properties":{{"hs_lastmodifieddate":"5"}},"associations":{associations}}}"#
            ))
        };
        let layout = Layout::new(object("calls"), &[]).unwrap();
        let list = |ids: &'static str| Value::Text(ids.into());
        let cases = [
            ("null", [Value::Null, Value::Null, Value::Null]),
            ("{}", [Value::Null, Value::Null, Value::Null]),
            (
                r#"{"contacts":{"results":[]}}"#,
                [Value::Null, Value::Null, Value::Null],
            ),
            (
                r#"{"deals":{"results":[{"id":8}]},
                    "contacts":{"results":[{"id":"10","type":"a"},{"id":"9"},{"id":"10","type":"b"}]}}"#,
                [list(r#"["9","10"]"#), Value::Null, list(r#"["8"]"#)],
            ),
        ];
        for (associations, values) in cases {
            let raw = call(associations);
            let change = decode(&raw, object("calls"), &layout, NOW).unwrap();
            assert_eq!(change.values[ASSOCIATIONS..][..3], values, "{associations}");
            assert!(change.extra.iter().all(|(name, _)| name != MEMBER));
        }
        let columns: Vec<_> = layout.table.columns()[ASSOCIATIONS..]
            .iter()
            .map(|column| (column.name.as_str(), column.column_type))
            .collect();
        let json = |name| (name, ColumnType::Json);
        let names = ["contacts", "companies", "deals"].map(|to| format!("associations_{to}"));
        assert_eq!(columns, names.each_ref().map(|name| json(name.as_str())));
    }

    #[test]
    fn associations_of_another_shape_are_rejected_and_those_of_another_type_are_kept() {
        let properties = r#""properties":{"hs_lastmodifieddate":"5","lastmodifieddate":"5"}"#;
        for bad in [
            "7",
            "[]",
            r#"{"contacts":[]}"#,
            r#"{"deals":{"results":[{"id":[]}]}}"#,
        ] {
            let layout = Layout::new(object("calls"), &[]).unwrap();
            let raw = raw(&format!(
                r#"{{"id":"1",{properties},"associations":{bad}}}"#
            ));
            let reject = decode(&raw, object("calls"), &layout, NOW).unwrap_err();
            assert_eq!(
                (
                    reject.code,
                    reject.field.as_deref(),
                    reject.record_id.as_deref()
                ),
                (Code::RecordType, Some("associations"), Some("1")),
                "{bad}"
            );
        }
        let others = r#"{"tickets":{"results":[{"id":"3"}]}}"#;
        for stream in ["calls", "contacts"] {
            let layout = Layout::new(object(stream), &[]).unwrap();
            let raw = raw(&format!(
                r#"{{"id":"1",{properties},"associations":{others}}}"#
            ));
            let change = decode(&raw, object(stream), &layout, NOW).unwrap();
            let kept = change
                .extra
                .iter()
                .filter(|(name, _)| name == "associations");
            assert_eq!(
                kept.map(|(_, raw)| &**raw).collect::<Vec<_>>(),
                [others],
                "{stream}"
            );
        }
    }
}
