//! Takes in the rows that tell of interactions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::super::reading::{Cells, SetAside, first};
use super::columns::{Columns, PartyCells, PartyRows, Stream, Told, identify, of_row, text};
use super::store::{Interaction, InteractionId, NEVER, Party, Store, Teller, Words};
use crate::error::Result;
use crate::interaction::{DurationOf, InteractionColumns, KindOf, Parties, Role, Same, meaning};
use crate::texts::Symbol;

/// Takes in the rows of a stream.
pub(super) struct Reader<'a> {
    store: &'a mut Store,
    stream: Stream,
    source: Arc<str>,
    told_by: u16,
    set_aside: &'a SetAside,
    /// Which interaction each row tells of, by that of which it alone would tell, where other tables name the row.
    numbers: HashMap<InteractionId, u32>,
}

impl<'a> Reader<'a> {
    /// Returns a reader of the stream of this number, but for what is set aside.
    pub(super) fn new(
        store: &'a mut Store,
        (told_by, stream): (u16, Stream),
        set_aside: &'a SetAside,
    ) -> Self {
        Self {
            store,
            source: stream.0.into(),
            stream,
            told_by,
            set_aside,
            numbers: HashMap::new(),
        }
    }

    /// Takes in rows of the stream.
    pub(super) fn take(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = Columns::of(batch, self.declared())?;
        let Some(ids) = Cells::of(batch, "id")? else {
            return Ok(());
        };
        let named_elsewhere = self.has_party_rows();
        for row in self.set_aside.rest(batch)? {
            let Some(id) = ids.text(row) else { continue };
            let part = text(columns.part.as_ref(), row).unwrap_or_default();
            let (interaction, told) = self.interaction(&columns, row, (&part, &id));
            let number = match told {
                Told::ByOthersToo => {
                    let part = interaction.part;
                    let number = self.store.tell(interaction);
                    self.store.tellers.push(Teller {
                        interaction: number,
                        told_by: self.told_by,
                        part,
                        id: id.as_ref().into(),
                    });
                    number
                }
                Told::ByItAlone => self.store.add(interaction),
            };
            for cells in &columns.parties {
                self.parties(cells, row, number);
            }
            if named_elsewhere {
                let name = of_row(self.stream, (&part, &id));
                self.numbers.insert(name, number);
            }
        }
        Ok(())
    }

    fn declared(&self) -> &'static InteractionColumns {
        self.stream.1
    }

    fn has_party_rows(&self) -> bool {
        PartyRows::all(self.declared()).next().is_some()
    }

    /// Returns what a row says of an interaction.
    fn interaction(
        &mut self,
        columns: &Columns<'_>,
        row: usize,
        (part, id): (&str, &str),
    ) -> (Interaction, Told) {
        let declared = self.declared();
        let kind = match declared.kind {
            KindOf::Always(kind) => kind,
            KindOf::By(by, otherwise) => text(columns.kind.as_ref(), row)
                .and_then(|value| meaning(by.values, &value))
                .unwrap_or(otherwise),
        };
        let happened_at = columns.happened.iter().find_map(|cells| cells.time(row));
        let happened_at = happened_at.unwrap_or(NEVER);
        let same = text(columns.same.as_ref(), row).unwrap_or_default();
        let (interaction_id, told) = identify(self.stream, &same, (part, id));
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
            part: self.store.texts.intern(part),
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

    /// Returns how soon a row speaks for its interaction: a message that names everybody before one that is only
    /// told of, and a leg that the declaration names before others.
    fn rank(&self, columns: &Columns<'_>, row: usize) -> u8 {
        let first = match self.declared().same {
            Same::Row => true,
            Same::Message(_) => self.has_party_rows(),
            Same::Conversation { speaker, .. } => text(columns.speaker.as_ref(), row)
                .is_some_and(|value| speaker.values.iter().any(|own| value == *own)),
        };
        u8::from(!first)
    }

    fn duration_ms(&self, columns: &Columns<'_>, row: usize, happened_at: i64) -> Option<i64> {
        let cells = columns.duration.as_ref()?;
        match self.declared().duration? {
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
                for (place, id) in (0..).zip(cells.ids(row)) {
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
                let addresses = cells.addresses(row).into_iter();
                let mut addresses: Vec<Symbol> =
                    addresses.map(|it| self.store.address(&it)).collect();
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
    pub(super) fn take_parties(&mut self, batch: &RecordBatch, parties: PartyRows) -> Result<()> {
        let cells = |place: Option<&'static str>| Cells::of_named(batch, place);
        let (owners, roles) = (cells(Some(parties.owner))?, cells(Some(parties.role.0))?);
        let (addresses, parts) = (cells(Some(parties.address))?, cells(parties.part)?);
        let (places, names) = (cells(parties.place)?, cells(parties.name)?);
        for row in 0..batch.num_rows() {
            let part = text(parts.as_ref(), row).unwrap_or_default();
            let owner = text(owners.as_ref(), row).map(|id| of_row(self.stream, (&part, &id)));
            let number = owner.and_then(|owner| self.numbers.get(&owner).copied());
            let role = text(roles.as_ref(), row);
            let role = role.and_then(|value| meaning(parties.role.1, &value));
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
