//! How much memory a model takes, from its files' own headers, before anything is loaded.
//!
//! Three parts are added up:
//!
//! - *Weights*: the bytes of the weight files, or, where they are quantised while loading, their values times the bits of
//!   the kind they are brought to.
//! - *Keys and values*: for each layer, tokens × key-value heads × (key length + value length) × bits / 8. A layer that
//!   looks back over a window keeps the window and one batch, however long the context is.
//! - *Buffers of the computation*, for one batch of tokens: the largest of the logits (vocabulary × 4 bytes a token), one
//!   layer's activations (3 × feed-forward and 6 × embedding numbers of 4 bytes a token) and one layer's attention scores
//!   (4 bytes for each head and each pair of batch and context tokens), the attention mask (6 bytes for each such pair),
//!   and a fixed part.
//!
//! What the file says is untrusted: sums saturate instead of wrapping.

use crate::files::ModelFiles;
use crate::shape::{LayerKind, ModelShape};

/// Tokens that an engine computes at once (llama.cpp's `n_ubatch`).
const BATCH_TOKENS: u64 = 512;
/// Contexts are rounded up to this many tokens.
const CONTEXT_STEP_TOKENS: u64 = 256;
/// Graph, tokenizer and scratch memory that do not depend on the model's size.
const FIXED_BYTES: u64 = 48 * 1024 * 1024;
/// Bytes of an activation or a logit.
const FLOAT_BYTES: u64 = 4;
/// Of one pair of tokens in the mask: one 32-bit and one 16-bit copy.
const MASK_BYTES: u64 = 6;
/// Where the files do not say how many layers there are: a twentieth of the weights for each 4,096 tokens.
const UNKNOWN_SHAPE_STEP_TOKENS: u64 = 4096;
const UNKNOWN_SHAPE_SHARE: u64 = 20;

/// Bytes of memory that a model takes, by use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct MemoryEstimate {
    pub weights_bytes: u64,
    pub kv_cache_bytes: u64,
    pub compute_bytes: u64,
    pub total_bytes: u64,
}

/// What `files` take with `sequences` conversations of `context_tokens` each at the same time, keys and values being kept
/// with `kv_bits` a number. Reads headers, so call it where blocking is allowed.
pub fn estimate(files: &ModelFiles, context_tokens: u64, sequences: u64, kv_bits: u64) -> MemoryEstimate {
    let shape = ModelShape::of_files(files);
    let weights_bytes = weights_bytes(files, shape.as_ref());
    estimate_shape(weights_bytes, shape.as_ref(), context_tokens, sequences, kv_bits)
}

/// The same for weights of a known size and shape.
pub fn estimate_shape(
    weights_bytes: u64,
    shape: Option<&ModelShape>,
    context_tokens: u64,
    sequences: u64,
    kv_bits: u64,
) -> MemoryEstimate {
    let context = context_tokens.max(1).checked_next_multiple_of(CONTEXT_STEP_TOKENS).unwrap_or(u64::MAX);
    let sequences = sequences.max(1);
    let (kv_cache_bytes, compute_bytes) = match shape {
        Some(shape) => (
            kv_cache_bytes(shape, context, kv_bits).saturating_mul(sequences),
            compute_bytes(shape, context, sequences),
        ),
        None => {
            let steps = context.saturating_mul(sequences).div_ceil(UNKNOWN_SHAPE_STEP_TOKENS);
            ((weights_bytes / UNKNOWN_SHAPE_SHARE).saturating_mul(steps), FIXED_BYTES)
        }
    };
    let total_bytes = weights_bytes.saturating_add(kv_cache_bytes).saturating_add(compute_bytes);
    MemoryEstimate { weights_bytes, kv_cache_bytes, compute_bytes, total_bytes }
}

fn weights_bytes(files: &ModelFiles, shape: Option<&ModelShape>) -> u64 {
    let projector = files.settings.projector.iter().chain(&files.settings.adapters);
    let extras: u64 = projector.filter_map(|path| path.metadata().ok()).map(|file| file.len()).sum();
    let bits = files.settings.quantize_on_load.as_deref().and_then(bits_of_kind);
    let stored_bits = shape.and_then(|shape| shape.stored_bits).filter(|bits| *bits > 0);
    let own = match bits.zip(stored_bits) {
        // Hundredths of bits, so that 4.5 bits stay whole.
        Some((bits, stored)) if bits < stored * 100 => {
            let values = u128::from(files.size_bytes) * 8 / u128::from(stored);
            u64::try_from(values * u128::from(bits) / 800).unwrap_or(u64::MAX)
        }
        _ => files.size_bytes,
    };
    own.saturating_add(extras)
}

/// Hundredths of bits that a value takes when it is quantised to `kind` while loading; the embedding stays larger, which
/// the next coarser step of each kind makes up for.
fn bits_of_kind(kind: &str) -> Option<u64> {
    let lower = kind.to_ascii_lowercase();
    Some(match lower.split('_').next()? {
        "q2k" | "q2" => 300,
        "q3k" | "q3" => 400,
        "q4k" | "q4" | "4" | "afq4" | "hqq4" => 500,
        "q5k" | "q5" | "5" => 600,
        "q6k" | "q6" | "afq6" | "6" => 700,
        "q8" | "8" | "afq8" | "hqq8" | "fp8" | "f8e4m3" => 900,
        _ => return None,
    })
}

fn kv_cache_bytes(shape: &ModelShape, context: u64, kv_bits: u64) -> u64 {
    let mut numbers: u128 = 0;
    for layer in 0..shape.layers {
        let tokens = match shape.layer_kind(layer) {
            LayerKind::Global => context,
            LayerKind::Local { window } => context.min(window.saturating_add(BATCH_TOKENS)),
        };
        let length = u128::from(shape.key_length) + u128::from(shape.value_length);
        let per_token = u128::from(shape.kv_heads(layer)).saturating_mul(length);
        numbers = numbers.saturating_add(per_token.saturating_mul(u128::from(tokens)));
    }
    u64::try_from(numbers.saturating_mul(u128::from(kv_bits)) / 8).unwrap_or(u64::MAX)
}

fn compute_bytes(shape: &ModelShape, context: u64, sequences: u64) -> u64 {
    let logits = shape.vocabulary.saturating_mul(FLOAT_BYTES);
    let activations = shape
        .feed_forward
        .saturating_mul(3)
        .saturating_add(shape.embedding_length.saturating_mul(6))
        .saturating_mul(FLOAT_BYTES);
    let scores = shape.query_heads.saturating_mul(context).saturating_mul(FLOAT_BYTES);
    let mask = context.saturating_mul(sequences).saturating_mul(MASK_BYTES);
    logits
        .max(activations)
        .max(scores)
        .saturating_add(mask)
        .saturating_mul(BATCH_TOKENS)
        .saturating_add(FIXED_BYTES)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn shape(layers: u64, kv_heads: u64, length: u64) -> ModelShape {
        ModelShape {
            layers,
            kv_head_counts: vec![kv_heads],
            key_length: length,
            value_length: length,
            ..ModelShape::default()
        }
    }

    #[test]
    fn keys_and_values_of_known_models() {
        // Llama 3.1 8B: 32 layers, 8 key-value heads of 128, so 128 KiB a token in 16 bits.
        // Qwen3 0.6B: 28 layers, 8 heads of 128. Qwen2.5 7B: 28 layers, 4 heads of 128.
        for (layers, heads, context, sequences, bits, expected_mib) in [
            (32, 8, 8192, 1, 16, 1024),
            (32, 8, 8192, 4, 16, 4096),
            (32, 8, 8192, 1, 8, 512),
            (28, 8, 4096, 1, 16, 448),
            (28, 4, 32768, 1, 16, 1792),
            (32, 8, 1, 1, 16, 32),
        ] {
            let estimate = estimate_shape(0, Some(&shape(layers, heads, 128)), context, sequences, bits);
            assert_eq!(estimate.kv_cache_bytes, expected_mib * MIB, "{layers} layers, {context} tokens");
        }
    }

    #[test]
    fn local_layers_keep_their_window_only() {
        // Gemma 3: five local layers for each global one.
        let mut gemma = shape(6, 4, 256);
        gemma.sliding_window = 1024;
        gemma.global_every = 6;
        let per_token = 4 * 512 * 2;
        let expected = (5 * (1024 + 512) + 32768) * per_token;
        assert_eq!(estimate_shape(0, Some(&gemma), 32768, 1, 16).kv_cache_bytes, expected);
        assert_eq!(estimate_shape(0, Some(&gemma), 1024, 1, 16).kv_cache_bytes, 6 * 1024 * per_token);
    }

    #[test]
    fn layers_without_attention_keep_nothing() {
        let mut hybrid = shape(4, 0, 128);
        hybrid.kv_head_counts = vec![0, 8, 0, 8];
        let estimate = estimate_shape(0, Some(&hybrid), 256, 1, 16);
        assert_eq!(estimate.kv_cache_bytes, 2 * 8 * 256 * 2 * 256);
    }

    #[test]
    fn a_large_vocabulary_decides_the_buffers() {
        let mut qwen = shape(28, 8, 128);
        qwen.vocabulary = 151_936;
        qwen.feed_forward = 3072;
        qwen.embedding_length = 1024;
        let estimate = estimate_shape(100 * MIB, Some(&qwen), 4096, 1, 16);
        assert_eq!(estimate.compute_bytes, 512 * (151_936 * 4 + 4096 * 6) + FIXED_BYTES);
        let parts = estimate.weights_bytes + estimate.kv_cache_bytes + estimate.compute_bytes;
        assert_eq!(estimate.total_bytes, parts);
    }

    #[test]
    fn a_long_context_makes_the_scores_decide_the_buffers() {
        let mut llama = shape(32, 8, 128);
        (llama.query_heads, llama.vocabulary) = (32, 128_256);
        let estimate = estimate_shape(0, Some(&llama), 8192, 4, 16);
        assert_eq!(estimate.compute_bytes, 512 * (32 * 8192 * 4 + 4 * 8192 * 6) + FIXED_BYTES);
    }

    #[test]
    fn impossible_numbers_saturate() {
        let mut lie = shape(4096, u64::MAX, u64::MAX);
        lie.vocabulary = u64::MAX;
        let estimate = estimate_shape(u64::MAX, Some(&lie), u64::MAX, u64::MAX, 16);
        assert_eq!(estimate.total_bytes, u64::MAX);
    }

    #[test]
    fn weights_quantised_while_loading_shrink() {
        for (kind, expected) in [("q4_k", Some(500)), ("Q8_0", Some(900)), ("f16", None)] {
            assert_eq!(bits_of_kind(kind), expected, "{kind}");
        }
    }
}
