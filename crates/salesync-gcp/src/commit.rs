//! A commit: rows, marks, seen keys, logs and cursor in one transaction of one job.

use std::sync::Arc;

use salesync_core::batch::{Batch, Committed, TableWrite};
use salesync_core::error::{Code, Error, Result};
use salesync_core::plain::PlainTable;
use salesync_core::schema::Tie;
use salesync_core::staging;
use salesync_core::warehouse::SYNC_STATE;

use crate::api::{Api, Rows};
use crate::days::{Days, WRITTEN_MAX, day_of, days_of, look};
use crate::landing::landing;
use crate::logs::append;
use crate::marks::{days_of_merged, follow_merges, mark};
use crate::merge::{days_of_keys, merge};
use crate::prepare;
use crate::script::Script;
use crate::seen::{note, seen_table};
use crate::settings::Merging;
use crate::stage::Staged;
use crate::tables::{StoredTable, Tables};
use crate::target::Target;
use crate::ties::{Brought, Pair};

const OPERATION: &str = "commit a batch";

/// A write with what of it was staged.
struct Part<'a> {
    write: &'a TableWrite,
    target: Target,
    rows: Option<Staged>,
    marks: Option<Staged>,
    rejected: Option<Staged>,
}

impl Part<'_> {
    fn brought(&self) -> Brought<'_> {
        Brought {
            rows: self.rows.as_ref(),
            marks: self.marks.as_ref(),
        }
    }

    /// Returns whether it says of some record that it lives on in another one; in parts nobody does.
    fn names_a_survivor(&self) -> bool {
        let (rows, tombstones) = (&self.write.rows, &self.write.tombstones);
        self.target.part.is_none() && staging::names_a_survivor(rows, tombstones)
    }
}

/// Where the counts of a write stand when the script has run.
#[derive(Default)]
struct Counts {
    verdicts: Option<String>,
    /// Staged rows; those that have no verdict were ignored.
    rows: usize,
    /// The names of the numbers of marks.
    marked: Vec<String>,
}

/// Makes a batch durable, all of it or nothing; returns what became of each write.
pub(crate) async fn commit(api: &Api, tables: &Tables, batch: &Batch) -> Result<Vec<Committed>> {
    let mut script = Script::default();
    let is_needed = batch.writes.iter().any(TableWrite::is_something);
    let mut parts = Vec::with_capacity(batch.writes.len());
    if is_needed {
        for write in &batch.writes {
            parts.push(stage(api, tables, &mut script, write).await?);
        }
    }
    let reached = reach(api, &script, &mut parts).await?;
    let log = tables.prepared(api, SYNC_STATE.name).await?;
    let states = staging::states(&batch.states)?;
    let mut appends = vec![(&SYNC_STATE, log, put(api, &mut script, &states).await?)];
    for (plain, rows) in &batch.appends {
        let stored = prepared(api, tables, plain).await?;
        let staged = put(api, &mut script, rows).await?;
        if let Some(staged) = &staged {
            staged.fits(&stored)?;
        }
        appends.push((plain, stored, staged));
    }

    script.run("BEGIN TRANSACTION");
    for (part, queries) in parts.iter().zip(&reached) {
        part.target.guard(&mut script, queries);
    }
    let mut counts = Vec::with_capacity(parts.len());
    for part in &parts {
        counts.push(apply(api, &mut script, part, &parts)?);
    }
    for (plain, stored, staged) in appends {
        if let Some(staged) = staged {
            append(
                &mut script,
                (&api.named(plain.name), &stored),
                plain,
                &staged,
            );
        }
    }
    script.run("COMMIT TRANSACTION");
    if counts.is_empty() {
        api.run_once(OPERATION, &script).await?;
        return Ok(vec![Committed::default(); batch.writes.len()]);
    }
    script.run(select(&counts));
    let rows = api.run_once(OPERATION, &script).await?;
    let committed = counts.iter().enumerate();
    let committed = committed.map(|(place, counts)| read(&rows, place, counts));
    let mut committed = committed.collect::<Result<Vec<_>>>()?;
    // It is durable: that nobody says what it cost is no failure.
    if let (Some(first), Ok(billed)) = (committed.first_mut(), api.billed(&rows).await) {
        first.bytes_billed = billed;
    }
    Ok(committed)
}

async fn put(
    api: &Api,
    script: &mut Script,
    rows: &arrow::array::RecordBatch,
) -> Result<Option<Staged>> {
    match rows.num_rows() {
        0 => Ok(None),
        _ => Staged::put(api, script, rows).await.map(Some),
    }
}

async fn prepared(api: &Api, tables: &Tables, plain: &PlainTable) -> Result<Arc<StoredTable>> {
    if let Some(stored) = tables.get(api, plain.name).await? {
        return Ok(stored);
    }
    prepare::plain(api, tables, plain).await?;
    tables.prepared(api, plain.name).await
}

async fn stage<'a>(
    api: &Api,
    tables: &Tables,
    script: &mut Script,
    write: &'a TableWrite,
) -> Result<Part<'a>> {
    let table = &write.table;
    let part = table.part().map(|part| part.name.as_str());
    let stored = tables.prepared(api, table.name().as_str()).await?;
    let rows = put(api, script, &write.rows).await?;
    if let Some(rows) = &rows {
        rows.fits(&stored)?;
    }
    let marks = put(api, script, &staging::marks(part, &write.tombstones)?).await?;
    let noted: &[_] = match write.notes.is_empty() {
        true => &[],
        false => &write.rejected,
    };
    let rejected = put(api, script, &staging::keys(noted)?).await?;
    let landing = landing(api, tables, table.name().as_str(), &stored).await?;
    Ok(Part {
        write,
        target: Target::new(api, table, stored, landing),
        rows,
        marks,
        rejected,
    })
}

/// Finds out which days of each table the commit touches, where that matters: when only these are to be read, or when
/// they could be too many for one statement. Returns the queries that found them.
async fn reach(api: &Api, script: &Script, parts: &mut [Part<'_>]) -> Result<Vec<Vec<String>>> {
    let is_bounded = |part: &Part<'_>| api.merges(&part.target.stored) != Merging::Whole;
    let mut queries = touched(parts);
    for (part, queries) in parts.iter().zip(&mut queries) {
        if !is_bounded(part) && part.write.rows.num_rows() <= WRITTEN_MAX {
            queries.clear();
        }
    }
    let mut found = look(api, script, &queries.concat()).await?.into_iter();
    for (part, queries) in parts.iter_mut().zip(&queries) {
        let mut new = days_of(&part.write.rows, &part.target.day);
        if part.target.day == "_version" {
            let versions = part.write.tombstones.iter().map(|it| day_of(it.version));
            new.extend(versions);
        } else {
            new.insert(None);
        }
        let old = found.by_ref().take(queries.len()).flatten().collect();
        let old = (!queries.is_empty()).then_some(old);
        part.target.days = Days::new(new, old, is_bounded(part));
    }
    Ok(queries)
}

/// Returns for each table the queries for the times of the partitions in which rows lie that the commit reads.
fn touched(parts: &[Part<'_>]) -> Vec<Vec<String>> {
    let mut queries = vec![Vec::new(); parts.len()];
    for (place, own) in parts.iter().enumerate() {
        let mut add = |place: usize, query: String| {
            if let Some(own) = queries.get_mut(place) {
                own.push(query);
            }
        };
        for staged in own.rows.iter().chain(&own.marks) {
            add(place, days_of_keys(&own.target, staged));
        }
        if own.names_a_survivor() {
            add(place, days_of_merged(&own.target));
        }
        let Some((pair, at)) = pair(own, parts) else {
            continue;
        };
        let other = parts.get(at).map(Part::brought);
        match (own.write.table.tie(), other) {
            (Some(Tie::DetailsOf { .. }), Some(owners)) => {
                if let Some(rows) = &own.rows {
                    add(at, pair.days_of_owners(rows));
                }
                pair.days_of_details(owners)
                    .into_iter()
                    .for_each(|it| add(place, it));
            }
            (Some(Tie::GroupsOf { .. }), Some(members)) => {
                if let Some((groups, fellows)) = pair.days_of_groups(members) {
                    add(place, groups);
                    add(at, fellows);
                }
            }
            _ => {}
        }
    }
    queries
}

/// Returns how a table hangs on another one of the batch, and where that is.
fn pair<'a>(own: &'a Part<'_>, parts: &'a [Part<'_>]) -> Option<(Pair<'a>, usize)> {
    let (Tie::DetailsOf { table, column } | Tie::GroupsOf { table, column }) =
        own.write.table.tie()?;
    let at = parts.iter().position(|it| it.write.table.name() == table)?;
    let pair = Pair {
        own: &own.target,
        other: &parts.get(at)?.target,
        column: column.as_str(),
    };
    Some((pair, at))
}

/// Adds what is done to one table; `parts` are all of the batch.
fn apply(api: &Api, script: &mut Script, own: &Part<'_>, parts: &[Part<'_>]) -> Result<Counts> {
    let table = &own.write.table;
    let into = &own.target;
    let mut counts = Counts {
        rows: own.write.rows.num_rows(),
        ..Counts::default()
    };
    let tied = pair(own, parts);
    let other = tied.and_then(|(pair, at)| Some((pair, parts.get(at)?.brought())));
    match (table.tie(), other) {
        (Some(Tie::DetailsOf { .. }), Some((pair, owners))) => {
            if let Some(rows) = &own.rows {
                let kept = pair.of_present_owners(script, rows);
                counts.verdicts = Some(merge(script, into, &kept));
            }
            let marked = pair.mark_left_behind(script, owners, own.rows.as_ref());
            counts.marked.extend(marked);
        }
        (tie, other) => {
            let rows = own.rows.as_ref();
            counts.verdicts = rows.map(|rows| merge(script, into, rows));
            if let (Some(Tie::GroupsOf { .. }), Some((pair, members))) = (tie, other) {
                let marked = pair.mark_without_members(script, members);
                counts.marked.extend(marked);
            }
        }
    }
    if let Some(marks) = &own.marks {
        counts.marked.push(mark(script, into, marks));
    }
    if own.names_a_survivor() {
        follow_merges(script, into);
    }
    let seen = api.named(&seen_table(table.name().as_str()));
    let keys = (own.rows.as_ref(), own.rejected.as_ref());
    note(
        script,
        (&seen, into.part.as_deref()),
        &own.write.notes,
        keys,
    );
    Ok(counts)
}

/// Returns the query for the counts of all writes: one row, six numbers for each.
fn select(counts: &[Counts]) -> String {
    let numbers = counts.iter().flat_map(|counts| {
        let of = |condition: &str| match &counts.verdicts {
            Some(verdicts) => format!("(SELECT COUNTIF({condition}) FROM {verdicts})"),
            None => "0".to_owned(),
        };
        let marked = match counts.marked.as_slice() {
            [] => "0".to_owned(),
            marked => marked.join(" + "),
        };
        [
            of("TRUE"),
            of("NOT met AND NOT gone"),
            of("met AND writes AND NOT (gone AND NOT was_gone)"),
            of("unchanged"),
            of("writes AND gone AND NOT (met AND was_gone)"),
            marked,
        ]
    });
    let named: Vec<String> = numbers
        .enumerate()
        .map(|(place, number)| format!("{number} AS n{place}"))
        .collect();
    format!("SELECT {}", named.join(", "))
}

/// Returns the counts of the write at that place.
fn read(rows: &Rows, place: usize, counts: &Counts) -> Result<Committed> {
    let wrong = || Error::new(Code::StoreCorrupt, "add up the rows of a commit");
    let row = rows
        .pages
        .first()
        .and_then(|page| page.first())
        .ok_or_else(wrong)?;
    let number = |index: usize| -> Result<u64> {
        let text = row.get(place * 6 + index).and_then(Option::as_deref);
        text.and_then(|text| text.parse().ok()).ok_or_else(wrong)
    };
    let (judged, new, changed) = (number(0)?, number(1)?, number(2)?);
    let (unchanged, tombstoned, marked) = (number(3)?, number(4)?, number(5)?);
    let staged = u64::try_from(counts.rows).unwrap_or(u64::MAX);
    let older = judged.checked_sub(new + changed + unchanged + tombstoned);
    let ignored = staged.checked_sub(judged).ok_or_else(wrong)?;
    Ok(Committed {
        new,
        changed,
        unchanged,
        older_ignored: older.ok_or_else(wrong)? + ignored,
        tombstoned,
        marked,
        bytes_billed: 0,
    })
}
