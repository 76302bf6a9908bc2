//! What only the warehouse knows: how many dead letters wait, and how many records were found to be one with another.

use std::collections::BTreeMap;

use arrow::array::AsArray as _;
use arrow::datatypes::TimestampMicrosecondType;
use salesync_core::dead_letter::LetterState;
use salesync_core::error::Result;
use salesync_core::time::Timestamp;
use salesync_core::validate::SqlIdentifier;
use salesync_core::warehouse::{Filter, Scan, Warehouse};
use serde_json::Value;

use super::meters::Meters;
use crate::report;

/// Measures the dead letters that wait.
///
/// # Errors
/// Where the warehouse does not say.
pub(super) async fn letters(meters: &Meters, warehouse: &dyn Warehouse) -> Result<()> {
    let (mut count, mut oldest) = (0, None::<Timestamp>);
    for state in [LetterState::Open, LetterState::Forwarded] {
        let state = state.as_str().to_owned();
        let scan = Scan {
            columns: vec![SqlIdentifier::parse("first_seen")?],
            filter: Filter::Equal(vec![(SqlIdentifier::parse("state")?, state)]),
            ..Scan::of(SqlIdentifier::parse("dead_letters")?)
        };
        for batch in warehouse.scan(&scan).await? {
            count += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
            let seen = batch.column_by_name("first_seen");
            let seen = seen.and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>());
            let first = seen.and_then(|seen| seen.iter().flatten().min());
            let first = first.map(Timestamp::from_micros);
            oldest = oldest.into_iter().chain(first).min();
        }
    }
    meters.letters(count, oldest);
    Ok(())
}

/// Measures how many records of each kind were found to be one with another.
///
/// # Errors
/// Where the warehouse does not say.
pub(super) async fn matches(meters: &Meters, warehouse: &dyn Warehouse) -> Result<()> {
    let columns = ["kind", "records", "matched"].map(SqlIdentifier::parse);
    let scan = Scan {
        columns: columns.into_iter().collect::<Result<_>>()?,
        ..Scan::of(SqlIdentifier::parse("match_rates")?)
    };
    let rows = report::documents(&warehouse.scan(&scan).await?)?;
    for (kind, counts) in by_kind(&rows) {
        meters.matched(&kind, counts);
    }
    Ok(())
}

/// Adds up the rows of `match_rates`: how many records of each kind were matched, and of how many.
fn by_kind(rows: &[Value]) -> BTreeMap<String, (u64, u64)> {
    let mut kinds: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let number = |name| row.get(name).and_then(Value::as_u64).unwrap_or_default();
        let kind = row.get("kind").and_then(Value::as_str).unwrap_or_default();
        let (matched, records) = kinds.entry(kind.to_owned()).or_default();
        *matched += number("matched");
        *records += number("records");
    }
    kinds
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn streams_of_one_kind_are_added_up() {
        let rows = [
            json!({"kind": "person", "records": 10, "matched": 4}),
            json!({"kind": "company", "records": 5, "matched": 5}),
            json!({"kind": "person", "records": 30, "matched": 6}),
        ];
        let expected = [("company", (5, 5)), ("person", (10, 40))];
        let expected = expected.map(|(kind, counts)| (kind.to_owned(), counts));
        assert_eq!(by_kind(&rows), BTreeMap::from(expected));
    }
}
