//! How a model is loaded: from the settings, its manifest and its own header.

use std::num::NonZeroU32;
use std::path::PathBuf;

use anwen_models::{ModelFiles, Weights};
use llama_cpp_2::context::params::{KvCacheType, LlamaContextParams};
use llama_cpp_2::model::LlamaModel;

use super::encoder::BATCH_TEXTS;
use super::worker::Bounds;
use crate::config::{Config, KeyValueType};

/// What a model's `pooling_type` says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It writes.
    Chat,
    /// Its texts become vectors.
    Embed,
    /// Its pairs of texts become a relevance.
    Rank,
}

/// What is to be loaded, and how.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    pub name: String,
    pub file: PathBuf,
    pub adapters: Vec<PathBuf>,
    pub backends: Option<PathBuf>,
    pub threads: usize,
    /// Tokens of one conversation that are asked for.
    context_tokens: usize,
    pool_tokens: usize,
    encoder_tokens: usize,
    batch_tokens: usize,
    pub generations: usize,
    pub kept_chats: usize,
    pub kept_bytes: usize,
    key_value_type: KeyValueType,
}

/// Sizes of a context for a certain model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Tokens of one conversation or text.
    pub context_tokens: usize,
    /// Tokens of all of them.
    pub pool_tokens: usize,
    pub batch_tokens: usize,
    /// Conversations that run together, each with a stream of cells to itself; texts of a batch.
    pub sequences: usize,
}

/// Cells of a stream of keys and values come in such blocks.
const STREAM_BLOCK: usize = 256;
/// llama.cpp's number for attention that is computed without tiles.
const WITHOUT_FLASH_ATTENTION: i32 = 0;
/// llama.cpp's bound on sequences.
const MAX_SEQUENCES: usize = 256;

impl LoadOptions {
    /// The options of `files`; an error says what of them cannot be done.
    pub fn new(files: &ModelFiles, config: &Config) -> Result<Self, String> {
        let Weights::Gguf { file } = &files.weights else { return Err("it is not a GGUF file".to_owned()) };
        let settings = &files.settings;
        if settings.adapters.len() > 1 {
            return Err("llama.cpp takes one adapter for a model here; merge them into one".to_owned());
        }
        let asked = settings.parameters.get("num_ctx").and_then(serde_json::Value::as_u64);
        let asked = asked.and_then(|tokens| usize::try_from(tokens).ok()).filter(|tokens| *tokens > 0);
        let generations = config.concurrent_chats.clamp(1, MAX_SEQUENCES);
        Ok(Self {
            name: files.name.clone(),
            file: file.clone(),
            adapters: settings.adapters.clone(),
            backends: config.llamacpp.backends_dir.clone(),
            threads: crate::engine::processor_concurrency(),
            context_tokens: asked.unwrap_or(config.context_tokens).max(1),
            pool_tokens: config.llamacpp.pool_tokens,
            encoder_tokens: config.llamacpp.encoder_tokens.max(1),
            batch_tokens: config.llamacpp.batch_tokens.clamp(1, 4096),
            generations,
            kept_chats: config.llamacpp.kept_chats,
            kept_bytes: config.llamacpp.kept_bytes,
            key_value_type: config.llamacpp.key_value_type,
        })
    }

    /// Sizes for a model that was trained with `trained_tokens`.
    pub fn sizes(&self, purpose: Purpose, trained_tokens: usize) -> Sizes {
        let trained = if trained_tokens == 0 { usize::MAX } else { trained_tokens };
        if purpose != Purpose::Chat {
            let tokens = self.encoder_tokens.min(trained);
            let batch = tokens.max(self.batch_tokens);
            return Sizes {
                context_tokens: tokens,
                pool_tokens: batch,
                batch_tokens: batch,
                sequences: BATCH_TEXTS,
            };
        }
        let context_tokens = self.context_tokens.min(trained);
        let stream = context_tokens.next_multiple_of(STREAM_BLOCK);
        let sequences = (self.pool_tokens / stream).clamp(1, self.generations);
        let pool_tokens = stream * sequences;
        Sizes { context_tokens, pool_tokens, batch_tokens: self.batch_tokens.min(stream), sequences }
    }

    /// A context of these sizes.
    pub fn context(&self, purpose: Purpose, sizes: Sizes) -> LlamaContextParams {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let threads = i32::try_from(self.threads).unwrap_or(1);
        let kind = match self.key_value_type {
            KeyValueType::F16 => KvCacheType::F16,
            KeyValueType::Q8_0 => KvCacheType::Q8_0,
        };
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(number(sizes.pool_tokens)))
            .with_n_batch(number(sizes.batch_tokens))
            .with_n_ubatch(number(sizes.batch_tokens))
            .with_n_seq_max(number(sizes.sequences))
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_type_k(kind)
            .with_type_v(kind)
            .with_embeddings(purpose != Purpose::Chat)
            // Texts of a batch are no conversations: one stream for all.
            .with_kv_unified(purpose != Purpose::Chat)
            .with_swa_full(true);
        // On a processor the tiled kernel reads a prompt a fifth faster and writes a token at half the speed when the
        // conversation is long, so that answers of sixty tokens are later with it. Keys and values in 8 bits need it.
        let without_tiles = purpose == Purpose::Chat
            && self.key_value_type == KeyValueType::F16
            && !cfg!(any(feature = "cuda", feature = "metal"));
        if without_tiles { params.with_flash_attention_policy(WITHOUT_FLASH_ATTENTION) } else { params }
    }

    pub fn bounds(&self, sizes: Sizes) -> Bounds {
        Bounds { generations: sizes.sequences, batch_tokens: sizes.batch_tokens }
    }

    /// Bytes of keys and values of a context of these sizes.
    pub fn key_value_bytes(&self, model: &LlamaModel, sizes: Sizes) -> u64 {
        let heads = u64::from(model.n_head().max(1));
        let architecture = architecture(model);
        let default = u64::try_from(model.n_embd()).unwrap_or(0) / heads;
        let width =
            |part: &str| number(model, &format!("{architecture}.attention.{part}_length")).unwrap_or(default);
        let values =
            u64::from(model.n_layer()) * u64::from(model.n_head_kv()) * (width("key") + width("value"));
        let bits = match self.key_value_type {
            KeyValueType::F16 => 16 * 32,
            // Blocks of 32 bytes and a scale of 2.
            KeyValueType::Q8_0 => 34 * 8,
        };
        values * sizes.pool_tokens as u64 * bits / (8 * 32)
    }
}

/// The architecture's name, `llama` or `bert` for example; empty when the file does not say.
pub fn architecture(model: &LlamaModel) -> String {
    model.meta_val_str("general.architecture").unwrap_or_default()
}

/// What `model` is for, by its kind of pooling: 1 to 3 make vectors, 4 ranks.
pub fn purpose(model: &LlamaModel) -> Purpose {
    match number(model, &format!("{}.pooling_type", architecture(model))) {
        Some(1..=3) => Purpose::Embed,
        Some(4) => Purpose::Rank,
        _ => Purpose::Chat,
    }
}

fn number(model: &LlamaModel, key: &str) -> Option<u64> {
    model.meta_val_str(key).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(context_tokens: usize, pool_tokens: usize) -> LoadOptions {
        LoadOptions {
            name: String::new(),
            file: PathBuf::new(),
            adapters: Vec::new(),
            backends: None,
            threads: 2,
            context_tokens,
            pool_tokens,
            encoder_tokens: 2048,
            batch_tokens: 512,
            generations: 4,
            kept_chats: 4,
            kept_bytes: 0,
            key_value_type: KeyValueType::F16,
        }
    }

    #[test]
    fn a_context_is_no_longer_than_what_the_model_was_trained_with() {
        let sizes = options(8192, 16_384).sizes(Purpose::Chat, 256);
        assert_eq!((sizes.context_tokens, sizes.pool_tokens, sizes.batch_tokens), (256, 1024, 256));
    }

    #[test]
    fn as_many_conversations_run_together_as_the_pool_holds_whole() {
        for (pool_tokens, expected) in [(1000, 1), (16_384, 2), (20_000, 2), (1 << 20, 4)] {
            let sizes = options(8000, pool_tokens).sizes(Purpose::Chat, 40_960);
            assert_eq!((sizes.sequences, sizes.pool_tokens), (expected, expected * 8192), "{pool_tokens}");
        }
    }

    #[test]
    fn an_encoder_takes_one_text_of_its_length_in_a_batch() {
        let sizes = options(8192, 16_384).sizes(Purpose::Embed, 8192);
        assert_eq!((sizes.context_tokens, sizes.batch_tokens), (2048, 2048));
        let sizes = options(8192, 16_384).sizes(Purpose::Rank, 128);
        assert_eq!((sizes.context_tokens, sizes.batch_tokens), (128, 512));
    }
}
