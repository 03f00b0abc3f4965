//! A scripted engine for tests and load runs: what it says and how fast is all in its settings.

use std::time::Duration;

use anwen_contract::model::ModelCapabilities;
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream;

use super::{
    ChatEnd, ChatEvent, ChatEvents, ChatJob, Delta, EmbedInput, EmbedJob, Embeddings, Engine, FinishReason,
    Prompt, usage,
};
use crate::config::{StubScript, StubSettings};
use crate::error::RuntimeError;

/// Numbers in a stub embedding.
const DIMENSIONS: usize = 8;

/// Words that an answer without a script repeats.
const WORDS: [&str; 8] = ["alpha ", "beta ", "gamma ", "delta ", "epsilon ", "zeta ", "eta ", "theta "];

/// The scripted engine.
pub struct StubEngine {
    settings: StubSettings,
}

impl StubEngine {
    pub fn new(settings: StubSettings) -> Self {
        Self { settings }
    }

    fn script_for(&self, prompt: &str) -> Option<&StubScript> {
        self.settings.scripts.iter().find(|script| prompt.contains(&script.contains))
    }
}

/// What the asker said last.
fn last_words(prompt: &Prompt) -> &str {
    match prompt {
        Prompt::Raw(text) | Prompt::Infill { prefix: text, .. } => text,
        Prompt::Tokens(_) => "",
        Prompt::Chat(turns) => turns.last().map_or("", |turn| &turn.content),
    }
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

#[async_trait]
impl Engine for StubEngine {
    fn name(&self) -> &'static str {
        "stub"
    }

    fn capabilities(&self) -> ModelCapabilities {
        ModelCapabilities { chat: true, embed: true, ..ModelCapabilities::default() }
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
        let script = self.script_for(last_words(&job.prompt));
        let (words, fails): (Vec<String>, bool) = match script {
            Some(script) => (script.answer.split_inclusive(' ').map(str::to_owned).collect(), script.fails),
            None => (
                WORDS
                    .iter()
                    .cycle()
                    .take(self.settings.tokens as usize)
                    .map(|word| (*word).to_owned())
                    .collect(),
                false,
            ),
        };
        let limit = job.sampling.max_tokens.map_or(usize::MAX, |limit| limit as usize);
        let finish = if words.len() > limit { FinishReason::Length } else { FinishReason::Stop };
        let spoken: Vec<String> = words.into_iter().take(limit).collect();
        let usage = usage(words_in(&job.prompt), spoken.len());
        let first_delay = Duration::from_millis(self.settings.first_token_delay_ms);
        let delay = Duration::from_millis(self.settings.token_delay_ms);
        let deltas = stream::iter(spoken.into_iter().enumerate()).then(move |(index, word)| async move {
            tokio::time::sleep(if index == 0 { first_delay } else { delay }).await;
            Ok(ChatEvent::Delta(Delta::text(word)))
        });
        let end = if fails {
            Err(RuntimeError::GenerationFailed { cause: "scripted failure".to_owned() })
        } else {
            Ok(ChatEvent::Done(ChatEnd::new(finish, usage)))
        };
        Ok(deltas.chain(stream::iter([end])).boxed())
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
}
