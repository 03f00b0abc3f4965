//! How near results are to a question in meaning, where they share no words: the cosine of embeddings that the model runtime
//! makes. It orders what the engines found and is never what a search waits for.

use std::sync::Arc;
use std::time::Duration;

use anwen_contract::client::{Audience, CallContext, ModelClient, ServiceClient};
use anwen_contract::model::STATIC_EMBEDDING_MODEL;
use anwen_platform::InternalTokens;
use url::Url;

/// What embedding may take; a search that it would hold up is ordered without it.
pub const MAX_DURATION: Duration = Duration::from_millis(150);
/// Results that are embedded, and characters of each.
const MAX_TEXTS: usize = 100;
const MAX_CHARS: usize = 600;
const MAX_IDLE_CONNECTIONS: usize = 4;

/// The embedding of the model runtime.
pub struct Meaning {
    client: ModelClient,
}

impl Meaning {
    pub fn new(model_runtime: Url, tokens: &InternalTokens) -> Result<Self, reqwest::Error> {
        let http =
            reqwest::Client::builder().no_proxy().pool_max_idle_per_host(MAX_IDLE_CONNECTIONS).build()?;
        let tokens = Arc::new(tokens.clone());
        let service = ServiceClient::new(model_runtime, http, tokens, Audience::ModelRuntime);
        Ok(Self { client: ModelClient::new(service) })
    }

    /// The cosine of each text with the question, in their order; texts beyond a bound are as far away as the farthest.
    /// `None` when the embeddings did not come in time.
    pub async fn nearness(
        &self,
        question: &str,
        texts: impl Iterator<Item = String>,
        context: &CallContext,
    ) -> Option<Vec<f32>> {
        let short = |text: String| text.chars().take(MAX_CHARS).collect::<String>();
        let mut inputs = vec![short(question.to_owned())];
        let mut count = 0;
        for text in texts {
            count += 1;
            if inputs.len() <= MAX_TEXTS {
                inputs.push(short(text));
            }
        }
        if count < 2 {
            return None;
        }
        let context = context.clone().within(MAX_DURATION);
        let embedding = self.client.embed(&context, STATIC_EMBEDDING_MODEL, &inputs);
        let vectors = match tokio::time::timeout(MAX_DURATION, embedding).await {
            Ok(Ok(vectors)) => vectors,
            Ok(Err(error)) => {
                tracing::debug!(code = error.code.as_str(), "results are ordered without their embeddings");
                return None;
            }
            Err(_) => return None,
        };
        let (question, results) = vectors.split_first()?;
        let mut cosines: Vec<f32> = results.iter().map(|vector| cosine(question, vector)).collect();
        let farthest = cosines.iter().copied().fold(f32::INFINITY, f32::min);
        cosines.resize(count, farthest);
        Some(cosines)
    }
}

/// 0 where one of them is no direction.
pub fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
    let norm = |vector: &[f32]| vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    let norms = norm(one) * norm(other);
    if norms > 0.0 { dot / norms } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::cosine;

    #[test]
    fn a_cosine_knows_directions_only() {
        assert!((cosine(&[1.0, 1.0], &[3.0, 3.0]) - 1.0).abs() < 1e-6);
        assert!(cosine(&[1.0, 0.0], &[0.0, 2.0]).abs() < 1e-6);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 2.0]), 0.0);
    }
}
