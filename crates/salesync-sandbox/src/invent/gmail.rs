//! Invents the team's mailboxes: threads with the invented people, and what else lies in a mailbox.
//!
//! The team are the people who are HubSpot's owners and Salesforce's users. Of the threads about
//! two thirds are with customers, the others among the team, newsletters and notices, role
//! mailboxes, spam, drafts and reports. A letter among several of the team lies in each mailbox.

use std::collections::{HashMap, HashSet};

use super::chance::Chance;
use super::{Cast, SPAN_DAYS, YOUNGEST_MS, spelling};
use crate::store::DAY_MS;
use crate::world::{
    Copy, DRAFT, GmailSide, IMPORTANT, INBOX, Kind, LabelSet, Letter, Mailbox, PERSONAL,
    PROMOTIONS, SENT, SPAM, STARRED, Sketch, TRASH, UNREAD, UPDATES, Voice, Wording,
};

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

    fn hire_machines(&mut self) {
        let senders = [
            ("Billing", "no-reply@billing.example"),
            ("Calendar notices", "notifications@calendar.example"),
            ("", "noreply@accounts.example"),
            ("The Weekly, by Ink & Co.", "newsletter@weekly.example"),
            ("Größen-Shop", "news@groessen-shop.example"),
            ("Fairs", "invitation@fairs.example"),
        ];
        for (name, address) in senders {
            let voice = self.add_voice(name.to_owned(), address.to_owned(), 0);
            self.machines.push(voice);
        }
        for company in self.cast.companies.iter().take(20) {
            let address = format!("marketing@{}", company.domain);
            let voice = self.add_voice(company.name.clone(), address, 0);
            self.machines.push(voice);
        }
    }

    fn next_voice(&self) -> u32 {
        u32::try_from(self.side.voices.len()).unwrap_or(u32::MAX)
    }

    fn add_voice(&mut self, name: String, address: String, entity: u32) -> u32 {
        let place = self.next_voice();
        self.side.voices.push(Voice {
            name: name.into_boxed_str(),
            address: address.into_boxed_str(),
            entity,
        });
        place
    }

    /// One of the ways in which a member of the team with a mailbox signs.
    fn member(&mut self, place: usize) -> u32 {
        let first = self.team.get(place).copied().unwrap_or(0);
        first + self.variant()
    }

    fn variant(&mut self) -> u32 {
        u32::try_from(self.chance.below(VARIANTS as usize)).unwrap_or(0)
    }

    /// One of the ways in which a person signs at an address.
    fn voice(&mut self, place: usize, which: Address) -> u32 {
        if let Some(first) = self.voices.get(&(place, which)).copied() {
            return first + self.variant();
        }
        let first = self.next_voice();
        let Some(person) = self.cast.people.get(place) else {
            return 0;
        };
        let addresses = spelling::addresses(person, &self.cast.companies);
        let address = match which {
            Address::Work => addresses.work,
            Address::Former => addresses.former,
            Address::Personal => addresses.personal,
        };
        for _ in 0..VARIANTS {
            let name = spelling::shown_name(&mut self.chance, person, &self.cast.companies);
            let spelled = match self.chance.below(20) {
                0 => address.to_uppercase(),
                _ => address.clone(),
            };
            self.add_voice(name, spelled, person.entity);
        }
        self.voices.insert((place, which), first);
        first + self.variant()
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

    /// Writes a letter, and puts it into the mailboxes of all who sent or received it.
    fn write(&mut self, writing: Writing, at_ms: i64) -> Option<u32> {
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

    fn put(
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

    fn bulk_labels(&mut self) -> LabelSet {
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
    fn finish(mut self) -> GmailSide {
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
