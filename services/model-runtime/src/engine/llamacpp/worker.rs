//! The thread that owns a chat model's context, and runs its generations together.
//!
//! Each step is one call of llama.cpp: a token of every generation that is writing, and as much of the waiting prompts as
//! fits beside them. A prompt that comes while others write goes in smaller parts, so that their words keep coming.
//!
//! Nothing that llama.cpp would abort the process for is ever passed to it: batches are no larger than the context's,
//! sequences and tokens are those that exist, and only whole prefixes are copied.

use std::collections::VecDeque;

use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use tokio::sync::mpsc;

use super::generation::{Generation, Next};
use super::sequences::{Sequences, Start, Token, common_prefix};
use super::vocabulary::Vocabulary;

/// Tokens of prompts in a step beside generations that are writing: a fraction of a second of work.
const PROMPT_TOKENS_BESIDE_WRITERS: usize = 128;
/// A prompt waits for another one that is being read when that saves at least this many tokens.
const SHARED_TOKENS_WORTH_WAITING: usize = 32;
/// Generations that the thread holds without having begun them; more wait in its channel.
const MAX_WAITING: usize = 64;

/// Bounds of a context.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Generations that run together.
    pub generations: usize,
    /// Tokens of one step.
    pub batch_tokens: usize,
    /// Tokens whose keys and values the context holds, over all sequences.
    pub pool_tokens: usize,
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
        bounds: Bounds,
    ) -> Self {
        let batch = LlamaBatch::new(bounds.batch_tokens, 1);
        Self {
            context,
            batch,
            vocabulary,
            orders,
            sequences,
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
            let needed = generation.tokens.len();
            let in_use: usize = self.running.iter().map(|running| running.generation.tokens.len()).sum();
            let fits = self.running.is_empty() || in_use + needed <= self.bounds.pool_tokens;
            let Some(start) = self.sequences.best_start(&generation.tokens).filter(|_| fits) else { return };
            if self.soon_shared(&generation.tokens) >= start.shared + SHARED_TOKENS_WORTH_WAITING {
                return;
            }
            if let Some(generation) = self.waiting.pop_front() {
                self.begin(generation, start);
            }
        }
    }

    /// Leading tokens of `prompt` that prompts being read now will have in memory.
    fn soon_shared(&self, prompt: &[Token]) -> usize {
        let being_read = self.running.iter().filter(|running| self.pending(running) > 1);
        let shared = being_read.map(|running| common_prefix(&running.generation.tokens, prompt));
        shared.max().unwrap_or(0).min(prompt.len().saturating_sub(1))
    }

    fn begin(&mut self, mut generation: Generation, start: Start) {
        let shared = if self.prepare(start) { start.shared } else { 0 };
        let start = Start { shared, ..start };
        self.sequences.begin(start);
        let cached = generation.begin(shared);
        tracing::debug!(
            prompt_tokens = generation.tokens.len(),
            cached,
            sequence = start.sequence,
            "generation begun"
        );
        self.running.push(Running { generation, sequence: start.sequence });
    }

    /// Makes the memory of `start`'s sequence what it says; false when nothing of it could be kept.
    fn prepare(&mut self, start: Start) -> bool {
        let held = self.sequences.tokens(start.sequence).len();
        if start.source == start.sequence {
            return held == start.shared || self.forget(start.sequence, start.shared);
        }
        self.forget(start.sequence, 0);
        let copied = self.context.copy_kv_cache_seq(
            start.source as i32,
            start.sequence as i32,
            Some(0),
            Some(start.shared as u32),
        );
        copied.is_ok()
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
        match self.context.decode(&mut self.batch) {
            Ok(()) => {}
            // Nothing was computed; the next step tries again.
            Err(DecodeError::NoKvCacheSlot) => return self.make_room(),
            Err(cause) => return Err(cause.to_string()),
        }
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

    /// Frees cells: kept conversations go first, the one unused for longest before others; then the generation that
    /// began last goes back to wait, and is computed again later.
    fn make_room(&mut self) -> Result<(), String> {
        if let Some(oldest) = self.sequences.least_recently_used() {
            self.forget(oldest, 0);
            self.sequences.clear(oldest);
            return Ok(());
        }
        if self.running.len() <= 1 {
            return Err("the context has no room for a conversation that it was made for".to_owned());
        }
        if let Some(last) = self.running.pop() {
            self.forget(last.sequence, 0);
            self.sequences.clear(last.sequence);
            self.waiting.push_front(last.generation);
        }
        Ok(())
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
