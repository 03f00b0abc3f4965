//! The section `[model_runtime]` of the settings.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anwen_models::PullSettings;
use serde::{Deserialize, Serialize};

use crate::cache::CacheSettings;
use crate::engine::upstream::UpstreamSettings;
use crate::registry::KeepAlive;
use crate::routing::RouteSettings;

/// Settings of the model runtime. Every bound of the service stands here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port. 11434 is Ollama's, so that its clients find this service.
    pub listen: SocketAddr,
    /// Let programs on this machine that connect over loopback (Ollama clients) in without a token.
    pub allow_loopback_clients: bool,
    /// Other names for models: `alias = "model"`.
    pub aliases: BTreeMap<String, String>,
    /// Requests that may wait in front of one model; one more is refused.
    pub queue_capacity: usize,
    /// Requests of one user that may wait in front of one model, so that nobody fills the queue alone.
    pub queue_capacity_per_user: usize,
    /// Seconds that a request may wait in the queue; a request may ask for less (`X-Anwen-Deadline-Ms`).
    pub queue_timeout_seconds: u64,
    /// Seconds that one generation may take.
    pub generation_timeout_seconds: u64,
    /// Seconds that generations may go on for when a process of its own is told to end; new ones are refused meanwhile.
    pub finish_seconds: u64,
    /// Tokens of an answer when the request does not say.
    pub default_max_tokens: u32,
    /// Models with weights of their own that are loaded at the same time; the one unused for longest makes room.
    pub max_loaded_models: usize,
    /// Bytes of memory that models may take together; 0 for what the machine or the container grants.
    pub memory_limit_bytes: u64,
    /// Bytes of it that are left to everything else.
    pub memory_reserve_bytes: u64,
    /// Seconds that a model stays loaded after its last use when requests do not say; negative for ever.
    pub keep_alive_seconds: i64,
    /// Conversations that one loaded model answers at the same time; more wait in its queue.
    pub concurrent_chats: usize,
    /// Tokens of one conversation, prompt and answer together; less where a model was trained with less. `num_ctx` in a
    /// model's manifest goes before it.
    pub context_tokens: usize,
    /// How GGUF files run on a processor.
    pub llamacpp: LlamaCppSettings,
    /// Bytes of a request body.
    pub max_body_bytes: usize,
    /// Texts in one embedding request.
    pub max_embed_texts: usize,
    /// Tokens, the padding included, that an encoder of embeddings or a reranker reads in one batch.
    pub encoder_batch_tokens: usize,
    /// Passages in one request to the quoting answerer.
    pub max_documents: usize,
    /// Passages in one reranking request.
    pub max_rerank_documents: usize,
    /// Answers to one prompt (`n`), or prompts in one completion request.
    pub max_choices: u32,
    /// Pictures in one request.
    pub max_images: usize,
    /// Bytes of one picture.
    pub max_image_bytes: usize,
    /// Whether and how models are fetched from elsewhere.
    pub pull: PullSettings,
    /// List the scripted engine for tests and load runs under the name `stub`.
    pub enable_stub: bool,
    /// How the scripted engine behaves.
    pub stub: StubSettings,
    /// Answers and embeddings that are kept.
    pub cache: CacheSettings,
    /// Virtual models, whose rules choose a real one.
    pub routes: Vec<RouteSettings>,
    /// OpenAI-compatible servers whose models are offered here.
    pub upstreams: Vec<UpstreamSettings>,
}

/// `[model_runtime.llamacpp]`: how llama.cpp runs GGUF files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LlamaCppSettings {
    /// Tokens whose keys and values a model has room for. Each conversation that runs has `context_tokens` of them to
    /// itself: as many run together as fit whole, one at least and `concurrent_chats` at most.
    pub pool_tokens: usize,
    /// Finished conversations that a model remembers beside those, so that their next turn starts where the last one
    /// ended.
    pub kept_chats: usize,
    /// Bytes that these may take.
    pub kept_bytes: usize,
    /// How keys and values are stored: `f16`, or `q8_0` in half the memory.
    pub key_value_type: KeyValueType,
    /// Tokens that are computed in one step.
    pub batch_tokens: usize,
    /// Tokens of one text that an embedding or reranking model reads; the rest is cut off, and reported.
    pub encoder_tokens: usize,
    /// The folder with the processor variants (`libggml-cpu-*`); unset, they are looked for beside the program, in
    /// `../lib/anwen` from there, and where the build put them.
    pub backends_dir: Option<PathBuf>,
}

/// How keys and values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyValueType {
    F16,
    Q8_0,
}

impl Default for LlamaCppSettings {
    fn default() -> Self {
        Self {
            pool_tokens: 32_768,
            kept_chats: 16,
            kept_bytes: 1024 * 1024 * 1024,
            key_value_type: KeyValueType::F16,
            batch_tokens: 512,
            encoder_tokens: 2048,
            backends_dir: None,
        }
    }
}

/// `[model_runtime.stub]`: what the scripted engine says, and how fast.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StubSettings {
    /// Words of an answer that no script gives.
    pub tokens: u32,
    /// Milliseconds between two words.
    pub token_delay_ms: u64,
    /// Milliseconds before the first word.
    pub first_token_delay_ms: u64,
    /// Answers by prompt: the first entry whose `contains` stands in the last message is given.
    pub scripts: Vec<StubScript>,
    /// Calls of tools by prompt: those whose `contains` stands in the last message are made, when their tool was offered.
    pub calls: Vec<StubCall>,
    /// Conversations at the same time.
    pub concurrency: usize,
}

/// One scripted answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StubScript {
    pub contains: String,
    pub answer: String,
    /// Fail instead of ending the answer.
    #[serde(default)]
    pub fails: bool,
}

/// One scripted call of a tool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StubCall {
    pub contains: String,
    /// The tool's name.
    pub name: String,
    /// A JSON object.
    pub arguments: serde_json::Value,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 11434),
            allow_loopback_clients: true,
            aliases: BTreeMap::new(),
            queue_capacity: 64,
            queue_capacity_per_user: 48,
            queue_timeout_seconds: 120,
            generation_timeout_seconds: 1800,
            finish_seconds: 240,
            default_max_tokens: 1024,
            max_loaded_models: 2,
            memory_limit_bytes: 0,
            memory_reserve_bytes: 512 * 1024 * 1024,
            keep_alive_seconds: 1800,
            concurrent_chats: 4,
            context_tokens: 8192,
            llamacpp: LlamaCppSettings::default(),
            max_body_bytes: 32 * 1024 * 1024,
            max_embed_texts: 4096,
            encoder_batch_tokens: 4096,
            max_documents: 64,
            max_rerank_documents: 1000,
            max_choices: 8,
            max_images: 16,
            max_image_bytes: 20 * 1024 * 1024,
            pull: PullSettings::default(),
            enable_stub: false,
            stub: StubSettings::default(),
            cache: CacheSettings::default(),
            routes: Vec::new(),
            upstreams: Vec::new(),
        }
    }
}

impl Default for StubSettings {
    fn default() -> Self {
        Self {
            tokens: 32,
            token_delay_ms: 0,
            first_token_delay_ms: 0,
            scripts: Vec::new(),
            calls: Vec::new(),
            concurrency: 8,
        }
    }
}

impl Config {
    pub(crate) fn queue_timeout(&self) -> Duration {
        Duration::from_secs(self.queue_timeout_seconds)
    }

    pub(crate) fn keep_alive(&self) -> KeepAlive {
        match u64::try_from(self.keep_alive_seconds) {
            Ok(seconds) => KeepAlive::For(Duration::from_secs(seconds)),
            Err(_) => KeepAlive::Forever,
        }
    }

    pub(crate) fn generation_timeout(&self) -> Duration {
        Duration::from_secs(self.generation_timeout_seconds)
    }
}
