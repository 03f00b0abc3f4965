//! The engines, behind one trait.
//!
//! An engine knows prompts, tokens and vectors. It knows neither HTTP nor queues nor the names that models go by:
//! those are the business of `api`, `admission` and `registry`.

pub mod extractive;
#[cfg(feature = "mistralrs")]
pub mod mistralrs;
pub mod static_embedding;
#[cfg(feature = "mistralrs")]
mod stop;
pub mod stub;

use anwen_contract::model::{ModelCapabilities, QuotableDocument, Usage};
use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::error::RuntimeError;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub role: Role,
    pub content: String,
}

/// Who speaks a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
    Tool,
}

impl Role {
    /// The role of this name in the OpenAI and Ollama interfaces.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "system" | "developer" => Some(Self::System),
            "user" => Some(Self::User),
            "assistant" => Some(Self::Assistant),
            "tool" => Some(Self::Tool),
            _ => None,
        }
    }
}

/// How tokens are chosen. `None` leaves the choice to the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    pub max_tokens: Option<u32>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u32>,
    pub min_p: Option<f64>,
    pub frequency_penalty: Option<f32>,
    pub presence_penalty: Option<f32>,
    pub repetition_penalty: Option<f32>,
    /// The same seed, prompt and settings give the same answer.
    pub seed: Option<u64>,
    pub stop: Vec<String>,
}

/// What the answer must be.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AnswerFormat {
    #[default]
    Text,
    /// Any JSON value.
    Json,
    /// JSON that a schema describes.
    JsonSchema(serde_json::Value),
}

/// What is asked for, in a form that every engine understands.
#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    /// A conversation, for the model's chat template.
    Chat(Vec<Turn>),
    /// Text to be continued as it stands.
    Raw(String),
}

/// A generation to be done.
#[derive(Clone, Debug)]
pub struct ChatJob {
    pub prompt: Prompt,
    /// Passages for an engine that quotes; others ignore them.
    pub documents: Vec<QuotableDocument>,
    pub sampling: Sampling,
    pub format: AnswerFormat,
    /// Whether a model that can think aloud should; `None` leaves it to the model.
    pub think: Option<bool>,
}

/// A part of a generation, in order; `Done` is the last one.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    Delta(String),
    Reasoning(String),
    Done(ChatEnd),
}

/// How a generation ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatEnd {
    pub finish: FinishReason,
    pub usage: Usage,
    /// Of an engine that quotes: whether the passages answered.
    pub outcome: Option<QuoteOutcome>,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model ended its answer, or a stop sequence came.
    Stop,
    /// `max_tokens` or the context was reached.
    Length,
}

impl FinishReason {
    /// The word for it in both interfaces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// Whether the passages answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteOutcome {
    Quoted,
    NotFound,
}

impl QuoteOutcome {
    /// The word for it in the `anwen` extension.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quoted => "quoted",
            Self::NotFound => "not_found",
        }
    }
}

/// Dropping the stream cancels the generation.
pub type ChatEvents = BoxStream<'static, Result<ChatEvent, RuntimeError>>;

/// Texts to be embedded.
#[derive(Clone, Debug)]
pub struct EmbedJob {
    pub texts: Vec<String>,
    /// Keep this many leading dimensions and scale to length 1 again; only for models trained so that this works.
    pub dimensions: Option<usize>,
}

/// One vector for each text of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    pub dimensions: usize,
    /// Row after row.
    pub values: Vec<f32>,
    /// Tokens that were embedded, over all texts.
    pub tokens: usize,
    /// Indexes of the texts that were longer than the model reads.
    pub truncated: Vec<usize>,
}

impl Embeddings {
    /// The vectors, in the order of the texts.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimensions.max(1))
    }
}

/// A loaded model. Dropping the last reference frees its memory.
#[async_trait]
pub trait Engine: Send + Sync {
    /// The engine's name in listings: `static`, `extractive`, `mistralrs`, `stub`.
    fn name(&self) -> &'static str;

    fn capabilities(&self) -> ModelCapabilities;

    /// Tokens of prompt and answer together; `None` where there is no such bound.
    fn context_tokens(&self) -> Option<usize>;

    /// Numbers in an embedding; `None` for an engine that does not embed.
    fn dimensions(&self) -> Option<usize> {
        None
    }

    /// Requests that run at the same time; more wait in the queue.
    fn concurrency(&self) -> usize;

    /// Starts a generation. What is wrong with the request itself is an error here and not in the stream.
    async fn chat(&self, _job: ChatJob) -> Result<ChatEvents, RuntimeError> {
        Err(self.cannot("chat"))
    }

    async fn embed(&self, _job: EmbedJob) -> Result<Embeddings, RuntimeError> {
        Err(self.cannot("embed"))
    }

    /// Relevance of each document to the query, higher is better, in the order of the documents.
    async fn rerank(&self, _query: &str, _documents: &[String]) -> Result<Vec<f32>, RuntimeError> {
        Err(self.cannot("rerank"))
    }

    /// The failure of an engine that is asked for what it does not do.
    fn cannot(&self, action: &'static str) -> RuntimeError {
        RuntimeError::NotCapable { model: self.name().to_owned(), action }
    }
}

/// Token counts as the interfaces report them.
pub(crate) fn usage(prompt_tokens: usize, completion_tokens: usize) -> Usage {
    let prompt_tokens = u32::try_from(prompt_tokens).unwrap_or(u32::MAX);
    let completion_tokens = u32::try_from(completion_tokens).unwrap_or(u32::MAX);
    Usage { prompt_tokens, completion_tokens, total_tokens: prompt_tokens.saturating_add(completion_tokens) }
}

/// Requests that an engine bound by the processor runs at the same time: one for each core granted to the process.
pub(crate) fn processor_concurrency() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
