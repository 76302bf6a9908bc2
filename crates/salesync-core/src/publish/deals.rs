//! Finds every deal in the raw tables, by what each source declares ([`crate::deal`]), and with which company it is, by
//! what was resolved.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::directory::Directory;
use super::merged::Merged;
use super::names::Names;
use super::ours::{Ours, UserCells};
use super::published::{among, one_of, scan};
use super::reading::{Cells, DELETED, live, rows, said};
use super::rows::{Texts, entity_value};
use super::tables::DEALS;
use super::touched::Touched;
use crate::deal::DealColumns;
use crate::error::Result;
use crate::interaction::OurUser;
use crate::plain::{NewRows, Outdated, PlainRows, text};
use crate::record::Value;
use crate::resolve::{EntityId, EntityKind};
use crate::source::SourceDefinition;
use crate::time::Timestamp;
use crate::warehouse::{Filter, Warehouse};

/// The digits of an amount, and how many of them stand after the point: what `ColumnType::NUMBER` holds.
const DIGITS: (u8, i8) = (38, 9);

/// What the records that a deal names are.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Who is who.
    pub(super) directory: &'a Directory,
    /// Who we are.
    pub(super) ours: &'a Ours,
    /// Which records live on in others.
    pub(super) merged: &'a Merged,
}

/// Returns the rows of `deals`, and how many there are.
pub(super) async fn gather(
    warehouse: &dyn Warehouse,
    sources: &[&'static SourceDefinition],
    known: Known<'_>,
) -> Result<(NewRows, usize)> {
    let (mut batches, mut count) = (Vec::new(), 0);
    for source in sources {
        for declared in source.deals {
            let reader = Reader::new(source.name, declared, known);
            let stream = (source.name, declared.stream);
            let places = places(declared);
            for batch in rows(warehouse, stream, (&places, Filter::Live)).await? {
                let deals = reader.deals(&batch)?;
                count += deals.num_rows();
                batches.push(deals);
            }
        }
    }
    let rows = NewRows {
        table: &DEALS,
        outdated: Outdated::All,
        batches: Box::new(batches.into_iter().map(Ok)),
    };
    Ok((rows, count))
}

/// Deals of which something else is to be told than at the last resolve, with the rows that tell of them.
#[derive(Default)]
pub(super) struct Changed {
    /// Their ids.
    outdated: BTreeSet<String>,
    /// How many of them are published.
    published: usize,
    rows: Vec<(&'static str, &'static DealColumns, RecordBatch)>,
}

impl Changed {
    /// Finds the deals with companies that are touched, and those that were read since; nothing where they are more than
    /// `most`.
    pub(super) async fn read(
        warehouse: &dyn Warehouse,
        sources: &[&'static SourceDefinition],
        (touched, most): (&Touched, usize),
    ) -> Result<Option<Self>> {
        const COLUMNS: &[&str; 3] = &["source", "stream", "record_id"];
        let mut ids: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        let companies = touched.companies();
        if !companies.is_empty() {
            let asked = (&COLUMNS[..], among("company_id", companies)?);
            for batch in scan(warehouse, &DEALS, asked).await? {
                let texts = Texts::of(&batch, COLUMNS)?;
                for row in (0..batch.num_rows()).map(|row| texts.row(row)) {
                    let [source, stream, id] = row.map(|it| it.unwrap_or_default().to_owned());
                    ids.entry((source, stream)).or_default().insert(id);
                }
            }
        }
        let mut changed = Self::default();
        for source in sources {
            for declared in source.deals {
                let stream = (source.name.to_owned(), declared.stream.to_owned());
                let mut ids = ids.remove(&stream).unwrap_or_default();
                ids.extend(read_since(warehouse, (source.name, declared), touched).await?);
                if ids.is_empty() {
                    continue;
                }
                let deals = ids.iter().map(|id| deal_id(source.name, id));
                changed.outdated.extend(deals);
                if changed.outdated.len() > most {
                    return Ok(None);
                }
                let places = [&*places(declared), &[DELETED]].concat();
                let asked = (&*places, among("id", ids)?);
                for batch in rows(warehouse, (source.name, declared.stream), asked).await? {
                    let batch = live(&batch)?;
                    changed.rows.push((source.name, declared, batch));
                }
            }
        }
        if !changed.outdated.is_empty() {
            let outdated = changed.outdated.iter().cloned();
            let asked = (&["deal_id"][..], among("deal_id", outdated)?);
            let published = scan(warehouse, &DEALS, asked).await?;
            changed.published = published.iter().map(RecordBatch::num_rows).sum();
        }
        Ok(Some(changed))
    }

    /// Takes the names of the companies.
    pub(super) fn name(&self, names: &mut Names, merged: &Merged) -> Result<()> {
        for (source, declared, batch) in &self.rows {
            if let Some((column, stream)) = declared.company
                && let Some(cells) = Cells::of(batch, column)?
            {
                let ids = (0..batch.num_rows()).filter_map(|row| cells.text(row));
                ids.for_each(|id| names.take_record(source, &[stream], &id, merged));
            }
        }
        Ok(())
    }

    /// Returns the rows of `deals` that take the place of those of these deals, how many they are, and how many they were.
    pub(super) fn tables(self, known: Known<'_>) -> Result<(Vec<NewRows>, usize, usize)> {
        if self.outdated.is_empty() {
            return Ok((Vec::new(), 0, 0));
        }
        let (mut batches, mut count) = (Vec::new(), 0);
        for (source, declared, batch) in &self.rows {
            let deals = Reader::new(source, declared, known).deals(batch)?;
            count += deals.num_rows();
            batches.push(Ok(deals));
        }
        let rows = NewRows {
            table: &DEALS,
            outdated: one_of("deal_id", self.outdated)?,
            batches: Box::new(batches.into_iter()),
        };
        Ok((vec![rows], count, self.published))
    }
}

/// Returns the ids of the rows that were read since, or that name the record of a company which is restated.
async fn read_since(
    warehouse: &dyn Warehouse,
    (source, declared): (&str, &DealColumns),
    touched: &Touched,
) -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    let asked = (&["id"][..], Filter::ChangedSince(touched.since));
    for batch in rows(warehouse, (source, declared.stream), asked).await? {
        let cells = Cells::of(&batch, "id")?;
        let found = (0..batch.num_rows()).filter_map(|row| said(cells.as_ref(), row));
        ids.extend(found.map(Cow::into_owned));
    }
    let merged = touched.merged.of_survivors((source, declared.stream), &ids);
    let merged: Vec<String> = merged.collect();
    ids.extend(merged);
    if let Some((column, stream)) = declared.company
        && touched.is_restated(source, &[stream])
    {
        let asked = (&["id", column][..], Filter::Live);
        for batch in rows(warehouse, (source, declared.stream), asked).await? {
            let (own, companies) = (Cells::of(&batch, "id")?, Cells::of(&batch, column)?);
            let is_restated = |row: &usize| {
                let company = said(companies.as_ref(), *row);
                company.is_some_and(|id| touched.restates(source, &[stream], &id))
            };
            let rows = (0..batch.num_rows()).filter(is_restated);
            let found = rows.filter_map(|row| said(own.as_ref(), row));
            ids.extend(found.map(Cow::into_owned));
        }
    }
    Ok(ids)
}

/// Returns the id of a deal.
fn deal_id(source: &str, id: &str) -> String {
    format!("{source}/{id}")
}

/// Returns the places that a declaration names.
fn places(declared: &DealColumns) -> Vec<&'static str> {
    let mut places = vec!["id"];
    let single = [
        declared.name,
        declared.amount,
        declared.currency,
        declared.stage,
        declared.closed,
        declared.won,
        declared.company.map(|(column, _)| column),
    ];
    places.extend(single.into_iter().flatten());
    places.extend(declared.created);
    places.extend(declared.closes);
    places.extend(declared.our_user.iter().map(OurUser::column));
    places
}

/// Reads the rows of one declaration.
struct Reader<'a> {
    source: Arc<str>,
    declared: &'static DealColumns,
    known: Known<'a>,
}

/// The declared columns of a batch.
struct Columns<'a> {
    ids: Option<Cells<'a>>,
    name: Option<Cells<'a>>,
    amount: Option<Cells<'a>>,
    currency: Option<Cells<'a>>,
    stage: Option<Cells<'a>>,
    closed: Option<Cells<'a>>,
    won: Option<Cells<'a>>,
    created: Vec<Cells<'a>>,
    closes: Vec<Cells<'a>>,
    company: Option<Cells<'a>>,
    our_user: UserCells<'a>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch, declared: &'static DealColumns) -> Result<Self> {
        let cells = |place: Option<&'static str>| Cells::of_named(batch, place);
        Ok(Self {
            ids: cells(Some("id"))?,
            name: cells(declared.name)?,
            amount: cells(declared.amount)?,
            currency: cells(declared.currency)?,
            stage: cells(declared.stage)?,
            closed: cells(declared.closed)?,
            won: cells(declared.won)?,
            created: Cells::all(batch, declared.created)?,
            closes: Cells::all(batch, declared.closes)?,
            company: cells(declared.company.map(|(column, _)| column))?,
            our_user: UserCells::of(batch, declared.our_user)?,
        })
    }
}

impl<'a> Reader<'a> {
    fn new(source: &str, declared: &'static DealColumns, known: Known<'a>) -> Self {
        Self {
            source: source.into(),
            declared,
            known,
        }
    }

    /// Returns the deals that rows tell of.
    fn deals(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = Columns::of(batch, self.declared)?;
        let mut deals = PlainRows::new(&DEALS)?;
        for row in 0..batch.num_rows() {
            if let Some(id) = said(columns.ids.as_ref(), row) {
                self.push(&mut deals, &columns, (row, &id))?;
            }
        }
        Ok(deals.finish()?.1)
    }

    fn push(
        &self,
        deals: &mut PlainRows,
        columns: &Columns<'_>,
        (row, id): (usize, &str),
    ) -> Result<()> {
        let deal_id = deal_id(&self.source, id);
        let name = said(columns.name.as_ref(), row);
        let amount = columns.amount.as_ref();
        let currency = said(columns.currency.as_ref(), row).and_then(|raw| code(&raw));
        let stage = said(columns.stage.as_ref(), row);
        let flag = |cells: Option<&Cells<'_>>| cells.and_then(|cells| cells.flag(row));
        let is_open = flag(columns.closed.as_ref()).map(|closed| !closed);
        let company = said(columns.company.as_ref(), row).and_then(|id| self.company(&id));
        let our_user = columns.our_user.first(row, (&self.source, self.known.ours));
        deals.push(&[
            text(Some(&deal_id)),
            text(name.as_deref()),
            amount
                .and_then(|cells| cells.decimal(row, DIGITS))
                .map_or(Value::Null, Value::Decimal),
            text(currency.as_deref()),
            text(stage.as_deref()),
            is_open.map_or(Value::Null, Value::Bool),
            flag(columns.won.as_ref()).map_or(Value::Null, Value::Bool),
            time(&columns.created, row),
            time(&columns.closes, row),
            entity_value(company),
            text(our_user.as_deref()),
            text(Some(&self.source)),
            text(Some(self.declared.stream)),
            text(Some(id)),
        ])
    }

    /// Returns the company of a record, or of the one that it was merged into.
    fn company(&self, id: &str) -> Option<&EntityId> {
        let (source, (_, stream)) = (&*self.source, self.declared.company?);
        let Known {
            directory, merged, ..
        } = self.known;
        let of_record = |id| directory.entity_of(EntityKind::Company, [source, stream, id]);
        of_record(id).or_else(|| of_record(merged.survivor(source, stream, id)?))
    }
}

/// Returns the first time in several cells of a row.
fn time(cells: &[Cells<'_>], row: usize) -> Value<'static> {
    let time = cells.iter().find_map(|cells| cells.time(row));
    time.map_or(Value::Null, |micros| {
        Value::Timestamp(Timestamp::from_micros(micros))
    })
}

/// Returns the code of a currency in capitals; text that is none names no currency.
fn code(raw: &str) -> Option<String> {
    let is_code = raw.len() == 3 && raw.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| raw.to_ascii_uppercase())
}
