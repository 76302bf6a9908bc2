//! Gmail's side of the world: whose voices there are, the letters, and the mailboxes they lie in.

use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use super::World;
use super::gmail_mailbox::{Copy, Mailbox};
use crate::gmail::Given;

/// How many of an id's low bits are not the time.
const ID_TIME_SHIFT: u32 = 20;

/// One way in which somebody signs: a name and an address.
#[derive(Debug)]
pub(crate) struct Voice {
    /// The name as shown; may be empty.
    pub(crate) name: Box<str>,
    /// The address as it is spelled.
    pub(crate) address: Box<str>,
    /// The true person; 0 for our own team, for machines, and where several share the address.
    pub(crate) entity: u32,
}

/// What kind of letter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From person to person.
    Personal,
    /// A newsletter or a machine's notice.
    Bulk,
    /// Not sent yet.
    Draft,
    /// A mail server's report that something was not delivered.
    Report,
}

/// An invented letter: all that its text follows from.
#[derive(Debug)]
pub(crate) struct Sketch {
    /// What the form of the letter follows from.
    pub(crate) seed: u64,
    /// What the subject of the whole conversation follows from.
    pub(crate) topic: u64,
    /// What kind it is.
    pub(crate) kind: Kind,
    /// Place of the letter that this one answers.
    pub(crate) parent: Option<u32>,
    /// Place of the sender's voice.
    pub(crate) from: u32,
    /// Places of the receivers' voices: to, cc, bcc.
    pub(crate) receivers: [Box<[u32]>; 3],
}

/// What a letter says.
#[derive(Debug)]
pub(crate) enum Wording {
    /// It was invented, and is written down each time that it is asked for.
    Invented(Sketch),
    /// It was given.
    Given(Box<Given>),
}

/// One letter, in however many mailboxes it lies.
#[derive(Debug)]
pub(crate) struct Letter {
    /// When it was accepted, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// What it says.
    pub(crate) wording: Wording,
}

/// Gmail's side of the world.
#[derive(Debug, Default)]
pub(crate) struct GmailSide {
    /// The voices.
    pub(crate) voices: Vec<Voice>,
    /// The letters.
    pub(crate) letters: Vec<Letter>,
    /// The mailboxes.
    pub(crate) boxes: Vec<Mailbox>,
    made: u64,
}

impl GmailSide {
    /// Finds a mailbox's place by its address.
    pub(crate) fn place(&self, address: &str) -> Option<usize> {
        self.boxes
            .iter()
            .position(|mailbox| mailbox.address.eq_ignore_ascii_case(address))
    }

    /// Finds a mailbox by its address.
    pub(crate) fn mailbox(&self, address: &str) -> Option<&Mailbox> {
        self.boxes.get(self.place(address)?)
    }

    /// Finds a mailbox to change it.
    pub(crate) fn mailbox_mut(&mut self, address: &str) -> Option<&mut Mailbox> {
        let place = self.place(address)?;
        self.boxes.get_mut(place)
    }

    /// The letter of a copy.
    pub(crate) fn letter(&self, copy: &Copy) -> Option<&Letter> {
        self.letters.get(copy.letter as usize)
    }

    /// Makes an id for a message in the mailbox at `place`: ids rise with time, and no two
    /// mailboxes share one.
    pub(crate) fn new_id(&mut self, place: usize, at_ms: i64) -> u64 {
        self.made += 1;
        let step = u64::try_from(self.boxes.len()).unwrap_or(1).max(1);
        let time = u64::try_from(at_ms).unwrap_or(0) << ID_TIME_SHIFT;
        let mixed = self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - ID_TIME_SHIFT);
        let id = time + mixed;
        let id = id - id % step + step + u64::try_from(place).unwrap_or(0);
        match self.boxes.get(place) {
            Some(mailbox) => mailbox.free_id(id, step),
            None => id,
        }
    }

    /// The mailbox that has or had a message.
    pub(crate) fn holder(&self, id: u64) -> Option<&Mailbox> {
        let mailbox = self.boxes.get(self.place_of(id)?)?;
        let place = mailbox.copies().binary_search_by_key(&id, |copy| copy.id);
        place.is_ok().then_some(mailbox)
    }

    /// Where a message lies, if there is one with this id.
    fn place_of(&self, id: u64) -> Option<usize> {
        let step = u64::try_from(self.boxes.len())
            .ok()
            .filter(|step| *step > 0)?;
        usize::try_from(id % step).ok()
    }

    /// Serves a message as raw text, or no longer.
    pub(super) fn set_raw(&mut self, id: &str, raw: Option<Arc<str>>) -> bool {
        let Some((id, place)) = parse_id(id).and_then(|id| Some((id, self.place_of(id)?))) else {
            return false;
        };
        self.boxes
            .get_mut(place)
            .is_some_and(|mailbox| mailbox.set_raw(id, raw))
    }
}

/// Writes an id as Gmail does.
pub(crate) fn id_text(id: u64) -> String {
    format!("{id:x}")
}

/// Reads an id of Gmail's.
pub(crate) fn parse_id(text: &str) -> Option<u64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    u64::from_str_radix(text, 16).ok().filter(|_| plain)
}

impl World {
    pub(crate) fn gmail(&self) -> RwLockReadGuard<'_, GmailSide> {
        self.inner
            .gmail
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn gmail_mut(&self) -> RwLockWriteGuard<'_, GmailSide> {
        self.inner
            .gmail
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
