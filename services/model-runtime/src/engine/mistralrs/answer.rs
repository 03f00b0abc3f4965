//! What mistral.rs streams, as events.

use std::sync::Arc;

use anwen_dialogue::{AnswerReader, Piece};
use futures::{StreamExt as _, stream};
use mistralrs::{Model, Response};
use tokio::sync::mpsc;

use super::super::{ChatEnd, ChatEvent, ChatEvents, Delta, FinishReason, TokenLogprob};
use super::choice::{Chooser, Chosen};
use super::files::Vocabulary;
use crate::error::RuntimeError;

type Events = Vec<Result<ChatEvent, RuntimeError>>;

/// What a generation holds on to.
pub(super) struct Running {
    /// Keeps the weights until the generation has ended.
    pub _model: Arc<Model>,
    pub responses: mpsc::Receiver<Response>,
    pub reader: AnswerReader,
    pub chooser: Arc<Chooser>,
    /// For the bytes of tokens; `None` when no probabilities are asked for.
    pub vocabulary: Option<Arc<Vocabulary>>,
    pub max_tokens: usize,
    pub prompt_tokens: usize,
    pub dropped_turns: u32,
    /// Probabilities of tokens whose text is held back.
    pub logprobs: Vec<TokenLogprob>,
    pub called: bool,
}

/// The events of a generation. Dropping them ends it at the next token.
pub(super) fn events(running: Running) -> ChatEvents {
    let batches = stream::unfold(Some(running), |running| async move {
        let mut running = running?;
        let events = match running.responses.recv().await {
            Some(response) => running.take(response),
            None => running.ended_without_a_word(),
        };
        let ended = events.iter().any(|event| matches!(event, Ok(ChatEvent::Done(_)) | Err(_)));
        Some((events, (!ended).then_some(running)))
    });
    batches.flat_map(stream::iter).boxed()
}

/// What a streamed part of an answer says, whichever kind of request it answers.
struct Part {
    text: String,
    reasoning: String,
    finish: Option<String>,
    /// Tokens of prompt and answer.
    usage: Option<(usize, usize)>,
}

impl Running {
    fn take(&mut self, response: Response) -> Events {
        let part = match response {
            Response::Chunk(chunk) => {
                let usage = chunk.usage.map(|usage| (usage.prompt_tokens, usage.completion_tokens));
                chunk.choices.into_iter().next().map(|choice| Part {
                    text: choice.delta.content.unwrap_or_default(),
                    reasoning: choice.delta.reasoning_content.unwrap_or_default(),
                    finish: choice.finish_reason,
                    usage,
                })
            }
            Response::CompletionChunk(chunk) => chunk.choices.into_iter().next().map(|choice| Part {
                text: choice.text,
                reasoning: String::new(),
                finish: choice.finish_reason,
                usage: None,
            }),
            Response::ValidationError(cause) => return vec![Err(RuntimeError::Invalid(cause.to_string()))],
            Response::InternalError(cause) => return vec![Err(failed(cause))],
            Response::ModelError(cause, _) | Response::CompletionModelError(cause, _) => {
                return vec![Err(failed(cause))];
            }
            _ => return vec![Err(failed("mistral.rs answered something else than text"))],
        };
        part.map(|part| self.take_part(part)).unwrap_or_default()
    }

    fn take_part(&mut self, part: Part) -> Events {
        self.take_logprobs(part.finish.is_some());
        let mut events = Vec::new();
        if !part.reasoning.is_empty() {
            events.push(Ok(ChatEvent::Reasoning(part.reasoning)));
        }
        let pieces = self.reader.push(&part.text);
        self.pass_on(pieces, &mut events);
        let finish = match part.finish.as_deref() {
            Some("length") => Some(FinishReason::Length),
            Some(_) => Some(FinishReason::Stop),
            None => self.reader.stopped().then_some(FinishReason::Stop),
        };
        if let Some(finish) = finish {
            let finish = if self.reader.stopped() { FinishReason::Stop } else { finish };
            let usage = part.usage.unwrap_or((self.prompt_tokens, self.chooser.chosen_tokens()));
            self.end(finish, usage, &mut events);
        }
        events
    }

    /// A last token that is a part of a character only is never sent, and the end with it.
    fn ended_without_a_word(&mut self) -> Events {
        let chosen = self.chooser.chosen_tokens();
        if chosen < self.max_tokens {
            return vec![Err(failed("mistral.rs ended without an answer"))];
        }
        let mut events = Vec::new();
        self.end(FinishReason::Length, (self.prompt_tokens, chosen), &mut events);
        events
    }

    fn end(&mut self, finish: FinishReason, usage: (usize, usize), events: &mut Events) {
        let pieces = self.reader.finish();
        self.pass_on(pieces, events);
        if !self.logprobs.is_empty() {
            let logprobs = std::mem::take(&mut self.logprobs);
            events.push(Ok(ChatEvent::Delta(Delta { text: String::new(), logprobs })));
        }
        let finish = if self.called { FinishReason::ToolCalls } else { finish };
        let end = ChatEnd::new(finish, super::super::usage(usage.0, usage.1));
        events.push(Ok(ChatEvent::Done(ChatEnd { dropped_turns: self.dropped_turns, ..end })));
    }

    fn pass_on(&mut self, pieces: Vec<Piece>, events: &mut Events) {
        for piece in pieces {
            events.push(Ok(match piece {
                Piece::Text(text) => {
                    ChatEvent::Delta(Delta { text, logprobs: std::mem::take(&mut self.logprobs) })
                }
                Piece::Thinking(text) => ChatEvent::Reasoning(text),
                Piece::ToolCall(call) => {
                    self.called = true;
                    ChatEvent::ToolCall(call)
                }
            }));
        }
    }

    /// The tokens of the part that has come: mistral.rs sends one as soon as its characters are whole.
    fn take_logprobs(&mut self, all: bool) {
        let Some(vocabulary) = &self.vocabulary else { return };
        let mut bytes = Vec::new();
        while let Some(Chosen { token, logprob, top }) = self.chooser.next() {
            let own = vocabulary.bytes(token);
            bytes.extend_from_slice(&own);
            let top = top.into_iter().map(|(token, logprob)| (vocabulary.bytes(token), logprob)).collect();
            self.logprobs.push(TokenLogprob { bytes: own, logprob, top });
            if !all && std::str::from_utf8(&bytes).is_ok() {
                break;
            }
        }
    }
}

pub(super) fn failed(cause: impl std::fmt::Display) -> RuntimeError {
    RuntimeError::GenerationFailed { cause: cause.to_string() }
}
