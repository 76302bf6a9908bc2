//! Compares a warehouse with what the vendors' world says is true, record by record, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use bigdecimal::BigDecimal;
use chrono::DateTime;
use salesync_sandbox::World;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::harness::Bench;
use crate::tables::{Row, Tables};

/// The objects of HubSpot and the property with each one's change time.
pub(crate) const HUBSPOT: [(&str, &str); 8] = [
    ("contacts", "lastmodifieddate"),
    ("companies", "hs_lastmodifieddate"),
    ("deals", "hs_lastmodifieddate"),
    ("calls", "hs_lastmodifieddate"),
    ("emails", "hs_lastmodifieddate"),
    ("meetings", "hs_lastmodifieddate"),
    ("notes", "hs_lastmodifieddate"),
    ("tasks", "hs_lastmodifieddate"),
];
/// The objects of HubSpot whose associations are read, and those that they belong to.
pub(crate) const ACTIVITIES: [&str; 5] = ["calls", "emails", "meetings", "notes", "tasks"];
const ABOUT: [&str; 3] = ["contacts", "companies", "deals"];
/// The objects of Salesforce and their streams.
pub(crate) const SALESFORCE: [(&str, &str); 7] = [
    ("Account", "accounts"),
    ("Contact", "contacts"),
    ("Lead", "leads"),
    ("Opportunity", "opportunities"),
    ("User", "users"),
    ("Task", "tasks"),
    ("Event", "events"),
];

/// Whether the last sync was one that finds out what is gone without a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swept {
    Yes,
    No,
}

/// Fails unless every record of every stream is in the warehouse as the world has it.
pub(crate) fn assert_all(bench: &Bench, swept: Swept) {
    let tables = bench.tables();
    let mut found = Vec::new();
    for (object, _) in HUBSPOT {
        found.extend(hubspot(bench.world(), &tables, object, swept));
    }
    for (object, _) in SALESFORCE {
        found.extend(salesforce(bench.world(), &tables, object, swept));
    }
    found.extend(owners(bench, &tables));
    none(&found);
}

/// Fails unless one object of HubSpot is in the warehouse as the world has it.
pub(crate) fn assert_hubspot(bench: &Bench, object: &str, swept: Swept) {
    none(&hubspot(bench.world(), &bench.tables(), object, swept));
}

/// Fails unless one object of Salesforce is in the warehouse as the world has it.
pub(crate) fn assert_salesforce(bench: &Bench, object: &str, swept: Swept) {
    none(&salesforce(bench.world(), &bench.tables(), object, swept));
}

fn none(found: &[String]) {
    let shown: Vec<_> = found.iter().take(20).map(String::as_str).collect();
    assert!(
        found.is_empty(),
        "{} differences, among them:\n{}",
        found.len(),
        shown.join("\n")
    );
}

/// Returns every difference in one object of HubSpot.
pub(crate) fn hubspot(world: &World, tables: &Tables, object: &str, swept: Swept) -> Vec<String> {
    let table = format!("hubspot_{object}");
    let changed_by = HUBSPOT.iter().find(|(name, _)| *name == object).unwrap().1;
    let mut check = Check::new(tables, &table);
    let records = world.hubspot_records(object);
    let merged: BTreeMap<&str, &str> = records
        .iter()
        .filter_map(|it| Some((it["id"].as_str()?, it["mergedInto"].as_str()?)))
        .collect();
    for record in &records {
        let id = record["id"].as_str().unwrap();
        if record["erased"] == true {
            check.erased(id, swept);
        } else if merged.contains_key(id) {
            check.gone(id, "merged_into", Some(end_of(&merged, id)));
        } else {
            let properties = record["properties"].as_object().unwrap();
            for (name, value) in properties {
                check.field(id, name, value);
            }
            for name in ["createdAt", "updatedAt"] {
                check.field(id, name, &record[name]);
            }
            check.field(id, "_extra", &Value::Null);
            if record["archived"] == true {
                check.gone(id, "archived", None);
                check.field(id, "_deleted_at", &record["archivedAt"]);
            } else {
                check.live(id);
                check.field(id, "_version", &properties[changed_by]);
            }
            if ACTIVITIES.contains(&object) {
                for to in ABOUT {
                    check.associations(world, (object, id), to, swept);
                }
            }
        }
    }
    check.nothing_else()
}

/// What became of the records of one object: the end of each one's chain of merges, `None` where it is erased.
fn survivors(world: &World, object: &str) -> BTreeMap<String, Option<String>> {
    let records = world.hubspot_records(object);
    let merged: BTreeMap<&str, &str> = records
        .iter()
        .filter_map(|it| Some((it["id"].as_str()?, it["mergedInto"].as_str()?)))
        .collect();
    let erased: BTreeSet<&str> = records
        .iter()
        .filter(|it| it["erased"] == true)
        .filter_map(|it| it["id"].as_str())
        .collect();
    let ids = records.iter().filter_map(|it| it["id"].as_str());
    ids.map(|id| {
        let end = end_of(&merged, id);
        let lives = !erased.contains(end);
        (id.to_owned(), lives.then(|| end.to_owned()))
    })
    .collect()
}

/// Returns every difference in one object of Salesforce.
pub(crate) fn salesforce(
    world: &World,
    tables: &Tables,
    object: &str,
    swept: Swept,
) -> Vec<String> {
    let stream = SALESFORCE
        .iter()
        .find(|(name, _)| *name == object)
        .unwrap()
        .1;
    let mut check = Check::new(tables, &format!("salesforce_{stream}"));
    let records = world.salesforce_records(object);
    let merged: BTreeMap<&str, &str> = records
        .iter()
        .filter_map(|it| Some((it["Id"].as_str()?, it["MasterRecordId"].as_str()?)))
        .collect();
    for record in &records {
        let id = record["Id"].as_str().unwrap();
        if record["erased"] == true {
            check.erased(id, swept);
            continue;
        }
        // A compound field is no column: its parts are fields themselves.
        for (name, value) in record
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_object())
        {
            if name != "Id" && !(name.ends_with("Address") && value.is_null()) {
                check.field(id, name, value);
            }
        }
        check.field(id, "_extra", &Value::Null);
        check.field(id, "_version", &record["SystemModstamp"]);
        match (record["IsDeleted"] == true, merged.contains_key(id)) {
            (true, true) => check.gone(id, "merged_into", Some(end_of(&merged, id))),
            (true, false) => check.gone(id, "deleted", None),
            (false, _) => check.live(id),
        }
    }
    check.nothing_else()
}

/// Returns every difference in the owners of HubSpot, whom the world shows only to those who ask.
fn owners(bench: &Bench, tables: &Tables) -> Vec<String> {
    let mut check = Check::new(tables, "hubspot_owners");
    for archived in [false, true] {
        let page = bench.ask(&format!("/crm/v3/owners?limit=500&archived={archived}"));
        for owner in page["results"].as_array().unwrap() {
            let id = owner["id"].as_str().unwrap();
            for (name, value) in owner.as_object().unwrap() {
                if !["id", "archived"].contains(&name.as_str()) {
                    check.field(id, name, value);
                }
            }
            match archived {
                true => check.gone(id, "archived", None),
                false => check.live(id),
            }
        }
    }
    check.nothing_else()
}

/// Returns the record at the end of a chain of merges.
fn end_of<'a>(merged: &BTreeMap<&'a str, &'a str>, id: &'a str) -> &'a str {
    let mut end = id;
    while let Some(next) = merged.get(end) {
        end = next;
    }
    end
}

/// The rows of one table, and what was found wrong with them.
struct Check {
    table: String,
    columns: BTreeMap<String, String>,
    rows: BTreeMap<String, Row>,
    known: BTreeSet<String>,
    wrong: Vec<String>,
    survivors: BTreeMap<String, BTreeMap<String, Option<String>>>,
}

impl Check {
    fn new(tables: &Tables, table: &str) -> Self {
        let (columns, rows) = (tables.columns(table), tables.rows(table));
        Self {
            table: table.to_owned(),
            columns,
            rows,
            known: BTreeSet::new(),
            wrong: Vec::new(),
            survivors: BTreeMap::new(),
        }
    }

    /// Returns what a row's column holds; a row that is not there is told once.
    fn value(&mut self, id: &str, name: &str) -> Option<Option<String>> {
        if self.known.insert(id.to_owned()) && !self.rows.contains_key(id) {
            self.wrong.push(format!("{} {id}: lost", self.table));
        }
        Some(self.rows.get(id)?[name].clone())
    }

    fn field(&mut self, id: &str, name: &str, value: &Value) {
        let Some(data_type) = self.columns.get(name).cloned() else {
            self.wrong.push(format!("{}: no column {name}", self.table));
            return;
        };
        let Some(actual) = self.value(id, name) else {
            return;
        };
        let same = |text: &String| canonical(&data_type, text);
        let expected = text_of(&data_type, value);
        // The world tells Salesforce's numbers as floats, which are one step off at times; that every digit
        // is kept is another test's.
        let near = |held: &str, told: &str| {
            let [held, told] = [held, told].map(|text| text.parse::<f64>().unwrap());
            (held - told).abs() <= held.abs() * 1e-15
        };
        let told_as_float = data_type.starts_with("DECIMAL") && value.is_f64();
        if let (true, Some(held), Some(told)) = (told_as_float, &actual, &expected)
            && near(held, told)
        {
            return;
        }
        // A number with more digits than the column holds is kept beside it, with every one of them.
        if actual.is_none() && expected.is_some() && data_type.starts_with("DECIMAL") {
            let beside = self.take_beside(id, name);
            let told = beside.as_deref().map(|raw| raw.trim_matches('"'));
            if told
                .zip(expected.as_deref())
                .is_some_and(|(raw, text)| is_too_long(&data_type, raw) && near(raw, text))
            {
                return;
            }
        }
        if expected.as_ref().map(same) != actual.as_ref().map(same) {
            self.wrong.push(format!(
                "{} {id}.{name} ({data_type}): {actual:?} is not {value}",
                self.table
            ));
        }
    }

    /// A record's associations. They change without a change time when the other record is merged or erased: then
    /// a full sync brings them, and until then the old id leads to what lives on.
    fn associations(&mut self, world: &World, (object, id): (&str, &str), to: &str, swept: Swept) {
        let column = format!("associations_{to}");
        let Some(held) = self.value(id, &column) else {
            return;
        };
        let held: Vec<String> =
            held.map_or_else(Vec::new, |text| serde_json::from_str(&text).unwrap());
        let told = world.hubspot_associated((object, id), to);
        let survivors = self
            .survivors
            .entry(to.to_owned())
            .or_insert_with(|| survivors(world, to));
        let ends = |ids: &[String]| -> BTreeSet<String> {
            let end = |id: &String| survivors.get(id).map_or(Some(id.clone()), Clone::clone);
            ids.iter().filter_map(end).collect()
        };
        let same = match swept {
            Swept::Yes => held == told,
            Swept::No => ends(&held) == ends(&told),
        };
        if !same {
            self.wrong.push(format!(
                "{} {id}.{column}: {held:?} is not {told:?}",
                self.table
            ));
        }
    }

    /// Takes what is kept beside the columns under a name, as it was sent.
    fn take_beside(&mut self, id: &str, name: &str) -> Option<String> {
        let row = self.rows.get_mut(id)?;
        let text = row["_extra"].as_deref()?;
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap();
        let found = fields.remove(name)?;
        let rest = (!fields.is_empty()).then(|| serde_json::to_string(&fields).unwrap());
        row.insert("_extra".to_owned(), rest);
        Some(found.get().to_owned())
    }

    fn live(&mut self, id: &str) {
        self.marks(id, [None, None]);
        if self.value(id, "_deleted_at").flatten().is_some() {
            self.wrong
                .push(format!("{} {id}: marked as gone", self.table));
        }
    }

    fn gone(&mut self, id: &str, reason: &str, merged_into: Option<&str>) {
        self.marks(id, [Some(reason), merged_into]);
        if self.value(id, "_deleted_at") == Some(None) {
            self.wrong
                .push(format!("{} {id}: without the time it went", self.table));
        }
    }

    /// A record without a trace: a full sync finds that it is absent, and it need not have been there.
    fn erased(&mut self, id: &str, swept: Swept) {
        if swept == Swept::Yes && self.rows.contains_key(id) {
            self.gone(id, "absent", None);
        }
        self.known.insert(id.to_owned());
    }

    fn marks(&mut self, id: &str, expected: [Option<&str>; 2]) {
        let actual = ["_deleted_reason", "_merged_into"].map(|name| self.value(id, name));
        if actual[0].is_some()
            && actual
                .each_ref()
                .map(|value| value.as_ref().and_then(Option::as_deref))
                != expected
        {
            self.wrong.push(format!(
                "{} {id}: marks {actual:?} are not {expected:?}",
                self.table
            ));
        }
    }

    fn nothing_else(mut self) -> Vec<String> {
        let ghosts = self.rows.keys().filter(|id| !self.known.contains(*id));
        self.wrong
            .extend(ghosts.map(|id| format!("{} {id}: a ghost", self.table)));
        self.wrong
    }
}

/// Returns a vendor's value as the text that a column of that type holds.
fn text_of(data_type: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) if text.is_empty() => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(match data_type {
        "TIMESTAMP WITH TIME ZONE" => micros_of(&text).to_string(),
        _ => text,
    })
}

/// Reads an instant in any of the vendors' spellings.
fn micros_of(text: &str) -> i64 {
    if let Ok(millis) = text.parse::<i64>() {
        return millis * 1_000;
    }
    let time = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    time.unwrap_or_else(|error| panic!("{text}: {error}"))
        .timestamp_micros()
}

/// Returns whether a number has more digits than a column of that type holds.
fn is_too_long(data_type: &str, text: &str) -> bool {
    let digits = data_type
        .strip_prefix("DECIMAL(")
        .and_then(|rest| rest.strip_suffix(')'));
    let Some((precision, scale)) = digits.and_then(|digits| digits.split_once(',')) else {
        return false;
    };
    let [precision, scale] = [precision, scale].map(|number| number.parse::<usize>().unwrap());
    let plain = BigDecimal::from_str(text)
        .unwrap()
        .normalized()
        .to_plain_string();
    let (whole, fraction) = plain
        .trim_start_matches('-')
        .split_once('.')
        .unwrap_or((&plain, ""));
    fraction.len() > scale || whole.trim_start_matches('-').len() > precision - scale
}

/// Makes two spellings of one value one.
fn canonical(data_type: &str, text: &str) -> String {
    if data_type.starts_with("DECIMAL") {
        return BigDecimal::from_str(text).map_or_else(
            |_| text.to_owned(),
            |number| number.normalized().to_plain_string(),
        );
    }
    if data_type == "JSON" {
        return serde_json::from_str::<Value>(text)
            .map_or_else(|_| text.to_owned(), |value| value.to_string());
    }
    text.to_owned()
}
