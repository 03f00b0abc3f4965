//! The thread that owns a chat model's context, and runs its generations together.
//!
//! Each step is one call of llama.cpp: a token of every generation that is writing, and as much of the waiting prompts as
//! fits beside them. A prompt that comes while others write goes in smaller parts, so that their words keep coming.
//!
//! Each conversation has a stream of keys and values to itself, so that a token attends over its own conversation and
//! not over everybody's. What is to make place for another is moved out of llama.cpp's memory, and back when it goes on.
//!
//! Nothing that llama.cpp would abort the process for is ever passed to it: batches are no larger than the context's,
//! sequences and tokens are those that exist, and states go back into the context that they came from.

use std::collections::VecDeque;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::session::{LlamaStateSeqFlags, SeqState};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use tokio::sync::mpsc;

use super::generation::{Generation, Next};
use super::kept::Kept;
use super::sequences::{Sequences, Start, Token, common_prefix};
use super::vocabulary::Vocabulary;

/// Tokens of prompts in a step beside generations that are writing: a fraction of a second of work.
const PROMPT_TOKENS_BESIDE_WRITERS: usize = 128;
/// A prompt waits for another one that is being read when that saves at least this many tokens.
const SHARED_TOKENS_WORTH_WAITING: usize = 32;
/// A kept conversation is put back when that saves at least this many tokens; moving it costs as much as a few.
const SHARED_TOKENS_WORTH_MOVING: usize = 32;
/// A conversation that has to make place is moved out when it loses at least this many tokens.
const LOST_TOKENS_WORTH_KEEPING: usize = 64;
/// Generations that the thread holds without having begun them; more wait in its channel.
const MAX_WAITING: usize = 64;

/// Bounds of a context.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Generations that run together.
    pub generations: usize,
    /// Tokens of one step.
    pub batch_tokens: usize,
}

/// A generation that has a sequence.
struct Running {
    generation: Generation,
    sequence: usize,
}

/// A part of a batch that belongs to one generation.
struct Part {
    running: usize,
    tokens: usize,
    /// Where in the batch the logits of its last token are; `None` while more of the prompt is to come.
    logits_at: Option<i32>,
}

/// Runs the generations of one context.
pub struct Worker<'model> {
    context: LlamaContext<'model>,
    batch: LlamaBatch<'static>,
    vocabulary: &'model Vocabulary,
    orders: mpsc::Receiver<Generation>,
    sequences: Sequences,
    kept: Kept<SeqState>,
    running: Vec<Running>,
    waiting: VecDeque<Generation>,
    bounds: Bounds,
}

impl<'model> Worker<'model> {
    pub fn new(
        context: LlamaContext<'model>,
        vocabulary: &'model Vocabulary,
        orders: mpsc::Receiver<Generation>,
        sequences: Sequences,
        kept: Kept<SeqState>,
        bounds: Bounds,
    ) -> Self {
        let batch = LlamaBatch::new(bounds.batch_tokens, 1);
        Self {
            context,
            batch,
            vocabulary,
            orders,
            sequences,
            kept,
            running: Vec::new(),
            waiting: VecDeque::new(),
            bounds,
        }
    }

    /// Runs until nobody can order any more and everything ordered has ended.
    pub fn run(mut self) {
        while self.take_orders() {
            self.drop_abandoned();
            self.begin_waiting();
            if let Err(cause) = self.step() {
                self.fail_all(&cause);
            }
        }
    }

    /// Waits while there is nothing to do; false when there will never be.
    fn take_orders(&mut self) -> bool {
        if self.running.is_empty() && self.waiting.is_empty() {
            let Some(order) = self.orders.blocking_recv() else { return false };
            self.waiting.push_back(order);
        }
        while self.waiting.len() < MAX_WAITING
            && let Ok(order) = self.orders.try_recv()
        {
            self.waiting.push_back(order);
        }
        true
    }

    fn drop_abandoned(&mut self) {
        self.waiting.retain(|generation| !generation.is_abandoned());
        let sequences = &mut self.sequences;
        self.running.retain(|running| {
            let abandoned = running.generation.is_abandoned();
            if abandoned {
                sequences.release(running.sequence);
            }
            !abandoned
        });
    }

    /// Gives sequences to generations that wait, in their order.
    fn begin_waiting(&mut self) {
        while self.running.len() < self.bounds.generations
            && let Some(generation) = self.waiting.front()
        {
            let Some(start) = self.sequences.best_start(&generation.tokens) else { return };
            let kept = self.kept.shared(&generation.tokens, self.sequences.is_divisible());
            let shared = start.shared.max(kept);
            if self.soon_shared(&generation.tokens) >= shared + SHARED_TOKENS_WORTH_WAITING {
                return;
            }
            if let Some(generation) = self.waiting.pop_front() {
                self.begin(generation, start, kept);
            }
        }
    }

    /// Leading tokens of `prompt` that prompts being read now will have in memory.
    fn soon_shared(&self, prompt: &[Token]) -> usize {
        let being_read = self.running.iter().filter(|running| self.pending(running) > 1);
        let shared = being_read.map(|running| common_prefix(&running.generation.tokens, prompt));
        shared.max().unwrap_or(0).min(prompt.len().saturating_sub(1))
    }

    /// Begins a generation at `start`, or where a kept conversation ends that shares `kept` tokens with it.
    fn begin(&mut self, mut generation: Generation, start: Start, kept: usize) {
        let start = if kept >= start.shared + SHARED_TOKENS_WORTH_MOVING {
            self.put_back(&generation.tokens, start)
        } else {
            let shared = if self.prepare(start) { start.shared } else { 0 };
            Start { shared, ..start }
        };
        self.sequences.begin(start);
        generation.begin(start.shared);
        tracing::debug!(
            prompt_tokens = generation.tokens.len(),
            cached = start.shared,
            sequence = start.sequence,
            "generation begun"
        );
        self.running.push(Running { generation, sequence: start.sequence });
    }

    /// Makes the memory of `start`'s sequence what it says; false when nothing of it could be kept.
    fn prepare(&mut self, start: Start) -> bool {
        if start.source == start.sequence {
            let held = self.sequences.tokens(start.sequence).len();
            if start.shared * 2 < held {
                self.keep(start.sequence, start.shared);
            }
            return held == start.shared || self.forget(start.sequence, start.shared);
        }
        let held = self.sequences.tokens(start.source).len();
        let copied = self.context.state_seq_get(start.source as i32, LlamaStateSeqFlags::empty());
        self.keep(start.sequence, 0);
        self.forget(start.sequence, 0);
        copied.is_ok_and(|state| self.restore(start, &state, held))
    }

    /// Puts a kept conversation into `start`'s sequence; what lay there is kept in its turn.
    fn put_back(&mut self, prompt: &[Token], start: Start) -> Start {
        let sequence = self.sequences.emptiest().unwrap_or(start.sequence);
        let nothing = Start { sequence, source: sequence, shared: 0 };
        let found = self.kept.find(prompt, self.sequences.is_divisible());
        self.keep(sequence, 0);
        self.forget(sequence, 0);
        let Some(found) = found else { return nothing };
        let start = Start { shared: found.shared, ..nothing };
        if !self.restore(start, &found.state, found.held) {
            return nothing;
        }
        self.sequences.set(sequence, &prompt[..found.shared]);
        start
    }

    /// Reads `state`, which holds `held` tokens, into an empty sequence, and leaves what `start` shares of it.
    fn restore(&mut self, start: Start, state: &SeqState, held: usize) -> bool {
        if self.context.state_seq_set(state, start.sequence as i32).is_err() {
            self.forget(start.sequence, 0);
            return false;
        }
        held == start.shared || self.forget(start.sequence, start.shared)
    }

    /// Moves a conversation out of llama.cpp's memory, of which only `stays` tokens would be left there.
    fn keep(&mut self, sequence: usize, stays: usize) {
        let held = self.sequences.tokens(sequence);
        if held.len() < stays + LOST_TOKENS_WORTH_KEEPING {
            return;
        }
        let bytes = self.context.state_seq_get_size_ext(sequence as i32, LlamaStateSeqFlags::empty());
        if !self.kept.takes(bytes) {
            return;
        }
        let held = held.to_vec();
        match self.context.state_seq_get(sequence as i32, LlamaStateSeqFlags::empty()) {
            Ok(state) => self.kept.put(held, state),
            Err(cause) => tracing::warn!(%cause, "a conversation could not be kept"),
        }
    }

    /// Removes what `sequence` holds from position `from` on. False when it had to be removed whole.
    fn forget(&mut self, sequence: usize, from: usize) -> bool {
        let id = Some(sequence as u32);
        let removed = self.context.clear_kv_cache_seq(id, Some(from as u32), None);
        if matches!(removed, Ok(true)) {
            return true;
        }
        // Removing a whole sequence never fails.
        let _ = self.context.clear_kv_cache_seq(id, None, None);
        from == 0
    }

    /// Tokens of a generation whose keys and values are still to be computed; one at least.
    fn pending(&self, running: &Running) -> usize {
        running.generation.tokens.len() - self.sequences.tokens(running.sequence).len()
    }

    /// Computes one batch and chooses the tokens that follow from it.
    fn step(&mut self) -> Result<(), String> {
        let parts = self.fill_batch()?;
        if parts.is_empty() {
            return Ok(());
        }
        self.context.decode(&mut self.batch).map_err(|cause| cause.to_string())?;
        let mut ended = Vec::new();
        for part in &parts {
            let running = &mut self.running[part.running];
            let from = self.sequences.tokens(running.sequence).len();
            self.sequences.extend(running.sequence, &running.generation.tokens[from..from + part.tokens]);
            let Some(at) = part.logits_at else { continue };
            match running.generation.step(self.context.get_logits_ith(at), self.vocabulary) {
                Next::Continue => {}
                next => ended.push((part.running, next)),
            }
        }
        // From the back, so that the indexes of the others hold.
        ended.sort_unstable_by_key(|(running, _)| std::cmp::Reverse(*running));
        for (running, next) in ended {
            self.end(running, next);
        }
        Ok(())
    }

    fn end(&mut self, running: usize, next: Next) {
        let Running { generation, sequence } = self.running.remove(running);
        self.sequences.release(sequence);
        match next {
            Next::End(reason) => generation.finish(reason),
            Next::Failed(cause) => generation.fail(cause),
            Next::Continue | Next::Abandoned => {}
        }
    }

    /// Writers first, one token each; then prompts in the order in which they came.
    fn fill_batch(&mut self) -> Result<Vec<Part>, String> {
        self.batch.clear();
        let mut parts = Vec::new();
        for index in 0..self.running.len() {
            if self.pending(&self.running[index]) == 1 && parts.len() < self.bounds.batch_tokens {
                parts.push(self.add(index, 1)?);
            }
        }
        let room = self.bounds.batch_tokens - parts.len();
        let mut left = if parts.is_empty() { room } else { room.min(PROMPT_TOKENS_BESIDE_WRITERS) };
        for index in 0..self.running.len() {
            let pending = self.pending(&self.running[index]);
            if pending > 1 && left > 0 {
                let tokens = pending.min(left);
                left -= tokens;
                parts.push(self.add(index, tokens)?);
            }
        }
        Ok(parts)
    }

    /// Adds the next `count` tokens of a generation to the batch.
    fn add(&mut self, index: usize, count: usize) -> Result<Part, String> {
        let Running { generation, sequence } = &self.running[index];
        let from = self.sequences.tokens(*sequence).len();
        let is_last = from + count == generation.tokens.len();
        for position in from..from + count {
            let logits = is_last && position + 1 == from + count;
            self.batch
                .add(LlamaToken(generation.tokens[position]), position as i32, &[*sequence as i32], logits)
                .map_err(|cause| cause.to_string())?;
        }
        let logits_at = is_last.then(|| self.batch.n_tokens() - 1);
        Ok(Part { running: index, tokens: count, logits_at })
    }

    /// After a failure inside of llama.cpp its memory holds nobody knows what.
    fn fail_all(&mut self, cause: &str) {
        tracing::error!(cause, generations = self.running.len(), "llama.cpp could not compute a batch");
        self.context.clear_kv_cache();
        for Running { generation, .. } in self.running.drain(..) {
            generation.fail(cause.to_owned());
        }
        (0..self.sequences.count()).for_each(|sequence| self.sequences.clear(sequence));
    }
}
