//! Reads the rows that tell of interactions.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::super::ours::UserCells;
use super::super::reading::{Cells, SetAside, first, rows};
use super::store::{Interaction, InteractionId, NEVER, Party, Store, Words};
use crate::error::Result;
use crate::interaction::{
    DurationOf, InteractionColumns, KindOf, OurUser, Parties, Role, Same, meaning,
};
use crate::texts::Symbol;
use crate::validate::SqlIdentifier;
use crate::warehouse::{Filter, PartOf, Warehouse};

/// Reads all rows of one stream.
pub(super) async fn stream(
    store: &mut Store,
    warehouse: &dyn Warehouse,
    (source, told_by): (&'static str, u16),
    declared: &'static InteractionColumns,
) -> Result<()> {
    let set_aside = SetAside::read(warehouse, source, declared.except).await?;
    for filter in filters(warehouse, source, declared).await? {
        let mut reader = Reader {
            store: &mut *store,
            source: source.into(),
            told_by,
            declared,
            set_aside: &set_aside,
            numbers: HashMap::new(),
        };
        let mut places = places(declared);
        places.extend(set_aside.places());
        let scan = (places, filter.clone());
        for batch in rows(warehouse, (source, declared.stream), (&scan.0, scan.1)).await? {
            reader.take(&batch)?;
        }
        for parties in declared.parties {
            let Parties::Rows {
                stream,
                owner,
                role,
                place,
                address,
                name,
            } = *parties
            else {
                continue;
            };
            let mut places = vec![owner, role.0, address];
            places.extend(place.into_iter().chain(name));
            let scan = (&*places, filter.clone());
            for batch in rows(warehouse, (source, stream), scan).await? {
                reader.take_parties(&batch, parties)?;
            }
        }
    }
    Ok(())
}

/// Returns one filter for each part of the stream, so that never more than one is in memory.
async fn filters(
    warehouse: &dyn Warehouse,
    source: &str,
    declared: &InteractionColumns,
) -> Result<Vec<Filter>> {
    let Some(column) = declared.part else {
        return Ok(vec![Filter::Live]);
    };
    let mut parts = BTreeSet::new();
    for batch in rows(
        warehouse,
        (source, declared.stream),
        (&[column], Filter::Live),
    )
    .await?
    {
        if let Some(cells) = Cells::of(&batch, column)? {
            for part in (0..batch.num_rows()).filter_map(|row| cells.text(row)) {
                if !parts.contains(part.as_ref()) {
                    parts.insert(part.into_owned());
                }
            }
        }
    }
    let column = SqlIdentifier::parse(column)?;
    let filter = |part| {
        let column = column.clone();
        Filter::LiveIn(PartOf { column, part })
    };
    Ok(parts.into_iter().map(filter).collect())
}

/// Returns the places that a declaration names in its own stream.
fn places(declared: &InteractionColumns) -> Vec<&'static str> {
    let mut places = vec!["id"];
    places.extend(declared.part);
    if let KindOf::By(by, _) = declared.kind {
        places.push(by.column);
    }
    match declared.same {
        Same::Row => {}
        Same::Message(column) => places.push(column),
        Same::Conversation { column, speaker } => places.extend([column, speaker.column]),
    }
    places.extend(declared.happened);
    places.extend(declared.direction.map(|by| by.column));
    places.extend(declared.subject);
    places.extend(declared.thread);
    places.extend(declared.duration.map(duration_column));
    places.extend(declared.our_user.iter().map(OurUser::column));
    for parties in declared.parties {
        match *parties {
            Parties::Records { column, .. } => places.push(column),
            Parties::Named {
                address,
                phone,
                name,
                ..
            } => {
                places.extend([address, phone, name].into_iter().flatten());
            }
            Parties::Rows { .. } => {}
        }
    }
    places
}

fn duration_column(duration: DurationOf) -> &'static str {
    match duration {
        DurationOf::Millis(column)
        | DurationOf::Seconds(column)
        | DurationOf::Minutes(column)
        | DurationOf::Until(column) => column,
    }
}

/// Reads the rows of one part of a stream.
struct Reader<'a> {
    store: &'a mut Store,
    source: Arc<str>,
    told_by: u16,
    declared: &'static InteractionColumns,
    set_aside: &'a SetAside,
    /// Which interaction each row tells of, where other tables name the row.
    numbers: HashMap<Box<str>, u32>,
}

/// The declared columns of a batch.
struct Columns<'a> {
    kind: Option<Cells<'a>>,
    same: Option<Cells<'a>>,
    speaker: Option<Cells<'a>>,
    happened: Vec<Cells<'a>>,
    direction: Option<Cells<'a>>,
    subject: Vec<Cells<'a>>,
    thread: Option<Cells<'a>>,
    duration: Option<Cells<'a>>,
    part: Option<Cells<'a>>,
    our_user: UserCells<'a>,
    parties: Vec<PartyCells<'a>>,
}

/// The columns of one way to name those who took part.
struct PartyCells<'a> {
    parties: &'static Parties,
    /// Ids or addresses.
    whom: Option<Cells<'a>>,
    phone: Option<Cells<'a>>,
    name: Option<Cells<'a>>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch, declared: &'static InteractionColumns) -> Result<Self> {
        let cells = |place: Option<&'static str>| match place {
            Some(place) => Cells::of(batch, place),
            None => Ok(None),
        };
        let kind = match declared.kind {
            KindOf::Always(_) => None,
            KindOf::By(by, _) => Some(by.column),
        };
        let (same, speaker) = match declared.same {
            Same::Row => (None, None),
            Same::Message(column) => (Some(column), None),
            Same::Conversation { column, speaker } => (Some(column), Some(speaker.column)),
        };
        let our_user = UserCells::of(batch, declared.our_user)?;
        let mut parties = Vec::new();
        for own in declared.parties {
            let (whom, phone, name) = match *own {
                Parties::Records { column, .. } => (Some(column), None, None),
                Parties::Named {
                    address,
                    phone,
                    name,
                    ..
                } => (address, phone, name),
                Parties::Rows { .. } => continue,
            };
            parties.push(PartyCells {
                parties: own,
                whom: cells(whom)?,
                phone: cells(phone)?,
                name: cells(name)?,
            });
        }
        Ok(Self {
            kind: cells(kind)?,
            same: cells(same)?,
            speaker: cells(speaker)?,
            happened: Cells::all(batch, declared.happened)?,
            direction: cells(declared.direction.map(|by| by.column))?,
            subject: Cells::all(batch, declared.subject)?,
            thread: cells(declared.thread)?,
            duration: cells(declared.duration.map(duration_column))?,
            part: cells(declared.part)?,
            our_user,
            parties,
        })
    }
}

/// Returns a cell's text, where there is such a column.
fn text<'a>(cells: Option<&Cells<'a>>, row: usize) -> Option<Cow<'a, str>> {
    cells?.text(row)
}

impl Reader<'_> {
    fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = Columns::of(batch, self.declared)?;
        let Some(ids) = Cells::of(batch, "id")? else {
            return Ok(());
        };
        let named_elsewhere = self.has_party_rows();
        for row in self.set_aside.rest(batch)? {
            let Some(id) = ids.text(row) else { continue };
            let (interaction, is_shared) = self.interaction(&columns, row, &id);
            let number = if is_shared == Told::ByOthersToo {
                self.store.tell(interaction)
            } else {
                self.store.add(interaction)
            };
            for cells in &columns.parties {
                self.parties(cells, row, number);
            }
            if named_elsewhere {
                self.numbers.insert(id.as_ref().into(), number);
            }
        }
        Ok(())
    }

    fn has_party_rows(&self) -> bool {
        let mut parties = self.declared.parties.iter();
        parties.any(|parties| matches!(parties, Parties::Rows { .. }))
    }

    /// Returns what a row says of an interaction.
    fn interaction(&mut self, columns: &Columns<'_>, row: usize, id: &str) -> (Interaction, Told) {
        let declared = self.declared;
        let kind = match declared.kind {
            KindOf::Always(kind) => kind,
            KindOf::By(by, otherwise) => text(columns.kind.as_ref(), row)
                .and_then(|value| meaning(by.values, &value))
                .unwrap_or(otherwise),
        };
        let happened_at = columns.happened.iter().find_map(|cells| cells.time(row));
        let happened_at = happened_at.unwrap_or(NEVER);
        let part = text(columns.part.as_ref(), row).unwrap_or_default();
        let (interaction_id, told) = self.identify(columns, row, (&part, id));
        let direction = declared.direction.and_then(|by| {
            let value = text(columns.direction.as_ref(), row)?;
            meaning(by.values, &value)
        });
        let interaction = Interaction {
            id: interaction_id,
            kind,
            direction,
            told_by: self.told_by,
            rank: self.rank(columns, row),
            spoken_at: happened_at,
            happened_at,
            duration_ms: self.duration_ms(columns, row, happened_at),
            part: self.store.texts.intern(&part),
            our_user: self.our_user(columns, row),
            record_count: 1,
            words: Words::new(
                id,
                &text(columns.thread.as_ref(), row).unwrap_or_default(),
                &first(&columns.subject, row).unwrap_or_default(),
            ),
        };
        (interaction, told)
    }

    /// Returns the id of the interaction that a row tells of, and whether others can tell of it too.
    fn identify(
        &self,
        columns: &Columns<'_>,
        row: usize,
        (part, id): (&str, &str),
    ) -> (InteractionId, Told) {
        let value = text(columns.same.as_ref(), row).unwrap_or_default();
        let message = value.trim_matches(|c: char| c.is_whitespace() || "<>".contains(c));
        let (source, stream) = (&*self.source, self.declared.stream);
        match self.declared.same {
            Same::Message(_) if !message.is_empty() => {
                (InteractionId::of(&["message", message]), Told::ByOthersToo)
            }
            Same::Conversation { .. } if !value.is_empty() => {
                let parts = ["conversation", source, stream, &value];
                (InteractionId::of(&parts), Told::ByOthersToo)
            }
            _ => {
                let parts = ["row", source, stream, part, id];
                (InteractionId::of(&parts), Told::ByItAlone)
            }
        }
    }

    /// Returns how soon a row speaks for its interaction: a message that names everybody before one that is only
    /// told of, and a leg that the declaration names before others.
    fn rank(&self, columns: &Columns<'_>, row: usize) -> u8 {
        let first = match self.declared.same {
            Same::Row => true,
            Same::Message(_) => self.has_party_rows(),
            Same::Conversation { speaker, .. } => text(columns.speaker.as_ref(), row)
                .is_some_and(|value| speaker.values.iter().any(|own| value == *own)),
        };
        u8::from(!first)
    }

    fn duration_ms(&self, columns: &Columns<'_>, row: usize, happened_at: i64) -> Option<i64> {
        let cells = columns.duration.as_ref()?;
        match self.declared.duration? {
            DurationOf::Millis(_) => Some(cells.thousandths(row)? / 1_000),
            DurationOf::Seconds(_) => cells.thousandths(row),
            DurationOf::Minutes(_) => cells.thousandths(row)?.checked_mul(60),
            DurationOf::Until(_) => {
                let ended = cells.time(row).filter(|ended| *ended >= happened_at)?;
                Some((ended - happened_at) / 1_000)
            }
        }
    }

    fn our_user(&mut self, columns: &Columns<'_>, row: usize) -> Symbol {
        let ours = self.store.register.ours();
        let said = columns.our_user.first(row, (&self.source, ours));
        said.map_or(Symbol::EMPTY, |said| self.store.texts.intern(&said))
    }

    /// Takes in those whom a row names in one way.
    fn parties(&mut self, cells: &PartyCells<'_>, row: usize, interaction: u32) {
        match *cells.parties {
            Parties::Records { role, streams, .. } => {
                let ids = cells.whom.iter().flat_map(|cells| cells.texts(row));
                for (place, id) in (0..).zip(ids) {
                    let register = &self.store.register;
                    if let Some(who) = register.of_record(&self.source, streams, &id) {
                        self.store.parties.push(Party {
                            person: who.person,
                            company: who.company,
                            ..nobody(interaction, role, place)
                        });
                    }
                }
            }
            Parties::Named { role, .. } => {
                let name = text(cells.name.as_ref(), row).unwrap_or_default();
                let name = self.store.texts.intern(&name);
                let phone = match text(cells.phone.as_ref(), row) {
                    Some(number) => self.store.number(&number),
                    None => Symbol::EMPTY,
                };
                let mut addresses: Vec<Symbol> = Vec::new();
                for listed in cells.whom.iter().flat_map(|cells| cells.texts(row)) {
                    let single = listed.split([',', ';']).map(str::trim);
                    for address in single.filter(|address| address.contains('@')) {
                        addresses.push(self.store.address(address));
                    }
                }
                if addresses.is_empty() && !phone.is_empty() {
                    addresses.push(Symbol::EMPTY);
                }
                let name = if addresses.len() == 1 {
                    name
                } else {
                    Symbol::EMPTY
                };
                for (place, address) in (0..).zip(addresses) {
                    self.store.parties.push(Party {
                        address,
                        phone,
                        name,
                        ..nobody(interaction, role, place)
                    });
                }
            }
            Parties::Rows { .. } => {}
        }
    }

    /// Takes in the rows of another table that name who took part.
    fn take_parties(&mut self, batch: &RecordBatch, parties: &'static Parties) -> Result<()> {
        let Parties::Rows {
            owner,
            role,
            place,
            address,
            name,
            ..
        } = *parties
        else {
            return Ok(());
        };
        let (Some(owners), Some(roles)) = (Cells::of(batch, owner)?, Cells::of(batch, role.0)?)
        else {
            return Ok(());
        };
        let addresses = Cells::of(batch, address)?;
        let places = place
            .map(|place| Cells::of(batch, place))
            .transpose()?
            .flatten();
        let names = name
            .map(|name| Cells::of(batch, name))
            .transpose()?
            .flatten();
        for row in 0..batch.num_rows() {
            let number = owners
                .text(row)
                .and_then(|id| self.numbers.get(id.as_ref()).copied());
            let role = roles.text(row).and_then(|value| meaning(role.1, &value));
            let address = text(addresses.as_ref(), row);
            let (Some(number), Some(role), Some(address)) = (number, role, address) else {
                continue;
            };
            let place = text(places.as_ref(), row).and_then(|place| place.parse().ok());
            let name = text(names.as_ref(), row).unwrap_or_default();
            let party = Party {
                address: self.store.address(&address),
                name: self.store.texts.intern(&name),
                ..nobody(number, role, place.unwrap_or(u16::MAX))
            };
            self.store.parties.push(party);
        }
        Ok(())
    }
}

/// Whether other rows can tell of the same interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    ByItAlone,
    ByOthersToo,
}

fn nobody(interaction: u32, role: Role, place: u16) -> Party {
    Party {
        interaction,
        role,
        place,
        address: Symbol::EMPTY,
        phone: Symbol::EMPTY,
        name: Symbol::EMPTY,
        person: None,
        company: None,
    }
}
