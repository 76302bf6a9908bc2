//! The vendors' limits: what was used, and when more is too much.

use std::collections::{BTreeMap, VecDeque};

use crate::store::DAY_MS;
use crate::{Limits, Vendor};

const HUBSPOT_WINDOW_MS: i64 = 10_000;
const HUBSPOT_PRIVATE_MAX: usize = 190;
const HUBSPOT_OAUTH_MAX: usize = 110;
const HUBSPOT_DAILY_MAX: u64 = 650_000;
const SEARCH_WINDOW_MS: i64 = 1_000;
const SEARCH_MAX: usize = 5;
const SALESFORCE_DAILY_MAX: u64 = 100_000;
const SALESFORCE_RUNNING_MAX: usize = 25;
const SALESFORCE_LONG_MS: i64 = 20_000;
const HOUR_MS: i64 = 3_600_000;

/// Which of HubSpot's limits a request falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HubSpotUse {
    /// The ten-second limit, with the private-app token.
    Private,
    /// The ten-second limit, with a refreshed token.
    OAuth,
    /// The limit on searches alone.
    Search,
}

/// Which limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// HubSpot's ten-second limit.
    TenSecondly,
    /// HubSpot's limit on searches.
    Secondly,
    /// Either vendor's daily limit.
    Daily,
    /// Salesforce's limit on long-running requests.
    Concurrent,
}

/// What was used.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    windows: [VecDeque<i64>; 3],
    hubspot_day: (i64, u64),
    salesforce_hours: BTreeMap<i64, u64>,
    running: BTreeMap<u64, i64>,
    started: u64,
}

impl Meter {
    /// Starts with nothing used.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            windows: Default::default(),
            hubspot_day: (0, 0),
            salesforce_hours: BTreeMap::new(),
            running: BTreeMap::new(),
            started: 0,
        }
    }

    /// Counts a HubSpot request and gives the rate headers for its answer; searches have none.
    pub(crate) fn hubspot(
        &mut self,
        usage: HubSpotUse,
        now_ms: i64,
    ) -> Result<Vec<(&'static str, String)>, Refused> {
        let enforced = self.limits == Limits::Vendor;
        let (max, window_ms, refusal) = match usage {
            HubSpotUse::Private => (HUBSPOT_PRIVATE_MAX, HUBSPOT_WINDOW_MS, Refused::TenSecondly),
            HubSpotUse::OAuth => (HUBSPOT_OAUTH_MAX, HUBSPOT_WINDOW_MS, Refused::TenSecondly),
            HubSpotUse::Search => (SEARCH_MAX, SEARCH_WINDOW_MS, Refused::Secondly),
        };
        let today = now_ms.div_euclid(DAY_MS);
        if self.hubspot_day.0 != today {
            self.hubspot_day = (today, 0);
        }
        if enforced && self.hubspot_day.1 >= HUBSPOT_DAILY_MAX {
            return Err(Refused::Daily);
        }
        let [private, oauth, search] = &mut self.windows;
        let window = match usage {
            HubSpotUse::Private => private,
            HubSpotUse::OAuth => oauth,
            HubSpotUse::Search => search,
        };
        while window
            .front()
            .is_some_and(|at_ms| now_ms.saturating_sub(*at_ms) >= window_ms)
        {
            window.pop_front();
        }
        if enforced && window.len() >= max {
            return Err(refusal);
        }
        // Without limits only the latest are needed for the headers.
        if window.len() < max {
            window.push_back(now_ms);
        }
        self.hubspot_day.1 = self.hubspot_day.1.saturating_add(1);
        Ok(self.hubspot_headers(usage, max.saturating_sub(window_len(&self.windows, usage))))
    }

    fn hubspot_headers(&self, usage: HubSpotUse, left: usize) -> Vec<(&'static str, String)> {
        let max = match usage {
            HubSpotUse::Private => HUBSPOT_PRIVATE_MAX,
            HubSpotUse::OAuth => HUBSPOT_OAUTH_MAX,
            HubSpotUse::Search => return Vec::new(),
        };
        let mut headers = vec![
            ("x-hubspot-ratelimit-max", max.to_string()),
            ("x-hubspot-ratelimit-remaining", left.to_string()),
            (
                "x-hubspot-ratelimit-interval-milliseconds",
                HUBSPOT_WINDOW_MS.to_string(),
            ),
        ];
        if usage == HubSpotUse::Private {
            let left = HUBSPOT_DAILY_MAX.saturating_sub(self.hubspot_day.1);
            headers.push(("x-hubspot-ratelimit-daily", HUBSPOT_DAILY_MAX.to_string()));
            headers.push(("x-hubspot-ratelimit-daily-remaining", left.to_string()));
        }
        headers
    }

    /// Counts a Salesforce call.
    pub(crate) fn salesforce(&mut self, now_ms: i64) -> Result<(), Refused> {
        let hour = now_ms.div_euclid(HOUR_MS);
        self.salesforce_hours = self.salesforce_hours.split_off(&hour.saturating_sub(23));
        if self.limits == Limits::Vendor {
            if self.salesforce_used() >= SALESFORCE_DAILY_MAX {
                return Err(Refused::Daily);
            }
            let long = |at_ms: &&i64| now_ms.saturating_sub(**at_ms) >= SALESFORCE_LONG_MS;
            if self.running.values().filter(long).count() >= SALESFORCE_RUNNING_MAX {
                return Err(Refused::Concurrent);
            }
        }
        let count = self.salesforce_hours.entry(hour).or_default();
        *count = count.saturating_add(1);
        Ok(())
    }

    /// Gives the value of `Sforce-Limit-Info`.
    pub(crate) fn salesforce_info(&self) -> String {
        format!(
            "api-usage={}/{SALESFORCE_DAILY_MAX}",
            self.salesforce_used()
        )
    }

    /// Gives Salesforce's daily maximum and what is left of it.
    pub(crate) fn salesforce_daily(&self) -> (u64, u64) {
        (
            SALESFORCE_DAILY_MAX,
            SALESFORCE_DAILY_MAX.saturating_sub(self.salesforce_used()),
        )
    }

    /// Uses up a vendor's day but for `left` calls.
    pub(crate) fn leave_daily(&mut self, vendor: Vendor, left: u64, now_ms: i64) {
        match vendor {
            Vendor::HubSpot => {
                let used = HUBSPOT_DAILY_MAX.saturating_sub(left);
                self.hubspot_day = (now_ms.div_euclid(DAY_MS), used);
            }
            Vendor::Salesforce => {
                let used = SALESFORCE_DAILY_MAX.saturating_sub(left);
                self.salesforce_hours = BTreeMap::from([(now_ms.div_euclid(HOUR_MS), used)]);
            }
            // Its units are counted elsewhere.
            Vendor::Gmail => {}
            // It has no daily limit.
            Vendor::Dialpad => {}
        }
    }

    /// Notes that a Salesforce request runs; gives the number to end it with.
    pub(crate) fn begin(&mut self, now_ms: i64) -> u64 {
        self.started = self.started.saturating_add(1);
        self.running.insert(self.started, now_ms);
        self.started
    }

    /// Notes that a Salesforce request has ended.
    pub(crate) fn end(&mut self, number: u64) {
        self.running.remove(&number);
    }

    fn salesforce_used(&self) -> u64 {
        self.salesforce_hours.values().sum()
    }
}

fn window_len([private, oauth, search]: &[VecDeque<i64>; 3], usage: HubSpotUse) -> usize {
    match usage {
        HubSpotUse::Private => private.len(),
        HubSpotUse::OAuth => oauth.len(),
        HubSpotUse::Search => search.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_have_their_own_window_and_both_slide() {
        let mut meter = Meter::new(Limits::Vendor);
        for number in 0..190 {
            assert!(meter.hubspot(HubSpotUse::Private, number).is_ok());
        }
        assert_eq!(
            meter.hubspot(HubSpotUse::Private, 9_999),
            Err(Refused::TenSecondly)
        );
        assert!(meter.hubspot(HubSpotUse::Private, 10_000).is_ok());
        for _ in 0..5 {
            assert_eq!(meter.hubspot(HubSpotUse::Search, 10_000), Ok(Vec::new()));
        }
        assert_eq!(
            meter.hubspot(HubSpotUse::Search, 10_999),
            Err(Refused::Secondly)
        );
        assert!(meter.hubspot(HubSpotUse::Search, 11_000).is_ok());
        meter.leave_daily(Vendor::HubSpot, 0, 30_000);
        assert_eq!(
            meter.hubspot(HubSpotUse::Private, 30_000),
            Err(Refused::Daily)
        );
    }

    #[test]
    fn salesforces_day_rolls_and_only_long_requests_count_as_concurrent() {
        let mut meter = Meter::new(Limits::Vendor);
        meter.leave_daily(Vendor::Salesforce, 1, 0);
        assert!(meter.salesforce(0).is_ok());
        assert_eq!(meter.salesforce(HOUR_MS), Err(Refused::Daily));
        assert!(meter.salesforce(25 * HOUR_MS).is_ok());
        for _ in 0..25 {
            meter.begin(25 * HOUR_MS);
        }
        assert!(meter.salesforce(25 * HOUR_MS + 19_000).is_ok());
        assert_eq!(
            meter.salesforce(25 * HOUR_MS + 20_000),
            Err(Refused::Concurrent)
        );
    }
}
