//! A stored value as it is compared: filters of both vendors work on these.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Kind, parse_time};

/// One comparable value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    /// No value.
    Null,
    /// Any text.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// True or false.
    Flag(bool),
    /// An instant or the start of a day, in milliseconds since 1970.
    Time(i64),
}

impl<'a> Cell<'a> {
    /// Reads a JSON fragment (empty means null) as a value of the given kind.
    pub(crate) fn of_fragment(kind: Kind, fragment: &'a str) -> Self {
        if fragment.is_empty() || fragment == "null" {
            return Cell::Null;
        }
        let bare = match fragment
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
        {
            Some(inner) if inner.contains('\\') => {
                Cow::Owned(serde_json::from_str(fragment).unwrap_or_default())
            }
            Some(inner) => Cow::Borrowed(inner),
            None => Cow::Borrowed(fragment),
        };
        Self::of_text(kind, bare)
    }

    /// Reads plain text as a value of the given kind; what does not fit the kind stays text.
    pub(crate) fn of_text(kind: Kind, text: Cow<'a, str>) -> Self {
        let read = match kind {
            Kind::Double | Kind::Currency | Kind::Percent | Kind::Int => {
                text.parse().ok().map(Cell::Number)
            }
            Kind::Bool => text.parse().ok().map(Cell::Flag),
            Kind::Date | Kind::DateTime => parse_time(&text).map(Cell::Time),
            _ => None,
        };
        read.unwrap_or(Cell::Text(text))
    }

    /// Orders two values; texts compare without regard to case, values of different kinds and
    /// nulls do not compare.
    pub(crate) fn compare(&self, other: &Cell<'_>) -> Option<Ordering> {
        match (self, other) {
            (Cell::Text(left), Cell::Text(right)) => {
                if left == right {
                    return Some(Ordering::Equal);
                }
                Some(left.to_lowercase().cmp(&right.to_lowercase()))
            }
            (Cell::Number(left), Cell::Number(right)) => left.partial_cmp(right),
            (Cell::Flag(left), Cell::Flag(right)) => Some(left.cmp(right)),
            (Cell::Time(left), Cell::Time(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }

    /// Orders for sorting: nulls first, then by [`Cell::compare`].
    pub(crate) fn sort_order(&self, other: &Cell<'_>) -> Ordering {
        match (self, other) {
            (Cell::Null, Cell::Null) => Ordering::Equal,
            (Cell::Null, _) => Ordering::Less,
            (_, Cell::Null) => Ordering::Greater,
            _ => self.compare(other).unwrap_or(Ordering::Equal),
        }
    }
}
