//! When an engine is left alone: pauses that grow with each failure, by its cause. A state machine without a clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::EngineError;

/// A cause of failures: how many in a row open the breaker, the first pause, by how much each further one is longer, and
/// the longest.
struct Pauses {
    after: u32,
    first: Duration,
    factor: u32,
    longest: Duration,
}

const fn pauses(after: u32, first_s: u64, factor: u32, longest_s: u64) -> Pauses {
    Pauses { after, first: Duration::from_secs(first_s), factor, longest: Duration::from_secs(longest_s) }
}

/// An engine that wants a person is not asked again soon; one whose page changed will not change back by being asked.
fn pauses_of(cause: &EngineError) -> Pauses {
    match cause {
        EngineError::TooManyRequests(_) => pauses(1, 30, 2, 3_600),
        EngineError::Captcha => pauses(1, 300, 3, 86_400),
        EngineError::Unauthorized => pauses(1, 600, 2, 21_600),
        EngineError::Shape(_) | EngineError::TooLarge(_) => pauses(2, 120, 3, 21_600),
        EngineError::Timeout => pauses(3, 10, 2, 600),
        EngineError::Unreachable(_) | EngineError::Status(_) => pauses(3, 15, 2, 900),
    }
}

/// Whether a request may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Go,
    Paused { until: Instant },
}

#[derive(Debug, Default)]
pub struct Breaker {
    failures_in_row: u32,
    /// Pauses since the last success.
    pauses: u32,
    paused_until: Option<Instant>,
    /// Whether the one request after a pause is under way.
    probing_since: Option<Instant>,
}

/// A probe whose answer never came (its caller left) is forgotten after this long.
const PROBE_FORGOTTEN: Duration = Duration::from_secs(30);

impl Breaker {
    /// After a pause one request goes first; until it has succeeded, the others stay away.
    pub fn admit(&mut self, now: Instant) -> Admission {
        let Some(until) = self.paused_until else { return Admission::Go };
        if now < until {
            return Admission::Paused { until };
        }
        match self.probing_since {
            Some(since) if now < since + PROBE_FORGOTTEN => {
                Admission::Paused { until: since + PROBE_FORGOTTEN }
            }
            _ => {
                self.probing_since = Some(now);
                Admission::Go
            }
        }
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub fn failed(&mut self, now: Instant, cause: &EngineError) {
        self.failures_in_row += 1;
        let pauses = pauses_of(cause);
        let was_probing = self.probing_since.take().is_some();
        if self.failures_in_row < pauses.after && !was_probing {
            return;
        }
        let factor = pauses.factor.saturating_pow(self.pauses);
        let mut pause = pauses.first.saturating_mul(factor).min(pauses.longest);
        if let EngineError::TooManyRequests(Some(asked)) = cause {
            pause = pause.max(*asked).min(pauses.longest);
        }
        self.pauses += 1;
        self.paused_until = Some(now + pause);
    }

    /// Until when nothing is sent.
    pub fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.paused_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn pauses_grow_by_cause_and_end_with_a_success() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        breaker.failed(start, &EngineError::Captcha);
        assert_eq!(breaker.paused_until(start), Some(start + seconds(300)));
        let later = start + seconds(301);
        assert_eq!(breaker.admit(later), Admission::Go);
        breaker.failed(later, &EngineError::Captcha);
        assert_eq!(breaker.paused_until(later), Some(later + seconds(900)));
        let third = later + seconds(901);
        assert_eq!(breaker.admit(third), Admission::Go);
        breaker.succeeded();
        breaker.failed(third, &EngineError::Captcha);
        assert_eq!(breaker.paused_until(third), Some(third + seconds(300)));
    }

    #[test]
    fn one_time_out_is_forgiven_and_three_are_not() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            breaker.failed(now, &EngineError::Timeout);
            assert_eq!(breaker.admit(now), Admission::Go);
        }
        breaker.failed(now, &EngineError::Timeout);
        assert_eq!(breaker.admit(now), Admission::Paused { until: now + seconds(10) });
    }

    #[test]
    fn after_a_pause_one_request_goes_first() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        breaker.failed(start, &EngineError::TooManyRequests(Some(seconds(90))));
        assert_eq!(breaker.paused_until(start), Some(start + seconds(90)));
        let later = start + seconds(91);
        assert_eq!(breaker.admit(later), Admission::Go);
        assert!(matches!(breaker.admit(later), Admission::Paused { .. }));
        // Its caller left: another is let through in the end.
        assert_eq!(breaker.admit(later + PROBE_FORGOTTEN), Admission::Go);
    }

    #[test]
    fn no_pause_is_longer_than_its_cause_allows() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..40 {
            breaker.failed(now, &EngineError::TooManyRequests(Some(seconds(1_000_000))));
            let until = breaker.paused_until(now).unwrap();
            assert!(until - now <= seconds(3_600));
            now = until + seconds(1);
            assert_eq!(breaker.admit(now), Admission::Go);
        }
    }
}
