//! The engine of the bundled embedding.

mod model;

use std::sync::Arc;

use anwen_contract::model::ModelCapabilities;
use async_trait::async_trait;

pub use model::{Reading, StaticModel, StaticModelError, StaticScratch};

use super::{EmbedInput, EmbedJob, Embeddings, Engine, processor_concurrency};
use crate::error::RuntimeError;
use model::scale_to_length_one;

/// The engine around a [`StaticModel`].
pub struct StaticEngine {
    model: Arc<StaticModel>,
}

impl StaticEngine {
    pub fn new(model: Arc<StaticModel>) -> Self {
        Self { model }
    }

    /// The model, for those who embed in process.
    pub fn model(&self) -> &Arc<StaticModel> {
        &self.model
    }
}

/// Embeds every text of `job` on this thread.
fn embed_all(model: &StaticModel, job: &EmbedJob) -> Result<Embeddings, RuntimeError> {
    let full = model.dimensions();
    let dimensions = job.dimensions.unwrap_or(full);
    if dimensions == 0 || dimensions > full {
        return Err(RuntimeError::Invalid(format!("dimensions must be between 1 and {full}")));
    }
    let mut scratch = StaticScratch::default();
    let mut vector = vec![0.0; full];
    let mut embeddings = Embeddings {
        dimensions,
        values: Vec::with_capacity(dimensions * job.inputs.len()),
        tokens: 0,
        truncated: Vec::new(),
    };
    for (index, input) in job.inputs.iter().enumerate() {
        let EmbedInput::Text(text) = input else {
            return Err(RuntimeError::Invalid("this model takes text, not tokens".to_owned()));
        };
        let reading = model.embed_into(text, &mut scratch, &mut vector);
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

#[async_trait]
impl Engine for StaticEngine {
    fn name(&self) -> &'static str {
        "static"
    }

    fn capabilities(&self) -> ModelCapabilities {
        ModelCapabilities { embed: true, ..ModelCapabilities::default() }
    }

    fn context_tokens(&self) -> Option<usize> {
        Some(self.model.sequence_length())
    }

    fn dimensions(&self) -> Option<usize> {
        Some(self.model.dimensions())
    }

    fn concurrency(&self) -> usize {
        processor_concurrency()
    }

    async fn embed(&self, job: EmbedJob) -> Result<Embeddings, RuntimeError> {
        /// A question alone takes microseconds: handing it to another thread would cost more.
        const INLINE_MAX_BYTES: usize = 4 * 1024;
        if job.inputs.iter().map(EmbedInput::bytes).sum::<usize>() <= INLINE_MAX_BYTES {
            return embed_all(&self.model, &job);
        }
        let model = Arc::clone(&self.model);
        tokio::task::spawn_blocking(move || embed_all(&model, &job)).await.map_err(RuntimeError::internal)?
    }
}
