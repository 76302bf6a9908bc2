//! Finds the records that changed since the last resolve.

use std::collections::{BTreeSet, HashMap};

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::identities::Reader;
use super::merged::Merged;
use super::ours::Ours;
use super::published::among;
use super::reading::{Cells, SetAside, rows};
use super::rows::{Texts, unreadable};
use crate::error::Result;
use crate::resolve::{Changed, RecordRef};
use crate::run::RUN_EVENTS;
use crate::source::{IdentityColumns, SourceDefinition};
use crate::time::Timestamp;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, Scan, Warehouse};

/// Clocks differ by no more than this, and a commit takes no longer.
const MARGIN_MICROS: i64 = 15 * 60 * 1_000_000;

/// Runs that started longer ago and never ended are taken for dead.
const LONGEST_RUN_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;

/// Returns the time since which something may have been read that is not in the warehouse yet: what runs read that are
/// still under way is committed later.
pub(super) async fn unsettled_since(
    warehouse: &dyn Warehouse,
    now: Timestamp,
) -> Result<Timestamp> {
    let columns = ["run_id", "source", "stream", "event", "started_at"];
    let scan = Scan {
        columns: columns
            .iter()
            .map(|column| SqlIdentifier::parse(column))
            .collect::<Result<_>>()?,
        ..Scan::of(SqlIdentifier::parse(RUN_EVENTS.name)?)
    };
    let mut under_way: HashMap<[String; 3], i64> = HashMap::new();
    let mut ended: BTreeSet<[String; 3]> = BTreeSet::new();
    for batch in warehouse.scan(&scan).await? {
        let texts = Texts::of(&batch, &["run_id", "source", "stream"])?;
        let event = batch.column_by_name("event");
        let event = event.and_then(|it| it.as_primitive_opt::<Int64Type>());
        let started = batch.column_by_name("started_at");
        let started = started.and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>());
        let (event, started) = event.zip(started).ok_or_else(unreadable)?;
        for row in 0..batch.num_rows() {
            let run = texts
                .row(row)
                .map(|text| text.unwrap_or_default().to_owned());
            if event.value(row) == 0 {
                under_way.insert(run, started.value(row));
            } else {
                ended.insert(run);
            }
        }
    }
    let oldest = now.micros().saturating_sub(LONGEST_RUN_MICROS);
    let under_way = under_way.into_iter();
    let under_way = under_way.filter(|(run, at)| *at >= oldest && !ended.contains(run));
    let since = under_way.map(|(_, at)| at).chain([now.micros()]).min();
    let since = since.unwrap_or_default().saturating_sub(MARGIN_MICROS);
    Ok(Timestamp::from_micros(since))
}

/// Returns the records that were read since, or that something else was read of that decides whether they count; with
/// what they say now. Some of them may say what they said before.
pub(super) async fn changed(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    (ours, merged, since): (&Ours, &Merged, Timestamp),
) -> Result<Vec<Changed>> {
    let mut changed = Vec::new();
    for source in sources {
        for declared in source.identities {
            let mut names = names(warehouse, (source.name, declared), since).await?;
            let gone: Vec<String> = merged
                .of_survivors((source.name, declared.stream), &names)
                .collect();
            names.extend(gone);
            if names.is_empty() {
                continue;
            }
            changed.extend(said(warehouse, (source.name, declared), ours, names).await?);
        }
    }
    Ok(changed)
}

/// Returns the names of the records that may have changed.
async fn names(
    warehouse: &dyn Warehouse,
    (source, declared): (&str, &'static IdentityColumns),
    since: Timestamp,
) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let stream = (source, declared.stream);
    let places = &[declared.named_by][..];
    let filter = Filter::ChangedSince(since);
    for batch in rows(warehouse, stream, (places, filter.clone())).await? {
        take(
            &mut names,
            &Cells::of(&batch, declared.named_by)?,
            batch.num_rows(),
        );
    }
    let Some((except, (there, here))) = declared
        .except
        .and_then(|except| Some((except, *except.about.last()?)))
    else {
        return Ok(names);
    };
    let mut about = BTreeSet::new();
    for batch in rows(warehouse, (source, except.stream), (&[there], filter)).await? {
        take(&mut about, &Cells::of(&batch, there)?, batch.num_rows());
    }
    if !about.is_empty() {
        let filter = among(here, about)?;
        for batch in rows(warehouse, stream, (places, filter)).await? {
            take(
                &mut names,
                &Cells::of(&batch, declared.named_by)?,
                batch.num_rows(),
            );
        }
    }
    Ok(names)
}

fn take(names: &mut BTreeSet<String>, cells: &Option<Cells<'_>>, count: usize) {
    let cells = cells.iter();
    names.extend(
        cells.flat_map(|cells| (0..count).filter_map(|row| Some(cells.text(row)?.into_owned()))),
    );
}

/// Returns what the records of these names say now.
async fn said(
    warehouse: &dyn Warehouse,
    (source, declared): (&str, &'static IdentityColumns),
    ours: &Ours,
    names: BTreeSet<String>,
) -> Result<Vec<Changed>> {
    let set_aside = SetAside::read(warehouse, source, declared.except).await?;
    let reader = Reader::new(source, declared, set_aside);
    let filter = among(declared.named_by, names.clone())?;
    let identities = reader.identities(warehouse, filter, ours).await?;
    let mut says: HashMap<String, _> = identities
        .into_iter()
        .map(|identity| (identity.record.id.to_string(), identity))
        .collect();
    let changed = names.into_iter().map(|name| Changed {
        kind: declared.kind,
        record: RecordRef::new(source, declared.stream, name.as_str()),
        says: says.remove(&name),
    });
    Ok(changed.collect())
}
