//! How fast the vendors were asked: what was admitted, beside what they permit, and who came back too early.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::Vendor;

/// The stretch over which a sustained rate is measured, in milliseconds.
const STRETCH_MS: i64 = 60_000;
/// How many admitted requests of a lane are remembered.
const MARKS_MAX: usize = 100_000;
/// How long after an answer a request may still come that was sent before it was read.
const ON_THE_WAY_MS: i64 = 100;

/// How one limit of a vendor was used.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// The vendor's name: `hubspot`.
    pub vendor: &'static str,
    /// Which of its limits.
    pub limit: String,
    /// Units permitted in a minute; none where the vendor has no limit by the minute.
    pub permitted: Option<u32>,
    /// Units admitted in all.
    pub admitted: u64,
    /// Units admitted in the busiest minute.
    pub busiest: u64,
    /// How long callers were told to stay away in that minute, in milliseconds.
    pub held_ms: i64,
    /// Requests that were more than is permitted.
    pub over_limit: u64,
    /// Requests that were told to come back later.
    pub told_to_wait: u64,
    /// Requests that came back before that.
    pub early: u64,
}

impl Pace {
    /// How long callers were told to stay away in the busiest minute, in seconds.
    #[must_use]
    pub fn held_secs(&self) -> f64 {
        Duration::from_millis(u64::try_from(self.held_ms).unwrap_or(0)).as_secs_f64()
    }

    /// What was admitted in the busiest minute of what is permitted in the part of it in which nobody was told to
    /// stay away; none where nothing was permitted, or nothing is limited by the minute.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let admitted = f64::from(u32::try_from(self.busiest).unwrap_or(u32::MAX));
        let open = 1.0 - self.held_secs() / 60.0;
        let permitted = f64::from(self.permitted?) * open;
        (permitted >= 1.0).then(|| admitted / permitted)
    }
}

/// How all limits were used.
#[derive(Debug, Default)]
pub(crate) struct Paces {
    lanes: BTreeMap<(Vendor, String), Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    permitted: Option<u32>,
    admitted: u64,
    over_limit: u64,
    marks: VecDeque<(i64, u64)>,
    /// From when to when callers were told to stay away, oldest first.
    held: Vec<(i64, i64)>,
    told: u64,
    early: u64,
}

impl Paces {
    /// Notes that so many units were admitted; `permitted` is what the limit permits in a minute.
    pub(crate) fn admitted(
        &mut self,
        limit: (Vendor, &str),
        permitted: Option<u32>,
        units: u64,
        now_ms: i64,
    ) {
        let lane = self.lane(limit);
        lane.permitted = permitted;
        lane.admitted += units;
        if lane.marks.len() >= MARKS_MAX {
            lane.marks.pop_front();
        }
        lane.marks.push_back((now_ms, units));
    }

    /// Notes a request that was more than is permitted.
    pub(crate) fn over_limit(&mut self, limit: (Vendor, &str)) {
        self.lane(limit).over_limit += 1;
    }

    /// Notes that a request came that falls under a limit.
    pub(crate) fn came(&mut self, limit: (Vendor, &str), now_ms: i64) {
        let lane = self.lane(limit);
        if let Some((told_at_ms, until_ms)) = lane.held.last() {
            let knows = now_ms > told_at_ms + ON_THE_WAY_MS;
            lane.early += u64::from(knows && now_ms < *until_ms);
        }
    }

    /// Notes that a caller was told to come back in so many seconds.
    pub(crate) fn told(&mut self, limit: (Vendor, &str), at_ms: i64, secs: u64) {
        let lane = self.lane(limit);
        lane.told += 1;
        let until_ms = at_ms + i64::try_from(secs.saturating_mul(1_000)).unwrap_or(i64::MAX / 2);
        match lane.held.last_mut() {
            // One that is told while it stays away was on its way.
            Some((_, last)) if at_ms <= *last => *last = until_ms.max(*last),
            _ => lane.held.push((at_ms, until_ms)),
        }
    }

    /// Gives how each limit was used.
    pub(crate) fn all(&self) -> Vec<Pace> {
        let pace = |((vendor, limit), lane): (&(Vendor, String), &Lane)| {
            let (end_ms, busiest) = lane.busiest();
            Pace {
                vendor: vendor.name(),
                limit: limit.clone(),
                permitted: lane.permitted,
                admitted: lane.admitted,
                busiest,
                held_ms: lane.held_ms(end_ms - STRETCH_MS, end_ms),
                over_limit: lane.over_limit,
                told_to_wait: lane.told,
                early: lane.early,
            }
        };
        self.lanes.iter().map(pace).collect()
    }

    fn lane(&mut self, (vendor, limit): (Vendor, &str)) -> &mut Lane {
        self.lanes.entry((vendor, limit.to_owned())).or_default()
    }
}

impl Lane {
    /// When the busiest minute ended, and the units admitted in it.
    fn busiest(&self) -> (i64, u64) {
        let (mut window, mut sum, mut most) = (VecDeque::new(), 0_u64, (0, 0_u64));
        for (at_ms, units) in &self.marks {
            window.push_back((*at_ms, *units));
            sum += units;
            while let Some((first_ms, first)) = window.front().copied()
                && at_ms - first_ms >= STRETCH_MS
            {
                window.pop_front();
                sum -= first;
            }
            if sum > most.1 {
                most = (*at_ms, sum);
            }
        }
        most
    }

    /// For how long callers were told to stay away between two times.
    fn held_ms(&self, from_ms: i64, to_ms: i64) -> i64 {
        let within = |(told_ms, until_ms): &(i64, i64)| {
            (until_ms.min(&to_ms) - told_ms.max(&from_ms)).max(0)
        };
        self.held.iter().map(within).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_minute_counts_and_an_early_return_is_seen() {
        let mut paces = Paces::default();
        let limit = (Vendor::HubSpot, "api");
        for tick in 0..200 {
            paces.admitted(limit, Some(120), 1, tick * 500);
        }
        paces.over_limit(limit);
        paces.told(limit, 1_000, 2);
        // Sent before the answer was read; too early; under another limit; in time.
        for (name, at_ms) in [
            ("api", 1_050),
            ("api", 2_000),
            ("search", 2_000),
            ("api", 3_000),
        ] {
            paces.came((Vendor::HubSpot, name), at_ms);
        }
        let all = paces.all();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].busiest, all[0].admitted), (120, 200));
        assert_eq!(
            (all[0].over_limit, all[0].told_to_wait, all[0].early),
            (1, 1, 1)
        );
    }

    #[test]
    fn what_callers_were_told_to_stay_away_is_known_for_the_busiest_minute_alone() {
        let mut paces = Paces::default();
        let limit = (Vendor::Gmail, "mailbox 1");
        // A quiet minute with a wait, then a busy one with two that overlap.
        paces.told(limit, 10_000, 2);
        for tick in 0..60 {
            paces.admitted(limit, Some(600), 5, 60_000 + tick * 1_000);
        }
        paces.told(limit, 70_000, 2);
        paces.told(limit, 71_000, 2);
        let all = paces.all();
        assert_eq!(
            (all[0].busiest, all[0].held_ms, all[0].told_to_wait),
            (300, 3_000, 3)
        );
        // 300 of 600 x 57 s / 60 s.
        assert_eq!(all[0].share(), Some(300.0 / 570.0));
    }
}
