//! Dialpad's limits: what was used, and when more is too much.

use std::collections::VecDeque;

use crate::Limits;

/// Of so many refusals one carries a `Retry-After`.
const ANNOUNCED_EACH: u64 = 3;

/// Which limits a request falls under, beside those of the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// One call by id.
    Call,
    /// The recap of one call.
    Recap,
    /// The start of an export.
    Export,
    /// No other limits.
    Plain,
}

impl Usage {
    /// What the limit is called, and how many requests it permits in a minute; none where it is one by the hour.
    pub(super) fn limit(self) -> (&'static str, Option<u32>) {
        match self {
            Usage::Plain => ("api", Some(1_200)),
            Usage::Call => ("call", Some(10)),
            Usage::Recap => ("recap", Some(12)),
            Usage::Export => ("stats", None),
        }
    }
}

/// A sliding window.
#[derive(Debug)]
struct Window {
    max: usize,
    span_ms: i64,
    seen: VecDeque<i64>,
}

impl Window {
    fn new(max: usize, span_ms: i64) -> Self {
        Self {
            max,
            span_ms,
            seen: VecDeque::new(),
        }
    }

    /// How long a request would have to wait.
    fn wait_ms(&mut self, now_ms: i64) -> i64 {
        let span_ms = self.span_ms;
        while self
            .seen
            .front()
            .is_some_and(|at_ms| now_ms.saturating_sub(*at_ms) >= span_ms)
        {
            self.seen.pop_front();
        }
        match self.seen.front() {
            Some(first_ms) if self.seen.len() >= self.max => {
                first_ms.saturating_add(span_ms).saturating_sub(now_ms)
            }
            _ => 0,
        }
    }
}

/// Dialpad's limits.
#[derive(Debug)]
pub(crate) struct DialpadMeter {
    limits: Limits,
    second: Window,
    minute: Window,
    call: Window,
    recap: Window,
    export: Window,
    refusals: u64,
}

impl DialpadMeter {
    /// Starts with nothing used.
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            second: Window::new(20, 1_000),
            minute: Window::new(1_200, 60_000),
            call: Window::new(10, 60_000),
            recap: Window::new(12, 60_000),
            export: Window::new(200, 3_600_000),
            refusals: 0,
        }
    }

    /// Counts a request, or refuses it, now and then with the seconds to wait.
    pub(super) fn admit(&mut self, usage: Usage, now_ms: i64) -> Result<(), Option<i64>> {
        if self.limits == Limits::Vendor {
            let waits = self.windows(usage).map(|window| window.wait_ms(now_ms));
            let wait_ms = waits.max().unwrap_or(0);
            if wait_ms > 0 {
                self.refusals = self.refusals.saturating_add(1);
                let announced = self.refusals.is_multiple_of(ANNOUNCED_EACH);
                return Err(announced.then(|| wait_ms.saturating_add(999) / 1_000));
            }
            for window in self.windows(usage) {
                window.seen.push_back(now_ms);
            }
        }
        Ok(())
    }

    /// The windows that a request falls under.
    fn windows(&mut self, usage: Usage) -> impl Iterator<Item = &mut Window> {
        let own = match usage {
            Usage::Call => Some(&mut self.call),
            Usage::Recap => Some(&mut self.recap),
            Usage::Export => Some(&mut self.export),
            Usage::Plain => None,
        };
        [&mut self.minute, &mut self.second].into_iter().chain(own)
    }
}
