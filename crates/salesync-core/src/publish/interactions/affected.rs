//! Finds the interactions of which something else is to be told than at the last resolve.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::index::TELLERS;
use super::super::published::{among, scan};
use super::super::reading::{Cells, rows};
use super::super::rows::{Texts, unreadable};
use super::super::tables::{INTERACTION_PARTIES, INTERACTIONS};
use super::super::touched::{PARTY_COLUMNS, Seen, Touched};
use super::columns::{PartyRows, Stream, identify, of_row, same_column, text};
use super::store::InteractionId;
use crate::error::Result;
use crate::interaction::Parties;
use crate::plain::PlainTable;
use crate::time::Timestamp;
use crate::warehouse::{Filter, Warehouse};

/// The interactions, and which rows can tell of them.
#[derive(Debug, Default)]
pub(super) struct Affected {
    pub(super) interactions: HashSet<InteractionId>,
    /// How many of them are published.
    pub(super) published: usize,
    /// For each stream the ids of the rows that tell of them, or told; perhaps of others too.
    pub(super) rows: Vec<BTreeSet<String>>,
}

impl Affected {
    /// Finds the interactions with somebody who is touched, and those of which rows tell, or told, that were read since;
    /// nothing where these are more than `most`.
    pub(super) async fn find(
        warehouse: &dyn Warehouse,
        streams: &[Stream],
        (touched, most): (&Touched, usize),
    ) -> Result<Option<Self>> {
        let mut found = Self::default();
        found.rows.resize_with(streams.len(), BTreeSet::new);
        found.take_parties(warehouse, touched).await?;
        for (number, stream) in streams.iter().enumerate() {
            let since = Filter::ChangedSince(touched.since);
            found.take(warehouse, (number, *stream), since).await?;
            let mut named = others_changed(warehouse, *stream, touched.since).await?;
            let ids = named.entry("id").or_default();
            ids.extend(naming_restated(warehouse, *stream, touched).await?);
            if let Some(changed) = found.rows.get(number) {
                let stream = (stream.0, stream.1.stream);
                ids.extend(touched.merged.of_survivors(stream, changed));
            }
            named.retain(|_, texts| !texts.is_empty());
            if named.values().any(|texts| texts.len() > most) {
                return Ok(None);
            }
            for (here, texts) in named {
                let filter = among(here, texts)?;
                found.take(warehouse, (number, *stream), filter).await?;
            }
            if found.interactions.len() > most {
                return Ok(None);
            }
        }
        found.take_told(warehouse, streams).await?;
        if found.interactions.len() > most {
            return Ok(None);
        }
        found.look_up(warehouse, streams).await?;
        Ok(Some(found))
    }

    /// Returns the ids of the interactions.
    pub(super) fn ids(&self) -> Vec<String> {
        self.interactions.iter().map(|id| id.text()).collect()
    }

    /// Takes the published interactions among whose parties somebody is touched.
    async fn take_parties(&mut self, warehouse: &dyn Warehouse, touched: &Touched) -> Result<()> {
        if touched.is_empty() {
            return Ok(());
        }
        let asked = (&PARTY_COLUMNS[..], Filter::All);
        let batches = scan(warehouse, &INTERACTION_PARTIES, asked).await?;
        let mut seen = Seen::default();
        for batch in &batches {
            for id in touched.interactions(batch, &mut seen)? {
                let id = InteractionId::parse(id).ok_or_else(unreadable)?;
                self.interactions.insert(id);
            }
        }
        Ok(())
    }

    /// Takes the interactions of which rows of a stream tell; also those of which they would tell if none else did.
    async fn take(
        &mut self,
        warehouse: &dyn Warehouse,
        (number, stream): (usize, Stream),
        filter: Filter,
    ) -> Result<()> {
        for ([part, id], same) in names(warehouse, stream, filter).await? {
            let (interaction, _) = identify(stream, &same, (&part, &id));
            self.interactions.insert(interaction);
            self.interactions.insert(of_row(stream, (&part, &id)));
            self.note(number, id);
        }
        Ok(())
    }

    fn note(&mut self, number: usize, id: String) {
        if let Some(ids) = self.rows.get_mut(number) {
            ids.insert(id);
        }
    }

    /// Takes the interactions of which the rows, and others, told at the last resolve.
    async fn take_told(&mut self, warehouse: &dyn Warehouse, streams: &[Stream]) -> Result<()> {
        let rows = streams.iter().zip(&self.rows);
        let rows = rows.filter(|((_, declared), _)| same_column(declared).is_some());
        let ids: BTreeSet<String> = rows.flat_map(|(_, ids)| ids.iter().cloned()).collect();
        for (interaction, number, id) in
            told(warehouse, &TELLERS, streams, ("record_id", ids)).await?
        {
            let ids = number.and_then(|number| self.rows.get(number));
            if ids.is_some_and(|ids| ids.contains(&id)) {
                self.interactions.insert(interaction);
            }
        }
        Ok(())
    }

    /// Looks up which rows told of the interactions at the last resolve.
    async fn look_up(&mut self, warehouse: &dyn Warehouse, streams: &[Stream]) -> Result<()> {
        let by = || ("interaction_id", self.ids());
        let speakers = told(warehouse, &INTERACTIONS, streams, by()).await?;
        let others = told(warehouse, &TELLERS, streams, by()).await?;
        self.published = speakers.len();
        for (_, number, id) in speakers.into_iter().chain(others) {
            if let Some(number) = number {
                self.note(number, id);
            }
        }
        Ok(())
    }
}

/// Returns the interactions in which a column of a table holds one of some texts, with the number of the stream and the id
/// of a row that told of each.
async fn told(
    warehouse: &dyn Warehouse,
    table: &PlainTable,
    streams: &[Stream],
    (column, texts): (&str, impl IntoIterator<Item = String>),
) -> Result<Vec<(InteractionId, Option<usize>, String)>> {
    const COLUMNS: &[&str; 4] = &["interaction_id", "source", "stream", "record_id"];
    let texts: Vec<String> = texts.into_iter().collect();
    let mut told = Vec::new();
    if texts.is_empty() {
        return Ok(told);
    }
    let asked = (&COLUMNS[..], among(column, texts)?);
    for batch in scan(warehouse, table, asked).await? {
        let texts = Texts::of(&batch, COLUMNS)?;
        for row in 0..batch.num_rows() {
            let [id, source, stream, record] = texts.row(row).map(Option::unwrap_or_default);
            let id = InteractionId::parse(id).ok_or_else(unreadable)?;
            let mut known = streams.iter();
            let number = known.position(|(own, it)| (*own, it.stream) == (source, stream));
            told.push((id, number, record.to_owned()));
        }
    }
    Ok(told)
}

/// Returns part and id of rows of a stream, gone ones too, with the value by which several can tell of the same.
async fn names(
    warehouse: &dyn Warehouse,
    (source, declared): Stream,
    filter: Filter,
) -> Result<Vec<([String; 2], String)>> {
    let mut places = vec!["id"];
    places.extend(declared.part);
    places.extend(same_column(declared));
    let mut names = Vec::new();
    for batch in rows(warehouse, (source, declared.stream), (&places, filter)).await? {
        let cells = |place: Option<&'static str>| Cells::of_named(&batch, place);
        let (ids, parts) = (cells(Some("id"))?, cells(declared.part)?);
        let sames = cells(same_column(declared))?;
        for row in 0..batch.num_rows() {
            let [part, id, same] = [&parts, &ids, &sames].map(|cells| {
                let text = text(cells.as_ref(), row);
                text.map_or_else(String::new, Cow::into_owned)
            });
            names.push(([part, id], same));
        }
    }
    Ok(names)
}

/// Returns what rows of other tables that were read since say of rows of a stream, by the column here that holds it: those
/// that name who took part, and those that set rows aside.
async fn others_changed(
    warehouse: &dyn Warehouse,
    (source, declared): Stream,
    since: Timestamp,
) -> Result<BTreeMap<&'static str, BTreeSet<String>>> {
    let mut named: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for parties in PartyRows::all(declared) {
        let (stream, asked) = ((source, parties.stream), &[parties.owner][..]);
        let asked = (asked, Filter::ChangedSince(since));
        for batch in rows(warehouse, stream, asked).await? {
            let cells = Cells::of(&batch, parties.owner)?;
            let owners = (0..batch.num_rows()).filter_map(|row| text(cells.as_ref(), row));
            let ids = named.entry("id").or_default();
            ids.extend(owners.map(Cow::into_owned));
        }
    }
    if let Some(except) = declared.except
        && let Some((there, here)) = except.about.last()
    {
        let (stream, asked) = ((source, except.stream), &[*there, except.column][..]);
        let asked = (asked, Filter::ChangedSince(since));
        for batch in rows(warehouse, stream, asked).await? {
            let (about, tells) = (Cells::of(&batch, there)?, Cells::of(&batch, except.column)?);
            // A row that is gone may not say any more what it said.
            let can_set_aside = |row: &usize| {
                text(tells.as_ref(), *row).is_none_or(|value| except.values.contains(&&*value))
            };
            let rows = (0..batch.num_rows()).filter(can_set_aside);
            let texts = rows.filter_map(|row| text(about.as_ref(), row));
            let texts = texts.map(Cow::into_owned);
            named.entry(*here).or_default().extend(texts);
        }
    }
    Ok(named)
}

/// Returns the ids of the rows of a stream that name a record which is restated.
async fn naming_restated(
    warehouse: &dyn Warehouse,
    (source, declared): Stream,
    touched: &Touched,
) -> Result<BTreeSet<String>> {
    let named = declared
        .parties
        .iter()
        .filter_map(|parties| match *parties {
            Parties::Records {
                column, streams, ..
            } => touched
                .is_restated(source, streams)
                .then_some((column, streams)),
            Parties::Named { .. } | Parties::Rows { .. } => None,
        });
    let named: Vec<(&str, &[&str])> = named.collect();
    let mut places = vec!["id"];
    places.extend(named.iter().map(|(column, _)| *column));
    let mut ids = BTreeSet::new();
    if named.is_empty() {
        return Ok(ids);
    }
    for batch in rows(
        warehouse,
        (source, declared.stream),
        (&places, Filter::Live),
    )
    .await?
    {
        let own = Cells::of(&batch, "id")?;
        for (column, streams) in &named {
            let Some(cells) = Cells::of(&batch, column)? else {
                continue;
            };
            let is_restated = |id: &Cow<'_, str>| touched.restates(source, streams, id);
            let rows =
                (0..batch.num_rows()).filter(|row| cells.texts(*row).iter().any(is_restated));
            let found = rows.filter_map(|row| text(own.as_ref(), row));
            ids.extend(found.map(Cow::into_owned));
        }
    }
    Ok(ids)
}
