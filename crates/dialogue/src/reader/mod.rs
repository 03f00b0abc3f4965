//! What a model writes, as an answer: thinking, text and calls told apart while it streams.

mod calls;
mod channels;
mod json;
mod parse;
mod thinking;

use std::fmt;

use crate::stop::StopFilter;
use crate::style::{AnswerStyle, ThinkingStyle};
use crate::types::{Think, ToolCall, ToolDefinition};
use calls::CallFinder;
use channels::Channels;
use thinking::ThinkingSplitter;

/// A part of an answer, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String),
    Thinking(String),
    ToolCall(ToolCall),
}

/// What the first look at a model's text tells apart.
enum Segment {
    Thinking(String),
    /// May hold calls.
    Answer(String),
    /// A call whose tool stands outside its arguments: the name, and the arguments' text.
    Call(String, String),
}

/// What the text outside thinking is made of.
enum Found {
    Text(String),
    Call { name: String, arguments: serde_json::Value },
}

enum Splitter {
    Thinking(ThinkingSplitter),
    Channels(Channels),
}

/// Reads one answer as it streams. What comes out does not depend on how the text is cut, and text is held back only
/// while it may still be part of a mark, a call or a stop sequence.
pub struct AnswerReader {
    splitter: Splitter,
    finder: CallFinder,
    stop: StopFilter,
    new_id: Box<dyn FnMut() -> String + Send>,
    pieces: Vec<Piece>,
}

impl fmt::Debug for AnswerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerReader").field("stopped", &self.stop.stopped()).finish_non_exhaustive()
    }
}

impl AnswerReader {
    /// A reader of an answer in `style`, to a prompt that was rendered with `think`. Calls are told from text only where
    /// there are `tools`; `stop` ends the answer's text and not its thinking.
    pub fn new(
        style: &AnswerStyle,
        stop: Vec<String>,
        tools: &[ToolDefinition],
        think: Option<Think>,
    ) -> Self {
        let splitter = match &style.thinking {
            ThinkingStyle::Channels => Splitter::Channels(Channels::new()),
            ThinkingStyle::Tags { open, close } => {
                let inside = style.starts_thinking.given(think);
                Splitter::Thinking(ThinkingSplitter::new(open, close, inside))
            }
        };
        let finder = CallFinder::new(style.calls, tools, &stop);
        let stop = stop.into_iter().chain(style.turn_ends.iter().cloned()).collect();
        Self {
            splitter,
            finder,
            stop: StopFilter::new(stop),
            new_id: Box::new(|| format!("call_{:016x}", rand::random::<u64>())),
            pieces: Vec::new(),
        }
    }

    /// The same with ids of calls made by `new_id`; without this they are random.
    pub fn with_ids(mut self, new_id: impl FnMut() -> String + Send + 'static) -> Self {
        self.new_id = Box::new(new_id);
        self
    }

    /// What can be passed on now that `text` has come.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        if self.stopped() {
            return Vec::new();
        }
        let segments = match &mut self.splitter {
            Splitter::Thinking(splitter) => splitter.push(text),
            Splitter::Channels(channels) => channels.push(text),
        };
        self.read(segments);
        std::mem::take(&mut self.pieces)
    }

    /// What was held back, now that no more text comes.
    pub fn finish(&mut self) -> Vec<Piece> {
        if self.stopped() {
            return Vec::new();
        }
        let segments = match &mut self.splitter {
            Splitter::Thinking(splitter) => splitter.finish(),
            Splitter::Channels(channels) => channels.finish(),
        };
        self.read(segments);
        let found = self.finder.finish();
        self.add(found);
        let rest = self.stop.finish();
        self.add_text(rest);
        std::mem::take(&mut self.pieces)
    }

    /// Whether a stop sequence ended the answer: what is pushed from now on is dropped.
    pub fn stopped(&self) -> bool {
        self.stop.stopped()
    }

    fn read(&mut self, segments: Vec<Segment>) {
        for segment in segments {
            let found = match segment {
                Segment::Thinking(text) => {
                    self.add_thinking(text);
                    continue;
                }
                Segment::Answer(text) => self.finder.push(&text),
                Segment::Call(name, arguments) => self.finder.named_call(&name, &arguments),
            };
            self.add(found);
        }
    }

    fn add(&mut self, found: Vec<Found>) {
        for found in found {
            if self.stopped() {
                return;
            }
            match found {
                Found::Text(text) => {
                    let passed = self.stop.push(&text);
                    self.add_text(passed);
                }
                Found::Call { name, arguments } => {
                    let before = self.stop.finish();
                    self.add_text(before);
                    let id = (self.new_id)();
                    self.pieces.push(Piece::ToolCall(ToolCall { id, name, arguments }));
                }
            }
        }
    }

    fn add_text(&mut self, text: String) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(last)) => last.push_str(&text),
            _ => self.pieces.push(Piece::Text(text)),
        }
    }

    fn add_thinking(&mut self, text: String) {
        match self.pieces.last_mut() {
            _ if text.is_empty() || self.stop.stopped() => {}
            Some(Piece::Thinking(last)) => last.push_str(&text),
            _ => self.pieces.push(Piece::Thinking(text)),
        }
    }
}

/// Bytes at the end of `text` that one of `marks` begins with, the marks themselves left out.
fn partial_mark_at_end<'a>(text: &str, marks: impl IntoIterator<Item = &'a str>) -> usize {
    let beginning_of = |mark: &'a str| {
        (1..mark.len())
            .rev()
            .find(|&length| mark.is_char_boundary(length) && text.ends_with(&mark[..length]))
            .unwrap_or(0)
    };
    marks.into_iter().map(beginning_of).max().unwrap_or(0)
}
