//! The part of OpenAI's interface that our services use between themselves, with the extensions that the
//! quoting answerer needs. The model runtime's own HTTP layer takes more than this; see its `api` folder.

mod embedding;

use serde::{Deserialize, Serialize};

pub use embedding::{EmbeddingAnswer, EmbeddingItem, EmbeddingRequest};

/// The built-in answerer that quotes.
pub const EXTRACTIVE_MODEL: &str = "extractive";
/// The bundled bilingual static embedding.
pub const STATIC_EMBEDDING_MODEL: &str = "embedding";

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatTurn {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    pub content: String,
}

impl ChatTurn {
    pub fn new(role: &str, content: impl Into<String>) -> Self {
        Self { role: role.to_owned(), content: content.into() }
    }
}

/// A passage handed to an answerer that quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuotableDocument {
    /// The number by which it is cited.
    pub n: u32,
    #[serde(default)]
    pub title: String,
    pub text: String,
    /// How well retrieval rated it; higher is better.
    #[serde(default)]
    pub score: f32,
}

/// The body of `POST /v1/chat/completions` as web sends it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChatRequest {
    pub model: String,
    pub messages: Vec<ChatTurn>,
    #[serde(default)]
    pub stream: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Extension: the passages for an answerer that quotes; other engines ignore it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<QuotableDocument>,
}

/// Options of a streamed answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

/// Tokens counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Usage {
    pub prompt_tokens: u32,
    pub completion_tokens: u32,
    #[serde(default)]
    pub total_tokens: u32,
}

/// One event of a streamed chat completion.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ChatChunk {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub model: String,
    #[serde(default)]
    pub choices: Vec<ChunkChoice>,
    #[serde(default)]
    pub usage: Option<Usage>,
    /// Extension: what the runtime adds (`outcome`, `queue_position`, `truncated`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anwen: Option<RuntimeNote>,
}

/// What one choice adds to the text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ChunkChoice {
    #[serde(default)]
    pub index: u32,
    #[serde(default)]
    pub delta: ChunkDelta,
    #[serde(default)]
    pub finish_reason: Option<String>,
}

/// The text that a streamed event adds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ChunkDelta {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The thinking of a model that thinks aloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
}

/// Our own note beside OpenAI's fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RuntimeNote {
    /// `quoted` or `not_found`, from the quoting answerer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Requests before this one in the model's queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<u32>,
    /// The prompt was cut to fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// Turns that were left out for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped_turns: Option<u32>,
    /// Tokens of the prompt that an earlier request had left computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u32>,
    /// The answer came from the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<bool>,
    /// Which model a routing rule chose, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routed: Option<RoutedNote>,
}

/// What a virtual model made of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutedNote {
    /// The model that answers.
    pub model: String,
    /// The name of the rule that chose it; `default` when none did.
    pub rule: String,
    /// What the rule saw.
    pub why: String,
}

/// What a model can do, and whether it is loaded.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ModelInfo {
    /// The name to ask for.
    pub id: String,
    /// Which engine runs it: `static`, `extractive`, `mistralrs`, `llamacpp`, `upstream`, `stub`.
    pub engine: String,
    pub capabilities: ModelCapabilities,
    pub state: ModelState,
    /// Tokens of prompt and answer together; 0 where there is no such bound.
    pub context_tokens: u32,
    /// Numbers in an embedding; `null` for models that do not embed.
    #[serde(default)]
    pub dimensions: Option<u32>,
    /// Bytes of the weights on disk.
    #[serde(default)]
    pub size_bytes: u64,
}

/// What a model can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ModelCapabilities {
    pub chat: bool,
    pub embed: bool,
    pub rerank: bool,
    pub vision: bool,
    pub tools: bool,
    /// Answers by quoting the passages in `documents`, and needs them.
    pub quotes: bool,
}

/// Where a model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// On disk, loaded on first use.
    Available,
    Loading,
    Ready,
    Failed,
}

/// The answer of `GET /admin/models`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ModelList {
    pub models: Vec<ModelInfo>,
}
