//! What this process has received and not settled yet.
//!
//! SQS hides a message for a while from whoever asks next, this process too. So what has come is kept in hand: it is
//! shown again until it is settled, and forgotten when SQS shows it to others again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// How long a message in hand is hidden from others.
pub(crate) const HIDDEN: Duration = Duration::from_secs(900);
/// It counts as in hand a little shorter than that, so that it is never settled too late.
const SURELY_HIDDEN: Duration = Duration::from_secs(870);
/// After a search through all that waits, what was not found is not searched again for so long.
const SEARCH_HOLDS: Duration = Duration::from_secs(10);

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It waits to be received.
    Waiting,
    /// It has failed too often, and waits for a person.
    Parked,
}

/// Where a message's body is.
#[derive(Clone)]
pub(crate) enum Body {
    Here(String),
    /// In the queue that large messages go to.
    Spilled,
}

/// One delivery of a message. Of one message there may be several: SQS delivers at least once.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) body: Body,
    pub(crate) place: Place,
    /// SQS's own id of what was sent.
    pub(crate) sent_id: String,
    pub(crate) sent_ms: i64,
    /// How often it was received, this time too.
    pub(crate) receive_count: i64,
    /// By which SQS knows the delivery, and the queue that it belongs to.
    pub(crate) receipt: String,
    pub(crate) queue_url: Arc<str>,
    pub(crate) taken: Instant,
}

/// The deliveries in hand, in the order in which they came.
#[derive(Default)]
pub(crate) struct Hand {
    held: Vec<Held>,
    /// Messages that this process is done with. SQS may deliver another copy of one.
    gone: HashSet<String>,
    searched: Option<Instant>,
}

impl Hand {
    /// Takes deliveries. Returns those of messages that are done with, which are to be deleted.
    pub(crate) fn take(&mut self, deliveries: Vec<Held>) -> Vec<Held> {
        let (stale, new): (Vec<Held>, Vec<Held>) = deliveries
            .into_iter()
            .partition(|delivery| self.gone.contains(&delivery.id));
        for delivery in new {
            self.held.retain(|held| held.sent_id != delivery.sent_id);
            self.held.push(delivery);
        }
        stale
    }

    /// Forgets what SQS shows to others again.
    pub(crate) fn forget_lapsed(&mut self) {
        self.held
            .retain(|held| held.taken.elapsed() < SURELY_HIDDEN);
    }

    /// Returns how many messages wait to be settled.
    pub(crate) fn waiting_count(&self) -> usize {
        let waiting = self.held.iter().filter(|held| held.place == Place::Waiting);
        waiting
            .map(|held| held.id.as_str())
            .collect::<HashSet<_>>()
            .len()
    }

    /// Returns the messages that wait, each once, the oldest first, at most so many.
    pub(crate) fn waiting(&self, limit: usize) -> Vec<Held> {
        let mut waiting = self.each_once(|held| held.place == Place::Waiting);
        waiting.truncate(limit);
        waiting
    }

    /// Returns the messages whose id is one of these or begins with it, each once.
    pub(crate) fn named(&self, ids: &[String]) -> Vec<Held> {
        self.each_once(|held| ids.iter().any(|id| held.id.starts_with(id.as_str())))
    }

    fn each_once(&self, meant: impl Fn(&Held) -> bool) -> Vec<Held> {
        let mut seen = HashSet::new();
        let mut found: Vec<Held> = self
            .held
            .iter()
            .filter(|held| meant(held) && seen.insert(held.id.as_str()))
            .cloned()
            .collect();
        found.sort_by_key(|held| held.sent_ms);
        found
    }

    /// Takes all deliveries of a message out of the hand.
    pub(crate) fn remove(&mut self, id: &str) -> Vec<Held> {
        self.held.extract_if(.., |held| held.id == id).collect()
    }

    /// Takes everything out of the hand.
    pub(crate) fn empty(&mut self) -> Vec<Held> {
        std::mem::take(&mut self.held)
    }

    /// Notes that a message is done with.
    pub(crate) fn note_gone(&mut self, id: &str) {
        self.gone.insert(id.to_owned());
    }

    /// Returns whether a message is done with.
    pub(crate) fn is_gone(&self, id: &str) -> bool {
        self.gone.contains(id)
    }

    /// Notes that everything that waits or is parked has been taken in hand.
    pub(crate) fn note_searched(&mut self) {
        self.searched = Some(Instant::now());
    }

    /// Notes that something waits again.
    pub(crate) fn note_unsearched(&mut self) {
        self.searched = None;
    }

    /// Returns whether everything that waits or is parked has been taken in hand just now.
    pub(crate) fn was_searched(&self) -> bool {
        self.searched.is_some_and(|at| at.elapsed() < SEARCH_HOLDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(id: &str, sent_id: &str, sent_ms: i64) -> Held {
        Held {
            id: id.to_owned(),
            body: Body::Here(String::new()),
            place: Place::Waiting,
            sent_id: sent_id.to_owned(),
            sent_ms,
            receive_count: 1,
            receipt: String::new(),
            queue_url: "".into(),
            taken: Instant::now(),
        }
    }

    fn ids(found: &[Held]) -> Vec<&str> {
        found.iter().map(|held| held.id.as_str()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn copies_of_a_message_are_one_and_go_together() {
        let mut hand = Hand::default();
        let copies = vec![
            delivery("b", "1", 2),
            delivery("a", "2", 1),
            delivery("b", "3", 3),
        ];
        assert!(hand.take(copies).is_empty());
        assert_eq!(ids(&hand.waiting(10)), ["a", "b"]);
        assert_eq!(hand.waiting_count(), 2);
        assert_eq!(hand.remove("b").len(), 2);
        hand.note_gone("b");
        let stale = hand.take(vec![delivery("b", "4", 4), delivery("a", "2", 1)]);
        assert_eq!(
            (ids(&stale), ids(&hand.waiting(10))),
            (vec!["b"], vec!["a"])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_may_see_again_is_no_longer_in_hand() {
        let mut hand = Hand::default();
        hand.take(vec![delivery("a", "1", 1)]);
        hand.note_searched();
        tokio::time::advance(SURELY_HIDDEN - Duration::from_secs(1)).await;
        hand.forget_lapsed();
        assert_eq!(hand.waiting_count(), 1);
        assert!(!hand.was_searched());
        tokio::time::advance(Duration::from_secs(1)).await;
        hand.forget_lapsed();
        assert_eq!(hand.waiting_count(), 0);
        assert!(SURELY_HIDDEN < HIDDEN);
    }
}
