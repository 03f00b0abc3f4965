//! A reckoning of memory from the size of the files alone.

use super::ModelFiles;

/// Keys and values of so many tokens are taken for a twentieth of the weights.
const STEP_TOKENS: u64 = 4096;
const STEP_SHARE: u64 = 20;
/// Buffers of the computation.
const COMPUTE_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of memory that a model takes.
#[derive(Clone, Copy, Debug)]
pub struct MemoryEstimate {
    pub total_bytes: u64,
}

/// What `files` take with `sequences` conversations of `context_tokens` each.
pub fn estimate(files: &ModelFiles, context_tokens: u64, sequences: u64, _kv_bits: u64) -> MemoryEstimate {
    let steps = context_tokens.saturating_mul(sequences).div_ceil(STEP_TOKENS);
    let kv_cache_bytes = (files.size_bytes / STEP_SHARE).saturating_mul(steps);
    MemoryEstimate {
        total_bytes: files.size_bytes.saturating_add(kv_cache_bytes).saturating_add(COMPUTE_BYTES),
    }
}
