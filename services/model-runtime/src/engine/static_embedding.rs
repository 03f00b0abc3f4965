//! The engine of the bundled embedding.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use anwen_contract::model::ModelCapabilities;
use anwen_static_embedding::scale_to_length_one;
use async_trait::async_trait;
use tokio::sync::Semaphore;

pub use anwen_static_embedding::{StaticModel, StaticScratch};

use super::{EmbedInput, EmbedJob, Embeddings, Engine, processor_concurrency};
use crate::error::RuntimeError;

/// Bytes of text that are embedded where they arrive: a question alone takes microseconds, and handing it to another
/// thread would cost more.
const INLINE_MAX_BYTES: usize = 4 * 1024;
/// Bytes of text that are worth another thread: about a millisecond of work.
const PIECE_MIN_BYTES: usize = 32 * 1024;

/// The engine around a [`StaticModel`].
pub struct StaticEngine {
    work: Arc<Work>,
    /// Pieces of jobs that are embedded at the same time, over all jobs: one for each core.
    cores: Arc<Semaphore>,
}

/// What the threads share.
struct Work {
    model: Arc<StaticModel>,
    /// Buffers that no piece is using; as many as pieces have run at the same time. They know the words met most.
    scratches: Mutex<Vec<StaticScratch>>,
}

impl StaticEngine {
    pub fn new(model: Arc<StaticModel>) -> Self {
        let work = Work { model, scratches: Mutex::default() };
        Self { work: Arc::new(work), cores: Arc::new(Semaphore::new(processor_concurrency())) }
    }

    /// The model, for those who embed in process.
    pub fn model(&self) -> &Arc<StaticModel> {
        &self.work.model
    }

    /// Embeds the pieces of `inputs` side by side and puts their vectors together again.
    async fn embed_pieces(
        &self,
        inputs: Vec<EmbedInput>,
        dimensions: usize,
    ) -> Result<Embeddings, RuntimeError> {
        let inputs = Arc::new(inputs);
        let mut pieces = Vec::new();
        for range in pieces_of(&inputs, processor_concurrency()) {
            let core = Arc::clone(&self.cores).acquire_owned().await.map_err(RuntimeError::internal)?;
            let (work, inputs) = (Arc::clone(&self.work), Arc::clone(&inputs));
            pieces.push(tokio::task::spawn_blocking(move || {
                let embeddings = work.embed_all(&inputs[range], dimensions);
                drop(core);
                embeddings
            }));
        }
        let mut whole = none_yet(dimensions, 0);
        let mut texts = 0;
        for piece in pieces {
            let piece = piece.await.map_err(RuntimeError::internal)??;
            if whole.values.is_empty() {
                whole.values = piece.values;
                whole.values.reserve_exact((dimensions * inputs.len()).saturating_sub(whole.values.len()));
            } else {
                whole.values.extend_from_slice(&piece.values);
            }
            whole.tokens += piece.tokens;
            whole.truncated.extend(piece.truncated.iter().map(|index| texts + index));
            texts = whole.values.len() / dimensions;
        }
        Ok(whole)
    }
}

impl Work {
    /// Embeds `inputs` on this thread.
    fn embed_all(&self, inputs: &[EmbedInput], dimensions: usize) -> Result<Embeddings, RuntimeError> {
        let mut scratch =
            self.scratches.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let embeddings = self.embed_with(&mut scratch, inputs, dimensions);
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        embeddings
    }

    fn embed_with(
        &self,
        scratch: &mut StaticScratch,
        inputs: &[EmbedInput],
        dimensions: usize,
    ) -> Result<Embeddings, RuntimeError> {
        let full = self.model.dimensions();
        let mut embeddings = none_yet(dimensions, inputs.len());
        let mut vector = vec![0.0; full];
        for (index, input) in inputs.iter().enumerate() {
            let EmbedInput::Text(text) = input else {
                return Err(RuntimeError::Invalid("this model takes text, not tokens".to_owned()));
            };
            let reading = self.model.embed_into(text, scratch, &mut vector);
            embeddings.tokens += reading.tokens;
            if reading.truncated {
                embeddings.truncated.push(index);
            }
            if dimensions < full {
                scale_to_length_one(&mut vector[..dimensions]);
            }
            embeddings.values.extend_from_slice(&vector[..dimensions]);
        }
        Ok(embeddings)
    }
}

/// Room for as many vectors.
fn none_yet(dimensions: usize, vectors: usize) -> Embeddings {
    Embeddings {
        dimensions,
        values: Vec::with_capacity(dimensions * vectors),
        tokens: 0,
        truncated: Vec::new(),
    }
}

/// Neighbouring inputs of about the same number of bytes each, at most `most` pieces, none smaller than
/// [`PIECE_MIN_BYTES`] but the last.
fn pieces_of(inputs: &[EmbedInput], most: usize) -> Vec<Range<usize>> {
    let bytes: usize = inputs.iter().map(EmbedInput::bytes).sum();
    let piece_bytes = bytes.div_ceil(most.max(1)).max(PIECE_MIN_BYTES);
    let mut pieces = Vec::new();
    let (mut start, mut filled) = (0, 0);
    for (index, input) in inputs.iter().enumerate() {
        filled += input.bytes();
        if filled >= piece_bytes {
            pieces.push(start..index + 1);
            (start, filled) = (index + 1, 0);
        }
    }
    match pieces.last_mut() {
        // Nothing but empty texts is left.
        Some(last) if filled == 0 => last.end = inputs.len(),
        _ if start < inputs.len() => pieces.push(start..inputs.len()),
        _ => {}
    }
    pieces
}

#[async_trait]
impl Engine for StaticEngine {
    fn name(&self) -> &'static str {
        "static"
    }

    fn capabilities(&self) -> ModelCapabilities {
        ModelCapabilities { embed: true, ..ModelCapabilities::default() }
    }

    fn context_tokens(&self) -> Option<usize> {
        Some(self.work.model.sequence_length())
    }

    fn dimensions(&self) -> Option<usize> {
        Some(self.work.model.dimensions())
    }

    fn concurrency(&self) -> usize {
        processor_concurrency()
    }

    async fn embed(&self, job: EmbedJob) -> Result<Embeddings, RuntimeError> {
        let full = self.work.model.dimensions();
        let dimensions = job.dimensions.unwrap_or(full);
        if dimensions == 0 || dimensions > full {
            return Err(RuntimeError::Invalid(format!("dimensions must be between 1 and {full}")));
        }
        if job.inputs.iter().map(EmbedInput::bytes).sum::<usize>() <= INLINE_MAX_BYTES {
            return self.work.embed_all(&job.inputs, dimensions);
        }
        self.embed_pieces(job.inputs, dimensions).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lengths: &[usize]) -> Vec<EmbedInput> {
        lengths.iter().map(|&length| EmbedInput::Text("x".repeat(length))).collect()
    }

    #[test]
    fn pieces_hold_every_input_once_and_are_no_more_than_asked_for() {
        for lengths in [
            vec![],
            vec![1],
            vec![100_000],
            vec![10_000; 17],
            vec![1, 500_000, 1, 1],
            vec![40_000, 40_000, 0, 0],
            vec![40_000; 9],
        ] {
            for most in 1..5 {
                let inputs = texts(&lengths);
                let pieces = pieces_of(&inputs, most);
                let covered: Vec<usize> = pieces.iter().cloned().flatten().collect();
                assert_eq!(covered, (0..inputs.len()).collect::<Vec<_>>(), "{lengths:?} {most}");
                assert!(pieces.len() <= most, "{lengths:?} {most}: {pieces:?}");
            }
        }
    }

    #[test]
    fn little_text_is_one_piece() {
        assert_eq!(pieces_of(&texts(&[1_000; 20]), 8).len(), 1);
    }
}
