//! Loading made models without the service around them.

#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anwen_model_runtime::Config;
use anwen_model_runtime::engine::load::load;
use anwen_model_runtime::engine::{
    ChatEnd, ChatEvent, ChatJob, Engine, FinishReason, Prompt, Role, TokenLogprob, ToolCall, Turn,
};
use anwen_models::{ModelFiles, ModelSettings, Weights};
use futures::StreamExt as _;

use crate::tiny_model::{self, Family, Precision};

/// Which file format a test loads, and what runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Safetensors through mistral.rs.
    Safetensors,
    /// GGUF by the engine of this name.
    Gguf(Precision, &'static str),
}

pub const PRECISIONS: [Precision; 3] = [Precision::F16, Precision::Q8_0, Precision::Q4K];

impl Format {
    /// The formats of `family` that engines of this build run. mistral.rs knows no GGUF files of Gemma 3.
    pub fn of(family: Family) -> Vec<Self> {
        let by_llama = PRECISIONS.map(|precision| Self::Gguf(precision, "llamacpp"));
        let by_mistral = PRECISIONS.map(|precision| Self::Gguf(precision, "mistralrs"));
        let mut formats = vec![Self::Safetensors];
        if cfg!(feature = "llamacpp") {
            formats.extend(by_llama);
        }
        if family != Family::Gemma3 {
            // Of Phi-3 it reads quantised tables only.
            let reads =
                |format: &Self| family != Family::Phi3 || *format != Self::Gguf(Precision::F16, "mistralrs");
            formats.extend(by_mistral.into_iter().filter(reads));
        }
        formats
    }
}

/// The model at `path` as a listing would describe it.
pub fn files_at(path: &Path, change: impl FnOnce(&mut ModelSettings)) -> ModelFiles {
    let found = anwen_models::scan(path.parent().unwrap());
    let mut files = found
        .into_iter()
        .find(|files| match &files.weights {
            Weights::Gguf { file } => file == path,
            Weights::StaticEmbedding { folder }
            | Weights::Safetensors { folder }
            | Weights::Encoder { folder } => folder == path,
        })
        .unwrap_or_else(|| panic!("no model was found at {}", path.display()));
    change(&mut files.settings);
    files
}

/// Writes and loads a model of `family`.
pub async fn loaded(folder: &Path, family: Family, format: Format) -> Arc<dyn Engine> {
    let path = written(folder, family, format);
    let engine = match format {
        Format::Gguf(_, engine) => Some(engine.to_owned()),
        Format::Safetensors => None,
    };
    let files = files_at(&path, |settings| settings.engine = engine);
    load(&files, &Config::default()).await.unwrap_or_else(|error| panic!("{family:?} {format:?}: {error:?}"))
}

/// Where the written model lies.
pub fn written(folder: &Path, family: Family, format: Format) -> PathBuf {
    match format {
        Format::Safetensors => {
            let path = folder.join(family.name());
            tiny_model::write_family_safetensors(&path, family);
            path
        }
        Format::Gguf(precision, _) => {
            let path = folder.join(format!("{}-{}.gguf", family.name(), precision.name()));
            tiny_model::write_family_gguf(&path, family, precision);
            path
        }
    }
}

/// A question with the most likely answer of at most `max_tokens`.
pub fn question(text: &str, max_tokens: u32) -> ChatJob {
    let mut job = ChatJob::new(Prompt::Chat(vec![Turn::text(Role::User, text)]));
    job.sampling.max_tokens = Some(max_tokens);
    job.sampling.temperature = Some(0.0);
    job
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub text: String,
    pub thinking: String,
    pub calls: Vec<ToolCall>,
    pub logprobs: Vec<TokenLogprob>,
    pub end: ChatEnd,
}

impl Answer {
    pub fn stopped(&self) -> bool {
        self.end.finish == FinishReason::Stop
    }

    /// Thinking and text.
    pub fn all_text(&self) -> String {
        format!("{}{}", self.thinking, self.text)
    }
}

pub async fn answer(engine: &Arc<dyn Engine>, job: ChatJob) -> Answer {
    let mut events = engine.chat(job).await.unwrap();
    let mut answer = Answer {
        text: String::new(),
        thinking: String::new(),
        calls: Vec::new(),
        logprobs: Vec::new(),
        end: ChatEnd::new(FinishReason::Length, anwen_contract::model::Usage::default()),
    };
    while let Some(event) = events.next().await {
        match event.unwrap() {
            ChatEvent::Delta(delta) => {
                answer.text.push_str(&delta.text);
                answer.logprobs.extend(delta.logprobs);
            }
            ChatEvent::Reasoning(text) => answer.thinking.push_str(&text),
            ChatEvent::ToolCall(call) => answer.calls.push(call),
            ChatEvent::Done(end) => {
                answer.end = end;
                return answer;
            }
        }
    }
    panic!("the answer has no end");
}
