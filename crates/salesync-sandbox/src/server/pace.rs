//! How fast the vendors were asked: what was admitted, beside what they permit, and who came back too early.

use std::collections::{BTreeMap, VecDeque};

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
    /// Units permitted in a minute.
    pub permitted: f64,
    /// Units admitted in all.
    pub admitted: u64,
    /// Units admitted in the busiest minute.
    pub busiest: f64,
    /// Requests that were more than is permitted.
    pub over_limit: u64,
    /// Requests that were told to come back later.
    pub told_to_wait: u64,
    /// Requests that came back before that.
    pub early: u64,
}

/// How all limits were used.
#[derive(Debug, Default)]
pub(crate) struct Paces {
    lanes: BTreeMap<(Vendor, String), Lane>,
    waits: BTreeMap<(Vendor, String), Wait>,
}

#[derive(Debug, Default)]
struct Lane {
    permitted: f64,
    admitted: u64,
    over_limit: u64,
    marks: VecDeque<(i64, u64)>,
}

/// What callers of one kind were told.
#[derive(Debug, Default)]
struct Wait {
    told_at_ms: i64,
    until_ms: i64,
    told: u64,
    early: u64,
}

impl Paces {
    /// Notes that so many units were admitted; `permitted` is what the limit permits in a minute.
    pub(crate) fn admitted(
        &mut self,
        (vendor, limit): (Vendor, &str),
        permitted: f64,
        units: u64,
        now_ms: i64,
    ) {
        let lane = self.lanes.entry((vendor, limit.to_owned())).or_default();
        lane.permitted = permitted;
        lane.admitted += units;
        if lane.marks.len() >= MARKS_MAX {
            lane.marks.pop_front();
        }
        lane.marks.push_back((now_ms, units));
    }

    /// Notes a request that was more than is permitted.
    pub(crate) fn over_limit(&mut self, (vendor, limit): (Vendor, &str)) {
        let lane = self.lanes.entry((vendor, limit.to_owned())).or_default();
        lane.over_limit += 1;
    }

    /// Notes that a caller came, and whether it was told to come later.
    pub(crate) fn came(&mut self, vendor: Vendor, caller: &str, now_ms: i64) {
        if let Some(wait) = self.waits.get_mut(&(vendor, caller.to_owned())) {
            let knows = now_ms > wait.told_at_ms + ON_THE_WAY_MS;
            wait.early += u64::from(knows && now_ms < wait.until_ms);
        }
    }

    /// Notes that a caller was told to come back in so many seconds.
    pub(crate) fn told(&mut self, vendor: Vendor, caller: &str, (at_ms, secs): (i64, u64)) {
        let wait = self.waits.entry((vendor, caller.to_owned())).or_default();
        let until_ms = at_ms + i64::try_from(secs.saturating_mul(1_000)).unwrap_or(i64::MAX);
        wait.told_at_ms = at_ms;
        wait.until_ms = wait.until_ms.max(until_ms);
        wait.told += 1;
    }

    /// Gives how each limit was used.
    pub(crate) fn all(&self) -> Vec<Pace> {
        let mut all: Vec<Pace> = Vec::new();
        for ((vendor, limit), lane) in &self.lanes {
            let is_first = all.iter().all(|it| it.vendor != vendor.name());
            let waits = self
                .waits
                .iter()
                .filter(|((own, _), _)| own == vendor && is_first);
            let waits: Vec<&Wait> = waits.map(|(_, wait)| wait).collect();
            all.push(Pace {
                vendor: vendor.name(),
                limit: limit.clone(),
                permitted: lane.permitted,
                admitted: lane.admitted,
                busiest: lane.busiest(),
                over_limit: lane.over_limit,
                // Callers are counted for the vendor as a whole, with the first of its limits.
                told_to_wait: waits.iter().map(|wait| wait.told).sum(),
                early: waits.iter().map(|wait| wait.early).sum(),
            });
        }
        all
    }
}

impl Lane {
    fn busiest(&self) -> f64 {
        let (mut window, mut sum, mut most) = (VecDeque::new(), 0_u64, 0_u64);
        for (at_ms, units) in &self.marks {
            window.push_back((*at_ms, *units));
            sum += units;
            while let Some((first_ms, first)) = window.front().copied()
                && at_ms - first_ms >= STRETCH_MS
            {
                window.pop_front();
                sum -= first;
            }
            most = most.max(sum);
        }
        f64::from(u32::try_from(most).unwrap_or(u32::MAX))
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
            paces.admitted(limit, 120.0, 1, tick * 500);
        }
        paces.over_limit(limit);
        paces.told(Vendor::HubSpot, "a", (1_000, 2));
        // Sent before the answer was read; too early; another caller; in time.
        for (caller, at_ms) in [("a", 1_050), ("a", 2_000), ("b", 2_000), ("a", 3_000)] {
            paces.came(Vendor::HubSpot, caller, at_ms);
        }
        let all = paces.all();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].busiest, all[0].admitted), (120.0, 200));
        assert_eq!(
            (all[0].over_limit, all[0].told_to_wait, all[0].early),
            (1, 1, 1)
        );
    }
}
