//! The days by which tables are partitioned: which of them a merge touches. A merge bills the partitions that it reads,
//! and may write to 4,000 of them.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use salesync_core::error::Result;
use salesync_core::time::Timestamp;

use crate::api::Api;
use crate::script::Script;

const DAY_MICROS: i64 = 86_400_000_000;
/// So many partitions are named in a statement; where there are more, the table may as well be read whole.
const NAMED_MAX: usize = 1_000;
/// So many days of old rows, and as many of new ones, are written to by one statement.
const WRITTEN_MAX: usize = 1_700;

/// The days that a merge touches, as `YYYY-MM-DD` and in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Days {
    /// Those of the staged rows.
    new: Vec<String>,
    /// Those in which rows of the staged keys lie; none where nobody looked.
    old: Option<Vec<String>>,
    /// Whether only the old days are read.
    is_bounded: bool,
}

impl Days {
    /// Finds the days of staged rows. Where it matters `query` is asked for those of the rows that are there: when
    /// only these are to be read (`is_bounded`), or when they could be too many for one statement.
    pub(crate) async fn find(
        api: &Api,
        rows: &RecordBatch,
        query: &Script,
        is_bounded: bool,
    ) -> Result<Self> {
        let new = days_of(rows);
        let old = match is_bounded || rows.num_rows() > WRITTEN_MAX {
            true => Some(look(api, query).await?),
            false => None,
        };
        let is_bounded = is_bounded && old.as_ref().is_some_and(|old| old.len() <= NAMED_MAX);
        Ok(Self {
            new,
            old,
            is_bounded,
        })
    }

    /// Returns the condition under which row `_t` lies in one of the old days, as a constant by which BigQuery leaves
    /// out partitions; nothing where the table is read whole.
    pub(crate) fn within(&self) -> Option<String> {
        let old = self.old.as_ref().filter(|_| self.is_bounded)?;
        let days: Vec<String> = old
            .iter()
            .map(|day| format!("TIMESTAMP '{day} 00:00:00+00'"))
            .collect();
        Some(match days.as_slice() {
            [] => "FALSE".to_owned(),
            days => format!("TIMESTAMP_TRUNC(_t._version, DAY) IN ({})", days.join(", ")),
        })
    }

    /// Returns the conditions on staged rows `_s` and their verdicts `_v` that cut a merge into statements which each
    /// touch few enough days; nearly always it is one that all rows meet.
    pub(crate) fn slices(&self) -> Vec<String> {
        let new = ranges("_s._version", &self.new);
        let old = ranges("_v.was_version", self.old.as_deref().unwrap_or_default());
        if new.len() <= 1 && old.len() <= 1 {
            return vec!["TRUE".to_owned()];
        }
        let absent = ["_v.was_version IS NULL".to_owned()];
        let old: Vec<&String> = absent.iter().chain(&old).collect();
        let both = |new: &String| -> Vec<String> {
            old.iter().map(|old| format!("{new} AND {old}")).collect()
        };
        new.iter().flat_map(both).collect()
    }
}

/// Returns the conditions for stretches of so many days each.
fn ranges(column: &str, days: &[String]) -> Vec<String> {
    let stretches = days.chunks(WRITTEN_MAX);
    let condition = |days: &[String]| -> Option<String> {
        let (first, last) = (days.first()?, days.last()?);
        Some(format!(
            "DATE({column}) BETWEEN DATE '{first}' AND DATE '{last}'"
        ))
    };
    stretches.filter_map(condition).collect()
}

/// Returns the days of rows' versions.
fn days_of(rows: &RecordBatch) -> Vec<String> {
    let versions = rows.column_by_name("_version");
    let versions = versions.and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>());
    let versions = versions.filter(|it| it.null_count() == 0);
    let days: BTreeSet<i64> = versions
        .map(|it| {
            it.values()
                .iter()
                .map(|micros| micros.div_euclid(DAY_MICROS))
                .collect()
        })
        .unwrap_or_default();
    let named = days.into_iter().filter_map(|day| {
        let text = Timestamp::from_micros(day * DAY_MICROS).to_string();
        text.get(..10).map(str::to_owned)
    });
    named.collect()
}

async fn look(api: &Api, query: &Script) -> Result<Vec<String>> {
    let rows = api.run("look for the partitions of rows", query).await?;
    let mut days: Vec<String> = rows
        .pages
        .into_iter()
        .flatten()
        .flatten()
        .flatten()
        .collect();
    days.sort_unstable();
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: usize, from: i64) -> Vec<String> {
        let day = |number: usize| {
            let number = i64::try_from(number).unwrap() + from;
            let text = Timestamp::from_micros(number * DAY_MICROS).to_string();
            text.get(..10).unwrap().to_owned()
        };
        (0..count).map(day).collect()
    }

    #[test]
    fn a_merge_that_touches_few_days_is_one_statement_and_names_them() {
        let days = Days {
            new: days(3, 20_000),
            old: Some(days(2, 19_000)),
            is_bounded: true,
        };
        assert_eq!(days.slices(), ["TRUE"]);
        assert_eq!(
            days.within().unwrap(),
            "TIMESTAMP_TRUNC(_t._version, DAY) IN \
             (TIMESTAMP '2022-01-08 00:00:00+00', TIMESTAMP '2022-01-09 00:00:00+00')"
        );
    }

    #[test]
    fn no_statement_touches_more_days_than_it_may_and_every_row_is_in_one() {
        let days = Days {
            new: days(4_000, 15_000),
            old: Some(days(3_000, 14_000)),
            is_bounded: false,
        };
        assert_eq!(days.within(), None);
        let slices = days.slices();
        // Three stretches of new days; for each the rows that are new, and two stretches of old days.
        assert_eq!(slices.len(), 3 * 3);
        assert!(slices[0].ends_with("_v.was_version IS NULL"));
        let first = "DATE(_s._version) BETWEEN DATE '2011-01-26' AND DATE '2015-09-21'";
        assert!(slices[1].starts_with(first), "{}", slices[1]);
    }
}
