//! The columns of a stream that tell of interactions, and which interaction a row tells of.

use std::borrow::Cow;

use arrow::array::RecordBatch;

use super::super::ours::UserCells;
use super::super::reading::Cells;
pub(super) use super::super::reading::said as text;
use super::store::InteractionId;
use crate::error::Result;
use crate::interaction::{DurationOf, InteractionColumns, KindOf, OurUser, Parties, Role, Same};

/// A source, and how one of its streams tells of interactions.
pub(super) type Stream = (&'static str, &'static InteractionColumns);

/// Whether other rows can tell of the same interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    ByItAlone,
    ByOthersToo,
}

/// Returns the interaction that a row tells of, and whether others can tell of it too. `same` is the value of the column
/// that says so.
pub(super) fn identify(
    stream: Stream,
    same: &str,
    (part, id): (&str, &str),
) -> (InteractionId, Told) {
    let (source, declared) = stream;
    let message = same.trim_matches(|c: char| c.is_whitespace() || "<>".contains(c));
    match declared.same {
        Same::Message(_) if !message.is_empty() => {
            (InteractionId::of(&["message", message]), Told::ByOthersToo)
        }
        Same::Conversation { .. } if !same.is_empty() => {
            let parts = ["conversation", source, declared.stream, same];
            (InteractionId::of(&parts), Told::ByOthersToo)
        }
        _ => (of_row(stream, (part, id)), Told::ByItAlone),
    }
}

/// Returns the interaction of which a row tells alone; it is that of no other row.
pub(super) fn of_row((source, declared): Stream, (part, id): (&str, &str)) -> InteractionId {
    InteractionId::of(&["row", source, declared.stream, part, id])
}

/// Returns the places that a declaration names in its own stream.
pub(super) fn places(declared: &InteractionColumns) -> Vec<&'static str> {
    let mut places = vec!["id"];
    places.extend(declared.part);
    if let KindOf::By(by, _) = declared.kind {
        places.push(by.column);
    }
    places.extend(same_column(declared));
    if let Same::Conversation { speaker, .. } = declared.same {
        places.push(speaker.column);
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

/// Returns the column that says which rows tell of the same interaction.
pub(super) fn same_column(declared: &InteractionColumns) -> Option<&'static str> {
    match declared.same {
        Same::Row => None,
        Same::Message(column) | Same::Conversation { column, .. } => Some(column),
    }
}

/// The declared columns of a batch.
pub(super) struct Columns<'a> {
    pub(super) kind: Option<Cells<'a>>,
    pub(super) same: Option<Cells<'a>>,
    pub(super) speaker: Option<Cells<'a>>,
    pub(super) happened: Vec<Cells<'a>>,
    pub(super) direction: Option<Cells<'a>>,
    pub(super) subject: Vec<Cells<'a>>,
    pub(super) thread: Option<Cells<'a>>,
    pub(super) duration: Option<Cells<'a>>,
    pub(super) part: Option<Cells<'a>>,
    pub(super) our_user: UserCells<'a>,
    pub(super) parties: Vec<PartyCells<'a>>,
}

/// The columns of one way to name those who took part.
pub(super) struct PartyCells<'a> {
    pub(super) parties: &'static Parties,
    /// Ids or addresses.
    pub(super) whom: Option<Cells<'a>>,
    pub(super) phone: Option<Cells<'a>>,
    pub(super) name: Option<Cells<'a>>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(
        batch: &'a RecordBatch,
        declared: &'static InteractionColumns,
    ) -> Result<Self> {
        let cells = |place: Option<&'static str>| Cells::of_named(batch, place);
        let kind = match declared.kind {
            KindOf::Always(_) => None,
            KindOf::By(by, _) => Some(by.column),
        };
        let speaker = match declared.same {
            Same::Row | Same::Message(_) => None,
            Same::Conversation { speaker, .. } => Some(speaker.column),
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
            same: cells(same_column(declared))?,
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

impl PartyCells<'_> {
    /// Returns the ids that a row names.
    pub(super) fn ids(&self, row: usize) -> impl Iterator<Item = Cow<'_, str>> {
        self.whom.iter().flat_map(move |cells| cells.texts(row))
    }

    /// Returns the addresses that a row names.
    pub(super) fn addresses(&self, row: usize) -> Vec<String> {
        let mut addresses = Vec::new();
        for listed in self.ids(row) {
            let single = listed.split([',', ';']).map(str::trim);
            addresses.extend(single.filter(|it| it.contains('@')).map(str::to_owned));
        }
        addresses
    }
}

/// Another table's rows that name those who took part, one each.
#[derive(Clone, Copy)]
pub(super) struct PartyRows {
    /// The other table's stream.
    pub(super) stream: &'static str,
    pub(super) owner: &'static str,
    pub(super) role: (&'static str, &'static [(&'static str, Role)]),
    pub(super) place: Option<&'static str>,
    pub(super) address: &'static str,
    pub(super) name: Option<&'static str>,
    /// The column with the part, there and here.
    pub(super) part: Option<&'static str>,
}

impl PartyRows {
    /// Returns those that a declaration names.
    pub(super) fn all(declared: &'static InteractionColumns) -> impl Iterator<Item = Self> {
        let part = declared.part;
        declared
            .parties
            .iter()
            .filter_map(move |parties| match *parties {
                Parties::Rows {
                    stream,
                    owner,
                    role,
                    place,
                    address,
                    name,
                } => Some(Self {
                    stream,
                    owner,
                    role,
                    place,
                    address,
                    name,
                    part,
                }),
                Parties::Records { .. } | Parties::Named { .. } => None,
            })
    }

    /// Returns the places that are read of them.
    pub(super) fn places(&self) -> Vec<&'static str> {
        let mut places = vec![self.owner, self.role.0, self.address];
        places.extend(self.part.into_iter().chain(self.place).chain(self.name));
        places
    }
}
