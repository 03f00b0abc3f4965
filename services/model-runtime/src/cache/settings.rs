//! What is kept, and for how long.

use serde::{Deserialize, Serialize};

/// `[model_runtime.cache]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    /// Bytes of kept answers; 0 keeps none.
    pub answer_bytes: usize,
    /// Bytes of kept embeddings; 0 keeps none.
    pub embedding_bytes: usize,
    /// Seconds for which something is kept at most.
    pub max_age_seconds: u64,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { answer_bytes: 32 * 1024 * 1024, embedding_bytes: 64 * 1024 * 1024, max_age_seconds: 3600 }
    }
}
