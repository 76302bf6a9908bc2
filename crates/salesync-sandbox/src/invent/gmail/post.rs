//! Puts letters into mailboxes: who has a copy, under which labels, in which order.

use std::collections::{HashMap, HashSet};

use super::{Arrival, HISTORY_TURN, Scribe, VARIANTS, Writing, address};
use crate::invent::YOUNGEST_MS;
use crate::store::DAY_MS;
use crate::world::{
    Copy, GmailSide, IMPORTANT, INBOX, Kind, LabelSet, Letter, Mailbox, PERSONAL, PROMOTIONS, SENT,
    STARRED, Sketch, TRASH, UNREAD, UPDATES, Wording,
};

/// The labels that each mailbox's user has made.
const USERS_LABELS: [&str; 5] = [
    "Customers",
    "Leads/2026",
    "Rechnungen",
    "To do",
    "Größere Projekte",
];
/// The number of the first label that is a user's own.
const FIRST_OWN_LABEL: usize = 14;

impl Scribe<'_> {
    /// Writes a letter, and puts it into the mailboxes of all who sent or received it.
    pub(super) fn write(&mut self, writing: Writing, at_ms: i64) -> Option<u32> {
        let mut holders: Vec<(usize, LabelSet)> = Vec::new();
        let from = writing.from;
        let all: Vec<u32> = writing.receivers.iter().flatten().copied().collect();
        for place in 0..self.team.len() {
            let first = self.team.get(place).copied().unwrap_or(u32::MAX);
            let own = first..first.saturating_add(VARIANTS);
            if own.contains(&from) {
                holders.push((place, self.sent_labels()));
            } else if all.iter().any(|voice| own.contains(voice)) {
                let labels = match writing.kind {
                    Kind::Bulk => self.bulk_labels(),
                    _ => self.received_labels(at_ms),
                };
                holders.push((place, labels));
            }
        }
        self.put(writing, at_ms, holders)
    }

    pub(super) fn put(
        &mut self,
        writing: Writing,
        at_ms: i64,
        holders: Vec<(usize, LabelSet)>,
    ) -> Option<u32> {
        // The vendor's times of acceptance are whole seconds.
        let at_ms = at_ms.div_euclid(1_000) * 1_000;
        let letter = u32::try_from(self.side.letters.len()).ok()?;
        let sketch = Sketch {
            seed: self.topic(),
            topic: writing.topic,
            kind: writing.kind,
            parent: writing.parent,
            from: writing.from,
            receivers: writing.receivers.map(Vec::into_boxed_slice),
        };
        let wording = Wording::Invented(sketch);
        self.side.letters.push(Letter { at_ms, wording });
        for (place, labels) in holders {
            if let Some(arrivals) = self.arrivals.get_mut(place) {
                arrivals.push(Arrival {
                    at_ms,
                    letter,
                    thread: writing.thread,
                    labels,
                });
            }
        }
        Some(letter)
    }

    fn sent_labels(&mut self) -> LabelSet {
        let mut numbers = vec![SENT];
        if self.chance.percent(2) {
            numbers.push(TRASH);
        }
        numbers.extend(self.users_label());
        LabelSet::new(numbers)
    }

    pub(super) fn bulk_labels(&mut self) -> LabelSet {
        let category = if self.chance.percent(50) {
            UPDATES
        } else {
            PROMOTIONS
        };
        let mut numbers = vec![category];
        match self.chance.below(10) {
            0 => numbers.push(TRASH),
            1..=5 => numbers.extend([INBOX, UNREAD]),
            _ => {}
        }
        LabelSet::new(numbers)
    }

    fn received_labels(&mut self, at_ms: i64) -> LabelSet {
        let is_recent = at_ms > self.cast.start_ms - 30 * DAY_MS;
        let (kept, unread) = if is_recent { (85, 40) } else { (40, 8) };
        let mut numbers: Vec<u16> = Vec::new();
        if self.chance.percent(2) {
            numbers.push(TRASH);
        } else if self.chance.percent(kept) {
            numbers.push(INBOX);
        }
        let odds = [
            (unread, UNREAD),
            (25, IMPORTANT),
            (3, STARRED),
            (50, PERSONAL),
        ];
        for (percent, number) in odds {
            if self.chance.percent(percent) {
                numbers.push(number);
            }
        }
        numbers.extend(self.users_label());
        LabelSet::new(numbers)
    }

    /// One of the user's own labels, now and then.
    fn users_label(&mut self) -> Option<u16> {
        let own = self.chance.below(USERS_LABELS.len());
        if !self.chance.percent(20) {
            return None;
        }
        // They are made in this order, after the system's.
        u16::try_from(FIRST_OWN_LABEL + own).ok()
    }

    /// Puts all letters into the mailboxes in the order of their times.
    pub(super) fn finish(mut self) -> GmailSide {
        let now_ms = self.cast.start_ms + YOUNGEST_MS;
        for (place, mut arrivals) in std::mem::take(&mut self.arrivals).into_iter().enumerate() {
            arrivals.sort_by_key(|arrival| arrival.at_ms);
            if let Some(mailbox) = self.side.boxes.get_mut(place) {
                let before = u64::try_from(arrivals.len()).unwrap_or(0) * 15;
                *mailbox = Mailbox::new(address(place), HISTORY_TURN.saturating_sub(before));
                for name in USERS_LABELS {
                    mailbox.labels.create(name);
                }
            }
            let mut threads: HashMap<u32, u64> = HashMap::new();
            for arrival in arrivals {
                let id = self.side.new_id(place, arrival.at_ms);
                let thread = *threads.entry(arrival.thread).or_insert(id);
                let was_read = self.chance.percent(30) && arrival.labels.has(UNREAD);
                let Some(mailbox) = self.side.boxes.get_mut(place) else {
                    break;
                };
                let copy = Copy {
                    id,
                    thread,
                    letter: arrival.letter,
                    labels: arrival.labels,
                    history_id: 0,
                    live: true,
                };
                mailbox.add(copy, arrival.at_ms, now_ms);
                if was_read && arrival.at_ms > now_ms - 7 * DAY_MS {
                    mailbox.relabel(&[id], (&[], &[UNREAD]), arrival.at_ms);
                }
            }
        }
        self.forget_shared_addresses();
        self.side
    }

    /// An address that several people share says nothing about who they are.
    fn forget_shared_addresses(&mut self) {
        let mut owners: HashMap<String, u32> = HashMap::new();
        let mut shared: HashSet<String> = HashSet::new();
        for voice in &self.side.voices {
            let address = voice.address.to_lowercase();
            let owner = *owners.entry(address.clone()).or_insert(voice.entity);
            if owner != voice.entity {
                shared.insert(address);
            }
        }
        for voice in &mut self.side.voices {
            if shared.contains(&voice.address.to_lowercase()) {
                voice.entity = 0;
            }
        }
    }
}
