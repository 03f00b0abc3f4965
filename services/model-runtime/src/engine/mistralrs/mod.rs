//! Models in process through mistral.rs: safetensors folders and GGUF files, models that see, low-rank adapters,
//! embedding models of the decoder's kind.
//!
//! Nothing is fetched: models are loaded from local paths only. A generation is cancelled by dropping its events: the
//! engine notices at the next token. Dropping the engine ends mistral.rs' own thread and frees the weights.

mod answer;
mod choice;
mod files;
mod load;
mod prompt;

use std::sync::Arc;

use anwen_contract::model::ModelCapabilities;
use anwen_dialogue::{AnswerReader, ChatTemplate};
use anwen_models::ModelFiles;
use async_trait::async_trait;
use either::Either;
use mistralrs::{EmbeddingRequest, Model, NormalRequest, Request, SamplingParams, StopTokens, TextMessages};
use tokio::sync::mpsc;

use super::{ChatEvents, ChatJob, EmbedInput, EmbedJob, Embeddings, Engine};
use crate::config::Config;
use crate::error::RuntimeError;
use answer::{Running, failed};
use choice::Chooser;
use files::{Facts, Kind, Vocabulary};
use prompt::Reader;

/// Tokens that may wait for a slow reader before the whole engine waits for it.
const MAX_BUFFERED_TOKENS: usize = 8192;
/// Texts that are handed to mistral.rs together.
const EMBEDDING_BATCH: usize = 32;
/// What OpenAI's interface offers at most beside each token.
const MAX_TOP_LOGPROBS: u8 = 20;

/// A model loaded by mistral.rs.
pub struct MistralRsEngine {
    model: Arc<Model>,
    name: String,
    kind: Kind,
    template: Option<ChatTemplate>,
    vocabulary: Arc<Vocabulary>,
    context_tokens: usize,
    hidden: Option<usize>,
    concurrency: usize,
    memory_bytes: u64,
}

impl MistralRsEngine {
    /// Loads the weights. Takes as long as reading them does.
    pub async fn load(files: &ModelFiles, config: &Config) -> Result<Self, RuntimeError> {
        let failed = |cause: String| RuntimeError::LoadFailed { model: files.name.clone(), cause };
        let concurrency = config.concurrent_chats.max(1);
        let runtime = tokio::runtime::Handle::current();
        let own_files = files.clone();
        // Loading blocks for seconds, and mistral.rs panics on some damaged files: both stay in a thread of their own.
        let loading = tokio::task::spawn_blocking(move || {
            let facts = Facts::read(&own_files)?;
            let model = runtime.block_on(load::build(&own_files, facts.kind, concurrency))?;
            Ok((facts, model))
        });
        let loaded: Result<(Facts, Model), String> =
            loading.await.map_err(|cause| failed(cause.to_string()))?;
        let (facts, model) = loaded.map_err(failed)?;
        let known = model.max_sequence_length().map_err(|cause| failed(cause.to_string()))?;
        let context_tokens = known
            .or(facts.context_tokens)
            .ok_or_else(|| failed("its files do not say how many tokens it takes".to_owned()))?;
        let asked = files.settings.parameters.get("num_ctx").and_then(serde_json::Value::as_u64);
        let asked = asked.and_then(|asked| usize::try_from(asked).ok()).filter(|asked| *asked > 0);
        let context_tokens = asked.map_or(context_tokens, |asked| asked.min(context_tokens));
        Ok(Self {
            model: Arc::new(model),
            name: files.name.clone(),
            kind: facts.kind,
            template: facts.template,
            vocabulary: Arc::new(facts.vocabulary),
            context_tokens,
            hidden: facts.hidden,
            concurrency,
            memory_bytes: files.size_bytes,
        })
    }

    fn check(&self, job: &ChatJob) -> Result<(), RuntimeError> {
        if self.kind == Kind::Embedding {
            return Err(self.cannot("chat"));
        }
        if job.logprobs.is_some_and(|top| top > MAX_TOP_LOGPROBS) {
            return Err(RuntimeError::Invalid(format!("top_logprobs may be {MAX_TOP_LOGPROBS} at most")));
        }
        let size = self.vocabulary.len();
        match job.sampling.logit_bias.iter().find(|(token, _)| *token as usize >= size) {
            Some((token, _)) => Err(RuntimeError::Invalid(format!(
                "logit_bias names the token {token}, and the vocabulary has {size}"
            ))),
            None => Ok(()),
        }
    }

    async fn token_count(&self, input: &EmbedInput) -> Result<usize, RuntimeError> {
        match input {
            EmbedInput::Text(text) => self.tokens_of(text, true).await.map(|tokens| tokens.len()),
            EmbedInput::Tokens(tokens) => Ok(tokens.len()),
        }
    }

    async fn tokens_of(&self, text: &str, add_special: bool) -> Result<Vec<u32>, RuntimeError> {
        let (model, text) = (Arc::clone(&self.model), text.to_owned());
        let text: Either<TextMessages, String> = Either::Right(text);
        // In a task of its own, because mistral.rs' thread panics when nobody takes its answer.
        let tokens = tokio::spawn(async move { model.tokenize(text, None, add_special, false, None).await });
        tokens.await.map_err(RuntimeError::internal)?.map_err(RuntimeError::internal)
    }
}

#[async_trait]
impl Engine for MistralRsEngine {
    fn name(&self) -> &'static str {
        "mistralrs"
    }

    fn capabilities(&self) -> ModelCapabilities {
        let chats = self.kind != Kind::Embedding;
        ModelCapabilities {
            chat: chats,
            embed: !chats,
            vision: self.kind == (Kind::Multimodal { pictures: true }),
            tools: chats && self.template.is_some(),
            ..ModelCapabilities::default()
        }
    }

    fn context_tokens(&self) -> Option<usize> {
        Some(self.context_tokens)
    }

    fn dimensions(&self) -> Option<usize> {
        self.hidden.filter(|_| self.kind == Kind::Embedding)
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    async fn tokenize(&self, text: &str) -> Result<Vec<u32>, RuntimeError> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        self.tokens_of(text, false).await
    }

    async fn chat(&self, job: ChatJob) -> Result<ChatEvents, RuntimeError> {
        self.check(&job)?;
        let reader = Reader {
            model: &self.model,
            template: self.template.as_ref(),
            vocabulary: &self.vocabulary,
            takes_pictures: self.kind == (Kind::Multimodal { pictures: true }),
            context_tokens: self.context_tokens,
        };
        let prepared = reader.prepare(&job).await?;
        let prompt_tokens = prepared.prompt_tokens.unwrap_or(0);
        let room = self.context_tokens.saturating_sub(prompt_tokens);
        let max_tokens = job.sampling.max_tokens.map_or(room, |wanted| room.min(wanted as usize)).max(1);
        let chooser =
            Arc::new(Chooser::new(&job.sampling, job.logprobs, uuid::Uuid::new_v4().as_u64_pair().0));
        let (sender, receiver) = mpsc::channel(max_tokens.min(MAX_BUFFERED_TOKENS));
        let request = Request::Normal(Box::new(NormalRequest {
            // The chooser leaves one token, which the most likely then is.
            sampling_params: SamplingParams {
                temperature: Some(0.0),
                max_len: Some(max_tokens),
                stop_toks: Some(StopTokens::Ids(self.vocabulary.ends())),
                ..SamplingParams::neutral()
            },
            logits_processors: Some(vec![Arc::clone(&chooser) as Arc<dyn mistralrs::CustomLogitsProcessor>]),
            constraint: prepared.constraint,
            tools: prepared.tools,
            is_streaming: true,
            ..NormalRequest::new_simple(prepared.message, SamplingParams::neutral(), sender, 0, None, None)
        }));
        let engine = self.model.inner().get_sender(None).map_err(failed)?;
        engine.send(request).await.map_err(failed)?;
        tracing::debug!(model = self.name, prompt_tokens, max_tokens, "generation started");
        let tools: &[_] = if job.tool_choice == super::ToolChoice::None { &[] } else { &job.tools };
        Ok(answer::events(Running {
            _model: Arc::clone(&self.model),
            responses: receiver,
            reader: AnswerReader::new(&prepared.style, job.sampling.stop, tools, prepared.think),
            chooser,
            vocabulary: job.logprobs.map(|_| Arc::clone(&self.vocabulary)),
            max_tokens,
            prompt_tokens,
            dropped_turns: prepared.dropped_turns,
            logprobs: Vec::new(),
            called: false,
        }))
    }

    async fn embed(&self, job: EmbedJob) -> Result<Embeddings, RuntimeError> {
        let full =
            self.hidden.filter(|_| self.kind == Kind::Embedding).ok_or_else(|| self.cannot("embed"))?;
        let dimensions = job.dimensions.unwrap_or(full);
        if dimensions == 0 || dimensions > full {
            return Err(RuntimeError::Invalid(format!("dimensions must be between 1 and {full}")));
        }
        let mut embeddings = Embeddings { dimensions, values: Vec::new(), tokens: 0, truncated: Vec::new() };
        for (index, input) in job.inputs.iter().enumerate() {
            let tokens = self.token_count(input).await?;
            if tokens > self.context_tokens {
                embeddings.truncated.push(index);
            }
            embeddings.tokens += tokens.min(self.context_tokens);
        }
        for batch in job.inputs.chunks(EMBEDDING_BATCH) {
            let mut request = EmbeddingRequest::builder().with_truncate_sequence(true);
            for input in batch {
                request = match input {
                    EmbedInput::Text(text) => request.add_prompt(text),
                    EmbedInput::Tokens(tokens) => request.add_tokens(tokens.clone()),
                };
            }
            for vector in self.model.generate_embeddings(request).await.map_err(failed)? {
                let kept =
                    vector.get(..dimensions).ok_or_else(|| failed("a vector is shorter than its model"))?;
                let length = kept.iter().map(|value| value * value).sum::<f32>().sqrt();
                let scale = if dimensions < full && length > 0.0 { 1.0 / length } else { 1.0 };
                embeddings.values.extend(kept.iter().map(|value| value * scale));
            }
        }
        Ok(embeddings)
    }
}
