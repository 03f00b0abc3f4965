//! Kept answers and embeddings.
//!
//! An answer is kept under a hash of all that it depends on: the model's files, the whole prompt with its documents, the
//! parameters, tools and format. So nobody is given another one's answer who has not sent the same words; and it is
//! kept only where the model would say the same again (temperature 0, or a seed), or where the request allows it.

mod bounded;
mod key;
mod settings;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use bounded::{Bounded, Key};
pub use key::{chat_key, embedding_key};
pub use settings::CacheSettings;

use crate::engine::{ChatEvent, ChatJob};

/// Whether a request's answer may be a kept one, and be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    /// Where the request would get the same answer again.
    #[default]
    WhereDeterministic,
    Always,
    Never,
}

/// Events of a whole answer, the end included.
pub type KeptAnswer = Arc<[ChatEvent]>;

/// One text's embedding.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptEmbedding {
    pub values: Arc<[f32]>,
    /// The text was longer than the model reads.
    pub truncated: bool,
    /// Tokens of the text, as far as that is known for it alone.
    pub tokens: usize,
}

/// What is kept of earlier requests.
pub struct Cache {
    answers: Mutex<Bounded<KeptAnswer>>,
    embeddings: Mutex<Bounded<KeptEmbedding>>,
}

impl Cache {
    pub fn new(settings: &CacheSettings) -> Self {
        let max_age = Duration::from_secs(settings.max_age_seconds);
        Self {
            answers: Mutex::new(Bounded::new(settings.answer_bytes, max_age)),
            embeddings: Mutex::new(Bounded::new(settings.embedding_bytes, max_age)),
        }
    }

    /// A kept answer; counted as a hit or a miss of `model`.
    pub fn answer(&self, model: &str, key: &Key) -> Option<KeptAnswer> {
        let found = lock(&self.answers).get(key, Instant::now());
        count(model, "answer", usize::from(found.is_some()), usize::from(found.is_none()));
        found
    }

    /// Keeps an answer that has ended well.
    pub fn keep_answer(&self, key: Key, events: Vec<ChatEvent>) {
        let bytes = events.iter().map(bytes_of).sum();
        let mut answers = lock(&self.answers);
        answers.put(key, events.into(), bytes, Instant::now());
        metrics::gauge!("anwen_model_cache_bytes", "kind" => "answer").set(answers.bytes() as f64);
    }

    /// Kept embeddings, in the order of the keys.
    pub fn embeddings(&self, model: &str, keys: &[Key]) -> Vec<Option<KeptEmbedding>> {
        let now = Instant::now();
        let mut kept = lock(&self.embeddings);
        let found: Vec<Option<KeptEmbedding>> = keys.iter().map(|key| kept.get(key, now)).collect();
        let hits = found.iter().flatten().count();
        count(model, "embedding", hits, keys.len() - hits);
        found
    }

    pub fn keep_embeddings(&self, new: impl IntoIterator<Item = (Key, KeptEmbedding)>) {
        let now = Instant::now();
        let mut kept = lock(&self.embeddings);
        for (key, embedding) in new {
            let bytes = size_of_val(&*embedding.values);
            kept.put(key, embedding, bytes, now);
        }
        metrics::gauge!("anwen_model_cache_bytes", "kind" => "embedding").set(kept.bytes() as f64);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The map is consistent between any two statements: a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(model: &str, kind: &'static str, hits: usize, misses: usize) {
    for (outcome, number) in [("hit", hits), ("miss", misses)] {
        if number > 0 {
            let labels =
                [("model", model.to_owned()), ("kind", kind.to_owned()), ("outcome", outcome.to_owned())];
            metrics::counter!("anwen_model_cache_lookups_total", &labels).increment(number as u64);
        }
    }
}

/// Whether an answer to `job` may be a kept one.
pub fn may_keep(job: &ChatJob, wish: CacheUse) -> bool {
    match wish {
        CacheUse::Always => true,
        CacheUse::Never => false,
        CacheUse::WhereDeterministic => job.sampling.temperature == Some(0.0) || job.sampling.seed.is_some(),
    }
}

/// Bytes that an event takes, near enough.
pub fn bytes_of(event: &ChatEvent) -> usize {
    let content = match event {
        ChatEvent::Delta(delta) => {
            let logprobs = delta.logprobs.iter();
            let tops = logprobs.map(|token| {
                let top = token.top.iter().map(|(bytes, _)| bytes.len() + size_of::<(Vec<u8>, f32)>());
                token.bytes.len() + size_of_val(token) + top.sum::<usize>()
            });
            delta.text.len() + tops.sum::<usize>()
        }
        ChatEvent::Reasoning(text) => text.len(),
        ChatEvent::ToolCall(call) => call.id.len() + call.name.len() + call.arguments.to_string().len(),
        ChatEvent::Done(_) => 0,
    };
    size_of::<ChatEvent>() + content
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Prompt;

    #[test]
    fn only_an_answer_that_would_be_the_same_again_is_kept_unasked() {
        for (temperature, seed, wish, expected) in [
            (None, None, CacheUse::WhereDeterministic, false),
            (Some(0.7), None, CacheUse::WhereDeterministic, false),
            (Some(0.0), None, CacheUse::WhereDeterministic, true),
            (Some(0.7), Some(3), CacheUse::WhereDeterministic, true),
            (Some(0.7), None, CacheUse::Always, true),
            (Some(0.0), Some(3), CacheUse::Never, false),
        ] {
            let mut job = ChatJob::new(Prompt::Raw("x".into()));
            job.sampling.temperature = temperature;
            job.sampling.seed = seed;
            assert_eq!(may_keep(&job, wish), expected, "{temperature:?} {seed:?} {wish:?}");
        }
    }
}
