//! Language models in process, through mistral.rs: GGUF files and safetensors folders of the models directory.
//!
//! Nothing is fetched: models are loaded from local paths only. A generation is cancelled by dropping its events: the
//! engine notices at the next token. Dropping the engine ends mistral.rs' own thread and frees the weights.

use std::path::Path;
use std::sync::Arc;

use anwen_contract::model::ModelCapabilities;
use anwen_dialogue::StopFilter;
use async_trait::async_trait;
use either::Either;
use futures::{StreamExt as _, stream};
use mistralrs::{
    Constraint, Device, DeviceMapSetting, GgufModelBuilder, Model, NormalRequest, Request, RequestMessage,
    Response, SamplingParams, StopTokens, TextMessageRole, TextMessages, TextModelBuilder, TokenSource,
    best_device,
};
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    AnswerFormat, ChatEnd, ChatEvent, ChatEvents, ChatJob, Delta, Engine, FinishReason, Prompt, Role,
    Sampling, Think, Turn,
};
use crate::config::Config;
use crate::error::RuntimeError;
use anwen_models::{ModelFiles, Weights};

/// Finished conversations whose keys and values are kept, so that the next turn starts where the last one ended.
const PREFIX_CACHE_CONVERSATIONS: usize = 4;

/// Tokens that may wait for a slow reader before the whole engine waits for it.
const MAX_BUFFERED_TOKENS: usize = 8192;

/// Below this temperature the most likely token is taken, and a seed changes nothing.
const GREEDY_TEMPERATURE: f64 = 1e-7;

/// A language model loaded by mistral.rs.
pub struct MistralRsEngine {
    model: Arc<Model>,
    name: String,
    context_tokens: usize,
    concurrency: usize,
}

impl MistralRsEngine {
    /// Loads the weights. Takes as long as reading them does.
    pub async fn load(files: &ModelFiles, config: &Config) -> Result<Self, RuntimeError> {
        let failed = |cause: String| RuntimeError::LoadFailed { model: files.name.clone(), cause };
        let weights = files.weights.clone();
        let concurrency = config.concurrent_chats.max(1);
        let runtime = tokio::runtime::Handle::current();
        // Loading blocks for seconds, and mistral.rs panics on some damaged files: both stay in a thread of their own.
        let loading = tokio::task::spawn_blocking(move || runtime.block_on(build(&weights, concurrency)));
        let model = loading.await.map_err(|cause| failed(cause.to_string()))?.map_err(failed)?;
        let known = model.max_sequence_length().map_err(|cause| failed(cause.to_string()))?;
        let context_tokens = known.ok_or_else(|| failed("it is not a text model".to_owned()))?;
        Ok(Self { model: Arc::new(model), name: files.name.clone(), context_tokens, concurrency })
    }

    /// The prompt's tokens, after the chat template.
    async fn count_prompt_tokens(&self, job: &ChatJob) -> Result<usize, RuntimeError> {
        let text = match &job.prompt {
            Prompt::Chat(turns) => Either::Left(text_messages(turns, job.think)),
            Prompt::Raw(text) => Either::Right(text.clone()),
            Prompt::Tokens(_) | Prompt::Infill { .. } => return Err(self.cannot("continue tokens")),
        };
        let model = Arc::clone(&self.model);
        let think = job.think.map(|think| think != Think::Off);
        // In a task of its own, because mistral.rs' thread panics when nobody takes its answer.
        let counting = tokio::spawn(async move { model.tokenize(text, None, true, true, think).await });
        let tokens = counting.await.map_err(RuntimeError::internal)?;
        let tokens = tokens.map_err(|cause| {
            RuntimeError::Invalid(format!("the prompt does not fit the model's template: {cause}"))
        })?;
        Ok(tokens.len())
    }
}

/// A GGUF file or a safetensors folder as mistral.rs' model.
async fn build(weights: &Weights, concurrency: usize) -> Result<Model, String> {
    let device = best_device(false).map_err(|cause| cause.to_string())?;
    let result = match weights {
        Weights::Gguf { file } => {
            let folder = file.parent().unwrap_or(Path::new("."));
            let file_name =
                file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let mut builder = GgufModelBuilder::new(folder.display(), vec![file_name])
                .with_token_source(TokenSource::None)
                .with_max_num_seqs(concurrency)
                .with_prefix_cache_n(Some(PREFIX_CACHE_CONVERSATIONS))
                .with_device(device.clone());
            if let Some(mapping) = device_mapping(&device) {
                builder = builder.with_device_mapping(mapping);
            }
            builder.build().await
        }
        Weights::Safetensors { folder }
        | Weights::StaticEmbedding { folder }
        | Weights::Encoder { folder } => {
            let mut builder = TextModelBuilder::new(folder.display())
                .with_token_source(TokenSource::None)
                .with_max_num_seqs(concurrency)
                .with_prefix_cache_n(Some(PREFIX_CACHE_CONVERSATIONS))
                .with_device(device.clone());
            if let Some(mapping) = device_mapping(&device) {
                builder = builder.with_device_mapping(mapping);
            }
            builder.build().await
        }
    };
    result.map_err(|cause| format!("{cause:#}"))
}

/// On a processor there is nothing to map, and guessing by free memory would cut the context.
fn device_mapping(device: &Device) -> Option<DeviceMapSetting> {
    matches!(device, Device::Cpu).then(DeviceMapSetting::dummy)
}

fn text_messages(turns: &[Turn], think: Option<Think>) -> TextMessages {
    let mut messages = TextMessages::new();
    for turn in turns {
        let role = match turn.role {
            Role::System => TextMessageRole::System,
            Role::User => TextMessageRole::User,
            Role::Assistant => TextMessageRole::Assistant,
            Role::Tool => TextMessageRole::Tool,
        };
        messages = messages.add_message(role, &turn.content);
    }
    match think {
        Some(think) => messages.enable_thinking(think != Think::Off),
        None => messages,
    }
}

fn request_message(prompt: Prompt, think: Option<Think>) -> RequestMessage {
    match prompt {
        Prompt::Chat(turns) => RequestMessage::Chat {
            messages: text_messages(&turns, think).into(),
            enable_thinking: think.map(|think| think != Think::Off),
            reasoning_effort: None,
        },
        Prompt::Tokens(tokens) => RequestMessage::CompletionTokens(tokens),
        Prompt::Infill { prefix: text, .. } | Prompt::Raw(text) => {
            RequestMessage::Completion { text, echo_prompt: false, best_of: None }
        }
    }
}

fn sampling_params(sampling: &Sampling, max_tokens: usize) -> SamplingParams {
    SamplingParams {
        temperature: sampling.temperature,
        top_k: sampling.top_k.filter(|top_k| *top_k > 0).map(|top_k| top_k as usize),
        top_p: sampling.top_p,
        min_p: sampling.min_p,
        frequency_penalty: sampling.frequency_penalty,
        presence_penalty: sampling.presence_penalty,
        repetition_penalty: sampling.repetition_penalty,
        stop_toks: (!sampling.stop.is_empty()).then(|| StopTokens::Seqs(sampling.stop.clone())),
        max_len: Some(max_tokens),
        ..SamplingParams::neutral()
    }
}

fn constraint(format: AnswerFormat) -> Constraint {
    match format {
        AnswerFormat::Text => Constraint::None,
        AnswerFormat::Json => Constraint::JsonSchema(json!({"type": "object"})),
        AnswerFormat::JsonSchema(schema) => Constraint::JsonSchema(schema),
        AnswerFormat::Regex(pattern) => Constraint::Regex(pattern),
        AnswerFormat::Lark(grammar) => Constraint::Lark(grammar),
    }
}

#[async_trait]
impl Engine for MistralRsEngine {
    fn name(&self) -> &'static str {
        "mistralrs"
    }

    fn capabilities(&self) -> ModelCapabilities {
        ModelCapabilities { chat: true, ..ModelCapabilities::default() }
    }

    fn context_tokens(&self) -> Option<usize> {
        Some(self.context_tokens)
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    async fn chat(&self, job: ChatJob) -> Result<ChatEvents, RuntimeError> {
        if job.sampling.seed.is_some()
            && job.sampling.temperature.is_none_or(|value| value > GREEDY_TEMPERATURE)
        {
            return Err(RuntimeError::Invalid(
                "this engine has no seed of its own for a request: set temperature to 0 for equal answers"
                    .to_owned(),
            ));
        }
        let prompt_tokens = self.count_prompt_tokens(&job).await?;
        let room = self.context_tokens.saturating_sub(prompt_tokens);
        if room == 0 {
            return Err(RuntimeError::ContextTooLong { prompt_tokens, context_tokens: self.context_tokens });
        }
        let max_tokens = job.sampling.max_tokens.map_or(room, |wanted| room.min(wanted as usize)).max(1);
        let (sender, receiver) = mpsc::channel(max_tokens.min(MAX_BUFFERED_TOKENS));
        let request = Request::Normal(Box::new(NormalRequest {
            sampling_params: sampling_params(&job.sampling, max_tokens),
            messages: request_message(job.prompt, job.think),
            response: sender,
            return_logprobs: false,
            is_streaming: true,
            id: 0,
            constraint: constraint(job.format),
            suffix: None,
            tools: None,
            tool_choice: None,
            logits_processors: None,
            return_raw_logits: false,
            web_search_options: None,
            model_id: None,
            truncate_sequence: false,
        }));
        let engine = self.model.inner().get_sender(None).map_err(generation_failed)?;
        engine.send(request).await.map_err(generation_failed)?;
        tracing::debug!(model = self.name, prompt_tokens, max_tokens, "generation started");
        Ok(events(Arc::clone(&self.model), receiver, StopFilter::new(job.sampling.stop), prompt_tokens))
    }
}

fn generation_failed(cause: impl std::fmt::Display) -> RuntimeError {
    RuntimeError::GenerationFailed { cause: cause.to_string() }
}

/// What a generation holds on to.
struct Running {
    /// Keeps the weights until the generation has ended.
    _model: Arc<Model>,
    responses: mpsc::Receiver<Response>,
    filter: StopFilter,
    prompt_tokens: usize,
    completion_tokens: usize,
}

fn events(
    model: Arc<Model>,
    responses: mpsc::Receiver<Response>,
    filter: StopFilter,
    prompt_tokens: usize,
) -> ChatEvents {
    let running = Running { _model: model, responses, filter, prompt_tokens, completion_tokens: 0 };
    let batches = stream::unfold(Some(running), |running| async move {
        let mut running = running?;
        match running.responses.recv().await {
            None => Some((vec![Err(generation_failed("mistral.rs ended without an answer"))], None)),
            Some(response) => {
                let events = running.take(response);
                let ended = events.iter().any(|event| matches!(event, Ok(ChatEvent::Done(_)) | Err(_)));
                Some((events, (!ended).then_some(running)))
            }
        }
    });
    batches.flat_map(stream::iter).boxed()
}

/// What a streamed part of an answer says, whichever kind of request it answers.
struct Part {
    text: String,
    reasoning: String,
    finish: Option<String>,
    usage: Option<(usize, usize)>,
}

impl Running {
    fn take(&mut self, response: Response) -> Vec<Result<ChatEvent, RuntimeError>> {
        let part = match response {
            Response::Chunk(chunk) => {
                let usage = chunk.usage.map(|usage| (usage.prompt_tokens, usage.completion_tokens));
                chunk.choices.into_iter().next().map(|choice| Part {
                    text: choice.delta.content.unwrap_or_default(),
                    reasoning: choice.delta.reasoning_content.unwrap_or_default(),
                    finish: choice.finish_reason,
                    usage,
                })
            }
            Response::CompletionChunk(chunk) => chunk.choices.into_iter().next().map(|choice| Part {
                text: choice.text,
                reasoning: String::new(),
                finish: choice.finish_reason,
                usage: None,
            }),
            Response::ValidationError(cause) => return vec![Err(RuntimeError::Invalid(cause.to_string()))],
            Response::InternalError(cause) => return vec![Err(generation_failed(cause))],
            Response::ModelError(cause, _) | Response::CompletionModelError(cause, _) => {
                return vec![Err(generation_failed(cause))];
            }
            _ => return vec![Err(generation_failed("mistral.rs answered something else than text"))],
        };
        part.map(|part| self.take_part(part)).unwrap_or_default()
    }

    fn take_part(&mut self, part: Part) -> Vec<Result<ChatEvent, RuntimeError>> {
        self.completion_tokens += 1;
        let mut events = Vec::new();
        if !part.reasoning.is_empty() {
            events.push(Ok(ChatEvent::Reasoning(part.reasoning)));
        }
        let mut text = self.filter.push(&part.text);
        let finish = match part.finish.as_deref() {
            Some("length") => Some(FinishReason::Length),
            Some(_) => Some(FinishReason::Stop),
            None if self.filter.stopped() => Some(FinishReason::Stop),
            None => None,
        };
        if finish.is_some() && !self.filter.stopped() {
            text.push_str(&self.filter.finish());
        }
        if !text.is_empty() {
            events.push(Ok(ChatEvent::Delta(Delta::text(text))));
        }
        if let Some(finish) = finish {
            let (prompt_tokens, completion_tokens) =
                part.usage.unwrap_or((self.prompt_tokens, self.completion_tokens));
            let usage = super::usage(prompt_tokens, completion_tokens);
            events.push(Ok(ChatEvent::Done(ChatEnd::new(finish, usage))));
        }
        events
    }
}
