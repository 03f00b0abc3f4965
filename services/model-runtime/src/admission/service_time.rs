//! How long a model takes for a request, as far as it was seen, and what that means for one that is refused.

use std::time::Duration;

/// The share of a new measurement in the mean: the last ten or so decide.
const NEW_SHARE: f64 = 0.2;
/// What is assumed before anything was measured.
const ASSUMED: Duration = Duration::from_secs(5);
/// A client is never told to stay away for longer.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);

/// An exponentially weighted mean of the time that requests held their slot.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceTime {
    mean_s: Option<f64>,
}

impl ServiceTime {
    pub fn record(&mut self, took: Duration) {
        let took_s = took.as_secs_f64();
        self.mean_s = Some(self.mean_s.map_or(took_s, |mean_s| mean_s + NEW_SHARE * (took_s - mean_s)));
    }

    /// When a place is likely to be free: after one of `concurrency` running requests has ended, if `ahead` of those
    /// that wait have to go first. In whole seconds, at least one, as `Retry-After` counts.
    pub fn retry_after(&self, ahead: usize, concurrency: usize) -> Duration {
        let mean_s = self.mean_s.unwrap_or(ASSUMED.as_secs_f64());
        let turns = (ahead as f64 + 1.0) / concurrency.max(1) as f64;
        let seconds = (mean_s * turns).ceil().clamp(1.0, MAX_RETRY_AFTER.as_secs_f64());
        Duration::from_secs(seconds as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_what_was_measured() {
        let seconds = |measured: &[f64], ahead, concurrency| {
            let mut time = ServiceTime::default();
            measured.iter().for_each(|took| time.record(Duration::from_secs_f64(*took)));
            time.retry_after(ahead, concurrency).as_secs()
        };
        assert_eq!(seconds(&[], 0, 1), 5);
        assert_eq!(seconds(&[0.01], 0, 4), 1, "never zero");
        assert_eq!(seconds(&[10.0], 1, 1), 20);
        assert_eq!(seconds(&[10.0], 3, 4), 10);
        assert_eq!(seconds(&[10.0, 20.0], 0, 1), 12);
        assert_eq!(seconds(&[1000.0], 9, 1), 120, "bounded");
    }
}
