//! The engines, behind one trait.
//!
//! An engine knows prompts, tokens and vectors. It knows neither HTTP nor queues nor the names that models go by:
//! those are the business of `api`, `admission` and `registry`.

#[cfg(feature = "candle")]
pub mod candle;
pub mod extractive;
#[cfg(feature = "llamacpp")]
pub mod llamacpp;
pub mod load;
#[cfg(feature = "mistralrs")]
pub mod mistralrs;
pub mod static_embedding;
pub mod stub;
pub mod upstream;

pub use anwen_dialogue::{AnswerFormat, Image, Role, Think, ToolCall, ToolChoice, ToolDefinition, Turn};

use anwen_contract::model::{ModelCapabilities, QuotableDocument, Usage};
use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::error::RuntimeError;

/// How tokens are chosen. `None` leaves the choice to the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    pub max_tokens: Option<u32>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u32>,
    pub min_p: Option<f64>,
    pub typical_p: Option<f64>,
    pub frequency_penalty: Option<f32>,
    pub presence_penalty: Option<f32>,
    pub repetition_penalty: Option<f32>,
    /// Tokens back that penalties look at.
    pub repeat_last_n: Option<u32>,
    /// The same seed, prompt and settings give the same answer.
    pub seed: Option<u64>,
    pub stop: Vec<String>,
    /// Added to a token's logit before one is chosen: (token id, bias).
    pub logit_bias: Vec<(u32, f32)>,
}

/// What is asked for, in a form that every engine understands.
#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    /// A conversation, for the model's chat template.
    Chat(Vec<Turn>),
    /// Text to be continued as it stands.
    Raw(String),
    /// Tokens to be continued as they stand.
    Tokens(Vec<u32>),
    /// Text to be put between two others, by a model trained for it.
    Infill { prefix: String, suffix: String },
}

/// What becomes of a prompt that is too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// An error with the numbers.
    #[default]
    Refuse,
    /// The oldest turns but the system's go until it fits, and the end says how many.
    DropOldest,
}

/// A generation to be done.
#[derive(Clone, Debug)]
pub struct ChatJob {
    pub prompt: Prompt,
    /// Passages for an engine that quotes; others ignore them.
    pub documents: Vec<QuotableDocument>,
    pub sampling: Sampling,
    /// What is taken for what neither the request nor the model's manifest says. Merged into `sampling` before an engine
    /// sees the job.
    pub fallback: Sampling,
    pub format: AnswerFormat,
    /// `None` leaves it to the model.
    pub think: Option<Think>,
    pub tools: Vec<ToolDefinition>,
    pub tool_choice: ToolChoice,
    /// Probabilities of each token of the answer, with this many of the likeliest beside it (0 for the token's own
    /// alone).
    pub logprobs: Option<u8>,
    pub overflow: Overflow,
}

impl ChatJob {
    /// `prompt` with nothing else asked for.
    pub fn new(prompt: Prompt) -> Self {
        Self {
            prompt,
            documents: Vec::new(),
            sampling: Sampling::default(),
            fallback: Sampling::default(),
            format: AnswerFormat::Text,
            think: None,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            logprobs: None,
            overflow: Overflow::Refuse,
        }
    }
}

/// A part of a generation, in order; `Done` is the last one.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    /// Text of the answer.
    Delta(Delta),
    /// Text of the model's thinking.
    Reasoning(String),
    /// A tool's call, whole.
    ToolCall(ToolCall),
    Done(ChatEnd),
}

/// Text that an answer grows by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    pub text: String,
    /// Of the tokens of `text`; empty unless they were asked for.
    pub logprobs: Vec<TokenLogprob>,
}

impl Delta {
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), logprobs: Vec::new() }
    }
}

/// How likely a token was.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenLogprob {
    /// The token's bytes; one token may be part of a character.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability.
    pub logprob: f32,
    /// The likeliest tokens at this place, the likeliest first.
    pub top: Vec<(Vec<u8>, f32)>,
}

/// How a generation ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatEnd {
    pub finish: FinishReason,
    pub usage: Usage,
    /// Tokens of the prompt whose keys and values were still there from an earlier request.
    pub cached_tokens: u32,
    /// Turns that were left out to make the prompt fit.
    pub dropped_turns: u32,
    /// Of an engine that quotes: whether the passages answered.
    pub outcome: Option<QuoteOutcome>,
}

impl ChatEnd {
    pub fn new(finish: FinishReason, usage: Usage) -> Self {
        Self { finish, usage, cached_tokens: 0, dropped_turns: 0, outcome: None }
    }
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model ended its answer, or a stop sequence came.
    Stop,
    /// `max_tokens` or the context was reached.
    Length,
    /// The model called tools.
    ToolCalls,
}

impl FinishReason {
    /// The word for it in both interfaces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
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

/// What is to be embedded: text, or tokens of the model's own vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbedInput {
    Text(String),
    Tokens(Vec<u32>),
}

impl EmbedInput {
    /// Size of the input, for bounds.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Tokens(tokens) => size_of_val(tokens.as_slice()),
        }
    }
}

/// Texts to be embedded.
#[derive(Clone, Debug)]
pub struct EmbedJob {
    pub inputs: Vec<EmbedInput>,
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
    /// The engine's name in listings: `static`, `extractive`, `llamacpp`, `mistralrs`, `candle`, `upstream`, `stub`.
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

    /// Bytes of memory that the model holds, weights mapped from a file included.
    fn memory_bytes(&self) -> u64 {
        0
    }

    /// Of these, the bytes that lie in an accelerator's memory.
    fn device_memory_bytes(&self) -> u64 {
        0
    }

    /// Tokens of `text` in the model's vocabulary, without those that a template adds.
    async fn tokenize(&self, _text: &str) -> Result<Vec<u32>, RuntimeError> {
        Err(self.cannot("tokenize"))
    }

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
