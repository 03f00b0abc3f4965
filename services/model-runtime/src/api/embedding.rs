//! One embedding request, whichever surface it came by.

use crate::api::ApiState;
use crate::engine::{EmbedJob, Embeddings};
use crate::error::RuntimeError;

/// The model's own name and the vectors, in the order of the texts.
pub(super) async fn run(
    state: &ApiState,
    model: &str,
    job: EmbedJob,
) -> Result<(String, Embeddings), RuntimeError> {
    let limit = state.config.max_embed_texts;
    if job.inputs.len() > limit {
        return Err(RuntimeError::Invalid(format!(
            "at most {limit} texts at a time; this request has {}",
            job.inputs.len()
        )));
    }
    let model = state.registry.acquire(model).await?;
    if !model.engine.capabilities().embed {
        return Err(RuntimeError::NotCapable { model: model.name.clone(), action: "embed" });
    }
    let _slot = model.admission.slot(state.config.queue_timeout()).await?;
    let texts = job.inputs.len() as u64;
    let started = std::time::Instant::now();
    let embeddings = model.engine.embed(job).await?;
    let labels = [("model", model.name.clone())];
    metrics::counter!("anwen_model_embedded_texts_total", &labels).increment(texts);
    metrics::histogram!("anwen_model_embed_duration_seconds", &labels)
        .record(started.elapsed().as_secs_f64());
    Ok((model.name.clone(), embeddings))
}
