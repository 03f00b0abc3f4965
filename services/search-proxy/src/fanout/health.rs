//! How an engine has been doing.

use std::time::Duration;

use anwen_contract::Timestamp;

/// Answers whose time is remembered.
const REMEMBERED: usize = 128;

#[derive(Debug, Default)]
pub struct Health {
    pub requests: u64,
    pub failures: u64,
    pub skipped: u64,
    pub results: u64,
    pub last_error: Option<String>,
    pub last_success_at: Option<Timestamp>,
    /// Milliseconds of the last answers, a ring.
    took_ms: Vec<f32>,
    next: usize,
}

impl Health {
    pub fn succeeded(&mut self, took: Duration, results: usize, now: Timestamp) {
        self.requests += 1;
        self.results += results as u64;
        self.last_success_at = Some(now);
        let took_ms = took.as_secs_f32() * 1000.0;
        if self.took_ms.len() < REMEMBERED {
            self.took_ms.push(took_ms);
        } else {
            self.took_ms[self.next] = took_ms;
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    pub fn failed(&mut self, error: String) {
        self.requests += 1;
        self.failures += 1;
        self.last_error = Some(error);
    }

    /// The time within which this share of the last answers came; `None` before the first.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let mut sorted = self.took_ms.clone();
        sorted.sort_by(f32::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last as f64 * share).round() as usize).map(|took| f64::from(*took))
    }

    pub fn mean_results(&self) -> f64 {
        let answers = self.requests - self.failures;
        if answers == 0 { 0.0 } else { self.results as f64 / answers as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_answers_count_for_the_time() {
        let mut health = Health::default();
        assert_eq!(health.quantile_ms(0.5), None);
        let now = Timestamp::now();
        for _ in 0..REMEMBERED {
            health.succeeded(Duration::from_secs(9), 10, now);
        }
        for took in 1..=REMEMBERED as u64 {
            health.succeeded(Duration::from_millis(took), 0, now);
        }
        let p95 = health.quantile_ms(0.95).unwrap();
        assert!((120.0..=123.0).contains(&p95), "{p95}");
        assert_eq!(health.mean_results(), 5.0);
    }
}
