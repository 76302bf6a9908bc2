//! What this process has received and not settled yet.
//!
//! SQS hides a message for a while from whoever asks next, this process too. So what has come is kept in hand: it is
//! shown again until it is settled, and forgotten when SQS shows it to others again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use salesync_core::queue::{MAX_ATTEMPTS, Outcome, RECEIVED_BYTES};
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
    /// The queue's policy has moved it: it was received too often.
    Parked,
}

/// Where a message's body is.
#[derive(Clone)]
pub(crate) enum Body {
    Here(String),
    /// In the queue that holds every message whole.
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
    /// How often what has failed here.
    failures: HashMap<String, u32>,
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

    /// Returns how many messages wait to be settled and have not failed too often.
    pub(crate) fn waiting_count(&self) -> usize {
        let waiting = self.held.iter().filter(|held| self.is_waiting(held));
        waiting
            .map(|held| held.id.as_str())
            .collect::<HashSet<_>>()
            .len()
    }

    /// Returns whether what is in hand is as large as one call may receive.
    pub(crate) fn is_full(&self) -> bool {
        let bodies = self.held.iter().map(|held| match &held.body {
            Body::Here(body) => body.len(),
            Body::Spilled => 0,
        });
        bodies.sum::<usize>() >= RECEIVED_BYTES
    }

    /// Returns the messages that wait and have not failed too often, each once, the oldest first, at most so many.
    pub(crate) fn waiting(&self, limit: usize) -> Vec<Held> {
        let mut waiting = self.each_once(|held| self.is_waiting(held));
        waiting.truncate(limit);
        waiting
    }

    fn is_waiting(&self, held: &Held) -> bool {
        let failures = self.failures.get(&held.id).copied().unwrap_or_default();
        held.place == Place::Waiting && failures < MAX_ATTEMPTS
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

    /// Returns the ids of what is in hand.
    pub(crate) fn ids(&self) -> HashSet<String> {
        self.held.iter().map(|held| held.id.clone()).collect()
    }

    /// Returns whether each of these messages is in hand or done with.
    pub(crate) fn knows_all(&self, ids: &[&str]) -> bool {
        let held: HashSet<&str> = self.held.iter().map(|held| held.id.as_str()).collect();
        ids.iter()
            .all(|id| held.contains(id) || self.gone.contains(*id))
    }

    /// Takes out of the hand what is to be deleted, and what is to be shown again: the messages with such an outcome, and
    /// those that have come since `before` without being asked for.
    pub(crate) fn part(
        &mut self,
        outcomes: &[(String, Outcome)],
        before: &HashSet<String>,
    ) -> (Vec<Held>, Vec<Held>) {
        let outcomes: HashMap<&str, Outcome> = outcomes
            .iter()
            .map(|(id, outcome)| (id.as_str(), *outcome))
            .collect();
        let (mut gone, mut shown) = (Vec::new(), Vec::new());
        for held in std::mem::take(&mut self.held) {
            match outcomes.get(held.id.as_str()) {
                Some(Outcome::Done | Outcome::Discarded | Outcome::Forwarded) => gone.push(held),
                Some(Outcome::Failed | Outcome::Released) => shown.push(held),
                None if before.contains(&held.id) => self.held.push(held),
                None => shown.push(held),
            }
        }
        (gone, shown)
    }

    /// Notes what became of messages, of which these were shown to others again.
    pub(crate) fn note(&mut self, outcomes: &[(String, Outcome)], shown: &HashSet<&str>) {
        for (id, outcome) in outcomes {
            match outcome {
                Outcome::Done | Outcome::Discarded | Outcome::Forwarded => {
                    self.gone.insert(id.clone());
                }
                Outcome::Failed if shown.contains(id.as_str()) => {
                    *self.failures.entry(id.clone()).or_default() += 1;
                }
                Outcome::Failed | Outcome::Released => {}
            }
        }
        if !shown.is_empty() {
            self.note_unsearched();
        }
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
        let done = [("b".to_owned(), Outcome::Done)];
        let (gone, shown) = hand.part(&done, &hand.ids());
        assert_eq!((ids(&gone), ids(&shown)), (vec!["b", "b"], Vec::new()));
        hand.note(&done, &HashSet::new());
        let stale = hand.take(vec![delivery("b", "4", 4), delivery("a", "2", 1)]);
        assert_eq!(
            (ids(&stale), ids(&hand.waiting(10))),
            (vec!["b"], vec!["a"])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_three_times_no_longer_waits_and_what_was_not_asked_for_is_shown() {
        let mut hand = Hand::default();
        hand.take(vec![delivery("a", "1", 1)]);
        let before = hand.ids();
        let failed = [("b".to_owned(), Outcome::Failed)];
        for count in 1..=3 {
            hand.take(vec![delivery("b", "2", 2), delivery("c", "3", 3)]);
            let (gone, shown) = hand.part(&failed, &before);
            assert!(gone.is_empty());
            assert_eq!(ids(&shown), ["b", "c"], "{count}");
            hand.note(&failed, &ids(&shown).into_iter().collect());
        }
        hand.take(vec![delivery("b", "2", 2)]);
        assert_eq!(ids(&hand.waiting(9)), ["a"]);
        assert_eq!(ids(&hand.named(&["b".to_owned()])), ["b"]);
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
