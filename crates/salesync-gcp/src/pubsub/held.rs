//! What this process has received and not settled. A message that is larger than one request may be comes in pieces; it
//! is there when all of them are.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use salesync_core::queue::{MAX_ATTEMPTS, Message, RECEIVED_BYTES};
use salesync_core::time::Timestamp;
use tokio::time::Instant;

/// So much is held at most, but for what the last request brings.
const MOST_MESSAGES: usize = 10_000;

/// A piece of a message, as Pub/Sub delivers it.
pub(super) struct Received {
    /// What this delivery is acknowledged by.
    pub(super) ack_id: String,
    /// Pub/Sub's own name of the piece: the same when it is delivered again.
    pub(super) name: String,
    /// When it was published.
    pub(super) published: Timestamp,
    /// The message's id.
    pub(super) id: String,
    /// Which piece of the message it is, and of how many.
    pub(super) piece: (u32, u32),
    pub(super) bytes: Vec<u8>,
}

/// When a message was published: the time, and within it the number that Pub/Sub gave it, by length and digits.
type Order = (Timestamp, usize, String);

struct Waiting {
    order: Order,
    pieces: BTreeMap<u32, Piece>,
    of: u32,
}

struct Piece {
    ack_id: String,
    name: String,
    bytes: Vec<u8>,
}

impl Waiting {
    fn is_whole(&self) -> bool {
        u32::try_from(self.pieces.len()) == Ok(self.of)
    }

    /// Returns the message, where all of it is there.
    fn whole(&self, id: &str) -> Option<Message> {
        if !self.is_whole() {
            return None;
        }
        let pieces = self.pieces.values().map(|piece| piece.bytes.as_slice());
        let bytes = pieces.collect::<Vec<_>>().concat();
        Some(Message {
            id: id.to_owned(),
            // What others have published may be no text.
            body: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

/// What is held, what was settled here, and how often what has failed here.
#[derive(Default)]
pub(super) struct Held {
    waiting: HashMap<String, Waiting>,
    settled: HashSet<String>,
    failures: HashMap<String, u32>,
    size_bytes: usize,
    /// Since when the oldest lease runs.
    leased: Option<Instant>,
}

impl Held {
    /// Takes a piece in. A copy that is not needed is returned as what it is acknowledged by.
    pub(super) fn take(&mut self, received: Received) -> Option<String> {
        let Received {
            ack_id,
            name,
            published,
            id,
            piece: (number, of),
            bytes,
        } = received;
        if self.settled.contains(&id) {
            return Some(ack_id);
        }
        let order = (published, name.len(), name.clone());
        let waiting = self.waiting.entry(id).or_insert_with(|| Waiting {
            order: order.clone(),
            pieces: BTreeMap::new(),
            of,
        });
        match waiting.pieces.get_mut(&number) {
            // Its lease had ended; the new one counts.
            Some(known) if known.name == name => {
                known.ack_id = ack_id;
                None
            }
            Some(_) => Some(ack_id),
            None => {
                self.leased.get_or_insert_with(Instant::now);
                self.size_bytes += bytes.len();
                waiting.order = order.min(waiting.order.clone());
                let piece = Piece {
                    ack_id,
                    name,
                    bytes,
                };
                waiting.pieces.insert(number, piece);
                None
            }
        }
    }

    /// Returns whether no more should be received.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_MESSAGES || self.size_bytes >= RECEIVED_BYTES
    }

    /// Returns whether a message is here, or was settled here.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.waiting.contains_key(id) || self.settled.contains(id)
    }

    /// Returns the messages that wait, the oldest first.
    pub(super) fn open(&self, limit: usize) -> Vec<Message> {
        let open = self.waiting.iter();
        in_order(open.filter(|(id, _)| !self.is_parked(id)))
            .take(limit)
            .collect()
    }

    /// Returns the messages whose id is one of these or begins with it, parked ones too.
    pub(super) fn found(&self, ids: &[String]) -> Vec<Message> {
        let is_meant = |own: &str| ids.iter().any(|id| own.starts_with(id.as_str()));
        in_order(self.waiting.iter().filter(|(id, _)| is_meant(id))).collect()
    }

    /// Returns what a message is acknowledged by: its pieces.
    pub(super) fn ack_ids(&self, id: &str) -> Vec<String> {
        let pieces = self
            .waiting
            .get(id)
            .into_iter()
            .flat_map(|it| it.pieces.values());
        pieces.map(|piece| piece.ack_id.clone()).collect()
    }

    /// Returns what everything that is held is acknowledged by, where its leases have run for a third of their time.
    pub(super) fn to_renew(&self, lease: Duration) -> Vec<String> {
        if self.leased.is_none_or(|since| since.elapsed() < lease / 3) {
            return Vec::new();
        }
        let pieces = self.waiting.values().flat_map(|it| it.pieces.values());
        pieces.map(|piece| piece.ack_id.clone()).collect()
    }

    /// Notes that the leases of everything that is held were renewed.
    pub(super) fn renewed(&mut self) {
        self.leased = Some(Instant::now());
    }

    /// Notes that a message is done with.
    pub(super) fn settle(&mut self, id: &str) {
        if self.remove(id) {
            self.settled.insert(id.to_owned());
        }
    }

    /// Returns the ids of what is held.
    pub(super) fn ids(&self) -> HashSet<String> {
        self.waiting.keys().cloned().collect()
    }

    /// Returns how many messages [`Held::open`] has.
    pub(super) fn count(&self) -> usize {
        let open = self.waiting.iter();
        open.filter(|(id, it)| it.is_whole() && !self.is_parked(id))
            .count()
    }

    fn is_parked(&self, id: &str) -> bool {
        self.failures.get(id).is_some_and(|it| *it >= MAX_ATTEMPTS)
    }

    /// Notes that a message was given back before anybody worked on it.
    pub(super) fn release(&mut self, id: &str) {
        self.remove(id);
    }

    /// Notes that a message has failed and was given back; it comes again.
    pub(super) fn fail(&mut self, id: &str) {
        if self.remove(id) {
            *self.failures.entry(id.to_owned()).or_default() += 1;
        }
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(gone) = self.waiting.remove(id) else {
            return false;
        };
        let size_bytes: usize = gone.pieces.values().map(|piece| piece.bytes.len()).sum();
        self.size_bytes = self.size_bytes.saturating_sub(size_bytes);
        if self.waiting.is_empty() {
            self.leased = None;
        }
        true
    }
}

/// Returns the whole ones of these messages, the oldest first.
fn in_order<'a>(
    waiting: impl Iterator<Item = (&'a String, &'a Waiting)>,
) -> impl Iterator<Item = Message> {
    let mut waiting: Vec<(&String, &Waiting)> = waiting.collect();
    waiting.sort_by(|a, b| a.1.order.cmp(&b.1.order));
    waiting.into_iter().filter_map(|(id, it)| it.whole(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(id: &str, name: &str, piece: (u32, u32), text: &str) -> Received {
        Received {
            ack_id: format!("ack of {name}"),
            name: name.to_owned(),
            published: Timestamp::EPOCH,
            id: id.to_owned(),
            piece,
            bytes: text.into(),
        }
    }

    fn ids(messages: Vec<Message>) -> Vec<String> {
        messages.into_iter().map(|message| message.id).collect()
    }

    #[test]
    fn a_message_in_pieces_is_there_when_all_of_them_are_in_whatever_order() {
        let mut held = Held::default();
        assert_eq!(held.take(piece("a", "8", (2, 3), "c")), None);
        assert_eq!(held.take(piece("a", "6", (0, 3), "a")), None);
        assert!(held.open(9).is_empty());
        assert_eq!(held.take(piece("a", "7", (1, 3), "b")), None);
        let whole = held.open(9);
        assert_eq!(whole[0].body, "abc");
        assert_eq!(held.ack_ids("a"), ["ack of 6", "ack of 7", "ack of 8"]);
        held.settle("a");
        // A copy that comes late is not needed.
        let late = held.take(piece("a", "9", (0, 3), "a"));
        assert_eq!(late.as_deref(), Some("ack of 9"));
    }

    #[test]
    fn numbers_order_what_was_published_at_one_time() {
        let mut held = Held::default();
        for name in ["10", "9", "11"] {
            held.take(piece(name, name, (0, 1), ""));
        }
        assert_eq!(ids(held.open(2)), ["9", "10"]);
    }

    #[test]
    fn a_second_copy_is_acknowledged_and_a_second_delivery_is_held() {
        let mut held = Held::default();
        held.take(piece("a", "1", (0, 1), "a"));
        let copy = held.take(piece("a", "2", (0, 1), "a"));
        assert_eq!(copy.as_deref(), Some("ack of 2"));
        let again = Received {
            ack_id: "newer".to_owned(),
            ..piece("a", "1", (0, 1), "a")
        };
        assert_eq!(held.take(again), None);
        assert_eq!(held.ack_ids("a"), ["newer"]);
    }

    #[tokio::test(start_paused = true)]
    async fn leases_are_renewed_after_a_third_of_their_time() {
        let lease = Duration::from_secs(30);
        let mut held = Held::default();
        assert!(held.to_renew(lease).is_empty());
        held.take(piece("a", "1", (0, 1), ""));
        assert!(held.to_renew(lease).is_empty());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(held.to_renew(lease), ["ack of 1"]);
        held.renewed();
        assert!(held.to_renew(lease).is_empty());
    }
}
