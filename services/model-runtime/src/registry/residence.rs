//! How long a model stays in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::{ModelFiles, Weights};
use crate::admission::Admission;
use crate::engine::Engine;
use crate::error::RuntimeError;

/// How long a model stays loaded after its last use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// So long; zero unloads it as soon as it is idle.
    For(Duration),
    /// Until it is unloaded by name.
    Forever,
}

impl KeepAlive {
    /// Seconds, where a negative number means for ever.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        if seconds.is_nan() {
            return None;
        }
        if seconds < 0.0 {
            return Some(Self::Forever);
        }
        // What is too long for a duration is for ever.
        Some(Duration::try_from_secs_f64(seconds).map_or(Self::Forever, Self::For))
    }

    /// Whether a request that asks for nothing else asks for the model to go.
    pub fn unloads(self) -> bool {
        self == Self::For(Duration::ZERO)
    }

    /// As Ollama's `keep_alive` is written: a number of seconds, or a text such as `"5m"`, `"1h30m"`, `"-1"`; what is
    /// negative stays for ever. See <https://github.com/ollama/ollama/blob/main/docs/faq.md>.
    pub fn parse(value: &Value) -> Result<Self, RuntimeError> {
        let read = match value {
            Value::Number(seconds) => seconds.as_f64().and_then(Self::from_seconds),
            Value::String(text) => seconds_of(text.trim()).and_then(Self::from_seconds),
            _ => None,
        };
        read.ok_or_else(|| {
            RuntimeError::Invalid(format!(
                "keep_alive is {value}; use seconds, or a duration such as \"10m\", negative to keep the model loaded"
            ))
        })
    }
}

/// Seconds in a duration of Go's notation, or in a plain number.
fn seconds_of(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds);
    }
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|end| *end > 0)?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match &rest[..unit] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!text.is_empty()).then_some(sign * total)
}

/// What decides when a model goes. It outlives a loaded model, so that one that is loaded again stays pinned.
#[derive(Debug)]
pub(super) struct Residence {
    pub keep_alive: KeepAlive,
    /// Never unloaded to make room, nor for being idle.
    pub pinned: bool,
    pub last_used: Instant,
}

/// Shared by a model's place in the registry and the model while it is loaded.
pub(super) type SharedResidence = Arc<Mutex<Residence>>;

/// A model that can answer.
pub struct LoadedModel {
    pub name: String,
    pub engine: Arc<dyn Engine>,
    pub admission: Admission,
    /// `None` for models that are part of this program, and for those of other servers.
    pub files: Option<ModelFiles>,
    pub load_duration: Duration,
    /// What was reckoned before loading; 0 where nothing was.
    pub(super) estimated_bytes: u64,
    pub(super) loaded_at: Instant,
    pub(super) residence: SharedResidence,
}

impl LoadedModel {
    pub(super) fn residence(&self) -> MutexGuard<'_, Residence> {
        // Each field is set by itself: a panic elsewhere does not spoil them.
        self.residence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn touch(&self) {
        self.residence().last_used = Instant::now();
    }

    /// When it was last asked for, or its last request ended.
    pub(super) fn last_used(&self) -> Instant {
        self.residence().last_used.max(self.admission.idle_since())
    }

    /// Bytes of memory that it holds: what the engine counts, or else what was reckoned before loading.
    pub fn memory_bytes(&self) -> u64 {
        match self.engine.memory_bytes() {
            0 => self.estimated_bytes,
            counted => counted,
        }
    }

    /// Names the weights that answer: changes when the files do.
    pub fn identity(&self) -> String {
        let fingerprint = self.files.as_ref().map(ModelFiles::fingerprint).unwrap_or_default();
        format!("{}\n{}\n{fingerprint}", self.engine.name(), self.name)
    }

    /// The time of loading it, where that began after `started`.
    pub fn load_since(&self, started: Instant) -> Duration {
        if self.loaded_at > started { self.load_duration } else { Duration::ZERO }
    }

    /// Whether it stays until it is unpinned.
    pub fn is_pinned(&self) -> bool {
        self.residence().pinned
    }

    /// Only models with weights of their own count against the bounds on memory and number.
    pub(super) fn is_heavy(&self) -> bool {
        self.files.as_ref().is_some_and(|files| !matches!(files.weights, Weights::StaticEmbedding { .. }))
    }

    /// When it will be unloaded if nobody asks for it; `None` where nothing unloads it by itself.
    pub fn expires_at(&self) -> Option<SystemTime> {
        let left = self.time_left(Instant::now())?;
        SystemTime::now().checked_add(left)
    }

    /// Time until it may go for being idle; zero when it is over, `None` where nothing unloads it by itself.
    pub(super) fn time_left(&self, now: Instant) -> Option<Duration> {
        self.files.as_ref()?;
        let idle = now.saturating_duration_since(self.last_used());
        let residence = self.residence();
        match residence.keep_alive {
            _ if residence.pinned => None,
            KeepAlive::Forever => None,
            KeepAlive::For(kept) => Some(kept.saturating_sub(idle)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keep_alive_is_read_as_ollama_writes_it() {
        let seconds = |seconds| KeepAlive::For(Duration::from_secs(seconds));
        for (value, expected) in [
            (json!(0), seconds(0)),
            (json!(300), seconds(300)),
            (json!(-1), KeepAlive::Forever),
            (json!("-1"), KeepAlive::Forever),
            (json!("-1m"), KeepAlive::Forever),
            (json!("0"), seconds(0)),
            (json!("0s"), seconds(0)),
            (json!("5m"), seconds(300)),
            (json!("1h30m"), seconds(5400)),
            (json!("1500ms"), KeepAlive::For(Duration::from_millis(1500))),
            (json!(1e300), KeepAlive::Forever),
        ] {
            assert_eq!(KeepAlive::parse(&value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn nonsense_for_keep_alive_is_refused() {
        for value in
            [json!(""), json!("soon"), json!("5 minutes"), json!("m"), json!([1]), json!(true), json!("5m3")]
        {
            assert!(KeepAlive::parse(&value).is_err(), "{value}");
        }
    }
}
