//! One reranking request.

use super::ApiState;
use super::asking::Asking;
use super::measure::record_queue_wait;
use crate::admission::Priority;
use crate::error::RuntimeError;

/// The model's own name, and the documents' indexes with their relevance, the most relevant first. Documents of equal
/// relevance keep their order.
pub(super) async fn run(
    state: &ApiState,
    asking: &Asking,
    model: &str,
    query: &str,
    documents: &[String],
) -> Result<(String, Vec<(usize, f32)>), RuntimeError> {
    let limit = state.config.max_rerank_documents;
    if documents.is_empty() || documents.len() > limit {
        return Err(RuntimeError::Invalid(format!(
            "between 1 and {limit} documents at a time; this request has {}",
            documents.len()
        )));
    }
    let model = state.registry.acquire_as(model, asking.wish).await?;
    if !model.engine.capabilities().rerank {
        return Err(RuntimeError::NotCapable { model: model.name.clone(), action: "rerank" });
    }
    let ask = asking.ask(&state.config, Priority::Interactive);
    let entered = std::time::Instant::now();
    let _slot = model.admission.slot(&ask).await?;
    record_queue_wait(&model.name, ask.priority, entered.elapsed());
    let started = std::time::Instant::now();
    let scores = model.engine.rerank(query, documents).await?;
    let labels = [("model", model.name.clone())];
    metrics::counter!("anwen_model_reranked_documents_total", &labels).increment(documents.len() as u64);
    metrics::histogram!("anwen_model_rerank_duration_seconds", &labels)
        .record(started.elapsed().as_secs_f64());
    let mut ranked: Vec<(usize, f32)> = scores.into_iter().enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    Ok((model.name.clone(), ranked))
}
