//! How many requests may be sent a second time: a share of the first ones, so that trouble at an engine is not answered
//! with twice the load.

use std::sync::Mutex;

/// What a request adds, and the most that is saved up. A retry or a hedge takes 1.
const ADDED: f32 = 0.1;
const MOST: f32 = 10.0;

#[derive(Debug)]
pub struct RetryBudget(Mutex<f32>);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(Mutex::new(MOST))
    }
}

impl RetryBudget {
    pub fn deposit(&self) {
        self.change(|saved| *saved = (*saved + ADDED).min(MOST));
    }

    /// Whether one more request may be sent; it is paid for then.
    pub fn withdraw(&self) -> bool {
        self.change(|saved| {
            let has = *saved >= 1.0;
            if has {
                *saved -= 1.0;
            }
            has
        })
    }

    fn change<T>(&self, work: impl FnOnce(&mut f32) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_spent_and_then_a_tenth_of_the_requests() {
        let budget = RetryBudget::default();
        assert_eq!((0..20).filter(|_| budget.withdraw()).count(), 10);
        let repeated = (0..1_000).filter(|_| {
            budget.deposit();
            budget.withdraw()
        });
        assert!((95..=100).contains(&repeated.count()));
    }
}
