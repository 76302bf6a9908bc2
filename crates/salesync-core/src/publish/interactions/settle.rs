//! Settles who took part in an interaction, each once, who began it, and who it was mainly with.

use super::register::{At, Who};
use super::store::{Interaction, Party, Store};
use crate::interaction::{Direction, InteractionKind, Role};

/// Somebody who took part, as the table shows them.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) role: Role,
    pub(super) address: &'a str,
    pub(super) phone: &'a str,
    pub(super) name: &'a str,
    pub(super) who: Who,
}

impl Shown<'_> {
    fn is_only_number(&self) -> bool {
        self.address.is_empty() && !self.phone.is_empty()
    }

    fn is_record(&self) -> bool {
        self.address.is_empty() && self.phone.is_empty()
    }

    /// Says whether they took part and are none of us.
    fn is_outsider(&self) -> bool {
        let took_part = !matches!(self.role, Role::Sender | Role::ReplyTo | Role::About);
        took_part && !self.who.is_ours
    }
}

/// What the tables say of an interaction beside what its rows say.
#[derive(Debug)]
pub(super) struct Settled<'a> {
    pub(super) direction: Option<Direction>,
    pub(super) our_user: &'a str,
    pub(super) who: &'a str,
    pub(super) person: Option<At>,
    pub(super) company: Option<At>,
    pub(super) parties: Vec<Shown<'a>>,
}

/// Settles an interaction.
pub(super) fn settle<'a>(
    store: &'a Store,
    number: u32,
    interaction: &'a Interaction,
) -> Settled<'a> {
    let all = store.parties_of(number).iter();
    let (records, named): (Vec<_>, Vec<_>) = all
        .map(|party| shown(store, party))
        .partition(Shown::is_record);
    let mut parties: Vec<Shown<'a>> = Vec::new();
    for party in named.into_iter().chain(records) {
        match parties.iter_mut().find(|known| is_same(known, &party)) {
            Some(known) if known.name.is_empty() => known.name = party.name,
            Some(_) => {}
            None => parties.push(party),
        }
    }
    parties.sort_by_key(|party| party.role);
    let direction = direction(interaction, &parties);
    for party in parties.iter_mut().filter(|party| party.is_only_number()) {
        let our_side = matches!(
            (party.role, direction),
            (Role::From, Some(Direction::Outbound)) | (Role::To, Some(Direction::Inbound))
        );
        if our_side {
            party.who = Who::OURS;
        }
    }
    if matches!(
        interaction.kind,
        InteractionKind::Call | InteractionKind::Text
    ) {
        lend_number(&mut parties);
    }
    name(store, &mut parties);
    let main = parties.iter().find(|party| !party.who.is_ours);
    let outsiders = parties.iter().filter(|party| !party.who.is_ours);
    let our_sender = parties
        .iter()
        .find(|party| party.role == Role::From && party.who.is_ours && !party.address.is_empty());
    Settled {
        direction,
        our_user: our_sender.map_or_else(
            || store.texts.text(interaction.our_user),
            |party| party.address,
        ),
        who: main.map_or("", |party| called(store, party)),
        person: main.and_then(|party| party.who.person),
        company: main
            .and_then(|party| party.who.company)
            .or_else(|| outsiders.into_iter().find_map(|party| party.who.company)),
        parties,
    }
}

fn shown<'a>(store: &'a Store, party: &Party) -> Shown<'a> {
    let record = Who {
        is_ours: false,
        person: party.person,
        company: party.company,
    };
    Shown {
        role: party.role,
        address: store.addresses.text(party.address),
        phone: store.numbers.text(party.phone),
        name: store.texts.text(party.name),
        who: store
            .addresses
            .who(party.address)
            .or(store.numbers.who(party.phone))
            .or(record),
    }
}

/// Says whether a party is named already: by the same address or number in the same role, or, by a record, in any.
/// A company that is only named as such is named by whoever is of it.
fn is_same(known: &Shown<'_>, party: &Shown<'_>) -> bool {
    if !party.is_record() {
        let same = (known.address, known.phone) == (party.address, party.phone)
            || (!party.address.is_empty() && known.address == party.address);
        return same && known.role == party.role;
    }
    match party.who.person {
        Some(_) => known.who.person == party.who.person,
        None => known.who.company == party.who.company,
    }
}

/// Says who began an interaction: as its row says, or else by who sent it.
fn direction(interaction: &Interaction, parties: &[Shown<'_>]) -> Option<Direction> {
    let has_outsider = parties.iter().any(Shown::is_outsider);
    let other_is_ours = |role: Role| {
        let mut others = parties.iter().filter(|party| party.role != role);
        others.any(|party| party.who.is_ours)
    };
    match interaction.direction {
        Some(_) if !has_outsider && other_is_ours(Role::From) => Some(Direction::Internal),
        Some(said) => Some(said),
        None => {
            let sender = parties.iter().find(|party| party.role == Role::From)?;
            Some(match sender.who.is_ours {
                false => Direction::Inbound,
                true if !has_outsider && other_is_ours(Role::From) => Direction::Internal,
                true => Direction::Outbound,
            })
        }
    }
}

/// Gives the number of a call to the one on the other side, where the source names them by a record, unless the
/// number leads to somebody else.
fn lend_number(parties: &mut Vec<Shown<'_>>) {
    let number = parties
        .iter()
        .position(|party| party.is_only_number() && !party.who.is_ours);
    let Some((at, number)) = number.and_then(|at| Some((at, parties.get(at)?))) else {
        return;
    };
    let (phone, person) = (number.phone, number.who.person);
    let other = parties.iter_mut().find(|party| {
        party.role == Role::OtherSide && party.is_record() && party.who.person.is_some()
    });
    if let Some(other) = other
        && (person.is_none() || person == other.who.person)
    {
        other.phone = phone;
        parties.remove(at);
    }
}

/// Gives those a name who are known and were not named.
fn name<'a>(store: &'a Store, parties: &mut [Shown<'a>]) {
    for party in parties.iter_mut().filter(|party| party.name.is_empty()) {
        let person = party.who.person.and_then(|at| store.register.person(at));
        let company = party.who.company.and_then(|at| store.register.company(at));
        let name = match person {
            Some(person) => person.full_name.as_deref(),
            None if party.is_record() => company.and_then(|company| company.name.as_deref()),
            None => None,
        };
        party.name = name.unwrap_or_default();
    }
}

/// Returns what somebody is called: by the name that is known of them, the one that was said, or the address or
/// number.
fn called<'a>(store: &'a Store, party: &Shown<'a>) -> &'a str {
    let person = party.who.person.and_then(|at| store.register.person(at));
    let name = person.and_then(|person| person.full_name.as_deref());
    let mut names = [
        name.unwrap_or_default(),
        party.name,
        party.address,
        party.phone,
    ]
    .into_iter();
    names.find(|name| !name.is_empty()).unwrap_or_default()
}
