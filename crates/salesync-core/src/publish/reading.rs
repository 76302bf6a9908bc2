//! Reads the columns that a declaration names out of raw tables, whatever their types.

use std::borrow::Cow;
use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Code, Error, Result};
use crate::record::Value;
use crate::schema::ColumnType;
use crate::source::Except;
use crate::validate::{SqlIdentifier, parse_decimal, parse_timestamp, parse_value};
use crate::warehouse::{Filter, Scan, Warehouse};

/// The column of raw tables that says when a row's record went.
pub(super) const DELETED: &str = "_deleted_at";

const DAY_MICROS: i64 = 86_400_000_000;

/// Reads rows of a stream's table: of the columns named, those that the table has.
pub(super) async fn rows(
    warehouse: &dyn Warehouse,
    stream: (&str, &str),
    (places, filter): (&[&str], Filter),
) -> Result<Vec<RecordBatch>> {
    let columns = columns(warehouse, stream, places).await?;
    selected(warehouse, stream, (columns, filter)).await
}

/// Returns the columns of those places that a stream's table has.
pub(super) async fn columns(
    warehouse: &dyn Warehouse,
    (source, stream): (&str, &str),
    places: &[&str],
) -> Result<Vec<SqlIdentifier>> {
    let table = SqlIdentifier::parse(&format!("{source}_{stream}"))?;
    let there = warehouse.columns(&table).await?;
    let mut columns = Vec::new();
    for place in places {
        let (name, _) = parted(place);
        if there.iter().any(|column| column == name) {
            let column = SqlIdentifier::parse(name)?;
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    Ok(columns)
}

/// Reads these columns of rows of a stream's table.
pub(super) async fn selected(
    warehouse: &dyn Warehouse,
    (source, stream): (&str, &str),
    (columns, filter): (Vec<SqlIdentifier>, Filter),
) -> Result<Vec<RecordBatch>> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let scan = Scan {
        columns,
        filter,
        ..Scan::of(SqlIdentifier::parse(&format!("{source}_{stream}"))?)
    };
    warehouse.scan(&scan).await
}

/// Returns the rows of a raw table's batch whose record is still there.
pub(super) fn live(batch: &RecordBatch) -> Result<RecordBatch> {
    let Some(deleted) = batch.column_by_name(DELETED) else {
        return Ok(batch.clone());
    };
    let internal = |error| Error::new(Code::Internal, "leave out deleted rows").because(error);
    let is_live = arrow::compute::is_null(deleted).map_err(internal)?;
    arrow::compute::filter_record_batch(batch, &is_live).map_err(internal)
}

/// Parts a place into its column and the member of the JSON object in it.
fn parted(place: &str) -> (&str, Option<&str>) {
    match place.split_once('.') {
        Some((column, member)) => (column, Some(member)),
        None => (place, None),
    }
}

/// The cells of one place of a batch.
pub(super) struct Cells<'a> {
    column: &'a ArrayRef,
    texts: Option<&'a StringArray>,
    format: ArrayFormatter<'a>,
    member: Option<&'a str>,
}

impl<'a> Cells<'a> {
    /// Returns the cells of a place, `None` where the batch does not have its column.
    pub(super) fn of(batch: &'a RecordBatch, place: &'a str) -> Result<Option<Self>> {
        static OPTIONS: FormatOptions<'static> = FormatOptions::new();
        let (name, member) = parted(place);
        let Some(column) = batch.column_by_name(name) else {
            return Ok(None);
        };
        let format = ArrayFormatter::try_new(column.as_ref(), &OPTIONS)
            .map_err(|error| Error::new(Code::StoreSchema, "read a column").because(error))?;
        Ok(Some(Self {
            column,
            texts: column.as_string_opt::<i32>(),
            format,
            member,
        }))
    }

    /// Returns the cells of a place, `None` also where none is named.
    pub(super) fn of_named(batch: &'a RecordBatch, place: Option<&'a str>) -> Result<Option<Self>> {
        place.map_or(Ok(None), |place| Self::of(batch, place))
    }

    /// Returns the cells of those places that the batch has, in their order.
    pub(super) fn all(batch: &'a RecordBatch, places: &'a [&'a str]) -> Result<Vec<Self>> {
        let cells = places.iter().map(|place| Self::of(batch, place));
        cells.filter_map(Result::transpose).collect()
    }

    /// Returns a cell's text without space around it; an empty one says nothing.
    pub(super) fn text(&self, row: usize) -> Option<Cow<'a, str>> {
        let whole = self.whole(row)?;
        let text = match self.member {
            None => whole,
            Some(member) => {
                let document: serde_json::Value = serde_json::from_str(&whole).ok()?;
                Cow::Owned(scalar(document.get(member)?)?)
            }
        };
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        (!text.is_empty()).then_some(text)
    }

    /// Returns the texts of a cell: those of a JSON list, or its one.
    pub(super) fn texts(&self, row: usize) -> Vec<Cow<'a, str>> {
        let Some(text) = self.text(row) else {
            return Vec::new();
        };
        let list = text.starts_with('[').then(|| serde_json::from_str(&text));
        match list {
            Some(Ok(serde_json::Value::Array(values))) => values
                .iter()
                .filter_map(scalar)
                .filter(|value| !value.trim().is_empty())
                .map(|value| Cow::Owned(value.trim().to_owned()))
                .collect(),
            _ => vec![text],
        }
    }

    /// Returns the time in a cell in µs since 1970; a day is its beginning.
    pub(super) fn time(&self, row: usize) -> Option<i64> {
        if !self.column.is_valid(row) {
            return None;
        }
        if let Some(times) = self.column.as_primitive_opt::<TimestampMicrosecondType>() {
            return Some(times.value(row));
        }
        if let Some(days) = self.column.as_primitive_opt::<Date32Type>() {
            return Some(i64::from(days.value(row)).saturating_mul(DAY_MICROS));
        }
        let text = self.text(row)?;
        parse_timestamp(&text).ok().map(|time| time.micros())
    }

    /// Returns the whole part and the first three digits after the point of the number in a cell, as
    /// thousandths.
    pub(super) fn thousandths(&self, row: usize) -> Option<i64> {
        let text = self.text(row)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole: i64 = whole.parse().ok()?;
        let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
        let mut digits =
            digits.map(|digit| digit.is_ascii_digit().then(|| i64::from(digit - b'0')));
        let fraction = digits.try_fold(0, |sum, digit| Some(sum * 10 + digit?))?;
        let sign = if text.starts_with('-') { -1 } else { 1 };
        whole.checked_mul(1_000)?.checked_add(sign * fraction)
    }

    /// Returns the number in a cell, exactly, as an integer at `scale`; one with more digits says nothing.
    pub(super) fn decimal(&self, row: usize, (precision, scale): (u8, i8)) -> Option<i128> {
        parse_decimal(&self.text(row)?, precision, scale).ok()
    }

    /// Returns whether a cell says yes or no.
    pub(super) fn flag(&self, row: usize) -> Option<bool> {
        match parse_value(ColumnType::Bool, self.text(row)?) {
            Ok(Value::Bool(flag)) => Some(flag),
            _ => None,
        }
    }

    fn whole(&self, row: usize) -> Option<Cow<'a, str>> {
        if !self.column.is_valid(row) {
            return None;
        }
        Some(match self.texts {
            Some(texts) => Cow::Borrowed(texts.value(row)),
            None => Cow::Owned(self.format.value(row).to_string()),
        })
    }
}

/// The rows of a stream that another table sets aside.
pub(super) struct SetAside {
    about: &'static [(&'static str, &'static str)],
    keys: HashSet<String>,
}

impl SetAside {
    /// Sets nothing aside.
    pub(super) fn none() -> Self {
        Self {
            about: &[],
            keys: HashSet::new(),
        }
    }

    /// Reads what is set aside.
    pub(super) async fn read(
        warehouse: &dyn Warehouse,
        source: &str,
        except: Option<Except>,
    ) -> Result<Self> {
        let Some(except) = except else {
            return Ok(Self::none());
        };
        let mut keys = HashSet::new();
        let there: Vec<&str> = except.about.iter().map(|(there, _)| *there).collect();
        let places = [&*there, &[DELETED]].concat();
        for value in except.values {
            let column = SqlIdentifier::parse(except.column)?;
            let filter = Filter::Equal(vec![(column, (*value).to_owned())]);
            for batch in rows(warehouse, (source, except.stream), (&places, filter)).await? {
                let cells = Cells::all(&batch, &there)?;
                let deleted = Cells::of(&batch, DELETED)?;
                let live = |row: &usize| deleted.as_ref().is_none_or(|it| it.text(*row).is_none());
                keys.extend(
                    (0..batch.num_rows())
                        .filter(live)
                        .map(|row| key(&cells, row)),
                );
            }
        }
        let about = except.about;
        Ok(Self { about, keys })
    }

    /// Returns the places that tell whether a row is set aside.
    pub(super) fn places(&self) -> impl Iterator<Item = &'static str> {
        self.about.iter().map(|(_, here)| *here)
    }

    /// Returns the rows of a batch that are not set aside.
    pub(super) fn rest<'a>(
        &'a self,
        batch: &'a RecordBatch,
    ) -> Result<impl Iterator<Item = usize> + 'a> {
        let cells = self.places().map(|place| Cells::of(batch, place));
        let cells: Vec<Cells<'a>> = cells.filter_map(Result::transpose).collect::<Result<_>>()?;
        let is_set_aside =
            move |row: usize| !self.keys.is_empty() && self.keys.contains(&key(&cells, row));
        Ok((0..batch.num_rows()).filter(move |row| !is_set_aside(*row)))
    }
}

/// Returns several cells of a row as one text.
fn key(cells: &[Cells<'_>], row: usize) -> String {
    let texts = cells.iter().map(|cell| cell.text(row).unwrap_or_default());
    texts.collect::<Vec<_>>().join("\u{1f}")
}

/// Returns a cell's text, where there is such a column.
pub(super) fn said<'a>(cells: Option<&Cells<'a>>, row: usize) -> Option<Cow<'a, str>> {
    cells?.text(row)
}

/// Returns the first of several cells of a row that says something.
pub(super) fn first<'a>(cells: &[Cells<'a>], row: usize) -> Option<Cow<'a, str>> {
    cells.iter().find_map(|cell| cell.text(row))
}

/// Returns the text of a JSON value that is no list and no object; a list or object as JSON.
fn scalar(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Date32Array, Decimal128Array};

    use super::*;

    fn batch() -> RecordBatch {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![
            Some(" a "),
            Some(""),
            Some(r#"{"name":"Ada","ids":[1,"2",null],"none":null}"#),
            None,
            Some("2026-01-02T00:00:00Z"),
        ]));
        let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(1), None, None, None, None]));
        let numbers: ArrayRef = Arc::new(
            Decimal128Array::from(vec![
                Some(1_500_000_000),
                Some(-250_000_000),
                None,
                None,
                None,
            ])
            .with_precision_and_scale(38, 9)
            .unwrap(),
        );
        let flags = [Some(true), Some(false), None, None, None];
        let flags: ArrayRef = Arc::new(BooleanArray::from(flags.to_vec()));
        let columns = [
            ("text", texts),
            ("day", days),
            ("number", numbers),
            ("flag", flags),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn cells<'a>(batch: &'a RecordBatch, place: &'a str) -> Cells<'a> {
        Cells::of(batch, place).unwrap().unwrap()
    }

    #[test]
    fn a_place_is_a_column_or_a_member_of_one() {
        let batch = batch();
        let text = |place, row| cells(&batch, place).text(row).map(Cow::into_owned);
        assert_eq!(text("text", 0).as_deref(), Some("a"));
        assert_eq!(text("text", 1), None);
        assert_eq!(text("text", 3), None);
        assert_eq!(text("text.name", 2).as_deref(), Some("Ada"));
        assert_eq!(text("text.none", 2), None);
        assert_eq!(text("text.name", 0), None, "no object");
        assert_eq!(cells(&batch, "text.ids").texts(2), ["1", "2"]);
        assert_eq!(cells(&batch, "text").texts(0), ["a"]);
        assert!(Cells::of(&batch, "nowhere.name").unwrap().is_none());
    }

    #[test]
    fn times_and_numbers_are_read_out_of_any_type() {
        let batch = batch();
        assert_eq!(cells(&batch, "day").time(0), Some(DAY_MICROS));
        assert_eq!(cells(&batch, "day").time(1), None);
        assert_eq!(cells(&batch, "text").time(4), Some(1_767_312_000_000_000));
        assert_eq!(cells(&batch, "text").time(0), None);
        assert_eq!(cells(&batch, "number").thousandths(0), Some(1_500));
        assert_eq!(cells(&batch, "number").thousandths(1), Some(-250));
        assert_eq!(cells(&batch, "text").thousandths(0), None);
    }

    #[test]
    fn exact_numbers_and_flags_are_read_out_of_any_type() {
        let batch = batch();
        let decimal = |row| cells(&batch, "number").decimal(row, (38, 9));
        assert_eq!(decimal(0), Some(1_500_000_000));
        assert_eq!(decimal(1), Some(-250_000_000));
        assert_eq!(decimal(2), None);
        assert_eq!(
            cells(&batch, "number").decimal(1, (38, 1)),
            None,
            "never rounded"
        );
        assert_eq!(cells(&batch, "text.ids").decimal(2, (38, 9)), None);
        let flag = |row| cells(&batch, "flag").flag(row);
        assert_eq!([0, 1, 2].map(flag), [Some(true), Some(false), None]);
        assert_eq!(cells(&batch, "text").flag(0), None);
    }
}
