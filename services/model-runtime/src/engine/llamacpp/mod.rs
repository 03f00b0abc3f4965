//! GGUF files on a processor, through llama.cpp in this process.
//!
//! One thread owns a model's context ([`worker`] for models that write, [`encoder`] for those that make vectors); what
//! a request needs before and after it (templates, tokens, constraints) happens in the threads of those who ask. Weights
//! are mapped from the file.

mod backend;
mod constraint;
mod encoder;
mod generation;
mod kept;
mod load;
mod options;
mod output;
mod prompt;
mod reader;
mod sampler;
mod sequences;
mod vocabulary;
mod worker;

use std::sync::Arc;

use anwen_contract::model::ModelCapabilities;
use anwen_dialogue::{AnswerReader, StopFilter, ThinkingStyle, ToolChoice, ToolDefinition, ToolGrammar};
use anwen_models::ModelFiles;
use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use tokio::sync::{mpsc, oneshot};

use self::constraint::{Constraint, Gate};
use self::encoder::EncodeOrder;
use self::generation::{Generation, Order};
use self::load::{Loaded, Orders};
use self::options::{LoadOptions, Purpose};
use self::output::Output;
use self::reader::Reader;
use self::sampler::Sampler;
use self::sequences::Token;
use self::vocabulary::Frame;
use super::{
    AnswerFormat, ChatEvent, ChatEvents, ChatJob, EmbedInput, EmbedJob, Embeddings, Engine, Prompt, Role,
    Sampling, Think, Turn,
};
use crate::config::Config;
use crate::error::RuntimeError;

/// Events that one token of an answer can make at most, with room for the end.
const EVENTS_PER_TOKEN: usize = 4;
/// Events that may wait for a slow reader; one that is further behind counts as gone.
const MAX_BUFFERED_EVENTS: usize = 65_536;

/// A model loaded by llama.cpp. Dropping it ends its thread, once its generations have ended, and frees the weights.
pub struct LlamaCppEngine {
    loaded: Arc<Loaded>,
    concurrency: usize,
}

impl LlamaCppEngine {
    /// Loads the weights. Takes as long as reading them does.
    pub async fn load(files: &ModelFiles, config: &Config) -> Result<Self, RuntimeError> {
        let failed = |cause: String| RuntimeError::LoadFailed { model: files.name.clone(), cause };
        let options = LoadOptions::new(files, config).map_err(failed)?;
        let concurrency = options.generations;
        let loaded = load::load(options, files.settings.clone()).await.map_err(failed)?;
        Ok(Self { loaded: Arc::new(loaded), concurrency })
    }

    /// Everything that a generation needs, and where its events come.
    async fn prepare(&self, job: ChatJob) -> Result<Prepared, RuntimeError> {
        let loaded = Arc::clone(&self.loaded);
        tokio::task::spawn_blocking(move || prepare(&loaded, job)).await.map_err(RuntimeError::internal)?
    }

    async fn encode(&self, texts: Vec<Vec<Token>>) -> Result<Vec<Vec<f32>>, RuntimeError> {
        let Orders::Encode(orders) = &self.loaded.orders else {
            return Err(RuntimeError::internal("an encoder was expected"));
        };
        let (reply, answer) = oneshot::channel();
        orders.send(EncodeOrder { texts, reply }).await.map_err(|_| thread_ended())?;
        answer.await.map_err(|_| thread_ended())?.map_err(|cause| RuntimeError::GenerationFailed { cause })
    }

    /// Tokens of texts, each cut to what the model reads, and the indexes of those that were cut.
    async fn tokens_of(
        &self,
        inputs: Vec<EmbedInput>,
    ) -> Result<(Vec<Vec<Token>>, Vec<usize>), RuntimeError> {
        let loaded = Arc::clone(&self.loaded);
        let task = move || {
            let mut truncated = Vec::new();
            let mut texts = Vec::with_capacity(inputs.len());
            for (index, input) in inputs.into_iter().enumerate() {
                let mut tokens = input_tokens(&loaded, input)?;
                if tokens.len() > loaded.context_tokens {
                    truncated.push(index);
                    cut(&mut tokens, loaded.context_tokens);
                }
                texts.push(tokens);
            }
            Ok((texts, truncated))
        };
        tokio::task::spawn_blocking(task).await.map_err(RuntimeError::internal)?
    }
}

/// A generation that can be ordered.
struct Prepared {
    generation: Generation,
    events: mpsc::Receiver<Result<ChatEvent, RuntimeError>>,
}

fn prepare(loaded: &Loaded, mut job: ChatJob) -> Result<Prepared, RuntimeError> {
    if has_images(&job.prompt) {
        return Err(RuntimeError::NotCapable { model: loaded.name.clone(), action: "look at pictures" });
    }
    if let (Prompt::Chat(turns), Some(system)) = (&mut job.prompt, &loaded.settings.system)
        && !turns.iter().any(|turn| turn.role == Role::System)
    {
        turns.insert(0, Turn::text(Role::System, system));
    }
    let sampling = with_defaults(job.sampling.clone(), &loaded.settings.parameters);
    let vocabulary = &loaded.vocabulary;
    if let Some((token, _)) =
        sampling.logit_bias.iter().find(|(token, _)| *token as usize >= vocabulary.len())
    {
        return Err(RuntimeError::Invalid(format!(
            "logit_bias: token {token} is not in the model's vocabulary"
        )));
    }
    let tools = if job.tool_choice == ToolChoice::None { &[] } else { job.tools.as_slice() };
    let format = tool_format(loaded, &job, tools)?;
    let constraint = Constraint::new(format.as_ref().unwrap_or(&job.format), vocabulary)?;
    let fitted = prompt::fit(&job, tools, &loaded.template, vocabulary, loaded.context_tokens)?;
    let room = loaded.context_tokens - fitted.tokens.len();
    let max_tokens = sampling.max_tokens.map_or(room, |wanted| room.min(wanted as usize)).max(1);
    let capacity = (max_tokens.saturating_mul(EVENTS_PER_TOKEN) + EVENTS_PER_TOKEN).min(MAX_BUFFERED_EVENTS);
    let (sender, events) = mpsc::channel(capacity);
    let is_conversation = matches!(job.prompt, Prompt::Chat(_));
    let reader = if is_conversation {
        Reader::Answer(Box::new(AnswerReader::new(&loaded.style, sampling.stop.clone(), tools, job.think)))
    } else {
        Reader::Plain(StopFilter::new(sampling.stop.clone()))
    };
    // A tool's grammar lets the model think first by itself.
    let gate = if is_conversation && format.is_none() { gate(loaded, job.think) } else { None };
    let generation = Generation::new(Order {
        prompt: fitted.tokens,
        max_tokens,
        sampler: Sampler::new(&sampling),
        gate: gate.filter(|_| constraint.is_some()),
        constraint,
        logprobs: job.logprobs.map(usize::from),
        output: Output::new(sender, reader),
        dropped_turns: fitted.dropped_turns,
    });
    Ok(Prepared { generation, events })
}

/// The grammar of a tool's call, where one is required.
fn tool_format(
    loaded: &Loaded,
    job: &ChatJob,
    tools: &[ToolDefinition],
) -> Result<Option<AnswerFormat>, RuntimeError> {
    let required = matches!(job.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    if !required {
        return Ok(None);
    }
    let token_id = |text: &str| loaded.vocabulary.control_token(text);
    let grammar = ToolGrammar {
        tools,
        choice: &job.tool_choice,
        style: &loaded.style,
        think: job.think,
        token_id: &token_id,
    };
    let lark = grammar.lark().ok_or_else(|| {
        RuntimeError::Invalid("tool_choice asks for a tool that is not among the tools".to_owned())
    })?;
    Ok(Some(AnswerFormat::Lark(lark)))
}

/// What ends the thinking that an answer begins inside of.
fn gate(loaded: &Loaded, think: Option<Think>) -> Option<Gate> {
    match &loaded.style.thinking {
        ThinkingStyle::Tags { close, .. } if loaded.style.starts_thinking.given(think) => {
            Some(Gate::new(close))
        }
        _ => None,
    }
}

fn has_images(prompt: &Prompt) -> bool {
    matches!(prompt, Prompt::Chat(turns) if turns.iter().any(|turn| !turn.images.is_empty()))
}

/// What a request leaves open, as the model's manifest says it. Names are Ollama's.
fn with_defaults(
    mut sampling: Sampling,
    parameters: &serde_json::Map<String, serde_json::Value>,
) -> Sampling {
    let number = |name: &str| parameters.get(name).and_then(serde_json::Value::as_f64);
    let whole = |name: &str| number(name).filter(|value| *value >= 0.0).map(|value| value as u32);
    let single = |name: &str| number(name).map(|value| value as f32);
    sampling.max_tokens = sampling.max_tokens.or_else(|| whole("num_predict"));
    sampling.temperature = sampling.temperature.or_else(|| number("temperature"));
    sampling.top_p = sampling.top_p.or_else(|| number("top_p"));
    sampling.top_k = sampling.top_k.or_else(|| whole("top_k"));
    sampling.min_p = sampling.min_p.or_else(|| number("min_p"));
    sampling.typical_p = sampling.typical_p.or_else(|| number("typical_p"));
    sampling.frequency_penalty = sampling.frequency_penalty.or_else(|| single("frequency_penalty"));
    sampling.presence_penalty = sampling.presence_penalty.or_else(|| single("presence_penalty"));
    sampling.repetition_penalty = sampling.repetition_penalty.or_else(|| single("repeat_penalty"));
    sampling.repeat_last_n = sampling.repeat_last_n.or_else(|| whole("repeat_last_n"));
    sampling.seed = sampling.seed.or_else(|| whole("seed").map(u64::from));
    if sampling.stop.is_empty() {
        let stop = parameters.get("stop");
        let several = stop.and_then(serde_json::Value::as_array).into_iter().flatten();
        sampling.stop =
            stop.into_iter().chain(several).filter_map(|text| text.as_str()).map(str::to_owned).collect();
    }
    sampling
}

fn input_tokens(loaded: &Loaded, input: EmbedInput) -> Result<Vec<Token>, RuntimeError> {
    match input {
        EmbedInput::Text(text) => loaded
            .vocabulary
            .tokens(&text, Frame::Whole)
            .ok_or_else(|| RuntimeError::Invalid("a text is too long to be embedded".to_owned())),
        EmbedInput::Tokens(tokens) => prompt::known_tokens(&tokens, &loaded.vocabulary),
    }
}

/// Cuts `tokens` to `limit`; the last one, which ends a text for many models, stays.
fn cut(tokens: &mut Vec<Token>, limit: usize) {
    let last = tokens.last().copied();
    tokens.truncate(limit.saturating_sub(1));
    tokens.extend(last);
}

fn thread_ended() -> RuntimeError {
    RuntimeError::GenerationFailed { cause: "the model's thread has ended".to_owned() }
}

/// The events as they come; a stream that breaks off ends with a failure.
fn events(receiver: mpsc::Receiver<Result<ChatEvent, RuntimeError>>) -> ChatEvents {
    stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            None => Some((Err(thread_ended()), None)),
            Some(event) => {
                let ended = matches!(event, Ok(ChatEvent::Done(_)) | Err(_));
                Some((event, (!ended).then_some(receiver)))
            }
        }
    })
    .boxed()
}

/// The first `dimensions` numbers, scaled to length 1.
fn scaled(mut vector: Vec<f32>, dimensions: usize) -> Vec<f32> {
    vector.resize(dimensions, 0.0);
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

#[async_trait]
impl Engine for LlamaCppEngine {
    fn name(&self) -> &'static str {
        "llamacpp"
    }

    fn capabilities(&self) -> ModelCapabilities {
        self.loaded.capabilities()
    }

    fn context_tokens(&self) -> Option<usize> {
        Some(self.loaded.context_tokens)
    }

    fn dimensions(&self) -> Option<usize> {
        (self.loaded.purpose == Purpose::Embed).then_some(self.loaded.dimensions)
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn memory_bytes(&self) -> u64 {
        self.loaded.memory_bytes
    }

    async fn tokenize(&self, text: &str) -> Result<Vec<u32>, RuntimeError> {
        let loaded = Arc::clone(&self.loaded);
        let text = text.to_owned();
        let task = move || loaded.vocabulary.tokens(&text, Frame::Bare);
        let tokens = tokio::task::spawn_blocking(task).await.map_err(RuntimeError::internal)?;
        let tokens = tokens.ok_or_else(|| RuntimeError::Invalid("the text is too long".to_owned()))?;
        Ok(tokens.into_iter().map(i32::cast_unsigned).collect())
    }

    async fn chat(&self, job: ChatJob) -> Result<ChatEvents, RuntimeError> {
        let Orders::Generate(orders) = &self.loaded.orders else { return Err(self.cannot("chat")) };
        let Prepared { generation, events: receiver } = self.prepare(job).await?;
        orders.send(generation).await.map_err(|_| thread_ended())?;
        Ok(events(receiver))
    }

    async fn embed(&self, job: EmbedJob) -> Result<Embeddings, RuntimeError> {
        if self.loaded.purpose != Purpose::Embed {
            return Err(self.cannot("embed"));
        }
        let dimensions = job.dimensions.unwrap_or(self.loaded.dimensions);
        if dimensions == 0 || dimensions > self.loaded.dimensions {
            let most = self.loaded.dimensions;
            return Err(RuntimeError::Invalid(format!("dimensions must be from 1 to {most} for this model")));
        }
        let (texts, truncated) = self.tokens_of(job.inputs).await?;
        let tokens = texts.iter().map(Vec::len).sum();
        let vectors = self.encode(texts).await?;
        let values = vectors.into_iter().flat_map(|vector| scaled(vector, dimensions)).collect();
        Ok(Embeddings { dimensions, values, tokens, truncated })
    }

    async fn rerank(&self, query: &str, documents: &[String]) -> Result<Vec<f32>, RuntimeError> {
        if self.loaded.purpose != Purpose::Rank {
            return Err(self.cannot("rerank"));
        }
        let loaded = Arc::clone(&self.loaded);
        let (query, documents) = (query.to_owned(), documents.to_vec());
        let pairs =
            move || documents.iter().map(|document| loaded.pair(&query, document)).collect::<Result<_, _>>();
        let texts = tokio::task::spawn_blocking(pairs).await.map_err(RuntimeError::internal)??;
        let vectors = self.encode(texts).await?;
        Ok(vectors.into_iter().map(|vector| vector.first().copied().unwrap_or(f32::NEG_INFINITY)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_manifest_fills_what_a_request_leaves_open() {
        let parameters =
            json!({"temperature": 0.2, "top_k": 7, "stop": ["END"], "num_predict": -1, "seed": 5});
        let Some(parameters) = parameters.as_object() else { unreachable!("it is an object") };
        let asked = Sampling { top_k: Some(3), ..Sampling::default() };
        let sampling = with_defaults(asked, parameters);
        assert_eq!((sampling.temperature, sampling.top_k, sampling.seed), (Some(0.2), Some(3), Some(5)));
        assert_eq!((sampling.stop, sampling.max_tokens), (vec!["END".to_owned()], None));
    }

    #[test]
    fn vectors_are_cut_and_scaled() {
        assert_eq!(scaled(vec![3.0, 4.0, 9.0], 2), [0.6, 0.8]);
        assert_eq!(scaled(vec![0.0, 0.0], 2), [0.0, 0.0]);
    }
}
