//! The thread that owns an encoder's context: embeddings and relevance, in batches of texts.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use tokio::sync::{mpsc, oneshot};

use super::sequences::Token;

/// Texts in one batch: llama.cpp's bound on sequences is 256.
pub const BATCH_TEXTS: usize = 64;
/// Tokens of one batch of several texts. Attention costs grow with the square of a batch, and the processor is busy long
/// before that.
const BATCH_TOKENS: usize = 512;

/// Texts to be encoded.
pub struct EncodeOrder {
    /// Tokens of each text, no more than the context takes.
    pub texts: Vec<Vec<Token>>,
    /// Gets one vector for each text.
    pub reply: oneshot::Sender<Result<Vec<Vec<f32>>, String>>,
}

/// Encodes texts with one context.
pub struct EncoderWorker<'model> {
    context: LlamaContext<'model>,
    batch: LlamaBatch<'static>,
    orders: mpsc::Receiver<EncodeOrder>,
}

impl<'model> EncoderWorker<'model> {
    /// `max_tokens` is what the context takes at once.
    pub fn new(
        context: LlamaContext<'model>,
        orders: mpsc::Receiver<EncodeOrder>,
        max_tokens: usize,
    ) -> Self {
        Self { context, batch: LlamaBatch::new(max_tokens, 1), orders }
    }

    /// Runs until nobody can order any more.
    pub fn run(mut self) {
        while let Some(order) = self.orders.blocking_recv() {
            let EncodeOrder { texts, reply } = order;
            let vectors = self.encode(&texts, &reply);
            // Whoever left needs no answer.
            let _ = reply.send(vectors);
        }
    }

    fn encode(
        &mut self,
        texts: &[Vec<Token>],
        reply: &oneshot::Sender<Result<Vec<Vec<f32>>, String>>,
    ) -> Result<Vec<Vec<f32>>, String> {
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in batches(texts) {
            if reply.is_closed() {
                return Err("nobody waits for it".to_owned());
            }
            self.encode_batch(texts, &batch, &mut vectors)?;
        }
        Ok(vectors)
    }

    fn encode_batch(
        &mut self,
        texts: &[Vec<Token>],
        batch: &[usize],
        vectors: &mut [Vec<f32>],
    ) -> Result<(), String> {
        self.context.clear_kv_cache();
        self.batch.clear();
        for (sequence, &text) in batch.iter().enumerate() {
            for (position, token) in texts[text].iter().enumerate() {
                self.batch
                    .add(LlamaToken(*token), position as i32, &[sequence as i32], true)
                    .map_err(|cause| cause.to_string())?;
            }
        }
        self.context.decode(&mut self.batch).map_err(|cause| cause.to_string())?;
        for (sequence, &text) in batch.iter().enumerate() {
            let vector =
                self.context.embeddings_seq_ith(sequence as i32).map_err(|cause| cause.to_string())?;
            vectors[text] = vector.to_vec();
        }
        Ok(())
    }
}

/// Indexes of the texts by batch: those of similar length together, so that none waits for a much longer one.
fn batches(texts: &[Vec<Token>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..texts.len()).filter(|&index| !texts[index].is_empty()).collect();
    order.sort_by_key(|&index| texts[index].len());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut tokens = 0;
    for index in order {
        let length = texts[index].len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_TEXTS && tokens + length <= BATCH_TOKENS => {
                batch.push(index);
                tokens += length;
            }
            _ => {
                batches.push(vec![index]);
                tokens = length;
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_each_text_once_within_their_bounds() {
        let texts: Vec<Vec<Token>> = (0..300).map(|index| vec![1; (index * 7) % 600]).collect();
        let batches = batches(&texts);
        let mut seen: Vec<usize> = batches.concat();
        seen.sort_unstable();
        let expected: Vec<usize> = (0..300).filter(|&index| !texts[index].is_empty()).collect();
        assert_eq!(seen, expected);
        for batch in &batches {
            let tokens: usize = batch.iter().map(|&index| texts[index].len()).sum();
            assert!(batch.len() <= BATCH_TEXTS && (tokens <= BATCH_TOKENS || batch.len() == 1), "{batch:?}");
        }
    }
}
