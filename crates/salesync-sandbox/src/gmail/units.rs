//! Gmail's quota units: what each method costs, what was used, and when more is too much.

use std::collections::{HashMap, VecDeque};

use crate::store::DAY_MS;
use crate::{GmailQuota, Limits};

const WINDOW_MS: i64 = 60_000;
const PROJECT_MAX: u64 = 1_200_000;
const DAILY_MAX: u64 = 80_000_000;

/// A method of the API that costs units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// `getProfile`.
    Profile,
    /// `labels.list`.
    Labels,
    /// `messages.list`.
    Messages,
    /// `messages.get`.
    Message,
    /// `messages.attachments.get`.
    Attachment,
    /// `threads.list`.
    Threads,
    /// `threads.get`.
    Thread,
    /// `history.list`.
    History,
}

impl Method {
    /// What a call costs.
    pub(crate) fn units(self, quota: GmailQuota) -> u64 {
        match (self, quota) {
            (Method::Profile | Method::Labels, _) => 1,
            (Method::History, _) => 2,
            (Method::Messages, _) => 5,
            (Method::Message | Method::Attachment, GmailQuota::Legacy) => 5,
            (Method::Message | Method::Attachment, GmailQuota::New) => 20,
            (Method::Threads, _) | (Method::Thread, GmailQuota::Legacy) => 10,
            (Method::Thread, GmailQuota::New) => 40,
        }
    }
}

/// Which limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMuch {
    /// The mailbox's minute; it has room again at this time.
    Mailbox(i64),
    /// The project's minute.
    Project,
    /// The project's day.
    Day,
}

/// The units used within the last minute.
#[derive(Debug, Default)]
struct Window {
    spent: VecDeque<(i64, u64)>,
    sum: u64,
}

impl Window {
    fn settle(&mut self, now_ms: i64) {
        while let Some((at_ms, units)) = self.spent.front().copied()
            && now_ms.saturating_sub(at_ms) >= WINDOW_MS
        {
            self.spent.pop_front();
            self.sum = self.sum.saturating_sub(units);
        }
    }

    fn spend(&mut self, units: u64, now_ms: i64) {
        self.sum += units;
        match self.spent.back_mut() {
            Some((at_ms, spent)) if *at_ms == now_ms => *spent += units,
            _ => self.spent.push_back((now_ms, units)),
        }
    }

    /// When `units` fit under `max` again.
    fn room_at(&self, units: u64, max: u64, now_ms: i64) -> i64 {
        let mut left = (self.sum + units).saturating_sub(max);
        for (at_ms, spent) in &self.spent {
            left = left.saturating_sub(*spent);
            if left == 0 {
                return at_ms + WINDOW_MS;
            }
        }
        now_ms + WINDOW_MS
    }
}

/// The units used.
#[derive(Debug)]
pub(crate) struct Units {
    limits: Limits,
    quota: GmailQuota,
    mailboxes: HashMap<usize, Window>,
    project: Window,
    day: (i64, u64),
    used: HashMap<usize, u64>,
    over_limit: u64,
}

impl Units {
    /// Starts with nothing used.
    pub(crate) fn new(limits: Limits, quota: GmailQuota) -> Self {
        Self {
            limits,
            quota,
            mailboxes: HashMap::new(),
            project: Window::default(),
            day: (0, 0),
            used: HashMap::new(),
            over_limit: 0,
        }
    }

    /// Counts a call for the mailbox at `place` and gives its units and what the mailbox is permitted in a
    /// minute; or refuses it: what is refused costs nothing.
    pub(crate) fn spend(
        &mut self,
        place: usize,
        method: Method,
        now_ms: i64,
    ) -> Result<(u64, u32), TooMuch> {
        let units = method.units(self.quota);
        if self.limits == Limits::Vendor
            && let Err(too_much) = self.admit(place, units, now_ms)
        {
            self.over_limit += 1;
            return Err(too_much);
        }
        let used = self.used.entry(place).or_default();
        *used += units;
        Ok((units, self.of_mailbox()))
    }

    /// What a mailbox is permitted in a minute.
    fn of_mailbox(&self) -> u32 {
        match self.quota {
            GmailQuota::Legacy => 15_000,
            GmailQuota::New => 6_000,
        }
    }

    fn admit(&mut self, place: usize, units: u64, now_ms: i64) -> Result<(), TooMuch> {
        let today = now_ms.div_euclid(DAY_MS);
        if self.day.0 != today {
            self.day = (today, 0);
        }
        if self.day.1 + units > DAILY_MAX {
            return Err(TooMuch::Day);
        }
        let max = u64::from(self.of_mailbox());
        let window = self.mailboxes.entry(place).or_default();
        window.settle(now_ms);
        if window.sum + units > max {
            return Err(TooMuch::Mailbox(window.room_at(units, max, now_ms)));
        }
        self.project.settle(now_ms);
        if self.project.sum + units > PROJECT_MAX {
            return Err(TooMuch::Project);
        }
        window.spend(units, now_ms);
        self.project.spend(units, now_ms);
        self.day.1 += units;
        Ok(())
    }

    /// Uses up the project's day but for `left` units.
    pub(crate) fn leave_daily(&mut self, left: u64, now_ms: i64) {
        self.day = (now_ms.div_euclid(DAY_MS), DAILY_MAX.saturating_sub(left));
    }

    /// The units that a mailbox has used.
    pub(crate) fn used(&self, place: usize) -> u64 {
        self.used.get(&place).copied().unwrap_or(0)
    }

    /// How many calls were refused for being too much.
    pub(crate) fn over_limit(&self) -> u64 {
        self.over_limit
    }

    /// Sets the counts to zero; what the limits still hold against the callers stays.
    pub(crate) fn reset(&mut self) {
        self.used.clear();
        self.over_limit = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mailbox_has_a_sliding_minute_of_its_own() {
        let mut units = Units::new(Limits::Vendor, GmailQuota::New);
        for number in 0..300 {
            assert!(units.spend(0, Method::Message, number).is_ok());
        }
        assert_eq!(
            units.spend(0, Method::Profile, 59_999),
            Err(TooMuch::Mailbox(60_000))
        );
        assert!(units.spend(1, Method::Thread, 59_999).is_ok());
        assert!(units.spend(0, Method::Message, 60_000).is_ok());
        assert_eq!(
            units.spend(0, Method::Thread, 60_001),
            Err(TooMuch::Mailbox(60_002))
        );
        assert_eq!(
            (units.used(0), units.used(1), units.over_limit()),
            (6_020, 40, 2)
        );
    }

    #[test]
    fn the_project_has_a_minute_and_a_day_over_all_mailboxes() {
        let mut units = Units::new(Limits::Vendor, GmailQuota::Legacy);
        for mailbox in 0..80 {
            for _ in 0..1_500 {
                assert!(units.spend(mailbox, Method::Thread, 5).is_ok());
            }
        }
        assert_eq!(units.spend(99, Method::Profile, 6), Err(TooMuch::Project));
        assert!(units.spend(99, Method::Profile, 60_005).is_ok());
        units.leave_daily(1, 60_005);
        assert!(units.spend(99, Method::Profile, 60_005).is_ok());
        assert_eq!(units.spend(99, Method::Profile, 60_006), Err(TooMuch::Day));
        assert!(units.spend(99, Method::Profile, DAY_MS).is_ok());
    }

    #[test]
    fn units_are_counted_also_without_limits() {
        let mut units = Units::new(Limits::Off, GmailQuota::Legacy);
        for _ in 0..4_000 {
            assert!(units.spend(0, Method::Message, 0).is_ok());
        }
        assert_eq!(units.used(0), 20_000);
    }
}
