//! One generation: its tokens, how the next one is chosen, and where the answer goes.

use super::constraint::{Constraint, Gate, Place};
use super::output::{Output, Progress};
use super::sampler::{self, Sampler};
use super::sequences::Token;
use super::vocabulary::Vocabulary;
use crate::engine::{ChatEnd, FinishReason, TokenLogprob, usage};
use crate::error::RuntimeError;

/// A generation that was asked for.
pub struct Generation {
    /// The prompt, then what was chosen.
    pub tokens: Vec<Token>,
    prompt_tokens: usize,
    /// Tokens that may be chosen.
    max_tokens: usize,
    sampler: Sampler,
    constraint: Option<Constraint>,
    /// Thinking that comes before the constraint holds; `None` once it is over.
    gate: Option<Gate>,
    /// Likeliest tokens to report beside each one; `None` for no probabilities at all.
    logprobs: Option<usize>,
    output: Output,
    /// Tokens of the prompt that lay in memory already.
    cached_tokens: usize,
    dropped_turns: u32,
}

/// What a generation is made of.
pub struct Order {
    pub prompt: Vec<Token>,
    pub max_tokens: usize,
    pub sampler: Sampler,
    pub constraint: Option<Constraint>,
    pub gate: Option<Gate>,
    pub logprobs: Option<usize>,
    pub output: Output,
    pub dropped_turns: u32,
}

/// What becomes of a generation after a step.
#[derive(Debug)]
pub enum Next {
    /// It goes on with one more token.
    Continue,
    /// It ended like this.
    End(FinishReason),
    Abandoned,
    Failed(String),
}

impl Generation {
    pub fn new(order: Order) -> Self {
        Self {
            prompt_tokens: order.prompt.len(),
            tokens: order.prompt,
            max_tokens: order.max_tokens,
            sampler: order.sampler,
            constraint: order.constraint,
            gate: order.gate,
            logprobs: order.logprobs,
            output: order.output,
            cached_tokens: 0,
            dropped_turns: order.dropped_turns,
        }
    }

    /// Whether nobody waits for it any more.
    pub fn is_abandoned(&self) -> bool {
        self.output.is_abandoned()
    }

    /// Notes how much of the prompt lay in memory when it began.
    pub fn begin(&mut self, shared: usize) {
        self.cached_tokens = shared.min(self.prompt_tokens);
    }

    /// Chooses the next token by `logits`, which follow `tokens`.
    pub fn step(&mut self, logits: &[f32], vocabulary: &Vocabulary) -> Next {
        let mask = match self.constraint_now().map(Constraint::mask).transpose() {
            Ok(mask) => mask,
            Err(cause) => return Next::Failed(cause),
        };
        let Some(token) = self.sampler.choose(logits, &self.tokens, mask.as_ref()) else {
            return Next::Failed("no token has a usable probability".to_owned());
        };
        if vocabulary.ends(token) {
            return Next::End(self.reason_of_stop());
        }
        let place = match self.constraint_now().map(|constraint| constraint.accept(token)).transpose() {
            Ok(place) => place.unwrap_or(Place::Open),
            Err(cause) => return Next::Failed(cause),
        };
        if self.gate.as_mut().is_some_and(|gate| gate.passes(vocabulary.text_bytes(token))) {
            self.gate = None;
        }
        let logprob = self.logprobs.map(|count| logprob(logits, token, count, vocabulary));
        self.tokens.push(token);
        let progress = self.output.push(vocabulary.text_bytes(token), logprob);
        match progress {
            Progress::Abandoned => Next::Abandoned,
            Progress::Stopped => Next::End(self.reason_of_stop()),
            Progress::More if place == Place::Ended => Next::End(FinishReason::Stop),
            Progress::More if self.completion_tokens() >= self.max_tokens => Next::End(FinishReason::Length),
            Progress::More => Next::Continue,
        }
    }

    /// The constraint, once it holds.
    fn constraint_now(&mut self) -> Option<&mut Constraint> {
        if self.gate.is_some() { None } else { self.constraint.as_mut() }
    }

    /// A stop sequence or an end inside of a constrained answer leaves it in pieces, which is not what `stop` promises.
    fn reason_of_stop(&mut self) -> FinishReason {
        let is_open = self.gate.is_some();
        match self.constraint.as_mut().map(Constraint::is_whole) {
            Some(whole) if is_open || !whole => FinishReason::Length,
            _ => FinishReason::Stop,
        }
    }

    fn completion_tokens(&self) -> usize {
        self.tokens.len() - self.prompt_tokens
    }

    pub fn finish(self, finish: FinishReason) {
        let mut end = ChatEnd::new(finish, usage(self.prompt_tokens, self.completion_tokens()));
        end.cached_tokens = u32::try_from(self.cached_tokens).unwrap_or(u32::MAX);
        end.dropped_turns = self.dropped_turns;
        self.output.finish(end);
    }

    pub fn fail(self, cause: String) {
        self.output.fail(RuntimeError::GenerationFailed { cause });
    }
}

fn logprob(logits: &[f32], token: Token, count: usize, vocabulary: &Vocabulary) -> TokenLogprob {
    let (own, top) = sampler::logprobs(logits, token, count);
    TokenLogprob {
        bytes: vocabulary.bytes(token).to_vec(),
        logprob: own,
        top: top.into_iter().map(|(token, logprob)| (vocabulary.bytes(token).to_vec(), logprob)).collect(),
    }
}
