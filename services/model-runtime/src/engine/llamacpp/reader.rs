//! What of a model's text is answer, thinking or a tool's call.

use anwen_dialogue::{StopFilter, ToolCall};

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    Thinking(String),
    ToolCall(ToolCall),
}

/// Reads a model's text as it grows.
pub enum Reader {
    /// All of it is answer, up to a stop sequence.
    Plain(StopFilter),
}

impl Reader {
    /// Whether control tokens are text for it.
    pub fn reads_control(&self) -> bool {
        false
    }

    /// What can be passed on now that `text` has come.
    pub fn push(&mut self, text: &str) -> Vec<Part> {
        match self {
            Self::Plain(filter) => text_part(filter.push(text)),
        }
    }

    /// What was held back when no more text comes.
    pub fn finish(&mut self) -> Vec<Part> {
        match self {
            Self::Plain(filter) => text_part(filter.finish()),
        }
    }

    /// Whether a stop sequence has come.
    pub fn stopped(&self) -> bool {
        match self {
            Self::Plain(filter) => filter.stopped(),
        }
    }
}

fn text_part(text: String) -> Vec<Part> {
    if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] }
}
