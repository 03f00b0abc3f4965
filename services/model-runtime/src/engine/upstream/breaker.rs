//! Which replica is asked, and which is left alone for a while.
//!
//! A replica that fails several times in a row is left alone for some time; after that one request may try it, and its
//! success opens it to all again. Time comes in, so that this is a pure state.

use std::time::{Duration, Instant};

/// When a replica is left alone.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSettings {
    /// Failures in a row.
    pub failures: u32,
    /// For so long.
    pub open_for: Duration,
}

/// How a replica has answered of late.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
    /// A request tries whether it is well again.
    trying: bool,
}

/// Whether a replica is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Well,
    /// One request may try it.
    OnTrial,
    /// It is left alone.
    Ill,
}

impl Health {
    /// The word for it in listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::OnTrial => "on_trial",
            Self::Ill => "down",
        }
    }
}

impl Breaker {
    pub fn health(&self, now: Instant) -> Health {
        match self.open_until {
            None => Health::Well,
            Some(until) if now >= until && !self.trying => Health::OnTrial,
            Some(_) => Health::Ill,
        }
    }

    /// A request is sent.
    pub fn sent(&mut self, now: Instant) {
        self.trying |= self.health(now) == Health::OnTrial;
    }

    /// It was answered, or at least not failed by the replica.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The request ended without saying anything about the replica: its caller has gone.
    pub fn abandoned(&mut self) {
        self.trying = false;
    }

    pub fn failed(&mut self, now: Instant, settings: BreakerSettings) {
        self.failures = self.failures.saturating_add(1);
        self.trying = false;
        if self.failures >= settings.failures.max(1) || self.open_until.is_some() {
            self.open_until = Some(now + settings.open_for);
        }
    }
}

/// The replica to ask: a healthy one with the fewest requests running, those in `tried` left out. One on trial is asked
/// only when no healthy one is left. Replicas with equal load take turns, beginning at `turn`.
pub fn choose(replicas: &[(Health, usize)], tried: &[usize], turn: usize) -> Option<usize> {
    let count = replicas.len();
    let candidates = (0..count).map(|offset| (turn + offset) % count.max(1));
    candidates
        .filter(|index| !tried.contains(index) && replicas[*index].0 != Health::Ill)
        .min_by_key(|index| (replicas[*index].0 == Health::OnTrial, replicas[*index].1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Health::{Ill, OnTrial, Well};

    const SETTINGS: BreakerSettings = BreakerSettings { failures: 2, open_for: Duration::from_secs(10) };

    #[test]
    fn a_replica_that_fails_twice_in_a_row_is_left_alone_then_tried_once() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut breaker = Breaker::default();
        breaker.failed(at(0), SETTINGS);
        assert_eq!(breaker.health(at(0)), Well);
        breaker.failed(at(1), SETTINGS);
        assert_eq!(
            (breaker.health(at(1)), breaker.health(at(10)), breaker.health(at(11))),
            (Ill, Ill, OnTrial)
        );
        breaker.sent(at(11));
        assert_eq!(breaker.health(at(11)), Ill, "one is enough for a trial");
        breaker.failed(at(12), SETTINGS);
        assert_eq!((breaker.health(at(21)), breaker.health(at(22))), (Ill, OnTrial));
        breaker.sent(at(22));
        breaker.abandoned();
        assert_eq!(breaker.health(at(22)), OnTrial);
        breaker.succeeded();
        assert_eq!(breaker.health(at(22)), Well);
    }

    #[test]
    fn a_success_forgets_earlier_failures() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            breaker.failed(now, SETTINGS);
            breaker.succeeded();
        }
        assert_eq!(breaker.health(now), Well);
    }

    #[test]
    fn the_least_loaded_healthy_replica_is_chosen() {
        for (replicas, tried, turn, expected) in [
            (vec![(Well, 3), (Well, 1), (Well, 2)], vec![], 0, Some(1)),
            (vec![(Well, 3), (Ill, 0), (Well, 2)], vec![], 0, Some(2)),
            (vec![(Well, 9), (OnTrial, 0)], vec![], 0, Some(0)),
            (vec![(Ill, 0), (OnTrial, 0)], vec![], 0, Some(1)),
            (vec![(Well, 1), (Well, 1), (Well, 1)], vec![], 2, Some(2)),
            (vec![(Well, 1), (Well, 1)], vec![0], 0, Some(1)),
            (vec![(Well, 1), (Ill, 1)], vec![0], 0, None),
            (vec![], vec![], 5, None),
        ] {
            assert_eq!(choose(&replicas, &tried, turn), expected, "{replicas:?} {tried:?} {turn}");
        }
    }
}
