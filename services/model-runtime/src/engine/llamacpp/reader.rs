//! What of a model's text is answer, thinking or a tool's call.

use anwen_dialogue::{AnswerReader, Piece, StopFilter};

/// Reads a model's text as it grows.
#[derive(Debug)]
pub enum Reader {
    /// All of it is answer, up to a stop sequence: where a prompt was continued as it stood.
    Plain(StopFilter),
    /// An answer in a conversation.
    Answer(Box<AnswerReader>),
}

impl Reader {
    /// What can be passed on now that `text` has come.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        match self {
            Self::Plain(filter) => text_piece(filter.push(text)),
            Self::Answer(reader) => reader.push(text),
        }
    }

    /// What was held back when no more text comes.
    pub fn finish(&mut self) -> Vec<Piece> {
        match self {
            Self::Plain(filter) => text_piece(filter.finish()),
            Self::Answer(reader) => reader.finish(),
        }
    }

    /// Whether a stop sequence has come.
    pub fn stopped(&self) -> bool {
        match self {
            Self::Plain(filter) => filter.stopped(),
            Self::Answer(reader) => reader.stopped(),
        }
    }
}

fn text_piece(text: String) -> Vec<Piece> {
    if text.is_empty() { Vec::new() } else { vec![Piece::Text(text)] }
}
