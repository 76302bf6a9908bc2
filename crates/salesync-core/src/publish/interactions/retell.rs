//! Tells those interactions anew of which something else is to be told than at the last resolve.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::super::directory::Directory;
use super::super::merged::Merged;
use super::super::names::Names;
use super::super::ours::Ours;
use super::super::published::{among, one_of};
use super::super::reading::{Cells, DELETED, SetAside, live, rows};
use super::super::touched::Touched;
use super::affected::Affected;
use super::columns::{Columns, PartyRows, Stream, identify, places, text};
use super::reader::Reader;
use super::register::Register;
use super::store::Store;
use super::{gathered, streams};
use crate::error::{Code, Error, Result};
use crate::interaction::Parties;
use crate::plain::NewRows;
use crate::source::SourceDefinition;
use crate::warehouse::Warehouse;

/// Interactions that are to be told anew, with the rows that tell of them.
pub(in super::super) struct Changed {
    sources: Vec<&'static SourceDefinition>,
    streams: Vec<Stream>,
    affected: Affected,
    /// What each stream tells.
    rows: Vec<Rows>,
}

/// Rows of a stream, with those of others that name who took part.
#[derive(Default)]
struct Rows {
    own: Vec<RecordBatch>,
    parties: Vec<(PartyRows, Vec<RecordBatch>)>,
}

impl Changed {
    /// Finds the interactions, and reads the rows that tell of them; nothing where they are more than `most`.
    pub(in super::super) async fn read(
        warehouse: &dyn Warehouse,
        sources: &[&'static SourceDefinition],
        (touched, most): (&Touched, usize),
    ) -> Result<Option<Self>> {
        let streams = streams(sources);
        let Some(affected) = Affected::find(warehouse, &streams, (touched, most)).await? else {
            return Ok(None);
        };
        let mut rows = Vec::new();
        for (number, stream) in streams.iter().enumerate() {
            rows.push(Rows::read(warehouse, (number, *stream), &affected).await?);
        }
        Ok(Some(Self {
            sources: sources.to_vec(),
            streams,
            affected,
            rows,
        }))
    }

    /// Takes the names of all who took part.
    pub(in super::super) fn name(&self, names: &mut Names, merged: &Merged) -> Result<()> {
        for (stream, rows) in self.streams.iter().zip(&self.rows) {
            rows.name(*stream, names, merged)?;
        }
        Ok(())
    }

    /// Returns the rows of `interactions` and `interaction_parties` that take the place of those of these interactions,
    /// how many interactions they are, and how many they were.
    pub(in super::super) async fn tables(
        self,
        (directory, ours, merged): (Arc<Directory>, Arc<Ours>, Arc<Merged>),
    ) -> Result<(Vec<NewRows>, usize, usize)> {
        if self.affected.interactions.is_empty() {
            return Ok((Vec::new(), 0, 0));
        }
        let mut store = Store::new(Register::new(&self.sources, directory, ours, merged));
        let none = SetAside::none();
        for (number, (stream, rows)) in (0..).zip(self.streams.iter().zip(&self.rows)) {
            let mut reader = Reader::new(&mut store, (number, *stream), &none);
            rows.own.iter().try_for_each(|batch| reader.take(batch))?;
            for (parties, batches) in &rows.parties {
                let mut batches = batches.iter();
                batches.try_for_each(|batch| reader.take_parties(batch, *parties))?;
            }
        }
        let gathered = gathered(store, self.streams).await?;
        let count = gathered.len();
        let outdated = one_of("interaction_id", self.affected.ids())?;
        let tables = gathered.tables(&outdated).into_iter().collect();
        Ok((tables, count, self.affected.published))
    }
}

impl Rows {
    async fn read(
        warehouse: &dyn Warehouse,
        (number, stream): (usize, Stream),
        affected: &Affected,
    ) -> Result<Self> {
        let mut rows = Self::default();
        let (source, declared) = stream;
        let ids = affected.rows.get(number).filter(|ids| !ids.is_empty());
        let Some(ids) = ids else {
            return Ok(rows);
        };
        let set_aside = SetAside::read(warehouse, source, declared.except).await?;
        let mut places = places(declared);
        places.extend(set_aside.places().chain([DELETED]));
        let asked = (&*places, among("id", ids.iter().cloned())?);
        let mut owners = BTreeSet::new();
        for batch in self::rows(warehouse, (source, declared.stream), asked).await? {
            let batch = tells(stream, &live(&batch)?, (affected, &set_aside))?;
            if let Some(cells) = Cells::of(&batch, "id")? {
                let own = (0..batch.num_rows()).filter_map(|row| cells.text(row));
                owners.extend(own.map(Cow::into_owned));
            }
            rows.own.push(batch);
        }
        if owners.is_empty() {
            return Ok(rows);
        }
        for parties in PartyRows::all(declared) {
            let mut places = parties.places();
            places.push(DELETED);
            let asked = (&*places, among(parties.owner, owners.iter().cloned())?);
            let batches = self::rows(warehouse, (source, parties.stream), asked).await?;
            let batches = batches.iter().map(live).collect::<Result<_>>()?;
            rows.parties.push((parties, batches));
        }
        Ok(rows)
    }

    fn name(&self, (source, declared): Stream, names: &mut Names, merged: &Merged) -> Result<()> {
        for batch in &self.own {
            let columns = Columns::of(batch, declared)?;
            for (cells, row) in columns
                .parties
                .iter()
                .flat_map(|cells| (0..batch.num_rows()).map(move |row| (cells, row)))
            {
                match *cells.parties {
                    Parties::Records { streams, .. } => {
                        for id in cells.ids(row) {
                            names.take_record(source, streams, &id, merged);
                        }
                    }
                    Parties::Named { .. } => {
                        let addresses = cells.addresses(row);
                        addresses.iter().for_each(|it| names.take_address(it));
                        if let Some(number) = text(cells.phone.as_ref(), row) {
                            names.take_number(&number);
                        }
                    }
                    Parties::Rows { .. } => {}
                }
            }
        }
        for (parties, batches) in &self.parties {
            for batch in batches {
                if let Some(cells) = Cells::of(batch, parties.address)? {
                    let addresses = (0..batch.num_rows()).filter_map(|row| cells.text(row));
                    addresses.for_each(|it| names.take_address(&it));
                }
            }
        }
        Ok(())
    }
}

/// Returns the rows of a batch that tell of something affected, those that are set aside left out.
fn tells(
    stream: Stream,
    batch: &RecordBatch,
    (affected, set_aside): (&Affected, &SetAside),
) -> Result<RecordBatch> {
    let columns = Columns::of(batch, stream.1)?;
    let ids = Cells::of(batch, "id")?;
    let mut keep = vec![false; batch.num_rows()];
    for row in set_aside.rest(batch)? {
        let cell = |cells| text(cells, row).unwrap_or_default();
        let (part, id) = (cell(columns.part.as_ref()), cell(ids.as_ref()));
        let (interaction, _) = identify(stream, &cell(columns.same.as_ref()), (&part, &id));
        if let Some(keep) = keep.get_mut(row) {
            *keep = affected.interactions.contains(&interaction);
        }
    }
    filter_record_batch(batch, &BooleanArray::from(keep))
        .map_err(|error| Error::new(Code::Internal, "leave out rows").because(error))
}
