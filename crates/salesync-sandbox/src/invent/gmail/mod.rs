//! Invents the team's mailboxes: threads with the invented people, and what else lies in a mailbox.
//!
//! The team are the people who are HubSpot's owners and Salesforce's users. Of the threads about
//! two thirds are with customers, the others among the team, newsletters and notices, role
//! mailboxes, spam, drafts and reports. A letter among several of the team lies in each mailbox.

mod post;
mod voices;

use std::collections::HashMap;

use super::chance::Chance;
use super::{Cast, SPAN_DAYS};
use crate::store::DAY_MS;
use crate::world::{DRAFT, GmailSide, Kind, LabelSet, Mailbox, SPAM, UNREAD};

/// In how many ways one address signs.
const VARIANTS: u32 = 3;
/// Mailboxes' history ids pass this number while they fill, so that comparing them as text fails.
const HISTORY_TURN: u64 = 10_000_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The team's mailboxes without any mail.
pub(super) fn empty(mailboxes: usize) -> GmailSide {
    let mut side = GmailSide::default();
    for place in 0..mailboxes {
        side.boxes.push(Mailbox::new(address(place), HISTORY_TURN));
    }
    side
}

/// The team's mailboxes with so many different letters.
pub(super) fn fill(cast: &Cast, chance: Chance, mailboxes: usize, letters: usize) -> GmailSide {
    if mailboxes == 0 || letters == 0 {
        return empty(mailboxes);
    }
    let mut scribe = Scribe::new(cast, chance, mailboxes);
    while scribe.side.letters.len() < letters {
        let left = letters - scribe.side.letters.len();
        scribe.thread(left);
    }
    scribe.finish()
}

fn address(place: usize) -> String {
    format!("user.{place}@sandbox.example")
}

/// A letter on its way into a mailbox.
#[derive(Debug)]
struct Arrival {
    at_ms: i64,
    letter: u32,
    thread: u32,
    labels: LabelSet,
}

/// One letter as it is written: voices and who gets it.
#[derive(Debug)]
struct Writing {
    kind: Kind,
    parent: Option<u32>,
    topic: u64,
    thread: u32,
    from: u32,
    receivers: [Vec<u32>; 3],
}

struct Scribe<'a> {
    cast: &'a Cast,
    chance: Chance,
    side: GmailSide,
    /// The first voice of each person's addresses.
    voices: HashMap<(usize, Address), u32>,
    /// The first voice of each mailbox's owner.
    team: Vec<u32>,
    /// Voices of the team's members without a mailbox.
    colleagues: Vec<u32>,
    /// Voices of senders of bulk mail.
    machines: Vec<u32>,
    employees: HashMap<u32, Vec<usize>>,
    /// All people but the team, those first who write often.
    people: Vec<usize>,
    arrivals: Vec<Vec<Arrival>>,
    threads: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Address {
    Work,
    Former,
    Personal,
}

impl<'a> Scribe<'a> {
    fn new(cast: &'a Cast, mut chance: Chance, mailboxes: usize) -> Self {
        let strangers = cast.people.len().saturating_sub(mailboxes.max(12));
        let mut people: Vec<usize> = (0..strangers).collect();
        if people.is_empty() {
            people = (0..cast.people.len()).collect();
        }
        chance.shuffle(&mut people);
        let mut employees: HashMap<u32, Vec<usize>> = HashMap::new();
        for place in &people {
            if let Some(person) = cast.people.get(*place) {
                employees.entry(person.company[0]).or_default().push(*place);
            }
        }
        let mut scribe = Self {
            cast,
            chance,
            side: empty(mailboxes),
            voices: HashMap::new(),
            team: Vec::new(),
            colleagues: Vec::new(),
            machines: Vec::new(),
            employees,
            people,
            arrivals: (0..mailboxes).map(|_| Vec::new()).collect(),
            threads: 0,
        };
        let members = cast.people.iter().rev().cycle();
        for (place, person) in members.take(mailboxes.max(12)).enumerate() {
            let first = scribe.next_voice();
            let name = format!("{} {}", person.given().0, person.family());
            for variant in 0..VARIANTS {
                let name = match variant {
                    0 => name.clone(),
                    1 => format!("{name} | Sandbox"),
                    _ => person.given().0.to_owned(),
                };
                scribe.add_voice(name, address(place), 0);
            }
            if place < mailboxes {
                scribe.team.push(first);
            } else {
                scribe.colleagues.push(first);
            }
        }
        scribe.hire_machines();
        scribe
    }

    /// Writes one thread of at most `left` letters.
    fn thread(&mut self, left: usize) {
        self.threads += 1;
        match self.chance.below(100) {
            0..=63 => self.conversation(left, Address::Work),
            64..=69 => self.conversation(left, Address::Personal),
            70..=76 => self.among_the_team(left),
            77..=89 => self.bulk(),
            90..=92 => self.role_mailbox(),
            93..=95 => self.spam(),
            96 | 97 => self.draft(),
            _ => self.report(),
        }
    }

    fn start_ms(&mut self) -> i64 {
        let end_ms = self.cast.start_ms;
        self.chance.between(end_ms - SPAN_DAYS * DAY_MS, end_ms)
    }

    /// How long the next letter takes.
    fn gap_ms(&mut self) -> i64 {
        if self.chance.percent(60) {
            self.chance.between(3 * MINUTE_MS, 8 * HOUR_MS)
        } else {
            self.chance.between(8 * HOUR_MS, 4 * DAY_MS)
        }
    }

    fn length(&mut self, left: usize) -> usize {
        let length = match self.chance.below(100) {
            0..=34 => 1,
            35..=54 => 2,
            55..=69 => 3,
            70..=89 => 4 + self.chance.below(4),
            _ => 8 + self.chance.below(5),
        };
        length.min(left)
    }

    fn topic(&mut self) -> u64 {
        u64::try_from(self.chance.between(0, i64::MAX)).unwrap_or(0)
    }

    /// Somebody outside; some write often, most now and then.
    fn guest(&mut self) -> usize {
        let all = self.people.len();
        let often = (all / 6).max(1);
        let end = if self.chance.percent(60) { often } else { all };
        let place = self.chance.below(end);
        self.people.get(place).copied().unwrap_or(0)
    }

    fn own_place(&mut self) -> usize {
        self.chance.below(self.team.len())
    }

    fn conversation(&mut self, left: usize, which: Address) {
        let owner = self.own_place();
        let second = self.own_place();
        let second = (second != owner && self.chance.percent(30)).then_some(second);
        let guest = self.guest();
        let mut at_ms = self.start_ms();
        let changed = self
            .cast
            .people
            .get(guest)
            .is_some_and(|person| person.company[0] != person.company[1]);
        let is_early = at_ms < self.cast.start_ms - SPAN_DAYS / 2 * DAY_MS;
        let which = if which == Address::Work && changed && is_early {
            Address::Former
        } else {
            which
        };
        let companions = self.companions(guest);
        let (topic, thread) = (self.topic(), self.threads);
        let (mut parent, mut outgoing) = (None, self.chance.percent(50));
        for _ in 0..self.length(left) {
            let us = self.member(owner);
            let them = self.voice(guest, which);
            let mut copied: Vec<u32> = Vec::new();
            for companion in &companions {
                copied.push(self.voice(*companion, Address::Work));
            }
            if let Some(second) = second {
                copied.push(self.member(second));
            }
            copied.extend(self.colleague());
            let (from, to) = if outgoing { (us, them) } else { (them, us) };
            let writing = Writing {
                kind: Kind::Personal,
                parent,
                topic,
                thread,
                from,
                receivers: [vec![to], copied, Vec::new()],
            };
            let writing = if outgoing && self.chance.percent(3) {
                self.with_a_hidden_copy(writing, owner)
            } else {
                writing
            };
            parent = self.write(writing, at_ms);
            at_ms += self.gap_ms();
            if at_ms > self.cast.start_ms {
                break;
            }
            outgoing ^= self.chance.percent(85);
        }
    }

    /// Others of the same company, in one of five threads.
    fn companions(&mut self, guest: usize) -> Vec<usize> {
        if !self.chance.percent(20) {
            return Vec::new();
        }
        let company = self.cast.people.get(guest).map(|person| person.company[0]);
        let all = company.and_then(|company| self.employees.get(&company));
        all.into_iter()
            .flatten()
            .copied()
            .filter(|other| *other != guest)
            .take(2)
            .collect()
    }

    /// A member of the team without a mailbox, now and then.
    fn colleague(&mut self) -> Option<u32> {
        if !self.chance.percent(4) {
            return None;
        }
        let place = self.chance.below(self.colleagues.len());
        self.colleagues.get(place).copied()
    }

    /// Lets another member of the team get a copy that nobody sees.
    fn with_a_hidden_copy(&self, mut writing: Writing, owner: usize) -> Writing {
        let other = (owner + 1) % self.team.len().max(1);
        if other != owner {
            writing.receivers[2].extend(self.team.get(other));
        }
        writing
    }

    fn among_the_team(&mut self, left: usize) {
        let owner = self.own_place();
        let (mut at_ms, topic, thread) = (self.start_ms(), self.topic(), self.threads);
        let mut parent = None;
        let size = self.team.len().min(2 + self.chance.below(3));
        for turn in 0..self.length(left) {
            let mut voices: Vec<u32> = Vec::new();
            for step in 0..size {
                voices.push(self.member((owner + step) % self.team.len()));
            }
            let speaker = turn % size;
            let from = voices.remove(speaker);
            let writing = Writing {
                kind: Kind::Personal,
                parent,
                topic,
                thread,
                from,
                receivers: [voices, Vec::new(), Vec::new()],
            };
            parent = self.write(writing, at_ms);
            at_ms += self.gap_ms();
            if at_ms > self.cast.start_ms {
                break;
            }
        }
    }

    /// One letter to a member of the team.
    fn single(&mut self, kind: Kind, from: u32, to: Vec<u32>) -> Writing {
        Writing {
            kind,
            parent: None,
            topic: self.topic(),
            thread: self.threads,
            from,
            receivers: [to, Vec::new(), Vec::new()],
        }
    }

    fn bulk(&mut self) {
        let place = self.chance.below(self.machines.len());
        let from = self.machines.get(place).copied().unwrap_or(0);
        let owner = self.own_place();
        let to = self.member(owner);
        let at_ms = self.start_ms();
        if self.chance.percent(20) {
            // The list's receivers are not told.
            let writing = self.single(Kind::Bulk, from, Vec::new());
            let labels = self.bulk_labels();
            self.put(writing, at_ms, vec![(owner, labels)]);
        } else {
            let writing = self.single(Kind::Bulk, from, vec![to]);
            self.write(writing, at_ms);
        }
    }

    fn role_mailbox(&mut self) {
        let place = self.chance.below(self.cast.companies.len());
        let Some(company) = self.cast.companies.get(place) else {
            return;
        };
        let role = self.chance.pick(&["info", "sales", "office", "contact"]);
        let name = match self.chance.below(3) {
            0 => String::new(),
            1 => company.name.clone(),
            _ => format!("{}, {role}", company.name),
        };
        let them = self.add_voice(name, format!("{role}@{}", company.domain), 0);
        let owner = self.own_place();
        let us = self.member(owner);
        let at_ms = self.start_ms();
        let writing = if self.chance.percent(50) {
            self.single(Kind::Personal, them, vec![us])
        } else {
            self.single(Kind::Personal, us, vec![them])
        };
        self.write(writing, at_ms);
    }

    fn spam(&mut self) {
        let number = self.chance.between(100, 999);
        let from = self.add_voice(
            "WINNER!!! \"Claim now\"".to_owned(),
            format!("prize{number}@lottery{number}.example"),
            0,
        );
        let owner = self.own_place();
        let writing = self.single(Kind::Bulk, from, Vec::new());
        let at_ms = self.start_ms();
        let labels = LabelSet::new(vec![SPAM, UNREAD]);
        self.put(writing, at_ms, vec![(owner, labels)]);
    }

    fn draft(&mut self) {
        let owner = self.own_place();
        let from = self.member(owner);
        let to = if self.chance.percent(60) {
            let guest = self.guest();
            vec![self.voice(guest, Address::Work)]
        } else {
            Vec::new()
        };
        let writing = self.single(Kind::Draft, from, to);
        let at_ms = self.start_ms();
        self.put(writing, at_ms, vec![(owner, LabelSet::new(vec![DRAFT]))]);
    }

    fn report(&mut self) {
        let from = self.add_voice(
            "Mail Delivery Subsystem".to_owned(),
            "mailer-daemon@googlemail.com".to_owned(),
            0,
        );
        let owner = self.own_place();
        let to = self.member(owner);
        let writing = self.single(Kind::Report, from, vec![to]);
        let at_ms = self.start_ms();
        self.write(writing, at_ms);
    }
}
