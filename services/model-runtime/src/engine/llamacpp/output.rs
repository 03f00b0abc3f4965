//! From tokens to the events of an answer: characters put together from bytes, stop sequences, thinking and tool calls,
//! and the probabilities that belong to what is passed on.

use std::collections::VecDeque;

use anwen_dialogue::Piece;
use tokio::sync::mpsc;

use super::reader::Reader;
use crate::engine::{ChatEnd, ChatEvent, Delta, FinishReason, TokenLogprob};
use crate::error::RuntimeError;

/// Where the events of one generation go.
pub type Events = mpsc::Sender<Result<ChatEvent, RuntimeError>>;

/// What becomes of a generation after a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    More,
    /// A stop sequence came.
    Stopped,
    /// Nobody listens any more.
    Abandoned,
}

/// The answer of one generation, as far as it has come.
pub struct Output {
    events: Events,
    reader: Reader,
    /// The beginning of a character whose other bytes are still to come.
    unfinished: Vec<u8>,
    /// Probabilities of tokens that were not passed on yet, with the length of their text.
    waiting: VecDeque<(usize, TokenLogprob)>,
    called_tools: bool,
}

impl Output {
    pub fn new(events: Events, reader: Reader) -> Self {
        Self { events, reader, unfinished: Vec::new(), waiting: VecDeque::new(), called_tools: false }
    }

    /// Whether nobody listens any more.
    pub fn is_abandoned(&self) -> bool {
        self.events.is_closed()
    }

    /// Takes the bytes of the next token.
    pub fn push(&mut self, bytes: &[u8], logprob: Option<TokenLogprob>) -> Progress {
        if let Some(logprob) = logprob {
            self.waiting.push_back((bytes.len(), logprob));
        }
        self.unfinished.extend_from_slice(bytes);
        let text = take_characters(&mut self.unfinished);
        if text.is_empty() {
            return if self.is_abandoned() { Progress::Abandoned } else { Progress::More };
        }
        let pieces = self.reader.push(&text);
        if !self.send_all(pieces) {
            return Progress::Abandoned;
        }
        if self.reader.stopped() { Progress::Stopped } else { Progress::More }
    }

    /// Sends what was held back, and how it ended.
    pub fn finish(mut self, mut end: ChatEnd) {
        if !self.reader.stopped() {
            let rest = String::from_utf8_lossy(&std::mem::take(&mut self.unfinished)).into_owned();
            let mut pieces = self.reader.push(&rest);
            pieces.extend(self.reader.finish());
            self.send_all(pieces);
        }
        if self.called_tools && end.finish == FinishReason::Stop {
            end.finish = FinishReason::ToolCalls;
        }
        self.send(Ok(ChatEvent::Done(end)));
    }

    /// Ends the stream with a failure.
    pub fn fail(self, error: RuntimeError) {
        self.send(Err(error));
    }

    fn send_all(&mut self, pieces: Vec<Piece>) -> bool {
        pieces.into_iter().all(|piece| {
            let event = match piece {
                Piece::Text(text) => {
                    let logprobs = self.logprobs_of(text.len());
                    ChatEvent::Delta(Delta { text, logprobs })
                }
                Piece::Thinking(text) => {
                    self.logprobs_of(text.len());
                    ChatEvent::Reasoning(text)
                }
                Piece::ToolCall(call) => {
                    self.called_tools = true;
                    self.waiting.clear();
                    ChatEvent::ToolCall(call)
                }
            };
            self.send(Ok(event))
        })
    }

    /// The probabilities of the tokens whose text ends within the next `bytes`; what is left of a longer one counts as
    /// passed on.
    fn logprobs_of(&mut self, bytes: usize) -> Vec<TokenLogprob> {
        let mut left = bytes;
        let mut found = Vec::new();
        while let Some((length, _)) = self.waiting.front_mut() {
            if *length > left {
                *length -= left;
                break;
            }
            left -= *length;
            found.extend(self.waiting.pop_front().map(|(_, logprob)| logprob));
        }
        found
    }

    /// False when nobody listens, or somebody so slowly that a whole answer waits.
    fn send(&self, event: Result<ChatEvent, RuntimeError>) -> bool {
        self.events.try_send(event).is_ok()
    }
}

/// Takes whole characters from the front of `bytes`; bytes that can be part of none become replacement characters.
fn take_characters(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    loop {
        match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                bytes.clear();
                return text;
            }
            Err(error) => {
                let valid = error.valid_up_to();
                text.push_str(&String::from_utf8_lossy(&bytes[..valid]));
                match error.error_len() {
                    Some(broken) => {
                        text.push(char::REPLACEMENT_CHARACTER);
                        bytes.drain(..valid + broken);
                    }
                    None => {
                        bytes.drain(..valid);
                        return text;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::engine::usage;
    use anwen_dialogue::StopFilter;

    fn output(stop: &[&str]) -> (Output, mpsc::Receiver<Result<ChatEvent, RuntimeError>>) {
        let (sender, receiver) = mpsc::channel(64);
        let stop = stop.iter().map(|sequence| (*sequence).to_owned()).collect();
        (Output::new(sender, Reader::Plain(StopFilter::new(stop))), receiver)
    }

    fn logprob(value: f32) -> Option<TokenLogprob> {
        Some(TokenLogprob { bytes: Vec::new(), logprob: value, top: Vec::new() })
    }

    /// Texts and the probabilities beside them.
    fn deltas(mut receiver: mpsc::Receiver<Result<ChatEvent, RuntimeError>>) -> Vec<(String, Vec<f32>)> {
        let mut found = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            if let Ok(ChatEvent::Delta(delta)) = event {
                found.push((delta.text, delta.logprobs.iter().map(|logprob| logprob.logprob).collect()));
            }
        }
        found
    }

    fn end() -> ChatEnd {
        ChatEnd::new(FinishReason::Stop, usage(1, 1))
    }

    #[test]
    fn a_character_is_passed_on_whole() {
        let (mut output, receiver) = output(&[]);
        for byte in "好a".as_bytes() {
            assert_eq!(output.push(&[*byte], logprob(f32::from(*byte))), Progress::More);
        }
        output.finish(end());
        let expected = "好".bytes().map(f32::from).collect();
        assert_eq!(deltas(receiver), [("好".to_owned(), expected), ("a".to_owned(), vec![97.0])]);
    }

    #[test]
    fn bytes_of_no_character_become_replacements() {
        let (mut output, receiver) = output(&[]);
        output.push(b"a\xff", None);
        output.push(b"b\xe5\xa5", None);
        output.finish(end());
        let text: String = deltas(receiver).into_iter().map(|(text, _)| text).collect();
        assert_eq!(text, "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn probabilities_of_what_a_stop_sequence_cut_are_not_passed_on() {
        let (mut output, receiver) = output(&["END"]);
        assert_eq!(output.push(b"ab", logprob(1.0)), Progress::More);
        assert_eq!(output.push(b"E", logprob(2.0)), Progress::More);
        assert_eq!(output.push(b"ND", logprob(3.0)), Progress::Stopped);
        output.finish(end());
        assert_eq!(deltas(receiver), [("ab".to_owned(), vec![1.0])]);
    }

    #[test]
    fn a_generation_that_nobody_reads_is_abandoned() {
        let (mut output, receiver) = output(&[]);
        drop(receiver);
        assert_eq!(output.push(b"a", None), Progress::Abandoned);
        assert!(output.is_abandoned());
    }
}
