//! Finds the interactions of which something else is to be told than at the last resolve.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::super::published::{among, scan};
use super::super::reading::{Cells, rows};
use super::super::rows::{Texts, unreadable};
use super::super::tables::{INTERACTION_PARTIES, INTERACTIONS};
use super::super::touched::{PARTY_COLUMNS, Seen, Touched};
use super::columns::{PartyRows, Stream, Told, identify, message_id, of_row, same_column, text};
use super::store::InteractionId;
use crate::error::Result;
use crate::interaction::{Parties, Same};
use crate::time::Timestamp;
use crate::warehouse::{Filter, Warehouse};

/// The interactions, and which rows can tell of them.
#[derive(Debug, Default)]
pub(super) struct Affected {
    pub(super) interactions: HashSet<InteractionId>,
    /// How many of them are published.
    pub(super) published: usize,
    /// For each stream the rows that can tell of them alone, and the values of the column that lets several do.
    pub(super) rows: Vec<Telling>,
    /// Message-IDs, as they are written.
    pub(super) messages: BTreeSet<String>,
}

/// The rows of a stream that can tell of something.
#[derive(Debug, Default)]
pub(super) struct Telling {
    pub(super) ids: BTreeSet<String>,
    pub(super) conversations: BTreeSet<String>,
}

impl Affected {
    /// Finds the interactions with somebody who is touched, and those of which rows tell that were read since; nothing
    /// where these are more than `most`, or not all rows can be found that tell of them.
    pub(super) async fn find(
        warehouse: &dyn Warehouse,
        streams: &[Stream],
        (touched, most): (&Touched, usize),
    ) -> Result<Option<Self>> {
        let mut found = Self::default();
        found.rows.resize_with(streams.len(), Telling::default);
        found.take_parties(warehouse, touched).await?;
        for (number, stream) in streams.iter().enumerate() {
            let mut ids = others_changed(warehouse, *stream, touched.since).await?;
            ids.extend(naming_restated(warehouse, *stream, touched).await?);
            let changed = Some(Filter::ChangedSince(touched.since));
            let named = (!ids.is_empty()).then(|| among("id", ids));
            for filter in changed.into_iter().map(Ok).chain(named) {
                found.take(warehouse, (number, *stream), filter?).await?;
            }
        }
        found.take_spoken_for(warehouse, streams).await?;
        if found.interactions.len() > most {
            return Ok(None);
        }
        let is_known = found.look_up(warehouse, streams).await?;
        Ok(is_known.then_some(found))
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

    /// Takes the interactions for which rows that were read since spoke: they may tell of others now.
    async fn take_spoken_for(
        &mut self,
        warehouse: &dyn Warehouse,
        streams: &[Stream],
    ) -> Result<()> {
        let rows = streams.iter().zip(&self.rows);
        let rows = rows.filter(|((_, declared), _)| same_column(declared).is_some());
        let ids: BTreeSet<String> = rows
            .flat_map(|(_, rows)| rows.ids.iter().cloned())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        for speaker in speakers(warehouse, streams, ("record_id", ids)).await? {
            let rows = speaker.stream.and_then(|number| self.rows.get(number));
            if rows.is_some_and(|rows| rows.ids.contains(&speaker.record)) {
                self.interactions.insert(speaker.interaction);
            }
        }
        Ok(())
    }

    /// Takes the interactions of which rows of a stream tell, or told before there was a value by which others can.
    async fn take(
        &mut self,
        warehouse: &dyn Warehouse,
        (number, stream): (usize, Stream),
        filter: Filter,
    ) -> Result<()> {
        for (name, same) in names(warehouse, stream, filter).await? {
            let [part, id] = &name;
            let (interaction, told) = identify(stream, &same, (part, id));
            self.interactions.insert(interaction);
            if told == Told::ByOthersToo {
                self.interactions.insert(of_row(stream, (part, id)));
            }
            self.note((number, stream), name, same);
        }
        Ok(())
    }

    /// Notes which rows can tell of what a row tells of.
    fn note(
        &mut self,
        (number, (_, declared)): (usize, Stream),
        [_, id]: [String; 2],
        same: String,
    ) {
        let Some(rows) = self.rows.get_mut(number) else {
            return;
        };
        rows.ids.insert(id);
        match declared.same {
            Same::Message(_) if !message_id(&same).is_empty() => {
                let message = message_id(&same);
                let bare = [message.to_owned(), format!("<{message}>")];
                self.messages.extend(bare.into_iter().chain([same]));
            }
            Same::Conversation { .. } if !same.is_empty() => {
                rows.conversations.insert(same);
            }
            _ => {}
        }
    }

    /// Looks up which rows speak for the interactions, and which others can tell of them. Says no where it cannot be told
    /// which do.
    async fn look_up(&mut self, warehouse: &dyn Warehouse, streams: &[Stream]) -> Result<bool> {
        if self.interactions.is_empty() {
            return Ok(true);
        }
        let speakers = speakers(warehouse, streams, ("interaction_id", self.ids())).await?;
        self.published = speakers.len();
        let of_several = speakers.iter().filter(|it| it.speaks_for_others);
        let mut of_several: HashSet<InteractionId> = of_several.map(|it| it.interaction).collect();
        let mut speaking: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for speaker in speakers {
            let stream = speaker.stream.map(|number| speaking.entry(number));
            stream.map(|ids| ids.or_default().insert(speaker.record));
        }
        for (number, ids) in speaking {
            let (Some(stream), Some(rows)) = (streams.get(number), self.rows.get_mut(number))
            else {
                continue;
            };
            if same_column(stream.1).is_none() {
                rows.ids.extend(ids);
                continue;
            }
            for (name, same) in names(warehouse, *stream, among("id", ids)?).await? {
                let [part, id] = &name;
                let (interaction, _) = identify(*stream, &same, (part, id));
                if self.interactions.contains(&interaction) {
                    of_several.remove(&interaction);
                    self.note((number, *stream), name, same);
                }
            }
        }
        Ok(of_several.is_empty())
    }
}

/// A row that speaks for a published interaction.
struct Speaker {
    interaction: InteractionId,
    /// The number of its stream, where that tells of interactions now.
    stream: Option<usize>,
    record: String,
    speaks_for_others: bool,
}

/// Returns who speaks for the published interactions in which a column holds one of some texts.
async fn speakers(
    warehouse: &dyn Warehouse,
    streams: &[Stream],
    (column, texts): (&str, impl IntoIterator<Item = String>),
) -> Result<Vec<Speaker>> {
    const TEXTS: &[&str; 4] = &["interaction_id", "source", "stream", "record_id"];
    const COUNT: &str = "record_count";
    let columns = [&TEXTS[..], &[COUNT]].concat();
    let asked = (&*columns, among(column, texts)?);
    let mut speakers = Vec::new();
    for batch in scan(warehouse, &INTERACTIONS, asked).await? {
        let texts = Texts::of(&batch, TEXTS)?;
        let counts = batch.column_by_name(COUNT);
        let counts = counts.and_then(|it| it.as_primitive_opt::<Int64Type>());
        let counts = counts.ok_or_else(unreadable)?;
        for row in 0..batch.num_rows() {
            let [id, source, stream, record] = texts.row(row).map(Option::unwrap_or_default);
            let mut known = streams.iter();
            speakers.push(Speaker {
                interaction: InteractionId::parse(id).ok_or_else(unreadable)?,
                stream: known.position(|(own, it)| (*own, it.stream) == (source, stream)),
                record: record.to_owned(),
                speaks_for_others: counts.value(row) > 1,
            });
        }
    }
    Ok(speakers)
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
        let [ids, parts, sames] = [Some("id"), declared.part, same_column(declared)]
            .map(|place| place.map(|place| Cells::of(&batch, place)));
        let (ids, parts, sames) = (
            ids.transpose()?.flatten(),
            parts.transpose()?.flatten(),
            sames.transpose()?.flatten(),
        );
        let cell = |cells: &Option<Cells<'_>>, row| {
            let text = text(cells.as_ref(), row).unwrap_or_default();
            text.into_owned()
        };
        let name = |row| ([cell(&parts, row), cell(&ids, row)], cell(&sames, row));
        names.extend((0..batch.num_rows()).map(name));
    }
    Ok(names)
}

/// Returns the ids of the rows of a stream about which rows of other tables were read since: of those that name who took
/// part, and that set rows aside.
async fn others_changed(
    warehouse: &dyn Warehouse,
    (source, declared): Stream,
    since: Timestamp,
) -> Result<BTreeSet<String>> {
    let parties = PartyRows::all(declared).map(|it| (it.stream, it.owner));
    let except = declared.except.and_then(|it| {
        let (there, _) = it.about.iter().find(|(_, here)| *here == "id")?;
        Some((it.stream, *there))
    });
    let mut ids = BTreeSet::new();
    for (stream, column) in parties.chain(except) {
        let filter = Filter::ChangedSince(since);
        for batch in rows(warehouse, (source, stream), (&[column], filter)).await? {
            let cells = Cells::of(&batch, column)?;
            let texts = (0..batch.num_rows()).filter_map(|row| text(cells.as_ref(), row));
            ids.extend(texts.map(Cow::into_owned));
        }
    }
    Ok(ids)
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
