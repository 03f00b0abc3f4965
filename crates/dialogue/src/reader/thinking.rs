//! Thinking between two marks, before the answer.

use super::{Segment, partial_mark_at_end};

pub(super) struct ThinkingSplitter {
    open: String,
    close: String,
    phase: Phase,
    held: String,
}

enum Phase {
    /// Nothing but white space has come.
    Start,
    /// In the block; whether some of it was passed on.
    Inside {
        begun: bool,
    },
    /// Behind the block, before the answer's first letter.
    Behind,
    Answer,
}

impl ThinkingSplitter {
    /// `inside`: the prompt has opened the block.
    pub(super) fn new(open: &str, close: &str, inside: bool) -> Self {
        let phase = if inside { Phase::Inside { begun: false } } else { Phase::Start };
        Self { open: open.to_owned(), close: close.to_owned(), phase, held: String::new() }
    }

    pub(super) fn push(&mut self, text: &str) -> Vec<Segment> {
        self.held.push_str(text);
        let mut segments = Vec::new();
        while self.step(&mut segments) {}
        segments
    }

    pub(super) fn finish(&mut self) -> Vec<Segment> {
        let rest = std::mem::take(&mut self.held);
        match self.phase {
            Phase::Start | Phase::Answer => vec![Segment::Answer(rest)],
            Phase::Inside { begun } => {
                let rest = if begun { rest.as_str() } else { rest.trim_start() };
                vec![Segment::Thinking(rest.trim_end().to_owned())]
            }
            Phase::Behind => Vec::new(),
        }
    }

    /// One move forward; whether another may follow.
    fn step(&mut self, segments: &mut Vec<Segment>) -> bool {
        match self.phase {
            Phase::Start => self.start(),
            Phase::Inside { begun } => self.inside(begun, segments),
            Phase::Behind => {
                let white = self.held.len() - self.held.trim_start().len();
                self.held.drain(..white);
                if self.held.is_empty() {
                    return false;
                }
                self.phase = Phase::Answer;
                true
            }
            Phase::Answer => {
                if !self.held.is_empty() {
                    segments.push(Segment::Answer(std::mem::take(&mut self.held)));
                }
                false
            }
        }
    }

    fn start(&mut self) -> bool {
        let begun = self.held.trim_start();
        for (mark, next) in [(&self.open, Phase::Inside { begun: false }), (&self.close, Phase::Behind)] {
            if let Some(rest) = begun.strip_prefix(mark.as_str()) {
                self.held = rest.to_owned();
                self.phase = next;
                return true;
            }
        }
        if self.open.starts_with(begun) || self.close.starts_with(begun) {
            return false;
        }
        self.phase = Phase::Answer;
        true
    }

    fn inside(&mut self, begun: bool, segments: &mut Vec<Segment>) -> bool {
        if !begun {
            let white = self.held.len() - self.held.trim_start().len();
            self.held.drain(..white);
            // Some models open the block once more.
            if let Some(rest) = self.held.strip_prefix(self.open.as_str()) {
                self.held = rest.to_owned();
                return true;
            }
            if self.held.is_empty() || self.open.starts_with(self.held.as_str()) {
                return false;
            }
        }
        if let Some(at) = self.held.find(self.close.as_str()) {
            segments.push(Segment::Thinking(self.held[..at].trim_end().to_owned()));
            self.held.drain(..at + self.close.len());
            self.phase = Phase::Behind;
            return true;
        }
        let keep = partial_mark_at_end(&self.held, [self.close.as_str()]);
        let passed = self.held[..self.held.len() - keep].trim_end().len();
        if passed > 0 {
            self.phase = Phase::Inside { begun: true };
            let rest = self.held.split_off(passed);
            segments.push(Segment::Thinking(std::mem::replace(&mut self.held, rest)));
        }
        false
    }
}
