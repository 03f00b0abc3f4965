//! Slows the guessing of passwords: failures are counted by name and by address within a sliding window.
//!
//! The counts live in memory, in a map of bounded size. A restart forgets them, which costs an attacker more time
//! than it gives.

use anwen_contract::{ApiError, ErrorCode, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// What failures are counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    Name(String),
    Address(IpAddr),
}

/// Bounds of the throttle.
#[derive(Debug, Clone, Copy)]
pub struct ThrottleLimits {
    pub window_ms: i64,
    pub per_name: u32,
    pub per_address: u32,
    /// Names and addresses that are remembered at most.
    pub tracked_max: usize,
}

/// Counts failed sign-ins.
pub struct Throttle {
    limits: ThrottleLimits,
    /// Times of the failures in the window, oldest first, never more than the limit.
    failures: Mutex<HashMap<Counted, VecDeque<Timestamp>>>,
}

impl Throttle {
    pub fn new(limits: ThrottleLimits) -> Self {
        Self { limits, failures: Mutex::default() }
    }

    /// Whether another attempt may be made now. Failures for a name that lie before `name_cleared_at` (its
    /// password was set then) no longer count.
    pub fn check(
        &self,
        name: &str,
        address: Option<IpAddr>,
        name_cleared_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |counted: &Counted, since: Timestamp| {
            let times = failures.get(counted);
            times.map_or(0, |times| times.iter().filter(|at| **at > since).count())
        };
        let window_start = now.plus_millis(-self.limits.window_ms);
        let name_start = name_cleared_at.map_or(window_start, |cleared| cleared.max(window_start));
        let by_name = count(&Counted::Name(name.to_owned()), name_start);
        let by_address = address.map_or(0, |address| count(&Counted::Address(address), window_start));
        if by_name >= self.limits.per_name as usize || by_address >= self.limits.per_address as usize {
            let minutes = (self.limits.window_ms / 60_000).max(1);
            let message =
                format!("too many failed sign-ins; wait {minutes} minutes, or ask your administrator");
            return Err(ApiError::new(ErrorCode::TooManyAttempts, message));
        }
        Ok(())
    }

    /// Remembers a failure.
    pub fn failed(&self, name: &str, address: Option<IpAddr>, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let names = std::iter::once((Counted::Name(name.to_owned()), self.limits.per_name));
        let addresses = address.map(|address| (Counted::Address(address), self.limits.per_address));
        for (counted, limit) in names.chain(addresses) {
            if !failures.contains_key(&counted) && failures.len() >= self.limits.tracked_max {
                make_room(&mut failures, now.plus_millis(-self.limits.window_ms));
            }
            let times = failures.entry(counted).or_default();
            while times.len() >= limit.max(1) as usize {
                times.pop_front();
            }
            times.push_back(now);
        }
    }

    /// A sign-in that succeeded clears its name.
    pub fn succeeded(&self, name: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&Counted::Name(name.to_owned()));
    }
}

/// Drops what has left the window; if nothing has, the entry whose last failure is the oldest.
fn make_room(failures: &mut HashMap<Counted, VecDeque<Timestamp>>, window_start: Timestamp) {
    let before = failures.len();
    failures.retain(|_, times| times.back().is_some_and(|last| *last > window_start));
    if failures.len() < before {
        return;
    }
    let oldest = failures.iter().min_by_key(|(_, times)| times.back().copied()).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        failures.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const LIMITS: ThrottleLimits =
        ThrottleLimits { window_ms: 60_000, per_name: 3, per_address: 5, tracked_max: 4 };

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)))
    }

    #[test]
    fn a_name_waits_after_its_failures_until_the_window_has_passed() {
        let throttle = Throttle::new(LIMITS);
        for second in 0..3 {
            assert!(throttle.check("li", address(second), None, Timestamp(i64::from(second) * 1000)).is_ok());
            throttle.failed("li", address(second), Timestamp(i64::from(second) * 1000));
        }
        let refused = throttle.check("li", address(9), None, Timestamp(3_000)).map_err(|error| error.code);
        assert_eq!(refused, Err(ErrorCode::TooManyAttempts));
        assert!(throttle.check("wang", address(9), None, Timestamp(3_000)).is_ok());
        assert!(throttle.check("li", address(9), None, Timestamp(62_000)).is_ok());
    }

    #[test]
    fn an_address_waits_whatever_names_it_tries() {
        let throttle = Throttle::new(ThrottleLimits { tracked_max: 100, ..LIMITS });
        for number in 0..5 {
            throttle.failed(&format!("user{number}"), address(1), Timestamp(number));
        }
        assert!(throttle.check("fresh", address(1), None, Timestamp(10)).is_err());
        assert!(throttle.check("fresh", address(2), None, Timestamp(10)).is_ok());
    }

    #[test]
    fn a_success_or_a_new_password_clears_the_name() {
        let throttle = Throttle::new(LIMITS);
        for _ in 0..3 {
            throttle.failed("li", None, Timestamp(1_000));
        }
        assert!(throttle.check("li", None, None, Timestamp(2_000)).is_err());
        assert!(throttle.check("li", None, Some(Timestamp(1_500)), Timestamp(2_000)).is_ok());
        throttle.succeeded("li");
        assert!(throttle.check("li", None, None, Timestamp(2_000)).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new(LIMITS);
        for number in 0..1_000 {
            throttle.failed(&format!("user{number}"), None, Timestamp(number));
        }
        let tracked = throttle.failures.lock().map(|failures| failures.len());
        assert_eq!(tracked.ok(), Some(LIMITS.tracked_max));
    }
}
