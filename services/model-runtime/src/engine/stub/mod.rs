//! A scripted engine for tests and load runs: what it says and how fast is all in its settings.
//!
//! It honours what every engine is asked for, in the simplest way: a schema by a value of that form, tools by a call whose
//! arguments have the form, thinking by a fixed thought, probabilities that follow from the text. So a client can be
//! driven through every route without weights.

mod sample;

use std::time::Duration;

use anwen_contract::model::ModelCapabilities;
use anwen_dialogue::StopFilter;
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream;
use serde_json::json;

use super::{
    AnswerFormat, ChatEnd, ChatEvent, ChatEvents, ChatJob, Delta, EmbedInput, EmbedJob, Embeddings, Engine,
    FinishReason, Prompt, Role, Think, TokenLogprob, ToolCall, ToolChoice, ToolDefinition, usage,
};
use crate::config::{StubScript, StubSettings};
use crate::error::RuntimeError;

/// Numbers in a stub embedding.
const DIMENSIONS: usize = 8;

/// Words that an answer without a script repeats.
const WORDS: [&str; 8] = ["alpha ", "beta ", "gamma ", "delta ", "epsilon ", "zeta ", "eta ", "theta "];

/// What it thinks, when it is asked to.
const THOUGHT: [&str; 3] = ["Let ", "me ", "think."];

/// In a script's answer: how many pictures the last turn has, and their bytes.
const IMAGES_PLACE: &str = "{images}";

/// The scripted engine.
pub struct StubEngine {
    settings: StubSettings,
}

/// What an answer will be.
struct Plan {
    /// Words with their spaces.
    words: Vec<String>,
    calls: Vec<ToolCall>,
    fails: bool,
}

impl StubEngine {
    pub fn new(settings: StubSettings) -> Self {
        Self { settings }
    }

    fn script_for(&self, prompt: &str) -> Option<&StubScript> {
        self.settings.scripts.iter().find(|script| prompt.contains(&script.contains))
    }

    fn plan(&self, job: &ChatJob) -> Plan {
        let asked = last_words(&job.prompt);
        let script = self.script_for(asked);
        let calls = self.calls(job, asked, script.is_some());
        let fails = script.is_some_and(|script| script.fails);
        if !calls.is_empty() {
            return Plan { words: Vec::new(), calls, fails };
        }
        let scripted = script.map(|script| script.answer.replace(IMAGES_PLACE, &pictures_of(&job.prompt)));
        let text = match (&job.format, scripted) {
            (AnswerFormat::Json | AnswerFormat::JsonSchema(_), Some(text)) if is_json(&text) => text,
            (AnswerFormat::JsonSchema(schema), _) => sample::sample(schema).to_string(),
            (AnswerFormat::Json, _) => json!({"answer": "alpha beta"}).to_string(),
            (_, Some(text)) => text,
            (_, None) => self.unscripted(job),
        };
        Plan { words: text.split_inclusive(' ').map(str::to_owned).collect(), calls, fails }
    }

    /// The words over and over; a seed says with which to begin.
    fn unscripted(&self, job: &ChatJob) -> String {
        let first = job.sampling.seed.unwrap_or(0) % WORDS.len() as u64;
        let words = WORDS.iter().cycle().skip(usize::try_from(first).unwrap_or(0));
        words.take(self.settings.tokens as usize).copied().collect()
    }

    /// The calls of tools that the answer begins and ends with.
    fn calls(&self, job: &ChatJob, asked: &str, has_script: bool) -> Vec<ToolCall> {
        let must = matches!(job.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
        let answers_a_tool = matches!(&job.prompt, Prompt::Chat(turns) if turns.last().is_some_and(|turn| turn.role == Role::Tool));
        if job.tool_choice == ToolChoice::None || job.tools.is_empty() || (answers_a_tool && !must) {
            return Vec::new();
        }
        let may_call = |name: &str| match &job.tool_choice {
            ToolChoice::Named(wanted) => wanted == name,
            _ => job.tools.iter().any(|tool| tool.name == name),
        };
        let scripted: Vec<ToolCall> = self
            .settings
            .calls
            .iter()
            .filter(|call| asked.contains(&call.contains) && may_call(&call.name))
            .enumerate()
            .map(|(index, call)| call_of(index, &call.name, call.arguments.clone()))
            .collect();
        if !scripted.is_empty() || (has_script && !must) {
            return scripted;
        }
        let tool: Option<&ToolDefinition> = job.tools.iter().find(|tool| may_call(&tool.name));
        tool.map(|tool| call_of(0, &tool.name, sample::sample(&tool.parameters))).into_iter().collect()
    }
}

fn call_of(index: usize, name: &str, arguments: serde_json::Value) -> ToolCall {
    ToolCall { id: format!("call_{index}_{name}"), name: name.to_owned(), arguments }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// What the asker said last.
fn last_words(prompt: &Prompt) -> &str {
    match prompt {
        Prompt::Raw(text) | Prompt::Infill { prefix: text, .. } => text,
        Prompt::Tokens(_) => "",
        Prompt::Chat(turns) => turns.last().map_or("", |turn| &turn.content),
    }
}

fn pictures_of(prompt: &Prompt) -> String {
    let Prompt::Chat(turns) = prompt else { return String::new() };
    let pictures = turns.last().map_or(&[][..], |turn| &turn.images);
    let bytes: usize = pictures.iter().map(|picture| picture.0.len()).sum();
    format!("{} of {bytes} bytes", pictures.len())
}

fn words_in(prompt: &Prompt) -> usize {
    match prompt {
        Prompt::Raw(text) => text.split_whitespace().count(),
        Prompt::Tokens(tokens) => tokens.len(),
        Prompt::Infill { prefix, suffix } => {
            prefix.split_whitespace().chain(suffix.split_whitespace()).count()
        }
        Prompt::Chat(turns) => turns.iter().map(|turn| turn.content.split_whitespace().count()).sum(),
    }
}

/// A word with a probability that its length decides, and as many others as are asked for.
fn spoken(word: String, top: Option<u8>) -> Delta {
    let Some(top) = top else { return Delta::text(word) };
    let logprob = -0.01 * word.len() as f32;
    let others = WORDS.iter().filter(|other| **other != word).enumerate();
    let others = others.map(|(rank, other)| (other.as_bytes().to_vec(), logprob - 1.0 - rank as f32));
    let bytes = word.as_bytes().to_vec();
    let likeliest = std::iter::once((bytes.clone(), logprob)).chain(others).take(usize::from(top)).collect();
    Delta { text: word, logprobs: vec![TokenLogprob { bytes, logprob, top: likeliest }] }
}

/// The words up to a stop sequence or the bound, and which of the two ended them.
fn bounded(words: Vec<String>, job: &ChatJob) -> (Vec<String>, FinishReason) {
    let limit = job.sampling.max_tokens.map_or(usize::MAX, |limit| limit as usize);
    let is_cut = words.len() > limit;
    let mut filter = StopFilter::new(job.sampling.stop.clone());
    let mut spoken = Vec::new();
    for word in words.into_iter().take(limit) {
        spoken.push(filter.push(&word));
        if filter.stopped() {
            break;
        }
    }
    let stopped = filter.stopped();
    if !stopped {
        spoken.push(filter.finish());
    }
    spoken.retain(|word| !word.is_empty());
    (spoken, if is_cut && !stopped { FinishReason::Length } else { FinishReason::Stop })
}

#[async_trait]
impl Engine for StubEngine {
    fn name(&self) -> &'static str {
        "stub"
    }

    fn capabilities(&self) -> ModelCapabilities {
        ModelCapabilities {
            chat: true,
            embed: true,
            rerank: true,
            vision: true,
            tools: true,
            ..ModelCapabilities::default()
        }
    }

    fn context_tokens(&self) -> Option<usize> {
        None
    }

    fn dimensions(&self) -> Option<usize> {
        Some(DIMENSIONS)
    }

    fn concurrency(&self) -> usize {
        self.settings.concurrency
    }

    async fn chat(&self, job: ChatJob) -> Result<ChatEvents, RuntimeError> {
        if matches!(job.format, AnswerFormat::Regex(_) | AnswerFormat::Lark(_)) {
            return Err(self.cannot("keep to a regular expression or a grammar"));
        }
        let Plan { words, calls, fails } = self.plan(&job);
        let (words, finish) = bounded(words, &job);
        let thinks = job.think.is_some_and(|think| think != Think::Off);
        let thoughts: &[&str] = if thinks { &THOUGHT } else { &[] };
        let usage = usage(words_in(&job.prompt), thoughts.len() + words.len() + calls.len());
        let finish = if calls.is_empty() { finish } else { FinishReason::ToolCalls };
        let top = job.logprobs;
        let thoughts = thoughts.iter().map(|thought| ChatEvent::Reasoning((*thought).to_owned()));
        let words = words.into_iter().map(|word| ChatEvent::Delta(spoken(word, top)));
        let events: Vec<ChatEvent> =
            thoughts.chain(words).chain(calls.into_iter().map(ChatEvent::ToolCall)).collect();
        let first_delay = Duration::from_millis(self.settings.first_token_delay_ms);
        let delay = Duration::from_millis(self.settings.token_delay_ms);
        let timed = stream::iter(events.into_iter().enumerate()).then(move |(index, event)| async move {
            tokio::time::sleep(if index == 0 { first_delay } else { delay }).await;
            Ok(event)
        });
        let end = if fails {
            Err(RuntimeError::GenerationFailed { cause: "scripted failure".to_owned() })
        } else {
            Ok(ChatEvent::Done(ChatEnd::new(finish, usage)))
        };
        Ok(timed.chain(stream::iter([end])).boxed())
    }

    /// Letters counted by their code modulo the dimensions: equal texts have equal vectors.
    async fn embed(&self, job: EmbedJob) -> Result<Embeddings, RuntimeError> {
        let dimensions = job.dimensions.unwrap_or(DIMENSIONS).clamp(1, DIMENSIONS);
        let mut values = Vec::with_capacity(dimensions * job.inputs.len());
        for input in &job.inputs {
            let bytes: Vec<u8> = match input {
                EmbedInput::Text(text) => text.bytes().collect(),
                EmbedInput::Tokens(tokens) => tokens.iter().flat_map(|token| token.to_le_bytes()).collect(),
            };
            let mut vector = vec![0.0f32; dimensions];
            for byte in bytes {
                vector[usize::from(byte) % dimensions] += 1.0;
            }
            let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::EPSILON);
            values.extend(vector.into_iter().map(|value| value / length));
        }
        let tokens = job
            .inputs
            .iter()
            .map(|input| match input {
                EmbedInput::Text(text) => text.split_whitespace().count(),
                EmbedInput::Tokens(tokens) => tokens.len(),
            })
            .sum();
        Ok(Embeddings { dimensions, values, tokens, truncated: Vec::new() })
    }

    /// The share of the query's words that stand in a document.
    async fn rerank(&self, query: &str, documents: &[String]) -> Result<Vec<f32>, RuntimeError> {
        let words: Vec<&str> = query.split_whitespace().collect();
        let share = |document: &String| {
            let found = words.iter().filter(|word| document.contains(**word)).count();
            found as f32 / words.len().max(1) as f32
        };
        Ok(documents.iter().map(share).collect())
    }
}
