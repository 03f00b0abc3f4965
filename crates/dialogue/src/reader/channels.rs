//! The channels of gpt-oss: messages with a header each, from OpenAI's description of its response format.

use super::{Segment, partial_mark_at_end};

/// A header that is longer is text.
const MAX_HEADER_BYTES: usize = 512;

const MESSAGE: &str = "<|message|>";
const CHANNEL: &str = "<|channel|>";
const CONSTRAIN: &str = "<|constrain|>";
/// What ends a message.
const ENDS: [&str; 5] = ["<|end|>", "<|return|>", "<|call|>", "<|start|>", CHANNEL];

pub(super) struct Channels {
    state: State,
    held: String,
}

#[derive(Clone)]
enum State {
    /// Before the first message: text without any header is the answer.
    First,
    Header,
    Body(Kind),
}

#[derive(Clone)]
enum Kind {
    Thinking,
    Answer,
    Call(String),
}

impl Channels {
    pub(super) fn new() -> Self {
        Self { state: State::First, held: String::new() }
    }

    pub(super) fn push(&mut self, text: &str) -> Vec<Segment> {
        self.held.push_str(text);
        let mut segments = Vec::new();
        while self.step(&mut segments) {}
        segments
    }

    pub(super) fn finish(&mut self) -> Vec<Segment> {
        let rest = std::mem::take(&mut self.held);
        match &self.state {
            State::Body(kind) => vec![segment(kind, rest)],
            State::First | State::Header if rest.trim().is_empty() => Vec::new(),
            // A header without a message: what it says is not known, so it is shown.
            State::First | State::Header => vec![Segment::Answer(rest)],
        }
    }

    fn step(&mut self, segments: &mut Vec<Segment>) -> bool {
        match self.state.clone() {
            State::First => self.first(),
            State::Header => self.header(segments),
            State::Body(kind) => self.body(&kind, segments),
        }
    }

    fn first(&mut self) -> bool {
        let begun = self.held.trim_start();
        let is_header = |mark: &str| begun.starts_with(mark);
        // The tool may stand before the channel.
        if ["<|start|>", CHANNEL, CONSTRAIN, MESSAGE, "to="].into_iter().any(is_header) {
            self.state = State::Header;
            return true;
        }
        if ["<|start|>", CHANNEL, CONSTRAIN, MESSAGE, "to="].into_iter().any(|mark| mark.starts_with(begun)) {
            return false;
        }
        self.state = State::Body(Kind::Answer);
        true
    }

    fn header(&mut self, segments: &mut Vec<Segment>) -> bool {
        if let Some(at) = self.held.find(MESSAGE) {
            let kind = kind_of(&self.held[..at]);
            self.held.drain(..at + MESSAGE.len());
            self.state = State::Body(kind);
            return true;
        }
        if self.held.len() <= MAX_HEADER_BYTES {
            return false;
        }
        segments.push(Segment::Answer(std::mem::take(&mut self.held)));
        self.state = State::Body(Kind::Answer);
        false
    }

    fn body(&mut self, kind: &Kind, segments: &mut Vec<Segment>) -> bool {
        let end = ENDS.iter().filter_map(|mark| self.held.find(mark).map(|at| (at, *mark))).min();
        if let Some((at, mark)) = end {
            // A header begins with these: they stay for it.
            let drained = if matches!(mark, "<|start|>" | CHANNEL) { at } else { at + mark.len() };
            segments.push(segment(kind, self.held[..at].to_owned()));
            self.held.drain(..drained);
            self.state = State::Header;
            return true;
        }
        if matches!(kind, Kind::Call(_)) {
            return false;
        }
        let keep = partial_mark_at_end(&self.held, ENDS);
        let rest = self.held.split_off(self.held.len() - keep);
        let passed = std::mem::replace(&mut self.held, rest);
        if !passed.is_empty() {
            segments.push(segment(kind, passed));
        }
        false
    }
}

fn segment(kind: &Kind, text: String) -> Segment {
    match kind {
        Kind::Thinking => Segment::Thinking(text),
        Kind::Answer => Segment::Answer(text),
        Kind::Call(name) => Segment::Call(name.clone(), text),
    }
}

fn kind_of(header: &str) -> Kind {
    let recipient = header.find("to=").map(|at| {
        let name = &header[at + "to=".len()..];
        let end =
            name.find(|character: char| character.is_whitespace() || character == '<').unwrap_or(name.len());
        &name[..end]
    });
    if let Some(name) = recipient.filter(|name| !name.is_empty()) {
        return Kind::Call(name.strip_prefix("functions.").unwrap_or(name).to_owned());
    }
    let channel = header.rsplit(CHANNEL).next().unwrap_or_default();
    if channel.trim_start().starts_with("analysis") { Kind::Thinking } else { Kind::Answer }
}
