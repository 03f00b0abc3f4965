//! One embedding request, whichever surface it came by.

use std::sync::Arc;
use std::time::Instant;

use crate::admission::Priority;
use crate::api::ApiState;
use crate::api::asking::Asking;
use crate::api::measure::record_queue_wait;
use crate::cache::{CacheUse, KeptEmbedding, Key, embedding_key};
use crate::engine::{EmbedInput, EmbedJob, Embeddings};
use crate::error::RuntimeError;
use crate::registry::LoadedModel;

/// The model's own name and the vectors, in the order of the texts.
pub(super) async fn run(
    state: &ApiState,
    asking: &Asking,
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
    let model = state.registry.acquire_as(model, asking.wish).await?;
    if !model.engine.capabilities().embed {
        return Err(RuntimeError::NotCapable { model: model.name.clone(), action: "embed" });
    }
    let started = Instant::now();
    let labels = [("model", model.name.clone())];
    metrics::counter!("anwen_model_requests_total", "model" => model.name.clone(), "kind" => "embed")
        .increment(1);
    metrics::counter!("anwen_model_embedded_texts_total", &labels).increment(job.inputs.len() as u64);
    let embeddings = if may_keep(&model, asking.cache) {
        with_kept(state, asking, &model, job).await?
    } else {
        embed(state, asking, &model, job).await?
    };
    metrics::histogram!("anwen_model_embed_duration_seconds", &labels)
        .record(started.elapsed().as_secs_f64());
    Ok((model.name.clone(), embeddings))
}

/// Whether embeddings of `model` are kept. Not those of the static one: its vector of a question takes a few microseconds,
/// about as long as hashing and looking up, and would push out vectors that took milliseconds. Those of another server only
/// where the request says so, since nobody here knows which weights it runs.
fn may_keep(model: &LoadedModel, wish: CacheUse) -> bool {
    match wish {
        CacheUse::Never => false,
        CacheUse::Always => model.engine.name() != "static",
        CacheUse::WhereDeterministic => !matches!(model.engine.name(), "static" | "upstream"),
    }
}

async fn embed(
    state: &ApiState,
    asking: &Asking,
    model: &LoadedModel,
    job: EmbedJob,
) -> Result<Embeddings, RuntimeError> {
    // A question is one text: several at a time are documents, and nobody waits for one of them.
    let usual = if job.inputs.len() > 1 { Priority::Batch } else { Priority::Interactive };
    let ask = asking.ask(&state.config, usual);
    let entered = Instant::now();
    let _slot = model.admission.slot(&ask).await?;
    record_queue_wait(&model.name, ask.priority, entered.elapsed());
    model.engine.embed(job).await
}

/// Looks every text up, and embeds those that are not kept.
async fn with_kept(
    state: &ApiState,
    asking: &Asking,
    model: &LoadedModel,
    job: EmbedJob,
) -> Result<Embeddings, RuntimeError> {
    let identity = model.identity();
    let keys: Vec<Key> =
        job.inputs.iter().map(|input| embedding_key(&identity, input, job.dimensions)).collect();
    let mut found = state.cache.embeddings(&model.name, &keys);
    let missing: Vec<usize> = (0..keys.len()).filter(|index| found[*index].is_none()).collect();
    if !missing.is_empty() {
        let inputs: Vec<EmbedInput> = missing.iter().map(|index| job.inputs[*index].clone()).collect();
        let bytes: Vec<usize> = inputs.iter().map(EmbedInput::bytes).collect();
        let made = embed(state, asking, model, EmbedJob { inputs, dimensions: job.dimensions }).await?;
        let new = apart(&made, &bytes);
        for (index, embedding) in missing.iter().zip(new) {
            found[*index] = Some(embedding);
        }
        let made = missing.iter().filter_map(|index| Some((keys[*index], found[*index].clone()?)));
        state.cache.keep_embeddings(made);
    }
    Ok(together(found.into_iter().flatten()))
}

/// Each text's part of what an engine made. Engines count tokens over all texts: each one's part is taken by its bytes, and
/// the sum is exact.
fn apart(made: &Embeddings, bytes: &[usize]) -> Vec<KeptEmbedding> {
    let total_bytes = bytes.iter().sum::<usize>().max(1);
    let (mut seen_bytes, mut seen_tokens) = (0, 0);
    made.rows()
        .zip(bytes)
        .enumerate()
        .map(|(index, (row, bytes))| {
            seen_bytes += bytes;
            let tokens_so_far = made.tokens * seen_bytes / total_bytes;
            let tokens = tokens_so_far - seen_tokens;
            seen_tokens = tokens_so_far;
            KeptEmbedding { values: Arc::from(row), truncated: made.truncated.contains(&index), tokens }
        })
        .collect()
}

fn together(kept: impl Iterator<Item = KeptEmbedding>) -> Embeddings {
    let mut embeddings = Embeddings { dimensions: 0, values: Vec::new(), tokens: 0, truncated: Vec::new() };
    for (index, one) in kept.enumerate() {
        embeddings.dimensions = one.values.len();
        embeddings.values.extend_from_slice(&one.values);
        embeddings.tokens += one.tokens;
        if one.truncated {
            embeddings.truncated.push(index);
        }
    }
    embeddings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_apart_comes_together_as_it_was() {
        let made = Embeddings {
            dimensions: 2,
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            tokens: 10,
            truncated: vec![1],
        };
        assert_eq!(together(apart(&made, &[3, 30, 4]).into_iter()), made);
    }
}
