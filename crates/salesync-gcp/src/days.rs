//! The days by which tables are partitioned: which of them a script touches. A statement bills the partitions that it
//! reads, and may write to 4,000 of them.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use salesync_core::error::Result;
use salesync_core::time::Timestamp;

use crate::api::Api;
use crate::script::Script;

const DAY_MICROS: i64 = 86_400_000_000;
/// So many partitions are named in a statement; where there are more, the table may as well be read whole.
const NAMED_MAX: usize = 1_000;
/// So many days of old rows, and as many of new ones, are written to by one statement.
pub(crate) const WRITTEN_MAX: usize = 1_700;

/// A day as `YYYY-MM-DD`, or the partition of rows without a time.
pub(crate) type Day = Option<String>;

/// The days that a script touches in one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Days {
    /// Those of rows that come.
    new: BTreeSet<Day>,
    /// Those in which rows lie that are read; none where nobody looked.
    old: Option<BTreeSet<Day>>,
    /// Whether only these days are read.
    is_bounded: bool,
}

impl Days {
    /// Returns the days of rows that come, and those in which rows lie that are read, where somebody looked.
    pub(crate) fn new(new: BTreeSet<Day>, old: Option<BTreeSet<Day>>, is_bounded: bool) -> Self {
        let count = old.as_ref().map_or(0, BTreeSet::len) + new.len();
        Self {
            is_bounded: is_bounded && old.is_some() && count <= NAMED_MAX,
            new,
            old,
        }
    }

    /// Returns the condition under which a time lies in one of the days, as constants by which BigQuery leaves out
    /// partitions; nothing where the table is read whole.
    pub(crate) fn within(&self, time: &str) -> Option<String> {
        let old = self.old.as_ref().filter(|_| self.is_bounded)?;
        let all: BTreeSet<&Day> = old.iter().chain(&self.new).collect();
        let days: Vec<String> = all
            .iter()
            .filter_map(|day| day.as_ref())
            .map(|day| format!("TIMESTAMP '{day} 00:00:00+00'"))
            .collect();
        let named = format!("TIMESTAMP_TRUNC({time}, DAY) IN ({})", days.join(", "));
        Some(match (days.is_empty(), all.contains(&None)) {
            (true, false) => "FALSE".to_owned(),
            (true, true) => format!("{time} IS NULL"),
            (false, false) => named,
            (false, true) => format!("({named} OR {time} IS NULL)"),
        })
    }

    /// Returns the conditions on the times of new and old rows that cut a merge into statements which each touch few
    /// enough days; nearly always it is one that all rows meet.
    pub(crate) fn slices(&self, new: &str, old: &str) -> Vec<String> {
        let none = BTreeSet::new();
        let news = ranges(new, &self.new);
        let olds = ranges(old, self.old.as_ref().unwrap_or(&none));
        if news.len() <= 1 && olds.len() <= 1 {
            return vec!["TRUE".to_owned()];
        }
        let timeless = |time: &str| format!("{time} IS NULL");
        let news = news.into_iter().chain([timeless(new)]);
        let olds: Vec<String> = olds.into_iter().chain([timeless(old)]).collect();
        let both = |new: String| -> Vec<String> {
            olds.iter().map(|old| format!("{new} AND {old}")).collect()
        };
        news.flat_map(both).collect()
    }
}

/// Returns the conditions for stretches of so many days each.
fn ranges(time: &str, days: &BTreeSet<Day>) -> Vec<String> {
    let named: Vec<&String> = days.iter().flatten().collect();
    let condition = |days: &[&String]| -> Option<String> {
        let (first, last) = (days.first()?, days.last()?);
        Some(format!(
            "DATE({time}) BETWEEN DATE '{first}' AND DATE '{last}'"
        ))
    };
    named.chunks(WRITTEN_MAX).filter_map(condition).collect()
}

/// Returns the days of the times in a column of rows.
pub(crate) fn days_of(rows: &RecordBatch, column: &str) -> BTreeSet<Day> {
    let times = rows.column_by_name(column);
    let times = times.and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>());
    let days = times.into_iter().flatten();
    let days: BTreeSet<Option<i64>> = days
        .map(|micros| micros.map(|it| it.div_euclid(DAY_MICROS)))
        .collect();
    let named = days
        .into_iter()
        .map(|day| day_of(Timestamp::from_micros(day? * DAY_MICROS)));
    named.collect()
}

/// Returns the day of a time.
pub(crate) fn day_of(time: Timestamp) -> Day {
    time.to_string().get(..10).map(str::to_owned)
}

/// Looks for the days of times that queries give, as `day`; returns those of each query.
pub(crate) async fn look(
    api: &Api,
    script: &Script,
    queries: &[String],
) -> Result<Vec<BTreeSet<Day>>> {
    let mut found = vec![BTreeSet::new(); queries.len()];
    if queries.is_empty() {
        return Ok(found);
    }
    let numbered = queries.iter().enumerate();
    let numbered: Vec<String> = numbered
        .map(|(place, query)| format!("SELECT {place} AS place, day FROM ({query})"))
        .collect();
    let query = script.beside(format!(
        "SELECT DISTINCT place, CAST(DATE(day) AS STRING) AS day FROM ({})",
        numbered.join(" UNION ALL ")
    ));
    let rows = api.run("look for the partitions of rows", &query).await?;
    for row in rows.pages.into_iter().flatten() {
        let [Some(place), day] = row.as_slice() else {
            continue;
        };
        let place: Option<usize> = place.parse().ok();
        if let Some(days) = place.and_then(|place| found.get_mut(place)) {
            days.insert(day.clone());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(count: usize, from: i64) -> BTreeSet<Day> {
        let day = |number: usize| {
            let number = i64::try_from(number).unwrap() + from;
            let text = Timestamp::from_micros(number * DAY_MICROS).to_string();
            text.get(..10).map(str::to_owned)
        };
        (0..count).map(day).collect()
    }

    #[test]
    fn a_script_that_touches_few_days_names_them() {
        let touched = Days::new(days(1, 20_000), Some(days(1, 19_000)), true);
        assert_eq!(touched.slices("n", "o"), ["TRUE"]);
        let named = "TIMESTAMP_TRUNC(x, DAY) IN \
                     (TIMESTAMP '2022-01-08 00:00:00+00', TIMESTAMP '2024-10-04 00:00:00+00')";
        assert_eq!(touched.within("x").unwrap(), named);
        let timeless = BTreeSet::from([None]);
        let both = [&timeless, &days(1, 20_000)]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        for (new, expected) in [
            (BTreeSet::new(), "FALSE"),
            (timeless, "x IS NULL"),
            (
                both,
                "(TIMESTAMP_TRUNC(x, DAY) IN (TIMESTAMP '2024-10-04 00:00:00+00') OR x IS NULL)",
            ),
        ] {
            let touched = Days::new(new, Some(BTreeSet::new()), true);
            assert_eq!(touched.within("x").unwrap(), expected);
        }
    }

    #[test]
    fn a_table_in_which_nobody_looked_or_too_much_is_touched_is_read_whole() {
        let unseen = Days::new(days(1, 20_000), None, true);
        let large = Days::new(days(1, 20_000), Some(days(1_000, 10_000)), true);
        assert_eq!((unseen.within("x"), large.within("x")), (None, None));
    }

    #[test]
    fn no_statement_touches_more_days_than_it_may_and_every_row_is_in_one() {
        let days = Days::new(days(4_000, 15_000), Some(days(3_000, 14_000)), false);
        let slices = days.slices("n", "o");
        // Three stretches of new days and those without a time; for each two stretches of old days, and rows that are
        // new.
        assert_eq!(slices.len(), 4 * 3);
        let first = "DATE(n) BETWEEN DATE '2011-01-26' AND DATE '2015-09-21'";
        assert!(slices[0].starts_with(first), "{}", slices[0]);
        assert_eq!(slices[11], "n IS NULL AND o IS NULL");
    }
}
