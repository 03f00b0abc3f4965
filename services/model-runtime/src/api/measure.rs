//! Where the time of a generation goes, for answers and metrics.
//!
//! Histograms' buckets follow from the ends of their names; see the platform crate's telemetry.

use std::time::{Duration, Instant};

use crate::admission::Priority;
use crate::engine::ChatEnd;

/// Where the time of a generation went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timings {
    pub total: Duration,
    /// Of loading the model, when this request caused it.
    pub load: Duration,
    /// From the slot to the first word.
    pub prompt: Duration,
    /// From the first word to the last.
    pub generation: Duration,
}

/// The times of one generation.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
    load: Duration,
    slot_at: Option<Instant>,
    first_word_at: Option<Instant>,
    last_word_at: Option<Instant>,
}

impl Clock {
    pub(super) fn new(started: Instant, load: Duration) -> Self {
        Self { started, load, slot_at: None, first_word_at: None, last_word_at: None }
    }

    /// The generation may begin.
    pub(super) fn slot(&mut self, model: &str, priority: Priority) {
        self.slot_at = Some(Instant::now());
        let waited = self.started.elapsed().saturating_sub(self.load);
        record_queue_wait(model, priority, waited);
    }

    /// A word has come.
    pub(super) fn word(&mut self, model: &str) {
        let now = Instant::now();
        match self.last_word_at.replace(now) {
            Some(last) => {
                metrics::histogram!("anwen_model_inter_token_seconds", "model" => model.to_owned())
                    .record((now - last).as_secs_f64());
            }
            None => {
                self.first_word_at = Some(now);
                metrics::histogram!("anwen_model_time_to_first_token_seconds", "model" => model.to_owned())
                    .record((now - self.started).as_secs_f64());
            }
        }
    }

    /// The generation has ended by itself.
    pub(super) fn end(&self, model: &str, end: &ChatEnd) {
        let timings = self.timings();
        let labels = [("model", model.to_owned())];
        metrics::counter!("anwen_model_prompt_tokens_total", &labels)
            .increment(u64::from(end.usage.prompt_tokens));
        metrics::counter!("anwen_model_cached_prompt_tokens_total", &labels)
            .increment(u64::from(end.cached_tokens));
        metrics::counter!("anwen_model_completion_tokens_total", &labels)
            .increment(u64::from(end.usage.completion_tokens));
        metrics::histogram!("anwen_model_prompt_tokens", &labels).record(f64::from(end.usage.prompt_tokens));
        metrics::histogram!("anwen_model_completion_tokens", &labels)
            .record(f64::from(end.usage.completion_tokens));
        metrics::histogram!("anwen_model_generation_duration_seconds", &labels)
            .record(timings.total.as_secs_f64());
        // The first token belongs to the prompt: the others came in the time since.
        let tokens = f64::from(end.usage.completion_tokens.saturating_sub(1));
        if tokens > 0.0 && !timings.generation.is_zero() {
            metrics::histogram!("anwen_model_tokens_per_second", &labels)
                .record(tokens / timings.generation.as_secs_f64());
        }
    }

    pub(super) fn timings(&self) -> Timings {
        let now = Instant::now();
        let slot_at = self.slot_at.unwrap_or(self.started);
        let first_word_at = self.first_word_at.unwrap_or(now);
        Timings {
            total: now - self.started,
            load: self.load,
            prompt: first_word_at.saturating_duration_since(slot_at),
            generation: now - first_word_at,
        }
    }
}

/// How long a request stood in the queue.
pub(super) fn record_queue_wait(model: &str, priority: Priority, waited: Duration) {
    let labels = [("model", model.to_owned()), ("priority", priority.as_str().to_owned())];
    metrics::histogram!("anwen_model_queue_wait_seconds", &labels).record(waited.as_secs_f64());
}
