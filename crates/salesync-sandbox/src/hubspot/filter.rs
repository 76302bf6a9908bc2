//! HubSpot's search filters: groups of conditions, one of which must hold as a whole.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::answer::{invalid, problem};
use super::schema;
use crate::server::Answer;
use crate::store::{Cell, Kind, Shelf, Version};

const GROUPS_MAX: usize = 5;
const FILTERS_MAX: usize = 10;

/// All groups of a search; no group at all lets everything through.
#[derive(Debug)]
pub(crate) struct Filter {
    groups: Vec<Vec<Condition>>,
    time_column: Option<usize>,
    query: String,
}

#[derive(Debug)]
struct Condition {
    /// None for a property that the vendor accepts but never finds anything by.
    column: Option<usize>,
    kind: Kind,
    operator: Operator,
    values: Vec<Cell<'static>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Between,
    In,
    NotIn,
    Has,
    HasNot,
    Contains,
    ContainsNot,
}

impl Filter {
    /// Reads the filters of a search body, or gives the vendor's refusal.
    pub(crate) fn read(shelf: &Shelf, body: &Value) -> Result<Self, Box<Answer>> {
        let empty = Vec::new();
        let groups = body
            .get("filterGroups")
            .and_then(Value::as_array)
            .unwrap_or(&empty);
        if groups.len() > GROUPS_MAX {
            return Err(Box::new(invalid("too many filterGroups: at most 5")));
        }
        let groups = groups
            .iter()
            .map(|group| {
                let filters = group
                    .get("filters")
                    .and_then(Value::as_array)
                    .unwrap_or(&empty);
                if filters.len() > FILTERS_MAX {
                    return Err(Box::new(invalid("too many filters in a group: at most 10")));
                }
                filters
                    .iter()
                    .map(|filter| condition(shelf, filter))
                    .collect()
            })
            .collect::<Result<_, _>>()?;
        let query = body
            .get("query")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_lowercase();
        Ok(Self {
            groups,
            time_column: shelf.column(schema::time_property(&shelf.name)),
            query,
        })
    }

    /// Says which modification times can match at all: both bounds count in.
    pub(crate) fn time_bounds(&self) -> (i64, i64) {
        if self.groups.is_empty() {
            return (i64::MIN, i64::MAX);
        }
        let bounds = self.groups.iter().map(|group| {
            group
                .iter()
                .filter(|condition| self.is_time(condition))
                .fold((i64::MIN, i64::MAX), |(low, high), condition| {
                    let (own_low, own_high) = condition.time_bounds();
                    (low.max(own_low), high.min(own_high))
                })
        });
        bounds
            .reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))
            .unwrap_or((0, 0))
    }

    /// Says whether [`Filter::time_bounds`] is the whole filter.
    pub(crate) fn is_only_time(&self) -> bool {
        self.query.is_empty()
            && match self.groups.as_slice() {
                [] => true,
                [group] => group.iter().all(|one| self.is_time(one) && one.is_range()),
                _ => false,
            }
    }

    /// Says whether a record's values match.
    pub(crate) fn matches(&self, width: usize, version: &Version) -> bool {
        let found = self.query.is_empty()
            || (0..width).any(|at| version.fragment(at).to_lowercase().contains(&self.query));
        found
            && (self.groups.is_empty()
                || self
                    .groups
                    .iter()
                    .any(|group| group.iter().all(|one| one.holds(version))))
    }

    fn is_time(&self, condition: &Condition) -> bool {
        condition.column.is_some() && condition.column == self.time_column
    }
}

impl Condition {
    fn is_range(&self) -> bool {
        use Operator::{Between, Eq, Gt, Gte, Lt, Lte};
        matches!(self.operator, Eq | Gt | Gte | Lt | Lte | Between)
            && self
                .values
                .iter()
                .all(|value| matches!(value, Cell::Time(_)))
    }

    fn time_bounds(&self) -> (i64, i64) {
        let time = |place: usize| match self.values.get(place) {
            Some(Cell::Time(ms)) => Some(*ms),
            _ => None,
        };
        let (Some(low), high) = (time(0), time(1)) else {
            return (i64::MIN, i64::MAX);
        };
        match self.operator {
            Operator::Eq => (low, low),
            Operator::Gt => (low.saturating_add(1), i64::MAX),
            Operator::Gte => (low, i64::MAX),
            Operator::Lt => (i64::MIN, low.saturating_sub(1)),
            Operator::Lte => (i64::MIN, low),
            Operator::Between => (low, high.unwrap_or(i64::MAX)),
            _ => (i64::MIN, i64::MAX),
        }
    }

    fn holds(&self, version: &Version) -> bool {
        let Some(column) = self.column else {
            return false;
        };
        let cell = Cell::of_fragment(self.kind, version.fragment(column));
        let against = |place: usize| self.values.get(place).and_then(|value| cell.compare(value));
        let is_any = || {
            self.values
                .iter()
                .any(|value| cell.compare(value) == Some(Ordering::Equal))
        };
        match self.operator {
            Operator::Eq => against(0) == Some(Ordering::Equal),
            Operator::Neq => against(0) != Some(Ordering::Equal),
            Operator::Gt => against(0) == Some(Ordering::Greater),
            Operator::Gte => against(0).is_some_and(Ordering::is_ge),
            Operator::Lt => against(0) == Some(Ordering::Less),
            Operator::Lte => against(0).is_some_and(Ordering::is_le),
            Operator::Between => {
                against(0).is_some_and(Ordering::is_ge) && against(1).is_some_and(Ordering::is_le)
            }
            Operator::In => is_any(),
            Operator::NotIn => cell != Cell::Null && !is_any(),
            Operator::Has => cell != Cell::Null,
            Operator::HasNot => cell == Cell::Null,
            Operator::Contains => contains_token(&cell, self.values.first()),
            Operator::ContainsNot => !contains_token(&cell, self.values.first()),
        }
    }
}

fn condition(shelf: &Shelf, filter: &Value) -> Result<Condition, Box<Answer>> {
    let text = |name: &str| filter.get(name).map(plain);
    let name = text("propertyName").unwrap_or_default();
    let Some(operator) = operator(&text("operator").unwrap_or_default()) else {
        return Err(Box::new(invalid("operator is missing or unknown")));
    };
    let column = shelf.column(&name);
    // The vendor knows this name for contacts and finds nothing by it, without an error.
    if column.is_none() && name != "hs_lastmodifieddate" {
        return Err(Box::new(invalid(&format!(
            "Property '{name}' does not exist"
        ))));
    }
    let kind = column
        .and_then(|at| shelf.fields.get(at))
        .map_or(Kind::Text, |field| field.kind);
    let mut given: Vec<String> = text("value").into_iter().chain(text("highValue")).collect();
    if let (Operator::In | Operator::NotIn, Some(list)) =
        (operator, filter.get("values").and_then(Value::as_array))
    {
        given = list.iter().map(plain).collect();
    }
    let needed = match operator {
        Operator::Has | Operator::HasNot => 0,
        Operator::Between => 2,
        _ => 1,
    };
    if given.len() < needed {
        return Err(Box::new(invalid("a filter lacks its value")));
    }
    let values: Vec<Cell<'static>> = given
        .into_iter()
        .map(|value| Cell::of_text(kind, Cow::Owned(value)))
        .collect();
    let lower = matches!(operator, Operator::Gt | Operator::Gte | Operator::Between);
    if lower && matches!(values.first(), Some(Cell::Time(..=0))) {
        return Err(Box::new(problem(500, "INTERNAL_ERROR", "internal error")));
    }
    if kind == Kind::DateTime
        && needed > 0
        && values.iter().any(|cell| matches!(cell, Cell::Text(_)))
    {
        return Err(Box::new(invalid(&format!(
            "'{name}' is compared with what is no time"
        ))));
    }
    Ok(Condition {
        column,
        kind,
        operator,
        values,
    })
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "EQ" => Operator::Eq,
        "NEQ" => Operator::Neq,
        "GT" => Operator::Gt,
        "GTE" => Operator::Gte,
        "LT" => Operator::Lt,
        "LTE" => Operator::Lte,
        "BETWEEN" => Operator::Between,
        "IN" => Operator::In,
        "NOT_IN" => Operator::NotIn,
        "HAS_PROPERTY" => Operator::Has,
        "NOT_HAS_PROPERTY" => Operator::HasNot,
        "CONTAINS_TOKEN" => Operator::Contains,
        "NOT_CONTAINS_TOKEN" => Operator::ContainsNot,
        _ => return None,
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Looks for a word, or with `*` at its start or end for a part of one.
fn contains_token(cell: &Cell<'_>, wanted: Option<&Cell<'_>>) -> bool {
    let (Cell::Text(text), Some(Cell::Text(wanted))) = (cell, wanted) else {
        return false;
    };
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    let part = wanted.trim_matches('*');
    text.split(|sign: char| !sign.is_alphanumeric() && !part.contains(sign))
        .any(
            |word| match (wanted.starts_with('*'), wanted.ends_with('*')) {
                (true, true) => word.contains(part),
                (true, false) => word.ends_with(part),
                (false, true) => word.starts_with(part),
                (false, false) => word == part,
            },
        )
}
